"""Disputes: the list of them, and one with its votes, names hidden."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, can
from core.consensus.settle import settle
from core.errors import NotFound
from core.labels import Answer
from core.labels.state import ItemState
from core.services.consensus.resolve import Gathered, gather, live_annotations
from core.services.items.why import WHY_STATE, said_briefly
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import (
    PrelabelView,
    ReviewItem,
    item_views,
    names_of,
    prelabels_of,
)
from core.services.workspace import Workspace
from core.store.tables import annotation_log, decisions, final_labels, item_state, items


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute in the list."""

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


@dataclass(frozen=True, slots=True)
class VoteView:
    """A vote whose author is hidden behind an alias."""

    seq: int
    alias: str
    answer: Answer
    seconds: float | None
    prelabel_shown: bool
    at: float


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag, its author hidden behind the same alias as their vote would be."""

    alias: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class DisputeView:
    """Everything a lead needs to settle one item.

    Attributes:
        why: Why it is disputed, in a sentence.
        votes_seen, newest_seq, decision_seen: To be sent back with the decision, so that a vote cast
            or changed, or a ruling made, meanwhile is noticed.
    """

    item: ReviewItem
    votes: tuple[VoteView, ...]
    flags: tuple[FlagView, ...]
    why: str
    differs: tuple[str, ...]
    votes_seen: int
    may_decide: bool
    may_not_because: str
    newest_seq: int = 0
    decision_seen: int = 0


def disputes(ws: Workspace, actor: Actor, slug: str) -> list[DisputeRow]:
    """Return the open disputes: flagged ones first, then those the model is least sure of.

    Raises:
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        rows = connection.execute(
            select(item_state, items.c.content_hash, final_labels.c.at.label("since"))
            .join(items, items.c.id == item_state.c.item_id)
            .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
            .where(
                item_state.c.project_id == project.id,
                item_state.c.state == ItemState.DISPUTE.value,
            )
            .order_by(item_state.c.priority, item_state.c.item_id)
        ).all()
        ids = [r.item_id for r in rows]
        found: dict[int, Gathered] = {}
        names: dict[int, list[str]] = {}
        for start in range(0, len(ids), 500):
            found |= gather(connection, ids[start : start + 500], project.schema)
            names |= names_of(connection, ids[start : start + 500])
        prelabels = prelabels_of(connection, [r.prediction_seq for r in rows], project.schema)
    listed = [
        _dispute_row(
            project, r, found[r.item_id], names[r.item_id][0], prelabels.get(r.prediction_seq)
        )
        for r in rows
    ]
    return sorted(listed, key=lambda d: not d.flagged)


def _dispute_row(
    project: ProjectView, row: Row, found: Gathered, name: str, prelabel: PrelabelView | None
) -> DisputeRow:
    outcome = settle(found.evidence(), project.schema, project.policy)
    return DisputeRow(
        item_id=row.item_id,
        name=name,
        image=image_path(row.item_id, row.content_hash),
        reason=str(outcome.reason),
        differs=outcome.differs,
        n_votes=len(found.votes),
        labels=tuple(sorted({said_briefly(project.schema, v.answer) for _, v in found.votes})),
        prelabel=prelabel.label if prelabel else None,
        confidence=prelabel.confidence if prelabel else None,
        flagged=bool(found.flags),
        since=row.since,
    )


def get_dispute(ws: Workspace, actor: Actor, slug: str, item_id: int) -> DisputeView:
    """Return one item with its votes, names hidden.

    While an item still takes votes, a lead who could cast one sees none of them.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        views = item_views(connection, project, actor, [item_id], ws.clock())
        if not views:
            raise NotFound(f"There is no item {item_id} in '{slug}'.", "Take the next one.")
        said = live_annotations(connection, [item_id])
        found = gather(connection, [item_id], project.schema)[item_id]
        own = actor.person_id in ever_voted(connection, item_id)
        decided = newest_decision(connection, item_id)
    outcome = settle(found.evidence(), project.schema, project.policy)
    aliases = {
        p: f"Reviewer {n}" for n, p in enumerate(dict.fromkeys(r.person_id for r in said), 1)
    }
    because = OWN_VOTE if own and not project.policy.adjudicate_own else ""
    blind = (
        views[0].state is ItemState.OPEN
        and not any(r.person_id == actor.person_id and r.kind == "vote" for r in said)
        and not can(actor, Action.SEE_OTHERS_VOTES, Resource(project.id))
    )
    return DisputeView(
        item=views[0],
        votes=tuple(
            VoteView(
                r.seq,
                aliases[r.person_id],
                project.schema.translate(Answer.from_json(r.answer)),
                r.active_seconds,
                r.prelabel_shown,
                r.at,
            )
            for r in said
            if r.kind == "vote" and not blind
        ),
        flags=tuple(
            FlagView(aliases[r.person_id], r.reason, r.at) for r in said if r.seq in found.flags
        ),
        why=WHY_STATE["waiting" if blind else str(outcome.reason)],
        differs=() if blind else outcome.differs,
        votes_seen=len(found.votes),
        may_decide=not because,
        may_not_because=because,
        newest_seq=max((r.seq for r in said), default=0),
        decision_seen=decided,
    )


def newest_decision(connection: Connection, item_id: int) -> int:
    """Return the number of the newest decision on an item; 0 for none."""
    query = select(func.max(decisions.c.seq)).where(decisions.c.item_id == item_id)
    return int(connection.execute(query).scalar() or 0)


OWN_VOTE = "You voted on this item, so another lead has to decide it."


def ever_voted(connection: Connection, item_id: int) -> set[int]:
    """Return everybody who ever voted on an item: taking a vote back does not make one impartial."""
    return set(
        connection.execute(
            select(annotation_log.c.person_id).where(
                annotation_log.c.item_id == item_id, annotation_log.c.kind == "vote"
            )
        ).scalars()
    )
