"""One person's two accounts: seen in one browser, told only where both voted on an item (A4)."""

from __future__ import annotations

import pytest

from core.consensus.policy import Policy
from core.errors import Forbidden
from core.services.accounts.sessions import open_session
from core.services.analytics.doubles import doubles
from core.services.workspace import Workspace
from tests.record import act, make_world, vote


def test_two_accounts_of_one_browser_that_voted_on_the_same_items_are_told(
    sqlite_ws: Workspace,
) -> None:
    """Not before both voted, not of other pairs, and no longer once one takes the vote back."""
    world = make_world(sqlite_ws, n_items=3, policy=Policy(overlap=3, max_votes=4))
    ann, ben, cem = world.cast.experts[:3]
    open_session(sqlite_ws, ben.person_id, ann.person_id)
    open_session(sqlite_ws, ann.person_id, ben.person_id)
    open_session(sqlite_ws, ann.person_id, ann.person_id)
    for item in world.items[:2]:
        vote(world, ann, item)
        vote(world, cem, item)
    assert doubles(sqlite_ws, world.cast.lead, world.slug) == []
    for item in world.items:
        vote(world, ben, item)
    [found] = doubles(sqlite_ws, world.cast.lead, world.slug)
    assert found.names == tuple(sorted((ann.name, ben.name)))
    assert found.items == tuple(world.items[:2])
    act(world, ben, world.items[0], "withdraw", base=1)
    [found] = doubles(sqlite_ws, world.cast.lead, world.slug)
    assert found.items == (world.items[1],)


def test_experts_are_not_told(sqlite_ws: Workspace) -> None:
    """Who shares a browser with whom is for those who steer."""
    world = make_world(sqlite_ws, n_items=1)
    with pytest.raises(Forbidden):
        doubles(sqlite_ws, world.cast.experts[0], world.slug)
