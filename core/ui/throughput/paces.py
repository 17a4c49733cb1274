"""Pace on the *throughput* page: what an hour at work brings, and whether people tire."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics.asked import Filters
from core.analytics.fatigue import Change, Hour
from core.analytics.paces import By, Pace
from core.services.analytics.fatigue import FatigueView, fatigue_of
from core.services.analytics.paces import PacesView, paces_of
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, downloads, states
from core.ui.charts import Dot, card_head
from core.ui.choices import choose
from core.ui.comparison import REFERENCES
from core.ui.marks import Found, by_row, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.throughput.marks import work_of_group, work_of_hour
from core.ui.widgets import caption, muted, number, table

MOST_DOTS = 20
FEWEST_HOURS = 2
"""Hours with a figure below which there is nothing to compare within a day."""
NO_PAUSE = 0.9995
"""Share of the time in view from which on a page would say 100.0 % of everybody."""
GROUPS = {
    By.PERSON: mark("Person"),
    By.TEAM: mark("Team or vendor"),
    By.CLASS: mark("Class said"),
    By.AGREEMENT: mark("Agreement on the item"),
    By.CONFIDENCE: mark("How sure the model is"),
    By.PRELABEL: mark("Pre-label shown or not"),
}
KEYS = {
    "same": mark("All votes are the same"),
    "split": mark("Votes differ"),
    "alone": mark("One vote only"),
    "low": mark("Below 60 %"),
    "middle": mark("60 to 90 %"),
    "high": mark("90 % or more"),
    "shown": mark("Pre-label shown"),
    "hidden": mark("Pre-label hidden"),
}


def draw_paces(page: PageContext, filters: Filters, zone: str) -> None:
    """Draw what an hour at work brings, group by group."""
    with st.container(border=True):
        left, right = st.columns([2.4, 1], vertical_alignment="bottom")
        with left:
            card_head(
                _("Pace: answers in an hour at work"),
                _(
                    "Pauses left out. The intervals draw days of persons again, and are never narrower "
                    "than chance alone makes a count. Pace says nothing of how right answers are; where "
                    "intervals overlap, the data do not tell who is faster."
                ),
            )
        with right:
            by = By(
                choose(_("By"), "by", {b.value: _(t) for b, t in GROUPS.items()}, By.PERSON.value)
            )
        view = paces_of(page.ws, page.actor, page.slug, by, filters, zone)
        if not view.rows:
            caption(_("Nothing here was timed."))
            return
        _pace_chart(page, view, filters)
        _pace_table(view)
        _offer_paces(page, view)


def _pace_chart(page: PageContext, view: PacesView, filters: Filters) -> None:
    drawn = sorted(view.rows, key=lambda p: -p.hours)[:MOST_DOTS]
    rows = [Dot(_named(view, p), (p.answers,)) for p in drawn]
    named = {p.key: _named(view, p) for p in drawn}

    def behind(key: str) -> Found:
        return (named[key], work_of_group(page, view.by, filters, key)) if key in named else None

    top = max((d.estimates[0].high or 0.0 for d in rows), default=0.0)
    draw_marks(
        page, charts.dots(rows, unit=_("an hour"), extent=(0.0, max(top, 1.0) * 1.08)), "throughput.paces",
        "; ".join(f"{r.label}: {charts.sentence(r.estimates[0], '')}" for r in rows),
        by_row([p.key for p in drawn]), behind,
    )  # fmt: skip


def _pace_table(view: PacesView) -> None:
    """Draw the groups; items where an item took several answers, pauses where somebody paused at all."""
    apart = any(p.answers != p.items for p in view.rows)
    known = [p.active.value for p in view.rows if p.active.value is not None]
    paused = any(share < NO_PAUSE for share in known)
    head = (_(GROUPS[view.by]), _("Answers an hour"), *((_("Items an hour"),) if apart else ()),
            _("Hours at work"), *((_("At work, of the time items were in view"),) if paused else ()),
            _("Fastest, from 1"))  # fmt: skip
    table(head, [_pace_row(view, p, apart, paused) for p in view.rows], _("Pace"))
    if not apart:
        caption(_("Each answer was of an item of its own: items an hour are the same."))
    if known and not paused:
        text = _(
            "No pauses were recorded: people were at work all the time their items were in view."
        )
        caption(text)


def _pace_row(view: PacesView, p: Pace, apart: bool, paused: bool) -> list[Markup | str]:
    return [
        fill("<b>{n}</b>", n=_named(view, p)),
        with_interval(p.answers, ""),
        *([with_interval(p.items, "")] if apart else []),
        f"{p.hours:,.1f} h",
        *([with_interval(p.active, "%")] if paused else []),
        _place(p),
    ]


def _place(p: Pace) -> Markup | str:
    """Return which places among the fastest the data leave possible: none where intervals overlap."""
    if p.standing is None:
        return muted("–")
    best, worst = p.standing.best, p.standing.worst
    return f"{best}" if best == worst else _("{a} to {b}").format(a=best, b=worst)


def _named(view: PacesView, p: Pace) -> str:
    if view.by in (By.AGREEMENT, By.CONFIDENCE, By.PRELABEL):
        return _(KEYS[p.key])
    return view.names.get(p.key, p.key) or _("No team")


def _offer_paces(page: PageContext, view: PacesView) -> None:
    columns = (view.by.value, *estimate_columns("answers_per_hour"), *estimate_columns("items_per_hour"),
               "hours", *estimate_columns("active_share"), "people")  # fmt: skip
    rows = [
        (p.key, *estimate_cells(p.answers), *estimate_cells(p.items), p.hours,
         *estimate_cells(p.active), p.people)
        for p in view.rows
    ]  # fmt: skip
    downloads.offer(page, f"pace-by-{view.by.value}", columns, rows)


def with_interval(e: Estimate, unit: str) -> Markup:
    """Return a figure for a table: value, interval and n, or that there is not enough data."""
    if e.value is None:
        text = _("not enough data, n = {n}").format(n=f"{e.n:,}") if e.n else "–"
        return muted(text)
    return fill(
        "{value}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        value=number(e.value, unit),
        rest=charts.interval(e, unit),
        n=f"{e.n:,}",
    )


# --- within a day -----------------------------------------------------------------------------


def draw_fatigue(page: PageContext, filters: Filters, zone: str) -> None:
    """Draw pace and accuracy by hour of a sitting and of the day, and say what is sure."""
    view = fatigue_of(page.ws, page.actor, page.slug, filters, zone)
    if not view.fatigue.sitting:
        return
    with st.container(border=True):
        left, right = st.columns([2.4, 1], vertical_alignment="bottom")
        truth = _(REFERENCES[next(a for a in REFERENCES if a.value == view.against)])
        with left:
            card_head(
                _("Within a day"),
                _("A sitting ends with a pause of half an hour. Accuracy is of votes against: {truth}.")
                .format(truth=truth),
            )  # fmt: skip
        with right:
            hours = {
                "sitting": _("Hours since the start of a sitting"),
                "day": _("Hour of the day"),
            }
            what = choose(_("By hour of"), "hours", hours, "sitting")
        rows = view.fatigue.day if what == "day" else view.fatigue.sitting
        if sum(h.pace.value is not None for h in rows) < FEWEST_HOURS:
            _too_few_hours(rows, what, view.fewest)
        else:
            _hour_charts(page, rows, what, filters, zone)
            _say(view)
        columns = ("hour", *estimate_columns("answers_per_hour"), *estimate_columns("accuracy"))
        cells = [(h.hour, *estimate_cells(h.pace), *estimate_cells(h.accuracy)) for h in rows]
        downloads.offer(page, f"by-hour-of-{what}", columns, cells)


def _too_few_hours(rows: Sequence[Hour], what: str, fewest: int) -> None:
    """Say which hours there are, with their n, and what a comparison takes."""
    said = [
        _("{hour}: {answers} answers an hour, n = {n}").format(
            hour=_hour(h.hour, what), answers=number(h.pace.value), n=f"{h.pace.n:,}"
        )
        if h.pace.value is not None
        else _("{hour}: n = {n}").format(hour=_hour(h.hour, what), n=f"{h.pace.n:,}")
        for h in rows
    ]
    needed = (
        _("To compare, people must work in two hours of the day, with {n} answers in each.")
        if what == "day"
        else _("To compare, sittings must outlast an hour, with {n} answers after it.")
    )
    told = "; ".join(said)
    states.empty(
        _("Too few hours to compare"), f"{told[:1].upper()}{told[1:]}.", needed.format(n=fewest)
    )


def _hour_charts(
    page: PageContext, rows: Sequence[Hour], what: str, filters: Filters, zone: str
) -> None:
    hours = [str(h.hour) for h in rows]
    read = by_row(hours)

    def behind(mark: str) -> Found:
        if mark not in hours:
            return None
        found = work_of_hour(page, what, filters, zone, int(mark))
        return _hour(int(mark), what), found

    top = max((h.pace.high or 0.0 for h in rows), default=0.0)
    with side_by_side(2) as (left, right):
        with left:
            caption(_("Answers in an hour at work"))
            draw_marks(
                page,
                charts.dots([Dot(_hour(h.hour, what), (h.pace,)) for h in rows], unit=_("an hour"),
                            extent=(0.0, max(top, 1.0) * 1.08)),
                "throughput.hour_pace",
                "; ".join(f"{_hour(h.hour, what)}: {charts.sentence(h.pace, '')}" for h in rows), read, behind,
            )  # fmt: skip
        with right:
            caption(_("How many votes are right"))
            draw_marks(
                page, charts.dots([Dot(_hour(h.hour, what), (h.accuracy,)) for h in rows]), "throughput.hour_right",
                "; ".join(f"{_hour(h.hour, what)}: {charts.sentence(h.accuracy)}" for h in rows), read, behind,
            )  # fmt: skip


def _hour(hour: int, what: str) -> str:
    return f"{hour:02d}:00" if what == "day" else _("hour {n}").format(n=hour + 1)


def _say(view: FatigueView) -> None:
    if not view.fatigue.changes:
        caption(
            _(
                "No hour of a sitting is surely unlike its first: the intervals overlap, or n is small."
            )
        )
    for change in view.fatigue.changes:
        caption(_sentence(change))


def _sentence(change: Change) -> str:
    now, then = change.now.value or 0.0, change.then.value or 0.0
    if change.is_pace:
        text = _("In hour {n} of a sitting people give {a} answers an hour, {b} in the first.")
        return text.format(n=change.hour + 1, a=number(now), b=number(then))
    text = _("In hour {n} of a sitting {a} of votes are right, {b} in the first.")
    return text.format(n=change.hour + 1, a=number(now, "%"), b=number(then, "%"))
