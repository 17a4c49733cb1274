"""Limits the record proposes: beyond which value of a property pictures went wrong more often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.analytics.cells import Ints
from core.intake.measures import NAMES
from core.labels.rules import METADATA, About, Rule, rule_line
from core.labels.state import LABELLED, ItemState
from core.services.bias.rule_values import Known, Values, of_picture
from core.stats.multiple import benjamini_hochberg
from core.stats.thresholds import Threshold, learned_threshold

SURE = 0.05


@dataclass(frozen=True, slots=True)
class LearnedLimit:
    """A limit the record proposes.

    Attributes:
        subject: The property as a rule names it.
        n, bad: Pictures that came to an end or were passed on; of them those that went wrong.
        found: None where there is not enough data.
        adjusted_p: For all properties looked at.
        line: The rule to write; empty where there is none.
        in_force: The rule that the guideline has about the same property, as it is written.
    """

    subject: str
    n: int
    bad: int
    found: Threshold | None
    adjusted_p: float | None
    line: str
    in_force: str

    @property
    def is_sure(self) -> bool:
        """Return whether pictures beyond the limit surely go wrong more often, in either half."""
        gap = None if self.found is None else self.found.difference.low
        return (
            self.adjusted_p is not None and self.adjusted_p < SURE and gap is not None and gap > 0
            and self.found is not None and self.found.holds
        )  # fmt: skip


def learned_limits(known: Known, rules: Sequence[Rule]) -> tuple[LearnedLimit, ...]:
    """Return a limit for every property that has numbers, the surest first."""
    item, bad = _outcomes(known)
    found: list[tuple[str, int, int, Threshold | None]] = []
    for subject, values in _numeric(known):
        place = np.searchsorted(item, values.item)
        place[place == len(item)] = 0
        seen = (item[place] == values.item) if len(item) else np.zeros(len(values.item), np.bool_)
        own, went = values.value[seen], bad[place[seen]] if len(item) else np.zeros(0, np.bool_)
        if len(np.unique(own)) > 1 or not len(own):
            learnt = learned_threshold(own, went, keys=values.item[seen])
            found.append((subject, len(own), int(went.sum()), learnt))
    ps = benjamini_hochberg([None if t is None else t.p for *_, t in found])
    limits = [
        LearnedLimit(s, n, b, t, p, _line(s, t), _in_force(s, rules))
        for (s, n, b, t), p in zip(found, ps, strict=True)
    ]
    return tuple(sorted(limits, key=lambda x: (x.adjusted_p is None, x.adjusted_p or 0, x.subject)))


def _outcomes(known: Known) -> tuple[Ints, np.ndarray]:
    """Return the pictures that came to an end or were passed on, and which of them went wrong."""
    table = known.replica.arrow("item_outcomes", {"project": known.project.id})
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    state = np.array(table["state"].to_pylist(), dtype=object)
    passed, votes, wrong = (
        table[c].to_numpy().astype(np.int64) for c in ("passed_on", "votes", "wrong")
    )
    given_up = np.isin(state, [ItemState.DISCARDED.value, ItemState.NEUTRAL.value])
    settled = np.isin(state, [s.value for s in LABELLED]) & (votes > 0)
    looked_at = given_up | settled | (passed > 0)
    bad = given_up | (passed > 0) | (wrong > 0)
    return item[looked_at], bad[looked_at]


def _numeric(known: Known) -> Iterator[tuple[str, Values]]:
    """Yield every property with numbers; of an object the smallest of a picture stands for it."""
    if np.isfinite(known.measures).any():
        yield from ((name, of_picture(known, name)) for name in NAMES)
    for name, values in known.columns.items():
        if len(values.item):
            yield f"{METADATA} {name}", values
    for name in ("object size", "object pixels"):
        if (regions := known.regions.get(name)) is not None and len(regions.item):
            order = np.lexsort((regions.value, regions.item))
            _, first = np.unique(regions.item[order], return_index=True)
            yield name, regions.where(order[first])


def _line(subject: str, found: Threshold | None) -> str:
    if found is None or found.limit.value is None:
        return ""
    low, high = (found.limit.value, None) if found.at_least else (None, found.limit.value)
    return rule_line(subject, low, high)


def _in_force(subject: str, rules: Sequence[Rule]) -> str:
    for rule in rules:
        own = f"{METADATA} {rule.subject}" if rule.about is About.METADATA else rule.subject
        if own == subject:
            return rule.text
    return ""
