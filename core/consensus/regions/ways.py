"""How the geometry of several people's regions of one thing is made one: the choices there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Middle(StrEnum):
    """Where several people's edges or points have their middle; both go by weight if given.

    Mean IoU of five people's fused boxes with the truth, in a seeded simulation with normal errors
    (``python -m tests.bench.consensus regions``; "far off" is by 10 to 25 % of the side an edge):

    ================================  ======  ======
    people                            mean    median
    ================================  ======  ======
    equal                             0.944   0.933
    equal, 1 box in 10 far off        0.926   0.924
    equal, 1 box in 5 far off         0.897   0.904
    two careful, three not            0.913   0.932
    the same, weights known           0.957   0.946
    the same, weights learnt          0.957
    ================================  ======  ======

    The median is the default: it costs a point where people are equal and gains two where not.
    Where weights are known, or learnt from the drawings (`precision`), the mean is better.
    """

    MEAN = "mean"
    MEDIAN = "median"


class Area(StrEnum):
    """Which pixels belong to a thing several people outlined."""

    VOTE = "vote"
    """Those that more than half have."""
    STAPLE = "staple"
    """Those that are more likely in than out, given how well each person outlines it; it learns
    its own weights. Mean IoU of polygons with the truth, as above: with two careful people of
    five 0.918 against 0.907 by vote (0.908 with weights learnt), with five equal ones 0.916 against
    0.917."""
    WHOLE = "whole"
    """Those of one person: of the region most like all the others."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How regions of one thing become one.

    Attributes:
        middle: Of the edges of boxes and the points of keypoints.
        polygons: Of polygons.
        masks: Of masks.
        smooth_px: Of masks with `Area.VOTE` a pixel people disagree on goes with the votes within
            so many pixels of it; 0 counts each pixel alone.
    """

    middle: Middle = Middle.MEDIAN
    polygons: Area = Area.VOTE
    masks: Area = Area.VOTE
    smooth_px: int = 1


SETTLED = Geometry(Middle.MEAN, Area.WHOLE, Area.VOTE, 0)
"""How people who drew all the same regions are made one (`core.consensus.fuse`)."""
