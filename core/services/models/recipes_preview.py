"""A recipe on the project's own images, before anything is trained with it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image
from sqlalchemy import select

from core.access import Action, Actor
from core.labels.state import ItemState
from core.learning import ImageRef
from core.learning.preview import preview
from core.learning.recipes import NAMED, ClassBalance, Recipe, class_balance, recipe_from
from core.services.pictures.readable import readable_refs
from core.services.projects.project import project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import final_labels, item_state, items

__all__ = ["NAMED", "PreviewRow", "Recipe", "balance_of", "preview_recipe", "recipe_from"]

MOST_IMAGES, MOST_VARIANTS = 8, 6


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One image: as it is, and as training would see it.

    Attributes:
        pictures: JPEGs as data addresses, the unvaried one first.
    """

    item_id: int
    name: str
    pictures: tuple[str, ...]


def preview_recipe(
    ws: Workspace,
    actor: Actor,
    slug: str,
    recipe: Recipe,
    images: int = 4,
    variants: int = 4,
    seed: int = 0,
) -> list[PreviewRow]:
    """Return some of the project's training images varied by a recipe; same seed, same pictures.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        rows = connection.execute(
            select(items.c.id, items.c.content_hash, items.c.location, items.c.channels)
            .where(items.c.project_id == project.id, items.c.use == "train")
            .order_by(items.c.content_hash)
            .limit(max(1, min(images, MOST_IMAGES)))
        ).all()
        names = names_of(connection, [r.id for r in rows])
    refs: Mapping[int, ImageRef] = readable_refs(ws, rows)
    kept, pixels = preview(list(refs.values()), recipe, max(1, min(variants, MOST_VARIANTS)), seed)
    return [
        PreviewRow(ref.item_id, names[ref.item_id][0], tuple(_jpeg(p) for p in row))
        for ref, row in zip(kept, pixels, strict=True)
    ]


def balance_of(ws: Workspace, actor: Actor, slug: str) -> ClassBalance:
    """Return how evenly the training labels in force are spread over the classes.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        rows = connection.execute(
            select(final_labels.c.label)
            .join(item_state, item_state.c.final_seq == final_labels.c.seq)
            .join(items, items.c.id == item_state.c.item_id)
            .where(
                items.c.project_id == project.id, items.c.use == "train",
                final_labels.c.label.is_not(None),
                item_state.c.state != ItemState.AUTO_ACCEPTED.value,
            )
        ).scalars()  # fmt: skip
        counts = dict.fromkeys(project.schema.main.open_names, 0)
        for label in rows:
            name = project.schema.main.today(label)
            counts[name] = counts.get(name, 0) + 1
    return class_balance(counts)


def _jpeg(pixels: object) -> str:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=82)  # type: ignore[arg-type]
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")
