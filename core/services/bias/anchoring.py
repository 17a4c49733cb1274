"""What a pre-label in view does: how often votes say what it says, with it shown and blind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.cells import Floats
from core.analytics.pull import prelabel_pull
from core.analytics.replica import Replica
from core.stats.bootstrap import bootstrap, clustered_ratio, kinds_of
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """A class the pre-label says: how often votes say it too, with it in view and blind.

    Attributes:
        label: The class; "" for all together.
        shown, blind: Share of votes that say the same; n counts votes.
        pull: Shown minus blind; persons are drawn whole.
        adjusted_p: Of "it does not pull", as the pull's interval has it; of a class adjusted for all
            classes.
    """

    label: str
    shown: Estimate
    blind: Estimate
    pull: Estimate
    adjusted_p: float | None = None

    @property
    def is_sure(self) -> bool:
        """Return whether it surely pulls, or pushes."""
        return self.adjusted_p is not None and self.adjusted_p < FALSE_DISCOVERY


def anchors_of(replica: Replica, project_id: int, filters: Filters) -> tuple[AnchorRow, ...]:
    """Return how far a pre-label in view pulls; who sees it is drawn at random, so this is its doing."""
    values = filter_values(replica, project_id, filters)
    rows = replica.query("anchored", {k: v for k, v in values.items() if k not in _UNUSED})
    whole = filters == ALL
    all_of = (
        [(p.person_id, p.shown, p.shown_same, p.blind, p.blind_same)
         for p in prelabel_pull(replica, project_id)]
        if whole else _by_person(rows)
    )  # fmt: skip
    labels = sorted({r["label"] for r in rows})
    found = [_anchor("", all_of)]
    found += [_anchor(name, _by_person([r for r in rows if r["label"] == name])) for name in labels]
    kept = _judged([a for a in found if a.pull.value is not None or not a.label])
    return tuple(kept) if found[0].pull.n else ()


def _judged(rows: Sequence[AnchorRow]) -> list[AnchorRow]:
    """Return the rows with their p: of all together as it is, of classes adjusted for all of them."""
    classes = benjamini_hochberg([_p(a.pull) for a in rows if a.label])
    ps = iter(classes)
    return [replace(a, adjusted_p=next(ps) if a.label else _p(a.pull)) for a in rows]


def _p(pull: Estimate) -> float | None:
    """Return the p that the end of the interval on zero's side stands for; None without one."""
    if pull.value is None or pull.low is None or pull.high is None:
        return None
    spread = pull.value - pull.low if pull.value > 0 else pull.high - pull.value
    if spread <= 0:
        return 1.0 if pull.value == 0 else 0.0
    return math.erfc(abs(pull.value) / spread * Z_95 / math.sqrt(2))


FALSE_DISCOVERY = 0.05
Z_95 = 1.959964
"""Standard errors from the middle of a 95 % interval to its end."""
_UNUSED = frozenset({"prediction_set", "blind_only", "guideline", "called"})
_Five = tuple[int, int, int, int, int]
FEWEST_ARM = 10
"""Votes with the pre-label in view, and blind, below which there is no figure."""


def _by_person(rows: Sequence[Any]) -> list[_Five]:
    found: dict[int, list[int]] = {}
    for r in rows:
        at = found.setdefault(int(r["who"]), [0, 0, 0, 0])
        start = 0 if r["shown"] else 2
        at[start] += int(r["n"])
        at[start + 1] += int(r["same"])
    return [(who, *four) for who, four in found.items()]  # type: ignore[misc]


def _anchor(label: str, people: Sequence[_Five]) -> AnchorRow:
    table = np.array(people, dtype=np.float64).reshape(-1, 5)
    who = np.arange(len(table))
    shown_n, blind_n = round(float(table[:, 1].sum())), round(float(table[:, 3].sum()))
    n = min(shown_n, blind_n)
    nothing = Estimate(None, None, None, n)
    if n < FEWEST_ARM:
        return AnchorRow(label, nothing, nothing, nothing)
    shown = _wide(clustered_ratio(who, table[:, 2], table[:, 1]), shown_n)
    blind = _wide(clustered_ratio(who, table[:, 4], table[:, 3]), blind_n)
    return AnchorRow(label, shown, blind, _pull(table, shown, blind))


def _wide(share: Estimate, n: int) -> Estimate:
    """Return a share of so many votes, never surer than if they were independent."""
    plain = wilson((share.value or 0.0) * n, n)
    if share.low is None or share.high is None or plain.low is None or plain.high is None:
        return plain
    return Estimate(share.value, min(share.low, plain.low), max(share.high, plain.high), n)


def _pull(table: Floats, shown: Estimate, blind: Estimate) -> Estimate:
    """Return shown minus blind: Newcombe's interval, or with persons drawn whole where that is wider."""
    a = wilson(float(table[:, 2].sum()), shown.n)
    b = wilson(float(table[:, 4].sum()), blind.n)
    assert a.value is not None  # both arms have votes
    assert b.value is not None
    gap = a.value - b.value
    low = gap - math.hypot(a.value - (a.low or 0.0), (b.high or 0.0) - b.value)
    high = gap + math.hypot((a.high or 0.0) - a.value, b.value - (b.low or 0.0))
    kinds, repeats = kinds_of(table[:, 1:])
    drawn = bootstrap(kinds, repeats, _difference)
    if drawn[0] is not None and drawn[1] is not None:
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return Estimate(gap, low, high, shown.n + blind.n)


def _difference(sums: Floats) -> Floats:
    return np.asarray(sums[:, 1] / sums[:, 0] - sums[:, 3] / sums[:, 2])
