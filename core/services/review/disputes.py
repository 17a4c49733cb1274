"""One dispute with all a lead needs to settle it, names hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, can
from core.errors import NotFound
from core.labels import Answer
from core.labels.state import ItemState
from core.services.consensus.resolve import gather, live_annotations, outcome_of
from core.services.items.why import WHY_STATE
from core.services.projects.project import ProjectView, project_for
from core.services.review.similar import SimilarCase, similar_cases
from core.services.review.vote_weights import VoteWeight, weights_of
from core.services.visibility.eligible import in_conflict
from core.services.visibility.views import PrelabelView, ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import annotation_log, decisions, final_labels, item_state


@dataclass(frozen=True, slots=True)
class VoteView:
    """A vote whose author is hidden behind an alias.

    Attributes:
        weight: How far it can be trusted.
    """

    seq: int
    alias: str
    answer: Answer
    seconds: float | None
    prelabel_shown: bool
    at: float
    weight: VoteWeight | None = None


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
        similar: Settled items that look like it; None where nothing is embedded.
        autopsy: What the votes tell of its cause, {kind, words, evidence, clause, settles} as the
            rail shows it; None where nothing is told.
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
    similar: tuple[SimilarCase, ...] | None = None
    autopsy: Mapping[str, Any] | None = None
    decision_seen: int = 0

    @property
    def model_view(self) -> PrelabelView | None:
        """Return what the model says, with its likeliest classes, margin and version."""
        return self.item.prelabel


def get_dispute(ws: Workspace, actor: Actor, slug: str, item_id: int) -> DisputeView:
    """Return one item with its votes, names hidden.

    While an item still takes votes, a lead who could cast one sees none of them.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        item = next(iter(item_views(connection, project, actor, [item_id], ws.clock())), None)
        if item is None:
            raise NotFound(f"There is no item {item_id} in '{slug}'.", "Take the next one.")
        said = live_annotations(connection, [item_id])
        found = gather(connection, [item_id], project.schema)[item_id]
        aliases = _aliases(said)
        blind = item.state is ItemState.OPEN and _could_vote_unseeing(actor, project, said)
        votes = () if blind else _votes(ws, connection, project, said, aliases)
        similar = similar_cases(ws, connection, project, item_id)
        reason = _reason(connection, item_id)
        decided = newest_decision(connection, item_id)
        because = _may_not_because(connection, project, actor, item_id)
    outcome = outcome_of(ws, project, item_id, found)
    if reason is None or item.state is ItemState.OPEN:
        reason = str(outcome.reason)
    return DisputeView(
        item=item,
        votes=votes,
        flags=tuple(
            FlagView(aliases[r.person_id], r.reason, r.at) for r in said if r.seq in found.flags
        ),
        why=WHY_STATE["waiting" if blind else reason],
        differs=() if blind else outcome.differs,
        votes_seen=len(found.votes),
        may_decide=not because,
        may_not_because=because,
        newest_seq=max((r.seq for r in said), default=0),
        similar=similar,
        decision_seen=decided,
    )


def _could_vote_unseeing(actor: Actor, project: ProjectView, said: Sequence[Row]) -> bool:
    """Return whether a vote of the actor's own could still come without the others' in mind."""
    voted = any(r.person_id == actor.person_id and r.kind == "vote" for r in said)
    return not voted and not can(actor, Action.SEE_OTHERS_VOTES, Resource(project.id))


def _aliases(said: Sequence[Row]) -> dict[int, str]:
    """Return what each person who said something is called: by their turn, never by name."""
    people = dict.fromkeys(r.person_id for r in said)
    return {person: f"Reviewer {n}" for n, person in enumerate(people, 1)}


def _votes(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    said: Sequence[Row],
    aliases: Mapping[int, str],
) -> tuple[VoteView, ...]:
    votes = [r for r in said if r.kind == "vote"]
    answers = {r.person_id: project.schema.translate(Answer.from_json(r.answer)) for r in votes}
    weights = weights_of(ws, connection, project, answers)
    return tuple(
        VoteView(
            r.seq,
            aliases[r.person_id],
            answers[r.person_id],
            r.active_seconds,
            r.prelabel_shown,
            r.at,
            weights[r.person_id],
        )
        for r in votes
    )


def _may_not_because(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int
) -> str:
    """Return why the actor may not rule on an item; nothing where they may."""
    if not project.policy.adjudicate_own and actor.person_id in ever_voted(connection, item_id):
        return OWN_VOTE
    return in_conflict(connection, project, actor, item_id)


def _reason(connection: Connection, item_id: int) -> str | None:
    """Return why the item stands where it stands, as the resolve that put it there said."""
    query = (
        select(final_labels.c.reason)
        .join(item_state, item_state.c.final_seq == final_labels.c.seq)
        .where(item_state.c.item_id == item_id)
    )
    found = connection.execute(query).scalar()
    return found if found in WHY_STATE else None


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
