"""Bias: under which conditions, on which classes and for whom the figures are worse than elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.access import Action
from core.analytics.slices import Grouping
from core.services.analytics import figures
from core.services.analytics.figures import BiasRow, BiasView
from core.stats.intervals import Estimate
from core.ui import charts, comparison, states, urls
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import choose
from core.ui.comparison import Asked
from core.ui.shell import PageContext, open_page
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import BAD, GOOD, MUTED
from core.ui.widgets import figure, muted, table

EVERYTHING = "all"
MOST_DOTS, MOST_ROWS = 14, 30


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Bias"),
        Action.SEE_FIGURES,
        subtitle=_("Where the model or people are right less often than elsewhere."),
    )
    if page.project is not None and page.project.task.draws:
        states.show(
            "inbox",
            _("Regions are compared by class only, so far"),
            _("Recall and precision of each class, with their intervals, are on the page Quality."),
        )
        states.link(_("Open Quality"), urls.page("quality", project=page.slug))
        return
    with states.boundary(inline=True):
        asked, by = _asked(page)
        view = figures.bias(
            page.ws, page.actor, page.slug, asked.whose, asked.against,
            None if by == EVERYTHING else by, asked.filters,
        )  # fmt: skip
        if not view.overall.is_enough:
            states.empty(
                _("Not enough data"),
                _("n = {n} answers can be compared under this choice.").format(n=view.overall.n),
                _("Choose another comparison above, or wait for more labels."),
            )
            return
        _headline(page, view, asked)
        _gaps(view)
        _slices(view)


def _asked(page: PageContext) -> tuple[Asked, str]:
    people = figures.people_who_voted(page.ws, page.actor, page.slug)
    whose = st.query_params.get("whose", "model")
    known = whose if whose in {"people", *people} else "model"
    best = figures.best_reference(page.ws, page.actor, page.slug, known)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        asked = comparison.ask(people, best)
    with right:
        columns = figures.columns_to_compare(page.ws, page.actor, page.slug, asked.whose)
        names = {c: _column_name(c) for c in columns}
        by = choose(_("by"), "by", {EVERYTHING: _("Everything there is"), **names}, EVERYTHING)
    comparison.draw_where(asked)
    return asked, by


def _column_name(column: str) -> str:
    known = {Grouping.CLASS.value: _("True class"), Grouping.PERSON.value: _("Person")}
    return known.get(column, column)


# --- the headline -----------------------------------------------------------------------------


def _headline(page: PageContext, view: BiasView, asked: Asked) -> None:
    with st.container(border=True):
        left, right = st.columns([1, 2.6], gap="large")
        with left:
            e = view.overall.estimate
            figure(_("Right over all of these items"), e.value, view.overall.n, e.low, e.high, "%")
        with right:
            if view.worst is None:
                _nothing_sure(view)
            else:
                _worst(page, view, view.worst, asked)
        comparison.draw_notes(comparison.notes(view.basis, view.left_out, view.against, view.whose))


def _nothing_sure(view: BiasView) -> None:
    tested = sum(r.figure.p is not None for r in view.rows)
    draw(
        "<div style='font-size:1.12rem;font-weight:600;line-height:1.45'>{t}</div>"
        "<div class='tb-muted' style='margin-top:.3rem'>{more}</div>",
        t=_("No slice is surely worse than the rest."),
        more=many(
            "{n} slice was compared. A difference smaller than its interval can still be there.",
            "{n} slices were compared. A difference smaller than its interval can still be there.",
            tested,
        ),
    )


def _worst(page: PageContext, view: BiasView, worst: BiasRow, asked: Asked) -> None:
    draw(
        "<div style='font-size:1.12rem;font-weight:600;line-height:1.45'>{t}</div>",
        t=_sentence(view, worst),
    )
    if worst.is_listed:
        where = comparison.where_is(worst.conditions)
        href = urls.page(
            "quality", project=page.slug, whose=asked.whose, against=asked.against, where=where
        )
        draw(
            "<div style='margin-top:.55rem'><a href='{href}' target='_self' style='color:inherit'>{t}</a></div>",
            href=href,
            t=_("What is mistaken there, and on which items"),
        )


def _sentence(view: BiasView, row: BiasRow) -> str:
    """Return the slice as one plain sentence with everything needed to judge it."""
    inside, gap = row.figure.inside, row.figure.gap
    e = inside.estimate
    return _(
        "{where}, {who} right {share} of the time (n = {n}; 95 % interval {low} – {high}), "
        "{points} points below the rest."
    ).format(
        where=_where(view, row),
        who=_who_is(view.whose, view.people),
        share=_percent(e.value),
        n=f"{inside.n:,}",
        low=_percent(e.low),
        high=_percent(e.high),
        points=f"{abs(gap.value or 0) * 100:.0f}",
    )


def _where(view: BiasView, row: BiasRow) -> str:
    column, value = row.conditions[0]
    if column == Grouping.CLASS:
        return _("On items that truly are {value}").format(value=value)
    if column == Grouping.PERSON:
        return _("When the answer is {person}'s").format(person=view.people.get(str(value), value))
    return _("Where {conditions}").format(conditions=comparison.in_words(row.conditions))


def _who_is(whose: str, people: Mapping[str, str]) -> str:
    if whose == "model":
        return _("the model is")
    if whose == "people":
        return _("people are")
    return _("{person} is").format(person=people.get(whose, whose))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f} %"


# --- every slice ------------------------------------------------------------------------------


def _gaps(view: BiasView) -> None:
    rows = [r for r in view.rows if r.figure.gap.value is not None][:MOST_DOTS]
    if not rows:
        return
    with st.container(border=True):
        card_head(
            _("Against the rest"),
            _(
                "Points above or below all other items, with the 95 % interval; surest difference first."
            ),
        )
        dots = [
            Dot(_label(view, r), (_points(r.figure.gap, r.figure.inside.n),), _colour(r))
            for r in rows
        ]
        ends = [x for d in dots for x in (d.estimates[0].low, d.estimates[0].high) if x is not None]
        reach = max([abs(x) for x in ends] + [5.0]) * 1.06
        draw_chart(
            charts.dots(dots, unit=charts.POINTS, zero=0.0, extent=(-reach, reach)),
            "bias.gaps",
            "; ".join(f"{d.label}: {charts.sentence(d.estimates[0], charts.POINTS)}" for d in dots),
        )
        draw(
            "<div class='tb-legend'><span><i class='tb-dot' style='background:{bad}'></i>{b}</span>"
            "<span><i class='tb-dot' style='background:{good}'></i>{g}</span>"
            "<span><i class='tb-dot' style='background:{muted}'></i>{m}</span></div>",
            bad=BAD, good=GOOD, muted=MUTED,
            b=_("surely below the rest"), g=_("surely above"), m=_("could be chance"),
        )  # fmt: skip


def _points(gap: Estimate, n: int) -> Estimate:
    low, high = (None if x is None else x * 100 for x in (gap.low, gap.high))
    return Estimate(None if gap.value is None else gap.value * 100, low, high, n)


def _colour(row: BiasRow) -> str:
    if not row.is_sure:
        return MUTED
    return BAD if row.is_behind else GOOD


def _label(view: BiasView, row: BiasRow) -> str:
    return " · ".join(_condition(view, column, value) for column, value in row.conditions)


def _condition(view: BiasView, column: str, value: str | None) -> str:
    if column == Grouping.PERSON:
        value = view.people.get(str(value), value)
    return f"{_column_name(column)}: {_('not known') if value is None else value}"


def _slices(view: BiasView) -> None:
    with st.container(border=True):
        card_head(
            _("All slices"),
            _("p is adjusted for all {n} comparisons on this page (Benjamini-Hochberg).").format(
                n=sum(r.figure.p is not None for r in view.rows)
            ),
        )
        head = (
            _("Slice"),
            _("Right, members"),
            _("Right, all others"),
            _("Difference"),
            _("Adjusted p"),
            "",
        )
        everything = len(view.rows) <= MOST_ROWS or st.toggle(
            _("Show all {n}").format(n=len(view.rows)), key="bias.everything"
        )
        shown = view.rows if everything else view.rows[:MOST_ROWS]
        table(head, [_row(view, r) for r in shown], _("All slices"))
        if view.skipped:
            names = ", ".join(view.skipped)
            comparison.draw_notes(
                [
                    _("Left out, because nearly every item has its own value: {names}.").format(
                        names=names
                    )
                ]
            )


def _row(view: BiasView, row: BiasRow) -> list[Markup | str]:
    f = row.figure
    return [
        fill("<b>{t}</b>", t=_label(view, row)),
        _cell(f.inside.estimate, "%"),
        _cell(f.rest.estimate, "%"),
        _cell(_points(f.gap, f.gap.n), charts.POINTS, with_n=False),
        muted("–") if f.p is None else ("< 0.001" if f.p < 0.001 else f"{f.p:.3f}"),
        _verdict(row),
    ]


def _cell(e: Estimate, unit: str, with_n: bool = True) -> Markup:
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}") if with_n else "–")
    rest = charts.interval(e, unit) + (f"n = {e.n:,}" if with_n else "")
    return fill(
        "{value}<div class='tb-muted tb-small'>{rest}</div>",
        value=charts.amount(e.value, unit),
        rest=rest.removesuffix(", "),
    )


def _verdict(row: BiasRow) -> Markup:
    if row.figure.p is None:
        return muted(_("not enough data"))
    text = _("could be chance")
    if row.is_sure:
        text = _("below") if row.is_behind else _("above")
    return fill(
        "<span class='tb-chip'><i class='tb-dot' style='background:{c}'></i>{t}</span>",
        c=_colour(row),
        t=text,
    )


main()
