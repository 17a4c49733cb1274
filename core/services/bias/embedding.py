"""Embedding the pictures of a comparison on demand, so that their looks can be compared without a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from core.access import Actor
from core.learning.files import write_durably
from core.learning.values import ImageRef, Progress
from core.learning.vectors import vectors_of
from core.services.bias.reference_sets import (
    ReferenceAsk,
    TwoSets,
    embedded_note,
    pictures_drawn,
    two_sets,
)
from core.services.pictures.readable import readable_refs
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import items

CHUNK = 500
Told = Callable[[str, int, int, float | None], None]
"""Hears phase, done, total and seconds left."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What came of it.

    Attributes:
        pictures: How many have an embedding now, of those the comparison looks at.
        unreadable: How many could not be read.
        notice: A plain sentence a person should read, or empty.
    """

    pictures: int
    unreadable: int
    notice: str


def embed_sets(ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk, told: Told) -> Embedded:
    """Embed the pictures a comparison looks at, of both sides by one network, and keep them.

    Where no weights are at hand a small network is taught first, on the project's own pictures that may
    be learnt from: it never sees one that judges.

    Args:
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: No reference is named, or no item has that value.
        TiebreakError: Embedding failed; see `core.learning.vectors.vectors_of`.
    """
    sets = two_sets(ws, actor, slug, asked)
    told("looking for the pictures", 0, 0, None)
    everything, learnt = _pictures(ws, sets)

    def heard(p: Progress) -> None:
        told("teaching a network" if p.phase == "self-training" else "embedding", p.done, p.total,
             p.seconds_left)  # fmt: skip

    found = vectors_of(
        everything, ws.settings.backbone, ws.cache / "embeddings", ws.settings.offline,
        ws.settings.self_training_seconds, heard, learn_from=learnt,
    )  # fmt: skip
    doc = {"cache_key": found.cache_key, "width": int(found.rows.shape[1])}
    place = embedded_note(ws, sets.here.project)
    write_durably(place, json.dumps(doc).encode())
    return Embedded(len(found.item_ids), found.skipped, found.notice)


def _pictures(ws: Workspace, sets: TwoSets) -> tuple[list[ImageRef], list[ImageRef]]:
    """Return the pictures that are compared, and those of the project a network may be taught on."""
    ids = np.concatenate([sets.here.ids, sets.there.ids])
    wanted = dict.fromkeys(int(i) for i in ids[pictures_drawn(len(sets.here), len(sets.there))])
    refs, learnable = _refs(ws, list(wanted), sets.here.project)
    return list(refs.values()), [refs[i] for i in learnable]


def _refs(
    ws: Workspace, ids: list[int], project: ProjectView
) -> tuple[dict[int, ImageRef], list[int]]:
    refs: dict[int, ImageRef] = {}
    learnable: list[int] = []
    for start in range(0, len(ids), CHUNK):
        query = select(
            items.c.id, items.c.content_hash, items.c.location, items.c.channels, items.c.use,
            items.c.project_id,
        ).where(items.c.id.in_(ids[start : start + CHUNK]))  # fmt: skip
        with ws.store.read() as connection:
            rows = connection.execute(query).all()
        refs |= readable_refs(ws, rows)
        learnable += [r.id for r in rows if r.use == "train" and r.project_id == project.id]
    return refs, learnable
