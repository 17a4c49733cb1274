"""What is taken for what, as squares; a click on one shows the items behind it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.services.analytics import figures
from core.services.analytics.figures import CaseView, QualityView
from core.ui import charts, downloads, states
from core.ui.behind import Linked, count_in_words, item_cells
from core.ui.charts import card_head, draw_chart
from core.ui.choices import put
from core.ui.comparison import Asked
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import table

CLICKED = "quality.confusion"
MOST_LISTED = 50
# The missing side: a true box nobody drew, or a drawn box that is in no truth. (A bare string
# here would be shown on the page: Streamlit draws what stands alone on a line.)
NOTHING = "∅"


def draw_confusion(page: PageContext, view: QualityView, asked: Asked) -> None:
    """Draw the squares and the items behind the one chosen; without one, behind the worst."""
    cells = [(c.truth or NOTHING, c.said or NOTHING, c.n) for c in view.confusion.cells]
    if not cells:
        return
    with st.container(border=True):
        hint = _("Click a square to see its items. Its area is the share of the row.")
        if view.right.boxes:
            hint = _("Click a square to see its items. ∅ in a row: drawn, but not there. ∅ in a column: there, but not drawn.")  # fmt: skip
        card_head(_("What is taken for what"), hint)
        order = [*view.project.schema.classes, NOTHING]
        place = {name: i for i, name in enumerate(order)}
        truths, saids = {c[0] for c in cells}, {c[1] for c in cells}
        rows, columns = (
            sorted(names, key=lambda n: (place.get(n, len(place)), n)) for names in (truths, saids)
        )
        left, right = st.columns([3, 2], gap="large")
        with left:
            draw_chart(
                charts.confusion(cells, rows, columns, _("Right"), _("Taken for another")),
                CLICKED,
                _("Counts of each true class by what was said"),
                _clicked,
            )
        with right:
            _cases(page, view, asked, cells)
        downloads.offer(page, "confusion", ("truth", "said", "n"), cells)


def _clicked() -> None:
    points = st.session_state[CLICKED].selection.points
    if points:
        truth, said = points[0]["customdata"][:2]
        put(truth=truth, said=said)


def _cases(
    page: PageContext, view: QualityView, asked: Asked, cells: Sequence[tuple[str, str, int]]
) -> None:
    truth, said = st.query_params.get("truth"), st.query_params.get("said")
    if not truth or not said:
        wrong = [c for c in cells if c[0] != c[1]]
        if not wrong:
            states.empty(_("No mistake under this choice"))
            return
        truth, said, _n = max(wrong, key=lambda c: c[2])
    found = figures.cases(
        page.ws, page.actor, page.slug, _side(truth), _side(said),
        asked.whose, asked.against, asked.filters,
    )  # fmt: skip
    card_head(
        _cell_name(truth, said), count_in_words(len(found.cases), MOST_LISTED, found.withheld)
    )
    rows = [item_cells(page, *_linked(c)) for c in found.cases[:MOST_LISTED]]
    if rows:
        with st.container(height=430, border=False):
            table((_("Image"), _("Item"), _("State")), rows, _("Items behind the square"))


def _side(name: str) -> str:
    return "" if name == NOTHING else name


def _cell_name(truth: str, said: str) -> str:
    if truth == NOTHING:
        return _("{said}, drawn where there is none").format(said=said)
    if said == NOTHING:
        return _("{truth}, not drawn").format(truth=truth)
    return _("{truth}, said to be {said}").format(truth=truth, said=said)


def _linked(case: CaseView) -> tuple[Linked, str]:
    more = [case.who] if case.who else []
    if case.confidence is not None:
        more.append(_("sure to {share}").format(share=f"{case.confidence * 100:.0f} %"))
    return Linked(case.item_id, case.name, case.image, case.state), " · ".join(more)
