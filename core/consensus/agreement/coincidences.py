"""Coincidences of classes (Krippendorff 2011): how often two are said of one item, by pairs."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from core.consensus.counts import ItemCounts


def coincidences(kinds: ItemCounts) -> csr_array:
    """Return of each item the coincidences of every two different classes, each pair once.

    Returns:
        Shape (items, classes * classes); the column of a pair is the lower class times the number
        of classes, plus the higher. Twice the sum is what all ordered pairs give.
    """
    sizes = kinds.cells
    owner = np.repeat(np.arange(len(sizes)), sizes)
    later = np.repeat(kinds.starts + sizes, sizes) - np.arange(len(owner)) - 1
    first = np.repeat(np.arange(len(owner)), later)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    item = owner[first]
    weight = kinds.counts[first] * kinds.counts[second] / (kinds.votes[item] - 1)
    pair = kinds.labels[first] * kinds.classes + kinds.labels[second]
    return csr_array((weight, (item, pair)), shape=(len(sizes), kinds.classes**2))
