"""Home: what to do next, and where each project stands."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.access import Action, Actor, Resource, can, can_anywhere
from core.services.analytics.home import HomeProject, HomeView, home
from core.ui import states, threads
from core.ui.new_project import TASKS, may_create, new_project
from core.ui.shell import PageContext, go, open_page
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill
from core.ui.weekly import report_button
from core.ui.widgets import duration, fact, figure, number, state_bar
from core.ui.zones import reader_zone

# In the session: whether the form for a new project is open. No docstring: a page would show it.
MAKING = "home.making"


@dataclass(frozen=True, slots=True)
class Step:
    """The one thing to do next."""

    title: str
    text: str
    button: str
    page: str
    slug: str | None = None


def main() -> None:
    """Draw the page."""
    page = open_page(_("Home"), None, needs_project=False, header=False)
    view = home(page.ws, page.actor, reader_zone())
    first_name = page.actor.display_name.split(" ")[0]
    _head(page, _("Hello, {name}").format(name=first_name), bare=not view.projects)
    step = next_step(page.actor, view)
    if step is not None:
        _draw_step(step)
    titles = {p.project.slug: p.project.title for p in view.projects}
    threads.home_box(page.ws, page.actor, titles)
    if not view.projects:
        states.empty(
            _("No project yet"),
            _("A project shows up here as soon as you have a role in it."),
            _("An admin gives roles under People."),
        )
    for project in sorted(view.projects, key=_has_no_work):
        _card(page, project)


def _head(page: PageContext, title: str, bare: bool) -> None:
    """Draw the title, and for who may make projects the button beside it and what it opens."""
    if not may_create(page.actor):
        draw("<div class='tb-header'><h1>{t}</h1></div>", t=title)
        return
    is_open = st.session_state.get(MAKING, bare)
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        draw("<div class='tb-header'><h1>{t}</h1></div>", t=title)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            _("Close") if is_open else _("New project"),
            key="home.new",
            icon=":material/close:" if is_open else ":material/add:",
            on_click=lambda: st.session_state.update({MAKING: not is_open}),
        )
    if is_open:
        with st.container(border=True, key="tb-card-new"):
            draw("<div class='tb-eyebrow'>{t}</div>", t=_("New project"))
            new_project(page.ws, page.actor, "home", made=lambda: st.session_state.pop(MAKING, 0))


# --- the next step ----------------------------------------------------------------------------


def next_step(actor: Actor, view: HomeView) -> Step | None:
    """Return what this person does best next: break ties, review, fill a project, read figures."""
    return (
        _disputes(actor, view)
        or _reviews(actor, view)
        or _fill(actor, view)
        or _read(actor, view)
        or _manage(actor)
    )


def _disputes(actor: Actor, view: HomeView) -> Step | None:
    mine = [p for p in view.projects if p.disputes and _may(actor, Action.ADJUDICATE, p)]
    most = max(mine, key=lambda p: p.disputes, default=None)
    if most is None:
        return None
    title = many("{n} dispute waits for a lead", "{n} disputes wait for a lead", most.disputes)
    text = _("In {project}, votes differ or somebody raised a flag.")
    return Step(
        title,
        text.format(project=most.project.title),
        _("Adjudicate"),
        "adjudicate",
        most.project.slug,
    )


def _reviews(actor: Actor, view: HomeView) -> Step | None:
    mine = [p for p in view.projects if p.my_waiting and _may(actor, Action.VOTE, p)]
    most = max(mine, key=lambda p: p.my_waiting, default=None)
    if most is None:
        return None
    title = many("{n} image waits for your eyes", "{n} images wait for your eyes", most.my_waiting)
    text = _("In {project}, the most doubtful first. You have answered {n} today.")
    said = text.format(project=most.project.title, n=f"{most.my_done_today:,}")
    return Step(title, said, _("Start reviewing"), "review", most.project.slug)


def _fill(actor: Actor, view: HomeView) -> Step | None:
    bare = [p for p in view.projects if not p.n_items and _may(actor, Action.EXCHANGE, p)]
    # An empty project can wait while people are at work in another.
    if not bare or any(p.n_items > _done(p) for p in view.projects):
        return None
    title = _("{project} has no images yet").format(project=bare[0].project.title)
    text = _("Bring a folder, an archive or an annotation set; nothing else is needed to begin.")
    return Step(title, text, _("Import"), "datasets", bare[0].project.slug)


def _read(actor: Actor, view: HomeView) -> Step | None:
    seen = [p for p in view.projects if p.n_items and _may(actor, Action.SEE_FIGURES, p)]
    if not seen:
        return None
    largest = max(seen, key=lambda p: p.n_items)
    share = _done(largest) / largest.n_items
    title = _("{project} is {share} settled").format(
        project=largest.project.title, share=number(share, "%", 0)
    )
    text = _("How good the labels are, of the model and of people, each figure with its interval.")
    return Step(title, text, _("See quality"), "quality", largest.project.slug)


def _manage(actor: Actor) -> Step | None:
    if not can_anywhere(actor, Action.MANAGE_PEOPLE):
        return None
    text = _("Give people accounts and roles; then they find their work here.")
    return Step(_("Set the team up"), text, _("People"), "people")


def _draw_step(step: Step) -> None:
    with st.container(key="tb-step"):
        left, right = st.columns([5, 2], vertical_alignment="center")
        with left:
            draw(
                "<div class='tb-eyebrow'>{e}</div><div class='tb-step-title'>{t}</div><div class='tb-muted'>{x}</div>",
                e=_("Next for you"),
                t=step.title,
                x=step.text,
            )
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            if st.button(
                step.button, type="primary", icon=":material/arrow_forward:", key="home.next"
            ):
                go(step.page, step.slug)


# --- one card a project -----------------------------------------------------------------------


def _card(page: PageContext, row: HomeProject) -> None:
    actor = page.actor
    with st.container(border=True, key=f"tb-card-{row.project.slug}"):
        _card_head(row)
        _standing(row)
        if not row.n_items:
            draw("<div class='tb-muted'>{t}</div>", t=_("No images yet."))
        else:
            state_bar(row.counts)
            _card_figures(actor, row)
        _card_buttons(page, row)


def _card_head(row: HomeProject) -> None:
    simulated = Markup()
    if row.project.simulated:
        simulated = fill("<span class='tb-chip tb-chip-warn'>{t}</span>", t=_("Simulated data"))
    draw(
        "<div class='tb-card-head'><span class='tb-card-title'>{title}</span>{simulated}"
        "<span class='tb-muted tb-small'>{task} · {n}</span><span class='tb-card-share tb-num'>{share}</span></div>",
        title=row.project.title,
        simulated=simulated,
        task=_(TASKS[row.project.task]),
        n=many("{n} image", "{n} images", row.n_items),
        share=_("{share} settled").format(share=number(_done(row) / row.n_items, "%", 0))
        if row.n_items
        else "",
    )


def _standing(row: HomeProject) -> None:
    """Say why I may not review here, and to who steers, who waits to be let go on."""
    if row.refusal:
        _banner(row.refusal)
    if row.stopped:
        text = many(
            "{n} person is paused or did not pass the onboarding, and waits for you.",
            "{n} people are paused or did not pass the onboarding, and wait for you.",
            row.stopped,
        )
        _banner(text)
        if st.button(_("Look at the team"), key=f"home.{row.project.slug}.team"):
            go("team", row.project.slug)


def _banner(text: str) -> None:
    draw(
        "<div class='tb-banner' role='status'><i class='tb-icon' aria-hidden='true'>pause_circle</i>"
        "<span>{t}</span></div>",
        t=text,
    )


def _card_figures(actor: Actor, row: HomeProject) -> None:
    shown: list[tuple[str, float | None, str]] = []
    if _may(actor, Action.VOTE, row):
        shown.append((_("Waiting for me"), row.my_waiting, ""))
        shown.append(
            (_("Answered today"), row.my_done_today, _("{n} in all").format(n=f"{row.my_votes:,}"))
        )
    if _may(actor, Action.SEE_FIGURES, row):
        shown.append((_("In dispute"), row.disputes, ""))
        shown.append((_("Jobs running"), row.running_jobs, ""))
    columns = st.columns(max(len(shown) + 1, 4))
    for column, (label, value, note) in zip(columns, shown, strict=False):
        with column:
            figure(label, value, note=note)
    if _may(actor, Action.VOTE, row) and row.my_waiting:
        with columns[len(shown)]:
            pace = None if row.eta_hours is None else duration(row.eta_hours * 3600)
            fact(_("Time left for me"), pace, _("at my own median pace"))


def _card_buttons(page: PageContext, row: HomeProject) -> None:
    actor = page.actor
    wanted = (
        (Action.VOTE, "review", _("Review"), bool(row.n_items)),
        (Action.ADJUDICATE, "adjudicate", _("Adjudicate"), bool(row.disputes)),
        (Action.SEE_FIGURES, "quality", _("Quality"), bool(row.n_items)),
        (Action.EXCHANGE, "datasets", _("Datasets"), True),
        (Action.SEE_OWN, "settings", _("Guideline"), not _may(actor, Action.STEER, row)),
    )
    with st.container(horizontal=True, gap="small"):
        for action, key, label, useful in wanted:
            slug = row.project.slug
            if useful and _may(actor, action, row) and st.button(label, key=f"home.{slug}.{key}"):
                go(key, slug)
        if row.n_items and _may(actor, Action.SEE_FIGURES, row):
            report_button(page.ws, actor, row.project.slug)


def _has_no_work(row: HomeProject) -> bool:
    return not (row.my_waiting or row.disputes or row.running_jobs)


def _done(row: HomeProject) -> int:
    return sum(n for state, n in row.counts.items() if state not in ("open", "dispute"))


def _may(actor: Actor, action: Action, row: HomeProject) -> bool:
    return can(actor, action, Resource(row.project.id))


main()
