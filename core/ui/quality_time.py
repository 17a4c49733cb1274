"""How far people agree, week by week."""

from __future__ import annotations

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics.over_time import agreement_weeks
from core.ui import charts, states
from core.ui.charts import card_head, draw_chart
from core.ui.charts.series import weeks
from core.ui.quality_tables import figures_table
from core.ui.shell import PageContext
from core.ui.text import _


def draw_weeks(page: PageContext, filters: Filters) -> None:
    """Draw Krippendorff's alpha by week, with its interval."""
    zone = charts.reader_zone()
    found = agreement_weeks(page.ws, page.actor, page.slug, filters, zone)
    if page.project is None or page.project.task.draws or page.project.schema.main.several:
        return
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
        draw_chart(weeks(rows, _("Alpha")), "quality.weeks", alt)
        with st.expander(_("As a table")):
            columns = (("alpha", _("Alpha"), ""), ("percent", _("Same answer"), "%"))
            body = [(w.begins.isoformat(), (w.alpha, w.percent)) for w in found]
            figures_table(page, "agreement by week", _("Week from"), columns, body, _("By week"))
