"""Agreement on each class: that class against all the others taken together.

Alpha says how far people agree whether an item is of the class; positive specific agreement
(Cicchetti and Feinstein 1990, for many people Fleiss 1971) how probable it is that another person
says the class where one did.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import columns, estimate
from core.consensus.counts import Floats, Ints, ItemCounts
from core.stats.bootstrap import Resampling
from core.stats.intervals import Estimate


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """How far people agree on one class.

    Attributes:
        label: Code of the class.
        votes: How many votes said it, on items with two or more votes.
        alpha: Krippendorff's alpha of "this class or another"; n counts items with two or more votes.
        positive: Share of the other votes that say the class where one does; n counts items anybody
            said it of.
    """

    label: int
    votes: int
    alpha: Estimate
    positive: Estimate


def class_agreement(counts: ItemCounts, **how: Unpack[Resampling]) -> list[ClassAgreement]:
    """Return the agreement on each class there is, by code; undefined where nobody said it."""
    kept = counts.where(counts.votes >= 2)
    sizes = np.bincount(kept.votes, minlength=1).astype(np.int64)
    order = np.argsort(kept.labels, kind="stable")
    said, of = kept.counts[order], np.repeat(kept.votes, kept.cells)[order]
    ends = np.searchsorted(kept.labels[order], np.arange(counts.classes + 1))
    return [
        _one(code, said[a:b], of[a:b], sizes, how) for code, (a, b) in enumerate(pairwise(ends))
    ]


def _one(code: int, said: Ints, of: Ints, sizes: Ints, how: Resampling) -> ClassAgreement:
    """Return the agreement on a class.

    Args:
        code: Its code.
        said: Votes for it on each item that has any.
        of: All votes on the same items.
        sizes: How many items have so many votes.
        how: Seed, replicates and level.
    """
    key, repeats = np.unique(of * (len(sizes) + 1) + said, return_counts=True)
    m, n = np.divmod(key, len(sizes) + 1)
    without = sizes - np.bincount(of, minlength=len(sizes))
    empty = np.flatnonzero(without)
    split = n * (m - n) / (m - 1)
    positive = estimate(columns([split, n]), repeats.astype(np.int64), _positive, how)
    every = [np.r_[split, np.zeros(len(empty))], np.r_[n, np.zeros(len(empty))], np.r_[m, empty]]
    alpha = estimate(columns(every), np.r_[repeats, without[empty]], _alpha, how)
    return ClassAgreement(code, int(said.sum()), alpha, positive)


def _positive(sums: Floats) -> tuple[Floats, Floats]:
    observed = sums[:, 0] / sums[:, 1]
    return observed, np.ones_like(observed)


def _alpha(sums: Floats) -> tuple[Floats, Floats]:
    split, said, n = sums.T
    return 2 * split / n, 2 * said * (n - said) / (n * (n - 1))
