"""Classes edited and labels read, as these tests do it."""

from __future__ import annotations

from sqlalchemy import select

from core.services.projects.project import ProjectView, get_project
from core.services.steering.schemas import edit_schema
from core.store.tables import final_labels
from tests.record import World, vote


def edit(world: World, *operations, base: int | None = None, reason: str = "why") -> ProjectView:
    """Edit the classes as the lead who looks at the version in force."""
    now = get_project(world.ws, world.cast.lead, world.slug).schema_version
    return edit_schema(
        world.ws, world.cast.lead, world.slug, operations, reason, now if base is None else base
    )


def both(world: World, item: int, first: str, second: str) -> None:
    """Let two people vote on an item."""
    vote(world, world.cast.experts[0], item, first)
    vote(world, world.cast.experts[1], item, second)


def label_of_final(world: World, item: int) -> tuple[str | None, int]:
    with world.ws.store.read() as connection:
        row = connection.execute(
            select(final_labels).where(final_labels.c.item_id == item)
            .order_by(final_labels.c.seq.desc())
        ).first()  # fmt: skip
    return row.label, row.schema_version
