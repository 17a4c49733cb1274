"""The model beside people: is it as sure as it is right, and who is right more often on the same items."""

from __future__ import annotations

import streamlit as st

from core.analytics.asked import MODEL, PEOPLE, Against, Filters
from core.services.analytics.calibration import CalibrationView, calibration, overconfidence
from core.services.analytics.marks import Statement, statements_behind
from core.services.analytics.three_ways import ThreeWays, three_ways
from core.services.report.tables import estimate_cells, estimate_columns
from core.ui import charts, comparison, downloads, states
from core.ui.charts import POINTS, Dot, card_head
from core.ui.charts.series import reliability_diagram
from core.ui.choices import choose
from core.ui.marks import Found, Point, by_row, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import figure

MODEL_AGAINST = (Against.FINAL, Against.EVALUATE, Against.GOLD, Against.ADJUDICATED)


def draw_model(page: PageContext, filters: Filters) -> None:
    """Draw calibration and the comparison of model, people and consensus."""
    with st.container(border=True):
        options = {a.value: _(comparison.REFERENCES[a]) for a in MODEL_AGAINST}
        against = choose(_("compared with"), "against", options, Against.FINAL.value)
        view = calibration(page.ws, page.actor, page.slug, against, filters)
        _calibration(page, view, filters)
    with st.container(border=True):
        truth = choose(
            _("What is true"),
            "truth_by",
            {
                Against.GOLD.value: _("Gold: known answers"),
                Against.ADJUDICATED.value: _("What a lead decided"),
            },
            Against.GOLD.value,
        )
        _three_ways(page, three_ways(page.ws, page.actor, page.slug, truth, filters), filters)


def _calibration(page: PageContext, view: CalibrationView, filters: Filters) -> None:
    card_head(
        _("Is the model as sure as it is right?"),
        _("Each dot holds as many items. On the dotted line it is right as often as it says."),
    )
    if view.is_for_regions:
        states.empty(
            _("Not for regions"),
            _("One confidence an image says nothing about the regions on it."),
        )
        return
    found = view.reliability
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        ece = found.ece
        note = "" if found.chance is None else _("by chance alone: {share}").format(
            share=charts.amount(found.chance, "%"))  # fmt: skip
        figure(_("Calibration error (ECE)"), ece.value, ece.n, ece.low, ece.high, "%", note)
        _lean(view)
        comparison.draw_notes(comparison.notes(view.basis, view.left_out, view.against, "model"))
        if view.against != Against.EVALUATE:
            comparison.draw_notes([_("A model may have been trained on labels in force: only items drawn at random for evaluation are safe from that.")])  # fmt: skip
    with right:
        if ece.value is None:
            states.empty(
                _("Not enough data"), _("Calibration needs 30 predictions with a label of people.")
            )
            return
        rows = [(b.confidence, b.accuracy) for b in found.bins]
        alt = "; ".join(f"{c * 100:.0f} %: {charts.sentence(e)}" for c, e in rows)
        draw_marks(
            page, reliability_diagram(rows), "quality.calibration", alt, _bin_of,
            lambda name: _in_bin(page, view, filters, name),
        )  # fmt: skip
        downloads.offer(
            page, "calibration", ("from", "to", "confidence", "right", "low", "high", "n"),
            [(b.low, b.high, b.confidence, b.accuracy.value, b.accuracy.low, b.accuracy.high, b.n)
             for b in found.bins],
        )  # fmt: skip


def _lean(view: CalibrationView) -> None:
    off = overconfidence(view)
    if off is not None:
        text = _("On average it is {off} too sure of itself.") if off > 0 else _(
            "On average it is {off} less sure than it could be.")  # fmt: skip
        comparison.draw_notes([text.format(off=charts.amount(abs(off), "%"))])


def _bin_of(point: Point) -> str | None:
    place = point.get("customdata")
    place = place[0] if isinstance(place, list) else place
    return None if place is None else str(place)


def _in_bin(page: PageContext, view: CalibrationView, filters: Filters, name: str) -> Found:
    bins = view.reliability.bins
    if name not in map(str, range(len(bins))):
        return None
    chosen = bins[int(name)]
    asked = Statement(against=view.against, sure=(chosen.low, chosen.high))
    title = _("{low} to {high} sure").format(
        low=charts.amount(chosen.low, "%"), high=charts.amount(chosen.high, "%")
    )
    return title, statements_behind(page.ws, page.actor, page.slug, asked, filters)


def _three_ways(page: PageContext, found: ThreeWays, filters: Filters) -> None:
    card_head(
        _("Model, people and consensus on the same items"),
        _("Items with a pre-label and two votes or more whose truth rests on none of them; the first question alone. One person is right as often as the votes on an item are, mean over items. n = {n} items.").format(n=f"{found.items:,}"),
    )  # fmt: skip
    if found.model.value is None:
        states.empty(
            _("Not enough data"),
            _(
                "It needs five items with a pre-label, two votes with a majority, and a known answer."
            ),
        )
        return

    def behind(whose: str) -> Found:
        titles = {MODEL: _("The model was wrong"), PEOPLE: _("Votes that were wrong")}
        if whose not in titles:
            return None
        asked = Statement(whose, found.against, wrong_only=True)
        return titles[whose], statements_behind(page.ws, page.actor, page.slug, asked, filters)

    with side_by_side(2, "large") as (left, right):
        with left:
            rows = [
                Dot(_("The model"), (found.model,)),
                Dot(_("One person"), (found.people,)),
                Dot(_("Their majority"), (found.consensus,)),
            ]
            draw_marks(
                page, charts.dots(rows), "quality.three", _alt(rows, "%"),
                by_row((MODEL, PEOPLE, PEOPLE)), behind,
            )  # fmt: skip
        with right:
            gaps = (
                (_("Model less one person"), found.model_over_people),
                (_("Majority less one person"), found.consensus_over_people),
                (_("Majority less model"), found.consensus_over_model),
            )
            # Differences are drawn in points.
            rows = [Dot(name, (e.times(100),)) for name, e in gaps]
            draw_marks(
                page, charts.dots(rows, unit=POINTS, zero=0.0, zero_name=_("no difference")), "quality.three.gaps", _alt(rows, POINTS),
                by_row((MODEL, PEOPLE, MODEL)), behind,
            )  # fmt: skip
    figures = {
        "model": found.model, "one person": found.people, "majority": found.consensus,
        "model less one person": found.model_over_people,
        "majority less one person": found.consensus_over_people,
        "majority less model": found.consensus_over_model,
    }  # fmt: skip
    downloads.offer(
        page, "model-and-people", ("figure", *estimate_columns("share")),
        [(name, *estimate_cells(e)) for name, e in figures.items()],
    )  # fmt: skip


def _alt(rows: list[Dot], unit: str) -> str:
    return "; ".join(f"{r.label}: {charts.sentence(r.estimates[0], unit)}" for r in rows)
