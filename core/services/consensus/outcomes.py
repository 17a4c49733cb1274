"""What a resolve writes down: labels that changed, and where each item stands now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from core.consensus.divergence import divergence
from core.consensus.settle import Outcome
from core.labels import Answer
from core.labels.state import ItemState
from core.queue.claim import trim
from core.queue.hints import refresh, scramble
from core.services.consensus.draws import place
from core.services.consensus.gathering import Gathered, gather, latest_of
from core.services.consensus.settling import Settling
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import reboost
from core.store.tables import final_labels, item_state

Settled = tuple[int, Gathered, Outcome]
"""An item, what is known of it, and where it stands."""


def settle_and_write(connection: Connection, work: Settling, ids: list[int], at: float) -> int:
    """Settle items within the caller's record transaction; return how many labels changed."""
    project = work.project
    gathered = gather(connection, ids, project.schema)
    settled = [(i, gathered[i], work.outcome(i, gathered[i])) for i in ids]
    before = _current_finals(connection, ids)
    rows = [_final_row(work, *one, at) for one in settled]
    changed = [row for row in rows if _changed(before.get(row["item_id"]), row)]
    if changed:
        connection.execute(final_labels.insert(), changed)
    latest = _current_finals(connection, ids) if changed else before
    _write_states(connection, project, settled, latest, at)
    return len(changed)


def _current_finals(connection: Connection, ids: Sequence[int]) -> dict[int, object]:
    return {row.item_id: row for row in latest_of(connection, final_labels, ids)}


def _changed(old: object, row: dict[str, Any]) -> bool:
    was_open = old is None or getattr(old, "state", "") == ItemState.OPEN.value
    if was_open and row["state"] == ItemState.OPEN.value:
        return False
    return old is None or any(
        getattr(old, k) != row[k] for k in ("state", "answer", "evidence", "reason", "probability")
    )


def _final_row(
    work: Settling, item_id: int, found: Gathered, outcome: Outcome, at: float
) -> dict[str, Any]:
    project, provisional = work.project, work.is_provisional(outcome)
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
                "prediction": _alone(found, outcome),
                **({"provisional": True} if provisional else {}),
            }
        ),
        "at": at,
    }


def _alone(found: Gathered, outcome: Outcome) -> int | None:
    """Return the prediction that is the label, where the model alone decided."""
    by_model = outcome.state is ItemState.AUTO_ACCEPTED and found.accepted is not None
    return found.accepted[0] if by_model and found.accepted else None


def label_of(project: ProjectView, answer: Answer | None) -> str | None:
    """Return the class given to the first question; None for boxes."""
    return answer.choices.get(project.schema.main.key) if answer else None


def _write_states(
    connection: Connection,
    project: ProjectView,
    settled: Sequence[Settled],
    latest: Mapping[int, object],
    at: float,
) -> None:
    known = _wanted(connection, [i for i, _found, _outcome in settled])
    fresh, old = [], []
    for item_id, found, outcome in settled:
        final = getattr(latest.get(item_id), "seq", None)
        row = {**_state_row(project, item_id, found, outcome), "final_seq": final, "updated_at": at}
        if item_id in known:
            old.append({"b_item_id": item_id, **row})
        else:
            fresh.append({"item_id": item_id, **row})
    if fresh:
        connection.execute(item_state.insert(), fresh)
        reboost(connection, project.id, [row["item_id"] for row in fresh])
    if old:
        connection.execute(
            item_state.update().where(item_state.c.item_id == bindparam("b_item_id")), old
        )
    # Fewer places than are claimed: a policy asks for fewer, or an item that was settled while people
    # held it is open again and wants fewer than they are.
    trim(
        connection, [i for i, _, o in settled if o.votes_wanted != known.get(i, o.votes_wanted)], at
    )
    refresh(connection, [i for i, _found, _outcome in settled], at)


def _wanted(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Return how many votes each item that has a state wants so far."""
    rows = connection.execute(
        select(item_state.c.item_id, item_state.c.wanted).where(item_state.c.item_id.in_(ids))
    )
    return {r.item_id: int(r.wanted) for r in rows}


def _state_row(
    project: ProjectView, item_id: int, found: Gathered, outcome: Outcome
) -> dict[str, Any]:
    is_open = outcome.state is ItemState.OPEN
    return {
        "project_id": project.id,
        "state": outcome.state.value,
        "label": label_of(project, outcome.answer),
        "votes": len(found.votes),
        "wanted": outcome.votes_wanted,
        "priority": priority(item_id, found.confidence, found.drawn),
        "prediction_seq": found.prediction_seq,
        "predicted": label_of(project, found.predicted),
        "typicality": found.typicality,
        "scramble": scramble(item_id),
        "dispute": _dispute(found, project) if is_open else 0.0,
        "unsure": int(is_open and found.unsure_since > found.confirmed_at),
        "flagged": int(found.ever_flagged),
    }


def _dispute(found: Gathered, project: ProjectView) -> float:
    """Return how far the votes so far, and then the model, are from one another."""
    if not found.votes:
        return 0.0
    answers = [vote.answer for _, vote in found.votes]
    return divergence(answers, found.predicted, project.policy.iou_at_least)


def priority(item_id: int, confidence: float | None, drawn: bool = False) -> float:
    """Return the place in the queue: least confident first; without a prediction, at random.

    Items a model has not seen come before all it has, in an order drawn from the item's number,
    so that the first labels are a random sample. One drawn by chance lies at random among all: its
    place says nothing of it, and of several the one drawn first comes first.
    """
    if drawn:
        return place(item_id) - (confidence is None)
    if confidence is not None:
        return float(confidence)
    draw = hashlib.sha256(f"queue:{item_id}".encode()).digest()
    return int.from_bytes(draw[:6], "big") / 2**48 - 1.0
