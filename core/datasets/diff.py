"""What changed between two versions, and why: pure, over the rows they keep."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.datasets.freeze import FrozenLabel
from core.labels.answer import Answer
from core.labels.state import ItemState
from core.stats.intervals import Estimate, wilson


class Kind(StrEnum):
    """What happened to an item between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """The same label in another split."""


class Cause(StrEnum):
    """Why."""

    VOTES = "new votes"
    DECISION = "a lead's decision"
    OVERTURNED = "a decision was overturned"
    POLICY = "another policy"
    CLASSES = "a class was renamed or merged"
    IMPORTED = "imported"
    ACCEPTED = "accepted on the model's word"
    RECALLED = "an accepted label was recalled"
    DISCARDED = "discarded"
    NEUTRAL = "settled as no class fits"
    REOPENED = "open again"
    SPLITS = "other splits"
    WEIGHED = "the same votes, weighed anew"


@dataclass(frozen=True, slots=True)
class Now:
    """Where an item that left a version stands: its state and evidence; of the record."""

    state: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One item that differs.

    Attributes:
        before, after: Rows of the two versions; None where it is in one alone.
        cause: Why.
    """

    kind: Kind
    cause: Cause
    before: FrozenLabel | None
    after: FrozenLabel | None

    @property
    def row(self) -> FrozenLabel:
        """Return the newer of its rows."""
        found = self.after or self.before
        assert found is not None  # a change has one of the two
        return found


@dataclass(frozen=True, slots=True)
class Tally:
    """How one class, or one slice, changed.

    Attributes:
        before, after: How many labels (regions, where regions are drawn) the versions have.
        relabelled: Items of the older version whose label became another, among those in both.
        rate: Share of the older version's items in both that were relabelled, with its interval.
    """

    name: str
    before: int
    after: int
    added: int
    removed: int
    relabelled: int
    rate: Estimate


def changes(
    old: Sequence[FrozenLabel],
    new: Sequence[FrozenLabel],
    now: Callable[[FrozenLabel], Now | None],
    today: Callable[[Answer], Answer],
) -> tuple[Change, ...]:
    """Return every item that differs, by kind and name.

    Args:
        old, new: Rows of the versions.
        now: Where an item stands that the newer version does not have.
        today: Reads an answer in today's names of the classes.
    """
    before = {r.content_hash: r for r in old}
    after = {r.content_hash: r for r in new}
    found = [Change(Kind.ADDED, added(r), None, r) for h, r in after.items() if h not in before]
    for h, r in before.items():
        if h not in after:
            found.append(Change(Kind.REMOVED, removed(r, now(r)), r, None))
        elif after[h].answer != r.answer:
            found.append(Change(Kind.CHANGED, changed(r, after[h], today), r, after[h]))
        elif after[h].split and r.split and after[h].split != r.split:
            found.append(Change(Kind.MOVED, Cause.SPLITS, r, after[h]))
    order = list(Kind)
    return tuple(sorted(found, key=lambda c: (order.index(c.kind), c.row.name, c.row.item_id)))


def added(row: FrozenLabel) -> Cause:
    """Return why an item is new: how it was settled."""
    return {
        ItemState.IMPORTED.value: Cause.IMPORTED,
        ItemState.AUTO_ACCEPTED.value: Cause.ACCEPTED,
        ItemState.ADJUDICATED.value: Cause.DECISION,
    }.get(row.state, Cause.VOTES)


def removed(row: FrozenLabel, now: Now | None) -> Cause:
    """Return why an item is gone: what became of it."""
    if row.state == ItemState.AUTO_ACCEPTED:
        return Cause.RECALLED
    ruled = _told(row).get("decision")
    if now is not None and ruled and _doc(now.evidence).get("decision") != ruled:
        return Cause.OVERTURNED
    state = now.state if now is not None else ""
    if state == ItemState.DISCARDED:
        return Cause.DISCARDED
    return Cause.NEUTRAL if state == ItemState.NEUTRAL else Cause.REOPENED


def changed(old: FrozenLabel, new: FrozenLabel, today: Callable[[Answer], Answer]) -> Cause:
    """Return why an item has another label."""
    if (
        today(Answer.from_json(old.answer)).to_json()
        == today(Answer.from_json(new.answer)).to_json()
    ):
        return Cause.CLASSES
    one, other = _told(old), _told(new)
    if one.get("decision") != other.get("decision"):
        return Cause.OVERTURNED if one.get("decision") else Cause.DECISION
    if ItemState.AUTO_ACCEPTED in (new.state, old.state):
        return Cause.ACCEPTED if new.state == ItemState.AUTO_ACCEPTED else Cause.RECALLED
    if one.get("imported") != other.get("imported") and new.state == ItemState.IMPORTED:
        return Cause.IMPORTED
    if one.get("votes") != other.get("votes"):
        return Cause.VOTES
    return Cause.POLICY if old.policy_version != new.policy_version else Cause.WEIGHED


def _told(row: FrozenLabel) -> dict[str, object]:
    return _doc(row.evidence)


def _doc(text: str) -> dict[str, object]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def class_counts(row: FrozenLabel) -> Counter[str]:
    """Return how often each class is said: of regions where some are drawn, else of the image."""
    answer = Answer.from_json(row.answer)
    if answer.regions:
        return Counter(r.label for r in answer.regions)
    said = Counter([row.label] if row.label is not None else [])
    said.update(name for names in answer.multi.values() for name in names)
    return said


def tallied(
    old: Sequence[FrozenLabel],
    new: Sequence[FrozenLabel],
    found: Sequence[Change],
    keys: Callable[[FrozenLabel], Iterable[tuple[str, int]]],
) -> tuple[Tally, ...]:
    """Return how each group changed, most changed first.

    Args:
        old, new: Rows of the versions.
        found: Their changes.
        keys: The groups a row counts for, each with how often.
    """
    counts: dict[str, Counter[str]] = {}

    def count(what: str, rows: Iterable[FrozenLabel], once: bool = True) -> None:
        for row in rows:
            for name, times in keys(row):
                counts.setdefault(name, Counter())[what] += 1 if once else times

    kept = {r.content_hash for r in new}
    count("before", old, once=False)
    count("after", new, once=False)
    count("both", (r for r in old if r.content_hash in kept))
    count("added", (c.after for c in found if c.kind is Kind.ADDED and c.after))
    count("removed", (c.before for c in found if c.kind is Kind.REMOVED and c.before))
    count("relabelled", (c.before for c in found if c.kind is Kind.CHANGED and c.before))
    rows = [
        Tally(
            name, c["before"], c["after"], c["added"], c["removed"], c["relabelled"],
            wilson(c["relabelled"], c["both"]),
        )
        for name, c in counts.items()
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda t: (-(t.added + t.removed + t.relabelled), t.name)))
