"""The compiled loops of rescoring; one thread each, without the interpreter's lock.

Imported on first use only (numba takes half a second to import), compiled on the first call and kept
on disk.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def widen(halves, out):
    """Write float16, given by its bits as uint16, to `out` as float32; infinity becomes NaN.

    numpy does this one number at a time, which takes longer than the product that follows.
    """
    for i in range(halves.size):
        bits = np.uint32(halves[i])
        sign = (bits & np.uint32(0x8000)) << np.uint32(16)
        moved = ((bits & np.uint32(0x7FFF)) << np.uint32(13)) | sign
        # The exponent's bias differs by 112; multiplying sets subnormal numbers right too.
        value = np.uint32(moved).view(np.float32) * np.float32(2.0**112)
        finite = (bits & np.uint32(0x7C00)) != np.uint32(0x7C00)
        out[i] = value if finite else np.float32(np.nan)


@njit(cache=True, nogil=True)
def told(scores, top, confidence, margin, entropy):
    """Write what each row's softmax says: the likeliest class, its share, its lead, the entropy."""
    n, k = scores.shape
    for i in range(n):
        best, second, at = -np.inf, -np.inf, 0
        for c in range(k):
            x = scores[i, c]
            if x > best:
                second, best, at = best, x, c
            elif x > second:
                second = x
        total, spread = np.float32(0), np.float32(0)
        for c in range(k):
            apart = scores[i, c] - best
            share = math.exp(apart) if apart > -80 else np.float32(0)
            total += share
            spread += share * apart if apart > -80 else np.float32(0)
        sound = math.isfinite(best)
        top[i] = at
        confidence[i] = 1 / total if sound else np.nan
        margin[i] = (1 - math.exp(second - best)) / total if sound else np.nan
        entropy[i] = math.log(total) - spread / total if sound else np.nan
