"""Blindness: which items a person answers without the pre-label, and whose votes stay hidden.

A share of items (the queue plan's `blind_share`) is handed out without what the model proposes,
so that its pull on people can be measured. Which ones is drawn from a hash of project, item and
person: nothing is written down, a reload shows the same, and no two people are blind together.
What was drawn by chance for a purpose (certifying, evaluating, an audit, timing from scratch:
`core.services.consensus.draws`) everybody answers blind, and it looks as any other blind item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.labels.state import ItemState
from core.queue.plan import QueuePlan
from core.services.consensus.draws import all_drawn, drawn_items
from core.services.projects.project import ProjectView
from core.services.visibility.probes import merged_kinds, probes_of
from core.store.tables import (
    annotation_log,
    item_state,
    leases,
    prediction_sets,
    predictions,
    probe_leases,
    probe_votes,
    queue_plans,
)

UNSETTLED = (ItemState.OPEN, ItemState.DISPUTE)


def draw(seed: str, item_id: int, person_id: int) -> float:
    """Return a number in [0, 1) that follows from project, item and person alone."""
    digest = hashlib.sha256(f"blind:{seed}:{item_id}:{person_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def blind_items(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    ids: Sequence[int],
    now: float | None = None,
) -> frozenset[int]:
    """Return the items whose pre-label this person may not see yet.

    Only who may vote is ever blind, and only until a vote of theirs stands or the item is
    settled; a lead sees the pre-label of what is in dispute. What counts for an item in hand is
    the plan at the moment it was handed out, so a plan changed meanwhile takes nothing away.

    Args:
        connection: The caller's transaction.
        project: Where the items are.
        actor: Who looks.
        ids: At most a few hundred items.
        now: Leases that ran out before do not count; None counts them all.
    """
    if not ids or not can(actor, Action.VOTE, Resource(project.id)):
        return frozenset()
    shares = _Shares(connection, project.id)
    drawn = drawn_items(connection, ids)
    if not shares.any and not drawn:
        return frozenset()
    since = _handed_out(connection, actor, ids, now)
    probes = probes_of(connection, project, actor, ids)
    voted = merged_kinds(live_kinds(connection, actor.person_id, ids), probes)
    states = connection.execute(
        select(item_state.c.item_id, item_state.c.state).where(item_state.c.item_id.in_(ids))
    ).tuples()
    hidden = (
        UNSETTLED if not can(actor, Action.ADJUDICATE, Resource(project.id)) else (ItemState.OPEN,)
    )
    return frozenset(
        i
        for i, state in states
        if (state in hidden or i in probes)
        and voted.get(i) != "vote"
        and (
            draw(project.slug, i, actor.person_id) < shares.at(since.get(i))
            # What was in hand before it was drawn keeps the pre-label it came with.
            or (i in drawn and since.get(i, drawn[i]) >= drawn[i])
        )
    )


def countable(
    connection: Connection, project: ProjectView, actor: Actor
) -> Callable[[int], bool] | None:
    """Return which items may be counted by what the model says of them; None: all may.

    A count by class tells of an item one is blind to what it is predicted to be: two counts, one
    before and one after taking it in hand, differ by it. To be quick and steady, what would be
    blind under any plan there ever was is left out, lifted meanwhile or not.
    """
    if not can(actor, Action.VOTE, Resource(project.id)):
        return None
    most, drawn = _Shares(connection, project.id).most, all_drawn(connection, project.id)
    if not most and not drawn:
        return None
    return lambda item_id: (
        item_id not in drawn and draw(project.slug, item_id, actor.person_id) >= most
    )


def seen_prelabel(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    sent_seq: int | None,
    said_shown: bool,
) -> tuple[int | None, bool]:
    """Return which prediction was in force for an answer, and whether the person saw it.

    Of a blind item the client knows neither, so what it says of it does not count. Who has voted
    on it once could see the pre-label from then on: taken back and given again, that vote is no
    longer blind. To be asked before the answer is written and the lease given back.
    """
    blind = item_id in blind_items(connection, project, actor, [item_id])
    ever = _Shares(connection, project.id).any or bool(drawn_items(connection, [item_id]))
    again = ever and _has_voted(connection, actor, item_id)
    if not blind and (said_shown or not again):
        return sent_seq, said_shown
    seq = _in_force(connection, actor, item_id) if blind or sent_seq is None else sent_seq
    return seq, again and seq is not None


def _has_voted(connection: Connection, actor: Actor, item_id: int) -> bool:
    """Return whether the person ever voted on an item, be it taken back, planted or not."""
    for table, kind in (
        (annotation_log, annotation_log.c.kind), (probe_votes, probe_votes.c.word),
    ):  # fmt: skip
        votes = select(table.c.seq).where(
            table.c.item_id == item_id, table.c.person_id == actor.person_id, kind == "vote"
        )
        if connection.execute(votes.limit(1)).first() is not None:
            return True
    return False


def live_kinds(connection: Connection, person_id: int, ids: Sequence[int]) -> Mapping[int, str]:
    """Return what the person's newest answer on each item is: vote, skip, flag or withdraw."""
    newest = (
        select(func.max(annotation_log.c.seq))
        .where(annotation_log.c.item_id.in_(ids), annotation_log.c.person_id == person_id)
        .group_by(annotation_log.c.item_id)
    )
    rows = connection.execute(
        select(annotation_log.c.item_id, annotation_log.c.kind).where(
            annotation_log.c.seq.in_(newest)
        )
    )
    return dict(rows.tuples().all())


def sees_votes(connection: Connection, project: ProjectView, actor: Actor, item_id: int) -> bool:
    """Return whether the person may know what others said of an item.

    Managers always may; others once a vote of theirs stands or the item is settled; a lead also
    while it is in dispute. A lead who could still vote on it may not.
    """
    if can(actor, Action.SEE_OTHERS_VOTES, Resource(project.id)):
        return True
    if probes_of(connection, project, actor, [item_id]):
        return False  # nobody else answered it, as far as they can see
    if live_kinds(connection, actor.person_id, [item_id]).get(item_id) == "vote":
        return True
    state = connection.execute(
        select(item_state.c.state).where(item_state.c.item_id == item_id)
    ).scalar_one()
    lead = can(actor, Action.ADJUDICATE, Resource(project.id))
    return state not in UNSETTLED or (lead and state == ItemState.DISPUTE)


class _Shares:
    """The blind share of a project's plans over time; the newest is read first, others if needed."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        rows = connection.execute(
            select(queue_plans.c.at, queue_plans.c.doc)
            .where(queue_plans.c.project_id == project_id)
            .order_by(queue_plans.c.version.desc())
        )
        self._plans = [(r.at, _share(r.doc)) for r in rows]

    @property
    def any(self) -> bool:
        """Return whether any plan ever made an item blind."""
        return any(share for _, share in self._plans)

    @property
    def most(self) -> float:
        """Return the largest share any plan ever had."""
        return max((share for _, share in self._plans), default=0.0)

    def at(self, moment: float | None) -> float:
        """Return the share in force at a moment; None: now."""
        found = (share for at, share in self._plans if moment is None or at <= moment)
        return next(found, 0.0)


@lru_cache(maxsize=512)
def _share(doc: str) -> float:
    return QueuePlan.from_json(doc).blind_share


def _handed_out(
    connection: Connection, actor: Actor, ids: Sequence[int], now: float | None = None
) -> Mapping[int, float]:
    """Return since when the person has each item in hand."""
    found: dict[int, float] = {}
    for table in (leases, probe_leases):
        query = select(table.c.item_id, table.c.since).where(
            table.c.item_id.in_(ids), table.c.person_id == actor.person_id
        )
        if now is not None:
            query = query.where(table.c.expires_at > now)
        found.update(connection.execute(query).tuples().all())
    return found


def _in_force(connection: Connection, actor: Actor, item_id: int) -> int | None:
    """Return the newest prediction of an item when it was handed out."""
    since = _handed_out(connection, actor, [item_id]).get(item_id)
    query = (
        select(func.max(predictions.c.seq))
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .where(predictions.c.item_id == item_id)
    )
    if since is not None:
        query = query.where(prediction_sets.c.at <= since)
    return connection.execute(query).scalar()
