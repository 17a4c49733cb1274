"""The slice somebody chose: the items behind it, and the bounty that would make its figure surer."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.analytics.slice_facts import LOWER_IS_BETTER, Metric
from core.errors import TiebreakError
from core.services.bias.bounties import QueuedBounty, queued_bounties, take_back_bounty
from core.services.bias.slice_ask import Condition, SliceAsk
from core.services.bias.slice_items import (
    SHARES,
    Bounty,
    SliceItem,
    SliceItems,
    make_bounty,
    slice_bounty,
    slice_items,
)
from core.services.bias.slices import SlicesView
from core.ui import states, urls, widgets
from core.ui.behind import Linked, item_cells
from core.ui.bias.ask import slice_name
from core.ui.charts import card_head
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import draw
from core.ui.widgets import table

MOST_SHOWN = 12
FEW = 3
"""Items that stand in one table; more are in two, side by side."""
POINTS = ("1", "2", "3", "5", "8", "10")


def draw_chosen(page: PageContext, view: SlicesView, conditions: tuple[Condition, ...]) -> None:
    """Draw the items behind a slice, and its bounty below them."""
    if not conditions:
        return
    with st.container(border=True):
        card_head(_("Behind: {slice}").format(slice=slice_name(conditions, view.people)))
        with states.boundary(inline=True):
            draw_items(
                page,
                view.asked,
                slice_items(page.ws, page.actor, page.slug, view.asked, conditions),
            )
    with st.container(border=True):
        _bounty(page, view, conditions)


def draw_items(page: PageContext, asked: SliceAsk, found: SliceItems) -> None:
    """Draw the items behind a slice, the worst first, and how many are kept back."""
    if not found.items:
        states.empty(_("Nothing is wrong on the items of this slice that you may see."))
    else:
        rows = [
            item_cells(page, Linked(i.item_id, i.name, i.image, i.state), _told(asked, i))
            for i in found.items[:MOST_SHOWN]
        ]
        half = (len(rows) + 1) // 2
        halves = (rows[:half], rows[half:]) if len(rows) > FEW else (rows,)
        for place, part in zip(st.columns(len(halves), gap="medium"), halves, strict=True):
            with place:
                table(("", _("Item"), _("State")), part, _("Items behind the slice"))
    said = many(
        "The slice has answers on {n} item; the worst are listed.",
        "The slice has answers on {n} items; the worst are listed.",
        found.total,
    )
    if found.withheld:
        said += " " + many(
            "{n} is kept back: you could still vote on it. A manager sees it.",
            "{n} are kept back: you could still vote on them. A manager sees them.",
            found.withheld,
        )
    widgets.caption(said)


def _told(asked: SliceAsk, item: SliceItem) -> str:
    if asked.metric == Metric.TIME:
        return _("{s} s").format(s=f"{item.wrong:.1f}")
    wrong = f"{item.wrong:g}"
    if asked.metric == Metric.AGREEMENT:
        return _("{wrong} of {n} pairs differ").format(wrong=wrong, n=f"{item.n:g}")
    if asked.metric in LOWER_IS_BETTER:
        return _("{wrong} of {n}").format(wrong=wrong, n=f"{item.n:g}")
    return _("{wrong} of {n} wrong").format(wrong=wrong, n=f"{item.n:g}")


# --- the bounty -------------------------------------------------------------------------------


def _bounty(page: PageContext, view: SlicesView, conditions: tuple[Condition, ...]) -> None:
    card_head(
        _("Slice bounty"),
        _("How many more labels of this slice bring its interval under so many points?"),
    )
    if Metric(view.asked.metric) not in SHARES:
        widgets.caption(_("A bounty narrows a share, not a time."))
        return
    names = {p: _("± {n} points").format(n=p) for p in POINTS}
    left, right = st.columns([1, 3], gap="large", vertical_alignment="center")
    with left:
        points = float(choose(_("Interval of at most"), "points", names, "3"))
    with right:
        _offer(page, view, conditions, points)


def _offer(
    page: PageContext, view: SlicesView, conditions: tuple[Condition, ...], points: float
) -> None:
    """Say how many labels it takes, and offer to queue them."""
    try:
        found = slice_bounty(page.ws, page.actor, page.slug, view.asked, conditions, points)
    except TiebreakError as error:
        widgets.caption(f"{error}")
        return
    draw(
        "<div style='font-size:1.05rem;font-weight:600;line-height:1.45'>{t}</div>"
        "<div class='tb-muted tb-small' style='margin-top:.3rem'>{more}</div>",
        t=_in_words(view, conditions, found, points),
        more=_now(found),
    )
    steers = can(page.actor, Action.STEER, Resource(view.project.id))
    queued = [
        b for b in queued_bounties(page.ws, page.actor, page.slug, conditions) if b.done < b.items
    ]
    for bounty in queued:
        _queued(page, bounty, steers)
    if found.offered and steers and not queued:
        st.button(
            many("Queue this {n} item", "Queue these {n} items", found.offered),
            key="bias.bounty",
            icon=":material/playlist_add:",
            type="primary",
            on_click=_make,
            args=(page, view, conditions, points),
        )


def _queued(page: PageContext, bounty: QueuedBounty, steers: bool) -> None:
    """Say that a bounty is queued and how far it is, with ways to it and back."""
    votes = can(page.actor, Action.VOTE, Resource(page.project.id if page.project else None))
    draw(
        "<div style='margin-top:.6rem'>{t} "
        "<a href='{href}' target='_self' style='color:inherit'>{link}</a></div>",
        t=many(
            "{n} item of it comes first for everybody.",
            "{n} items of it come first for everybody.",
            bounty.items,
        )
        + " "
        + _("Done: {n}.").format(n=f"{bounty.done:,}"),
        href=urls.page("review", project=page.slug, list=str(bounty.list_id))
        if votes
        else urls.page("items", project=page.slug),
        link=_("Review these alone") if votes else _("Its link to hand on is under Items"),
    )
    if steers:
        st.button(
            _("Take it back"),
            key=f"bias.bounty.back.{bounty.list_id}",
            icon=":material/undo:",
            help=_("Its items wait where they waited before; what was answered stays."),
            on_click=_take_back,
            args=(page, bounty),
        )


def _take_back(page: PageContext, bounty: QueuedBounty) -> None:
    try:
        take_back_bounty(page.ws, page.actor, page.slug, bounty.list_id)
    except TiebreakError as error:
        states.say_error(error)
        return
    widgets.flash(_("The items wait where they waited before."))


def _in_words(
    view: SlicesView, conditions: tuple[Condition, ...], found: Bounty, points: float
) -> str:
    where = slice_name(conditions, view.people)
    if not found.needed:
        return _("The interval is narrow enough already.")
    if not found.waiting:
        return _("No open item is in this slice: import more such images to learn more.")
    if found.needed > found.waiting:
        text = _(
            "{points} points take {needed} more of {slice}; {n} wait: with all of them labelled it is ± {reached} points."
        )
        return text.format(
            points=f"± {points:g}", needed=f"{found.needed:,}", slice=where,
            n=f"{found.waiting:,}", reached=f"{found.reached * 100:.1f}",
        )  # fmt: skip
    return _("Label {n} more of {slice} to bring the interval under ± {points} points.").format(
        n=f"{found.needed:,}", slice=where, points=f"{points:g}"
    )


def _now(found: Bounty) -> str:
    half = "–" if found.half is None else f"{found.half * 100:.1f}"
    return _(
        "Now it is ± {half} points; {n} open items wait. Answers given with the pre-label in view "
        "do not count where the model is judged."
    ).format(half=half, n=f"{found.waiting:,}")


def _make(
    page: PageContext, view: SlicesView, conditions: tuple[Condition, ...], points: float
) -> None:
    try:
        made = make_bounty(page.ws, page.actor, page.slug, view.asked, conditions, points)
    except TiebreakError as error:
        states.say_error(error)
        return
    widgets.flash(
        many(
            "{n} item now comes first for everybody.",
            "{n} items now come first for everybody.",
            made.items,
        )
    )
