"""Where work waits: what items wait for, how long, and which stage holds them up."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Actor
from core.analytics import stages
from core.analytics.asked import ALL, Filters
from core.analytics.stages import Stage, Waiting
from core.services.analytics.replicas import open_figures
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StagesView:
    """Unsettled items by what they wait for.

    Attributes:
        stages: In the order items go through them; the last one is all of them.
        bottleneck: Where items surely wait longest; None where the data do not tell.
    """

    stages: tuple[Waiting, ...]
    bottleneck: Stage | None


def stages_of(ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None) -> StagesView:
    """Return what unsettled items wait for; of filters only those of items are looked at.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    found = stages.waiting(replica, project.id, ws.clock(), filters or ALL)
    return StagesView(found, stages.bottleneck(found))
