"""The too-clean detector on the bias page: can a classifier tell your pictures from those of the field?"""

from __future__ import annotations

import streamlit as st

from core.services.bias.reference_sets import ReferenceAsk
from core.services.bias.too_clean import (
    FIELD_SHARE,
    Basis,
    FramesToAdd,
    Tell,
    TooCleanView,
    telling_pictures,
    too_clean,
)
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, states
from core.ui.bias.ask import column_name
from core.ui.bias.contents import part_head
from core.ui.bias.reference import choose_by_click, draw_pictures, reference_in_address, sentence
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, many, mark
from core.ui.tokens import BAD, MUTED
from core.ui.widgets import figure

CHART = "bias.tells.column"
SHARES = ("0.05", "0.1", "0.2", "0.33", "0.5")
BASES = {
    Basis.EMBEDDINGS: mark("by what the network sees in them"),
    Basis.MEASURES: mark("by what is measured of them"),
    Basis.NOTHING: mark("by nothing"),
}


def draw_too_clean(page: PageContext) -> None:
    """Draw whether both sets can be told apart, by what, and how many pictures to add."""
    asked = reference_in_address()
    if asked is None:
        return
    with st.container(border=True):
        part_head("clean",
            _("Too clean?"),
            _("A classifier is asked to tell your pictures from those of the reference; it is judged on what it has not seen."),
        )  # fmt: skip
        wanted = st.query_params.get("field_share", "")
        share = float(wanted) if wanted in SHARES else FIELD_SHARE
        view = too_clean(page.ws, page.actor, page.slug, asked, share)
        if view.auc.value is None:
            states.empty(
                _("Not enough data"),
                _(
                    "Neither embeddings nor measures are there for {n} pictures of each side."
                ).format(n=view.sets.asked.fewest),
                _("Measure the images above, or embed them."),
            )
            return
        _told(view)
        left, right = st.columns([1.1, 1], gap="large")
        with left:
            _tells(page, view)
        with right:
            _frames(view)
        _pictures(page, asked, view)


def _told(view: TooCleanView) -> None:
    left, right = st.columns([1, 2.6], gap="large")
    with left:
        e = view.auc
        figure(_("Pairs told apart"), e.value, e.n, e.low, e.high, "%")
    with right:
        if view.is_told:
            share = f"{(view.auc.value or 0) * 100:.0f}"
            text = _(
                "In {n} of 100 pairs the classifier knows which picture is from the reference, {how}."
            ).format(n=share, how=_(BASES[view.basis]))
            more = _(
                "A model taught on yours alone will meet something else there. 50 would be a coin."
            )
        else:
            text = _("The classifier does no better than a coin, {how}.").format(
                how=_(BASES[view.basis])
            )
            more = _("Small differences can still be there: the interval says how large.")
        sentence(text, more)


def _tells(page: PageContext, view: TooCleanView) -> None:
    card_head(
        _("What they are told by"),
        _("How often a picture of the reference has more of it than one of yours; 50 % tells nothing."),
    )  # fmt: skip
    if not view.tells:
        states.empty(_("Nothing is measured on both sides yet."))
        return
    dots = [Dot(column_name(t.name), (t.above,), BAD if _is_sure(t) else MUTED) for t in view.tells]
    draw_chart(
        charts.dots(
            dots, ("",), "%", zero=0.5, zero_name=_("tells nothing"),
            axis=_("How often a picture of the reference has more of it"),
        ),
        CHART,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
        lambda: choose_by_click(CHART, [t.name for t in view.tells], value=None),
    )  # fmt: skip
    columns = (
        "property",
        *estimate_columns("above"),
        "p",
        "adjusted_p",
        "median",
        "reference_median",
    )
    rows = ((t.name, *estimate_cells(t.above), t.p, t.adjusted_p, *t.medians) for t in view.tells)
    downloads.offer(page, "too clean", columns, rows)


def _is_sure(tell: Tell) -> bool:
    return tell.adjusted_p is not None and tell.adjusted_p < 0.05


def _frames(view: TooCleanView) -> None:
    card_head(_("How many to add"))
    choose(
        _("Field-like pictures wanted in the training set"), "field_share",
        {s: f"{float(s) * 100:.0f} %" for s in SHARES}, str(FIELD_SHARE),
    )  # fmt: skip
    frames = view.frames
    if frames is None:
        sentence(_("None: they cannot be told apart."))
        return
    sentence(_frames_in_words(frames))
    comparison.draw_notes(
        [
            _(
                "A picture is field-like where the classifier takes it for one of the reference: {here} of "
                "yours, {there} of the reference. With m of the reference added, (yours + m × {share}) / "
                "(n + m) are."
            ).format(
                here=charts.sentence(frames.here), there=charts.sentence(frames.there),
                share=f"{(frames.there.value or 0) * 100:.0f} %",
            )
        ]
    )  # fmt: skip


def _frames_in_words(frames: FramesToAdd) -> str:
    e: Estimate = frames.frames
    target = f"{frames.target * 100:.0f} %"
    if e.value is None:
        return _("No number would do: too few of the reference itself are field-like.")
    if e.value == 0:
        return _("None: {target} of yours are field-like already.").format(target=target)
    low = "?" if e.low is None else f"{e.low:,.0f}"
    high = "?" if e.high is None else f"{e.high:,.0f}"
    text = _("Add {n} pictures of the reference ({low} – {high}) to reach {target}.").format(
        n=f"{e.value:,.0f}", low=low, high=high, target=target
    )
    return text + " " + many("It holds {n}.", "It holds {n}.", frames.at_hand)


def _pictures(page: PageContext, asked: ReferenceAsk, view: TooCleanView) -> None:
    if not view.is_told:
        return
    left, right = st.columns(2, gap="large")
    for column, there, title in (
        (left, True, _("Least like yours, in the reference")),
        (right, False, _("Least like the reference, of yours")),
    ):
        with column, states.boundary(inline=True):
            card_head(title, _("With how sure the classifier is of it."))
            found = telling_pictures(page.ws, page.actor, page.slug, asked, there)
            draw_pictures(page, found, _("There is no such picture."))
