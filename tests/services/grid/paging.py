"""A page of the grid asked for and confirmed, as its tests do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import select

from core.access import Actor
from core.clock import new_uuid
from core.labels import Answer, Region
from core.labels.schema import Task
from core.services.grid.page import GridPage, grid_page
from core.services.grid.tiles import Unit
from core.services.grid.votes import TileDecision, decide_tiles
from core.services.models.prelabels import Prediction, store_predictions
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import annotation_log, overlook_probes
from tests.record import World, make_world, say

Make = Callable[..., World]


def predict(world: World, said: Mapping[int, tuple[str, float]]) -> None:
    """Let the model say a class of each item."""
    rows = [Prediction(i, say(label), sure, sure / 2) for i, (label, sure) in said.items()]
    with world.ws.store.write() as connection:
        store_predictions(connection, world.project, rows, "model", world.ws.clock())


def page_of(world: World, who: Actor, name: str = "cat", **asked: object) -> GridPage:
    return grid_page(world.ws, who, world.slug, name, **asked)


def decision(page: GridPage, unit: Unit, **other: object) -> TileDecision:
    """Return the decision that confirms a unit, or what `other` makes of it."""
    plain = TileDecision(
        new_uuid(), unit.item_id, page.uuid, unit.seq, page.predicted or "", unit.token,
        base_revision=unit.revision, tiles=len(page.units), active_seconds=0.5,
    )  # fmt: skip
    return replace(plain, **other)


def confirm(world: World, who: Actor, page: GridPage, marks: Mapping[int, str] | None = None):
    """Confirm a page; `marks` names the items that are marked, with their class or ""."""
    marks = marks or {}
    sent = [
        decision(page, u, marks={0: marks[u.item_id]} if u.item_id in marks else {})
        for u in page.units
    ]
    return decide_tiles(world.ws, who, world.slug, sent)


def probes(world: World) -> list[tuple[int, str, str, bool]]:
    with world.ws.store.read() as connection:
        rows = connection.execute(select(overlook_probes).order_by(overlook_probes.c.seq)).all()
    return [(r.item_id, r.shown, r.truth, r.noticed) for r in rows]


def all_votes(world: World) -> list[object]:
    with world.ws.store.read() as connection:
        return list(connection.execute(select(annotation_log).order_by(annotation_log.c.seq)))


def boxes_world(ws: Workspace) -> World:
    """A box project of two items: one with a cat and a dog, one with two cats."""
    world = make_world(ws, n_items=2, task=Task.BOXES)
    first, second = world.items
    said = {
        first: (Region("cat", 5, 5, 25, 25, 0.9), Region("dog", 30, 30, 60, 60, 0.4)),
        second: (Region("cat", 0, 0, 20, 20, 0.8), Region("cat", 30, 0, 64, 20, 0.7)),
    }
    with ws.store.write() as connection:
        rows = [Prediction(i, Answer({}, r), 0.5) for i, r in said.items()]
        store_predictions(connection, world.project, rows, "model", 1.0)
    return world


def planted_world(ws: Workspace, open_items: int = 30, known: int = 6) -> World:
    """Items predicted cat; the last ones two people know blindly to be dogs."""
    world = make_world(ws, n_items=open_items + known, n_experts=3)
    predict(world, {i: ("cat", 0.3 + n / 1000) for n, i in enumerate(world.items)})
    for item in world.items[-known:]:
        for who in world.cast.experts[1:]:
            blind = Submission(new_uuid(), item, "vote", say("dog"), prelabel_shown=False)
            submit(ws, who, world.slug, blind)
    return world
