"""Whether the model in force is as often right as it says, held against people's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.access import Actor
from core.analytics.asked import (
    ALL,
    MODEL,
    Against,
    Basis,
    Filters,
    comparison_values,
    reference_basis,
)
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.learning.calibration import Reliability, reliability
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

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
    basis, left_out, found = once(
        replica, project.id, ("calibration", against, told(filters), project.task.draws),
        lambda: _measured(None if project.task.draws else replica.arrow("calibration", values), against),
    )  # fmt: skip
    return CalibrationView(project, str(against), basis, left_out, found, project.task.draws)


def _measured(rows: pa.Table | None, against: str) -> tuple[Basis, int, Reliability]:
    sure, own, right = np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    if rows is not None and rows.num_rows:
        sure, own, right = (
            np.asarray(rows[n].to_numpy()) for n in ("confidence", "own", "is_right")
        )
    basis, left_out = reference_basis(own, against)
    if basis is not Basis.REVIEWED:
        sure, right = sure[~own], right[~own]
    bins = max(1, min(MOST_BINS, len(sure) // ITEMS_A_BIN))
    return basis, left_out, reliability(*_in_order(sure, right), bins)


def _in_order(sure: Floats, right: Bools) -> tuple[Floats, Bools]:
    """Return both by confidence, the wrong ones first; the same whatever the order they came in."""
    keys = ((sure + 0.0).view(np.int64) << 1) | right  # from 0 to 1 the bits are in order too
    keys.sort()
    return (keys >> 1).view(np.float64), (keys & 1).astype(np.bool_)


def overconfidence(view: CalibrationView) -> float | None:
    """Return mean confidence minus the share right; above 0 the model is too sure of itself."""
    bins: Sequence = view.reliability.bins
    n = sum(b.n for b in bins)
    if view.reliability.ece.value is None or not n:
        return None
    return float(sum(b.n * (b.confidence - (b.accuracy.value or 0.0)) for b in bins) / n)
