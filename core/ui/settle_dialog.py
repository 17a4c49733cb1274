"""The dialog that asks before many disputes are settled, or rulings overturned, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.consensus.autopsy import Cause
from core.errors import TiebreakError
from core.labels import Answer, Question
from core.services.projects.project import ProjectView
from core.services.review.autopsy_clusters import Cluster
from core.services.review.autopsy_record import answer_for
from core.services.review.bulk import bulk_rule
from core.services.review.many import MOST_AT_ONCE, LeftOut
from core.services.workspace import Workspace
from core.ui import states, urls, widgets
from core.ui.dispute_views import close_dialog
from core.ui.reasons import reason_field
from core.ui.text import _, many
from core.ui.theme import draw, fill, join

LEFT_OUT = "tb-left-out"
Way = tuple[str, str]
"""What to rule: the kind, and the answer in words where it is decide."""


def settle_dialog(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    """Ask what to rule on the disputes of one cause, and rule."""
    title = many("Settle {n} dispute", "Settle {n} disputes", min(cluster.n, MOST_AT_ONCE))
    st.dialog(title, width="medium", on_dismiss=close_dialog)(_settle)(ws, actor, project, cluster)


def ways_of(
    project: ProjectView, question: str, send_back: str, named: Sequence[str] = ()
) -> dict[Way, str]:
    """Return what one ruling can do to many: give an answer, where a class can be one; or none.

    Args:
        project: The project.
        question: Key of the question the ruling answers.
        send_back: What asking for more votes is called.
        named: Answers to offer where a question takes several classes; no list holds all sets.
    """
    asked = question_of(project, question)
    names = () if asked is None else named if asked.several else asked.open_names
    return {
        **{("decide", n): n for n in names if answer_of(project, question, ("decide", n))},
        ("neutral", ""): _("No class fits"),
        ("discard", ""): _("Discard the images"),
        ("send-back", ""): send_back,
    }


def question_of(project: ProjectView, key: str) -> Question | None:
    """Return the question of a key; None where what is asked for is drawn."""
    asked = () if project.schema.draws else project.schema.item_questions
    return next((q for q in asked if q.key == key), None)


def answer_of(project: ProjectView, key: str, way: Way) -> Answer | None:
    """Return the answer a ruling gives; None for the kinds without."""
    asked = question_of(project, key)
    return answer_for(asked, way[1]) if asked is not None and way[0] == "decide" else None


def why_not_all(project: ProjectView, key: str) -> str:
    """Return what one ruling on many cannot answer, and what to do instead; empty if it can all."""
    asked = question_of(project, key)
    if asked is None:
        return _("What is drawn lies elsewhere on each image, so no answer is offered for all: "
                 "to decide for one, open each.")  # fmt: skip
    if asked.several:
        return _(
            "Only the sets of classes these items are between are offered; for any other, open each."
        )
    return ""


def _settle(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    chosen = cluster.items[:MOST_AT_ONCE]
    draw("<p class='tb-small'>{t}</p>", t=cluster.words)
    named = (cluster.favoured, *(p for p in cluster.pair if p != cluster.favoured))
    ways = ways_of(project, cluster.question, _("Ask for one more vote on each"), named)
    options = _first(list(ways), cluster)
    way = st.selectbox(
        _("Ruling"), options, format_func=lambda w: ways[w], key=f"settle.way.{cluster.key}"
    )
    reason = reason_field(f"settle.reason.{cluster.key}")
    _what_happens(ways[way], len(chosen), cluster.n)
    for line in (why_not_all(project, cluster.question), _of_the_rest(project, cluster, way)):
        if line:
            widgets.caption(line)
    _looks(cluster, len(chosen))
    with st.expander(_("Which items")):
        draw("<div class='tb-small'>{t}</div>", t=", ".join(cluster.names[: len(chosen)]))
    uuid = st.session_state.setdefault(f"settle.uuid.{cluster.key}", new_uuid())

    def do() -> tuple[int, Sequence[LeftOut]]:
        told = bulk_rule(
            ws, actor, project.slug, chosen, way[0],
            answer_of(project, cluster.question, way), reason, uuid,
        )  # fmt: skip
        st.session_state.pop(f"settle.uuid.{cluster.key}", None)
        return len(told.saved) + len(told.already), told.left_out

    confirm(many("Settle {n} dispute", "Settle {n} disputes", len(chosen)), do)


def _looks(cluster: Cluster, n: int) -> None:
    """Show how far the images are apart: those least like the others, the least first."""
    if cluster.likeness is None or n < 2:
        return
    widgets.caption(
        _("The images least like the others; the least has {cosine} in common with their middle (1 is "
          "the same). Look at each that does not belong.").format(cosine=f"{cluster.likeness:.2f}")
    )  # fmt: skip
    tiles = join(
        fill(
            "<img class='tb-thumb' src='{src}' alt='{name}' title='{name}' loading='lazy'>",
            src=urls.path(f"{cluster.images[place]}&w=200"),
            name=cluster.names[place],
        )
        for place in cluster.far
        if place < n
    )
    draw("<div class='tb-strip'>{tiles}</div>", tiles=tiles)


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


def _of_the_rest(project: ProjectView, cluster: Cluster, way: Way) -> str:
    """Return what an answer to one question makes of the others."""
    if way[0] != "decide" or len(project.schema.item_questions) < 2:
        return ""
    others = ", ".join(
        _("“{question}”").format(question=_(q.title))
        for q in project.schema.item_questions
        if q.key != cluster.question
    )
    return _("{questions}: answered as most votes on each item say; an item without a majority there is "
             "left out.").format(questions=others)  # fmt: skip


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
