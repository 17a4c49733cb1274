"""A lead's binding decision on an item."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import ConflictError, Forbidden, InputError, NotFound, StaleVersion
from core.labels import Answer
from core.labels.schema import has_visible
from core.services.consensus.resolve import label_of, live_annotations, resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.disputes import OWN_VOTE, ever_voted, newest_decision
from core.services.review.submission import MAX_REASON, Receipt, check_answer
from core.services.visibility.eligible import in_conflict
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, decisions, items

SEND_BACK_VOTES = 1
UUID = re.compile(r"[A-Za-z0-9_:-]{8,64}")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of all text after them."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A lead's decision on one item; `reason` is required.

    Attributes:
        newest_seq: As the dispute gave it; None leaves only the number of votes to compare.
        decision_seen: The newest decision on the item when the lead looked, 0 for none; None compares
            nothing.
    """

    uuid: str
    item_id: int
    kind: str
    answer: Answer | None
    reason: str
    votes_seen: int
    newest_seq: int | None = None
    decision_seen: int | None = None


def decide(ws: Workspace, actor: Actor, slug: str, ruling: Ruling) -> Receipt:
    """Put a lead's decision in force, durably, and derive the label anew.

    Raises:
        InputError: There is no reason, or the answer does not fit the schema.
        StaleVersion: A vote or another lead's ruling came in since the lead looked.
        ConflictError: The UUID belongs to another ruling.
        Forbidden: The actor does not adjudicate here, or voted on the item.
        NotFound: There is no such item in this project.
    """
    check_ruling(ruling)
    now = ws.clock()
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        receipt = put_in_force(connection, project, actor, ruling, now)
        if receipt.status == "saved":
            resolve_items(connection, project, [ruling.item_id], now, ws=ws)
    return receipt


def put_in_force(
    connection: Connection, project: ProjectView, actor: Actor, ruling: Ruling, now: float
) -> Receipt:
    """Write a checked ruling down within the caller's transaction; the caller derives the label.

    Raises:
        ConflictError: Its UUID belongs to another decision.
        InputError, StaleVersion, Forbidden, NotFound: As `decide`.
    """
    item = connection.execute(
        select(items).where(items.c.id == ruling.item_id, items.c.project_id == project.id)
    ).first()
    if item is None:
        raise NotFound(
            f"There is no item {ruling.item_id} in '{project.slug}'.", "Take the next one."
        )
    again = connection.execute(select(decisions).where(decisions.c.uuid == ruling.uuid)).first()
    if again is not None:
        _check_same(again, project, actor, ruling)
        return Receipt(ruling.uuid, ruling.item_id, "already-saved")
    _check_may_decide(connection, project, actor, ruling)
    answer = (
        check_answer(project, ruling.answer, item.width, item.height)
        if ruling.kind == DecisionKind.DECIDE and ruling.answer is not None
        else None
    )
    _insert_decision(connection, project, actor, ruling, answer, now)
    append_audit(
        connection, now, actor.name, f"ruled: {ruling.kind}", f"item {ruling.item_id}",
        project.id, {"uuid": ruling.uuid},
    )  # fmt: skip
    return Receipt(ruling.uuid, ruling.item_id, "saved")


def _insert_decision(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    ruling: Ruling,
    answer: Answer | None,
    now: float,
) -> None:
    newest = connection.execute(
        select(func.max(annotation_log.c.seq)).where(annotation_log.c.item_id == ruling.item_id)
    ).scalar()
    connection.execute(
        decisions.insert(),
        {
            "uuid": ruling.uuid,
            "project_id": project.id,
            "item_id": ruling.item_id,
            "person_id": actor.person_id,
            "kind": ruling.kind,
            "label": label_of(project, answer),
            "answer": answer.to_json() if answer else None,
            "reason": _plain(ruling.reason),
            "votes_seen": ruling.votes_seen,
            "extra_votes": SEND_BACK_VOTES if ruling.kind == DecisionKind.SEND_BACK else 0,
            "annotation_seq": newest or 0,
            "guideline_version": project.guideline_version,
            "at": now,
        },
    )


def check_ruling(ruling: Ruling) -> None:
    """Check the form of a ruling, whatever the item.

    Raises:
        InputError: It has no reason, no label where it needs one, or no UUID of its own.
    """
    if ruling.kind not in tuple(DecisionKind):
        raise InputError(
            f"Unknown kind '{ruling.kind}'; expected {[k.value for k in DecisionKind]}."
        )
    if not UUID.fullmatch(ruling.uuid):
        raise InputError("A decision needs a UUID of its own.", "Reload the page.")
    if not has_visible(ruling.reason):
        raise InputError(
            "A decision needs a reason.", "Say in a few words why; others will read it."
        )
    if len(ruling.reason) > MAX_REASON:
        raise InputError(
            f"The reason has {len(ruling.reason)} characters, at most {MAX_REASON} fit.",
            "Shorten it.",
        )
    if ruling.kind == DecisionKind.DECIDE and ruling.answer is None:
        raise InputError("A decision for a label needs the label.", "Choose one.")


def _check_same(again: Row, project: ProjectView, actor: Actor, ruling: Ruling) -> None:
    """Check that a ruling sent again is the one recorded: another in its name must not vanish."""
    label = label_of(project, ruling.answer) if ruling.kind == DecisionKind.DECIDE else None
    mine = (ruling.item_id, actor.person_id, ruling.kind, label, _plain(ruling.reason))
    if mine != (again.item_id, again.person_id, again.kind, again.label, again.reason):
        raise ConflictError(
            "This ruling's UUID belongs to another one, so nothing was recorded now.",
            "Reload the page and look at the item again.",
        )


def _plain(reason: str) -> str:
    """Return a reason without what cannot be seen and changes how the rest is read."""
    return UNSEEN.sub("", reason).strip()


def _check_may_decide(
    connection: Connection, project: ProjectView, actor: Actor, ruling: Ruling
) -> None:
    if not project.policy.adjudicate_own and actor.person_id in ever_voted(
        connection, ruling.item_id
    ):
        raise Forbidden(OWN_VOTE, "Take the next one.")
    conflict = in_conflict(connection, project, actor, ruling.item_id)
    if conflict:
        raise Forbidden(conflict, "Another lead has to decide it.")
    said = live_annotations(connection, [ruling.item_id])
    votes = sum(r.kind == "vote" for r in said)
    if votes != ruling.votes_seen:
        raise StaleVersion(
            f"The votes changed while you looked: {ruling.votes_seen} then, {votes} now; "
            "nothing was decided.",
            "Look at the item again, then decide.",
        )
    newest = max((r.seq for r in said), default=0)
    if ruling.newest_seq is not None and newest != ruling.newest_seq:
        raise StaleVersion(
            "Somebody changed or flagged their answer while you looked; nothing was decided.",
            "Look at the item again, then decide.",
        )
    decided = newest_decision(connection, ruling.item_id)
    if ruling.decision_seen is not None and decided != ruling.decision_seen:
        raise StaleVersion(
            "Another lead has ruled on this item while you looked; that ruling stands.",
            "Look at the item again; rule on it once more to overturn it.",
        )
