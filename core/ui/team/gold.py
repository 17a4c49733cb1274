"""What a lead is told of the gold there is: for whom none is left, and what cannot be planted."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.services.projects.project import ProjectView
from core.services.review.gold_pool import gold_pool
from core.ui.shell import PageContext
from core.ui.text import _


def draw_gold_left(page: PageContext, project: ProjectView) -> None:
    """Say, to who may see gold and where it is asked for, what keeps it from being planted."""
    if not can(page.actor, Action.SEE_GOLD, Resource(project.id)):
        return
    pool = gold_pool(page.ws, page.actor, page.slug)
    if not pool.asked:
        return
    if not pool.total:
        st.warning(_("The queue plan asks for gold, and this project has none. Import some."))
    if pool.used_up:
        names = ", ".join(pool.used_up)
        st.warning(
            _(
                "No gold is left for {names}: nobody is handed the same item twice. Import more."
            ).format(names=names)
        )
    if pool.unlike:
        st.info(
            _(
                "{n} of {total} gold items are not planted now: their pre-labels are not of the same "
                "run as those of the items that wait, so they would stand out. Train and pre-label "
                "again, which keeps gold from the model."
            ).format(n=pool.unlike, total=pool.total)
        )
