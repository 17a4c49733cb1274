"""From the record to labels: gather the evidence of items, settle each, note what changed.

Labels are derived; this is the one place that derives them. A vote resolves its own item in
the same transaction; ``resolve`` does all of them and must give the same. Where the policy's algorithm
fits the whole project, one vote's outcome rests on the last fit and is marked provisional; a full resolve fits anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from core.access import Action, Actor
from core.consensus.divergence import divergence
from core.consensus.policy import Policy, Stop
from core.consensus.settle import Inferred, Outcome, Reason, settle
from core.labels import Answer
from core.labels.state import ItemState
from core.queue.claim import trim
from core.queue.hints import refresh, scramble
from core.services.consensus.fits import Fit, fit_path, load_fit, save_fit
from core.services.consensus.gathering import (
    UNSURE,
    Gathered,
    gather,
    latest_of,
    live_annotations,
)
from core.services.consensus.inference import Fitted, fit_project
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import reboost
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, final_labels, item_state, items

__all__ = [
    "UNSURE",
    "Gathered",
    "Resolved",
    "gather",
    "label_of",
    "live_annotations",
    "outcome_of",
    "priority",
    "resolve",
    "resolve_all",
    "resolve_items",
]

CHUNK = 500
"""Items in one IN list; SQLite allows 32,766 variables, and shorter statements plan faster."""

WORTH_FITTING = 200
"""Votes from which a project settled by majority is fitted too, to tell how right people are."""

Told = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much."""
Infer = Callable[[int, Gathered], Inferred | None]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a full resolve did: items looked at, labels changed, items by state."""

    items: int
    changed: int
    states: dict[str, int]


def resolve(ws: Workspace, actor: Actor, slug: str, told: Told | None = None) -> Resolved:
    """Derive every label of a project anew and return what changed.

    Raises:
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        changed = resolve_all(ws, connection, project, ws.clock(), told)
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


def resolve_all(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    at: float,
    told: Told | None = None,
) -> int:
    """Fit the project anew and settle all its items within the caller's transaction.

    Returns:
        How many labels changed.
    """
    fitted = None
    policy = project.policy
    needed = policy.fits_project or policy.weighs_outlines
    if needed or _worth_fitting(connection, project):
        if told is not None:
            told("weighing votes", 0, 1)
        fitted = fit_project(connection, project)
    if fitted is not None:
        save_fit(fit_path(ws, project), fitted.fit)
    return resolve_items(connection, project, None, at, fitted=fitted, told=told)


def _worth_fitting(connection: Connection, project: ProjectView) -> bool:
    said = annotation_log.c
    some = select(said.seq).where(said.project_id == project.id, said.kind == "vote")
    return len(connection.execute(some.limit(WORTH_FITTING)).all()) == WORTH_FITTING


def resolve_items(
    connection: Connection,
    project: ProjectView,
    item_ids: Sequence[int] | None,
    at: float,
    *,
    ws: Workspace | None = None,
    fitted: Fitted | None = None,
    told: Told | None = None,
) -> int:
    """Settle these items (None: all) within the caller's transaction; return how many labels changed.

    Args:
        connection: In a record transaction.
        project: Whose items.
        item_ids: Which.
        at: Seconds since the epoch.
        ws: Where the last fit lies, for policies whose algorithm fits the whole project; without it,
            and without a fit, votes are counted.
        fitted: A fit of all the votes there are now; the outcome is then no longer provisional.
        told: Hears how many items are done.
    """
    work = _settling(project, ws, fitted)
    changed = done = 0
    chunks = list(_chunks(connection, project.id, item_ids))
    total = sum(map(len, chunks))
    for chunk in chunks:
        changed += _resolve_chunk(connection, work, chunk, at)
        done += len(chunk)
        if told is not None:
            told("settling items", done, total)
    return changed


@dataclass(frozen=True, slots=True)
class Settling:
    """How items are settled: under which policy, with what inference, and whether that is provisional."""

    project: ProjectView
    infer: Infer | None
    provisional: bool

    def outcome(self, item_id: int, found: Gathered) -> Outcome:
        """Return where an item stands."""
        inferred = self.infer(item_id, found) if self.infer and found.votes else None
        return settle(found.evidence(), self.project.schema, self.project.policy, inferred)


def outcome_of(ws: Workspace, project: ProjectView, item_id: int, found: Gathered) -> Outcome:
    """Return where one item stands by the last fit: what its state was derived from."""
    return _settling(project, ws, None).outcome(item_id, found)


def whole_project(connection: Connection, project: ProjectView) -> Settling:
    """Return how items are settled by a fit of all the votes there are now, written nowhere."""
    policy = project.policy
    needed = policy.fits_project or policy.weighs_outlines
    return _settling(project, None, fit_project(connection, project) if needed else None)


def _settling(project: ProjectView, ws: Workspace | None, fitted: Fitted | None) -> Settling:
    policy = project.policy
    if not (policy.fits_project or policy.weighs_outlines):
        return Settling(project, None, provisional=False)
    infer = _by_all(fitted) if fitted is not None else _by_last(ws, project)
    if infer is not None and not policy.fits_project:
        infer = _weights_alone(infer)
    return Settling(project, infer, provisional=fitted is None)


def _by_all(fitted: Fitted) -> Infer:
    return lambda item_id, found: fitted.of(item_id, [int(v.person) for _, v in found.votes])


def _by_last(ws: Workspace | None, project: ProjectView) -> Infer | None:
    if ws is None:
        return None
    fit = load_fit(fit_path(ws, project))
    return None if fit is None else lambda item_id, found: _inferred(fit, item_id, found)


def _inferred(fit: Fit, item_id: int, found: Gathered) -> Inferred:
    said = [(int(v.person), {**v.answer.choices, **v.answer.multi}) for _, v in found.votes]
    return fit.infer(item_id, said)


def _weights_alone(infer: Infer) -> Infer:
    """Return how right people are, and nothing of what the labels should be."""

    def weights(item_id: int, found: Gathered) -> Inferred | None:
        all_of_it = infer(item_id, found)
        if all_of_it is None:
            return None
        return Inferred({}, all_of_it.weights, all_of_it.outlines)

    return weights


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


def _resolve_chunk(connection: Connection, work: Settling, ids: list[int], at: float) -> int:
    project = work.project
    gathered = gather(connection, ids, project.schema)
    before = _current_finals(connection, ids)
    finals, states = [], []
    for item_id in ids:
        found = gathered[item_id]
        outcome = work.outcome(item_id, found)
        provisional = work.provisional and _rests_on_fit(outcome, project.policy)
        row = _final_row(project, item_id, found, outcome, at, provisional)
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
        getattr(old, k) != row[k] for k in ("state", "answer", "evidence", "reason", "probability")
    )


_COUNTED = frozenset(
    {
        Reason.INFERRED, Reason.NOT_SURE, Reason.MORE_VOTES, Reason.MAJORITY, Reason.NO_MAJORITY,
        Reason.VOTES_DIFFER, Reason.LEAD_REACHED, Reason.SURE_ENOUGH, Reason.NO_LEAD,
    }
)  # fmt: skip


def _rests_on_fit(outcome: Outcome, policy: Policy) -> bool:
    """Return whether a fit of all votes could tell otherwise: not of votes that all agree on a count."""
    by_fit = policy.fits_project and outcome.reason in _COUNTED
    by_bound = policy.stop == Stop.POSTERIOR and outcome.reason is Reason.ALL_AGREE
    if by_fit or (policy.fits_project and by_bound):
        return True
    drawn = outcome.answer.regions if outcome.answer is not None else ()
    return policy.weighs_outlines and outcome.state is ItemState.AGREED and bool(drawn)


def _final_row(
    project: ProjectView,
    item_id: int,
    found: Gathered,
    outcome: Outcome,
    at: float,
    provisional: bool,
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
                **({"provisional": True} if provisional else {}),
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


def _current_finals(connection: Connection, ids: Sequence[int]) -> dict[int, object]:
    return {row.item_id: row for row in latest_of(connection, final_labels, ids)}
