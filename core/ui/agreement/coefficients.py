"""The coefficients of agreement, each with n and interval, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.consensus.agreement import Agreement
from core.consensus.policy import OnDisagreement
from core.labels.schema import Task
from core.services.analytics.figures import SelectedAgreement
from core.services.consensus.agreement import FEWEST_ITEMS
from core.stats.intervals import UNDEFINED, Estimate
from core.ui import charts, comparison
from core.ui.text import _, many
from core.ui.widgets import fact, figure

Shown = tuple[str, Estimate, str, list[str]]
"""Name, figure, unit and notes."""


def draw_coefficients(found: SelectedAgreement) -> None:
    """Draw all coefficients of one selection."""
    view = found.view
    if found.together is not None and asks_more(found):
        comparison.draw_notes([
            _("More votes are asked for only where people differ, so the items they differ on have more pairs. Figures by pair therefore lie below figures by item: compare pairs with pairs, people with people.")
        ])  # fmt: skip
    if view.boxes is not None:
        _regions(found)
    elif view.labels is not None:
        _row(_of_labels(view.labels, asks_more(found)), 4)
    if view.ordered is not None:
        _row(
            [
                (_("Alpha, near answers count"), view.ordered.alpha, "", []),
                (_("Gwet's AC2"), view.ordered.ac2, "", []),
            ],
            4,
        )
    if view.questions:
        _row([_question(q.title, q.several, q.alpha) for q in view.questions], 4)
    notes = _notes(view.blind)
    if view.sampled:
        notes.append(
            _("Regions and further questions: a random sample of the items with two votes or more.")
        )
    comparison.draw_notes(notes)


def asks_more(found: SelectedAgreement) -> bool:
    """Return whether the policy asks more people just where the first ones differ."""
    return found.project.policy.on_disagreement is OnDisagreement.THIRD_VOTE


def _row(shown: Sequence[Shown], width: int) -> None:
    for start in range(0, len(shown), width):
        part = shown[start : start + width]
        for column, one in zip(st.columns(width), part, strict=False):
            with column:
                _one(*one)


def _one(name: str, e: Estimate, unit: str, notes: list[str]) -> None:
    if e.value is None and e.n >= FEWEST_ITEMS:
        fact(name, _("Undefined"), f"n = {e.n:,}")
        notes = [
            *notes,
            _("By chance alone everybody would agree: one answer was given throughout."),
        ]
    else:
        figure(name, e.value, e.n, e.low, e.high, unit)
    comparison.draw_notes(notes)


def _of_labels(found: Agreement, third_votes: bool) -> list[Shown]:
    return [
        (
            _("Same answer"), found.percent, "%",
            [_("By item: the share of an item's pairs of votes that are the same, mean over items.")],
        ),
        (_("Krippendorff's alpha"), found.alpha, "", []),
        (_("Fleiss' kappa"), found.fleiss, "", fleiss_notes(found, third_votes)),
        (_("Gwet's AC1"), found.ac1, "", []),
    ]  # fmt: skip


def _regions(found: SelectedAgreement) -> None:
    boxes = found.project.task is Task.BOXES
    name = _("Boxes in common (mean F1)") if boxes else _("Regions in common (mean F1)")
    likeness = _("Distance of two regions: 1 less their overlap (IoU).")
    if found.project.task is Task.KEYPOINTS:
        likeness = _("Distance of two regions: 1 less their likeness (OKS).")
    _row(
        [
            (name, found.view.boxes or UNDEFINED, "%", []),
            (_("Krippendorff's alpha"), found.view.shapes or UNDEFINED, "", [likeness]),
        ],
        4,
    )


def _question(title: str, several: bool, alpha: Estimate) -> Shown:
    notes = [_("Alpha of sets (MASI): a part of the answers in common counts in part.")]
    return _("Alpha of “{question}”").format(question=title), alpha, "", notes if several else []


def fleiss_notes(found: Agreement, third_votes: bool) -> list[str]:
    """Return what Fleiss' kappa does not look at: items with another number of votes than most.

    Args:
        found: The coefficients; the other three count every item with two votes or more.
        third_votes: Whether the policy asks more people where the first ones differ.
    """
    left_out = found.percent.n - found.fleiss.n
    if left_out <= 0 or found.fleiss.value is None:
        return []
    if third_votes and found.alpha.value is not None and found.fleiss.value > found.alpha.value:
        return [
            many(
                "Leaves out {n} item with another number of votes. A third vote comes where people differ, so it flatters.",
                "Leaves out {n} items with another number of votes. A third vote comes where people differ, so it flatters.",
                left_out,
            )
        ]
    return [
        many(
            "Leaves out {n} item with another number of votes; read alpha instead.",
            "Leaves out {n} items with another number of votes; read alpha instead.",
            left_out,
        )
    ]


def _notes(blind: Agreement | None) -> list[str]:
    lines = [
        _("Alpha, kappa and AC1 take out what chance alone would give: 1 is perfect, 0 is chance.")
    ]  # fmt: skip
    if blind is not None:
        lines.append(
            _("Votes given without seeing the pre-label, alone: alpha {figure}.").format(
                figure=charts.sentence(blind.alpha, "")
            )
        )
    return lines
