"""Threads on pages: an item's discussion, and what waits for somebody on the first page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.errors import TiebreakError
from core.services.talk import threads, writing
from core.services.talk.threads import CommentView, Kind, ThreadView
from core.services.talk.waiting import Waiting, WaitingThread, waiting_threads
from core.services.workspace import Workspace, current_workspace
from core.ui import identity, states, urls
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption, section

MOST_ON_HOME = 5
_EXCERPT = 90
_DAY = 86400


def popover(slug: str, item_id: int) -> None:
    """Offer an item's discussion behind a button that says how many threads are open."""
    found = threads.item_threads(current_workspace(), identity.current_actor(), slug, item_id)
    still_open = sum(not t.resolved for t in found)
    label = _("Discussion ({n})").format(n=still_open) if still_open else _("Discussion")
    with st.popover(label, key=f"tb-talk-{item_id}"):
        panel(slug, item_id)


def any_open(slug: str, item_id: int) -> bool:
    """Return whether an item has an open thread that the person at the screen can read."""
    found = threads.item_threads(current_workspace(), identity.current_actor(), slug, item_id)
    return any(not t.resolved for t in found)


@st.fragment
def panel(slug: str, item_id: int) -> None:
    """Show an item's discussion and let one take part; runs again by itself, so it asks who looks."""
    with states.boundary(inline=True):
        ws, actor = current_workspace(), identity.current_actor()
        found = threads.item_threads(ws, actor, slug, item_id)
        section(_("Discussion"))
        for thread in found:
            _thread(slug, thread)
        if not found:
            caption(_("No comment that you can read yet."))
        key = f"tb-talk.{item_id}.new"
        _composer(
            key,
            _("Start a thread"),
            lambda text, uuid: writing.start_thread(ws, actor, slug, item_id, text, uuid),
        )
        caption(_("Write @name to mention somebody of the project."))


def _thread(slug: str, thread: ThreadView) -> None:
    ws, actor = current_workspace(), identity.current_actor()
    said = sum(c.kind == Kind.COMMENT for c in thread.comments)
    head = many("{n} comment", "{n} comments", said)
    title = _("Resolved: {said}").format(said=head) if thread.resolved else head
    key = f"tb-talk.{thread.thread}"
    with st.expander(title, expanded=not thread.resolved, key=key):
        draw(
            "<div style='display:grid;gap:.55rem'>{lines}</div>",
            lines=join(_line(c) for c in thread.comments),
        )
        _composer(
            f"{key}.reply",
            _("Reply"),
            lambda text, uuid: writing.reply(ws, actor, slug, thread.thread, text, uuid),
            lambda: _close(slug, thread, key) if thread.may_resolve else None,
        )
        _refusal(f"{key}.close")


def _close(slug: str, thread: ThreadView, key: str) -> None:
    ws, actor = current_workspace(), identity.current_actor()
    change = writing.reopen_thread if thread.resolved else writing.resolve_thread
    st.button(
        _("Open again") if thread.resolved else _("Resolve"),
        key=f"{key}.close",
        on_click=_try,
        args=(f"{key}.close", lambda: change(ws, actor, slug, thread.thread, new_uuid())),
    )


def _line(comment: CommentView) -> Markup:
    who, when = _("You") if comment.mine else comment.who, ago(comment.at)
    if comment.kind == Kind.COMMENT:
        return fill(
            "<div><div class='tb-small'><b>{who}</b> <span class='tb-muted'>{when}</span></div>"
            "<div style='white-space:pre-wrap;overflow-wrap:anywhere'>{text}</div></div>",
            who=who,
            when=when,
            text=comment.text,
        )
    done = _("{who} resolved it") if comment.kind == Kind.RESOLVE else _("{who} opened it again")
    return fill(
        "<div class='tb-small tb-muted'>{done}, {when}</div>", done=done.format(who=who), when=when
    )


def _composer(
    key: str,
    label: str,
    send: Callable[[str, str], object],
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Draw a field and its button, and what else stands `beside` it; what was refused stays in the field."""
    st.text_area(label, key=f"{key}.text", max_chars=writing.MAX_TEXT, height=80)
    with st.container(horizontal=True, gap="small"):
        st.button(_("Send"), key=f"{key}.send", on_click=_send, args=(key, send))
        beside()
    _refusal(key)


def _send(key: str, send: Callable[[str, str], object]) -> None:
    text = st.session_state.get(f"{key}.text", "")
    # One UUID for a text until it is on the record: sent twice, it is one comment.
    before, uuid = st.session_state.get(f"{key}.sent", (None, ""))
    if before != text:
        uuid = new_uuid()
    st.session_state[f"{key}.sent"] = (text, uuid)
    _try(key, lambda: send(text, uuid))
    if f"{key}.problem" not in st.session_state:
        st.session_state[f"{key}.text"] = ""
        del st.session_state[f"{key}.sent"]


def _try(key: str, work: Callable[[], object]) -> None:
    """Do what a button asks for; a refusal is shown beside it on the run that follows."""
    try:
        work()
    except TiebreakError as problem:
        st.session_state[f"{key}.problem"] = problem


def _refusal(key: str) -> None:
    problem = st.session_state.pop(f"{key}.problem", None)
    if problem is not None:
        states.say_error(problem)


def ago(at: float) -> str:
    """Return how long ago something was, in words."""
    seconds = max(0.0, time.time() - at)
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return many("{n} minute ago", "{n} minutes ago", int(seconds // 60))
    if seconds < _DAY:
        return many("{n} hour ago", "{n} hours ago", int(seconds // 3600))
    return many("{n} day ago", "{n} days ago", int(seconds // _DAY))


# --- the first page ---------------------------------------------------------------------------


def home_box(ws: Workspace, actor: Actor, titles: Mapping[str, str]) -> None:
    """Show who waits for an answer of mine, and how many threads are open where I steer.

    Args:
        ws: The workspace.
        actor: Who looks.
        titles: What each project is called, by its slug.
    """
    waiting = waiting_threads(ws, actor)
    still_open = {slug: n for slug, n in waiting.open_threads.items() if n}
    if not waiting.threads and not still_open:
        return
    with st.container(border=True, key="tb-card-threads"):
        draw("<div class='tb-eyebrow'>{t}</div>", t=_home_title(waiting))
        if waiting.threads:
            draw(
                "<ul style='list-style:none;margin:.3rem 0 0;padding:0;display:grid;gap:.5rem'>{rows}</ul>",
                rows=join(_waiting_row(w) for w in waiting.threads[:MOST_ON_HOME]),
            )
        if len(waiting.threads) > MOST_ON_HOME:
            caption(_("The first {n} are shown.").format(n=MOST_ON_HOME))
        if still_open:
            _open_line(still_open, titles)


def _open_line(still_open: Mapping[str, int], titles: Mapping[str, str]) -> None:
    """Draw how many threads are open, each project a link to the items they are about."""
    links = (
        fill(
            "<a href='{href}' target='_self'>{title} {n}</a>",
            href=urls.page("items", project=slug, talk="open"),
            title=titles.get(slug, slug),
            n=n,
        )
        for slug, n in sorted(still_open.items())
    )
    draw(
        "<div class='tb-muted tb-small'>{said}: {links}</div>",
        said=many("{n} thread is open", "{n} threads are open", sum(still_open.values())),
        links=Markup(", ".join(links)),
    )


def _home_title(waiting: Waiting) -> str:
    if waiting.mentions:
        return _("You were mentioned ({n})").format(n=waiting.mentions)
    return _("Answers for you") if waiting.threads else _("Threads")


def _waiting_row(waits: WaitingThread) -> Markup:
    excerpt = " ".join(waits.text.split())
    short = excerpt if len(excerpt) <= _EXCERPT else f"{excerpt[:_EXCERPT]}…"
    return fill(
        "<li><a href='{href}' target='_self' style='color:inherit;font-weight:600'>{item}</a> "
        "<span class='tb-small tb-muted'>{project}, {when}</span>"
        "<div class='tb-small' style='overflow-wrap:anywhere'>{who}: {text}</div></li>",
        href=urls.page(
            "items", project=waits.slug, item=str(waits.item_id), thread=str(waits.thread)
        ),
        item=waits.item,
        project=waits.project,
        when=ago(waits.at),
        who=waits.who,
        text=short,
    )
