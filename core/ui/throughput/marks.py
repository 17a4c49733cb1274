"""Behind the marks of the *throughput* page: whose work of which day, how long, in which hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from core.analytics.asked import Filters
from core.analytics.paces import By
from core.services.analytics import marks
from core.services.analytics.figures import ThroughputView
from core.services.analytics.marks import MarkedItems, Work
from core.ui import charts
from core.ui.marks import Found, Point
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.zones import day_ends


def day_and_person(point: Point) -> str | None:
    """Return the day and the name of a bar, as the address has them."""
    who = point.get("customdata")
    name = who[0] if isinstance(who, list) else who
    return f"{str(point['x'])[:10]} {name}" if name else None


def on_a_day(
    page: PageContext, view: ThroughputView, filters: Filters, mark: str, kinds: Sequence[str]
) -> Found:
    """Return work of some kinds of a person on a day; of those drawn as one where there are many."""
    text, _space, name = mark.partition(" ")
    try:
        since, until = day_ends(date.fromisoformat(text), view.tz)
    except ValueError:
        return None
    people = tuple(p.person for p in view.people if p.name == name)
    if not people:
        people = tuple(p.person for p in view.people[charts.MOST_SERIES - 1 :]) or tuple(
            filters.people
        )
    found = marks.work_behind(
        page.ws, page.actor, page.slug, Work(kinds=kinds),
        replace(filters, since=since, until=until, people=people), view.tz,
    )  # fmt: skip
    return f"{name}, {text}", found


def bin_of(point: Point) -> str | None:
    """Return both ends of a bar of the histogram, in seconds."""
    ends = point.get("customdata")
    return f"{ends[0]!r} {ends[1]!r}" if ends else None


def that_took(page: PageContext, filters: Filters, mark: str) -> Found:
    """Return the votes that took so long."""
    try:
        low, high = (float(text) for text in mark.split(" "))
    except ValueError:
        return None
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    work = Work(fastest=low, slowest=high, kinds=("vote",), timed=True)
    title = _("{low} to {high} seconds").format(low=f"{low:.3g}", high=f"{high:.3g}")
    return title, marks.work_behind(page.ws, page.actor, page.slug, work, filters)


def timed_votes(page: PageContext, view: ThroughputView, filters: Filters, person: str) -> Found:
    """Return a person's votes, slowest first."""
    shown = next((p.name for p in view.people if p.person == person), None)
    if shown is None:
        return None
    work = Work(kinds=("vote",), timed=True)
    chosen = replace(filters, people=(person,))
    return shown, marks.work_behind(page.ws, page.actor, page.slug, work, chosen)


def that_waited(page: PageContext, zone: str, mark: str) -> Found:
    """Return the items that were unsettled at the end of a day."""
    try:
        moment = day_ends(date.fromisoformat(mark), zone)[1]
    except ValueError:
        return None
    title = _("waiting at the end of {day}").format(day=mark)
    return title, marks.standing_behind(page.ws, page.actor, page.slug, moment)


def work_of_group(page: PageContext, by: By, filters: Filters, key: str) -> MarkedItems:
    """Return the work of one group of the pace chart, slowest first."""
    work, chosen = Work(timed=True), filters
    if by is By.PERSON:
        chosen = replace(filters, people=(key,))
    elif by is By.TEAM:
        chosen = replace(filters, teams=(key,))
    elif by is By.CLASS:
        work = replace(work, said=key)
    elif by is By.AGREEMENT:
        work = replace(work, agreement=key)
    elif by is By.CONFIDENCE:
        work = replace(work, confidence=key)
    else:
        work = replace(work, shown=key == "shown")
    return marks.work_behind(page.ws, page.actor, page.slug, work, chosen)


def work_of_hour(
    page: PageContext, what: str, filters: Filters, zone: str, hour: int
) -> MarkedItems:
    """Return the work of one hour of the day, or of a sitting, slowest first."""
    work = Work(timed=True, hour=hour) if what == "day" else Work(timed=True, sitting=hour)
    return marks.work_behind(page.ws, page.actor, page.slug, work, filters, zone)
