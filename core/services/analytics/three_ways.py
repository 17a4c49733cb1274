"""The model, people one by one and their majority, side by side on the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.access import Actor
from core.analytics.asked import ALL, PEOPLE, Against, Filters, comparison_values
from core.analytics.figures import FEWEST
from core.analytics.replica import Replica
from core.errors import InputError
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.bootstrap import bootstrap
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.paired import compare_paired

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThreeWays:
    """How right each is on the items all three answered; n of every estimate counts items.

    Attributes:
        against: gold or adjudicated.
        items: Items with a prediction, two votes or more with a majority, and a truth that rests on
            none of them.
        model, people, consensus: Share right; of people the mean over items of the share of votes.
        model_over_people, consensus_over_people, consensus_over_model: First minus second, paired.
        p_consensus_over_model: McNemar's exact p; None where there is not enough data.
    """

    against: str
    items: int
    model: Estimate
    people: Estimate
    consensus: Estimate
    model_over_people: Estimate
    consensus_over_people: Estimate
    consensus_over_model: Estimate
    p_consensus_over_model: float | None


def three_ways(
    ws: Workspace,
    actor: Actor,
    slug: str,
    against: str = Against.GOLD,
    filters: Filters | None = None,
) -> ThreeWays:
    """Return model, people and consensus on the same items; consensus is the majority of votes.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The reference is neither gold nor adjudicated: a label in force is consensus.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return three_ways_of(replica, project, against, filters or ALL)


def three_ways_of(
    replica: Replica,
    project: ProjectView,
    against: str,
    filters: Filters = ALL,
    fewest: int = FEWEST,
) -> ThreeWays:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference is neither gold nor adjudicated.
        LimitExceeded: It took too long.
    """
    if against not in (Against.GOLD, Against.ADJUDICATED):
        raise InputError(
            f"The majority of people cannot be held against '{against}' labels.",
            "Compare with gold, or with what a lead decided.",
        )
    values = comparison_values(replica, project.id, PEOPLE, against, filters)
    rows = [] if project.task.draws else replica.query("three_ways", values)
    n = sum(int(r["items"]) for r in rows)
    if n < fewest:
        little = replace(UNDEFINED, n=n)
        return ThreeWays(str(against), n, *(little,) * 6, None)
    return _compared(str(against), n, rows)


def _compared(against: str, n: int, rows: Sequence[Mapping[str, Any]]) -> ThreeWays:
    shares = np.array([r["votes_right"] / r["votes"] for r in rows])
    model = np.array([float(r["model_right"]) for r in rows])
    majority = np.array([float(r["majority_right"]) for r in rows])
    repeats = np.array([r["items"] for r in rows], dtype=np.int64)
    cell = {(m, c): int(repeats[(model == m) & (majority == c)].sum())
            for m in (0, 1) for c in (0, 1)}  # fmt: skip
    over_model = compare_paired(cell[1, 1], cell[0, 1], cell[1, 0], cell[0, 0])
    return ThreeWays(
        against,
        n,
        wilson(float(model @ repeats), n),
        _mean(shares, repeats),
        wilson(float(majority @ repeats), n),
        _gap(model - shares, repeats),
        _gap(majority - shares, repeats),
        over_model.difference,
        over_model.p,
    )


def _mean(values: Floats, repeats: NDArray[np.int64]) -> Estimate:
    """Return a mean of shares over items, its interval at least as wide as drawing items again says."""
    n = int(repeats.sum())
    value = float(values @ repeats / n)
    low, high = bootstrap(np.column_stack([values, np.ones_like(values)]), repeats, _ratio)
    if low is None or high is None or low == high:
        sure = wilson(min(value * n, n), n)
        low, high = sure.low, sure.high
    return Estimate(value, low, high, n)


def _gap(values: Floats, repeats: NDArray[np.int64]) -> Estimate:
    n = int(repeats.sum())
    value = float(values @ repeats / n)
    low, high = bootstrap(np.column_stack([values, np.ones_like(values)]), repeats, _ratio)
    if low == high:
        # Equal on every item seen: n more might differ, with Wilson's upper end of none of n.
        room = wilson(0, n).high or 1.0
        low, high = max(-1.0, value - room), min(1.0, value + room)
    return Estimate(value, low, high, n)


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])
