"""Agreement between people: percent, Krippendorff's alpha, Fleiss' and Cohen's kappa, Gwet's AC1.

Each is 1 - observed / expected disagreement, from sums over items; so its interval is a
bootstrap over items that draws sums again, not votes. Undefined is None: no item with two
votes, or no disagreement expected at all (everybody always said the same class).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack

from core.consensus.counts import Floats, Ints, ItemCounts, count_labels
from core.errors import InputError
from core.stats.bootstrap import Resampling, bootstrap
from core.stats.intervals import UNDEFINED, Estimate, wilson

Parts = Callable[[Floats], tuple[Floats, Floats]]
"""From sums of shape (r, k) to observed and expected disagreement, each of shape (r,)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The coefficients of one set of votes; show them together, for each misleads alone."""

    percent: Estimate
    alpha: Estimate
    fleiss: Estimate
    ac1: Estimate


def measure_agreement(
    item: ArrayLike, label: ArrayLike, classes: int | None = None, **how: Unpack[Resampling]
) -> Agreement:
    """Return every coefficient for any number of people.

    Args:
        item: Whole number of the item of each vote.
        label: Class code of each vote, from 0; each person votes once on an item.
        classes: How many classes the schema has; AC1 depends on it.
        **how: Seed, replicates and level.

    Raises:
        InputError: The arrays differ in length, or a code is out of range.
    """
    counts = count_labels(item, label, classes)
    return Agreement(
        percent_agreement(counts, **how),
        krippendorff_alpha(counts, **how),
        fleiss_kappa(counts, **how),
        gwet_ac1(counts, classes, **how),
    )


def percent_agreement(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return the share of pairs of votes that agree, averaged over items with two or more."""
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    columns = [_split_share(kinds), np.ones(len(repeats))]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        observed = sums[:, 0] / sums[:, 1]
        return observed, np.ones_like(observed)

    return _estimate(_columns(columns), repeats, parts, how)


def krippendorff_alpha(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return nominal alpha, exact with missing votes (Krippendorff 2011, by counts).

    Items with a single vote say nothing of agreement and are left out.
    """
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    votes = kinds.votes
    split = (votes * votes - kinds.squares) / (votes - 1)

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n, totals = sums[:, 1], sums[:, 2:]
        return sums[:, 0] / n, (n * n - (totals * totals).sum(axis=1)) / (n * (n - 1))

    return _estimate(_columns([split, votes], kinds.matrix()), repeats, parts, how)


def fleiss_kappa(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return Fleiss' kappa (1971), n counts the items used.

    It needs as many votes on every item; the items with the commonest number of votes are used,
    of equally common numbers the larger.
    """
    sizes = counts.votes[counts.votes >= 2]
    if len(sizes) == 0:
        return UNDEFINED
    common = np.bincount(sizes)
    size = len(common) - 1 - int(np.argmax(common[::-1]))
    kinds, repeats = counts.where(counts.votes == size).kinds()
    columns = [_split_share(kinds), np.ones(len(repeats))]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        share = sums[:, 2:] / (size * sums[:, 1:2])
        return sums[:, 0] / sums[:, 1], 1 - (share * share).sum(axis=1)

    return _estimate(_columns(columns, kinds.matrix()), repeats, parts, how)


def gwet_ac1(counts: ItemCounts, classes: int | None = None, **how: Unpack[Resampling]) -> Estimate:
    """Return Gwet's AC1 (2008), which stays stable where one class is far commoner.

    Items with one vote count towards how common the classes are, as Gwet has it.

    Args:
        counts: Votes by item and class.
        classes: How many classes could be said; by default those that were.
        **how: Seed, replicates and level.
    """
    kinds, repeats = counts.kinds()
    k = len(np.unique(counts.labels)) if classes is None else classes
    pairable = kinds.votes >= 2
    columns = [_split_share(kinds), pairable, np.ones(len(repeats))]
    shares = kinds.matrix() / kinds.votes[:, None]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        common = sums[:, 3:] / sums[:, 2:3]
        chance = (common * (1 - common)).sum(axis=1) / (k - 1 if k > 1 else np.nan)
        return sums[:, 0] / sums[:, 1], 1 - chance

    items = int(repeats[pairable].sum())
    return _estimate(_columns(columns, csr_array(shares)), repeats, parts, how, items)


def cohen_kappa(label_a: ArrayLike, label_b: ArrayLike, **how: Unpack[Resampling]) -> Estimate:
    """Return Cohen's kappa (1960) of two people over the items both voted on.

    Args:
        label_a: Class codes of one, shape (items,).
        label_b: Of the other, item by item.
        **how: Seed, replicates and level.

    Raises:
        InputError: The arrays differ in length, or a code is negative.
    """
    a, b = np.asarray(label_a, dtype=np.int64), np.asarray(label_b, dtype=np.int64)
    if a.shape != b.shape or min(a.min(initial=0), b.min(initial=0)) < 0:
        raise InputError(
            f"Two people's labels are class codes from 0, item by item: found {a.size} and {b.size}."
        )
    classes = int(max(a.max(initial=0), b.max(initial=0))) + 1
    cell, repeats = np.unique(a * classes + b, return_counts=True)
    row, column = np.divmod(cell, classes)
    one = np.eye(classes)
    columns = [row != column, np.ones(len(cell))]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n = sums[:, 1]
        first, second = sums[:, 2 : 2 + classes], sums[:, 2 + classes :]
        return sums[:, 0] / n, 1 - (first * second).sum(axis=1) / (n * n)

    both = csr_array(np.hstack([one[row], one[column]]))
    return _estimate(_columns(columns, both), repeats.astype(np.int64), parts, how)


def shared_labels(
    item: ArrayLike, person: ArrayLike, label: ArrayLike, a: int, b: int
) -> tuple[Ints, Ints]:
    """Return both people's class codes, item by item, of the items both voted on."""
    items, people, labels = (np.asarray(x, dtype=np.int64) for x in (item, person, label))
    of_a, of_b = people == a, people == b
    _, first, second = np.intersect1d(items[of_a], items[of_b], return_indices=True)
    return labels[of_a][first], labels[of_b][second]


def _split_share(kinds: ItemCounts) -> Floats:
    """Return the share of each item's pairs of votes that differ; 0 for a single vote."""
    votes = kinds.votes
    pairs = np.maximum(votes * (votes - 1), 1)
    return np.asarray((votes * votes - kinds.squares) / pairs, dtype=np.float64)


def _columns(columns: Sequence[NDArray], matrix: csr_array | None = None) -> csr_array:
    left = csr_array(np.column_stack(columns).astype(np.float64))
    return left if matrix is None else csr_array(hstack([left, matrix]))


def _estimate(
    kinds: csr_array, repeats: Ints, parts: Parts, how: Resampling, items: int | None = None
) -> Estimate:
    """Return 1 - observed / expected disagreement with its interval over items."""
    n = int(repeats.sum()) if items is None else items
    if n == 0:
        return UNDEFINED
    observed, expected = (float(x[0]) for x in parts((kinds.T @ repeats.astype(np.float64))[None]))
    if not expected > 0:
        return Estimate(None, None, None, n)
    value = 1 - observed / expected
    if observed in (0.0, 1.0) and n >= 2 and how.get("replicates") != 0:
        # All items alike: drawing again would feign certainty, so bound the agreement instead.
        sure = wilson(n if observed == 0 else 0, n, how.get("level", 0.95))
        ends = [max(-1.0, 1 - (1 - x) / expected) for x in (sure.low, sure.high) if x is not None]
        return Estimate(value, min(ends[0], value), max(ends[1], value), n)

    def coefficient(sums: Floats) -> Floats:
        o, e = parts(sums)
        return np.asarray(1 - o / np.where(e > 0, e, np.nan))

    low, high = bootstrap(kinds, repeats, coefficient, **how)
    return Estimate(value, low, high, n)
