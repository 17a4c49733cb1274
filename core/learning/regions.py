"""Regions of items, the surest first: what was drawn in each, and which of them pass.

Free of torch, and of words: what a person reads of it is in ``certify`` and ``refusals``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.stats.certificate import Ladder, fallback, region_p

_SPREAD = 3.0  # standard deviations above the mean that the draws in a region may number


@dataclass(frozen=True, slots=True)
class Candidates:
    """All items a model has an answer for.

    Attributes:
        item_ids: int64, shape (n,), each once.
        score: How sure the answer is, higher is surer, shape (n,).
        group: Name of the class or slice that each is in, as in ``class:rose``; None without any.
        trained: Bool: counted in each region and never accepted: the model learnt from it, or it is
            drawn for the audit. None: no such item.
    """

    item_ids: np.ndarray
    score: np.ndarray
    group: np.ndarray | None = None
    trained: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Items drawn at random and checked by people, which the model never saw.

    Attributes:
        item_ids: int64, shape (m,), each once; those without a score are passed over.
        wrong: Bool: the model's answer is not the people's.
    """

    item_ids: np.ndarray
    wrong: np.ndarray


@dataclass(frozen=True, slots=True)
class Cuts:
    """Regions of items, the surest first, each holding the one before.

    Attributes:
        threshold: Least score in each, falling.
        step: The last of the ladder's steps that each one is, from 1.
        size: Items in each.
        trained: Of these, never accepted.
        sampled: Of these, checked.
        errors: Of these, wrong.
        total: Items in all.
        checked: Checked items in all.
    """

    threshold: np.ndarray
    step: np.ndarray
    size: np.ndarray
    trained: np.ndarray
    sampled: np.ndarray
    errors: np.ndarray
    total: int
    checked: int

    @property
    def left(self) -> np.ndarray:
        """Return how many items of each region nobody has labelled."""
        return np.asarray(self.size - self.trained - self.sampled)


def cuts(pool: Candidates, seen: Evidence, steps: int) -> Cuts:
    """Return the regions of the k/steps surest items, equal scores together and equal regions once.

    Raises:
        InputError: Scores are not numbers, or an item occurs twice.
    """
    _check(pool, seen)
    n = len(pool.item_ids)
    score = np.asarray(pool.score, np.float64)
    sampled_at, wrong = placed(pool, seen)
    order = np.sort(score)[::-1]
    ranks = np.ceil(np.arange(1, steps + 1) * n / steps).astype(np.int64)
    falling, last = np.unique(-order[np.maximum(ranks, 1) - 1][::-1], return_index=True)
    trained = score[pool.trained] if pool.trained is not None else score[:0]
    return Cuts(
        threshold=-falling,
        step=steps - last,
        size=_above(score, falling),
        trained=_above(trained, falling),
        sampled=_above(score[sampled_at], falling),
        errors=_above(score[sampled_at][wrong], falling),
        total=n,
        checked=len(sampled_at),
    )


def tested(found: Cuts, target: float, delta: float, ladder: Ladder) -> list[float | None]:
    """Return the level at which each region passed, None where it did not."""
    weights, at = np.zeros(len(found.step)), 0
    for step, weight in enumerate(ladder.by_step(), start=1):
        while found.step[at] < step:
            at += 1
        weights[at] += weight
    p_values = [_p_value(found, k, target) for k in range(len(found.step))]
    return fallback(p_values, weights.tolist(), delta)


def allowed(found: Cuts, k: int, target: float) -> int:
    """Return how many of a region may be wrong; fixed by its size, whatever the draw."""
    size, n, m = int(found.size[k]), found.total, found.checked
    mean = m * size / n
    spread = math.sqrt(mean * (1 - size / n) * (n - m) / max(1, n - 1))
    most_drawn = min(m, size, math.ceil(mean + _SPREAD * spread))
    if found.sampled[k] > most_drawn:
        return -1
    return math.floor(target * (size - int(found.trained[k]) - most_drawn) + 1e-9)


def _p_value(found: Cuts, k: int, target: float) -> float:
    most = allowed(found, k, target)
    if most < 0 or not found.sampled[k] or found.left[k] < 1:
        return 1.0
    return region_p(int(found.size[k]), int(found.sampled[k]), int(found.errors[k]), most)


def placed(pool: Candidates, seen: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return where the checked items stand in the pool, and whether each is wrong."""
    order = np.argsort(pool.item_ids, kind="stable")
    place = np.searchsorted(pool.item_ids, seen.item_ids, sorter=order)
    place = order[np.minimum(place, len(order) - 1)]
    there = pool.item_ids[place] == seen.item_ids
    return place[there], np.asarray(seen.wrong, dtype=bool)[there]


def _above(score: np.ndarray, falling: np.ndarray) -> np.ndarray:
    """Return how many scores reach each threshold; thresholds are given negated."""
    return np.searchsorted(np.sort(-score), falling, side="right")


def _check(pool: Candidates, seen: Evidence) -> None:
    if not np.isfinite(pool.score).all():
        bad = int((~np.isfinite(pool.score)).sum())
        raise InputError(f"{bad} of {len(pool.score)} scores are no numbers; nothing was accepted.")
    for ids, what in ((pool.item_ids, "candidates"), (seen.item_ids, "checked items")):
        if len(np.unique(ids)) != len(ids):
            raise InputError(f"An item occurs twice among the {what}; nothing was accepted.")
