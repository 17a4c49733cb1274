"""Teams: set by an admin, the newest counts, and a filter of every figure about people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.analytics.asked import Filters
from core.analytics.work import throughput
from core.errors import InputError, NotFound
from core.services.accounts.teams import set_team, teams_of_people
from core.services.analytics.replicas import forget_replicas, open_figures
from core.services.analytics.teams import team_names
from tests.record import World, make_world, vote


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def world(sqlite_ws) -> World:
    """Two people who voted, in two teams, one of whom was in another team before."""
    world = make_world(sqlite_ws, n_items=4)
    for expert in world.cast.experts[:2]:
        for item in world.items:
            vote(world, expert, item, "cat")
    first, second = (e.person_id for e in world.cast.experts[:2])
    for person, team in ((first, "North"), (second, "North"), (second, " Vendor B ")):
        set_team(world.ws, world.cast.admin, person, team)
    return world


def who_worked(world: World, filters: Filters) -> set[str]:
    """Return the names of those whose work a filter leaves."""
    project, replica = open_figures(world.ws, world.cast.manager, world.slug)
    return {d.person for d in throughput(replica, project.id, "UTC", filters)}


def test_the_newest_move_counts(world: World) -> None:
    """A person is in one team; an empty name takes them out, and no empty team is listed."""
    first, second = (e.person_id for e in world.cast.experts[:2])
    assert teams_of_people(world.ws, world.cast.admin) == {first: "North", second: "Vendor B"}
    assert team_names(world.ws, world.cast.manager, world.slug) == ("North", "Vendor B")
    set_team(world.ws, world.cast.admin, first, "")
    assert teams_of_people(world.ws, world.cast.admin) == {second: "Vendor B"}


def test_a_team_is_a_filter(world: World) -> None:
    """Only members count; people of no team are asked for by the empty name; nobody is nobody."""
    one, two = (e.name for e in world.cast.experts[:2])
    assert who_worked(world, Filters(teams=("North",))) == {one}
    assert who_worked(world, Filters(teams=("North", "Vendor B"))) == {one, two}
    assert who_worked(world, Filters(teams=("North",), people=(two,))) == set()
    assert who_worked(world, Filters(teams=("Nobody's",))) == set()
    set_team(world.ws, world.cast.admin, world.cast.experts[0].person_id, "")
    assert who_worked(world, Filters(teams=("",))) == {one}


def test_a_bad_team_is_refused(world: World) -> None:
    """A name nobody could read, or a person who is not there, changes nothing."""
    with pytest.raises(InputError, match="at most 60"):
        set_team(world.ws, world.cast.admin, world.cast.experts[0].person_id, "x" * 61)
    with pytest.raises(NotFound):
        set_team(world.ws, world.cast.admin, 10_000, "North")
