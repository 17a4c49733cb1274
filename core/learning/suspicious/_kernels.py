"""The compiled loops of confident learning; one thread, without the interpreter's lock.

Imported on first use only (numba takes half a second to import), compiled on the first call and kept
on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def own_shares(table, labels, total, seen):
    """Add up, by given class, the probability of that class; rows without a label or sense are passed over."""
    k = table.shape[1]
    for i in range(table.shape[0]):
        y = labels[i]
        if 0 <= y < k and not np.isnan(table[i, y]):
            total[y] += table[i, y]
            seen[y] += 1


@njit(cache=True, nogil=True)
def told(table, labels, thresholds, floor, margin, score, suggested, counts):
    """Write what each row says against its label; count the confident classes by given class.

    Returns how many rows have another class on top, and that one above its threshold.
    """
    n, k = table.shape
    found = 0
    for i in range(n):
        y = labels[i]
        margin[i] = score[i] = np.float32(np.nan)
        suggested[i] = -1
        if not (0 <= y < k):
            continue
        own = table[i, y]
        best, at = np.float32(-1.0), -1
        sure, sure_at = np.float32(-1.0), -1
        sound = True
        for c in range(k):
            x = table[i, c]
            sound = sound and not np.isnan(x)
            if c != y and x > best:
                best, at = x, c
            if x >= thresholds[c] and x > sure:
                sure, sure_at = x, c
        if not sound or at < 0:
            continue
        margin[i], suggested[i] = best - own, at
        score[i] = np.float32(0.5) + (best - own) / (np.float32(2.0) * (best + own + floor))
        if sure_at >= 0:
            counts[y, sure_at] += 1
        on_top = best > own or (best == own and at < y)
        found += on_top and best >= thresholds[at]
    return found
