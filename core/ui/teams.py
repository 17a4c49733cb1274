"""The choice of a team or vendor, for every page with figures about people."""

from __future__ import annotations

from core.services.analytics.teams import team_names
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _

EVERYBODY = "*"


def choose_team(page: PageContext) -> tuple[str, ...]:
    """Draw the choice where there are teams, and return it as `Filters.teams` wants it."""
    names = team_names(page.ws, page.actor, page.slug)
    if not names:
        return ()
    options = {EVERYBODY: _("All teams"), **{n: n for n in names}, "": _("No team")}
    team = choose(_("Team or vendor"), "team", options, EVERYBODY)
    return () if team == EVERYBODY else (team,)
