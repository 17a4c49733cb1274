"""What a report was asked for, by somebody the gate has let in; every section reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.access import Actor
from core.analytics.asked import Filters
from core.analytics.replica import Replica
from core.services.projects.project import ProjectView
from core.services.report.weeks import Week
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every section.

    Attributes:
        replica: Caught up.
        only: Column to the value items must have, None for items without one.
        names: Whether people are named, where enough of them were at work.
    """

    ws: Workspace
    actor: Actor
    project: ProjectView
    replica: Replica
    week: Week
    only: Mapping[str, str | None]
    names: bool

    @property
    def slug(self) -> str:
        """Return the project's name."""
        return self.project.slug

    def during(self, week: Week) -> Filters:
        """Return the filter of what happened in a week."""
        return Filters(since=week.since, until=week.until, metadata=self.only)

    @property
    def always(self) -> Filters:
        """Return the filter of all that ever happened."""
        return Filters(metadata=self.only)
