"""The frame around every page: who is looking, at which project, what they may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.access import Action, Actor, Resource, Role, can, can_anywhere
from core.errors import NotFound
from core.services.accounts.people import has_people
from core.services.projects.project import ProjectView, get_project, list_projects
from core.services.workspace import Workspace, current_workspace
from core.ui import identity, states, urls, widgets
from core.ui.text import _, mark, use_language
from core.ui.theme import draw, inject_style
from core.web import routes_live

PAGES = Path(__file__).resolve().parents[2] / "pages"
ICON = Path(__file__).with_name("icon.svg")
PROJECT = "tiebreak.project"
PICKER = "tiebreak.picker"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; `action` None means everyone who is signed in.

    Attributes:
        own_title: What it is called for who sees nobody's figures but their own; empty for the same.
    """

    key: str
    title: str
    icon: str
    section: str
    action: Action | None
    own_title: str = ""


ENTRIES = (
    Entry("home", mark("Home"), "home", mark("Work"), None),
    Entry("review", mark("Review"), "rate_review", mark("Work"), Action.VOTE),
    Entry("grid", mark("Grid"), "grid_view", mark("Work"), Action.VOTE),
    Entry("adjudicate", mark("Adjudicate"), "balance", mark("Work"), Action.ADJUDICATE),
    Entry("items", mark("Items"), "image_search", mark("Work"), Action.SEE_IMAGE),
    Entry("quality", mark("Quality"), "verified", mark("Figures"), Action.SEE_FIGURES),
    Entry("suspicious", mark("Suspicious labels"), "report", mark("Figures"), Action.SEE_FIGURES),
    Entry("throughput", mark("Throughput"), "speed", mark("Figures"), Action.SEE_FIGURES),
    Entry("bias", mark("Bias"), "tune", mark("Figures"), Action.SEE_FIGURES),
    Entry("team", mark("Team"), "groups", mark("Figures"), Action.SEE_OWN, mark("My numbers")),
    Entry("retrain", mark("Retrain"), "model_training", mark("Model and data"), Action.TRAIN),
    Entry("datasets", mark("Datasets"), "database", mark("Model and data"), Action.EXCHANGE),
    Entry("settings", mark("Settings"), "settings", mark("Set-up"), None),
    Entry("people", mark("People"), "group", mark("Set-up"), Action.MANAGE_PEOPLE),
)

ROLE_NAMES = {
    Role.EXPERT: mark("Expert"),
    Role.LEAD: mark("Lead"),
    Role.MANAGER: mark("Manager"),
    Role.ADMIN: mark("Admin"),
    Role.WORKER: mark("Worker"),
}


@dataclass(frozen=True, slots=True)
class PageContext:
    """What a page works with once it is open.

    Attributes:
        ws: The workspace.
        actor: Who is looking.
        project: The chosen project, its items not counted; None only on pages that need none.
    """

    ws: Workspace
    actor: Actor
    project: ProjectView | None

    @property
    def slug(self) -> str:
        """Return the chosen project's slug.

        Raises:
            NotFound: No project is chosen.
        """
        if self.project is None:
            raise NotFound("No project is chosen.", "Choose one on the left.")
        return self.project.slug


# --- the whole app ----------------------------------------------------------------------------


def main() -> None:
    """Draw the app: frame, navigation, and the page the address names."""
    st.set_page_config(
        "Tiebreak",
        str(ICON),
        layout="wide",
        initial_sidebar_state=248,
        # With one entry of ours the menu appears, and with it the choice of light or dark.
        menu_items={"About": "**Tiebreak** · the model proposes, people correct, votes settle."},
    )
    inject_style()
    with states.boundary():
        if st.context.url and not routes_live():
            states.routes_missing()
            return
        ws, actor = current_workspace(), identity.current_actor()
        use_language(actor.language)
        chosen = st.navigation(_pages_for(actor), expanded=True)
        st.set_page_config(f"{chosen.title} · Tiebreak")
        if actor.person_id:
            with st.sidebar:
                draw("<div class='tb-brand'><i class='tb-mark'></i>Tiebreak</div>")
                _pick_project(list_projects(ws, actor, counted=False))
                _account(actor)
        widgets.show_flash()
        chosen.run()


def open_page(
    title: str,
    action: Action | None,
    needs_project: bool = True,
    subtitle: str = "",
    header: bool = True,
) -> PageContext:
    """Guard a page and return what it works with; every page calls this first.

    Whoever may not enter sees why, and the script ends there.

    Args:
        title: The page's name in the reader's language.
        action: What one must be allowed to do; None: to be signed in.
        needs_project: Whether the page is about one project.
        subtitle: A sentence below the title.
        header: Whether to draw the title (the review page wants the room).
    """
    ws, actor = current_workspace(), identity.current_actor()
    if not (actor.person_id and actor.active):
        _welcome(ws)
        st.stop()
    project = current_project(ws, actor) if needs_project else None
    if needs_project and project is None:
        _no_project(actor)
        st.stop()
    if action is not None and not _may(actor, action, project):
        states.no_permission()
        st.stop()
    if header:
        widgets.page_header(title, subtitle, project)
    return PageContext(ws, actor, project)


def current_project(ws: Workspace, actor: Actor) -> ProjectView | None:
    """Return the project the address names, else the last one chosen, else the first; None without any.

    Raises:
        NotFound: The address names a project that is not there for this person.
    """
    slug = st.query_params.get("project")
    if slug:
        return get_project(ws, actor, slug, counted=False)
    open_to_me = {p.slug: p for p in list_projects(ws, actor, counted=False)}
    kept = open_to_me.get(str(st.session_state.get(PROJECT)))
    return kept or next(iter(open_to_me.values()), None)


def go(key: str, project: str | None = None, **params: str) -> None:
    """Leave for another page, keeping or changing the project."""
    if project:
        st.session_state[PROJECT] = project
        params["project"] = project
    st.switch_page(f"pages/{key}.py", query_params=params)


def role_names(roles: Sequence[Role]) -> str:
    """Return the roles as a reader's list, most ordinary first."""
    order = list(ROLE_NAMES)
    return ", ".join(_(ROLE_NAMES[r]) for r in sorted(set(roles), key=order.index))


def _may(actor: Actor, action: Action, project: ProjectView | None) -> bool:
    if project is None:
        return can_anywhere(actor, action)
    return can(actor, action, Resource(project.id))


def _pages_for(actor: Actor) -> dict[str, list[st.Page]]:
    sections: dict[str, list[st.Page]] = {}
    for entry in ENTRIES:
        seen = bool(actor.person_id) and (entry.action is None or can_anywhere(actor, entry.action))
        page = st.Page(
            PAGES / f"{entry.key}.py",
            title=_(_title(entry, actor)),
            icon=f":material/{entry.icon}:",
            url_path=None if entry.key == "home" else entry.key,
            default=entry.key == "home",
            # Hidden, not absent: a link to it then explains itself instead of "not found".
            visibility="visible" if seen else "hidden",
        )
        sections.setdefault(_(entry.section), []).append(page)
    return sections


def _title(entry: Entry, actor: Actor) -> str:
    own = entry.own_title and not can_anywhere(actor, Action.SEE_FIGURES)
    return entry.own_title if own else entry.title


def _pick_project(projects: Sequence[ProjectView]) -> None:
    """Keep the project in the address, and let a person change it."""
    titles = {p.slug: p.title for p in projects}
    if not titles:
        return
    named = st.query_params.get("project") or str(st.session_state.get(PROJECT, ""))
    if named in titles or "project" not in st.query_params:
        slug = named if named in titles else next(iter(titles))
        st.session_state[PROJECT] = st.session_state[PICKER] = slug
        if st.query_params.get("project") != slug:
            st.query_params["project"] = slug
    else:
        st.session_state[PICKER] = None  # the page says that there is no such project
    st.selectbox(
        _("Project"),
        list(titles),
        index=0 if st.session_state[PICKER] else None,
        format_func=lambda s: titles.get(s, s),
        placeholder=_("Choose a project"),
        key=PICKER,
        on_change=_project_picked,
        label_visibility="collapsed",
    )


def _project_picked() -> None:
    if st.session_state[PICKER]:
        st.query_params["project"] = st.session_state[PROJECT] = st.session_state[PICKER]


def _account(actor: Actor) -> None:
    with st.container(key="tb-account"):
        initials = "".join(word[0] for word in actor.display_name.split()[:2]).upper()
        draw(
            "<div class='tb-who'><div class='tb-avatar' aria-hidden='true'>{initials}</div>"
            "<div><b title='{name}'>{name}</b><small>{roles}</small></div>"
            "<form method='post' action='{action}'><button type='submit'>{out}</button></form></div>",
            initials=initials,
            name=actor.display_name,
            roles=role_names([role for role, _project in actor.roles]),
            action=urls.sign_out(),
            out=_("Sign out"),
        )


def _welcome(ws: Workspace) -> None:
    if has_people(ws) or ws.settings.demo:
        states.sign_in_first()
        return
    states.show(
        "person",
        _("Nobody has an account yet"),
        _("This workspace is new."),
        _("Run 'tiebreak user add NAME --role admin' on the server, then reload this page."),
    )


def _no_project(actor: Actor) -> None:
    if can_anywhere(actor, Action.CREATE_PROJECT):
        states.show(
            "inbox",
            _("There is no project yet"),
            _("A project is one labelling goal: its classes, guideline and policy."),
            _("Make one under Home, or run 'tiebreak demo' on the server to see how it looks."),
        )
        return
    states.show(
        "inbox",
        _("You are in no project yet"),
        _("Your account works, but nobody has given you a role in a project."),
        _("Ask an admin to add you to one."),
    )
