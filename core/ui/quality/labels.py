"""What a guideline did, and how many final labels are wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from core.analytics.asked import PEOPLE, Against, Filters
from core.services.analytics.guideline_effect import AGREEMENT, GuidelineEffect, guideline_effect
from core.services.analytics.marks import Statement, statements_behind
from core.services.analytics.noise import Method, label_noise
from core.stats.interrupted import FEWEST_POINTS
from core.stats.intervals import Estimate
from core.ui import charts, comparison, states
from core.ui.charts import card_head
from core.ui.charts.series import before_and_after
from core.ui.choices import choose
from core.ui.marks import Found, by_day, draw_marks
from core.ui.quality.tables import figures_table
from core.ui.quality.time import differing_from
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.widgets import fact, figure
from core.ui.zones import day_ends

METHODS = {
    Method.GOLD: mark("Held against gold"),
    Method.AUDIT: mark("Audit of what the model decided alone"),
    Method.VOTES: mark("From how often two blind votes differ"),
}


def draw_guideline(page: PageContext, filters: Filters) -> None:
    """Draw a version of the guideline before and after."""
    with st.container(border=True):
        card_head(
            _("The guideline, before and after"),
            _("A step and a bend of the trend on the day a version came into force: segmented regression (Wagner et al. 2002)."),
        )  # fmt: skip
        outcomes = {
            AGREEMENT: _("Two people say the same"),
            Against.GOLD.value: _("Votes are right, by gold"),
            Against.ADJUDICATED.value: _("Votes are right, by what a lead decided"),
        }
        left, right = st.columns(2, gap="medium")
        with left:
            outcome = choose(_("What is looked at"), "outcome", outcomes, AGREEMENT)
        asked = st.query_params.get("version", "")
        found = guideline_effect(
            page.ws, page.actor, page.slug, outcome,
            int(asked) if asked.isdecimal() and len(asked) < 9 else None, filters, charts.reader_zone(),
        )  # fmt: skip
        if found.version is None or found.changed is None:
            states.empty(
                _("One guideline only"),
                _("There is nothing to compare until it gets a second version."),
                _("Leads write it under Settings; what people do before and after is compared by itself."),
            )  # fmt: skip
            return
        with right:
            names = {str(v): _("Version {n}").format(n=v) for v in found.versions[1:]}
            choose(_("Version"), "version", names, str(found.versions[-1]))
        _effect(page, found, found.changed, outcome, filters)


def _of_day(page: PageContext, outcome: str, filters: Filters, mark: str) -> Found:
    """Return the items of a day whose votes differ, or the votes of a day that were wrong."""
    zone = charts.reader_zone()
    if outcome == AGREEMENT:
        return differing_from(page, filters, zone, mark, 1)
    try:
        since, until = day_ends(date.fromisoformat(mark), zone)
    except ValueError:
        return None
    asked = Statement(PEOPLE, outcome, wrong_only=True)
    chosen = replace(filters, since=since, until=until)
    title = _("Votes that were wrong, {when}").format(when=mark)
    return title, statements_behind(page.ws, page.actor, page.slug, asked, chosen)


def _effect(
    page: PageContext, found: GuidelineEffect, changed: date, outcome: str, filters: Filters
) -> None:
    for place, (name, e) in zip(
        st.columns(3), ((_("Before"), found.before), (_("After"), found.after), (_("Difference"), found.gap)),
        strict=True,
    ):  # fmt: skip
        with place:
            if e is found.gap:
                _points(name, e)
            else:
                figure(name, e.value, e.n, e.low, e.high, "%")
    series = found.series
    if series is None or series.level.value is None:
        n = (0, 0) if series is None else (series.before, series.after)
        text = _("A step and a trend need {k} days with votes on each side of the change; there are {a} before and {b} after.")  # fmt: skip
        states.empty(
            _("Not enough data"), text.format(k=FEWEST_POINTS, a=n[0], b=n[1]), _what_next(found, n)
        )  # fmt: skip
        return
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        _points(_("Step on that day"), series.level)
        _points(_("Change of the trend, a week"), series.slope.times(7))
        comparison.draw_notes(
            [_("n counts days. Whatever else changed on that day is in the step too.")]
        )
    with right:
        days = [p.day for p in found.points][-len(series.fitted) :]
        draw_marks(
            page,
            before_and_after(
                [(p.day, p.share, p.n) for p in found.points], changed,
                list(zip(days, series.fitted, strict=True)),
                [(d, s) for d, s in zip(days, series.without, strict=True) if d >= changed],
            ),
            "quality.guideline", _("The share by day, before and after the change"), by_day,
            lambda mark: _of_day(page, outcome, filters, mark),
        )  # fmt: skip


def _what_next(found: GuidelineEffect, days: tuple[int, int]) -> str:
    """Return what a reader can do where a version has too few days on a side."""
    if len(found.versions) > 2:
        return _("Choose another version above.")
    if days[0] < FEWEST_POINTS:
        return _("This version came before most votes; the next one can be compared with it.")
    return _("Come back once people have voted on more days under it.")


def _points(name: str, e: Estimate) -> None:
    """Draw a difference of shares in points."""
    scaled = e.times(100)
    value = None if scaled.value is None else charts.amount(scaled.value, charts.POINTS)
    fact(name, value, f"{charts.interval(scaled, charts.POINTS)}n = {e.n:,}")


def draw_noise(page: PageContext, filters: Filters) -> None:
    """Draw how many final labels are wrong, by the best method and by each."""
    view = label_noise(page.ws, page.actor, page.slug, filters)
    with st.container(border=True):
        card_head(
            _("How many final labels are wrong"),
            _("Three ways to estimate it; the first with enough data is shown large."),
        )
        if view.best is None:
            states.empty(
                _("Not enough data"),
                _("It needs 30 labels on gold items, 30 audited ones, or 30 items with two blind votes."),
            )  # fmt: skip
            return
        e = view.of(view.best)
        figure(_("Wrong labels"), e.value, e.n, e.low, e.high, "%", _(METHODS[view.best]))
        comparison.draw_notes([
            _("Gold was not drawn at random. Votes tell too little where people err together, as on hard images.")
        ])  # fmt: skip
        rows = [(_(METHODS[m]), (view.of(m),)) for m in Method]
        rows.append((_("For comparison: single votes"), (view.single_vote,)))
        figures_table(
            page, "label noise", _("Found how"), (("wrong", _("Wrong"), "%"),), rows, _("Wrong labels")
        )  # fmt: skip
