"""The two sets of a comparison: the pictures of a project, and those it is held against.

The reference is another project of the workspace (pictures from production, imported), or the items
of this project that have a value in a metadata column. Nothing here looks at a label but to say
which items have one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from core.access import Action, Actor, Resource, can
from core.analytics.cells import Floats, Ints
from core.analytics.replica import Replica
from core.errors import BadCheckpoint, InputError
from core.labels.state import LABELLED, ItemState
from core.learning.cache import EmbeddingCache
from core.learning.reader import read_embeddings
from core.services.analytics.behind import is_withheld, rows_of
from core.services.analytics.bias import slice_values
from core.services.analytics.replicas import open_figures
from core.services.bias.kept import Kept
from core.services.bias.measured import read_measures
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, list_projects
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import item_state, items, models

FEWEST = 20
"""Pictures either side must have before it is compared."""

MOST_VECTORS = 5_000
"""Embeddings of a side that are looked at; more are drawn by a seed."""

SHOWN = 8


@dataclass(frozen=True, slots=True)
class ReferenceAsk:
    """What is compared with what.

    Attributes:
        against: Name of another project, or "column=value" for items of this one.
        labelled: Whether of the project only items with a label in force are looked at.
        fewest: Pictures either side must have; never below the setting `smallest_group`.
    """

    against: str
    labelled: bool = False
    fewest: int = FEWEST


@dataclass(frozen=True, slots=True)
class Choices:
    """What a project can be held against: slug to title, and column to its values."""

    projects: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures of one side.

    Attributes:
        ids: Ascending.
        hashes: Of the content, in the same order.
        sizes: Width and height in pixels, shape (n, 2).
    """

    project: ProjectView
    ids: Ints
    hashes: tuple[str, ...]
    sizes: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class TwoSets:
    """The project's pictures, and those of the reference.

    Attributes:
        asked: With the smallest number as it was settled.
        column: The metadata column that makes the reference; empty where it is another project.
        both: Pictures that are in both, by content.
    """

    asked: ReferenceAsk
    here: PictureSet
    there: PictureSet
    replica: Replica
    column: str
    both: int

    @property
    def hashes(self) -> tuple[str, ...]:
        """Return the content hashes of both, the project's first."""
        return self.here.hashes + self.there.hashes

    @property
    def is_there(self) -> np.ndarray:
        """Return which of both belong to the reference, bool."""
        return np.arange(len(self.here) + len(self.there)) >= len(self.here)

    @property
    def is_enough(self) -> bool:
        """Return whether both sides have pictures enough to be compared."""
        return min(len(self.here), len(self.there)) >= self.asked.fewest

    @property
    def key(self) -> tuple[object, ...]:
        """Return what changes whenever the answer may: for caches."""
        return (
            self.here.project.id, self.there.project.id, self.replica.edition, repr(self.asked),
            len(self.here), len(self.there),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture behind a figure.

    Attributes:
        slug: The project it is in.
        image: Path of the picture, below the base.
        note: What is to be said of it.
    """

    slug: str
    item_id: int
    name: str
    image: str
    state: ItemState
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures behind a figure, and how many are not shown: because the actor could still vote on
    them, or because there are more."""

    shown: tuple[Picture, ...]
    total: int
    withheld: int


def references(ws: Workspace, actor: Actor, slug: str) -> Choices:
    """Return what a project can be held against.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    columns = slice_values(ws, actor, slug)
    others = {
        p.slug: p.title
        for p in list_projects(ws, actor)
        if p.slug != slug and can(actor, Action.SEE_FIGURES, Resource(p.id))
    }
    return Choices(others, {c: v for c, v in columns.items() if len(v) > 1})


def two_sets(ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk) -> TwoSets:
    """Return the pictures of a project and of what it is held against.

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: No reference is named, or no item has that value.
    """
    project, replica = open_figures(ws, actor, slug)
    asked = ReferenceAsk(
        asked.against.strip(), asked.labelled, max(asked.fewest, ws.settings.smallest_group, 2)
    )
    if not asked.against:
        raise InputError(
            "Nothing is named to compare with.", "Name another project, or COLUMN=VALUE."
        )
    if asked.against == slug:
        raise InputError(
            f"'{slug}' cannot be held against itself.", "Name another project, or COLUMN=VALUE."
        )
    other = project if "=" in asked.against else open_figures(ws, actor, asked.against)[0]
    question = (
        ws.root, id(replica), replica.edition, asked, project.id, other.id, project.n_items,
        other.n_items, project.schema_version, project.guideline_version,
    )  # fmt: skip
    return _kept.get(question, lambda: _sets(ws, replica, project, other, asked))


_kept: Kept[TwoSets] = Kept(6)


def _sets(
    ws: Workspace, replica: Replica, project: ProjectView, other: ProjectView, asked: ReferenceAsk
) -> TwoSets:
    everything = pictures_of(ws, project)
    if "=" in asked.against:
        column, inside = _having(replica, project, everything, asked.against)
        here, there = chosen(everything, ~inside), chosen(everything, inside)
    else:
        column, here, there = "", everything, pictures_of(ws, other)
    if asked.labelled:
        here = chosen(here, np.isin(here.ids, _labelled(ws, project)))
    both = len(set(here.hashes) & set(there.hashes))
    return TwoSets(asked, here, there, replica, column, both)


def pictures_of(ws: Workspace, project: ProjectView) -> PictureSet:
    """Return every picture of a project; the caller has asked the gate."""
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.id, items.c.content_hash, items.c.width, items.c.height)
            .where(items.c.project_id == project.id)
            .order_by(items.c.id)
        ).all()
    return PictureSet(
        project,
        np.array([r.id for r in rows], dtype=np.int64),
        tuple(r.content_hash for r in rows),
        np.array([(r.width, r.height) for r in rows], dtype=np.float64).reshape(-1, 2),
    )


def chosen(pictures: PictureSet, inside: np.ndarray) -> PictureSet:
    """Return some of the pictures."""
    places = np.flatnonzero(inside)
    return PictureSet(
        pictures.project,
        pictures.ids[places],
        tuple(pictures.hashes[i] for i in places.tolist()),
        pictures.sizes[places],
    )


def _having(
    replica: Replica, project: ProjectView, everything: PictureSet, condition: str
) -> tuple[str, np.ndarray]:
    """Return the column, and which pictures have the value; names may hold a "=" themselves."""
    table = replica.arrow("slice_columns", {"project": project.id})
    known = set(table["key"].unique().to_pylist())
    parts = condition.split("=")
    for cut in range(1, len(parts)):
        column, value = "=".join(parts[:cut]).strip(), "=".join(parts[cut:]).strip()
        if column in known:
            mask = pc.and_(pc.equal(table["key"], column), pc.equal(table["value"], value))
            found = np.asarray(table.filter(mask)["item_id"].to_numpy(), dtype=np.int64)
            if len(found):
                return column, np.isin(everything.ids, found)
    names = ", ".join(sorted(known)) or "none at all"
    raise InputError(
        f"No item of '{project.slug}' has {condition[:120]}.",
        f"Its metadata columns are: {names[:600]}.",
    )


def _labelled(ws: Workspace, project: ProjectView) -> Ints:
    with ws.store.read() as connection:
        found = connection.execute(
            select(item_state.c.item_id).where(
                item_state.c.project_id == project.id,
                item_state.c.state.in_([s.value for s in LABELLED]),
            )
        ).scalars()
        return np.array(list(found), dtype=np.int64)


# --- what is known of the pictures --------------------------------------------------------------


def metadata_of(sets: TwoSets) -> pa.Table:
    """Return the metadata of both sides as ``key, item_id, value, number``, ordered by key."""
    projects = dict.fromkeys((sets.here.project.id, sets.there.project.id))
    tables = [sets.replica.arrow("slice_columns", {"project": p}) for p in projects]
    table = pa.concat_tables(tables).sort_by([("key", "ascending"), ("item_id", "ascending")])
    ids = pa.array(np.concatenate([sets.here.ids, sets.there.ids]))
    return table.filter(pc.is_in(table["item_id"], ids))


def measures_of(ws: Workspace, sets: TwoSets) -> Floats:
    """Return what was measured of both, the project's first, NaN where nothing was."""
    return read_measures(ws, sets.hashes)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of both sides by one network.

    Attributes:
        rows: Unit length, shape (n, width), float32.
        places: Which of both sides' pictures they are of, the project's counted first.
    """

    rows: np.ndarray
    places: Ints


def vectors_of(ws: Workspace, sets: TwoSets) -> Vectors | None:
    """Return embeddings of both sides by one network; None where hardly any are there.

    They come from the cache, which is named by network, weights and preparation: what it gives for
    both sides can be compared. Nothing is embedded here; `embedding.embed_sets` does that.
    """
    for project in (sets.here.project, sets.there.project):
        if (found := _vectors(ws, project, sets)) is not None:
            return found
    return _on_demand(ws, sets)


def embedded_note(ws: Workspace, project: ProjectView) -> Path:
    """Return the file that names the network a project's pictures were embedded by on demand."""
    return ws.cache / "bias" / f"embedded-{project.id}.json"


def embedded_stamp(ws: Workspace, sets: TwoSets) -> str:
    """Return what changes when pictures were embedded on demand: for caches."""
    try:
        return str(embedded_note(ws, sets.here.project).stat().st_mtime_ns)
    except OSError:
        return ""


def _on_demand(ws: Workspace, sets: TwoSets) -> Vectors | None:
    """Return what was embedded for a comparison; a note that cannot be read is none."""
    try:
        doc = json.loads(embedded_note(ws, sets.here.project).read_bytes())
        cache = EmbeddingCache(ws.cache / "embeddings", str(doc["cache_key"]), int(doc["width"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    wanted = pictures_drawn(len(sets.here), len(sets.there))
    hashes = sets.hashes
    rows, found = cache.read([hashes[i] for i in wanted])
    length = np.linalg.norm(rows.astype(np.float32), axis=1, keepdims=True)
    known = found & (length[:, 0] > 0)
    return _enough(sets, wanted, rows / np.maximum(length, 1e-9), known)


def _vectors(ws: Workspace, project: ProjectView, sets: TwoSets) -> Vectors | None:
    if project.task.draws or not project.schema.item_questions:
        return None
    with ws.store.read() as connection:
        folder = connection.execute(
            select(models.c.folder)
            .where(models.c.project_id == project.id)
            .order_by(models.c.id.desc())
            .limit(1)
        ).scalar()
    if folder is None:
        return None
    wanted = pictures_drawn(len(sets.here), len(sets.there))
    run = ws.root / folder / project.schema.item_questions[0].key
    try:
        hashes = sets.hashes
        rows, found = read_embeddings(run, ws.cache / "embeddings", [hashes[i] for i in wanted])
    except BadCheckpoint:
        return None
    return _enough(sets, wanted, rows, found)


def _enough(sets: TwoSets, wanted: Ints, rows: np.ndarray, found: np.ndarray) -> Vectors | None:
    """Return what was found of those wanted; None where it is too little of a side."""
    places, there = wanted[found], wanted >= len(sets.here)
    for side in (there, ~there):
        if found[side].sum() < max(sets.asked.fewest, 0.8 * side.sum()):
            return None
    return Vectors(rows[found].astype(np.float32), places)


def pictures_drawn(here: int, there: int) -> Ints:
    """Return which pictures are looked at, ascending: all, or as many drawn of each side."""
    rng = np.random.default_rng(0)
    parts = [
        np.sort(rng.choice(n, min(n, MOST_VECTORS), replace=False)) + start
        for start, n in ((0, here), (here, there))
    ]
    return np.concatenate(parts).astype(np.int64)


def same_pictures(hashes: Sequence[str]) -> Ints:
    """Return a number for each picture, the same for the same content."""
    _, number = np.unique(np.array(hashes, dtype=np.str_), return_inverse=True)
    return np.asarray(number, dtype=np.int64)


# --- pictures to look at ------------------------------------------------------------------------


def pictures_to_show(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    ids: Sequence[int],
    notes: Mapping[int, str] | None = None,
    most: int = SHOWN,
    tells_answer: bool = False,
) -> Pictures:
    """Return pictures of a project in the order given.

    Args:
        ws: The workspace.
        actor: Who looks; the caller has asked the gate.
        project: The project they are in.
        ids: Of the items.
        notes: What is to be said of each.
        most: How many are shown.
        tells_answer: Whether that a picture is listed says something of its label: what the actor
            could still vote on is then left out. Light, metadata and looks say nothing.
    """
    rows = rows_of(ws, ids[: 40 * most])
    free = [
        i
        for i in ids
        if i in rows and not (tells_answer and is_withheld(actor, project, rows[i].state))
    ]
    with ws.store.read() as connection:
        names = names_of(connection, free[:most])
    said = notes or {}
    shown = tuple(
        Picture(
            project.slug, i, names[i][0], image_path(i, rows[i].content_hash),
            ItemState(rows[i].state), said.get(i, ""),
        )
        for i in free[:most]
    )  # fmt: skip
    return Pictures(shown, len(ids), len(rows) - len(free))
