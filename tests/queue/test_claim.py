"""The queue's own rules: order, free places and leases, straight on the tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from core.queue.choose import choose
from core.queue.claim import (
    claim,
    has_free_place,
    held_leases,
    hold,
    release,
    renew,
)
from core.queue.filters import QueueFilter
from core.queue.plan import Order
from core.queue.waiting import waiting
from core.store.tables import item_state
from tests.record import World, live_leases, rule, vote

Make = Callable[..., World]
NOW, LEASE = 1_780_000_000.0, 600.0


@pytest.fixture
def six(make: Make) -> World:
    """Give six items whose model is surest of the first and least sure of the last."""
    world = make(n_items=6)
    with world.ws.store.write() as connection:
        for n, item in enumerate(world.items):
            connection.execute(
                update(item_state).where(item_state.c.item_id == item).values(priority=0.9 - n / 10)
            )
    return world


@pytest.mark.parametrize("order", list(Order))
def test_each_order_is_total_and_the_same_for_everybody(six: World, order: Order):
    """Whatever comes first, it does so for everybody, and every item comes once."""
    taken = []
    for expert in six.cast.experts[:2]:
        with six.ws.store.read() as connection:
            taken.append(
                choose(connection, six.project.id, expert.person_id, NOW, order, QueueFilter(), 6)
            )
    assert taken[0] == taken[1]
    assert sorted(taken[0]) == six.items
    if order is Order.LEAST_CONFIDENT:
        assert taken[0] == six.items[::-1]
    if order is Order.OLDEST:
        assert taken[0] == six.items


def test_the_main_order_is_claimed_as_it_is_chosen(six: World):
    """The index that claims use and the look-up agree, and a second person meets the first."""
    taken = []
    for expert in six.cast.experts[:2]:
        with six.ws.store.ephemeral() as connection:
            taken.append(claim(connection, six.project.id, expert.person_id, 4, NOW, LEASE))
    assert taken == [six.items[:1:-1]] * 2


def test_only_the_items_named_are_claimed(six: World):
    """A permalink claims its own item and nothing before it in the queue."""
    me = six.cast.experts[0].person_id
    with six.ws.store.ephemeral() as connection:
        got = claim(connection, six.project.id, me, 3, NOW, LEASE, only=six.items[:1])
        assert got == six.items[:1]
        assert held_leases(connection, six.project.id, me, NOW) == got


def test_places_count_votes_and_the_live_leases_of_others(six: World):
    """One vote and one lease fill an item of two; the lease's end frees a place; release does too."""
    item = six.items[0]
    one, two, three, _ = (e.person_id for e in six.cast.experts)
    vote(six, six.cast.experts[0], item)
    with six.ws.store.ephemeral() as connection:
        hold(connection, six.project.id, two, [item], NOW, LEASE)
        assert has_free_place(connection, item, two, NOW)
        assert not has_free_place(connection, item, three, NOW)
        assert has_free_place(connection, item, three, NOW + LEASE)
        assert waiting(connection, six.project.id, three, NOW) == 5
        assert waiting(connection, six.project.id, one, NOW) == 5
        release(connection, two, [item], NOW)
        assert has_free_place(connection, item, three, NOW)


def test_holding_twice_is_one_lease_and_an_expired_one_is_not_renewed(six: World):
    """A lease is one row a person and item, whose end moves."""
    me = six.cast.experts[0].person_id
    with six.ws.store.ephemeral() as connection:
        hold(connection, six.project.id, me, six.items[:1], NOW, LEASE)
        hold(connection, six.project.id, me, six.items[:1], NOW + 10, LEASE)
        assert renew(connection, me, six.items, NOW + LEASE + 5, LEASE) == 1
        assert renew(connection, me, six.items, NOW + 5 * LEASE, LEASE) == 0
    assert live_leases(six.ws) == {six.items[0]: {me}}


def test_what_one_has_ruled_on_is_not_offered(six: World):
    """A lead who sent an item back has seen its votes."""
    rule(six, six.cast.lead, six.items[0], "send-back")
    with six.ws.store.ephemeral() as connection:
        lead, other = six.cast.lead.person_id, six.cast.lead2.person_id
        assert waiting(connection, six.project.id, lead, NOW) == 5
        assert waiting(connection, six.project.id, other, NOW) == 6
