"""Selection bias on the bias page: where a dataset differs from its reference, and what it lacks."""

from __future__ import annotations

import streamlit as st

from core.analytics.columns import Kind
from core.services.bias.reference_sets import Choices, ReferenceAsk, references
from core.services.bias.selection_bias import (
    ColumnTest,
    Hole,
    SelectionView,
    selection_bias,
    selection_pictures,
)
from core.services.report.tables import estimate_cells, estimate_columns
from core.ui import charts, comparison, downloads, states, widgets
from core.ui.bias.ask import column_name
from core.ui.bias.contents import part_head, tell
from core.ui.bias.measure import draw_embedding, draw_measuring
from core.ui.bias.reference import (
    ask_reference,
    cell,
    choose_by_click,
    draw_pictures,
    here_with,
    linked,
    p_value,
    reference_name,
    sentence,
)
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup
from core.ui.tokens import BAD, MUTED
from core.ui.widgets import table

COLUMNS, VALUES = "bias.column", "bias.value"
MOST_DOTS, MOST_CELLS, MOST_HOLES = 16, 14, 12
FEW_NOTES = 3


def draw_selection(page: PageContext) -> None:
    """Draw the choice of a reference and how the project's pictures differ from it."""
    with st.container(border=True):
        part_head(
            "selection",
            _("Selection bias"),
            _("Are your pictures like those the model will work on? Every column is compared."),
        )
        known = references(page.ws, page.actor, page.slug)
        asked = ask_reference(known)
        if asked is None:
            _nothing_chosen(known)
            return
        view = selection_bias(page.ws, page.actor, page.slug, asked)
        _measuring(page, view)
        if not view.sets.is_enough:
            _too_few(view)
            return
        draw_embedding(page, asked, view.looked_alike or not view.could_look_alike)
        _headline(view)
        _distances(view)
    _chosen(page, asked, view)
    _tables(page, view)


def _nothing_chosen(known: Choices) -> None:
    tell(_("No reference is chosen yet."))
    if known.projects or known.columns:
        widgets.caption(
            _(
                "Choose pictures from where the model will work: a project of their own, or a metadata "
                "value that marks them. What your pictures lack is then told here."
            )
        )
        return
    states.empty(
        _("Nothing to compare with yet"),
        _("Import pictures from where the model will work as a project of their own, or mark them in the metadata."),
        _("Then choose them above."),
    )  # fmt: skip


def _measuring(page: PageContext, view: SelectionView) -> None:
    other = view.sets.there.project.slug
    if other == page.slug:
        draw_measuring(page, view.unmeasured_here + view.unmeasured_there)
        return
    draw_measuring(page, view.unmeasured_here)
    draw_measuring(page, view.unmeasured_there, other)


def _too_few(view: SelectionView) -> None:
    states.empty(
        _("Not enough data"),
        _("There are {here} pictures here and {there} in the reference; each side needs {n}.").format(
            here=f"{len(view.sets.here):,}", there=f"{len(view.sets.there):,}",
            n=view.sets.asked.fewest,
        ),
        _("Choose another reference, or import more."),
    )  # fmt: skip


def _headline(view: SelectionView) -> None:
    hole = next(iter(view.holes), None)
    differ = many("{n} column surely differs", "{n} columns surely differ", len(view.differing))
    more = _("{differ} of {tested} tested; n = {here} here, {there} in the reference.").format(
        differ=differ, tested=view.tested, here=f"{len(view.sets.here):,}",
        there=f"{len(view.sets.there):,}",
    )  # fmt: skip
    if view.sets.both:
        more += " " + many("{n} picture is in both.", "{n} pictures are in both.", view.sets.both)
    if hole is None:
        text = (
            _("They differ, but nothing the reference has is missing here.")
            if view.differing
            else _("No difference was found between your pictures and the reference.")
        )
    else:
        text = hole_in_words(hole)
    sentence(text, more)


def hole_in_words(hole: Hole) -> str:
    """Return a hole as one plain sentence with what would fill it."""
    c = hole.cell
    text = _("Pictures with {what} are {there} of the reference and {here} of yours").format(
        there=_percent(c.there.value), here=_percent(c.here.value),
        what=f"{column_name(hole.column)}: {c.value}",
    )  # fmt: skip
    if hole.missing.value is None:
        return text + "."
    return text + _(": label {n} more for an equal share ({low} – {high}).").format(
        n=f"{hole.missing.value:,.0f}", low=_whole(hole.missing.low), high=_whole(hole.missing.high)
    )


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    share = value * 100
    return f"{share:.0f} %" if share >= 1 or share == 0 else f"{share:.1f} %"


def _whole(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _distances(view: SelectionView) -> None:
    shown = [c for c in view.columns if c.variation.value is not None][:MOST_DOTS]
    if not shown:
        return
    dots = [Dot(column_name(c.column), (c.variation,), BAD if c.differs else MUTED) for c in shown]
    draw_chart(
        charts.dots(dots, (_("total variation"),), "%", axis=_("Total variation")),
        COLUMNS,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
        lambda: choose_by_click(COLUMNS, [c.column for c in shown], value=None),
    )
    comparison.draw_notes(
        [
            _(
                "Total variation: the share of pictures that would have to be others for both sides to "
                "be alike. Red surely differs (p adjusted for all columns); click one for its values."
            ),
            *(view.notes if len(view.notes) <= FEW_NOTES else ()),
        ]
    )
    if len(view.notes) > FEW_NOTES:
        with st.expander(_("What was not compared, and why ({n})").format(n=len(view.notes))):
            comparison.draw_notes(list(view.notes))


# --- one column -----------------------------------------------------------------------------------


def _chosen(page: PageContext, asked: ReferenceAsk, view: SelectionView) -> None:
    known = {c.column: c for c in view.columns}
    wanted = st.query_params.get("column", "")
    first = view.holes[0].column if view.holes else next(iter(known), "")
    column = known.get(wanted if wanted in known else first)
    if column is None:
        return
    with st.container(border=True):
        card_head(
            _("Both sides by {column}").format(column=column_name(column.column)),
            _told(column),
        )
        left, right = st.columns([1.1, 1], gap="large")
        with left:
            _values(asked, column)
        with right, states.boundary(inline=True):
            _behind(page, asked, view, column)


def _told(column: ColumnTest) -> str:
    parts = [f"{column.test}, p {p_value(column.adjusted_p)}"]
    if column.medians is not None:
        parts.append(
            _("median {here} here, {there} in the reference").format(
                here=f"{column.medians[0]:.4g}", there=f"{column.medians[1]:.4g}"
            )
        )
    if column.above is not None and column.above.value is not None:
        parts.append(
            _("a picture of the reference has more in {share} of pairs").format(
                share=charts.sentence(column.above)
            )
        )
    return " · ".join(parts)


def _values(asked: ReferenceAsk, column: ColumnTest) -> None:
    shown = column.cells[:MOST_CELLS]
    dots = [Dot(c.value, (c.there, c.here)) for c in shown]
    ends = [e.high for d in dots for e in d.estimates if e.high is not None]
    reach = min(1.02, 1.08 * max([*ends, 0.2]))
    draw_chart(
        charts.dots(
            dots, (reference_name(asked), _("this project")), "%", extent=(-0.01, reach),
            axis=_("Share of the pictures: {column}").format(column=column_name(column.column)),
        ),
        VALUES,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
        lambda: choose_by_click(VALUES, [c.value for c in shown]),
    )  # fmt: skip


def _behind(
    page: PageContext, asked: ReferenceAsk, view: SelectionView, column: ColumnTest
) -> None:
    values = [c.value for c in column.cells]
    wanted = st.query_params.get("value", "")
    holes = [h.cell.value for h in view.holes if h.column == column.column]
    value = wanted if wanted in values else next(iter([*holes, *values]), "")
    if not value:
        return
    what = f"{column_name(column.column)}: {value}"
    card_head(_("In the reference, {what}").format(what=what))
    found = selection_pictures(page.ws, page.actor, page.slug, asked, column.column, value)
    draw_pictures(page, found, _("The reference has no such picture."))
    if column.kind is Kind.LOOKS:
        card_head(_("Of yours in the same group"))
        own = selection_pictures(
            page.ws, page.actor, page.slug, asked, column.column, value, of_reference=False
        )
        draw_pictures(page, own, _("None of yours looks like these."))


# --- tables ---------------------------------------------------------------------------------------


def _tables(page: PageContext, view: SelectionView) -> None:
    with st.container(border=True):
        card_head(
            _("What is missing"),
            _("Values the reference has and you have too few of, p adjusted for all values."),
        )
        if view.holes:
            rows = [_hole(page, h) for h in view.holes[:MOST_HOLES]]
            head = (
                _("Value"), _("Reference"), _("Yours"), _("Missing for an equal share"), _("Adjusted p"),
            )  # fmt: skip
            table(head, rows, _("What is missing"))
        else:
            states.empty(_("Nothing the reference has is surely missing here."))
        _offer(page, view)


def _hole(page: PageContext, hole: Hole) -> list[Markup | str]:
    name = f"{column_name(hole.column)}: {hole.cell.value}"
    return [
        linked(name, here_with(page, column=hole.column, value=hole.cell.value)),
        cell(hole.cell.there),
        cell(hole.cell.here),
        cell(hole.missing, _("pictures")),
        p_value(hole.adjusted_p),
    ]


def _offer(page: PageContext, view: SelectionView) -> None:
    columns = (
        "column", "test", "n", "reference_n", *estimate_columns("total_variation"),
        *estimate_columns("jensen_shannon"), "median", "reference_median", "p", "adjusted_p", "value",
        *estimate_columns("share"), *estimate_columns("reference_share"), *estimate_columns("missing"),
    )  # fmt: skip
    holes = {(h.column, h.cell.value): h.missing for h in view.holes}
    rows = (
        (
            c.column, c.test, c.here_n, c.there_n, *estimate_cells(c.variation),
            *estimate_cells(c.divergence), *(c.medians or (None, None)), c.p, c.adjusted_p, v.value,
            *estimate_cells(v.here), *estimate_cells(v.there),
            *estimate_cells(holes.get((c.column, v.value))),
        )
        for c in view.columns
        for v in c.cells
    )  # fmt: skip
    downloads.offer(page, "selection", columns, rows)
