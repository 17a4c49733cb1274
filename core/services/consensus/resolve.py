"""From the record to labels: gather the evidence of items, settle each, note what changed.

Labels are derived; this is the one place that derives them. A vote resolves its own item in
the same transaction; ``resolve`` does all of them and must give the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, Table, bindparam, func, select

from core.access import Action, Actor
from core.consensus.divergence import divergence
from core.consensus.settle import Decision, DecisionKind, Evidence, Outcome, Vote, settle
from core.labels import Answer, LabelSchema
from core.labels.state import ItemState
from core.queue.claim import trim
from core.queue.hints import refresh, scramble
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import reboost
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import (
    annotation_log,
    decisions,
    final_labels,
    imported_labels,
    item_state,
    items,
    predictions,
)

CHUNK = 500
"""Items in one IN list; SQLite allows 32,766 variables, and shorter statements plan faster."""

UNSURE = "unsure"
"""The reason of a skip that asks for an expert, and the queue in which experts answer."""


@dataclass(slots=True)
class Gathered:
    """Everything said of one item, with the numbers of the rows it stands in.

    Attributes:
        unsure_since: The newest live skip for being unsure; 0 where there is none.
        confirmed_at: Up to here an expert, or a lead's ruling, has answered for it.
    """

    votes: list[tuple[int, Vote]] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    decision: tuple[int, Decision] | None = None
    imported: tuple[int, Answer] | None = None
    prediction_seq: int | None = None
    confidence: float | None = None
    predicted: Answer | None = None
    typicality: float | None = None
    unsure_since: int = 0
    confirmed_at: int = 0
    ever_flagged: bool = False
    extra_votes: int = 0

    def evidence(self) -> Evidence:
        """Return what the policy looks at."""
        return Evidence(
            votes=tuple(v for _, v in self.votes),
            decision=self.decision[1] if self.decision else None,
            imported=self.imported[1] if self.imported else None,
            flagged=bool(self.flags),
            extra_votes=self.extra_votes,
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a full resolve did: items looked at, labels changed, items by state."""

    items: int
    changed: int
    states: dict[str, int]


def resolve(ws: Workspace, actor: Actor, slug: str) -> Resolved:
    """Derive every label of a project anew and return what changed.

    Raises:
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        changed = resolve_items(connection, project, None, ws.clock())
        append_audit(
            connection, ws.clock(), actor.name, "resolved", slug, project.id, {"changed": changed}
        )
        counted = connection.execute(
            select(item_state.c.state, func.count())
            .where(item_state.c.project_id == project.id)
            .group_by(item_state.c.state)
            .order_by(item_state.c.state)
        )
        states: dict[str, int] = {r[0]: r[1] for r in counted}
    return Resolved(sum(states.values()), changed, states)


def resolve_items(
    connection: Connection, project: ProjectView, item_ids: Sequence[int] | None, at: float
) -> int:
    """Settle these items (None: all) within the caller's transaction; return how many labels changed."""
    changed = 0
    for chunk in _chunks(connection, project.id, item_ids):
        changed += _resolve_chunk(connection, project, chunk, at)
    return changed


def _chunks(
    connection: Connection, project_id: int, item_ids: Sequence[int] | None
) -> Iterable[list[int]]:
    ids = (
        list(item_ids)
        if item_ids is not None
        else list(
            connection.execute(
                select(items.c.id).where(items.c.project_id == project_id).order_by(items.c.id)
            ).scalars()
        )
    )
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _resolve_chunk(connection: Connection, project: ProjectView, ids: list[int], at: float) -> int:
    gathered = gather(connection, ids, project.schema)
    before = _current_finals(connection, ids)
    finals, states = [], []
    for item_id in ids:
        found = gathered[item_id]
        outcome = settle(found.evidence(), project.schema, project.policy)
        row = _final_row(project, item_id, found, outcome, at)
        old = before.get(item_id)
        if _changed(old, row):
            finals.append(row)
        states.append((item_id, found, outcome))
    if finals:
        connection.execute(final_labels.insert(), finals)
    latest = _current_finals(connection, ids) if finals else before
    _write_states(connection, project, states, latest, at)
    return len(finals)


def _changed(old: object, row: dict[str, object]) -> bool:
    was_open = old is None or getattr(old, "state", "") == ItemState.OPEN.value
    if was_open and row["state"] == ItemState.OPEN.value:
        return False
    return old is None or any(
        getattr(old, k) != row[k] for k in ("state", "answer", "evidence", "reason")
    )


def _final_row(
    project: ProjectView, item_id: int, found: Gathered, outcome: Outcome, at: float
) -> dict[str, object]:
    return {
        "project_id": project.id,
        "item_id": item_id,
        "state": outcome.state.value,
        "label": label_of(project, outcome.answer),
        "answer": outcome.answer.to_json() if outcome.answer else None,
        "probability": outcome.probability,
        "reason": str(outcome.reason),
        "policy_version": project.policy_version,
        "schema_version": project.schema_version,
        "evidence": json.dumps(
            {
                "votes": sorted(seq for seq, _ in found.votes),
                "flags": sorted(found.flags),
                "decision": found.decision[0] if found.decision else None,
                "imported": found.imported[0] if found.imported else None,
                "prediction": None,  # set where the model alone decides
            }
        ),
        "at": at,
    }


def label_of(project: ProjectView, answer: Answer | None) -> str | None:
    """Return the class given to the first question; None for boxes."""
    return answer.choices.get(project.schema.main.key) if answer else None


def _write_states(
    connection: Connection,
    project: ProjectView,
    states: list[tuple[int, Gathered, Outcome]],
    latest: dict[int, object],
    at: float,
) -> None:
    rows = connection.execute(
        select(item_state.c.item_id, item_state.c.wanted).where(
            item_state.c.item_id.in_([s[0] for s in states])
        )
    )
    known = {r.item_id: int(r.wanted) for r in rows}
    fresh, old = [], []
    for item_id, found, outcome in states:
        final = latest.get(item_id)
        is_open = outcome.state is ItemState.OPEN
        row = {
            "project_id": project.id,
            "state": outcome.state.value,
            "label": label_of(project, outcome.answer),
            "votes": len(found.votes),
            "wanted": outcome.votes_wanted,
            "priority": priority(item_id, found.confidence),
            "prediction_seq": found.prediction_seq,
            "final_seq": getattr(final, "seq", None),
            "updated_at": at,
            "predicted": label_of(project, found.predicted),
            "typicality": found.typicality,
            "scramble": scramble(item_id),
            "dispute": _dispute(found, project) if is_open else 0.0,
            "unsure": int(is_open and found.unsure_since > found.confirmed_at),
            "flagged": int(found.ever_flagged),
        }
        if item_id in known:
            old.append({"b_item_id": item_id, **row})
        else:
            fresh.append({"item_id": item_id, **row})
    if fresh:
        connection.execute(item_state.insert(), fresh)
        reboost(connection, project.id, [s[0] for s in states if s[0] not in known])
    if old:
        connection.execute(
            item_state.update().where(item_state.c.item_id == bindparam("b_item_id")), old
        )
    # Fewer places than are claimed: a policy asks for fewer, or an item that was settled while people
    # held it is open again and wants fewer than they are.
    trim(
        connection, [i for i, _, o in states if o.votes_wanted != known.get(i, o.votes_wanted)], at
    )
    refresh(connection, [s[0] for s in states], at)


def _dispute(found: Gathered, project: ProjectView) -> float:
    """Return how far the votes so far, and then the model, are from one another."""
    if not found.votes:
        return 0.0
    answers = [vote.answer for _, vote in found.votes]
    return divergence(answers, found.predicted, project.policy.iou_at_least)


def priority(item_id: int, confidence: float | None) -> float:
    """Return the place in the queue: least confident first; without a prediction, at random.

    Items a model has not seen come before all it has, in an order drawn from the item's number,
    so that the first labels are a random sample.
    """
    if confidence is not None:
        return float(confidence)
    draw = hashlib.sha256(f"queue:{item_id}".encode()).digest()
    return int.from_bytes(draw[:6], "big") / 2**48 - 1.0


# --- gathering --------------------------------------------------------------------------------


def gather(connection: Connection, ids: Sequence[int], schema: LabelSchema) -> dict[int, Gathered]:
    """Return everything said of these items (at most a few hundred), in the names of `schema`."""
    found = {i: Gathered() for i in ids}
    for row in live_annotations(connection, ids):
        if row.kind == "vote":
            vote = Vote(str(row.person_id), schema.translate(Answer.from_json(row.answer)))
            found[row.item_id].votes.append((row.seq, vote))
            if row.queue == UNSURE:
                found[row.item_id].confirmed_at = row.seq
        elif row.kind == "flag":
            found[row.item_id].flags.append(row.seq)
            found[row.item_id].ever_flagged = True
        elif row.kind == "skip" and row.reason == UNSURE:
            found[row.item_id].unsure_since = row.seq
    for row in _latest(connection, imported_labels, ids):
        found[row.item_id].imported = (row.seq, schema.translate(Answer.from_json(row.answer)))
    for row in _latest(connection, predictions, ids):
        found[row.item_id].prediction_seq = row.seq
        found[row.item_id].confidence = row.confidence
        found[row.item_id].typicality = row.typicality
        found[row.item_id].predicted = schema.translate(Answer.from_json(row.answer))
    _gather_decisions(connection, ids, found, schema)
    return found


def live_annotations(connection: Connection, ids: Sequence[int]) -> list:
    """Return the newest revision of each person on each of these items, oldest first."""
    newest = (
        select(func.max(annotation_log.c.seq))
        .where(annotation_log.c.item_id.in_(ids))
        .group_by(annotation_log.c.item_id, annotation_log.c.person_id)
    )
    return list(
        connection.execute(
            select(annotation_log)
            .where(annotation_log.c.seq.in_(newest))
            .order_by(annotation_log.c.seq)
        ).all()
    )


def _gather_decisions(
    connection: Connection, ids: Sequence[int], found: dict[int, Gathered], schema: LabelSchema
) -> None:
    query = select(decisions).where(decisions.c.item_id.in_(ids)).order_by(decisions.c.seq)
    for row in connection.execute(query):
        mine = found[row.item_id]
        kind = DecisionKind(row.kind)
        answer = schema.translate(Answer.from_json(row.answer)) if row.answer else None
        mine.decision = (row.seq, Decision(kind, answer, str(row.person_id), row.votes_seen))
        mine.extra_votes = row.extra_votes
        # Flags the lead could see are answered by what the lead did. Numbers decide, not clocks.
        mine.flags = [f for f in mine.flags if f > row.annotation_seq]
        mine.confirmed_at = max(mine.confirmed_at, row.annotation_seq)


def _latest(connection: Connection, table: Table, ids: Sequence[int]) -> list:
    newest: Select = (
        select(func.max(table.c.seq)).where(table.c.item_id.in_(ids)).group_by(table.c.item_id)
    )
    return list(connection.execute(select(table).where(table.c.seq.in_(newest))).all())


def _current_finals(connection: Connection, ids: Sequence[int]) -> dict[int, object]:
    return {row.item_id: row for row in _latest(connection, final_labels, ids)}
