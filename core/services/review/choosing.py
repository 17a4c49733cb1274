"""Choosing what a person gets next, and leasing it: one's own first, then the asked part and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from random import Random

from sqlalchemy import Connection, select

from core.access import Actor
from core.queue.choose import choose
from core.queue.claim import claim, held_leases, hold, renew_all
from core.queue.filters import QueueFilter
from core.queue.hints import wake
from core.queue.plan import Order
from core.queue.probes import (
    all_held,
    held_probes,
    hold_probes,
    lend,
    lent_to,
    release_probes,
    renew_all_probes,
)
from core.queue.slots import draw
from core.queue.waiting import waiting, waiting_counts
from core.queue.writer import lease_writer
from core.services.projects.project import ProjectView
from core.services.review.planting import (
    FLAGGED,
    LOOKED_AHEAD,
    MIX,
    ONBOARDING,
    Planting,
    answered_so_far,
    onboarding_in_hand,
    still_unseen,
)
from core.services.visibility.blind import blind_items
from core.services.visibility.guises import disguise, in_row, standings_of, under
from core.services.workspace import Workspace
from core.store.tables import item_state

CHOSEN = 200
"""Items looked up at once in an order other than the main one; colleagues may take some of them."""

TRIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One claim: who asks for what, where and when, and what may be planted among it."""

    ws: Workspace
    actor: Actor
    project: ProjectView
    order: Order
    part: QueueFilter
    now: float
    planting: Planting | None = None

    @property
    def key(self) -> tuple[int, int, float]:
        """Return project, person and time, as the queue's functions take them."""
        return self.project.id, self.actor.person_id, self.now

    @property
    def plain(self) -> bool:
        """Return whether the main order's own index gives the next items."""
        return self.order is Order.LEAST_CONFIDENT and not self.part


def lease_next(asked: Asked, count: int, exclude: frozenset[int]) -> list[int]:
    """Return the items the actor holds now and was to get: own ones first, then new ones."""
    writer = lease_writer(asked.ws.store)
    mine, room = writer.write(lambda c: _first_claim(c, asked, count, exclude))
    if asked.plain or not room:
        return mine
    for _ in range(TRIES):
        with asked.ws.store.read() as connection:
            chosen = chosen_items(connection, asked)
        got = writer.write(partial(_mixed, asked=asked, room=room, only=chosen)) if chosen else []
        mine, room = [*mine, *got], room - len(got)
        # Everything chosen is mine: there was no more. Nothing is: colleagues took it, look again.
        if not room or len(got) >= len(chosen):
            break
    return mine


def _first_claim(
    connection: Connection, asked: Asked, count: int, exclude: frozenset[int]
) -> tuple[list[int], int]:
    """Renew what the actor holds, take new items where no look-up is needed, and tell the room left."""
    ws = asked.ws
    held = all_held(connection, *asked.key)
    if held:
        renew_all(connection, *asked.key, ws.settings.lease_seconds)
        renew_all_probes(connection, *asked.key, ws.settings.lease_seconds)
    mine = [i for i in _of_part(connection, asked, held) if i not in exclude][:count]
    room = max(0, min(count - len(mine), ws.settings.lease_cap - len(held)))
    if asked.planting is not None and asked.planting.onboarding:
        return mine + _first_items(connection, asked, asked.planting, room), 0
    if not asked.plain:
        wake(connection, asked.project.id, asked.now)
        return mine, room
    return mine + _mixed(connection, asked, room, None), 0


def _first_items(connection: Connection, asked: Asked, planting: Planting, room: int) -> list[int]:
    """Hand out onboarding items, and nothing else until all of them are answered."""
    project_id, person_id, now = asked.key
    left = planting.onboarding - onboarding_in_hand(connection, project_id, person_id, now)
    chosen = planting.golds[: max(0, min(room, left))]
    seconds = asked.ws.settings.lease_seconds
    found = [(i, "gold", ONBOARDING) for i in chosen]
    hold_probes(connection, project_id, person_id, found, now, seconds)
    return list(chosen)


def _mixed(
    connection: Connection, asked: Asked, room: int, only: Sequence[int] | None
) -> list[int]:
    """Claim the next items with what is planted among them; none after the last to vote on."""
    if asked.planting is None or not room:
        return _claim(connection, asked, room, only)
    found = _laid(connection, asked, asked.planting, room, only)
    if len(found) < room:  # the gold that could be voted on as well is all that is left
        rest = asked.planting.without(found).at_last()
        found += _laid(connection, asked, rest, room - len(found), only)
    return found


def _laid(
    connection: Connection,
    asked: Asked,
    planting: Planting,
    room: int,
    only: Sequence[int] | None,
) -> list[int]:
    project_id, person_id, now = asked.key
    in_hand = all_held(connection, *asked.key)
    place = answered_so_far(asked.ws.store, connection, project_id, person_id) + len(in_hand)
    if asked.order is Order.OLDEST:  # numbers tell the age: none that should have come before
        planting = planting.without({i for i in planting.all if i < max(in_hand, default=0)})
    drawn = planting.take(place, room)
    fresh = still_unseen(connection, asked.actor, [p[0] for p in drawn if p], now)
    layout = [p if p and p[0] in fresh else None for p in drawn]
    # Held before the claim, which then leaves them alone; what finds no place is let go again.
    held = [(i, kind, MIX) for i, kind in filter(None, layout)]
    hold_probes(connection, project_id, person_id, held, now, asked.ws.settings.lease_seconds)
    kept = planting.votable.difference(i for i, _, _ in held)
    real = _claim(connection, asked, layout.count(None), only, sorted(kept))
    more = len(real) == layout.count(None) and len(kept) < waiting(
        connection, project_id, person_id, now, asked.part, len(kept) + 1
    )
    ahead = _ahead(connection, asked, real, only) if held else []
    laid = _lay_out(layout, real, more)
    if asked.order is Order.OLDEST and real == sorted(real):
        bound = ahead[0] if ahead else max(real, default=0)
        laid = sorted(i for i in laid if i in real or i < bound)
    release_probes(connection, person_id, [i for i, _, _ in held if i not in laid])
    hidden = [i for i, _, _ in held if i in laid]
    return _disguised(connection, asked, laid, hidden, ahead, place) if hidden else laid


def _disguised(
    connection: Connection,
    asked: Asked,
    laid: Sequence[int],
    hidden: Sequence[int],
    ahead: Sequence[int],
    place: int,
) -> list[int]:
    """Lend what is planted numbers like its neighbours', and return the row as a reload shows it."""
    project_id, person_id, _ = asked.key
    real = [i for i in laid if i not in hidden]
    held = [i for i in held_leases(connection, *asked.key) if i not in real]
    known = standings_of(connection, {*laid, *held, *ahead})
    row = [known[i] for i in real if i in known]
    around = [known[i] for i in (*held, *ahead) if i in known]
    # What was planted before stands in the row as well: what comes after it may not go before it.
    others = [p for p in lent_to(connection, *asked.key) if p.item_id not in hidden]
    shown = standings_of(connection, [p.item_id for p in others])
    around += [under(shown[p.item_id], p) for p in others]
    secret = draw(asked.ws.secret(), "guise", project_id, person_id, place)
    lent = disguise([known[i] for i in hidden], row, around, Random(secret))
    lend(connection, person_id, lent, asked.part.queue)
    if any(a.key > b.key for a, b in pairwise(row)):
        return list(laid)
    places = {s.item_id: s.key for s in row} | {p.item_id: (-p.boost, p.priority) for p in lent}
    return in_row(laid, places)


def _ahead(
    connection: Connection, asked: Asked, real: Sequence[int], only: Sequence[int] | None
) -> list[int]:
    """Return the items that come after those just claimed."""
    if only is None:
        return choose(connection, *asked.key, asked.order, asked.part, LOOKED_AHEAD)
    after = max((only.index(i) for i in real), default=-1) + 1
    return list(only[after : after + LOOKED_AHEAD])


def _lay_out(
    layout: Sequence[tuple[int, str] | None], real: Sequence[int], more: bool
) -> list[int]:
    """Return items in their places, as far as there are real ones."""
    found: list[int] = []
    pending: list[int] = []
    coming = iter(real)
    for planted in layout:
        if planted is not None:
            pending.append(planted[0])
            continue
        item = next(coming, None)
        if item is None:
            return found
        found += [*pending, item]
        pending = []
    return found + pending if more else found


def _of_part(connection: Connection, asked: Asked, held: list[int]) -> list[int]:
    """Return those of one's own items that are of the part asked for, now held in its queue."""
    if not asked.part or not held:
        return held
    query = select(item_state.c.item_id).where(
        item_state.c.item_id.in_(held), *asked.part.conditions(connection.dialect.name)
    )
    found = list(connection.execute(query).scalars())
    if asked.part.queue and asked.part.queue != FLAGGED:  # what is planted there was in no queue
        plain = replace(asked.part, queue="").conditions(connection.dialect.name)
        among = held_probes(connection, *asked.key, asked.part.queue)
        query = select(item_state.c.item_id).where(item_state.c.item_id.in_(among), *plain)
        found += connection.execute(query).scalars()
    of_part = _unless_told(connection, asked, found)
    kept = [i for i in held if i in of_part]
    if asked.part.queue:
        planted = set(held_probes(connection, *asked.key))
        real = [i for i in kept if i not in planted]
        hold(connection, *asked.key[:2], real, asked.now, asked.ws.settings.lease_seconds,
             asked.part.queue)  # fmt: skip
    return kept


def chosen_items(connection: Connection, asked: Asked) -> list[int]:
    """Return the next items of the part and order asked for, at most `CHOSEN`; nothing is leased."""
    return _unless_told(
        connection, asked, choose(connection, *asked.key, asked.order, asked.part, CHOSEN)
    )


def _unless_told(connection: Connection, asked: Asked, found: list[int]) -> list[int]:
    """Leave out what is blind where a class is asked for: the offer alone would tell it."""
    if not asked.part.predicted:
        return found
    hidden = blind_items(connection, asked.project, asked.actor, found, asked.now)
    return [i for i in found if i not in hidden]


def _claim(
    connection: Connection,
    asked: Asked,
    room: int,
    only: Sequence[int] | None,
    but: Sequence[int] = (),
) -> list[int]:
    got = claim(
        connection, asked.project.id, asked.actor.person_id, room, asked.now,
        asked.ws.settings.lease_seconds, only, asked.part.queue, but,
    )  # fmt: skip
    waiting_counts(asked.ws.store).took(*asked.key[:2], asked.part, len(got))
    return got
