"""Object-size coverage of drawn projects: how large what people drew is, and which sizes are missing.

A region's size is the root of its share of the picture, so 10 % is a square of a tenth of the
picture's side; shapes count by the box around them. COCO's small, medium and large are in pixels.
A model that has seen near things alone loses the small ones, so recall stands beside it by size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.access import Actor
from core.analytics.asked import MODEL, Against
from core.analytics.boxes import true_boxes
from core.analytics.cells import Floats, Ints
from core.analytics.replica import Replica
from core.errors import InputError
from core.services.analytics.replicas import open_figures
from core.services.bias.reference_sets import (
    Pictures,
    PictureSet,
    ReferenceAsk,
    pictures_of,
    pictures_to_show,
    two_sets,
)
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.bootstrap import clustered_ratio
from core.stats.distribution_tests import clustered
from core.stats.intervals import Estimate
from core.stats.multiple import benjamini_hochberg

ENDS = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Of the sizes told apart: each twice the one before."""

COCO_ENDS = (32.0, 96.0)
"""Roots of areas in pixels at which COCO calls things medium and large."""

COCO = ("small", "medium", "large")
FEWEST = 20
"""Regions below which a class has no figure."""

FEWEST_BEHIND = 5
SHORT, FALSE_DISCOVERY = 0.8, 0.05
ALL_CLASSES = ""


@dataclass(frozen=True, slots=True)
class SizeBin:
    """The regions of one size.

    Attributes:
        low, high: Of the root of the share of the picture; 0 and 1 at the ends.
        here, there: Shares of all regions of the class, clustered by picture; their n counts pictures.
        here_count, there_count: Regions.
        recall: Share of the true ones a model found; None where no model said anything.
    """

    low: float
    high: float
    here: Estimate
    there: Estimate | None
    here_count: int
    there_count: int
    recall: Estimate | None


@dataclass(frozen=True, slots=True)
class SizeHole:
    """A size the reference has and the project has too few of.

    Attributes:
        missing: Regions that would give the project the reference's share.
    """

    label: str
    bin: SizeBin
    missing: Estimate
    adjusted_p: float


@dataclass(frozen=True, slots=True)
class ClassSizes:
    """One class; the name is empty for all of them together.

    Attributes:
        regions, there_regions: How many.
        images: Pictures with any.
        quartiles: Of the size; None where there are too few.
        coco: Share that is small, medium and large by COCO's bounds, clustered by picture.
        coco_recall: Recall of each; empty where no model said anything.
        variation, p, adjusted_p: How far from the reference, by whole pictures.
    """

    label: str
    regions: int
    there_regions: int
    images: int
    quartiles: tuple[float, float, float] | None
    bins: tuple[SizeBin, ...]
    coco: tuple[Estimate, ...]
    coco_recall: tuple[Estimate, ...]
    variation: Estimate | None
    p: float | None
    adjusted_p: float | None


@dataclass(frozen=True, slots=True)
class SizesView:
    """Sizes by class; no classes where nothing is drawn in the project.

    Attributes:
        against: The reference as it was asked, empty for none.
        classes: All together first, then in schema order.
        holes: The largest gap first.
        there_predicted: Whether of the reference what a model says is looked at, for want of labels.
        notes: What a reader should know.
    """

    project: ProjectView
    against: str
    classes: tuple[ClassSizes, ...]
    holes: tuple[SizeHole, ...]
    there_predicted: bool
    notes: tuple[str, ...]


def object_sizes(
    ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk | None = None
) -> SizesView:
    """Return how large the regions of each class are, here and in a reference, and how many are found.

    Raises:
        Forbidden: The actor may not see figures here, or in the reference.
        NotFound: One of them is not there for the actor.
        InputError: No item has that value.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    if not project.task.draws:
        return SizesView(project, "", (), (), False, ())
    notes: tuple[str, ...] = ()
    there: _Regions | None = None
    predicted = False
    if asked is None or not asked.against.strip():
        here = _regions(replica, pictures_of(ws, project))
    else:
        here, there, predicted, notes = _both(ws, actor, slug, asked)
    found = _found(replica, project, pictures_of(ws, project))
    names = (ALL_CLASSES, *project.schema.classes)
    made = [_class(name, here, there, found) for name in names]
    classes = _adjusted([c for c, _ in made])
    against = asked.against.strip() if asked and there is not None else ""
    return SizesView(project, against, classes, _holes(made), predicted, notes)


def size_pictures(
    ws: Workspace,
    actor: Actor,
    slug: str,
    asked: ReferenceAsk,
    label: str,
    place: int,
    of_reference: bool = True,
) -> Pictures:
    """Return the pictures with regions of a class and size, of the reference or of the project.

    Raises:
        Forbidden: The actor may not see figures here, or in the reference.
        NotFound: One of them is not there for the actor.
        InputError: There is no such size.
    """
    project, replica = open_figures(ws, actor, slug)
    if not 0 <= place <= len(ENDS):
        raise InputError(f"There are {len(ENDS) + 1} sizes, found number {place}.")
    if asked.against.strip():
        sets = two_sets(ws, actor, slug, asked)
        side = sets.there if of_reference else sets.here
    else:
        side = pictures_of(ws, project)
    regions = _regions(replica, side)
    if of_reference and not len(regions.item):
        regions = _regions(replica, side, predicted=True)
    inside = (regions.bin == place) & _is_of(regions, label)
    ids = np.unique(regions.item[inside]).tolist()
    return pictures_to_show(ws, actor, side.project, ids, tells_answer=True)


# --- the regions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Regions:
    """Regions: arrays of one length. Size is the root of the share of the picture."""

    item: Ints
    label: np.ndarray
    size: Floats
    pixels: Floats

    @property
    def bin(self) -> Ints:
        return np.asarray(np.searchsorted(ENDS, self.size, side="right"))

    @property
    def coco(self) -> Ints:
        return np.asarray(np.searchsorted(COCO_ENDS, self.pixels, side="right"))

    def where(self, chosen: np.ndarray) -> _Regions:
        return _Regions(
            self.item[chosen], self.label[chosen], self.size[chosen], self.pixels[chosen]
        )


def _both(
    ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk
) -> tuple[_Regions, _Regions | None, bool, tuple[str, ...]]:
    sets = two_sets(ws, actor, slug, asked)
    here, there = _regions(sets.replica, sets.here), _regions(sets.replica, sets.there)
    if len(there.item):
        return here, there, False, ()
    there = _regions(sets.replica, sets.there, predicted=True)
    if len(there.item):
        note = "The reference has no labels: of it the boxes a model sees are counted, missed ones are not."
        return here, there, True, (note,)
    note = "Nothing is drawn in the reference and no model looked at it: only sizes here are shown."
    return here, None, False, (note,)


def _regions(replica: Replica, pictures: PictureSet, predicted: bool = False) -> _Regions:
    table = replica.arrow("region_sizes", {"project": pictures.project.id, "predicted": predicted})
    label = np.array(table["label"].to_pylist(), dtype=object)
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    drawn = np.array([x is not None for x in label], dtype=np.bool_) & np.isin(item, pictures.ids)
    box = np.column_stack([table[c].to_numpy() for c in ("x1", "y1", "x2", "y2")]).reshape(-1, 4)
    return _sized(pictures, item[drawn], label[drawn], box[drawn].astype(np.float64))


def _sized(pictures: PictureSet, item: Ints, label: np.ndarray, box: Floats) -> _Regions:
    size = pictures.sizes[np.searchsorted(pictures.ids, item)] if len(item) else np.zeros((0, 2))
    area = np.clip(box[:, 2] - box[:, 0], 0, None) * np.clip(box[:, 3] - box[:, 1], 0, None)
    share = np.clip(area / np.maximum(size.prod(1), 1.0), 0.0, 1.0)
    sound = np.isfinite(area) & (area > 0)
    return _Regions(item[sound], label[sound], np.sqrt(share[sound]), np.sqrt(area[sound]))


@dataclass(frozen=True, slots=True)
class _Found:
    """True regions and whether the model found each."""

    regions: _Regions
    hit: np.ndarray


def _found(replica: Replica, project: ProjectView, pictures: PictureSet) -> _Found | None:
    """Return which true regions the model found; None where it said nothing there is a label for."""
    told = true_boxes(
        replica, project.id, MODEL, Against.FINAL, iou_at_least=project.policy.iou_at_least
    )
    if not len(told.item):
        return None
    names = np.array(told.names, dtype=object)[told.label]
    area = (told.box[:, 2] - told.box[:, 0]) * (told.box[:, 3] - told.box[:, 1])
    sound = np.isfinite(area) & (area > 0) & np.isin(told.item, pictures.ids)
    regions = _sized(pictures, told.item[sound], names[sound], told.box[sound])
    return _Found(regions, told.found[sound])


def _is_of(regions: _Regions, label: str) -> np.ndarray:
    if label == ALL_CLASSES:
        return np.ones(len(regions.item), dtype=np.bool_)
    return np.asarray(regions.label == label, dtype=np.bool_)


# --- a class --------------------------------------------------------------------------------------

_CellP = tuple[float, ...]


def _class(
    label: str, here: _Regions, there: _Regions | None, found: _Found | None
) -> tuple[ClassSizes, _CellP]:
    own = here.where(_is_of(here, label))
    other = None if there is None else there.where(_is_of(there, label))
    enough = len(own.item) >= FEWEST
    apart = None
    if other is not None and enough and len(other.item) >= FEWEST:
        apart = clustered(_table(own), _table(other))
    bins = _bins(label, own, other, found)
    coco = tuple(_share(own, own.coco == i) for i in range(len(COCO)))
    recall = () if found is None else tuple(_recall(found, label, i, "coco") for i in range(3))
    quartiles = np.quantile(own.size, [0.25, 0.5, 0.75]).tolist() if enough else None
    return ClassSizes(
        label, len(own.item), 0 if other is None else len(other.item), len(np.unique(own.item)),
        None if quartiles is None else (quartiles[0], quartiles[1], quartiles[2]), bins, coco, recall,
        None if apart is None else apart.variation, None if apart is None else apart.p, None,
    ), (() if apart is None else apart.cell_p)  # fmt: skip


def _bins(
    label: str, own: _Regions, other: _Regions | None, found: _Found | None
) -> tuple[SizeBin, ...]:
    edges = (0.0, *ENDS, 1.0)
    return tuple(
        SizeBin(
            edges[i],
            edges[i + 1],
            _share(own, own.bin == i),
            None if other is None else _share(other, other.bin == i),
            int((own.bin == i).sum()),
            0 if other is None else int((other.bin == i).sum()),
            None if found is None else _recall(found, label, i, "bin"),
        )
        for i in range(len(ENDS) + 1)
    )


def _table(regions: _Regions) -> Floats:
    """Return how many regions of each size each picture has, shape (pictures, sizes)."""
    pictures, place = np.unique(regions.item, return_inverse=True)
    table = np.zeros((len(pictures), len(ENDS) + 1))
    np.add.at(table, (place, regions.bin), 1.0)
    return table


def _share(regions: _Regions, inside: np.ndarray) -> Estimate:
    if len(regions.item) < FEWEST:
        return Estimate(None, None, None, len(np.unique(regions.item)))
    return clustered_ratio(regions.item, inside.astype(np.float64), np.ones(len(inside)))


def _recall(found: _Found, label: str, place: int, by: str) -> Estimate:
    places = found.regions.bin if by == "bin" else found.regions.coco
    inside = _is_of(found.regions, label) & (places == place)
    item, hit = found.regions.item[inside], found.hit[inside].astype(np.float64)
    if len(item) < FEWEST_BEHIND:
        return Estimate(None, None, None, len(np.unique(item)))
    return clustered_ratio(item, hit, np.ones(len(hit)))


def _adjusted(classes: Sequence[ClassSizes]) -> tuple[ClassSizes, ...]:
    ps = benjamini_hochberg([c.p for c in classes])
    return tuple(replace(c, adjusted_p=p) for c, p in zip(classes, ps, strict=True))


def _holes(made: Sequence[tuple[ClassSizes, _CellP]]) -> tuple[SizeHole, ...]:
    """Return the sizes with too few regions, of single classes where there are several."""
    asked = [m for m in made if m[0].label != ALL_CLASSES] or list(made)
    cells = [(c, b, p) for c, ps in asked for b, p in zip(c.bins, ps, strict=False)]
    adjusted = benjamini_hochberg([p for _, _, p in cells])
    found = [
        SizeHole(c.label, b, _missing(c, b), p)
        for (c, b, _), p in zip(cells, adjusted, strict=True)
        if p is not None and p < FALSE_DISCOVERY and _is_short(c, b)
    ]
    return tuple(sorted(found, key=lambda h: (-(h.missing.value or 0.0), h.label, h.bin.low)))


def _is_short(sizes: ClassSizes, found: SizeBin) -> bool:
    here, there = found.here_count / sizes.regions, found.there_count / sizes.there_regions
    return found.there_count >= FEWEST_BEHIND and here < SHORT * there


def _missing(sizes: ClassSizes, found: SizeBin) -> Estimate:
    """Return how many more regions give the project the reference's share of a size."""

    def more(share: float | None) -> float | None:
        if share is None or share >= 1:
            return None
        wanted = (share * sizes.regions - found.here_count) / (1 - share)
        return float(max(0, math.ceil(wanted - 1e-9)))

    share = found.there
    if share is None or more(share.value) is None:
        return Estimate(None, None, None, sizes.there_regions)
    return Estimate(more(share.value), more(share.low), more(share.high), share.n)
