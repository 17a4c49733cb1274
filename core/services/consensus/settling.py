"""How the items of a project are settled: by the votes alone, or by a fit of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from core.consensus.policy import Policy, Stop
from core.consensus.settle import Inferred, Outcome, Reason, settle
from core.labels.state import ItemState
from core.services.consensus.fits import Fit, fit_path, load_fit
from core.services.consensus.gathering import Gathered
from core.services.consensus.inference import Fitted, fit_project
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

_COUNTED = frozenset(
    {
        Reason.INFERRED, Reason.NOT_SURE, Reason.MORE_VOTES, Reason.MAJORITY, Reason.NO_MAJORITY,
        Reason.VOTES_DIFFER, Reason.LEAD_REACHED, Reason.SURE_ENOUGH, Reason.NO_LEAD,
    }
)  # fmt: skip
"""Reasons that a fit of all votes could change."""

Infer = Callable[[int, Gathered], Inferred | None]


@dataclass(frozen=True, slots=True)
class Settling:
    """How items are settled: under which policy, with what inference, and whether that is provisional."""

    project: ProjectView
    infer: Infer | None
    provisional: bool

    def outcome(self, item_id: int, found: Gathered) -> Outcome:
        """Return where an item stands."""
        inferred = self.infer(item_id, found) if self.infer and found.votes else None
        return settle(found.evidence(), self.project.schema, self.project.policy, inferred)

    def is_provisional(self, outcome: Outcome) -> bool:
        """Return whether a fit of the votes there are now could tell otherwise."""
        return self.provisional and _rests_on_fit(outcome, self.project.policy)


def outcome_of(ws: Workspace, project: ProjectView, item_id: int, found: Gathered) -> Outcome:
    """Return where one item stands by the last fit: what its state was derived from."""
    return settling_of(project, ws, None).outcome(item_id, found)


def whole_project(connection: Connection, project: ProjectView) -> Settling:
    """Return how items are settled by a fit of all the votes there are now, written nowhere."""
    policy = project.policy
    needed = policy.fits_project or policy.weighs_outlines
    return settling_of(project, None, fit_project(connection, project) if needed else None)


def settling_of(project: ProjectView, ws: Workspace | None, fitted: Fitted | None) -> Settling:
    """Return how items are settled by a fit of all votes, or by the last one in the workspace."""
    policy = project.policy
    if not (policy.fits_project or policy.weighs_outlines):
        return Settling(project, None, provisional=False)
    infer = _by_all(fitted) if fitted is not None else _by_last(ws, project)
    if infer is not None and not policy.fits_project:
        infer = _weights_alone(infer)
    return Settling(project, infer, provisional=fitted is None)


def _by_all(fitted: Fitted) -> Infer:
    return lambda item_id, found: fitted.of(item_id, [int(v.person) for _, v in found.votes])


def _by_last(ws: Workspace | None, project: ProjectView) -> Infer | None:
    if ws is None:
        return None
    fit = load_fit(fit_path(ws, project))
    return None if fit is None else lambda item_id, found: _inferred(fit, item_id, found)


def _inferred(fit: Fit, item_id: int, found: Gathered) -> Inferred:
    said = [(int(v.person), {**v.answer.choices, **v.answer.multi}) for _, v in found.votes]
    return fit.infer(item_id, said)


def _weights_alone(infer: Infer) -> Infer:
    """Return how right people are, and nothing of what the labels should be."""

    def weights(item_id: int, found: Gathered) -> Inferred | None:
        all_of_it = infer(item_id, found)
        if all_of_it is None:
            return None
        return Inferred({}, all_of_it.weights, all_of_it.outlines)

    return weights


def _rests_on_fit(outcome: Outcome, policy: Policy) -> bool:
    """Return whether a fit of all votes could tell otherwise: not of votes that all agree on a count."""
    by_fit = policy.fits_project and outcome.reason in _COUNTED
    by_bound = policy.stop == Stop.POSTERIOR and outcome.reason is Reason.ALL_AGREE
    if by_fit or (policy.fits_project and by_bound):
        return True
    drawn = outcome.answer.regions if outcome.answer is not None else ()
    return policy.weighs_outlines and outcome.state is ItemState.AGREED and bool(drawn)
