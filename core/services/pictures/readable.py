"""Where images can be read on this machine, fetched where they lie elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from core.learning import ImageRef
from core.services.pictures.images import composite_path, local_path, original_bytes
from core.services.workspace import Workspace


def readable_refs(ws: Workspace, rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, ImageRef]:
    """Return where the images of some rows of items can be read, fetching what lies elsewhere."""
    return {r.id: ImageRef(r.id, r.content_hash, _readable(ws, r)) for r in rows}


def _readable(ws: Workspace, row: Row[*tuple[Any, ...]]) -> Path:
    if row.channels != "[]" and (shown := composite_path(ws, row)) is not None:
        return shown
    return _local(ws, row.location, row.content_hash)


def _local(ws: Workspace, location: str, content_hash: str) -> Path:
    if "://" not in location:
        return local_path(ws, location)
    kept = ws.cache / "originals" / content_hash[:2] / content_hash
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        part.write_bytes(original_bytes(ws, location))
        part.replace(kept)
    return kept
