"""Candidates for a page: open items a model predicted to be of a class, found and claimed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from core.access import Actor
from core.labels import Answer, Region
from core.labels.state import ItemState
from core.queue.barred import barred_items
from core.queue.claim import claim, held_leases, renew
from core.services.grid.tiles import Candidate
from core.services.projects.project import ProjectView
from core.services.visibility.blind import blind_items
from core.services.visibility.eligible import barred_for
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_state, predictions

MOST_TILES = 100
LOOKED_AT = 2000
"""Most predictions read for one page or one overview of regions."""

_IN_ORDER = (item_state.c.boost.desc(), item_state.c.priority, item_state.c.item_id)


def raw_names(project: ProjectView, name: str) -> list[str]:
    """Return every name under which predictions may have meant this class."""
    main = project.schema.main
    ever = (n for c in main.classes for n in (c.name, *c.former))
    return sorted({n for n in ever if main.today(n) == name})


def find(
    connection: Connection, project: ProjectView, actor: Actor, name: str, left_out: Sequence[int]
) -> list[Candidate]:
    """Return open items predicted to be of a class, most suspicious first, that are not blind."""
    most = LOOKED_AT if project.schema.draws else 5 * MOST_TILES
    query = (
        open_to(project, actor.person_id)
        .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .add_columns(
            item_state.c.boost,
            item_state.c.priority,
            predictions.c.seq,
            predictions.c.answer,
            predictions.c.confidence,
            predictions.c.margin,
        )
        .where(item_state.c.item_id.not_in(left_out))
        .order_by(*_IN_ORDER)
        .limit(most)
    )
    # Name by name: each is read in order from the index of its class, which two at once are not.
    found_rows = [r for said in _says(project, name) for r in connection.execute(query.where(said))]
    rows = sorted(found_rows, key=lambda r: (-r.boost, r.priority, r.item_id))[:most]
    ids = [r.item_id for r in rows]
    hidden = blind_items(connection, project, actor, ids)
    hidden |= barred_items(connection, barred_for(connection, project, actor), ids)
    found = [_candidate(project, r) for r in rows if r.item_id not in hidden]
    return [c for c in found if _shows(project, c.answer, name)]


def take(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    person_id: int,
    found: Sequence[Candidate],
    tiles: int,
) -> list[Candidate]:
    """Lease candidates to a person in their order until they make so many tiles."""
    now, seconds = ws.clock(), ws.settings.lease_seconds
    held = held_leases(connection, project.id, person_id, now)
    room = max(0, ws.settings.lease_cap - len(held))
    draws, own = project.schema.draws, set(held)
    taken: list[Candidate] = []
    queue = list(found)
    while queue and tiles > 0:
        batch = list(_enough(queue, tiles, draws))
        queue = queue[len(batch) :]
        mine = [c.item_id for c in batch if c.item_id in own]
        renew(connection, person_id, mine, now, seconds)
        others = [c.item_id for c in batch if c.item_id not in own][:room]
        won = claim(
            connection, project.id, person_id, len(others), now, seconds, only=others
        ) if others else []  # fmt: skip
        room -= len(won)
        got = [c for c in batch if c.item_id in {*mine, *won}]
        tiles -= sum(c.size(draws) for c in got)
        taken += got
    return taken


def open_to(project: ProjectView, person_id: int) -> Select:
    """Select the open items on which no answer of a person stands and a vote is still wanted."""
    answered = (
        select(annotation_log.c.seq)
        .where(
            annotation_log.c.item_id == item_state.c.item_id,
            annotation_log.c.person_id == person_id,
            annotation_log.c.kind != "withdraw",
            ~later_revision(),
        )
        .correlate(item_state)
        .exists()
    )
    return select(item_state.c.item_id).where(
        item_state.c.project_id == project.id,
        item_state.c.state == ItemState.OPEN.value,
        item_state.c.votes < item_state.c.wanted,
        ~answered,
    )


def later_revision() -> ColumnElement[bool]:
    """Return the condition that a person changed this answer since."""
    later = annotation_log.alias("later")
    return (
        select(later.c.seq)
        .where(
            later.c.item_id == annotation_log.c.item_id,
            later.c.person_id == annotation_log.c.person_id,
            later.c.revision > annotation_log.c.revision,
        )
        .correlate(annotation_log)
        .exists()
    )


def _says(project: ProjectView, name: str) -> list[ColumnElement[bool]]:
    """Return conditions, no two of which hold for one item."""
    names = raw_names(project, name)
    if not project.schema.draws:
        return [item_state.c.predicted == n for n in names]
    # A first sieve over the JSON; what comes through is read properly.
    marks = [f'"label":{json.dumps(n, ensure_ascii=False)}' for n in names]
    return [or_(*(predictions.c.answer.contains(m, autoescape=True) for m in marks))]


def _candidate(project: ProjectView, row: Row) -> Candidate:
    answer = project.schema.translate(Answer.from_json(row.answer))
    if project.schema.draws:
        doubt = least_sure(answer.regions, row.confidence)
    else:
        doubt = row.margin if row.margin is not None else row.confidence or 0.0
    return Candidate(row.item_id, row.seq, answer, row.confidence, float(doubt))


def least_sure(regions: Iterable[Region], whole: float | None) -> float:
    """Return what a drawn answer is sorted by: its least sure region, else how sure it is as one."""
    sure = [r.confidence for r in regions if r.confidence is not None]
    return min(sure, default=whole or 0.0)


def _shows(project: ProjectView, answer: Answer, name: str) -> bool:
    if not project.schema.draws:
        return answer.choices.get(project.schema.main.key) == name
    fits = 0 < len(answer.regions) <= MOST_TILES
    return fits and any(r.label == name for r in answer.regions)


def _enough(queue: Iterable[Candidate], tiles: int, draws: bool) -> Iterator[Candidate]:
    for candidate in queue:
        if tiles <= 0:
            return
        tiles -= candidate.size(draws)
        yield candidate
