"""The compiled loops of calibration: what one round of EM adds up, and the map applied.

Imported on first use only, compiled on the first call and kept on disk. Tasks lie side by side in memory,
class below class, so that every inner loop runs over many tasks and fills whole vectors.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from core.consensus.truth._kernels import _exponentials

SIDE = 64  # tasks side by side: two tables of ten classes fit the nearest cache
FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=FAST)
def _soften(meant, top, total, shifted, bits, size):  # type: ignore[no-untyped-def]
    """Turn scores into probabilities of the class meant, for `size` tasks side by side."""
    k = len(meant)
    top[:size] = meant[0, :size]
    for c in range(1, k):
        for i in range(size):
            top[i] = max(top[i], meant[c, i])
    for c in range(k):
        for i in range(size):
            meant[c, i] -= top[i]
    _exponentials(meant.reshape(-1), shifted, bits, meant.size)
    total[:size] = 0.0
    for c in range(k):
        for i in range(size):
            total[i] += meant[c, i]
    for i in range(size):
        total[i] = 1.0 / total[i]
    for c in range(k):
        for i in range(size):
            meant[c, i] *= total[i]


@njit(cache=True, nogil=True, fastmath=FAST)
def _confuse(meant, confusion, out, size):  # type: ignore[no-untyped-def]
    """Write the probabilities of the true class."""
    k = len(meant)
    for j in range(k):
        row = out[j]
        row[:size] = 0.0
        for c in range(k):
            share = confusion[c, j]
            for i in range(size):
                row[i] += meant[c, i] * share


@njit(cache=True, nogil=True, fastmath=FAST)
def _dot(a, b, size):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(size):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, fastmath=FAST)
def _look_back(likelihood, low, back, total, size):  # type: ignore[no-untyped-def]
    """Turn the probabilities of the true class into what the votes make of each: their ratio."""
    k = len(back)
    total[:size] = 0.0
    for j in range(k):
        for i in range(size):
            total[i] += back[j, i] * likelihood[j, low + i]
    for j in range(k):
        for i in range(size):
            back[j, i] = likelihood[j, low + i] / total[i]


@njit(cache=True, nogil=True, fastmath=FAST)
def _count(meant, back, confusion, counts, short, size):  # type: ignore[no-untyped-def]
    """Add expected tasks to the table; write what each class meant falls short of what is wanted."""
    k = len(meant)
    for c in range(k):
        row = short[c]
        row[:size] = -1.0
        for j in range(k):
            share = confusion[c, j]
            counts[c, j] += share * _dot(meant[c], back[j], size)
            for i in range(size):
                row[i] += share * back[j, i]
        for i in range(size):
            row[i] *= meant[c, i]


@njit(cache=True, nogil=True, fastmath=FAST)
def _climb(meant, short, logs, low, up, bend, mean, size):  # type: ignore[no-untyped-def]
    """Add the gradient and the negative second derivatives, the lower half of the biases'."""
    k = len(meant)
    mean[:size] = 0.0
    for c in range(k):
        for i in range(size):
            mean[i] += meant[c, i] * logs[c, low + i]
    bend[0, 0] -= _dot(mean, mean, size)
    for c in range(k):
        said = logs[c, low : low + size]
        for i in range(size):
            up[1 + c] += short[c, i]
            up[0] += short[c, i] * said[i]
            bend[0, 0] += meant[c, i] * said[i] * said[i]
            bend[0, 1 + c] += meant[c, i] * (said[i] - mean[i])
            bend[1 + c, 1 + c] += meant[c, i]
        for j in range(c + 1):
            bend[1 + c, 1 + j] -= _dot(meant[c], meant[j], size)


@njit(cache=True, nogil=True, fastmath=FAST)
def expect(logs, likelihood, slope, bias, confusion, counts, up, bend):  # type: ignore[no-untyped-def]
    """Add the expected counts, and the slope and curvature of what the Newton step climbs.

    Args:
        logs: Logarithms of the model's probabilities, shape (classes, tasks).
        likelihood: P(votes | truth) up to a factor a task, alike.
        slope, bias, confusion: The map so far.
        counts: Filled with expected tasks at [class meant, true class]; zero before.
        up: Filled with the gradient by slope and biases, shape (1 + classes,); zero before.
        bend: Filled with the negative second derivatives, on and below the diagonal and in the first
            row; zero before.
    """
    k, tasks = logs.shape
    meant, back, short = np.zeros((k, SIDE)), np.zeros((k, SIDE)), np.zeros((k, SIDE))
    top, total, shifted = np.zeros(SIDE), np.zeros(SIDE), np.empty(k * SIDE)
    bits = shifted.view(np.int64)
    for low in range(0, tasks, SIDE):
        size = min(SIDE, tasks - low)
        meant[:] = 0.0
        for c in range(k):
            for i in range(size):
                meant[c, i] = slope * logs[c, low + i] + bias[c]
        _soften(meant, top, total, shifted, bits, size)
        _confuse(meant, confusion, back, size)
        _look_back(likelihood, low, back, total, size)
        _count(meant, back, confusion, counts, short, size)
        _climb(meant, short, logs, low, up, bend, total, size)


@njit(cache=True, nogil=True, fastmath=FAST)
def apply(rows, logs, slope, bias, confusion, out):  # type: ignore[no-untyped-def]
    """Write P(truth | the model's word) of some tasks by one map.

    Args:
        rows: The tasks; each has a word.
        logs: Logarithms of the model's probabilities, shape (tasks, classes).
        slope, bias, confusion: The map.
        out: Filled in these rows, shape (tasks, classes).
    """
    k = logs.shape[1]
    meant, true = np.zeros((k, SIDE)), np.zeros((k, SIDE))
    top, total, shifted = np.zeros(SIDE), np.zeros(SIDE), np.empty(k * SIDE)
    bits = shifted.view(np.int64)
    for low in range(0, len(rows), SIDE):
        size = min(SIDE, len(rows) - low)
        meant[:] = 0.0
        for i in range(size):
            said = logs[rows[low + i]]
            for c in range(k):
                meant[c, i] = slope * said[c] + bias[c]
        _soften(meant, top, total, shifted, bits, size)
        _confuse(meant, confusion, true, size)
        for i in range(size):
            into = out[rows[low + i]]
            for c in range(k):
                into[c] = true[c, i]
