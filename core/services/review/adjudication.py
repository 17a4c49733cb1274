"""The list of disputes, the most valuable first, and what it can be narrowed by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Row

from core.access import Action, Actor
from core.consensus.value import dispute_value, rarity_of
from core.services.accounts.people import latest_revisions
from core.services.projects.project import ProjectView, project_for
from core.services.review.digests import Digest, class_counts, digests, metadata_of_disputes
from core.services.review.dispute_filter import DisputeFilter
from core.services.workspace import Workspace
from core.store.tables import people

T = TypeVar("T")

MOST_CHOICES = 200
MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute in the list.

    Attributes:
        uncertainty: How unsure its label is, 0 to 1.
        value: Uncertainty × importance, see `core.consensus.value`; the highest comes first.
        pairs: Which two classes people said of the same thing.
    """

    item_id: int
    name: str
    image: str
    reason: str
    differs: tuple[str, ...]
    n_votes: int
    labels: tuple[str, ...]
    prelabel: str | None
    confidence: float | None
    flagged: bool
    since: float
    uncertainty: float = 0.0
    value: float = 0.0
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DisputeChoices:
    """What disputes can be narrowed by, each with how many of all of them it leaves.

    Attributes:
        people: Number and name of everybody whose vote or flag is in one.
        columns: Metadata columns, each with its commonest values.
        flagged: How many are flagged.
    """

    pairs: tuple[tuple[tuple[str, str], int], ...] = ()
    people: tuple[tuple[int, str, int], ...] = ()
    columns: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class DisputeList:
    """The disputes asked for.

    Attributes:
        rows: Flagged ones first, then by value.
        total: How many there are without any filter.
        less: For each part of the filter how many there would be without it.
        choices: What they can be narrowed by.
    """

    rows: tuple[DisputeRow, ...]
    total: int
    less: Mapping[str, int]
    choices: DisputeChoices


def disputes(
    ws: Workspace, actor: Actor, slug: str, asked: DisputeFilter | None = None
) -> list[DisputeRow]:
    """Return the open disputes asked for: flagged ones first, then the most valuable.

    Raises:
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        found = digests(ws, connection, project)
        metadata = _metadata(connection, project, found, bool(asked and asked.slice_key))
        return _rows(connection, ws.clock(), project, found, _test(asked, metadata))


def list_disputes(
    ws: Workspace, actor: Actor, slug: str, asked: DisputeFilter | None = None
) -> DisputeList:
    """Return the open disputes asked for, and what else could be asked.

    Raises:
        Forbidden: The actor does not adjudicate here.
    """
    asked = asked or DisputeFilter()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        found = digests(ws, connection, project)
        metadata = _metadata(connection, project, found, True)
        rows = _rows(connection, ws.clock(), project, found, _test(asked, metadata))
        choices = _choices(connection, found, metadata)
    less = {part: _count(found, _test(asked.without(part), metadata)) for part in asked.parts}
    return DisputeList(tuple(rows), len(found), less, choices)


Found = list[tuple[Row, Digest]]
Test = Callable[[int, Digest], bool]


def _metadata(
    connection: Connection, project: ProjectView, found: Found, wanted: bool
) -> Mapping[int, Mapping[str, str]]:
    ids = [row.item_id for row, _ in found]
    return metadata_of_disputes(connection, project, ids) if wanted else {}


def _test(asked: DisputeFilter | None, metadata: Mapping[int, Mapping[str, str]]) -> Test:
    """Return whether a dispute is of the part asked for."""
    return partial(_meets, asked=asked or DisputeFilter(), metadata=metadata)


def _meets(
    item_id: int,
    digest: Digest,
    asked: DisputeFilter,
    metadata: Mapping[int, Mapping[str, str]],
) -> bool:
    return (
        (asked.pair is None or asked.pair in digest.pairs)
        and (not asked.person or asked.person in digest.people)
        and (not asked.reason or asked.reason == digest.reason)
        and (not asked.flagged or digest.flagged)
        and (
            not asked.slice_key
            or metadata.get(item_id, {}).get(asked.slice_key) == asked.slice_value
        )
    )


def _count(found: Found, test: Test) -> int:
    return sum(test(row.item_id, digest) for row, digest in found)


def _rows(
    connection: Connection, now: float, project: ProjectView, found: Found, test: Test
) -> list[DisputeRow]:
    """Return what passes; the value of each is told by all disputes, whatever is asked for."""
    counts = class_counts(connection, project, now) if found else {}
    names = project.schema.main.names
    known = frozenset(names)
    kin = Counter(pair for _, digest in found for pair in digest.pairs)
    rare = {pair: rarity_of([c for c in pair if c in known], counts, len(names)) for pair in kin}
    rows = [
        _row(state, digest, kin, rare) for state, digest in found if test(state.item_id, digest)
    ]
    return sorted(rows, key=lambda r: (not r.flagged, -r.value))


def _row(
    state: Row, digest: Digest, kin: Counter[tuple[str, str]], rare: Mapping[tuple[str, str], float]
) -> DisputeRow:
    alike = max((kin[p] - 1 for p in digest.pairs), default=0)
    rarity = max((rare[p] for p in digest.pairs), default=1.0)
    return DisputeRow(
        item_id=state.item_id,
        name=digest.name,
        image=digest.image,
        reason=digest.reason,
        differs=digest.differs,
        n_votes=digest.n_votes,
        labels=digest.labels,
        prelabel=digest.prelabel,
        confidence=digest.confidence,
        flagged=digest.flagged,
        since=digest.since,
        uncertainty=digest.uncertainty,
        value=dispute_value(digest.uncertainty, state.boost, rarity, alike),
        pairs=digest.pairs,
    )


def _choices(
    connection: Connection, found: Found, metadata: Mapping[int, Mapping[str, str]]
) -> DisputeChoices:
    kept = [digest for _, digest in found]
    said = Counter(person for d in kept for person in d.people)
    names = names_of_people(connection, said)
    return DisputeChoices(
        pairs=_commonest(pair for d in kept for pair in d.pairs),
        people=tuple((p, names[p], said[p]) for p in sorted(said, key=lambda p: (names[p], p))),
        columns=_columns(metadata),
        reasons=_commonest(d.reason for d in kept),
        flagged=sum(d.flagged for d in kept),
    )


def _commonest(values: Iterable[T]) -> tuple[tuple[T, int], ...]:
    counted = Counter(values).items()
    return tuple(sorted(counted, key=lambda c: (-c[1], str(c[0])))[:MOST_CHOICES])


def _columns(
    metadata: Mapping[int, Mapping[str, str]],
) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Return the columns that tell disputes apart, each with its commonest values."""
    counted = Counter(pair for doc in metadata.values() for pair in doc.items())
    by_column: dict[str, list[tuple[str, int]]] = {}
    for (column, value), n in sorted(counted.items(), key=lambda c: (-c[1], c[0])):
        by_column.setdefault(column, []).append((value, n))
    return tuple(
        (column, tuple(values[:MOST_VALUES]))
        for column, values in sorted(by_column.items())
        if len(values) > 1
    )


def names_of_people(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return the name others read today of each of these people."""
    query = latest_revisions().where(people.c.id.in_(list(ids)))
    return {int(r.person_id): str(r.display_name) for r in connection.execute(query)}
