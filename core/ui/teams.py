"""The choice of a team or vendor, for every page with figures about people."""

from __future__ import annotations

import streamlit as st

from core.services.analytics.teams import team_names
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _

EVERYBODY, PARAMETER = "*", "team"


def teams_of(page: PageContext) -> tuple[str, ...]:
    """Return the names of the teams of a project; none where there is nothing to choose."""
    return tuple(team_names(page.ws, page.actor, page.slug))


def choose_team(page: PageContext) -> tuple[str, ...]:
    """Draw the choice where there are teams, and return it as `Filters.teams` wants it."""
    names = team_names(page.ws, page.actor, page.slug)
    if not names:
        return ()
    options = {EVERYBODY: _("All teams"), **{n: n for n in names}, "": _("No team")}
    team = choose(_("Team or vendor"), PARAMETER, options, EVERYBODY)
    return () if team == EVERYBODY else (team,)


def chosen_team(page: PageContext) -> tuple[str, ...]:
    """Return the team the address names, for what stands below the choice."""
    team = st.query_params.get(PARAMETER, EVERYBODY)
    known = team_names(page.ws, page.actor, page.slug)
    return (team,) if known and team in ("", *known) else ()
