"""What labels cost in time and money: each vote, each final label, each corrected error, each class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.figures import FEWEST
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.stats.intervals import Estimate
from core.stats.rates import clustered_cost

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wages:
    """What an hour costs: of people named by number, and of all others."""

    others: float = 0.0
    by_person: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one of something takes; n counts them.

    Attributes:
        seconds: Active time of people for one.
        money: The same at their wages; no value where nobody's wage is set.
    """

    seconds: Estimate
    money: Estimate


@dataclass(frozen=True, slots=True)
class ClassCost:
    """What the final labels of one class took.

    Attributes:
        name: The class.
        labels: Items that ended as it; of items with boxes their part.
        labelling_seconds: First answers on these items.
        review_seconds: All answers after the first.
        money: Both at people's wages.
        each: What one such item took.
    """

    name: str
    labels: float
    labelling_seconds: float
    review_seconds: float
    money: float
    each: Cost


@dataclass(frozen=True, slots=True)
class Costs:
    """What the work done came to; rulings of leads are not timed and not in it.

    Attributes:
        seconds: Active time of people on items looked at.
        money: The same at their wages.
        votes: All time against live votes given here.
        finals: Time on items people settled against how many they are.
        corrected: Time on items people settled that had a pre-label, against those whose label
            is not what the pre-label said: what finding one error costs.
        checked: Items with a pre-label that people settled.
        classes: Every class people settled items as, dearest in all first.
    """

    seconds: float
    money: float
    votes: Cost
    finals: Cost
    corrected: Cost
    checked: int
    classes: tuple[ClassCost, ...]


def costs(
    replica: Replica,
    project_id: int,
    wages: Wages,
    filters: Filters = ALL,
    fewest: int = FEWEST,
    seed: int = 0,
) -> Costs:
    """Return what labels cost; intervals draw groups of items again (`core.stats.rates`).

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    each = dict(sorted((wages.by_person or {}).items()))
    asked = {"payees": list(each), "wages": [float(w) for w in each.values()], "wage": wages.others}
    values = {**filter_values(replica, project_id, filters), **asked}
    key = ("costs", tuple(each.items()), wages.others, told(filters), fewest, seed)
    return once(
        replica, project_id, key, lambda: _costs(replica.query("costs", values), fewest, seed)
    )


def _costs(rows: Rows, fewest: int, seed: int) -> Costs:
    by_class: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        if r["class"] is not None:
            by_class[r["class"]].append(r)
    ended = [r for r in rows if r["ended"]]
    classes = [_class(name, part, fewest, seed) for name, part in sorted(by_class.items())]
    return Costs(
        seconds=_sum(rows, "labelling") + _sum(rows, "review"),
        money=_sum(rows, "money"),
        votes=_cost(rows, "votes", fewest, seed),
        finals=_cost(ended, "items", fewest, seed),
        corrected=_cost(rows, "corrected", fewest, seed, "checking"),
        checked=int(_sum(rows, "checked")),
        classes=tuple(sorted(classes, key=lambda c: -(c.labelling_seconds + c.review_seconds))),
    )


def _class(name: str, rows: Rows, fewest: int, seed: int) -> ClassCost:
    return ClassCost(
        name,
        _sum(rows, "items"),
        _sum(rows, "labelling"),
        _sum(rows, "review"),
        _sum(rows, "money"),
        _cost(rows, "items", fewest, seed),
    )


def _cost(rows: Rows, counted: str, fewest: int, seed: int, time: str = "") -> Cost:
    """Return time and money per count, summed up by group of items first."""
    parts: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for r in rows:
        part = parts[r["part"]]
        part[0] += r[time] if time else r["labelling"] + r["review"]
        part[1] += r[f"{time}_money"] if time else r["money"]
        part[2] += r[counted]
    seconds, money, counts = zip(*parts.values(), strict=True) if parts else ((), (), ())
    return Cost(
        clustered_cost(seconds, counts, fewest=fewest, seed=seed),
        clustered_cost(money, counts, fewest=fewest, seed=seed),
    )


def _sum(rows: Rows, name: str) -> float:
    return float(sum(r[name] for r in rows))
