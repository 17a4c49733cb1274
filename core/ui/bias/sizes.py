"""Object sizes on the bias page: how large what people draw is, which sizes are missing, and recall by size."""

from __future__ import annotations

import streamlit as st

from core.services.bias.object_sizes import (
    ALL_CLASSES,
    COCO,
    ENDS,
    ClassSizes,
    SizeBin,
    SizeHole,
    SizesView,
    object_sizes,
    size_pictures,
)
from core.services.bias.reference_sets import ReferenceAsk
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, states
from core.ui.bias.contents import part_head
from core.ui.bias.reference import (
    cell,
    choose_by_click,
    draw_pictures,
    p_value,
    reference_in_address,
    reference_name,
    sentence,
)
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup
from core.ui.widgets import table

CHART, RECALL = "bias.sizes.size", "bias.recall.size"
COCO_NAMES = {"small": mark("small"), "medium": mark("medium"), "large": mark("large")}
MOST_HOLES = 12


def draw_sizes(page: PageContext) -> None:
    """Draw the sizes of regions by class, beside the reference where one is chosen."""
    if page.project is None or not page.project.task.draws:
        return
    asked = reference_in_address()
    with st.container(border=True):
        part_head("sizes",
            _("Object sizes"),
            _("How large things are, as a share of the picture's side. A model that has seen near things alone loses the small ones."),
        )  # fmt: skip
        view = object_sizes(page.ws, page.actor, page.slug, asked)
        if not view.classes or not view.classes[0].regions:
            states.empty(_("Nothing is drawn yet"), _("Sizes come from the labels in force."), "")
            return
        names = {c.label: c.label or _("All classes together") for c in view.classes}
        label = choose(_("Class"), "size_class", names, ALL_CLASSES)
        sizes = next(c for c in view.classes if c.label == label)
        _headline(view, sizes)
        left, right = st.columns(2, gap="large")
        with left:
            _shares(view, asked, sizes)
        with right:
            _recall(sizes)
        comparison.draw_notes(
            [
                *view.notes,
                _("Shapes count by the box around them; intervals draw whole pictures again."),
            ]
        )
        _behind(page, asked, view, sizes)
        _table(page, view)


def _headline(view: SizesView, sizes: ClassSizes) -> None:
    own = [h for h in view.holes if sizes.label in (h.label, ALL_CLASSES)]
    more = _("{n} regions on {m} pictures.").format(n=f"{sizes.regions:,}", m=f"{sizes.images:,}")
    if sizes.quartiles is not None:
        more += " " + _("Half of them are {low} to {high} of the picture's side.").format(
            low=_side(sizes.quartiles[0]), high=_side(sizes.quartiles[2])
        )
    if own:
        sentence(hole_in_words(own[0]), more)
    elif view.against and sizes.p is not None:
        sentence(_("No size the reference has is surely missing here."), more)
    elif view.against:
        sentence(_("Too few regions on one side to compare sizes of this class."), more)
    else:
        small = sizes.coco[0]
        sentence(
            _("{share} are small by COCO's bound of 32 pixels.").format(
                share=charts.sentence(small)
            )
            if small.value is not None
            else _("Not enough data"),
            more,
        )


def hole_in_words(hole: SizeHole) -> str:
    """Return a size that is missing as one plain sentence."""
    there = None if hole.bin.there is None else hole.bin.there.value
    text = _("{there} of {label} in the reference are {size} of the picture's side, {here} here").format(
        there=_percent(there), here=_percent(hole.bin.here.value), size=_range(hole.bin),
        label=hole.label or _("all regions"),
    )  # fmt: skip
    e = hole.missing
    if e.value is None:
        return text + "."
    low = "?" if e.low is None else f"{e.low:,.0f}"
    high = "?" if e.high is None else f"{e.high:,.0f}"
    return text + _(": draw {n} more for an equal share ({low} – {high}).").format(
        n=f"{e.value:,.0f}", low=low, high=high
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def _side(value: float) -> str:
    return f"{value * 100:.3g} %"


def _range(found: SizeBin) -> str:
    if found.low == 0:
        return _("up to {high}").format(high=_side(found.high))
    if found.high == 1:
        return _("above {low}").format(low=_side(found.low))
    return f"{found.low * 100:.3g} – {_side(found.high)}"


def _shares(view: SizesView, asked: ReferenceAsk | None, sizes: ClassSizes) -> None:
    compared = view.against and asked is not None and sizes.there_regions > 0
    dots = [
        Dot(
            _range(b), (b.there or Estimate(None, None, None, 0), b.here) if compared else (b.here,)
        )
        for b in sizes.bins
    ]
    ends = [e.high for d in dots for e in d.estimates if e.high is not None]
    series = (reference_name(asked), _("this project")) if compared and asked else ("",)
    card_head(_("Share of all regions"))
    draw_chart(
        charts.dots(
            dots, series, "%", extent=(-0.01, min(1.02, 1.08 * max([*ends, 0.2]))),
            axis=_("Share of all regions, by their size beside the picture's"),
        ),
        CHART,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[-1])}" for d in dots),
        lambda: choose_by_click(CHART, _places()),
    )  # fmt: skip


def _places() -> list[str]:
    return [str(i) for i in range(len(ENDS) + 1)]


def _recall(sizes: ClassSizes) -> None:
    card_head(
        _("Recall of the model"), _("Of the regions in force, those it found; n counts pictures.")
    )
    if all(b.recall is None for b in sizes.bins):
        states.empty(_("No model has looked at labelled pictures here yet."))
        return
    dots = [Dot(_range(b), (b.recall,)) for b in sizes.bins if b.recall is not None]
    draw_chart(
        charts.dots(dots, ("",), "%", axis=_("Recall of the model")),
        RECALL,
        "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
        lambda: choose_by_click(RECALL, _places()),
    )


def _behind(
    page: PageContext, asked: ReferenceAsk | None, view: SizesView, sizes: ClassSizes
) -> None:
    wanted = st.query_params.get("size", "")
    if wanted not in _places():
        return
    place = int(wanted)
    here = asked or ReferenceAsk("")
    columns = st.columns(2, gap="large") if view.against else [st.container()]
    sides = (True, False) if view.against else (False,)
    for column, there in zip(columns, sides, strict=True):
        with column, states.boundary(inline=True):
            size = _range(sizes.bins[place])
            title = _("In the reference: {size}") if there else _("Here: {size}")
            card_head(title.format(size=size))
            found = size_pictures(page.ws, page.actor, page.slug, here, sizes.label, place, there)
            draw_pictures(page, found, _("No picture has a region of this size."))


def _table(page: PageContext, view: SizesView) -> None:
    if view.holes:
        missing = (_("Size"), _("Reference"), _("Here"), _("Missing"), _("Adjusted p"))
        listed = [_hole(h) for h in view.holes[:MOST_HOLES]]
        table(missing, listed, _("Sizes that are missing"))
    head = (
        _("Class"), _("Regions"), *(_(COCO_NAMES[n]) for n in COCO),
        *(_("found, {size}").format(size=_(COCO_NAMES[n])) for n in COCO),
    )  # fmt: skip
    table(head, [_class(c) for c in view.classes], _("Sizes by class"))
    columns = (
        "class", "low", "high", "regions", *estimate_columns("share"),
        *estimate_columns("reference_share"), *estimate_columns("recall"),
    )  # fmt: skip
    rows = (
        (
            c.label, b.low, b.high, b.here_count, *estimate_cells(b.here), *estimate_cells(b.there),
            *estimate_cells(b.recall),
        )
        for c in view.classes
        for b in c.bins
    )  # fmt: skip
    downloads.offer(page, "object sizes", columns, rows)


def _hole(hole: SizeHole) -> list[Markup | str]:
    return [
        f"{hole.label or _('all regions')}, {_range(hole.bin)}",
        cell(hole.bin.there or Estimate(None, None, None, 0)),
        cell(hole.bin.here),
        cell(hole.missing, _("regions")),
        p_value(hole.adjusted_p),
    ]


def _class(c: ClassSizes) -> list[Markup | str]:
    nothing = Estimate(None, None, None, 0)
    recall = c.coco_recall or (nothing,) * len(COCO)
    return [
        c.label or _("All classes together"),
        f"{c.regions:,}",
        *(cell(e) for e in c.coco),
        *(cell(e) for e in recall),
    ]
