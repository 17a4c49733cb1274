"""Agreement of people who draw regions, whatever their shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Unpack

from core.consensus.regions.order import in_order
from core.labels.answer import Answer
from core.labels.geometry import match_regions
from core.stats.bootstrap import Resampling, clustered_mean
from core.stats.intervals import Estimate


def pair_score(a: Answer, b: Answer, iou_at_least: float = 0.5) -> float:
    """Return the F1 of two people's regions, matched one to one by class; 1 if both are empty."""
    drawn = len(a.regions) + len(b.regions)
    if drawn == 0:
        return 1.0
    pairs = match_regions(in_order(a.regions), in_order(b.regions), iou_at_least)
    return 2 * len(pairs) / drawn


def item_score(answers: Sequence[Answer], iou_at_least: float = 0.5) -> float | None:
    """Return the mean score over all pairs of people; None for fewer than two."""
    scores = [pair_score(a, b, iou_at_least) for a, b in combinations(answers, 2)]
    return math.fsum(scores) / len(scores) if scores else None


def box_agreement(
    items: Sequence[Sequence[Answer]], iou_at_least: float = 0.5, **how: Unpack[Resampling]
) -> Estimate:
    """Return the mean item score, its interval a bootstrap over items.

    Args:
        items: For each item what each person drew; items with fewer than two are left out.
        iou_at_least: Likeness from which two regions are the same.
        **how: Seed, replicates and level.
    """
    scores = [item_score(answers, iou_at_least) for answers in items]
    known = [s for s in scores if s is not None]
    return clustered_mean(range(len(known)), known, **how)
