"""A lead's own last rulings beside the dispute in hand, from the record: there after a reload too."""

from __future__ import annotations

import streamlit as st

from core.access import Actor
from core.services.items.why import explain
from core.services.review.rulings import PastRuling, RulingFilter, rulings
from core.services.workspace import Workspace, current_workspace
from core.ui import identity, ruling, urls, widgets
from core.ui.dispute_views import PAST
from core.ui.past_rulings import KIND_NAMES
from core.ui.text import _
from core.ui.theme import draw, fill, join

SHOWN = 3


def last_rulings(slug: str) -> None:
    """Offer the last rulings of who looks: why each label is as it is, the way back to rule anew."""
    ws, actor = current_workspace(), identity.current_actor()
    mine = RulingFilter(by=actor.person_id)
    with st.popover(_("Last ruling")):
        rows = rulings(ws, actor, slug, mine, 0, SHOWN).rows
        if not rows:
            widgets.caption(_("You have ruled on nothing here yet."))
        for place, row in enumerate(rows):
            _row(row)
            if not place:
                why_card(ws, actor, slug, row.item_id)
            st.button(
                _("Open again"), key=f"tb-reopen-{row.seq}", on_click=_again, args=(row.item_id,)
            )
        draw(
            "<a class='tb-small' href='{href}' target='_self'>{t}</a>",
            href=urls.page("adjudicate", project=slug, view=PAST),
            t=_("All past rulings, to find, open again and overturn"),
        )


def _row(row: PastRuling) -> None:
    state = "" if row.in_force else _("overturned since")
    about = (widgets.when(row.at), state)
    draw(
        "<div class='tb-small'><b>{name}</b> · {what} <span class='tb-muted'>{about}</span></div>",
        name=row.name,
        what=row.label or _(KIND_NAMES[row.kind]),
        about=ruling.SEPARATOR.join(p for p in about if p),
    )


def _again(item_id: int) -> None:
    """Show an item ruled on; it is in no list of disputes, so the address names it."""
    ruling.go(item_id)
    st.query_params["item"] = str(item_id)


def why_card(ws: Workspace, actor: Actor, slug: str, item_id: int) -> None:
    """Draw why an item has its label: who said what, what the policy made of it, who decided."""
    why = explain(ws, actor, slug, item_id)
    label = why.label or widgets.state_name(why.state)
    lines = join(fill("<li>{s}</li>", s=s) for s in why.sentences)
    foot = ruling.SEPARATOR.join(
        p
        for p in (
            _("policy version {n}").format(n=why.policy_version) if why.policy_version else "",
            why.model or "",
            widgets.when(why.at) if why.at else "",
        )
        if p
    )
    draw(
        "<div class='tb-small'><b>{label}</b><ul style='margin:.2rem 0'>{lines}</ul>"
        "<span class='tb-muted'>{foot}</span></div>",
        label=label,
        lines=lines,
        foot=foot,
    )
