"""Costs at the rates in force, the burn-down with its forecast, and small groups without figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.analytics.paces import By
from core.analytics.progress import Progress
from core.analytics.stages import Stage
from core.clock import FakeClock
from core.errors import Forbidden, InputError
from core.services.accounts.teams import set_team
from core.services.analytics.costs import costs_of, set_team_rate
from core.services.analytics.fatigue import fatigue_of
from core.services.analytics.forecast import burn_down, burnt_down
from core.services.analytics.paces import paces_of
from core.services.analytics.replicas import forget_replicas
from core.services.analytics.stages import stages_of
from core.services.projects.training_rules import TrainingRules, set_training_rules
from tests.record import World, make_world
from tests.worked import vote_all


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def world(sqlite_ws) -> World:
    """Twelve items two experts agreed on, 36 s each: one at 10 an hour, one of a vendor at 30."""
    ws = replace(sqlite_ws, clock=FakeClock())
    world = make_world(ws, n_items=14)
    for who in (0, 1):
        vote_all(world, who, ["cat"] * 12, seconds=36.0)
    rules = TrainingRules(wage_per_hour=10.0, currency="EUR")
    set_training_rules(ws, world.cast.manager, world.slug, rules, "first")
    set_team(ws, world.cast.admin, world.cast.experts[1].person_id, "Vendor")
    set_team_rate(ws, world.cast.manager, world.slug, "Vendor", 30.0)
    return world


def test_costs_are_told_at_the_rates_in_force(world: World) -> None:
    """A hundredth of an hour of each costs 0.10 and 0.30; the newest rate holds for past work."""
    view = costs_of(world.ws, world.cast.manager, world.slug)
    assert (view.wage_per_hour, view.currency, view.rates) == (10.0, "EUR", {"Vendor": 30.0})
    assert view.costs.votes.money.value == pytest.approx(0.2)
    assert view.costs.finals.money.value == pytest.approx(0.4)
    assert view.costs.money == pytest.approx(12 * 0.4)
    each = view.costs.finals.money
    assert (view.left, view.rest.money.n) == (2, each.n)
    ends = (view.rest.money.value, view.rest.money.low, view.rest.money.high)
    assert ends == pytest.approx((0.8, 2 * (each.low or -1), 2 * (each.high or -1)))
    [cat] = view.costs.classes
    assert (cat.labelling_seconds, cat.review_seconds) == (12 * 36, 12 * 36)
    set_team_rate(world.ws, world.cast.manager, world.slug, "Vendor", None)
    again = costs_of(world.ws, world.cast.manager, world.slug)
    assert again.costs.finals.money.value == pytest.approx(0.2)
    assert again.teams == ("Vendor",)


def test_bad_rates_are_refused(world: World) -> None:
    """No team, no number, nobody's business: nothing changes."""
    for team, wage in (("", 1.0), ("Vendor", float("nan")), ("Vendor", -1.0)):
        with pytest.raises(InputError):
            set_team_rate(world.ws, world.cast.manager, world.slug, team, wage)
    with pytest.raises(Forbidden):
        set_team_rate(world.ws, world.cast.experts[0], world.slug, "Vendor", 1.0)


def test_small_groups_have_no_figure(world: World) -> None:
    """Twelve answers are a figure where ten are asked for, and none where twenty are."""
    manager, slug = world.cast.manager, world.slug
    view = paces_of(world.ws, manager, slug, By.PERSON)
    assert [p.answers.value for p in view.rows] == pytest.approx([100.0, 100.0])
    private = replace(
        world.ws, settings=world.ws.settings.model_copy(update={"smallest_group": 20})
    )
    hidden = paces_of(private, manager, slug, By.PERSON)
    assert [(p.answers.value, p.answers.n, p.standing) for p in hidden.rows] == [
        (None, 12, None)
    ] * 2
    fatigue = fatigue_of(private, manager, slug)
    assert all(h.accuracy.value is None for h in fatigue.fatigue.sitting)


def test_two_items_wait_and_two_days_forecast_nothing(world: World) -> None:
    """Twelve of fourteen are settled; one day is too few for a forecast, and it says so."""
    view = burn_down(world.ws, world.cast.manager, world.slug)
    assert view.remaining == 2
    assert (view.forecast.is_enough, view.forecast.days) == (False, None)
    stages = {w.stage: w.n for w in stages_of(world.ws, world.cast.manager, world.slug).stages}
    assert stages == {Stage.FIRST: 2, Stage.FURTHER: 0, Stage.LEAD: 0, Stage.ALL: 2}


def test_the_pace_is_of_people_on_whole_days() -> None:
    """Imports and what a model was trusted with are no pace; a day without a change is one of none."""
    first = date(2026, 11, 2)
    history = [(first, {"open": 100, "imported": 50})]
    for n in range(1, 11):
        if n != 5:
            day = first + timedelta(days=n)
            history.append((day, {"open": 100 - 7 * n, "agreed": 5 * n, "auto-accepted": 2 * n}))
    found = Progress(150, {"open": 30, "agreed": 50, "auto-accepted": 20}, tuple(history))
    view = burnt_down(found, first + timedelta(days=10))
    assert [n for _day, n in view.done] == [5, 5, 5, 5, 0, 10, 5, 5, 5]
    assert view.days[5] == (first + timedelta(days=5), 72)
    assert view.forecast.past_days == 9
    assert view.forecast.low <= 6 <= view.forecast.high
