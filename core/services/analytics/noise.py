"""How many final labels are wrong: by audit, by gold, by double votes; whichever there is enough of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from core.access import Actor
from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.replica import Replica
from core.services.analytics.replicas import open_figures
from core.services.consensus.audit_watch import checks
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.label_noise import Noise, Pattern, noise_from_votes

FEWEST = 30
"""Labels that must have been checked before a share of wrong ones is told."""


class Method(StrEnum):
    """How a share of wrong labels was found."""

    GOLD = "gold"
    """Labels in force of gold items, held against the known answers."""
    AUDIT = "audit"
    """Labels accepted by a model, of items drawn by chance that people then settled."""
    VOTES = "votes"
    """How often independent blind votes differ, by the one-coin model."""


@dataclass(frozen=True, slots=True)
class NoiseView:
    """Estimates of the share of wrong final labels.

    Attributes:
        best: The method to believe first; None where none has enough data.
        gold: Of all labels on gold items; which items are gold was not drawn at random.
        audit: Of labels a model decided alone.
        votes: Of labels people agreed on; too low where they err together.
        single_vote: Share of single votes that are wrong, by the same model.
    """

    project: ProjectView
    best: Method | None
    gold: Estimate
    audit: Estimate
    votes: Estimate
    single_vote: Estimate

    def of(self, method: Method) -> Estimate:
        """Return the estimate of one method."""
        return {Method.GOLD: self.gold, Method.AUDIT: self.audit, Method.VOTES: self.votes}[method]


def label_noise(
    ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None
) -> NoiseView:
    """Return how many final labels are wrong.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return noise_of(ws, replica, project, filters or ALL)


def noise_of(
    ws: Workspace, replica: Replica, project: ProjectView, filters: Filters = ALL
) -> NoiseView:
    """Return the same; the caller has asked the gate.

    Raises:
        LimitExceeded: It took too long.
    """
    by_votes = _by_votes(replica, project, filters)
    gold = _by_gold(replica, project, filters)
    audit = _by_audit(ws, project) if filters == ALL else UNDEFINED
    # Gold judges all labels and assumes nothing of how people err; the audit only the model's own.
    found = {Method.GOLD: gold, Method.VOTES: by_votes.labels, Method.AUDIT: audit}
    best = next((m for m, e in found.items() if e.value is not None), None)
    return NoiseView(project, best, gold, audit, by_votes.labels, by_votes.votes)


def _by_gold(replica: Replica, project: ProjectView, filters: Filters) -> Estimate:
    if project.task.draws:
        return UNDEFINED
    rows = replica.query("final_on_gold", filter_values(replica, project.id, filters))
    n, wrong = (sum(int(r[k]) for r in rows) for k in ("n", "wrong"))
    return wilson(wrong, n) if n >= FEWEST else replace(UNDEFINED, n=n)


def _by_audit(ws: Workspace, project: ProjectView) -> Estimate:
    with ws.store.read() as connection:
        found = checks(connection, project)
    n = len(found)
    return wilson(sum(c.wrong for c in found), n) if n >= FEWEST else replace(UNDEFINED, n=n)


def _by_votes(replica: Replica, project: ProjectView, filters: Filters) -> Noise:
    if project.task.draws or project.schema.main.several or len(project.schema.classes) < 2:
        return Noise(UNDEFINED, UNDEFINED)
    values = filter_values(replica, project.id, filters)
    patterns = [
        Pattern(
            int(r["support"]), tuple(int(n) for n in r["others"]), int(r["items"]),
            # A label no blind vote stands for is not the word of these votes.
            r["is_final"] and r["support"] > 0,
        )
        for r in replica.query("vote_patterns", values)
    ]  # fmt: skip
    most = max((len(p.others) + 1 for p in patterns), default=0)
    return noise_from_votes(patterns, max(len(project.schema.classes), most))
