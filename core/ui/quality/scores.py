"""How right by class: recall, precision and F1 as dots with intervals; of regions image by image too."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.labels.schema import Task
from core.services.analytics.marks import Statement, statements_behind
from core.services.analytics.precision import ScoresView, scores
from core.services.analytics.shapes import shapes
from core.ui import charts, comparison, states
from core.ui.charts import Dot, card_head
from core.ui.comparison import Asked
from core.ui.marks import Found, by_row_and_series, draw_marks
from core.ui.quality.tables import figures_table
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import figure

RECALL, PRECISION, F1 = "recall", "precision", "f1"


def draw_scores(page: PageContext, asked: Asked, name: str) -> None:
    """Draw the figure of all and the chart by class.

    Args:
        page: The page.
        asked: Whose word, against which truth, of which items.
        name: What the figure of all is called.
    """
    view = scores(page.ws, page.actor, page.slug, asked.whose, asked.against, asked.filters)
    found = view.scores
    with st.container(border=True):
        left, chart = st.columns([1, 2.2], gap="large")
        with left:
            e = found.overall.estimate
            figure(name, e.value, found.overall.n, e.low, e.high, "%")
            comparison.draw_notes(
                comparison.notes(found.basis, found.left_out, view.against, view.whose)
            )
        with chart:
            _by_class(page, view, asked)


def _by_class(page: PageContext, view: ScoresView, asked: Asked) -> None:
    if not view.scores.overall.n and not any(c.f1.n for c in view.scores.classes):
        states.empty(
            _("Not enough data"),
            _("Nothing independent to compare with under this choice."),
            _("Choose another comparison above."),
        )
        return
    rows = [
        Dot(c.name, (c.recall.estimate, c.precision.estimate, c.f1)) for c in view.scores.classes
    ]
    names = (
        _("Right of what is truly so (recall)"),
        _("Right of what is said so (precision)"),
        "F1",
    )
    card_head(_("By class"), _how(view))
    alt = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
    draw_marks(
        page, charts.dots(rows, names), "quality.classes", alt,
        by_row_and_series([r.label for r in rows], (RECALL, PRECISION, F1)),
        lambda mark: _behind(page, asked, mark),
    )  # fmt: skip
    with st.expander(_("As a table")):
        columns = (
            ("recall", _("Recall"), "%"), ("precision", _("Precision"), "%"), ("f1", "F1", "%"),
        )  # fmt: skip
        figures_table(
            page, "by class", _("Class"), columns, [(r.label, r.estimates) for r in rows], _("By class")
        )  # fmt: skip


def _behind(page: PageContext, asked: Asked, mark: str) -> Found:
    """Return the mistakes a dot counts: truly of the class, said to be of it, or both."""
    series, _space, name = mark.partition(" ")
    wrong = Statement(asked.whose, asked.against, wrong_only=True)
    chosen = {
        RECALL: (_("truly {name}, not recognised"), replace(wrong, truth=name)),
        PRECISION: (_("said to be {name}, and wrong"), replace(wrong, said=name)),
        F1: (_("{name}, mistaken"), replace(wrong, either=name)),
    }
    if series not in chosen:
        return None
    title, statement = chosen[series]
    found = statements_behind(page.ws, page.actor, page.slug, statement, asked.filters)
    return title.format(name=name), found


def _how(view: ScoresView) -> str:
    counted = _(
        "The three n are those of recall, precision and F1: what is truly so, is said so, is either."
    )
    if not view.project.task.draws:
        return _("A dot is a share, the line its 95 % interval.") + f" {counted}"
    iou = f"{view.project.policy.iou_at_least:g}"
    if view.project.task is Task.BOXES:
        return _("Boxes match from an overlap (IoU) of {iou} on.").format(iou=iou) + f" {counted}"
    text = _("Compared by bounding box; they match from an overlap (IoU) of {iou} on.")
    return f"{text.format(iou=iou)} {counted}"


def draw_shapes(page: PageContext, asked: Asked) -> None:
    """Draw presence, count and area per image; nothing where nothing is drawn in the project."""
    view = shapes(page.ws, page.actor, page.slug, asked.whose, asked.against, asked.filters)
    if not view.classes:
        return
    with st.container(border=True):
        card_head(
            _("Image by image"),
            _(
                "Is the class there, how many, how large an area; areas are those of bounding boxes."
            ),
        )
        columns = (
            ("present", _("On images"), "%"),
            ("present_right", _("There or not: right"), "%"),
            ("count", _("Regions an image"), ""),
            ("count_off", _("Drawn too many (+) or few (−)"), ""),
            ("area_ratio", _("Area drawn of true area"), "%"),
        )
        rows = [
            (c.name, (c.present, c.present_right, c.count, c.count_off, c.area_ratio))
            for c in view.classes
        ]
        figures_table(page, "regions by image", _("Class"), columns, rows, _("Image by image"))
