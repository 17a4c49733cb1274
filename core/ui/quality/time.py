"""How far people agree, week by week."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics.marks import differing_behind
from core.services.analytics.over_time import agreement_weeks, weeks_are_drawn
from core.ui import charts, states
from core.ui.charts import card_head
from core.ui.charts.series import weeks
from core.ui.marks import Found, by_day, draw_marks
from core.ui.quality.tables import figures_table
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.zones import day_ends


def draw_weeks(page: PageContext, filters: Filters) -> None:
    """Draw Krippendorff's alpha by week, with its interval."""
    zone = charts.reader_zone()
    if page.project is None or not weeks_are_drawn(page.project):
        return
    found = agreement_weeks(page.ws, page.actor, page.slug, filters, zone)
    with st.container(border=True):
        card_head(
            _("Agreement over time"),
            _("Krippendorff's alpha of the items whose newest vote is of the week; {zone} time.").format(
                zone=zone
            ),
        )  # fmt: skip
        if not any(w.alpha.value is not None for w in found):
            states.empty(
                _("Not enough data"), _("It needs a week with five items that two people voted on.")
            )
            return
        rows = [(w.begins, w.alpha) for w in found]
        alt = "; ".join(f"{d}: {charts.sentence(e, '')}" for d, e in rows)
        draw_marks(
            page, weeks(rows, _("Alpha")), "quality.weeks", alt, by_day,
            lambda day: differing_from(page, filters, zone, day, 7),
        )  # fmt: skip
        with st.expander(_("As a table")):
            columns = (("alpha", _("Alpha"), ""), ("percent", _("Same answer"), "%"))
            body = [(w.begins.isoformat(), (w.alpha, w.percent)) for w in found]
            figures_table(page, "agreement by week", _("Week from"), columns, body, _("By week"))


def differing_from(page: PageContext, filters: Filters, zone: str, mark: str, days: int) -> Found:
    """Return the items whose votes differ, the newest of them of a day or the days from it on."""
    try:
        since, until = day_ends(date.fromisoformat(mark), zone, days)
    except ValueError:
        return None
    chosen = replace(filters, since=since, until=until)
    title = _("Votes differ, {when}").format(when=mark)
    return title, differing_behind(page.ws, page.actor, page.slug, chosen)
