"""One region out of several people's regions of one thing, whatever their shape.

The order of the regions never matters: sums are exactly rounded, choices fall by geometry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.consensus.regions.areas import blend_masks, blend_polygons
from core.consensus.regions.middle import MIDDLES
from core.consensus.regions.order import form
from core.consensus.regions.skeletons import blend_keypoints
from core.consensus.regions.ways import Geometry
from core.labels.region import Region, Shape


def blend(group: Sequence[Region], how: Geometry, weights: Sequence[float] | None = None) -> Region:
    """Return one region of a group of one shape, without a confidence.

    Class and attributes are those of the first by its form; regions that are all the same come
    back as they are.

    Args:
        group: One region a person, at least one.
        how: How edges, points and pixels are made one.
        weights: How much each person counts; all the same where not given, or where nobody counts.
    """
    given = weights if weights is not None and any(weights) else [1.0] * len(group)
    told = sorted(zip(group, given, strict=True), key=lambda t: (form(t[0]), t[1]))
    ordered, weighed = [r for r, _ in told], [w for _, w in told]
    if form(ordered[0]) == form(ordered[-1]):
        first = ordered[0]
        return first if first.confidence is None else replace(first, confidence=None)
    made = _BLENDS[ordered[0].shape](ordered, weighed, how)
    said = ordered[0].attributes
    if made.confidence is None and made.attributes == said:
        return made
    return replace(made, confidence=None, attributes=said)


def _boxes(ordered: list[Region], weights: list[float], how: Geometry) -> Region:
    """Return the box with the middle of each edge."""
    middle = MIDDLES[how.middle]
    edges = zip(*(r.box for r in ordered), strict=True)
    x1, y1, x2, y2 = (middle(edge, weights) for edge in edges)
    return Region(ordered[0].label, x1, y1, x2, y2)


_BLENDS = {
    Shape.BOX: _boxes,
    Shape.POLYGON: blend_polygons,
    Shape.KEYPOINTS: blend_keypoints,
    Shape.MASK: blend_masks,
}
