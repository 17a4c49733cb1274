"""Whether the model in force is as often right as it says, held against people's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.access import Actor
from core.analytics.asked import ALL, MODEL, Against, Basis, Filters, comparison_values, independent
from core.analytics.replica import Replica
from core.learning.calibration import Reliability, reliability
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

MOST_BINS = 15
ITEMS_A_BIN = 20


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """How sure the model is, beside how often it is right.

    Attributes:
        against: The reference.
        basis: What the figures rest on; a model may have seen labels in force that it was trained
            on, so that only items drawn for evaluation are safe from flattery.
        left_out: Predictions left out because the label rests on them.
        reliability: Bins, calibration error and what chance alone would show.
        is_for_regions: Regions are drawn here: one confidence an image says nothing, and there are
            no figures.
    """

    project: ProjectView
    against: str
    basis: Basis
    left_out: int
    reliability: Reliability
    is_for_regions: bool


def calibration(
    ws: Workspace,
    actor: Actor,
    slug: str,
    against: str = Against.FINAL,
    filters: Filters | None = None,
) -> CalibrationView:
    """Return the reliability of the model's confidence.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return calibration_of(replica, project, against, filters or ALL)


def calibration_of(
    replica: Replica, project: ProjectView, against: str, filters: Filters = ALL
) -> CalibrationView:
    """Return the same; the caller has asked the gate.

    Raises:
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    values = comparison_values(replica, project.id, MODEL, against, filters)
    rows = [] if project.task.draws else replica.query("calibration", values)
    kept, basis, left_out = independent(rows, against)
    repeats = [int(r["n"]) for r in kept]
    sure = np.repeat(np.array([r["confidence"] for r in kept], dtype=np.float64), repeats)
    right = np.repeat(np.array([r["is_right"] for r in kept], dtype=np.bool_), repeats)
    bins = max(1, min(MOST_BINS, len(sure) // ITEMS_A_BIN))
    found = reliability(sure, right, bins)
    return CalibrationView(project, str(against), basis, left_out, found, project.task.draws)


def overconfidence(view: CalibrationView) -> float | None:
    """Return mean confidence minus the share right; above 0 the model is too sure of itself."""
    bins: Sequence = view.reliability.bins
    n = sum(b.n for b in bins)
    if view.reliability.ece.value is None or not n:
        return None
    return float(sum(b.n * (b.confidence - (b.accuracy.value or 0.0)) for b in bins) / n)
