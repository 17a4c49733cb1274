"""Cohen's kappa of two people (1960), and weighted for ordered classes (1968)."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from core.consensus.agreement.estimate import columns, estimate
from core.consensus.agreement.weights import Weights, agreement_weights
from core.consensus.counts import Floats, Ints
from core.errors import InputError
from core.stats.bootstrap import Resampling
from core.stats.intervals import Estimate


def cohen_kappa(
    label_a: ArrayLike,
    label_b: ArrayLike,
    weights: Weights = Weights.IDENTITY,
    classes: int | None = None,
    **how: Unpack[Resampling],
) -> Estimate:
    """Return Cohen's kappa of two people over the items both voted on.

    Args:
        label_a: Class codes of one, shape (items,).
        label_b: Of the other, item by item.
        weights: What two different classes agree by.
        classes: Length of the scale; by default up to the highest code said.
        **how: Seed, replicates and level.

    Raises:
        InputError: The arrays differ in length, or a code is negative or beyond the classes.
    """
    a, b = np.asarray(label_a, dtype=np.int64), np.asarray(label_b, dtype=np.int64)
    if a.shape != b.shape or min(a.min(initial=0), b.min(initial=0)) < 0:
        raise InputError(
            f"Two people's labels are class codes from 0, item by item: found {a.size} and {b.size}."
        )
    said = int(max(a.max(initial=0), b.max(initial=0))) + 1
    k = said if classes is None else classes
    if said > k:
        raise InputError(f"A class code lies between 0 and {k - 1}, found {said - 1}.")
    cell, repeats = np.unique(a * k + b, return_counts=True)
    row, column = np.divmod(cell, k)
    apart = 1 - agreement_weights(weights, k)
    one = np.eye(k)

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n, first, second = sums[:, 1], sums[:, 2 : 2 + k], sums[:, 2 + k :]
        return sums[:, 0] / n, ((first @ apart) * second).sum(axis=1) / (n * n)

    both = csr_array(np.hstack([one[row], one[column]]))
    left = [apart[row, column], np.ones(len(cell))]
    return estimate(columns(left, both), repeats.astype(np.int64), parts, how)


def shared_labels(
    item: ArrayLike, person: ArrayLike, label: ArrayLike, a: int, b: int
) -> tuple[Ints, Ints]:
    """Return both people's class codes, item by item, of the items both voted on."""
    items, people, labels = (np.asarray(x, dtype=np.int64) for x in (item, person, label))
    of_a, of_b = people == a, people == b
    _, first, second = np.intersect1d(items[of_a], items[of_b], return_indices=True)
    return labels[of_a][first], labels[of_b][second]
