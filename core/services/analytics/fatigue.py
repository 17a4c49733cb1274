"""Whether people tire: pace and accuracy within a sitting and over the day."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Actor
from core.analytics.asked import ALL, PEOPLE, Filters
from core.analytics.fatigue import Fatigue, fatigue
from core.analytics.figures import FEWEST
from core.services.analytics.quality import best_reference
from core.services.analytics.replicas import open_figures
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FatigueView:
    """Pace and accuracy by hour.

    Attributes:
        fatigue: Both.
        against: The truth accuracy is against.
        fewest: Answers below which an hour has no figure.
    """

    fatigue: Fatigue
    against: str
    fewest: int


def fatigue_of(
    ws: Workspace,
    actor: Actor,
    slug: str,
    filters: Filters | None = None,
    tz: str = "UTC",
    against: str = "",
) -> FatigueView:
    """Return pace and accuracy by hour; hours of fewer answers than `smallest_group` have no figure.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        filters: Which answers to look at.
        tz: Name of the time zone hours are told in.
        against: The truth; empty for the one that says most.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: There is no such time zone, or no such truth.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    truth = against or best_reference(ws, actor, slug, PEOPLE)
    fewest = max(FEWEST, ws.settings.smallest_group)
    found = fatigue(replica, project.id, truth, tz, filters or ALL, fewest)
    return FatigueView(found, truth, fewest)
