"""Pace by person, team, class, difficulty, pre-label shown or not; with the names people read."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Actor
from core.analytics.asked import ALL, Filters
from core.analytics.figures import FEWEST
from core.analytics.paces import By, Pace, paces
from core.services.analytics.replicas import display_names, open_figures
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PacesView:
    """The pace of every group.

    Attributes:
        by: What groups are told apart by.
        rows: By name.
        names: Key of a row to what people read, where that is another.
    """

    by: By
    rows: tuple[Pace, ...]
    names: dict[str, str]


def paces_of(
    ws: Workspace,
    actor: Actor,
    slug: str,
    by: By,
    filters: Filters | None = None,
    tz: str = "UTC",
) -> PacesView:
    """Return the pace of every group; groups of fewer answers than `smallest_group` have no figure.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    fewest = max(FEWEST, ws.settings.smallest_group)
    rows = paces(replica, project.id, by, tz, filters or ALL, fewest)
    names = display_names(ws, [r.key for r in rows]) if by is By.PERSON else {}
    return PacesView(by, rows, names)
