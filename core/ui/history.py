"""What was put in force when, by whom and why, with what it changed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Actor
from core.services.steering.history import VersionEntry, project_history
from core.services.workspace import Workspace
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption, section, when

WHAT = {
    "schema": mark("Classes"),
    "policy": mark("Policy"),
    "guideline": mark("Guideline"),
    "queue": mark("Queue plan"),
}
PAGE = 20
LINES = 40


def history_view(ws: Workspace, actor: Actor, slug: str) -> None:
    """Draw the versions of a project's documents, the newest first."""
    section(_("History"), _("Nothing is overwritten: each version stays, with its reason."))
    found = project_history(ws, actor, slug)
    chosen = st.segmented_control(
        _("Show"), list(WHAT), format_func=lambda w: _(WHAT[w]), selection_mode="multi",
        key=f"history.{slug}.what", label_visibility="collapsed",
    )  # fmt: skip
    listed = [e for e in found if not chosen or e.what in chosen]
    key = f"history.{slug}.shown"
    shown = int(st.session_state.get(key, PAGE))
    draw(
        "<div class='tb-history'>{all}</div>",
        all=join(_entry(e) for e in listed[:shown]),
    )
    if len(listed) > shown and st.button(_("Show earlier ones"), key=f"{key}.more"):
        st.session_state[key] = shown + PAGE
        st.rerun()
    if not listed:
        caption(_("Nothing of that kind yet."))


def _entry(entry: VersionEntry) -> Markup:
    return fill(
        "<div class='tb-version'><div><b>{what} {n}</b> "
        "<span class='tb-muted tb-small'>{at}{by}</span></div><div>{reason}</div>{changes}</div>",
        what=_(WHAT[entry.what]),
        n=entry.version,
        at=when(entry.at),
        by=f" · {entry.by}" if entry.by else "",
        reason=f"“{entry.reason}”",
        changes=_changes(entry.changes),
    )


def _changes(lines: Sequence[str]) -> Markup:
    if not lines:
        return Markup()
    body = join(fill("<div class='{c}'>{t}</div>", c=_look(line), t=line) for line in lines[:LINES])
    more = len(lines) - LINES
    rest = fill("<div class='tb-muted'>{t}</div>", t=many("and {n} more", "and {n} more", more))
    return fill(
        "<div class='tb-diff'>{body}{rest}</div>", body=body, rest=rest if more > 0 else Markup()
    )


def _look(line: str) -> str:
    return {"+": "tb-added", "-": "tb-gone"}.get(line[:1], "")
