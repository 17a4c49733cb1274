"""Confirmation bias: labels that go with what should not matter, and what of it the truth accounts for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics.asked import MODEL, PEOPLE, Against
from core.services.bias.confirmation_bias import (
    CellItem,
    CellRow,
    ColumnRow,
    ConfirmationView,
    Found,
    cell_items,
    confirmation_bias,
)
from core.services.bias.said_labels import LABELS, BiasAsk
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, states, widgets
from core.ui.behind import Linked, item_cells
from core.ui.bias.anchors import draw_anchors, points_cell
from core.ui.bias.ask import column_name, name_in_sentence
from core.ui.bias.contents import part_head, tell
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.teams import chosen_team
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import BAD, MUTED
from core.ui.widgets import muted, table

CLICKED = "bias.cells"
CHOSEN, LABEL = "cell", "label"
MOST_DOTS, MOST_ROWS, MOST_SHOWN = 12, 20, 12
ANY = "best"
TIMES = "×"

VERDICTS = {
    Found.BEYOND: mark("beyond the truth"),
    Found.NOT_BEYOND: mark("not surely beyond the truth"),
    Found.UNTOLD: mark("too little truth to tell"),
}


def draw_confirmation(page: PageContext) -> None:
    """Draw which labels go with which attributes, beside the truth, and what a pre-label in view does."""
    with st.container(border=True):
        part_head(
            "confirmation",
            _("Labels that go with what should not matter"),
            _(
                "Site, collector, light or the order of files may go with a class because it is so. "
                "What counts is what is said more often among items that truly are the same."
            ),
        )
        if page.project is not None and page.project.task.draws:
            tell(_("Not for regions"))
            states.empty(
                _("Not for regions"),
                _(
                    "What is said here is of whole images: regions are not held against their attributes."
                ),
                _("Compare regions by slices instead."),
            )
            return
        view = _asked(page)
        if not view.tested:
            states.empty(
                _("Not enough data"),
                _("Something was said of n = {n} items.").format(n=f"{view.items:,}"),
                _("Import metadata, or wait for more labels."),
            )
        else:
            rows = view.cells[:MOST_DOTS]
            _headline(view)
            _chart(rows)
            _cells(page, view)
            _columns(page, view)
            _behind(page, view)
            _notes(view)
    if view.anchors:
        with st.container(border=True):
            draw_anchors(page, view.anchors)


def _asked(page: PageContext) -> ConfirmationView:
    left, right = st.columns(2, gap="medium")
    with left:
        names = {
            PEOPLE: _("What people say"), MODEL: _("What the model says"),
            LABELS: _("The labels in force"),
        }  # fmt: skip
        said = choose(_("Look at"), "said", names, PEOPLE)
    with right:
        known = {
            ANY: _("What is known of most items"),
            Against.GOLD.value: _("Gold: known answers"),
            Against.ADJUDICATED.value: _("What a lead decided"),
        }
        against = choose(_("compared with"), "beside", known, ANY)
    filters = comparison.filters_in_address(chosen_team(page) if said == PEOPLE else ())
    asked = BiasAsk(said, "" if against == ANY else against, filters)
    return confirmation_bias(page.ws, page.actor, page.slug, asked)


# --- the cells --------------------------------------------------------------------------------


def _headline(view: ConfirmationView) -> None:
    top = view.cells[0] if view.cells else None
    text = _("No label surely goes with an attribute.")
    more = many("{n} group was compared.", "{n} groups were compared.", view.tested)
    if top is not None and (top.found is Found.BEYOND or top.adjusted_p < 0.05):
        text, more = sentence(top), beside_truth(view, top)
    tell(text)
    draw(
        "<div style='font-size:1.05rem;font-weight:600;line-height:1.45'>{t}</div>"
        "<div class='tb-muted' style='margin:.3rem 0 .2rem'>{more}</div>",
        t=text,
        more=more,
    )


def sentence(row: CellRow) -> str:
    """Return a group and a label as one plain sentence: how many times as often."""
    return _(
        "{label} is said {times} times ({low} – {high}) as often where {where} as elsewhere, n = {n}."
    ).format(
        label=row.label, where=_where(row), n=f"{row.items:,}",
        times=_times(row.ratio.value), low=_times(row.ratio.low), high=_times(row.ratio.high),
    )  # fmt: skip


def beside_truth(view: ConfirmationView, row: CellRow) -> str:
    """Return what the truth says of it, in plain words."""
    if row.found is Found.UNTOLD:
        return _(
            "Whether it truly is so cannot be told: the truth is known of too few such items, n = {n}."
        ).format(n=f"{row.excess.n:,}")
    e = row.excess.times(100)
    said = _("Among items that truly are the same the difference is {points}.").format(
        points=charts.sentence(e, charts.POINTS)
    )
    if row.true_ratio.value is not None:
        said += " " + _("Truly it is {times} times as often there.").format(
            times=_times(row.true_ratio.value)
        )
    return said


def _where(row: CellRow) -> str:
    return comparison.in_words([(name_in_sentence(row.column), row.value)])


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _name(row: CellRow) -> str:
    value = _("not known") if row.value is None else row.value
    return f"{row.label} · {column_name(row.column)}: {value}"


def _chart(rows: Sequence[CellRow]) -> None:
    dots = [
        Dot(
            _name(r),
            (_percent(r.gap), _percent(r.excess)),
            BAD if r.found is Found.BEYOND else MUTED,
        )
        for r in rows
    ]
    extent = charts.ends_of([e for d in dots for e in d.estimates], 0.0, 5.0)
    draw_chart(
        charts.dots(
            dots, (_("as said"), _("beyond the truth")), charts.POINTS, zero=0.0,
            extent=extent,
            axis=_("Said more (+) or less (−) often than elsewhere, percentage points"),
            zero_name=_("as often as elsewhere"),
        ),
        CLICKED,
        "; ".join(sentence(r) for r in rows),
        lambda: _clicked(rows),
    )  # fmt: skip
    draw(
        "<div class='tb-legend'><span><i class='tb-dot' style='background:{bad}'></i>{b}</span>"
        "<span><i class='tb-dot' style='background:{muted}'></i>{m}</span></div>",
        bad=BAD, muted=MUTED, b=_("beyond what the truth accounts for"),
        m=_("not surely, or too little truth to tell"),
    )  # fmt: skip


def _percent(e: Estimate) -> Estimate:
    return e.times(100)


def _clicked(rows: Sequence[CellRow]) -> None:
    points = st.session_state[CLICKED].selection.points
    place = round(float(points[0]["y"])) if points else -1
    if 0 <= place < len(rows):
        put(cell=comparison.where_is([(rows[place].column, rows[place].value)]),
            label=rows[place].label)  # fmt: skip


def _cells(page: PageContext, view: ConfirmationView) -> None:
    head = (
        _("Label and group"), _("As often as elsewhere"), _("Residual"), _("Adjusted p"),
        _("In the truth"), _("Beyond the truth"), "",
    )  # fmt: skip
    table(head, [_row(r) for r in view.cells[:MOST_ROWS]], _("Labels and attributes"))
    columns = (
        "column", "value", "label", *estimate_columns("times_as_often"),
        *estimate_columns("difference_in_proportions"), "residual", "adjusted_p",
        *estimate_columns("times_as_often_in_truth"), *estimate_columns("conditional_disparity"),
        "conditional_adjusted_p", "verdict",
    )  # fmt: skip
    rows = (
        (
            r.column, r.value, r.label, *estimate_cells(r.ratio), *estimate_cells(r.gap), r.residual,
            r.adjusted_p, *estimate_cells(r.true_ratio), *estimate_cells(r.excess), r.excess_p,
            r.found.value,
        )
        for r in view.cells
    )  # fmt: skip
    downloads.offer(page, "labels-and-attributes", columns, rows)


def _row(r: CellRow) -> list[Markup | str]:
    return [
        fill("<b>{t}</b>", t=charts.shortened(_name(r), 70)),
        _ratio(r.ratio),
        f"{r.residual:+.1f}".replace("-", "−"),
        "< 0.001" if r.adjusted_p < 0.001 else f"{r.adjusted_p:.3f}",
        _ratio(r.true_ratio),
        points_cell(r.excess),
        widgets.chip(_(VERDICTS[r.found]), BAD if r.found is Found.BEYOND else MUTED),
    ]


def _ratio(e: Estimate) -> Markup:
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    return fill(
        "{v} {x}<div class='tb-muted tb-small'>{a} – {b}, n = {n}</div>",
        v=_times(e.value), x=TIMES, a=_times(e.low), b=_times(e.high), n=f"{e.n:,}",
    )  # fmt: skip


# --- the columns ------------------------------------------------------------------------------


def _columns(page: PageContext, view: ConfirmationView) -> None:
    with st.expander(_("How strongly each column goes with the label")):
        table(
            (_("Column"), _("As said"), _("In the truth"), _("Adjusted p")),
            [_column_row(c) for c in view.columns],
            _("Columns and the label"),
        )
        widgets.caption(_("Cramér's V without the bias of small tables: 0 for nothing, 1 for all."))
        downloads.offer(
            page,
            "columns-and-label",
            ("column", *estimate_columns("said_v"), *estimate_columns("true_v"), "adjusted_p"),
            [
                (c.column, *estimate_cells(c.said), *estimate_cells(c.true), c.adjusted_p)
                for c in view.columns
            ],
        )


def _column_row(c: ColumnRow) -> list[Markup | str]:
    p = c.adjusted_p
    return [
        column_name(c.column), _strength(c.said), _strength(c.true),
        muted("–") if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}",
    ]  # fmt: skip


def _strength(e: Estimate) -> Markup:
    if e.value is None or e.low is None or e.high is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    return fill(
        "{v}<div class='tb-muted tb-small'>{a} – {b}, n = {n}</div>",
        v=f"{e.value:.2f}", a=f"{e.low:.2f}", b=f"{e.high:.2f}", n=f"{e.n:,}",
    )  # fmt: skip


def _notes(view: ConfirmationView) -> None:
    text = _(
        "{tested} groups were compared, {held} of them with the truth, which is known of "
        "{known} of {items} items; p is adjusted for all (Benjamini-Hochberg)."
    ).format(
        tested=f"{view.tested:,}", held=f"{view.held:,}", known=f"{view.known:,}",
        items=f"{view.items:,}",
    )  # fmt: skip
    said = [text]
    if view.suppressed:
        said.append(
            many(
                "{n} value is not shown: fewer items than the smallest group have it.",
                "{n} values are not shown: fewer items than the smallest group have them.",
                view.suppressed,
            )
        )
    comparison.draw_notes([*said, *view.notes])


# --- the items behind -------------------------------------------------------------------------


def _behind(page: PageContext, view: ConfirmationView) -> None:
    asked, label = st.query_params.get(CHOSEN, ""), st.query_params.get(LABEL, "")
    conditions = comparison.conditions_of(asked) if asked else ()
    if len(conditions) != 1 or not label:
        widgets.caption(_("Click one for the items behind it."))
        return
    with states.boundary(inline=True):
        found = cell_items(page.ws, page.actor, page.slug, view.asked, conditions[0], label)
        column, value = conditions[0]
        card_head(
            _("Behind: {slice}").format(
                slice=f"{label} · {column_name(column)}: {_('not known') if value is None else value}"
            )
        )
        rows = [
            item_cells(page, Linked(i.item_id, i.name, i.image, i.state), _told(i, label))
            for i in found.items[:MOST_SHOWN]
        ]
        if rows:
            table(("", _("Item"), _("State")), rows, _("Items behind the group"))
        said = many("{n} item is called so.", "{n} items are called so.", found.total)
        if found.withheld:
            said += " " + many(
                "{n} is kept back: you could still vote on it. A manager sees it.",
                "{n} are kept back: you could still vote on them. A manager sees them.",
                found.withheld,
            )
        widgets.caption(said)


def _told(item: CellItem, label: str) -> str:
    share = _("{share} of what was said").format(share=f"{item.share * 100:.0f} %")
    if not item.truth:
        return share
    truly = _("truly so") if item.truth == label else _("truly {truth}").format(truth=item.truth)
    return f"{share} · {truly}"
