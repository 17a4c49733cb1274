"""Krippendorff's alpha (2011) for classes, ordered classes and numbers; votes may be missing.

Items with a single vote say nothing of agreement and are left out. No table of people by items is
made: of each item only how often each class was said matters. For ordered classes the metric is
the squared distance of middle ranks, which is Krippendorff's sum over the ranks between; so the
coincidences of every two classes, classes x classes, are all that is needed.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from core.consensus.agreement.coincidences import coincidences
from core.consensus.agreement.estimate import columns, estimate
from core.consensus.counts import Floats, Ints, ItemCounts
from core.errors import InputError
from core.stats.bootstrap import Resampling
from core.stats.intervals import UNDEFINED, Estimate

MOST_RANKS = 200
"""Ordered classes up to which an interval is given; it redraws all their coincidences."""


def krippendorff_alpha(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return nominal alpha: two classes are the same or not."""
    if how.get("replicates") == 0:
        return _plain(counts)
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    votes = kinds.votes
    split = (votes * votes - kinds.squares) / (votes - 1)

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n, totals = sums[:, 1], sums[:, 2:]
        return sums[:, 0] / n, (n * n - (totals * totals).sum(axis=1)) / (n * (n - 1))

    return estimate(columns([split, votes], kinds.matrix()), repeats, parts, how)


def _plain(counts: ItemCounts) -> Estimate:
    """Return nominal alpha without an interval, from whole numbers alone."""
    votes = counts.votes
    items = int(np.count_nonzero(votes >= 2))
    if items == 0:
        return UNDEFINED
    split = np.bincount(votes, votes * votes - counts.squares)
    totals = np.bincount(counts.labels, counts.counts, counts.classes)
    totals -= np.bincount(counts.labels[counts.starts[votes == 1]], minlength=counts.classes)
    n = float(totals.sum())
    expected = (n * n - float(totals @ totals)) / (n * (n - 1))
    if expected <= 0:
        return Estimate(None, None, None, items)
    observed = float((split[2:] / np.arange(1, len(split) - 1)).sum()) / n
    return Estimate(1 - observed / expected, None, None, items)


def interval_alpha(counts: ItemCounts, values: ArrayLike, **how: Unpack[Resampling]) -> Estimate:
    """Return interval alpha: two numbers differ by the square of their distance.

    Args:
        counts: Votes by item and class.
        values: The number each class stands for, shape (classes,); as many as there are.
        **how: Seed, replicates and level.

    Raises:
        InputError: A class has no number, or one that is not finite.
    """
    number = np.asarray(values, dtype=np.float64)
    if number.shape != (counts.classes,) or not np.isfinite(number).all():
        raise InputError(f"Each of the {counts.classes} classes stands for one finite number.")
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    if len(repeats) == 0:
        return UNDEFINED
    scaled = _scaled(number, kinds.labels)
    first, second = kinds.matrix() @ scaled, kinds.matrix() @ (scaled * scaled)
    votes = kinds.votes.astype(np.float64)
    apart = 2 * (votes * second - first * first) / (votes - 1)
    # Exactly nothing where all say the same, or a scale of one value would not be undefined.
    apart = np.where(kinds.cells == 1, 0.0, np.maximum(apart, 0.0))

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        o, n, one, two = sums.T
        return o / n, 2 * (n * two - one * one) / (n * (n - 1))

    return estimate(columns([apart, votes, first, second]), repeats, parts, how)


def _scaled(number: Floats, labels: Ints) -> Floats:
    """Return the numbers about 0 and at most 1 apart, as far as they are said."""
    said = number[np.unique(labels)]
    reach = float(np.ptp(said))
    return np.asarray((number - said.mean()) / reach if reach else np.zeros_like(number))


def ordinal_alpha(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return ordinal alpha: class codes are ranks; no interval beyond 200 classes."""
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    if len(repeats) == 0:
        return UNDEFINED
    classes = counts.classes
    pairs = coincidences(kinds)
    seen = np.unique(pairs.indices)
    row, column = np.divmod(seen, classes)
    table = columns([kinds.votes], kinds.matrix(), csr_array(pairs[:, seen]))

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n, totals, both = sums[:, 0], sums[:, 1 : 1 + classes], sums[:, 1 + classes :]
        rank = (np.cumsum(totals, axis=1) - totals / 2) / n[:, None]
        apart = rank[:, row] - rank[:, column]
        one, two = (totals * rank).sum(axis=1), (totals * rank * rank).sum(axis=1)
        return 2 * (both * apart * apart).sum(axis=1) / n, 2 * (n * two - one * one) / (n * (n - 1))

    if classes > MOST_RANKS:
        how["replicates"] = 0
    return estimate(table, repeats, parts, how)
