"""The slices of the bias page: the headline, the ranked gaps as a chart, and all of them in a table."""

from __future__ import annotations

import streamlit as st

from core.analytics.asked import MODEL, PEOPLE
from core.analytics.slice_facts import EVERYBODY, LOWER_IS_BETTER, Metric
from core.services.bias.slice_rows import SliceRow
from core.services.bias.slices import SlicesView
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, urls
from core.ui.bias.ask import METRICS, name_in_sentence, slice_name
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import put
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import BAD, GOOD, MUTED
from core.ui.widgets import figure, muted, table, unbroken

MOST_DOTS, MOST_ROWS = 14, 30
CLICKED = "bias.gaps"
SECONDS = "s"


def unit_of(view: SlicesView) -> str:
    """Return what the figure is in."""
    return SECONDS if view.asked.metric == Metric.TIME else "%"


# --- the headline -----------------------------------------------------------------------------


def draw_headline(page: PageContext, view: SlicesView) -> None:
    """Draw the figure over everything, and the slice that costs most in one sentence."""
    with st.container(border=True):
        left, right = st.columns([1, 2.6], gap="large")
        with left:
            e = view.overall
            figure(_overall_name(view), e.value, e.n, e.low, e.high, unit_of(view))
        with right:
            if view.worst is None:
                _nothing_sure(view)
            else:
                _worst(page, view, view.worst)
        if view.basis is not None:
            comparison.draw_notes(
                comparison.notes(view.basis, view.left_out, view.asked.against, view.asked.whose)
            )


def _overall_name(view: SlicesView) -> str:
    if view.asked.metric == Metric.ACCURACY:
        return _("Right over all of these items")
    name = _(METRICS[Metric(view.asked.metric)])
    return f"{name}: {view.asked.of_class}" if view.asked.of_class else name


def _nothing_sure(view: SlicesView) -> None:
    draw(
        "<div style='font-size:1.12rem;font-weight:600;line-height:1.45'>{t}</div>"
        "<div class='tb-muted' style='margin-top:.3rem'>{more}</div>",
        t=_("No slice is surely worse than the rest."),
        more=many(
            "{n} slice was compared. A difference smaller than its interval can still be there.",
            "{n} slices were compared. A difference smaller than its interval can still be there.",
            view.tested,
        ),
    )


def _worst(page: PageContext, view: SlicesView, worst: SliceRow) -> None:
    draw(
        "<div style='font-size:1.12rem;font-weight:600;line-height:1.45'>{t}</div>"
        "<div class='tb-muted' style='margin-top:.3rem'>{more}</div>",
        t=unbroken(sentence(view, worst)),
        more=unbroken(_cost(view, worst)),
    )
    kinds = {c.name: c.kind for c in view.columns}
    told = view.asked.metric == Metric.ACCURACY and view.asked.whose != EVERYBODY
    if told and all(
        kinds.get(c) == "metadata" and ": " not in c and " to " not in (v or "")
        for c, v in worst.conditions
    ):
        href = urls.page(
            "quality", project=page.slug, whose=view.asked.whose, against=view.asked.against,
            where=comparison.where_is(worst.conditions),
        )  # fmt: skip
        draw(
            "<div style='margin-top:.55rem'><a href='{href}' target='_self' style='color:inherit'>{t}</a></div>",
            href=href,
            t=_("What is mistaken there, and on which items"),
        )


def sentence(view: SlicesView, row: SliceRow) -> str:
    """Return the slice as one plain sentence with everything needed to judge it."""
    e, unit = row.inside, unit_of(view)
    values = {
        "where": _where(view, row),
        "n": f"{e.n:,}",
        "share": _amount(e.value, unit),
        "low": _amount(e.low, unit),
        "high": _amount(e.high, unit),
        "gap": _apart(row, unit),
    }
    if view.asked.metric in (Metric.ACCURACY, Metric.RECALL):
        return _(
            "{where}, {who} right {share} of the time (n = {n}; 95 % interval {low} – {high}), {gap}."
        ).format(who=_who_is(view), **values)
    return _("{where}, {what} is {share} (n = {n}; 95 % interval {low} – {high}), {gap}.").format(
        what=_what_is(view.asked.metric), **values
    )


def _apart(row: SliceRow, unit: str) -> str:
    gap = row.gap.value or 0.0
    far = f"{abs(gap) * 100:.0f}" if unit == "%" else f"{abs(gap):.1f}"
    if unit == "%":
        below = _("{points} points below the rest").format(points=far)
        return below if gap < 0 else _("{points} points above the rest").format(points=far)
    slower = _("{seconds} s more than elsewhere").format(seconds=far)
    return slower if gap > 0 else _("{seconds} s less than elsewhere").format(seconds=far)


def _what_is(metric: str) -> str:
    return {
        Metric.AGREEMENT.value: _("agreement between people"),
        Metric.TIME.value: _("the median time of a vote"),
        Metric.REWORK.value: _("the share of votes done again"),
        Metric.REJECTED.value: _("the share of votes a lead ruled against"),
        Metric.CERTIFICATE.value: _("the model's error on items drawn to certify it"),
    }[metric]


def _cost(view: SlicesView, row: SliceRow) -> str:
    probably = _("Worse than elsewhere with a probability of {p}.").format(
        p=f"{min(row.probability, 0.999) * 100:.1f} %"
    )
    if view.asked.metric == Metric.TIME:
        return (
            probably
            + " "
            + _("It costs about {m} minutes of work here.").format(m=f"{row.loss / 60:,.0f}")
        )
    return (
        probably
        + " "
        + many(
            "It costs about {n} answer more than elsewhere.",
            "It costs about {n} answers more than elsewhere.",
            max(1, round(row.loss)),
        )
    )


def _where(view: SlicesView, row: SliceRow) -> str:
    if len(row.conditions) == 1:
        column, value = row.conditions[0]
        if column == "class" and value is not None:
            return _("On items that truly are {value}").format(value=value)
        if column == "person" and value is not None:
            return _("When the answer is {person}'s").format(person=view.people.get(value, value))
    readable = [
        (
            name_in_sentence(column),
            view.people.get(value or "", value) if column == "person" else value,
        )
        for column, value in row.conditions
    ]
    return _("Where {conditions}").format(conditions=comparison.in_words(readable))


def _who_is(view: SlicesView) -> str:
    if view.asked.whose == MODEL:
        return _("the model is")
    if view.asked.whose == PEOPLE:
        return _("people are")
    if view.asked.whose == EVERYBODY:
        return _("people and the model are")
    return _("{person} is").format(person=view.people.get(view.asked.whose, view.asked.whose))


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value * 100:.0f} %" if unit == "%" else f"{value:.1f} s"


# --- the chart --------------------------------------------------------------------------------


def draw_gaps(view: SlicesView) -> None:
    """Draw the dearest slices against the rest, beside what is left once shrunk; a click chooses."""
    rows = [r for r in view.rows if r.gap.value is not None and not r.explained_by][:MOST_DOTS]
    if not rows:
        return
    unit = charts.POINTS if unit_of(view) == "%" else SECONDS
    with st.container(border=True):
        card_head(
            _("Where it costs most"),
            _(
                "Members against all others with the 95 % interval, dearest first; the diamond is the "
                "difference believed once small slices are drawn towards all. Click one for its items."
            ),
        )
        dots = [
            Dot(
                slice_name(r.conditions, view.people),
                (_gap(r, unit), _believed(r, unit)),
                colour(r),
            )
            for r in rows
        ]
        least = 5.0 if unit == charts.POINTS else 0.5
        extent = charts.ends_of([e for d in dots for e in d.estimates], 0.0, least)
        draw_chart(
            charts.dots(
                dots, (_("difference"), _("believed")), unit, zero=0.0, extent=extent,
                axis=_axis(view), zero_name=_("the same as all others"),
            ),
            CLICKED,
            "; ".join(f"{d.label}: {charts.sentence(d.estimates[0], unit)}" for d in dots),
            lambda: _clicked(rows),
        )  # fmt: skip
        draw(
            "<div class='tb-legend'><span><i class='tb-dot' style='background:{bad}'></i>{b}</span>"
            "<span><i class='tb-dot' style='background:{good}'></i>{g}</span>"
            "<span><i class='tb-dot' style='background:{muted}'></i>{m}</span></div>",
            bad=BAD, good=GOOD, muted=MUTED,
            b=_("surely worse than the rest"), g=_("surely better"), m=_("could be chance"),
        )  # fmt: skip


def _axis(view: SlicesView) -> str:
    """Return the title of the scale: what is compared, and in what."""
    name = _(METRICS[Metric(view.asked.metric)])
    if view.asked.of_class:
        name = f"{name}: {view.asked.of_class}"
    if unit_of(view) == SECONDS:
        return _("{figure}: seconds more (+) or less (−) than all others").format(figure=name)
    return _("{figure}: percentage points above (+) or below (−) all others").format(figure=name)


def _clicked(rows: list[SliceRow]) -> None:
    points = st.session_state[CLICKED].selection.points
    if points:
        place = round(float(points[0]["y"]))
        if 0 <= place < len(rows):
            put(slice=comparison.where_is(rows[place].conditions))


def _gap(row: SliceRow, unit: str) -> Estimate:
    return _scaled(row.gap, unit, row.inside.n)


def _believed(row: SliceRow, unit: str) -> Estimate:
    """Return how far the shrunken figure lies from the rest; its interval is in the table."""
    if row.shrunken.value is None or row.rest.value is None:
        return Estimate(None, None, None, row.items)
    apart = row.shrunken.value - row.rest.value
    return _scaled(Estimate(apart, None, None, row.inside.n), unit, row.inside.n)


def _scaled(e: Estimate, unit: str, n: int) -> Estimate:
    by = 100.0 if unit == charts.POINTS else 1.0
    value, low, high = (None if v is None else v * by for v in (e.value, e.low, e.high))
    return Estimate(value, low, high, n)


def colour(row: SliceRow) -> str:
    """Return the colour of a slice: worse, better, or nothing sure."""
    if not row.is_sure:
        return MUTED
    return BAD if row.is_behind else GOOD


# --- the table --------------------------------------------------------------------------------


def draw_table(page: PageContext, view: SlicesView) -> None:
    """Draw every slice that was given, with what a reader should know of the columns."""
    with st.container(border=True):
        card_head(
            _("All slices"),
            _("p is adjusted for all {n} comparisons (Benjamini-Hochberg).").format(
                n=f"{view.tested:,}"
            ),
        )
        everything = len(view.rows) <= MOST_ROWS or st.toggle(
            _("Show all {n}").format(n=len(view.rows)), key="bias.everything"
        )
        shown = view.rows if everything else view.rows[:MOST_ROWS]
        head = (
            _("Slice"), _("Members"), _("All others"), _("Difference"), _("Believed"),
            _("Adjusted p"), "",
        )  # fmt: skip
        table(head, [_row(page, view, r) for r in shown], _("All slices"))
        _offer(page, view)
        comparison.draw_notes([*_counts(view), *view.notes])


def _offer(page: PageContext, view: SlicesView) -> None:
    columns = (
        "slice", "items", *estimate_columns("inside"), *estimate_columns("rest"),
        *estimate_columns("gap"), "p", "adjusted_p", *estimate_columns("shrunken"), "expected_loss",
    )  # fmt: skip
    rows = (
        (
            comparison.in_words(r.conditions), r.items, *estimate_cells(r.inside),
            *estimate_cells(r.rest), *estimate_cells(r.gap), r.p, r.adjusted_p,
            *estimate_cells(r.shrunken), r.loss,
        )
        for r in view.rows
    )  # fmt: skip
    downloads.offer(page, "slices", columns, rows)


def _counts(view: SlicesView) -> list[str]:
    said = []
    if view.pruned:
        said.append(
            many(
                "{n} pair is not listed: one of its parts alone explains it.",
                "{n} pairs are not listed: one of their parts alone explains them.",
                view.pruned,
            )
        )
    if view.suppressed:
        said.append(
            many(
                "{n} value is not shown: fewer answers than the smallest group have it.",
                "{n} values are not shown: fewer answers than the smallest group have them.",
                view.suppressed,
            )
        )
    return said


def _row(page: PageContext, view: SlicesView, row: SliceRow) -> list[Markup | str]:
    unit = unit_of(view)
    apart = charts.POINTS if unit == "%" else SECONDS
    return [
        _named(page, view, row),
        _cell(row.inside, unit),
        _cell(row.rest, unit),
        _cell(_gap(row, apart), apart, with_n=False),
        _cell(row.shrunken, unit, with_n=False),
        "< 0.001" if row.adjusted_p < 0.001 else f"{row.adjusted_p:.3f}",
        _verdict(view, row),
    ]


def _named(page: PageContext, view: SlicesView, row: SliceRow) -> Markup:
    kept = {k: v for k, v in st.query_params.items() if k not in ("project", "slice")}
    href = urls.page(
        "bias", project=page.slug, **{**kept, "slice": comparison.where_is(row.conditions)}
    )
    below = Markup()
    if row.explained_by:
        below = fill(
            "<div class='tb-muted tb-small'>{t}</div>",
            t=_("explained by {other}").format(other=slice_name(row.explained_by, view.people)),
        )
    return fill(
        "<a href='{href}' target='_self' style='color:inherit;font-weight:600'>{t}</a>{below}",
        href=href, t=charts.shortened(slice_name(row.conditions, view.people), 80), below=below,
    )  # fmt: skip


def _cell(e: Estimate, unit: str, with_n: bool = True) -> Markup:
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}") if with_n else "–")
    # Each on a line of its own that does not break: the table is wide, its columns are not.
    lines = [charts.interval(e, unit).removesuffix(", "), f"n = {e.n:,}" if with_n else ""]
    below = join(fill("<div>{t}</div>", t=t) for t in lines if t)
    return fill(
        "<span style='white-space:nowrap'>{value}</span>"
        "<div class='tb-muted tb-small' style='white-space:nowrap'>{below}</div>",
        value=charts.amount(e.value, unit),
        below=below,
    )


def _verdict(view: SlicesView, row: SliceRow) -> Markup:
    text = _("could be chance")
    if row.is_sure:
        text = _("worse") if row.is_behind else _("better")
        if view.asked.metric not in LOWER_IS_BETTER:
            text = _("below") if row.is_behind else _("above")
    return fill(
        "<span class='tb-chip'><i class='tb-dot' style='background:{c}'></i>{t}</span>",
        c=colour(row),
        t=text,
    )
