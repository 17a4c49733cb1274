"""The dialog that asks before many disputes are settled, or rulings overturned, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.consensus.autopsy import Cause
from core.errors import TiebreakError
from core.labels import Answer
from core.services.projects.project import ProjectView
from core.services.review.autopsy_clusters import Cluster
from core.services.review.bulk import bulk_rule
from core.services.review.many import MOST_AT_ONCE, LeftOut
from core.services.review.submission import MAX_REASON
from core.services.workspace import Workspace
from core.ui import states, widgets
from core.ui.dispute_views import close_dialog
from core.ui.text import _, many, mark
from core.ui.theme import draw

LEFT_OUT = "tb-left-out"
_REASONS = {
    Cause.SLIP: mark("Slip of the hand"),
    Cause.GAP: mark("Gap in the guideline"),
    Cause.OVERLAP: mark("Guideline settles it"),
    Cause.AMBIGUOUS: mark("Image unclear"),
    Cause.UNKNOWN: "",
}
Way = tuple[str, str]
"""What to rule: the kind, and the class where it is decide."""


def settle_dialog(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    """Ask what to rule on the disputes of one cause, and rule."""
    title = many("Settle {n} dispute", "Settle {n} disputes", min(cluster.n, MOST_AT_ONCE))
    st.dialog(title, width="medium", on_dismiss=close_dialog)(_settle)(ws, actor, project, cluster)


def ways_of(project: ProjectView, question: str, send_back: str) -> dict[Way, str]:
    """Return what one ruling can do to many: give a class, where the question asks for one; or none."""
    found = next((q for q in project.schema.item_questions if q.key == question), None)
    names = () if found is None or found.several or project.schema.draws else found.open_names
    return {
        **{("decide", n): n for n in names},
        ("neutral", ""): _("No class fits"),
        ("discard", ""): _("Discard the images"),
        ("send-back", ""): send_back,
    }


def answer_of(question: str, way: Way) -> Answer | None:
    """Return the answer a ruling for a class gives; None for the other kinds."""
    return Answer({question: way[1]}) if way[0] == "decide" else None


def _settle(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    chosen = cluster.items[:MOST_AT_ONCE]
    draw("<p class='tb-small'>{t}</p>", t=cluster.words)
    ways = ways_of(project, cluster.question, _("Ask for one more vote on each"))
    options = _first(list(ways), cluster)
    way = st.selectbox(
        _("Ruling"), options, format_func=lambda w: ways[w], key=f"settle.way.{cluster.key}"
    )
    reason = st.text_input(
        _("Reason (required)"), _(_REASONS[Cause(cluster.kind)]) if cluster.clause else "",
        max_chars=MAX_REASON, key=f"settle.reason.{cluster.key}",
        placeholder=_("Why? The reviewers will read it."),
    )  # fmt: skip
    _what_happens(ways[way], len(chosen), cluster.n)
    with st.expander(_("Which items")):
        draw("<div class='tb-small'>{t}</div>", t=", ".join(cluster.names[: len(chosen)]))
    uuid = st.session_state.setdefault(f"settle.uuid.{cluster.key}", new_uuid())

    def do() -> tuple[int, Sequence[LeftOut]]:
        told = bulk_rule(
            ws, actor, project.slug, chosen, way[0], answer_of(cluster.question, way), reason, uuid
        )
        st.session_state.pop(f"settle.uuid.{cluster.key}", None)
        return len(told.saved) + len(told.already), told.left_out

    confirm(many("Settle {n} dispute", "Settle {n} disputes", len(chosen)), do)


def _first(ways: list[Way], cluster: Cluster) -> list[Way]:
    """Return the choices with the favoured class first, then the other of the pair."""
    if Cause(cluster.kind) is Cause.AMBIGUOUS:
        return sorted(ways, key=lambda w: w[0] != "neutral")
    place = {name: n for n, name in enumerate((cluster.favoured, *cluster.pair))}
    return sorted(ways, key=lambda w: place.get(w[1], 9) if w[1] else 9)


def _what_happens(way: str, n: int, total: int) -> None:
    lines = [
        many(
            "{n} item gets a decision of its own", "Each of the {n} items gets a decision of its own", n
        )
        + f": {way}.",
        _("Items whose votes changed since this list was drawn, that are settled already, or that "
          "you voted on are left out, and you are told which."),
        _("You can take it back below under past rulings; the record keeps both."),
    ]  # fmt: skip
    if total > n:
        lines.insert(
            1, _("{m} more stay open: at most {n} are settled at once.").format(m=total - n, n=n)
        )
    for line in lines:
        widgets.caption(line)


def confirm(label: str, do: Callable[[], tuple[int, Sequence[LeftOut]]]) -> None:
    """Draw the button that does it and what became of it; the page is drawn anew afterwards."""
    refusal = st.container()
    with st.container(horizontal=True, gap="small"):
        sure = st.button(label, type="primary", key="tb-confirm-many")
        if st.button(_("Cancel"), key="tb-cancel-many"):
            close_dialog()
            st.rerun()
    if not sure:
        return
    try:
        saved, left = do()
    except TiebreakError as problem:
        with refusal:
            states.say_error(problem)
        return
    close_dialog()
    st.session_state[LEFT_OUT] = tuple(left)
    widgets.flash(many("{n} item ruled on.", "{n} items ruled on.", saved))
    st.rerun()
