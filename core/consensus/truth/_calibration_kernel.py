"""The compiled loops of calibration: what one round of EM adds up, and the map applied.

Imported on first use only, compiled on the first call and kept on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def expect(logs, likelihood, slope, bias, confusion, counts, up, bend):  # type: ignore[no-untyped-def]
    """Add the expected counts, and the slope and curvature of what the Newton step climbs.

    Args:
        logs: Logarithms of the model's probabilities, shape (tasks, classes).
        likelihood: P(votes | truth) up to a factor a task, alike.
        slope, bias, confusion: The map so far.
        counts: Filled with expected tasks at [class meant, true class]; zero before.
        up: Filled with the gradient by slope and biases, shape (1 + classes,); zero before.
        bend: Filled with the negative second derivatives; zero before.
    """
    tasks, k = logs.shape
    meant, back, wanted = np.empty(k), np.empty(k), np.empty(k)
    for t in range(tasks):
        top = -np.inf
        for c in range(k):
            meant[c] = slope * logs[t, c] + bias[c]
            top = max(top, meant[c])
        total = 0.0
        for c in range(k):
            meant[c] = np.exp(meant[c] - top)
            total += meant[c]
        back[:] = 0.0
        for c in range(k):
            meant[c] /= total
            for j in range(k):
                back[j] += meant[c] * confusion[c, j]
        total = 0.0
        for j in range(k):
            total += back[j] * likelihood[t, j]
        for j in range(k):
            back[j] = likelihood[t, j] / total
        mean = 0.0
        square = 0.0
        for c in range(k):
            share = 0.0
            for j in range(k):
                counts[c, j] += meant[c] * confusion[c, j] * back[j]
                share += confusion[c, j] * back[j]
            wanted[c] = meant[c] * share
            mean += meant[c] * logs[t, c]
            square += meant[c] * logs[t, c] ** 2
        bend[0, 0] += square - mean * mean
        for c in range(k):
            short = wanted[c] - meant[c]
            up[0] += short * logs[t, c]
            up[1 + c] += short
            bend[0, 1 + c] += meant[c] * (logs[t, c] - mean)
            bend[1 + c, 1 + c] += meant[c]
            for j in range(k):
                bend[1 + c, 1 + j] -= meant[c] * meant[j]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def apply(logs, fold, slope, bias, confusion, out):  # type: ignore[no-untyped-def]
    """Write P(truth | the model's word) of each task by the map of its fold; nan stays nan.

    Args:
        logs: Logarithms of the model's probabilities, shape (tasks, classes).
        fold: Number of the map of each task.
        slope, bias, confusion: The maps, shapes (maps,), (maps, classes), (maps, classes, classes).
        out: Filled, shape (tasks, classes).
    """
    tasks, k = logs.shape
    meant, true = np.empty(k), np.empty(k)
    for t in range(tasks):
        f = fold[t]
        top = -np.inf
        for c in range(k):
            meant[c] = slope[f] * logs[t, c] + bias[f, c]
            top = max(top, meant[c])
        total = 0.0
        true[:] = 0.0
        for c in range(k):
            share = np.exp(meant[c] - top)
            total += share
            for j in range(k):
                true[j] += share * confusion[f, c, j]
        for j in range(k):
            out[t, j] = true[j] / total
