"""People: accounts, roles, passwords. Admins only."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Role
from core.services.accounts import changing, grants, people
from core.services.accounts.people import PersonView
from core.services.accounts.teams import set_team, teams_of_people
from core.services.projects.project import list_projects
from core.ui.shell import PageContext, open_page, role_names
from core.ui.text import _
from core.ui.theme import Markup, fill, join
from core.ui.tokens import GOOD, MUTED
from core.ui.widgets import attempt, chip, muted, section, table

GRANTABLE = (Role.EXPERT, Role.LEAD, Role.MANAGER, Role.ADMIN)
ADDED = "people.added"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("People"),
        Action.MANAGE_PEOPLE,
        needs_project=False,
        subtitle=_("Who may sign in, and what they are in which project."),
    )
    everybody = people.list_people(page.ws, page.actor)
    titles = {p.slug: p.title for p in list_projects(page.ws, page.actor)}
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        wanted = st.text_input(
            _("Find"),
            key="people.find",
            placeholder=_("Find by name"),
            label_visibility="collapsed",
            width=320,
        )
        _add(page, titles)
    shown = [p for p in everybody if wanted.lower() in f"{p.name} {p.display_name}".lower()]
    teams = teams_of_people(page.ws, page.actor)
    _list(shown, titles, teams)
    accounts = [p for p in shown if p.kind == "person"]
    if accounts:
        _change(page, accounts, titles)
    if shown:
        _change_team(page, shown, teams)


def _list(shown: Sequence[PersonView], titles: dict[str, str], teams: dict[int, str]) -> None:
    head = (_("Name"), _("Team or vendor"), _("Roles"), _("Sign-in"))
    rows = [
        (_who(p), teams.get(p.id, "") or muted("–"), _roles(p, titles), _status(p)) for p in shown
    ]
    table(head, rows, _("People"))


def _who(person: PersonView) -> Markup:
    return fill(
        "<b>{display}</b> {name}", display=person.display_name, name=muted(f"@{person.name}")
    )


def _roles(person: PersonView, titles: dict[str, str]) -> Markup:
    if not person.roles:
        return muted(_("None"))
    chips = join(
        fill("{c} ", c=chip(_scope(role, slug, titles), "")) for role, slug in person.roles
    )
    return fill("<div class='tb-chips'>{c}</div>", c=chips)


def _scope(role: Role, slug: str | None, titles: dict[str, str]) -> str:
    where = _("every project") if slug is None else titles.get(slug, slug)
    return f"{role_names([role])} · {where}"


def _status(person: PersonView) -> Markup:
    if person.kind == "operator":
        return muted(_("On the server only"))
    if person.kind == "annotator":
        return muted(_("Came with imported votes"))
    if not person.active:
        return chip(_("Disabled"), MUTED)
    if person.simulated:
        return chip(_("Simulated, demo only"), MUTED)
    return chip(_("Active"), GOOD) if person.has_password else chip(_("No password yet"), MUTED)


def _add(page: PageContext, titles: dict[str, str]) -> None:
    # A key of its own for each person added: the next one starts with empty fields, closed.
    key = f"people.new.{st.session_state.get(ADDED, 0)}"
    with (
        st.popover(_("Add a person"), type="primary", icon=":material/person_add:", key=key),
        st.form(f"{key}.form", border=False),
    ):
        name = st.text_input(
            _("Account name"), key=f"{key}.name", placeholder=_("Lower case, no spaces: ada.b")
        )
        display = st.text_input(_("Name others read"), key=f"{key}.display")
        password = st.text_input(
            _("First password"),
            type="password",
            key=f"{key}.password",
            placeholder=_("At least 8 characters"),
        )
        role, scope = _role_fields(key, titles)
        if st.form_submit_button(_("Add"), type="primary"):
            attempt(
                lambda: _added(page, name, display, password, role, scope),
                _("{name} can sign in now.").format(name=display or name),
            )


def _added(
    page: PageContext, name: str, display: str, password: str, role: Role, scope: str | None
) -> None:
    changing.add_person(
        page.ws, page.actor, name.strip().lower(), display.strip(), password, [(role, scope)]
    )
    st.session_state[ADDED] = st.session_state.get(ADDED, 0) + 1


def _role_fields(key: str, titles: dict[str, str]) -> tuple[Role, str | None]:
    left, right = st.columns(2)
    role = left.selectbox(
        _("Role"), GRANTABLE, format_func=lambda r: role_names([r]), key=f"{key}.role"
    )
    scope = right.selectbox(
        _("Where"),
        ["", *titles],
        format_func=lambda s: titles.get(s, _("Every project")),
        key=f"{key}.scope",
    )
    return role, scope or None


def _change(page: PageContext, accounts: Sequence[PersonView], titles: dict[str, str]) -> None:
    section(_("Change an account"), _("Changes take effect with the person's next action."))
    by_id = {p.id: p for p in accounts}
    with st.container(border=True):
        chosen = st.selectbox(
            _("Person"),
            list(by_id),
            format_func=lambda i: f"{by_id[i].display_name} (@{by_id[i].name})",
            key="people.chosen",
        )
        person = by_id[chosen]
        left, right = st.columns(2, gap="large")
        with left:
            _change_roles(page, person, titles)
        with right:
            _change_password(page, person)
            _change_active(page, person)


def _change_team(page: PageContext, shown: Sequence[PersonView], teams: dict[int, str]) -> None:
    section(_("Team or vendor"), _("A filter of every figure about people, also of past work."))
    by_id = {p.id: p for p in shown}
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        person = st.selectbox(
            _("Person"),
            list(by_id),
            format_func=lambda i: f"{by_id[i].display_name} (@{by_id[i].name})",
            key="people.team.person",
        )
        known = sorted({*teams.values()}, key=str.casefold)
        team = st.selectbox(
            _("Team or vendor"),
            known,
            index=known.index(teams[person]) if person in teams else None,
            accept_new_options=True,
            placeholder=_("None; type a new name to add one"),
            key=f"people.{person}.team",
        )
        if st.button(_("Save"), key=f"people.{person}.team.save"):
            attempt(lambda: set_team(page.ws, page.actor, person, team or ""), _("Team saved."))


def _change_roles(page: PageContext, person: PersonView, titles: dict[str, str]) -> None:
    key = f"people.{person.id}"
    with st.form(f"{key}.grant", border=False):
        role, scope = _role_fields(key, titles)
        if st.form_submit_button(_("Give this role"), icon=":material/add:"):
            attempt(
                lambda: grants.grant(page.ws, page.actor, person.id, role, scope),
                _("Role given."),
            )
    if person.roles:
        with st.container(horizontal=True, gap="small"):
            for held, slug in person.roles:
                label = _("Take away: {role}").format(role=_scope(held, slug, titles))
                if st.button(label, key=f"{key}.revoke.{held}.{slug}", icon=":material/close:"):
                    attempt(
                        lambda h=held, s=slug: grants.revoke(page.ws, page.actor, person.id, h, s),  # type: ignore[misc]
                        _("Role taken away."),
                    )


def _change_password(page: PageContext, person: PersonView) -> None:
    with st.form(f"people.{person.id}.password", border=False, clear_on_submit=True):
        password = st.text_input(
            _("New password"), type="password", key=f"people.{person.id}.new_password"
        )
        if st.form_submit_button(_("Set password"), icon=":material/key:"):
            attempt(
                lambda: changing.set_password(page.ws, page.actor, person.id, password),
                _("Password set."),
            )


def _change_active(page: PageContext, person: PersonView) -> None:
    key = f"people.{person.id}.active"
    if person.active:
        if st.button(_("Disable this account"), key=key, icon=":material/block:"):
            attempt(
                lambda: changing.set_active(page.ws, page.actor, person.id, False),
                _("Account disabled; nothing the person said was removed."),
            )
    elif st.button(_("Enable this account"), key=key, icon=":material/check:"):
        attempt(
            lambda: changing.set_active(page.ws, page.actor, person.id, True), _("Account enabled.")
        )


main()
