"""What a pre-label in view does to what people say, on the bias page."""

from __future__ import annotations

from collections.abc import Sequence

from core.services.bias.anchoring import AnchorRow
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, downloads, widgets
from core.ui.bias.contents import part_head, tell
from core.ui.charts import Dot, draw_chart
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, fill
from core.ui.widgets import muted, table

PULLED = "bias.anchors"


def draw_anchors(page: PageContext, rows: Sequence[AnchorRow]) -> None:
    """Draw how often votes say what the pre-label says, in view and blind, by class."""
    part_head(
        "anchors",
        _("Does a pre-label in view pull?"),
        _(
            "How often people say what the pre-label says, with it in view and blind. Who sees it is "
            "drawn at random, so the difference is its doing; persons are drawn whole."
        ),
    )
    first = rows[0]
    if first.pull.value is None:
        widgets.caption(
            _("Not enough data: n = {n} votes were given in the smaller of both ways.").format(
                n=first.pull.n
            )
        )
        return
    tell(_finding(first.pull))
    dots = [Dot(a.label or _("All classes"), (a.shown, a.blind)) for a in rows]
    draw_chart(
        charts.dots(dots, (_("in view"), _("blind"))),
        PULLED,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
    )
    table(
        (_("The pre-label says"), _("In view"), _("Blind"), _("Pull"), _("Adjusted p")),
        [
            [fill("<b>{t}</b>", t=a.label or _("All classes")), _share(a.shown), _share(a.blind),
             points_cell(a.pull), _p(a.adjusted_p)]
            for a in rows
        ],
        _("What a pre-label in view does"),
    )  # fmt: skip
    columns = ("pre_label", *estimate_columns("in_view"), *estimate_columns("blind"),
               *estimate_columns("pull"), "adjusted_p")  # fmt: skip
    downloads.offer(
        page, "pre-label-pull", columns,
        [(a.label, *estimate_cells(a.shown), *estimate_cells(a.blind), *estimate_cells(a.pull),
          a.adjusted_p)
         for a in rows],
    )  # fmt: skip


def _finding(pull: Estimate) -> str:
    """Return in one line how far it pulls, and whether that is sure."""
    points = charts.sentence(pull.times(100), charts.POINTS)
    sure = pull.low is not None and pull.high is not None and pull.low * pull.high > 0
    text = _("It does: {points}.") if sure else _("Not surely: {points}.")
    return text.format(points=points)


def _p(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _share(e: Estimate) -> Markup:
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    return fill(
        "{v}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        v=charts.amount(e.value, "%"), rest=charts.interval(e), n=f"{e.n:,}",
    )  # fmt: skip


def points_cell(e: Estimate) -> Markup:
    """Return a difference of shares as a cell: points, interval and n."""
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    points = e.times(100)
    return fill(
        "{v}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        v=charts.amount(points.value or 0.0, charts.POINTS),
        rest=charts.interval(points, charts.POINTS), n=f"{e.n:,}",
    )  # fmt: skip
