"""What to label next on the retrain page: choose a way, look at what it chose, keep it as a list to review."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.errors import TiebreakError
from core.services.analytics.bias import slice_values
from core.services.items.lists import make_list
from core.services.models.next_labels import NextItem, NextLabels, Strategy, next_labels
from core.services.models.promotion import ModelView
from core.ui import states, urls, widgets
from core.ui.behind import Linked, item_cells, item_link
from core.ui.charts import card_head
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import attempt, caption, table

SHOWN = 60
CLASSES = "class"
"""Stands for the classes among the metadata columns."""
MOST_QUOTAS = 12

WAYS: dict[Strategy, tuple[str, str]] = {
    "margin": (
        mark("Least margin"),
        mark("Where the two likeliest classes are closest. A good start."),
    ),
    "least-confident": (
        mark("Least confident"),
        mark("Where the likeliest class is least likely."),
    ),
    "entropy": (mark("Most uncertain overall"), mark("Where many classes are likely.")),
    "cold-then-margin": (
        mark("Typical ones first, then least margin"),
        mark("With few labels one item of each cluster; from 150 labels on, least margin."),
    ),
    "k-centre": (
        mark("As different as possible"),
        mark("Farthest first among the twenty times as many of least margin."),
    ),
    "quota": (
        mark("So many of each class or slice"),
        mark("Classes as the model says them, or values of a metadata column; least margin first."),
    ),
    "disagreement": (mark("Where two models differ"), mark("By how much their answers differ.")),
    "next-minute": (
        mark("Value of the next minute"),
        mark(
            "New labels, second opinions and rulings, by expected errors removed per second of people's time."
        ),
    ),
    "random": (mark("At random"), mark("Honest, and never wasted.")),
}

WHAT = {
    "label": mark("Label"),
    "second opinion": mark("Second opinion"),
    "adjudicate": mark("Rule on it"),
}


def draw_next(page: PageContext, models: Sequence[ModelView]) -> None:
    """Draw what people should look at next by a model's account, and keep it as a list."""
    if not models:
        states.empty(
            _("No model yet"),
            _(
                "What to label next is told by a model's doubts; until then the queue's order counts."
            ),
            _("Label some items of every class and train."),
        )
        return
    if not _one_class(page):
        states.empty(
            _("Ordered in the queue"),
            _("These ways choose by one class an image, which this project does not ask for."),
            _("The review queue brings first what the model was least sure of: Settings, Queue."),
        )
        return
    if not can(page.actor, Action.STEER, Resource(page.project.id if page.project else None)):
        states.no_permission()
        return
    with st.container(border=True):
        card_head(
            _("What to label next"),
            _(
                "Chosen among the items for training; those drawn for certifying and evaluating stay apart."
            ),
        )
        found = _chosen(page, models)
        if found is None:
            return
        if not found.items:
            states.empty(
                _("Nothing to choose"),
                _(
                    "People have labelled every item for training, or what is left is not worth a minute. Import more images, or choose another way."
                ),
            )
            return
        _summary(found)
        _keep(page, found)
        _table(page, found)


def _one_class(page: PageContext) -> bool:
    if page.project is None:
        return False
    asked = page.project.schema.item_questions
    return bool(asked) and not asked[0].several


def _chosen(page: PageContext, models: Sequence[ModelView]) -> NextLabels | None:
    by_id = {str(m.id): _("Model {n}").format(n=m.id) for m in models}
    default = next((m for m in models if m.promoted), models[0])
    one, two, three = st.columns([2, 1, 1], vertical_alignment="bottom")
    with one:
        names = {str(code): _(title) for code, (title, _about) in WAYS.items()}
        way = choose(_("By"), "by", names, "margin")
    with two:
        model = int(choose(_("Model"), "model", by_id, str(default.id)))
    with three:
        count = int(st.number_input(_("How many"), 1, 5000, 100, 10, key="next.count"))
    strategy: Strategy = next(s for s in WAYS if s == way)
    caption(_(WAYS[strategy][1]))
    quota, column = _quota(page, count) if strategy == "quota" else (None, None)
    other = None
    if strategy == "disagreement":
        others = {k: v for k, v in by_id.items() if int(k) != model}
        if not others:
            states.empty(_("Another model is needed"), _("Disagreement is between two models."))
            return None
        other = int(choose(_("And"), "other", others, next(iter(others))))
    try:
        with st.spinner(_("Choosing…")):
            return next_labels(
                page.ws, page.actor, page.slug, model, strategy, count, quota=quota, other_id=other,
                column=column,
            )  # fmt: skip
    except TiebreakError as problem:
        states.error(problem, inline=True)
        return None


def _quota(page: PageContext, count: int) -> tuple[dict[str, int], str | None]:
    """Return how many of which, and the metadata column they are values of; None for classes."""
    columns = slice_values(page.ws, page.actor, page.slug)
    titles = {CLASSES: _("Classes"), **{name: name for name in columns}}
    left, right = st.columns([1, 2])
    with left:
        of = choose(_("Of each"), "of", titles, CLASSES)
    column = None if of == CLASSES else of
    names = (
        columns[column] if column else page.project.schema.main.open_names if page.project else ()
    )
    with right:
        chosen = st.multiselect(
            _("Which"), list(names), default=list(names[:MOST_QUOTAS]), key=f"next.quota.{of}",
            help=_("The number is shared evenly among them; what is left over is filled up by margin."),
        )  # fmt: skip
    return {name: -(-count // max(1, len(chosen))) for name in chosen}, column


def _summary(found: NextLabels) -> None:
    text = _("{n} of {all} items.").format(n=f"{len(found.items):,}", all=f"{found.pool:,}")
    if found.drawn:
        text += " " + many(
            "{n} of them is drawn at random, for an honest look at everything.",
            "{n} of them are drawn at random, for an honest look at everything.",
            found.drawn,
        )
    kinds = {w: sum(i.what == w for i in found.items) for w in WHAT}
    if sum(n > 0 for n in kinds.values()) > 1:
        widgets.chips({f"{_(WHAT[w])}: {n:,}": "" for w, n in kinds.items() if n})
    caption(text)


def _keep(page: PageContext, found: NextLabels) -> None:
    with (
        st.popover(_("Keep as a list to review"), icon=":material/playlist_add:"),
        st.form("next.list", border=False),
    ):
        caption(_("A list can be reviewed on its own from the Items page or the review queue."))
        name = st.text_input(_("Name of the list"))
        if st.form_submit_button(_("Keep"), type="primary"):
            ids = [i.item_id for i in found.items]
            attempt(
                lambda: make_list(page.ws, page.actor, page.slug, name, ids), _("The list is kept.")
            )


def _table(page: PageContext, found: NextLabels) -> None:
    shown = found.items[:SHOWN]
    if any(i.what != "label" or i.why for i in shown):
        head = (_("Image"), _("Item"), _("State"), _("What"), _("Why"))
        with st.container(height=460 if len(shown) > 6 else "content", border=False):
            table(head, [_row(page, i) for i in shown], _("What to label next"))
    else:
        draw("<ul class='tb-gallery'>{all}</ul>", all=join(_card(page, i) for i in shown))
    if len(found.items) > SHOWN:
        caption(_("The first {n} are shown.").format(n=SHOWN))


def _row(page: PageContext, item: NextItem) -> list[Markup | str]:
    cells = item_cells(page, Linked(item.item_id, item.name, item.image, item.state), "")
    return [*cells, _(WHAT[item.what]), item.why]


def _card(page: PageContext, item: NextItem) -> Markup:
    return fill(
        "<li><a href='{href}' target='_self'><img src='{src}' alt='' loading='lazy'><b>{name}</b></a>"
        "<span class='tb-muted tb-small'>{note}</span></li>",
        href=item_link(page, item.item_id, item.state), src=urls.path(item.image + "&w=400"),
        name=item.name, note=_("at random") if item.by_chance else widgets.state_name(item.state),
    )  # fmt: skip
