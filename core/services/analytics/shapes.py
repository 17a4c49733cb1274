"""Drawn projects image by image: whether a class is there, how many, how large an area."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.access import Actor
from core.analytics.asked import ALL, MODEL, Against, Basis, Filters, comparison_values, independent
from core.analytics.figures import FEWEST
from core.analytics.replica import Replica
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.bootstrap import bootstrap, clustered_mean, kinds_of
from core.stats.intervals import UNDEFINED, Estimate, wilson


@dataclass(frozen=True, slots=True)
class ShapeClass:
    """One class of regions over the images both sides answered; estimates are clustered by image.

    Attributes:
        name: The class.
        images: Pairs of answers looked at.
        present: Share of images it truly is on.
        present_right: Share of images on which "is it there" is answered rightly.
        count: True regions an image, over all images.
        count_off: Regions drawn minus true ones an image; below 0 some are missed.
        count_right: Share of images with exactly as many as there are.
        area: True area an image, square pixels of bounding boxes.
        area_ratio: Drawn area over true area, all images together; 1 is right.
    """

    name: str
    images: int
    present: Estimate
    present_right: Estimate
    count: Estimate
    count_off: Estimate
    count_right: Estimate
    area: Estimate
    area_ratio: Estimate


@dataclass(frozen=True, slots=True)
class ShapesView:
    """Regions image by image; no classes where nothing is drawn in the project."""

    project: ProjectView
    basis: Basis
    left_out: int
    classes: tuple[ShapeClass, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    pair: int
    item: int
    true_count: int
    said_count: int
    true_area: float
    said_area: float


def shapes(
    ws: Workspace,
    actor: Actor,
    slug: str,
    whose: str = MODEL,
    against: str = Against.FINAL,
    filters: Filters | None = None,
) -> ShapesView:
    """Return presence, count and area of each class per image.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return shapes_of(replica, project, whose, against, filters or ALL)


def shapes_of(
    replica: Replica,
    project: ProjectView,
    whose: str,
    against: str,
    filters: Filters = ALL,
    fewest: int = FEWEST,
) -> ShapesView:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    if not project.task.draws:
        return ShapesView(project, Basis.INDEPENDENT, 0, ())
    values = comparison_values(replica, project.id, whose, against, filters)
    rows = [{**r, "n": 1} for r in replica.query("shapes_per_image", values)]
    kept, basis, _ = independent(rows, against)
    items = {r["pair"]: r["item_id"] for r in kept}
    left_out = len({r["pair"] for r in rows}) - len(items)
    sides: dict[str, list[_Side]] = defaultdict(list)
    for r in kept:
        if r["label"] is not None:
            sides[r["label"]].append(
                _Side(r["pair"], r["item_id"], int(r["true_count"]), int(r["said_count"]),
                      float(r["true_area"]), float(r["said_area"]))
            )  # fmt: skip
    names = [*project.schema.classes, *sorted(set(sides) - set(project.schema.classes))]
    return ShapesView(
        project, basis, left_out, tuple(_class(n, sides[n], items, fewest) for n in names)
    )


def _class(name: str, sides: Sequence[_Side], items: dict[int, int], fewest: int) -> ShapeClass:
    n = len(items)
    if n < fewest:
        little = replace(UNDEFINED, n=n)
        return ShapeClass(name, n, *(little,) * 7)
    drawn = {s.pair: s for s in sides}
    rows = [drawn.get(p) or _Side(p, i, 0, 0, 0.0, 0.0) for p, i in items.items()]
    item = np.array([s.item for s in rows])
    true, said = (np.array([getattr(s, f"{k}_count") for s in rows]) for k in ("true", "said"))
    true_area, said_area = (
        np.array([getattr(s, f"{k}_area") for s in rows]) for k in ("true", "said")
    )
    return ShapeClass(
        name,
        n,
        _share(item, true > 0),
        _share(item, (true > 0) == (said > 0)),
        clustered_mean(item, true),
        clustered_mean(item, said - true),
        _share(item, true == said),
        clustered_mean(item, true_area),
        _ratio_of(item, said_area, true_area),
    )


def _share(item: np.ndarray, hit: np.ndarray) -> Estimate:
    """Return a share of images: Wilson's where each image counts once, else clustered by image."""
    if len(np.unique(item)) == len(item):
        return wilson(int(hit.sum()), len(item))
    return clustered_mean(item, hit)


def _ratio_of(item: np.ndarray, said: np.ndarray, true: np.ndarray) -> Estimate:
    """Return drawn over true area; images without any true area keep what was drawn on them."""
    _, place = np.unique(item, return_inverse=True)
    sums = np.column_stack([np.bincount(place, said), np.bincount(place, true)])
    total = float(true.sum())
    if total <= 0:
        return replace(UNDEFINED, n=len(sums))
    low, high = bootstrap(
        *kinds_of(sums.astype(np.float64)), lambda drawn: drawn[:, 0] / drawn[:, 1]
    )
    return Estimate(float(said.sum()) / total, low, high, len(sums))
