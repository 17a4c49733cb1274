"""The teams a reader of figures may choose from."""

from __future__ import annotations

from core.access import Action, Actor
from core.services.accounts.teams import teams_in_force
from core.services.projects.project import project_for
from core.services.workspace import Workspace


def team_names(ws: Workspace, actor: Actor, slug: str) -> tuple[str, ...]:
    """Return the teams there are, by name, for a choice beside a project's figures.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        return tuple(sorted(set(teams_in_force(connection).values()), key=str.casefold))
