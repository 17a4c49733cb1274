"""The queue plan in settings: a lead edits order, shares and boosts, and puts them in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple

import streamlit as st

from core.errors import InputError
from core.services.items.lists import list_lists
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import (
    BOOST_KINDS,
    LONGEST_ONBOARDING,
    ORDERS,
    PeopleChecks,
    PlanView,
    get_queue_plan,
    new_plan,
    plan_in_words,
    set_queue_plan,
)
from core.ui.shell import PageContext
from core.ui.states import say_error
from core.ui.text import _, mark
from core.ui.theme import draw
from core.ui.widgets import attempt, caption, section

ORDER_NAMES = {
    "least-confident": mark("Least confident first"),
    "most-disputed": mark("Most disputed first"),
    "most-representative": mark("Most typical of the whole set first"),
    "random": mark("In a random order"),
    "oldest": mark("In the order they were imported"),
}
KIND_NAMES = {
    "class": mark("A predicted class"),
    "slice": mark("A slice by metadata"),
    "list": mark("A hand-picked list"),
    "items": mark("Single items"),
}
BoostRow = tuple[str, str, str, int]


def queue_settings(page: PageContext, project: ProjectView, steers: bool) -> None:
    """Draw the plan in force, and for who steers the project what changes it."""
    view = get_queue_plan(page.ws, page.actor, project.slug)
    lists = {made.id: made.name for made in list_lists(page.ws, page.actor, project.slug)}
    section(
        _("What people see next in {project}").format(project=project.title),
        _("Version {n} is in force.").format(n=view.version)
        if view.version
        else _("The plan every project starts with is in force."),
    )
    if not steers:
        draw("<p>{t}</p>", t=plan_in_words(view.plan, lists))
        return
    key = f"queue.{project.slug}.{view.version}"
    left, right = st.columns([1, 1], gap="large")
    with left:
        order, blind, wrong = _order_and_shares(view, key)
        people = _people(view, key)
        boosts = _boosts(project, view, lists, key)
    with right:
        _preview(page, project, view, lists, (order, blind, wrong, boosts, people))


def _order_and_shares(view: PlanView, key: str) -> tuple[str, float, float]:
    order = st.selectbox(
        _("What comes first"),
        ORDERS,
        ORDERS.index(view.plan.order),
        format_func=lambda o: _(ORDER_NAMES[o]),
        key=f"{key}.order",
        help=_("Who reviews may ask for another order in the address of the page."),
    )
    blind = st.slider(
        _("Items shown without what the model proposes, in %"),
        0, 100, round(view.plan.blind_share * 100), key=f"{key}.blind",
        help=_("These answers tell how much the proposal pulls on people."),
    )  # fmt: skip
    wrong = st.slider(
        _("Tiles of a grid known to be wrong, in %"),
        0, 50, round(view.plan.known_wrong_share * 100), key=f"{key}.wrong",
        help=_("Mixed in unseen, they tell how much people overlook."),
    )  # fmt: skip
    # A share set elsewhere to a part of a percent stays what it is until somebody moves it.
    now = view.plan
    return (
        str(order),
        now.blind_share if blind == round(now.blind_share * 100) else blind / 100,
        now.known_wrong_share if wrong == round(now.known_wrong_share * 100) else wrong / 100,
    )


def _people(view: PlanView, key: str) -> PeopleChecks:
    """Return how people are tested: gold and repeats among their items, onboarding, the target."""
    now = view.plan
    with st.expander(_("Gold, repeats and onboarding"), expanded=bool(now.gold_share)):
        gold = _share(_("Gold among what a person is handed, in %"), now.gold_share, 50, f"{key}.gold",
                      _("Items with a known answer, unrecognisable; their answers are no votes. 5 to 10 % are usual."))  # fmt: skip
        repeat = _share(_("Items asked a second time, in %"), now.repeat_share, 20, f"{key}.repeat",
                        _("A day later or more, without a trace of the first answer."))  # fmt: skip
        target = _share(_("Accuracy below which a person is paused, in %"), now.target, 100, f"{key}.target",
                        _("Only where it is almost sure (95 %), on ten answers to gold at least."))  # fmt: skip
        first = st.number_input(
            _("Gold items before a person's first vote"), 0, LONGEST_ONBOARDING, now.onboarding,
            key=f"{key}.onboarding", help=_("0 for no onboarding."),
        )  # fmt: skip
        mark_of, feedback = now.pass_mark, now.feedback
        if first:
            mark_of = _share(_("Of these to be right, in %"), mark_of, 100, f"{key}.pass", "")
            feedback = st.toggle(
                _("Tell the right answer after each of them"), feedback, key=f"{key}.feedback"
            )
    return PeopleChecks(gold, repeat, int(first), mark_of, target, bool(feedback))


def _share(name: str, now: float, most: int, key: str, told: str) -> float:
    """Draw a share in percent; one set elsewhere to a part of a percent stays until it is moved."""
    shown = st.slider(name, 0, most, round(now * 100), key=key, help=told or None)
    return now if shown == round(now * 100) else shown / 100


# --- boosts -----------------------------------------------------------------------------------


def _boosts(
    project: ProjectView, view: PlanView, lists: Mapping[int, str], key: str
) -> list[BoostRow]:
    draft: list[BoostRow] = st.session_state.setdefault(
        f"{key}.draft", [astuple(b) for b in view.plan.boosts]
    )
    kept = st.multiselect(
        _("Sooner or later than the order says"),
        draft,
        default=draft,
        format_func=lambda b: _boost_text(b, lists),
        key=f"{key}.kept.{len(draft)}",
        placeholder=_("Nothing is moved"),
    )
    with st.expander(_("Move something sooner or later")):
        _add_boost(project, lists, draft, key)
    return list(kept)


def _boost_text(boost: BoostRow, lists: Mapping[int, str]) -> str:
    kind, column, value, level = boost
    if kind == "slice":
        value = f"{column}: {value}"
    elif kind == "list" and value.isdigit():
        value = lists.get(int(value), value)
    return f"{level:+d} · {value}"


def _add_boost(
    project: ProjectView, lists: Mapping[int, str], draft: list[BoostRow], key: str
) -> None:
    kind = st.selectbox(
        _("What"), BOOST_KINDS, format_func=lambda k: _(KIND_NAMES[k]), key=f"{key}.add.kind"
    )
    with st.form(f"{key}.add.{kind}", border=False, clear_on_submit=True):
        column, value = _boost_target(project, lists, str(kind), f"{key}.add")
        level = st.select_slider(
            _("How much"), [n for n in range(-5, 6) if n], 3, key=f"{key}.add.level",
            help=_("Above 0 comes before all others, below 0 after all others."),
        )  # fmt: skip
        if not st.form_submit_button(_("Add"), icon=":material/add:", key=f"{key}.add.go"):
            return
    row = (str(kind), column, value, int(level))
    try:
        new_plan(ORDERS[0], 0.0, 0.0, [row])
    except InputError as problem:
        say_error(problem)
        return
    # The same thing moved twice: the newer level counts.
    st.session_state[f"{key}.draft"] = [*(b for b in draft if b[:3] != row[:3]), row]
    st.rerun()


def _boost_target(
    project: ProjectView, lists: Mapping[int, str], kind: str, key: str
) -> tuple[str, str]:
    """Return the column and the value that name what is moved."""
    if kind == "class":
        names = [c.name for c in project.schema.main.open_classes]
        return "", str(st.selectbox(_("Class"), names, key=f"{key}.class") or "")
    if kind == "list":
        if not lists:
            caption(_("There is no list yet; make one under Items."))
        chosen = st.selectbox(
            _("List"), list(lists), format_func=lambda i: lists[i], key=f"{key}.list"
        )
        return "", str(chosen or "")
    if kind == "slice":
        column = st.text_input(_("Metadata column"), key=f"{key}.column")
        return column.strip(), st.text_input(_("Value"), key=f"{key}.value")
    return "", st.text_input(_("Item numbers"), key=f"{key}.items", placeholder=_("12, 57, 130"))


# --- preview and publishing -------------------------------------------------------------------


def _preview(
    page: PageContext,
    project: ProjectView,
    view: PlanView,
    lists: Mapping[int, str],
    fields: tuple[str, float, float, list[BoostRow], PeopleChecks],
) -> None:
    try:
        plan = new_plan(*fields)
    except InputError as problem:
        say_error(problem)
        return
    changed = plan != view.plan
    with st.container(border=True):
        head = _("What you are about to put in force") if changed else _("What is in force now")
        draw(
            "<div class='tb-eyebrow'>{h}</div><p style='line-height:1.6;margin:.5rem 0 0'>{t}</p>",
            h=head,
            t=plan_in_words(plan, lists),
        )
    if not changed:
        return
    with st.form(f"queue.{project.slug}.adopt", border=False):
        reason = st.text_input(
            _("Why (required)"),
            key=f"queue.{project.slug}.reason",
            placeholder=_("Kept in the record"),
        )
        caption(_("People get their next items by it; what they hold already stays with them."))
        if st.form_submit_button(_("Put in force"), type="primary", key="queue.adopt"):
            attempt(
                lambda: set_queue_plan(page.ws, page.actor, project.slug, plan, reason),
                _("The new plan is in force."),
            )
