"""Imported votes, and the annotators who cast them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, select

from core.formats import Refusal
from core.services.accounts.people import OPERATOR, insert_person
from core.services.consensus.resolve import label_of, live_annotations
from core.services.projects.project import ProjectView
from core.services.transfer.import_images import Taken
from core.services.transfer.import_rows import Said
from core.services.transfer.import_store import Stored
from core.store.tables import annotation_log, people


def store_votes(
    connection: Connection,
    project: ProjectView,
    said: Sequence[Said],
    batch_id: int,
    taken: Taken,
    stored: Stored,
    at: float,
) -> None:
    """Write votes of the annotators named; of several by one person on one item the last wins."""
    latest: dict[tuple[int, str], Said] = {}
    for one in said:
        if not one.row.annotator:
            taken.refused.append(
                Refusal(one.row.origin, one.row.line, "a vote needs an annotator, found none")
            )
            continue
        if one.row.annotator == OPERATOR:
            taken.refused.append(
                Refusal(
                    one.row.origin, one.row.line, f"'{OPERATOR}' is the command line's own name"
                )
            )
            continue
        latest[one.item_id, one.row.annotator] = one
    who = _annotators(connection, sorted({a for _, a in latest}), stored, at)
    ids = sorted({i for i, _ in latest})
    for start in range(0, len(ids), 500):
        chunk = set(ids[start : start + 500])
        votes = [(k, v) for k, v in latest.items() if k[0] in chunk]
        _store_vote_chunk(connection, project, votes, who, batch_id, taken, stored, at)


def _store_vote_chunk(
    connection: Connection,
    project: ProjectView,
    votes: Sequence[tuple[tuple[int, str], Said]],
    who: dict[str, int],
    batch_id: int,
    taken: Taken,
    stored: Stored,
    at: float,
) -> None:
    live = {
        (r.item_id, r.person_id): r
        for r in live_annotations(connection, sorted({k[0] for k, _ in votes}))
    }
    rows = []
    for (item_id, annotator), one in votes:
        before = live.get((item_id, who[annotator]))
        text = one.answer.to_json()
        if before is not None and before.kind == "vote" and before.answer == text:
            continue
        revision = 1 if before is None else before.revision + 1
        stored.regions += len(one.answer.regions)
        taken.touched.add(item_id)
        said = _vote_row(project, item_id, who[annotator], revision, one)
        rows.append({**said, "batch_id": batch_id, "at": at})
    if rows:
        connection.execute(annotation_log.insert(), rows)
    stored.votes += len(rows)


_VOTES = uuid.UUID("6c1b2a52-2f0e-4f0e-9a8f-0d5f8f5e7b11")


def _vote_row(
    project: ProjectView, item_id: int, person_id: int, revision: int, one: Said
) -> dict[str, object]:
    name = f"{project.id}/{item_id}/{person_id}/{revision}"
    return {
        "uuid": str(uuid.uuid5(_VOTES, name)),
        "project_id": project.id,
        "item_id": item_id,
        "person_id": person_id,
        "revision": revision,
        "kind": "vote",
        "label": label_of(project, one.answer),
        "answer": one.answer.to_json(),
        "reason": "",
        "schema_version": project.schema_version,
        "guideline_version": project.guideline_version,
        "prediction_seq": None,
        "prelabel_shown": False,
        "active_seconds": one.row.seconds,
        "started_at": None,
    }


def _annotators(
    connection: Connection, names: Sequence[str], stored: Stored, at: float
) -> dict[str, int]:
    """Return the person of each annotator, making those nobody knows; they cannot sign in."""
    known = {r.name: r.id for r in connection.execute(select(people.c.name, people.c.id))}
    for name in names:
        if name not in known:
            known[name] = insert_person(connection, at, name, name, kind="annotator")
            stored.annotators.append(name)
    return {n: known[n] for n in names}
