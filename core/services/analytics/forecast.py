"""How much is left, how fast it went, and when it will be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.access import Actor
from core.analytics.progress import Progress, progress
from core.analytics.zones import checked_zone
from core.labels.state import ItemState
from core.services.analytics.replicas import open_figures
from core.services.workspace import Workspace
from core.stats.forecast import Forecast, days_left

PAST_DAYS = 28
WAITS = (ItemState.OPEN.value, ItemState.DISPUTE.value)
BY_PEOPLE = tuple(
    s.value
    for s in (ItemState.AGREED, ItemState.ADJUDICATED, ItemState.NEUTRAL, ItemState.DISCARDED)
)


@dataclass(frozen=True, slots=True)
class BurnDown:
    """What is left of a project's items.

    Attributes:
        remaining: Items that wait to be settled now.
        days: Day, then how many waited at its end; every day since the first.
        done: Day, then how many more items people had settled; the days the forecast rests on.
        forecast: When nothing will be left, counted from today.
        today: In the time zone asked for.
    """

    remaining: int
    days: tuple[tuple[date, int], ...]
    done: tuple[tuple[date, int], ...]
    forecast: Forecast
    today: date


def burn_down(ws: Workspace, actor: Actor, slug: str, tz: str = "UTC", seed: int = 0) -> BurnDown:
    """Return what is left of all items and when people will have settled it.

    The pace is of the last 28 whole days, no further back than the first settled item: items that
    agreed votes or leads settled, not what came labelled or a model was trusted with.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    today = datetime.fromtimestamp(ws.clock(), ZoneInfo(checked_zone(tz))).date()
    found = progress(replica, project.id, tz)
    return burnt_down(found, today, seed)


def burnt_down(found: Progress, today: date, seed: int = 0) -> BurnDown:
    """Return the same from where items stood at the end of each day."""
    ends = _every_day(found, today)
    settled = [(day, sum(states.get(s, 0) for s in BY_PEOPLE)) for day, states in ends]
    steps = [
        (day, n - before)
        for (day, n), (_d, before) in zip(settled, [(today, 0), *settled], strict=False)
        if day < today
    ]
    started = next((i for i, (_day, n) in enumerate(steps) if n), len(steps))
    past = steps[started:][-PAST_DAYS:]
    remaining = sum(found.states.get(s, 0) for s in WAITS)
    days = tuple((day, sum(states.get(s, 0) for s in WAITS)) for day, states in ends)
    forecast = days_left(remaining, [float(n) for _day, n in past], seed)
    return BurnDown(remaining, days, tuple(past), forecast, today)


def _every_day(found: Progress, today: date) -> list[tuple[date, Mapping[str, int]]]:
    """Return the states at the end of each day; days without a change repeat the last."""
    if not found.history:
        return []
    known, ends = dict(found.history), []
    day, states = found.history[0]
    while day <= today:
        states = known.get(day, states)
        ends.append((day, states))
        day += timedelta(days=1)
    return ends
