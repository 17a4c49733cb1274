"""What the list of disputes knows of each one, remembered until something new is said of it.

Whatever is said of an item, by people or by a model, gives it another `final_seq` or
`prediction_seq` in `item_state` (core/services/consensus/resolve.py), so these two tell whether
what is remembered still holds, and beside them which fit of people's votes it was told by; nothing has
to be told to forget.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Row, func, select

from core.consensus.value import doubts_of
from core.labels import Answer
from core.labels.state import ItemState
from core.services.consensus.fits import Fit, fit_edition, fit_path, load_fit
from core.services.consensus.resolve import CHUNK, Gathered, gather, live_annotations
from core.services.items.why import said_briefly
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import PrelabelView, metadata_of, names_of, prelabels_of
from core.services.workspace import Workspace
from core.store.tables import final_labels, item_metadata, item_state, items

MOST_PROJECTS = 32
COUNTS_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Digest:
    """One dispute, as far as its place in the list and the filters need it.

    Attributes:
        differs, pairs, uncertainty: See `core.consensus.value.Doubt`.
        people: Who voted on it or flagged it.
    """

    name: str
    image: str
    reason: str
    differs: tuple[str, ...]
    n_votes: int
    labels: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    people: frozenset[int]
    flagged: bool
    uncertainty: float
    prelabel: str | None
    confidence: float | None
    since: float


Stamp = tuple[int, int, int | None, int | None, int]


@dataclass(slots=True)
class _Kept:
    """What a process remembers of one project."""

    digests: dict[int, tuple[Stamp, Digest]] = field(default_factory=dict)
    metadata_seq: int = 0
    metadata: dict[int, dict[str, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    counted_at: float = float("-inf")


_kept: weakref.WeakKeyDictionary[Engine, dict[int, _Kept]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def digests(
    ws: Workspace, connection: Connection, project: ProjectView
) -> list[tuple[Row, Digest]]:
    """Return every open dispute with its row of `item_state`, least confident first."""
    edition = fit_edition(ws, project) if project.schema.item_questions else 0
    fit = load_fit(fit_path(ws, project)) if edition else None
    kept = _of(connection, project.id)
    rows = connection.execute(
        select(
            item_state.c.item_id, item_state.c.final_seq, item_state.c.prediction_seq,
            item_state.c.boost, item_state.c.priority,
        )
        .where(
            item_state.c.project_id == project.id, item_state.c.state == ItemState.DISPUTE.value
        )
        .order_by(item_state.c.priority, item_state.c.item_id)
    ).all()  # fmt: skip
    known = kept.digests
    stamps = {r.item_id: _stamp(project, r, edition) for r in rows}
    fresh = [i for i, stamp in stamps.items() if i not in known or known[i][0] != stamp]
    made = {
        i: (stamps[i], d)
        for some in _chunks(fresh)
        for i, d in _read(connection, project, some, fit)
    }
    now = {i: made.get(i) or known[i] for i in stamps}
    kept.digests = now
    return [(r, now[r.item_id][1]) for r in rows]


def metadata_of_disputes(
    connection: Connection, project: ProjectView, ids: Sequence[int]
) -> dict[int, dict[str, str]]:
    """Return the metadata of these disputes; only what came since the last time is read."""
    kept = _of(connection, project.id)
    newest = connection.execute(select(func.max(item_metadata.c.seq))).scalar() or 0
    known = kept.metadata
    changed: set[int] = set()
    if newest != kept.metadata_seq:
        query = select(item_metadata.c.item_id).where(item_metadata.c.seq > kept.metadata_seq)
        changed = set(connection.execute(query.distinct()).scalars()) if known else set()
    asked = [i for i in ids if i not in known or i in changed]
    read: dict[int, dict[str, str]] = {i: {} for i in asked}
    for some in _chunks(asked):
        read |= metadata_of(connection, some)
    kept.metadata = {i: read[i] if i in read else known[i] for i in ids}
    kept.metadata_seq = newest
    return kept.metadata


def class_counts(connection: Connection, project: ProjectView, now: float) -> dict[str, int]:
    """Return how many settled items each class has; at most a minute old."""
    kept = _of(connection, project.id)
    if not 0 <= now - kept.counted_at < COUNTS_SECONDS:
        query = (
            select(item_state.c.label, func.count())
            .where(
                item_state.c.project_id == project.id,
                item_state.c.state.in_([s.value for s in ItemState if s.has_label]),
                item_state.c.label.is_not(None),
            )
            .group_by(item_state.c.label)
        )
        kept.counts = {str(r[0]): int(r[1]) for r in connection.execute(query)}
        kept.counted_at = now
    return kept.counts


def _of(connection: Connection, project_id: int) -> _Kept:
    with _lock:
        projects = _kept.setdefault(connection.engine, {})
        if project_id not in projects and len(projects) >= MOST_PROJECTS:
            projects.clear()
        return projects.setdefault(project_id, _Kept())


def _stamp(project: ProjectView, row: Row, edition: int) -> Stamp:
    versions = (project.schema_version, project.policy_version)
    return (*versions, row.final_seq, row.prediction_seq, edition)


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _read(
    connection: Connection, project: ProjectView, ids: list[int], fit: Fit | None
) -> Iterator[tuple[int, Digest]]:
    rows = connection.execute(
        select(
            item_state.c.item_id, item_state.c.prediction_seq, items.c.content_hash,
            final_labels.c.at, final_labels.c.reason,
        )
        .join(items, items.c.id == item_state.c.item_id)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(item_state.c.item_id.in_(ids))
    ).all()  # fmt: skip
    gathered = gather(connection, ids, project.schema)
    names = names_of(connection, ids)
    prelabels = prelabels_of(connection, [r.prediction_seq for r in rows], project.schema)
    flaggers = _flaggers(connection, [i for i in ids if gathered[i].ever_flagged])
    doubts = doubts_of(
        [_answers(gathered[r.item_id]) for r in rows],
        project.schema,
        project.policy.iou_at_least,
        [_chances(fit, r.item_id, gathered[r.item_id]) for r in rows],
    )
    for row, doubt in zip(rows, doubts, strict=True):
        found = gathered[row.item_id]
        model = prelabels.get(row.prediction_seq)
        yield (
            row.item_id,
            Digest(
                name=names[row.item_id][0],
                image=image_path(row.item_id, row.content_hash),
                reason=row.reason,
                differs=doubt.differs,
                n_votes=len(found.votes),
                labels=tuple(
                    sorted({said_briefly(project.schema, v.answer) for _, v in found.votes})
                ),
                pairs=doubt.pairs,
                people=frozenset(int(v.person) for _, v in found.votes)
                | flaggers.get(row.item_id, frozenset()),
                flagged=bool(found.flags),
                uncertainty=doubt.uncertainty if found.votes else _models_doubt(model),
                prelabel=model.label if model else None,
                confidence=model.confidence if model else None,
                since=row.at,
            ),
        )


def _answers(found: Gathered) -> list[Answer]:
    """Return the votes; where fewer than two people voted, the model's word beside them."""
    answers = [v.answer for _, v in found.votes]
    return answers if len(answers) > 1 or found.predicted is None else [*answers, found.predicted]


def _chances(fit: Fit | None, item_id: int, found: Gathered) -> dict[str, tuple[float, ...]]:
    """Return what the last fit makes of the votes; nothing without a fit, or of a vote alone."""
    if fit is None or len(found.votes) < 2:
        return {}
    said = [(int(v.person), {**v.answer.choices, **v.answer.multi}) for _, v in found.votes]
    return fit.chances(item_id, said)


def _models_doubt(model: PrelabelView | None) -> float:
    """Return how unsure the model is of an item nobody has voted on."""
    return 1.0 if model is None or model.confidence is None else 1 - model.confidence


def _flaggers(connection: Connection, ids: list[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {i: set() for i in ids}
    for row in live_annotations(connection, ids):
        if row.kind == "flag":
            found[row.item_id].add(row.person_id)
    return {i: frozenset(people) for i, people in found.items()}
