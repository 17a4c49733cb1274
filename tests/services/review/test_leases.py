"""Leases: places given, kept, run out, and nobody hoards."""

from __future__ import annotations

import pytest

from core.clock import FakeClock
from core.errors import InputError
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item, release_items, renew_leases
from tests.record import World, add_items, live_leases
from tests.services.review.looking import Make, ids


def test_a_claim_leases_as_many_as_asked_and_counts_the_rest(make: Make):
    """Ten waiting, four asked for: four come, six wait."""
    world = make(n_items=10)
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 4)
    assert (len(view.items), view.waiting, view.empty_reason) == (4, 6, "")
    assert set(live_leases(world.ws)) == set(ids(view))


def test_no_more_people_than_places(make: Make):
    """With two votes wanted, a third person is offered nothing while two hold the item."""
    world = make(n_items=3)
    one, two, three, _ = world.cast.experts
    assert len(ids(claim_items(world.ws, one, world.slug, 3))) == 3
    assert len(ids(claim_items(world.ws, two, world.slug, 3))) == 3
    view = claim_items(world.ws, three, world.slug, 3)
    assert ids(view) == []
    assert "being looked at by others" in view.empty_reason


def test_a_lease_runs_out_by_itself(make: Make, clock: FakeClock):
    """Nothing has to clean up: when the time is over the place is free."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    claim_items(world.ws, one, world.slug, 1)
    claim_items(world.ws, two, world.slug, 1)
    clock.advance(world.ws.settings.lease_seconds)
    assert ids(claim_items(world.ws, three, world.slug, 1)) == world.items


def test_renewing_prolongs_only_what_is_still_held(make: Make, clock: FakeClock):
    """A renewed lease lives on; one that ran out is not revived."""
    world = make(n_items=2)
    expert = world.cast.experts[0]
    claim_items(world.ws, expert, world.slug, 2)
    clock.advance(world.ws.settings.lease_seconds - 1)
    assert renew_leases(world.ws, expert, world.slug, world.items[:1]) == 1
    clock.advance(2)
    assert set(live_leases(world.ws)) == {world.items[0]}
    assert renew_leases(world.ws, expert, world.slug, world.items) == 1


def test_nobody_prolongs_or_releases_the_lease_of_another(make: Make):
    """Renewing or giving back somebody else's items does nothing."""
    world = make(n_items=2)
    one, two, *_ = world.cast.experts
    claim_items(world.ws, one, world.slug, 2)
    assert renew_leases(world.ws, two, world.slug, world.items) == 0
    release_items(world.ws, two, world.slug, world.items)
    assert len(live_leases(world.ws)) == 2
    release_items(world.ws, one, world.slug, world.items)
    assert live_leases(world.ws) == {}


def test_own_leases_come_back_first_and_excluded_ones_do_not(make: Make):
    """A reload shows what one holds; what the client has is renewed but not sent again."""
    world = make(n_items=6)
    expert = world.cast.experts[0]
    first = ids(claim_items(world.ws, expert, world.slug, 3))
    assert set(ids(claim_items(world.ws, expert, world.slug, 3))) == set(first)
    more = ids(claim_items(world.ws, expert, world.slug, 3, exclude=first))
    assert len(more) == 3
    assert not set(more) & set(first)


def test_nobody_hoards(world: World):
    """Neither claims nor permalinks give more leases than the cap (A15)."""
    more = add_items(world.ws, world.project, 140, first=100)
    expert = world.cast.experts[0]
    cap = world.ws.settings.lease_cap
    claim_items(world.ws, expert, world.slug, 1000)
    for item in more:
        open_item(world.ws, expert, world.slug, item)
    assert len(live_leases(world.ws)) == cap


def test_the_clock_going_back_gives_no_place_twice(make: Make, clock: FakeClock):
    """An hour back (F30): leases live longer, but no third person gets in."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    claim_items(world.ws, one, world.slug, 1)
    claim_items(world.ws, two, world.slug, 1)
    clock.advance(-3600)
    assert ids(claim_items(world.ws, three, world.slug, 1)) == []


def test_an_empty_project_says_who_fills_it(make: Make):
    """Why nothing is there is a sentence."""
    world = make(n_items=0)
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 5)
    assert "no items yet" in view.empty_reason


def test_an_unknown_order_is_refused(world: World):
    """An order is one of a few."""
    with pytest.raises(InputError, match="Unknown order"):
        claim_items(world.ws, world.cast.experts[0], world.slug, 1, order="1; drop table")
