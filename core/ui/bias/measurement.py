"""Measurement bias: what a camera does and what a person does, each beside what it looks like as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.analytics.slice_facts import MODEL_SAID, Metric
from core.services.bias.measurement_bias import MOST, Effect, MeasurementView, measurement_bias
from core.services.bias.slice_ask import Condition, SliceAsk
from core.services.bias.slice_items import slice_items
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, states
from core.ui.bias.ask import METRICS, column_name, name_in_sentence, slice_name
from core.ui.bias.chosen import draw_items
from core.ui.bias.contents import part_head, tell
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.teams import chosen_team
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import BAD, GOOD, MUTED
from core.ui.widgets import muted, table
from core.ui.zones import reader_zone

CLICKED = "bias.effects"
CHOSEN = "effect"


def draw_measurement(page: PageContext) -> None:
    """Draw the separated effects, the raw differences beside them, and how much is due to what."""
    with st.container(border=True):
        part_head(
            "measurement",
            _("The camera, or who used it?"),
            _(
                "Who works only with a bad camera looks bad. A model of all statements at once gives "
                "camera, person and class each its own part."
            ),
        )
        view = _asked(page)
        if not view.is_enough:
            states.empty(
                _("Not enough data"),
                _("n = {n} answers can be compared under this choice.").format(n=view.statements),
                _("Choose another figure, or wait for more labels."),
            )
            return
        said = _headline(view)
        tell(said)
        draw(
            "<div style='font-size:1.05rem;font-weight:600;line-height:1.45'>{t}</div>",
            t=said,
        )
        rows = [*view.values, *view.people]
        _effects(view, rows)
        _table(page, view)
        _parts(view)
        _behind(page, view, rows)
        if view.basis is not None:
            comparison.draw_notes(
                comparison.notes(view.basis, view.left_out, view.asked.against, view.asked.whose)
            )


def _asked(page: PageContext) -> MeasurementView:
    shares = {m.value: _(t) for m, t in METRICS.items() if m not in (Metric.TIME, Metric.RECALL)}
    left, right = st.columns(2, gap="medium")
    with left:
        metric = choose(_("Figure"), "metric", shares, Metric.ACCURACY.value)
    filters = comparison.filters_in_address(chosen_team(page))
    asked = SliceAsk(metric, filters=filters, tz=reader_zone())
    named = st.query_params.get("factor", "")
    view = measurement_bias(page.ws, page.actor, page.slug, asked, named)
    with right:
        names = {**{c: column_name(c) for c in view.columns}, MOST: _("What differs most")}
        shown = view.column if named != MOST and view.column else MOST
        choose(_("Tell apart"), "factor", names, shown)
    return view


def _headline(view: MeasurementView) -> str:
    """Return in one sentence what is due to the column and what to people."""
    lower = Metric(view.asked.metric) in (Metric.REWORK, Metric.REJECTED, Metric.CERTIFICATE)
    worse = 1 if lower else -1
    sure = [e for e in (*view.values, *view.people) if e.is_sure and worse * (e.own.value or 0) > 0]
    if not sure:
        return _("Nothing here surely does harm of its own: neither {column} nor a person.").format(
            column=name_in_sentence(view.column)
        )
    worst = max(sure, key=lambda e: abs(e.own.value or 0.0))
    own, raw = (
        charts.amount((v or 0.0) * 100, charts.POINTS) for v in (worst.own.value, worst.raw.value)
    )
    return _("{who}: {own} of its own ({low} to {high}), {raw} as it comes, n = {n}.").format(
        who=_label(view, worst), own=own, raw=raw, n=f"{worst.n:,}",
        low=_signed(worst.own.low), high=_signed(worst.own.high),
    )  # fmt: skip


def _signed(value: float | None) -> str:
    return charts.amount((value or 0.0) * 100, charts.POINTS).partition(" ")[0]


def _label(view: MeasurementView, effect: Effect) -> str:
    if effect in view.people:
        return _person(view.names, effect.name)
    return slice_name(((view.column, effect.name),), {})


def _person(names: Mapping[str, str], name: str | None) -> str:
    if name == MODEL_SAID:
        return _("The model")
    return names.get(name or "", name or "")


def _colour(view: MeasurementView, effect: Effect) -> str:
    if not effect.is_sure:
        return MUTED
    lower = Metric(view.asked.metric) in (Metric.REWORK, Metric.REJECTED, Metric.CERTIFICATE)
    return BAD if ((effect.own.value or 0.0) > 0) == lower else GOOD


def _effects(view: MeasurementView, rows: Sequence[Effect]) -> None:
    dots = [
        Dot(_label(view, e), (e.own.times(100), _with_n(e.raw.times(100), e.n)), _colour(view, e))
        for e in rows
    ]
    extent = charts.ends_of([e for d in dots for e in d.estimates], 0.0, 5.0)
    draw_chart(
        charts.dots(
            dots, (_("of its own"), _("as it comes")), charts.POINTS, zero=0.0,
            extent=extent, axis=_axis(view), zero_name=_("the same as all others"),
        ),
        CLICKED,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0], charts.POINTS)}" for d in dots),
        lambda: _clicked(view, rows),
    )  # fmt: skip
    draw(
        "<div class='tb-legend'><span><i class='tb-dot' style='background:{bad}'></i>{b}</span>"
        "<span><i class='tb-dot' style='background:{good}'></i>{g}</span>"
        "<span><i class='tb-dot' style='background:{muted}'></i>{m}</span></div>",
        bad=BAD, good=GOOD, muted=MUTED,
        b=_("surely worse of its own"), g=_("surely better"), m=_("could be chance"),
    )  # fmt: skip


def _axis(view: MeasurementView) -> str:
    """Return the title of the scale: what is compared, and in what."""
    name = _(METRICS[Metric(view.asked.metric)])
    return _("{figure}: percentage points above (+) or below (−) all others").format(figure=name)


def _with_n(estimate: Estimate, n: int) -> Estimate:
    return Estimate(estimate.value, estimate.low, estimate.high, n)


def _clicked(view: MeasurementView, rows: Sequence[Effect]) -> None:
    points = st.session_state[CLICKED].selection.points
    place = round(float(points[0]["y"])) if points else -1
    if 0 <= place < len(rows):
        put(effect=comparison.where_is([_condition(view, rows[place])]))


def _condition(view: MeasurementView, effect: Effect) -> Condition:
    return ("person" if effect in view.people else view.column, effect.name)


def _table(page: PageContext, view: MeasurementView) -> None:
    head = (
        _("Who or what"), _("As it comes"), _("Of its own"), _("Adjusted p"), _("Place"),
    )  # fmt: skip
    rows: list[list[Markup | str]] = []
    for title, effects in ((column_name(view.column), view.values), (_("People"), view.people)):
        if effects:
            rows.append([title])
            rows += [_row(view, e) for e in effects]
    table(head, rows, _("Effects told apart"))
    downloads.offer(
        page,
        "separated-effects",
        ("column", "value", *estimate_columns("raw"), *estimate_columns("own"), "adjusted_p"),
        [
            (*_condition(view, e), *estimate_cells(e.raw), *estimate_cells(e.own), e.adjusted_p)
            for e in (*view.values, *view.people)
        ],
    )
    if view.suppressed:
        comparison.draw_notes(
            [
                many(
                    "{n} value or person is not shown: too few answers.",
                    "{n} values or people are not shown: too few answers.",
                    view.suppressed,
                )
            ]
        )


def _row(view: MeasurementView, e: Effect) -> list[Markup | str]:
    place: Markup | str = muted("–")
    if e.standing is not None:
        s = e.standing
        place = f"{s.best}" if s.rank else _("{best} to {worst}").format(best=s.best, worst=s.worst)
    return [
        fill("<b>{t}</b>", t=_label(view, e)),
        _cell(e.raw), _cell(e.own),
        "< 0.001" if e.adjusted_p < 0.001 else f"{e.adjusted_p:.3f}",
        place,
    ]  # fmt: skip


def _cell(e: Estimate) -> Markup:
    if e.value is None:
        return muted(_("not enough data, n = {n}").format(n=f"{e.n:,}"))
    points = e.times(100)
    return fill(
        "{value}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        value=charts.amount(points.value or 0.0, charts.POINTS),
        rest=charts.interval(points, charts.POINTS),
        n=f"{e.n:,}",
    )


def _parts(view: MeasurementView) -> None:
    names = {"person": _("people"), "class": _("the class"), "": _("the item itself, and chance")}
    said = "; ".join(
        _("{name} {share}").format(
            name=names.get(p.name, name_in_sentence(p.name)), share=charts.sentence(p.share)
        )
        for p in view.parts
    )
    draw(
        "<div class='tb-muted tb-small' style='margin-top:.35rem'>{t}</div>",
        t=_(
            "What makes an answer right or wrong, of the variance of the log odds: {parts}."
        ).format(parts=said),
    )


def _behind(page: PageContext, view: MeasurementView, rows: Sequence[Effect]) -> None:
    asked = st.query_params.get(CHOSEN, "")
    conditions = comparison.conditions_of(asked) if asked else ()
    known = {_condition(view, e) for e in rows}
    if len(conditions) != 1 or conditions[0] not in known:
        draw("<div class='tb-muted tb-small'>{t}</div>", t=_("Click one for the items behind it."))
        return
    card_head(_("Behind: {slice}").format(slice=slice_name(conditions, view.names)))
    with states.boundary(inline=True):
        found = slice_items(page.ws, page.actor, page.slug, view.asked, conditions)
        draw_items(page, view.asked, found)
