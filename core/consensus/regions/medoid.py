"""The one of several people's regions that is most like all the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.labels.geometry import likeness
from core.labels.region import Region


def medoid(ordered: Sequence[Region], weights: Sequence[float]) -> int:
    """Return which region is most like the others, by their weight; of equals the first."""
    table = likeness(ordered, ordered)
    totals = [
        round(math.fsum(v * w for v, w in zip(row, weights, strict=True)), 9)
        for row in table.tolist()
    ]
    return totals.index(max(totals))
