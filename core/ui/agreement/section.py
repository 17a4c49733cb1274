"""The part of the quality page about agreement, from the choice of votes to the pairs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics import figures
from core.services.consensus.people_agreement import ClassRow
from core.services.projects.project import ProjectView
from core.ui.agreement.beside import MOST_DRAWN_CLASSES, draw_classes, draw_effects, draw_pairs
from core.ui.agreement.coefficients import asks_more, draw_coefficients
from core.ui.agreement.selection import Selection, choose_votes
from core.ui.charts import card_head
from core.ui.charts.dot_chart import HEAD_PX, ROW_PX
from core.ui.marks import side_by_side
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import caption


def draw_agreement(page: PageContext, project: ProjectView, base: Filters) -> None:
    """Draw how far people agree.

    Args:
        page: The page.
        project: Its project.
        base: What the page looks at already: a slice.
    """
    with st.container(border=True):
        card_head(
            _("How far people agree"),
            _(
                "Two people on the same item, whoever is right. n counts items with two votes or more."
            ),
        )
        chosen = choose_votes(page, project, base)
        found = figures.agreement(page.ws, page.actor, page.slug, chosen.filters, chosen.scale)
        draw_coefficients(found)
    if found.together is not None:
        _beside(page, chosen, found)


def _beside(page: PageContext, chosen: Selection, found: figures.SelectedAgreement) -> None:
    everybody = figures.agreement(page.ws, page.actor, page.slug, chosen.everybody, chosen.scale)
    if found.together is None or everybody.together is None:
        return
    pairs = everybody.together.pairs
    if everybody.together.classes:
        _by_class_and_person(page, chosen, found.together.classes, everybody)
    if len(pairs.people) > 1:
        draw_pairs(page, everybody, chosen, pairs)


def _by_class_and_person(
    page: PageContext,
    chosen: Selection,
    classes: Sequence[ClassRow],
    everybody: figures.SelectedAgreement,
) -> None:
    effects = everybody.together.effects if everybody.together else ()
    draws = everybody.project.task.draws
    with side_by_side(2) as (left, right):
        with left, st.container(border=True, height="stretch"):
            card_head(
                _("Agreement by class"),
                _(
                    "Where one person draws a region, how often another draws one alike, of its class."
                )
                if draws
                else _(
                    "Where one person says the class, how often another on the same item does too."
                ),
            )
            draw_classes(page, chosen.filters, classes, draws)
        with right, st.container(border=True, height="stretch"):
            card_head(
                _("What each person does to alpha"),
                _(
                    "Alpha with a person's votes less alpha without; a point is 0.01. Left of the line the others agree better among themselves."
                ),
            )
            if asks_more(everybody) and not draws:
                caption(
                    _(
                        "People tend to lie further right here than they would: without a person, items on which two "
                        "agreed drop out and those with a third vote stay. Compare people, not with the line."
                    )
                )
            beside = HEAD_PX + ROW_PX * min(len(classes), MOST_DRAWN_CLASSES)
            draw_effects(page, chosen.everybody, effects, everybody.people, beside)
