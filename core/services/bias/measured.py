"""Measured properties of images, kept in the workspace by what the image holds.

One row an image in Parquet files below `cache/measures`: whoever measures writes a new file beside
the others, so a file is whole or unseen, and all of it may be thrown away at any time.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Row, select

from core.access import Action, Actor
from core.errors import DiskFull, StorageError, TiebreakError
from core.intake.measures import NAMES, SIDE, as_row, measure
from core.intake.probe import small_picture
from core.services.pictures.images import image_limits, original_bytes
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import items

EDITION = 1
"""Raised whenever a measure changes: what was kept before is then no longer read."""

AT_ONCE = 512
MERGE_ABOVE = 24

Report = Callable[[str, int, int, float | None], None]
"""Called with (phase, done, total, seconds left)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """How many images of a project are measured.

    Attributes:
        items: All images.
        known: Of them measured before, or now.
        unreadable: Of the images looked at now, those that could not be read.
    """

    items: int
    known: int
    unreadable: int = 0

    @property
    def missing(self) -> int:
        """Return how many are not measured."""
        return self.items - self.known


def measured_now(ws: Workspace, actor: Actor, slug: str) -> Measured:
    """Return how many images of a project are measured.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES)
    rows = _items(ws, project)
    return _measured(ws, rows)


def measure_items(
    ws: Workspace,
    actor: Actor,
    slug: str,
    report: Report = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Measured:
    """Measure the images of a project that were not measured before; what is done is kept.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        DiskFull: What was measured cannot be written.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES)
    rows = _items(ws, project)
    known = _kept(ws)
    waiting = list({r.content_hash: r for r in rows if r.content_hash not in known}.values())
    unreadable, begun = 0, time.monotonic()
    for done, part in _parts(waiting):
        if should_stop():
            break
        unreadable += _measure_part(ws, part)
        spent = time.monotonic() - begun
        left = spent / done * (len(waiting) - done)
        report("measuring images", done, len(waiting), left)
    if waiting:
        _merge(ws)
    found = _measured(ws, rows)
    return Measured(found.items, found.known, unreadable)


def read_measures(ws: Workspace, hashes: Sequence[str]) -> Floats:
    """Return the measures of images, NaN where one is not measured; shape (n, `NAMES`)."""
    kept = _kept(ws)
    nothing = (float("nan"),) * len(NAMES)
    rows = [kept.get(h, nothing) for h in hashes]
    return np.array(rows, dtype=np.float64).reshape(-1, len(NAMES))


def measures_stamp(ws: Workspace) -> tuple[str, ...]:
    """Return what changes whenever more was measured."""
    return tuple(p.name for p in _files(ws))


# --- measuring --------------------------------------------------------------------------------


def _items(ws: Workspace, project: ProjectView) -> list[Row[Any]]:
    with ws.store.read() as connection:
        query = (
            select(
                items.c.id, items.c.content_hash, items.c.location, items.c.width, items.c.height
            )
            .where(items.c.project_id == project.id)
            .order_by(items.c.id)
        )
        return list(connection.execute(query))


def _measured(ws: Workspace, rows: Sequence[Row[Any]]) -> Measured:
    kept = _kept(ws)
    return Measured(len(rows), sum(r.content_hash in kept for r in rows))


def _parts(rows: list[Row[Any]]) -> Iterator[tuple[int, list[Row[Any]]]]:
    """Yield some rows at a time, with how many there are up to their end; the first part is small."""
    start, size = 0, 32
    while start < len(rows):
        part = rows[start : start + size]
        start, size = start + len(part), AT_ONCE
        yield start, part


def _measure_part(ws: Workspace, rows: Sequence[Row[Any]]) -> int:
    """Measure and keep some images; return how many could not be read."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda row: _one(ws, row), rows))
    sound = [(r.content_hash, m) for r, m in zip(rows, found, strict=True) if m is not None]
    if sound:
        _write(_folder(ws), [h for h, _ in sound], np.array([m for _, m in sound]))
    return len(rows) - len(sound)


def _one(ws: Workspace, row: Row[Any]) -> tuple[float, ...] | None:
    """Return what is measured of an image; None where it cannot be read, as the doctor says it."""
    try:
        data = original_bytes(ws, row.location)
        # Twice the size measured at: a JPEG then comes out of its decoder nearly small enough.
        wide = max(1, round(2 * SIDE * row.width / max(row.width, row.height)))
        return as_row(measure(small_picture(data, wide, image_limits(ws)), (row.width, row.height)))
    except StorageError:
        raise
    except TiebreakError:
        return None


# --- the files --------------------------------------------------------------------------------


def _folder(ws: Workspace) -> Path:
    return ws.cache / "measures" / str(EDITION)


def _files(ws: Workspace) -> list[Path]:
    folder = _folder(ws)
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else []


def _kept(ws: Workspace) -> dict[str, tuple[float, ...]]:
    return _read(tuple(_files(ws)))


@lru_cache(maxsize=2)
def _read(files: tuple[Path, ...]) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for file in files:
        table = _sound(file)
        if table is not None:
            columns = [table[n].to_pylist() for n in NAMES]
            found.update(
                zip(table["content_hash"].to_pylist(), zip(*columns, strict=True), strict=True)
            )
    return found


def _sound(file: Path) -> pa.Table | None:
    """Return a file's rows; None where it is damaged or gone, and its images are measured again."""
    try:
        table = pq.read_table(file)
        return table if {"content_hash", *NAMES} <= set(table.column_names) else None
    except (OSError, pa.ArrowException):
        return None


def _write(folder: Path, hashes: Sequence[str], rows: Floats) -> Path:
    columns = {"content_hash": pa.array(hashes, pa.string())}
    columns |= {name: pa.array(rows[:, i]) for i, name in enumerate(NAMES)}
    path = folder / f"{uuid.uuid4().hex}.parquet"
    part = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskFull(
            f"What was measured cannot be kept ({error.strerror}); nothing else was changed.",
            "Make room on the disk, then measure again.",
        ) from error
    return path


def _merge(ws: Workspace) -> None:
    """Put many small files into one; who reads meanwhile finds some rows twice, never too few."""
    files = _files(ws)
    if len(files) < MERGE_ABOVE:
        return
    kept = _read(tuple(files))
    _write(_folder(ws), list(kept), np.array(list(kept.values())))
    for file in files:
        file.unlink(missing_ok=True)
