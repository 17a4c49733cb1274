"""The one order of regions, by their form, that lets nothing depend on who came first."""

from __future__ import annotations

from collections.abc import Sequence

from core.labels.region import Region

Regions = tuple[Region, ...]


def form(region: Region) -> tuple[object, ...]:
    """Return what orders regions by their geometry: equal only for equal geometry."""
    return (region.x1, region.y1, region.x2, region.y2, region.shape, region.points, region.rle)


def place(region: Region) -> tuple[object, ...]:
    """Return what orders regions by their geometry, then by what else tells them apart."""
    return (form(region), region.label, region.attributes)


def in_order(regions: Sequence[Region]) -> Regions:
    """Return the regions by their edges: left, top, right, bottom; then what else tells them apart."""
    return tuple(sorted(regions, key=place))
