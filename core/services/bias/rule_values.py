"""What rules measure of a project: properties of pictures, numbers in metadata, sizes of regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.analytics.cells import Floats, Ints
from core.analytics.replica import Replica
from core.intake.measures import NAMES
from core.labels.rules import About, Rule
from core.services.bias.measured import read_measures
from core.services.bias.reference_sets import PictureSet, pictures_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one property: arrays of one length; an item may have several, one a region."""

    item: Ints
    value: Floats
    label: np.ndarray

    def where(self, chosen: np.ndarray) -> Values:
        """Return some of them, in the order chosen."""
        return Values(self.item[chosen], self.value[chosen], self.label[chosen])


@dataclass(frozen=True, slots=True)
class Known:
    """All that is measured of a project; columns of metadata that hold a number for some item."""

    project: ProjectView
    replica: Replica
    pictures: PictureSet
    measures: Floats
    columns: dict[str, Values]
    regions: dict[str, Values]


def known_of(ws: Workspace, project: ProjectView, replica: Replica) -> Known:
    """Return all that is measured of a project; the caller has asked the gate."""
    pictures = pictures_of(ws, project)
    measures = read_measures(ws, pictures.hashes)
    regions = _regions(replica, pictures) if project.task.draws else {}
    return Known(project, replica, pictures, measures, _columns(replica, project), regions)


def _columns(replica: Replica, project: ProjectView) -> dict[str, Values]:
    table = replica.arrow("slice_columns", {"project": project.id})
    number = table["number"].to_numpy().astype(np.float64)
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    keys = np.array(table["key"].to_pylist(), dtype=object)
    found = {}
    for key in sorted(set(keys.tolist())):
        own = (keys == key) & np.isfinite(number)
        found[key] = Values(item[own], number[own], np.full(int(own.sum()), "", dtype=object))
    return found


def _regions(replica: Replica, pictures: PictureSet) -> dict[str, Values]:
    """Return share of the picture, shorter side and width over height of each region in force."""
    table = replica.arrow("region_sizes", {"project": pictures.project.id, "predicted": False})
    label = np.array(table["label"].to_pylist(), dtype=object)
    item = np.asarray(table["item_id"].to_numpy(), dtype=np.int64)
    edges = (table[c].to_numpy().astype(np.float64) for c in ("x1", "y1", "x2", "y2"))
    x1, y1, x2, y2 = edges
    wide, high = x2 - x1, y2 - y1
    sound = np.isfinite(wide) & np.isfinite(high) & (wide > 0) & (high > 0)
    sound &= np.isin(item, pictures.ids)
    item, label, wide, high = item[sound], label[sound], wide[sound], high[sound]
    frame = pictures.sizes[np.searchsorted(pictures.ids, item)].prod(1)
    values = {
        "object size": np.clip(wide * high / np.maximum(frame, 1.0), 0.0, 1.0),
        "object pixels": np.minimum(wide, high),
        "object aspect": wide / high,
    }
    return {name: Values(item, value, label) for name, value in values.items()}


def of_picture(known: Known, name: str) -> Values:
    """Return a measured property of every picture that has it."""
    column = known.measures[:, NAMES.index(name)]
    sound = np.isfinite(column)
    nobody = np.full(int(sound.sum()), "", dtype=object)
    return Values(known.pictures.ids[sound], column[sound], nobody)


def values_for(known: Known, rule: Rule) -> Values | str:
    """Return what was measured for a rule, or why nothing can be."""
    if rule.about is About.PICTURE:
        return of_picture(known, rule.subject)
    if rule.about is About.METADATA:
        found = known.columns.get(rule.subject)
        return found or f"No item has a metadata column '{rule.subject[:60]}'."
    if not known.project.task.draws:
        return "Nothing is drawn in this project, so there is no object to measure."
    if rule.label and rule.label not in known.project.schema.classes:
        return f"There is no class '{rule.label[:60]}' in this project."
    values = known.regions[rule.subject]
    return values.where(values.label == rule.label) if rule.label else values
