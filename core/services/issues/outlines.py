"""The edges of images beside a weak network's embeddings: measured once, kept by content."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from sqlalchemy import select

from core.errors import TiebreakError
from core.intake.probe import small_picture
from core.learning import Progress
from core.learning.cache import EmbeddingCache
from core.learning.suspicious.edges import SIDE, WIDTH, edges_of
from core.services.issues.material import Looked
from core.services.pictures.images import image_limits, original_bytes
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import items

KEY = "edges-1"
"""Names the procedure; another number where it changes."""
AT_ONCE = 512
_WIDE = 2 * SIDE


def edges_at_hand(
    ws: Workspace,
    project: ProjectView,
    looked: Sequence[Looked],
    make: bool,
    progress: Callable[[Progress], None],
) -> np.ndarray | None:
    """Return each image's edges, float32 (n, width), zeros where it cannot be read; None where some lack.

    Args:
        make: Whether images are looked at that were not yet.
        progress: Hears how far the work is.

    Raises:
        DiskFull: They could not be kept.
    """
    hashes = [i.content_hash for i in looked]
    cache = EmbeddingCache(ws.cache / "embeddings", KEY, WIDTH)
    rows, found = cache.read(hashes)
    missing = [i for i, here in zip(looked, found, strict=True) if not here]
    if missing and not make:
        return None
    if missing:
        _measure(ws, project, missing, cache, progress)
        rows, _ = cache.read(hashes)
    return rows.astype(np.float32)


def _measure(
    ws: Workspace,
    project: ProjectView,
    missing: Sequence[Looked],
    cache: EmbeddingCache,
    progress: Callable[[Progress], None],
) -> None:
    with ws.store.read() as connection:
        query = select(items.c.id, items.c.location).where(items.c.project_id == project.id)
        lie = {r.id: r.location for r in connection.execute(query)}
    began = time.monotonic()
    for start in range(0, len(missing), AT_ONCE):
        part = missing[start : start + AT_ONCE]
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(lambda i: _edges(ws, lie[i.id]), part))
        cache.add([i.content_hash for i in part], np.stack(rows))
        done = start + len(part)
        left = (time.monotonic() - began) / done * (len(missing) - done)
        progress(Progress("measuring edges", done, len(missing), left))
    cache.merge()


def _edges(ws: Workspace, location: str) -> np.ndarray:
    """Return the edges of an image; zeros of one that cannot be read, as the doctor says it."""
    try:
        picture = small_picture(original_bytes(ws, location), _WIDE, image_limits(ws))
    except TiebreakError:
        return np.zeros(WIDTH, dtype=np.float32)
    square = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return edges_of(np.asarray(square))
