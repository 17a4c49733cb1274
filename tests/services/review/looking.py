"""What the tests of leases, votes and drafts look at."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select

from core.labels import Answer
from core.services.review.leases import open_item
from core.store.tables import annotation_log
from tests.record import World

Make = Callable[..., World]


def ids(view) -> list[int]:
    return [i.item_id for i in view.items]


def rows(world: World, table=annotation_log) -> int:
    with world.ws.store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def draft_of(world: World, actor, item_id: int) -> Answer | None:
    return open_item(world.ws, actor, world.slug, item_id).draft
