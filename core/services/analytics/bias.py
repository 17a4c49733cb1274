"""The values of metadata columns that group items, for whoever offers one to choose."""

from __future__ import annotations

from collections.abc import Mapping

from core.access import Actor
from core.analytics.metadata import metadata_values
from core.services.analytics.replicas import open_figures
from core.services.workspace import Workspace

MOST_VALUES = 50
"""A text column with more values than this names items rather than groups them."""


def slice_values(ws: Workspace, actor: Actor, slug: str) -> Mapping[str, tuple[str, ...]]:
    """Return the values of every metadata column whose values group items, by name.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    project, replica = open_figures(ws, actor, slug)
    return metadata_values(replica, project.id, MOST_VALUES)
