"""Our own element for the grid: pages of tiles of one predicted class.

Like the deck it is a Components-v2 element whose modules come from the asset route. Over the
websocket goes only what is here; tiles and classes are fetched by the element itself.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import streamlit as st

from core.labels.region import Shape
from core.services.projects.project import ProjectView
from core.ui import urls
from core.ui.deck import STATIC, Person
from core.ui.grid.texts import grid_keys, grid_texts
from core.web import deck_path

GRID = "tb-grid"
COUNTS = (24, 36, 60, 100)
"""How many tiles a page may have."""
_LOADER = (
    "export default async (c) => "
    "(await import(new URL(c.data.module, location.href).href)).default(c);"
)
_STYLE = (STATIC / "grid" / "grid.css").read_text(encoding="utf-8")

_grid = st.components.v2.component("tiebreak_grid", css=_STYLE, js=_LOADER)


def grid(project: ProjectView, person: Person, lease_cap: int, shown: str, count: int) -> None:
    """Mount the grid.

    Args:
        project: What is reviewed.
        person: Who reviews.
        lease_cap: Most items this person may hold at once.
        shown: The class the address names; empty without one.
        count: How many tiles a page has.
    """
    lasting = _config(project, person, lease_cap)
    text = json.dumps(lasting, sort_keys=True, ensure_ascii=False)
    rev = hashlib.sha256(text.encode()).hexdigest()[:12]
    _grid(key=GRID, data={**lasting, "rev": rev, "shown": shown, "count": count})


def known_count(asked: str) -> int:
    """Return how many tiles the address asks for: the nearest step we have, 60 without one."""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        return 60
    return min(COUNTS, key=lambda c: abs(c - int(asked)))


def _config(project: ProjectView, person: Person, lease_cap: int) -> dict[str, Any]:
    slug = project.slug
    return {
        "module": urls.path(deck_path("grid.js")),
        "slug": slug,
        "person": person.person_id,
        "boxes": project.schema.draws,
        "schemaVersion": project.schema_version,
        "idleSeconds": person.idle_seconds,
        "leaseSeconds": person.lease_seconds,
        "leaseCap": lease_cap,
        "urls": {
            "base": urls.base(),
            "grid": urls.path(f"/files/grid/{slug}"),
            "hold": urls.path(f"/files/grid/{slug}/hold"),
            "release": urls.path(f"/files/release/{slug}"),
            "item": urls.page("review", project=slug, item="__ITEM__"),
        },
        "keys": [list(row) for row in grid_keys()],
        "texts": grid_texts(project.task.shape not in (None, Shape.BOX)),
    }
