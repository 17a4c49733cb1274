"""Whether a submission may stand: against one's own answers, the item's state and its places."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Actor
from core.errors import AlreadySubmitted, ItemClosed, LeaseLost, StaleVersion
from core.labels.state import ItemState
from core.queue.claim import has_free_place, has_ruled
from core.services.review.submission import Kind, Submission
from core.store.tables import annotation_log, item_state


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's newest word on an item, kept elsewhere than among the votes."""

    revision: int
    kind: str


def standing_answer(connection: Connection, actor: Actor, item_id: int) -> Row | None:
    """Return the actor's newest revision on an item."""
    return connection.execute(
        select(annotation_log.c.revision, annotation_log.c.kind)
        .where(
            annotation_log.c.item_id == item_id,
            annotation_log.c.person_id == actor.person_id,
        )
        .order_by(annotation_log.c.revision.desc())
        .limit(1)
    ).first()


def next_revision(standing: Row | Standing | None, submission: Submission) -> int:
    """Return the revision a submission makes, given the newest one with its kind.

    Raises:
        AlreadySubmitted: An answer stands and the submission knows of none.
        StaleVersion: It was based on another revision, or there is nothing to take back.
    """
    revision = 0 if standing is None else int(standing.revision)
    answered = standing is not None and standing.kind != Kind.WITHDRAW
    if submission.kind == Kind.WITHDRAW and not answered:
        raise StaleVersion(
            "There is no answer of yours on this item to take back.", "Go on with the next one."
        )
    if submission.base_revision == revision:
        return revision + 1
    if not answered:
        return revision + 1  # taken back meanwhile: a fresh answer is welcome
    if submission.base_revision == 0:
        raise AlreadySubmitted(
            "You have answered this item already, in another tab or before a reload; that answer stands.",
            "Open the item again to change it.",
        )
    raise StaleVersion(
        f"Your answer was changed elsewhere: this was based on revision "
        f"{submission.base_revision}, now it is {revision}; the newer one stands.",
        "Open the item again to see it.",
    )


def check_open(
    connection: Connection,
    actor: Actor,
    submission: Submission,
    standing: Row | None,
    now: float,
) -> None:
    """Check that an item still takes a submission of the actor.

    Raises:
        ItemClosed: It was settled, takes no more votes, or the actor ruled on it.
        LeaseLost: The claim ran out and others hold every place.
    """
    state = connection.execute(
        select(item_state.c.state).where(item_state.c.item_id == submission.item_id)
    ).scalar_one()
    kept = "" if submission.answer is None else "; your work was kept as a draft"
    if state in (ItemState.ADJUDICATED, ItemState.NEUTRAL, ItemState.DISCARDED):
        raise ItemClosed(
            f"This item was settled meanwhile{kept}.",
            "Go on with the next one.",
        )
    # Only a vote that stands holds a place already; a skip or a flag gave its place up.
    revising = standing is not None and standing.kind == Kind.VOTE
    if revising or submission.kind in (Kind.WITHDRAW, Kind.FLAG):
        return
    if state != ItemState.OPEN:
        raise ItemClosed(
            f"This item takes no more votes (it is {state}){kept}.",
            "Go on with the next one.",
        )
    if has_ruled(connection, submission.item_id, actor.person_id):
        raise ItemClosed(
            "You ruled on this item as a lead and have seen its votes, so others vote on it"
            f"{kept}.",
            "Go on with the next one.",
        )
    if not has_free_place(connection, submission.item_id, actor.person_id, now):
        raise LeaseLost(
            f"Your claim on this item ran out and others hold every place on it{kept}.",
            "Go on with the next one.",
        )
