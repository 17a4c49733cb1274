"""Planting: which gold and which repeats a person may be handed among what they review.

Of gold: what is no evaluation item, what this person never answered, ruled on or was shown,
least shown first, then by a hash only the workspace can make, so that it rotates. An open item
is planted only while enough others are left to vote on it: a probe answer is no vote.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    TextClause,
    exists,
    func,
    or_,
    select,
    text,
)

from core.access import Action, Actor, Resource, can
from core.labels.state import ItemState
from core.queue.choose import choose
from core.queue.claim import free, held_leases
from core.queue.filters import QueueFilter
from core.queue.plan import Order, QueuePlan
from core.queue.probes import held_probes
from core.queue.slots import GOLD, REAL, REPEAT, Mix, draw, mix_of, still_to_come
from core.services.accounts.people import all_roles, latest_revisions
from core.services.projects.project import ProjectView
from core.services.visibility.blind import countable
from core.services.visibility.guises import runs_of
from core.services.visibility.probes import may_be_probed
from core.services.workspace import Workspace
from core.store.store import Store
from core.store.tables import (
    annotation_log,
    decisions,
    gold_answers,
    item_state,
    items,
    leases,
    overlook_probes,
    probe_leases,
    probe_votes,
)

MIX, ONBOARDING = "mix", "onboarding"
FLAGGED = "flagged"
LOOKED_AHEAD = 12
"""So many of the next items are looked at, so that what is planted fits among them."""
CLOSED = (ItemState.NEUTRAL.value, ItemState.DISCARDED.value)
DAY_SECONDS = 86_400
VOTES_AGO = 50
MOST_REPEATS = 300
"""Of the oldest votes so many are looked at for repeats."""

Conditions = Sequence[ColumnElement[bool] | TextClause]


@dataclass(frozen=True, slots=True)
class Planting:
    """What may be planted for a person now.

    Attributes:
        mix: Which of the places to come are gold or repeats.
        golds: Gold items, the next first.
        repeats: Items to be asked again, the next first.
        onboarding: How many gold items are to come before anything else; 0 where none are.
        votable: Those gold items that the person could also be handed to vote on. While there
            are others these are kept for gold; in the end what is left of them is voted on.
    """

    mix: Mix
    golds: tuple[int, ...]
    repeats: tuple[int, ...]
    onboarding: int = 0
    votable: frozenset[int] = frozenset()

    @property
    def all(self) -> tuple[int, ...]:
        """Return every item that may be planted."""
        return self.golds + self.repeats

    def at_last(self) -> Planting:
        """Return what may be planted once only votable gold is left to vote on."""
        rest = tuple(i for i in self.golds if i not in self.votable)
        return replace(self, golds=rest, votable=frozenset())

    def without(self, used: Collection[int]) -> Planting:
        """Return what is left after some items were handed out."""
        return replace(
            self,
            golds=tuple(i for i in self.golds if i not in used),
            repeats=tuple(i for i in self.repeats if i not in used),
            votable=self.votable.difference(used),
        )

    def take(self, place: int, room: int) -> list[tuple[int, str] | None]:
        """Return what fills the next places: a planted item with its kind, or None for a real one."""
        left = {GOLD: list(self.golds), REPEAT: list(self.repeats), REAL: []}
        found: list[tuple[int, str] | None] = []
        for at in range(place, place + room):
            kind = self.mix.kind(at)
            found.append((left[kind].pop(0), kind) if left[kind] else None)
        return found

    def to_come(self, place: int, real: int) -> int:
        """Return how many items still come from a place on, with so many to vote on."""
        others = max(0, real - len(self.votable))
        first = still_to_come(self.mix, place, others, len(self.golds), len(self.repeats))
        rest = self.without({*self.golds[: first.golds], *self.repeats[: first.repeats]})
        last = rest.at_last()
        more = still_to_come(
            self.mix, place + first.total, len(rest.votable), len(last.golds), len(last.repeats)
        )
        return first.total + more.total


def planting_for(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    plan: QueuePlan,
    onboarding: int,
    part: QueueFilter | None = None,
) -> Planting | None:
    """Return what may be planted for a person; None where nothing ever is.

    Of the queues beside the main one nothing is planted in what somebody flagged: each such item
    has a thread. Where a class is asked for, gold of which the model says that class is planted.
    """
    asked = part or QueueFilter()
    shares = plan.gold_share or plan.repeat_share
    if not (shares or onboarding) or asked.queue == FLAGGED:
        return None
    if not may_be_probed(actor, project.id):
        return None
    key = draw(ws.secret(), "planting", project.id, actor.person_id)
    # Who was unsure of an item shows nowhere: any other looks the same among those.
    now, within = ws.clock(), replace(asked, queue="").conditions(connection.dialect.name)
    mix = mix_of(key, plan.gold_share, plan.repeat_share)
    golds: tuple[int, ...] = ()
    repeats: tuple[int, ...] = ()
    votable: frozenset[int] = frozenset()
    if onboarding or plan.gold_share:
        golds, votable = _golds(connection, project, actor, key, now, within, bool(onboarding))
    if plan.repeat_share and not onboarding:
        repeats = _repeats(connection, project, actor, key, now, within)
    if not onboarding:
        alike = _alike(ws, connection, project, actor, asked, [*golds, *repeats])
        golds = tuple(i for i in golds if i in alike)
        repeats = tuple(i for i in repeats if i in alike)
        votable = votable.intersection(golds)
    return Planting(mix, golds, repeats, onboarding, votable)


def _alike(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    part: QueueFilter,
    ids: Sequence[int],
) -> frozenset[int]:
    """Return those of the items that have what the next ones in the queue have.

    A pre-label of the same run, that is, or none if those have none: a model says nothing of what
    it learnt from, so what it learnt from would stand out. Where a class is asked for, none that
    the person is to judge without the model's word.
    """
    if not ids:
        return frozenset()
    now, person_id = ws.clock(), actor.person_id
    ahead = choose(
        connection, project.id, person_id, now, Order.LEAST_CONFIDENT, part, LOOKED_AHEAD
    )
    held = held_leases(connection, project.id, person_id, now)
    have = set(runs_of(connection, {*ahead, *held}).values())
    found = {i for i, run in runs_of(connection, ids).items() if run in have}
    if part.predicted:
        told = countable(connection, project, actor)
        found = {i for i in found if told is None or told(i)}
    return frozenset(found)


def still_unseen(connection: Connection, actor: Actor, ids: Sequence[int], now: float) -> set[int]:
    """Return those of some chosen items that the person did not take in hand meanwhile."""
    taken = select(leases.c.item_id).where(
        leases.c.item_id.in_(ids), leases.c.person_id == actor.person_id, leases.c.expires_at > now
    )
    return set(ids) - set(connection.execute(taken).scalars())


def _mine(table: object, actor: Actor, *more: object) -> ColumnElement[bool]:
    return ~exists().where(
        table.c.item_id == items.c.id,  # type: ignore[attr-defined]
        table.c.person_id == actor.person_id,  # type: ignore[attr-defined]
        *more,  # type: ignore[arg-type]
    )


def _golds(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    key: bytes,
    now: float,
    within: Conditions,
    spare_none: bool,
) -> tuple[tuple[int, ...], frozenset[int]]:
    rows = connection.execute(_gold_query(project, actor, now, within)).all()
    times = _times_shown(connection, project)
    voters = len(people_of(connection, project)) if any(r.state == "open" for r in rows) else 0

    def spared(row: Row) -> bool:
        shown = times.get(row.id, 0)
        return bool(row.state == ItemState.OPEN.value and shown + row.wanted + 1 > voters)

    kept = [r for r in rows if spare_none or not spared(r)]
    kept.sort(key=lambda r: (spared(r), times.get(r.id, 0), draw(key, "gold", r.id)))
    found = tuple(int(r.id) for r in kept)
    return found, _votable(connection, project, actor, now).intersection(found)


def _votable(
    connection: Connection, project: ProjectView, actor: Actor, now: float
) -> frozenset[int]:
    """Return the items with gold that have a place for a vote of this person."""
    with_gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    query = select(item_state.c.item_id).where(
        item_state.c.item_id.in_(with_gold),
        text(free("item_state")).bindparams(person=actor.person_id, now=now),
    )
    return frozenset(connection.execute(query).scalars())


def _gold_query(project: ProjectView, actor: Actor, now: float, within: Conditions) -> Select[Any]:
    with_gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    return (
        select(items.c.id, item_state.c.state, item_state.c.wanted)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(
            items.c.id.in_(with_gold),
            items.c.use != "evaluate",
            item_state.c.state.not_in(CLOSED),
            *(_mine(t, actor) for t in (annotation_log, decisions, overlook_probes, probe_votes)),
            *(_mine(t, actor, t.c.expires_at > now) for t in (leases, probe_leases)),
            *within,
        )
    )


def _times_shown(connection: Connection, project: ProjectView) -> dict[int, int]:
    """Return to how many people each item was planted."""
    found: dict[int, int] = {}
    for table in (probe_votes, probe_leases):
        rows = connection.execute(
            select(table.c.item_id, func.count(func.distinct(table.c.person_id)))
            .where(table.c.project_id == project.id)
            .group_by(table.c.item_id)
        )
        for item_id, people in rows.tuples():
            found[item_id] = found.get(item_id, 0) + people
    return found


def people_of(connection: Connection, project: ProjectView) -> list[Actor]:
    """Return who may vote in a project."""
    roles, here = all_roles(connection), Resource(project.id)
    found = (
        Actor(r.person_id, r.name, r.display_name, roles.get(r.person_id, frozenset()), r.active)
        for r in connection.execute(latest_revisions())
    )
    return [person for person in found if can(person, Action.VOTE, here)]


def _repeats(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    key: bytes,
    now: float,
    within: Conditions,
) -> tuple[int, ...]:
    """Return items whose vote by this person stands and is old, each to be asked again once."""
    log, later = annotation_log, annotation_log.alias()
    mine = (log.c.project_id == project.id, log.c.person_id == actor.person_id)
    recent = select(log.c.seq).where(*mine, log.c.kind == "vote").order_by(log.c.seq.desc())
    fiftieth = connection.execute(recent.offset(VOTES_AGO).limit(1)).scalar() or 0
    query = (
        select(items.c.id)
        .join(log, log.c.item_id == items.c.id)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(
            *mine,
            log.c.kind == "vote",
            log.c.batch_id.is_(None),
            or_(log.c.at <= now - DAY_SECONDS, log.c.seq <= fiftieth),
            ~exists().where(
                later.c.item_id == log.c.item_id,
                later.c.person_id == log.c.person_id,
                later.c.revision > log.c.revision,
            ),
            item_state.c.state.not_in((*CLOSED, ItemState.ADJUDICATED.value)),
            *(_mine(t, actor) for t in (decisions, probe_votes)),
            _mine(probe_leases, actor, probe_leases.c.expires_at > now),
            *within,
        )
        .order_by(log.c.seq)
        .limit(MOST_REPEATS)
    )
    found = connection.execute(query).scalars().all()
    return tuple(sorted(found, key=lambda i: draw(key, "repeat", i)))


def onboarding_in_hand(connection: Connection, project_id: int, person_id: int, now: float) -> int:
    """Return how many onboarding items a person holds."""
    held = held_probes(connection, project_id, person_id, now)
    query = select(func.count()).where(
        probe_leases.c.item_id.in_(held), probe_leases.c.person_id == person_id,
        probe_leases.c.purpose == ONBOARDING,
    )  # fmt: skip
    return int(connection.execute(query).scalar_one())


# --- the place a person has come to -----------------------------------------------------------


@dataclass(slots=True)
class _Count:
    votes: int = 0
    vote_seq: int = 0
    probes: int = 0
    probe_seq: int = 0


_counts: weakref.WeakKeyDictionary[Store, dict[tuple[int, int], _Count]] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()
MOST_KEPT = 2_000


def answered_so_far(store: Store, connection: Connection, project_id: int, person_id: int) -> int:
    """Return how many items a person has answered in a project, planted ones too.

    Rows are numbered in the order of their commits, so what was counted before is only added to.
    """
    key = (project_id, person_id)
    with _lock:
        kept = _counts.setdefault(store, {})
        if len(kept) >= MOST_KEPT:
            kept.clear()
        count = kept.setdefault(key, _Count())
        seen = (count.vote_seq, count.probe_seq)
    fresh = []
    for table, since in zip((annotation_log, probe_votes), seen, strict=True):
        rows = connection.execute(
            select(func.count(), func.max(table.c.seq)).where(
                table.c.person_id == person_id, table.c.project_id == project_id,
                table.c.seq > since, table.c.revision == 1,
            )
        ).one()  # fmt: skip
        fresh.append((int(rows[0]), int(rows[1] or 0)))
    with _lock:
        if (count.vote_seq, count.probe_seq) == seen:
            (votes, vote_seq), (probes, probe_seq) = fresh
            count.votes, count.vote_seq = count.votes + votes, max(seen[0], vote_seq)
            count.probes, count.probe_seq = count.probes + probes, max(seen[1], probe_seq)
        return count.votes + count.probes
