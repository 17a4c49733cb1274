"""What belongs together: items of one value of a column, and look-alikes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from core.datasets.freeze import FrozenLabel
from core.errors import InputError, TiebreakError
from core.intake.alike import SIDE, grey, look_alikes
from core.intake.probe import small_picture
from core.services.pictures.images import image_limits, keep_file, original_bytes
from core.services.versions.pace import Told, paced, silent
from core.services.workspace import Workspace
from core.store.tables import items

AT_ONCE = 256
EDITION = 1


@dataclass(frozen=True, slots=True)
class Groups:
    """Which items belong together.

    Attributes:
        of: Content hash to the key of its group; items that stand alone are not in it.
        alike: Groups of look-alikes.
        unreadable: Images that could not be looked at.
        without_value: Items that have no value in the column.
    """

    of: dict[str, str]
    alike: int
    unreadable: int
    without_value: int


def groups_of(
    ws: Workspace,
    connection: Connection,
    rows: Sequence[FrozenLabel],
    column: str,
    near: bool,
    told: Told = silent,
) -> Groups:
    """Return which items stay together.

    Raises:
        InputError: No item has such a column.
    """
    values = {r.content_hash: _value(r, column) for r in rows} if column else {}
    if column and not any(values.values()):
        known = sorted({k for r in rows for k in json.loads(r.metadata)})
        raise InputError(
            f"No labelled item has the metadata column '{column[:80]}'.",
            f"Choose one of {', '.join(known[:20])}." if known else "Import metadata first.",
        )
    alike, unreadable = _look_alikes(ws, connection, rows, told) if near else ([], 0)
    links: dict[str, list[str]] = defaultdict(list)
    for content_hash, value in values.items():
        if value:
            links[f"{column}={value}"].append(content_hash)
    found = _joined([*links.items(), *((f"alike:{min(g)[:16]}", g) for g in alike)])
    return Groups(found, len(alike), unreadable, sum(not v for v in values.values()))


def _value(row: FrozenLabel, column: str) -> str:
    return str(json.loads(row.metadata).get(column) or "").strip()


def _joined(links: Sequence[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Return each item's group: those that share an item are one, under the first of their keys."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    key_of: dict[str, str] = {}
    for key, members in links:
        for member in members:
            if member in key_of:
                one, other = sorted((root(key_of[member]), root(key)))
                parent[other] = one
            else:
                key_of[member] = key
    return {member: root(key) for member, key in key_of.items()}


def _look_alikes(
    ws: Workspace, connection: Connection, rows: Sequence[FrozenLabel], told: Told
) -> tuple[list[list[str]], int]:
    wanted = sorted({r.content_hash for r in rows})
    folder = ws.cache / "alike"
    known = _kept(folder)
    missing = [h for h in wanted if h not in known]
    places = _places(connection, rows) if missing else {}
    if missing:
        known |= _looked_at(ws, folder, missing, places, paced("looking at each image once", told))
    told("looking for look-alikes", 0, 0, None)
    seen = [h for h in wanted if h in known]
    table = np.stack([known[h] for h in seen]) if seen else np.zeros((0, SIDE**2), np.uint8)
    groups = [[seen[i] for i in g] for g in look_alikes(table)]
    return groups, len(wanted) - len(seen)


def _looked_at(
    ws: Workspace,
    folder: Path,
    missing: Sequence[str],
    places: Mapping[str, Row],
    pace: Callable[[int, int], None],
) -> dict[str, NDArray[np.uint8]]:
    """Return the grey values of images nobody looked at yet, and keep them, part by part."""
    found: dict[str, NDArray[np.uint8]] = {}
    for start in range(0, len(missing), AT_ONCE):
        part, fresh = missing[start : start + AT_ONCE], {}
        with ThreadPoolExecutor(2) as pool:
            greys = pool.map(lambda h: _grey(ws, places.get(h)), part)
            for n, (content_hash, values) in enumerate(zip(part, greys, strict=True), start + 1):
                if values is not None:
                    fresh[content_hash] = values
                pace(n, len(missing))
        _keep(folder, fresh)
        found |= fresh
    return found


def _places(connection: Connection, rows: Sequence[FrozenLabel]) -> dict[str, Row]:
    ids = [r.item_id for r in rows]
    found: dict[str, Row] = {}
    for start in range(0, len(ids), 500):
        query = select(items.c.content_hash, items.c.location).where(
            items.c.id.in_(ids[start : start + 500])
        )
        found |= {r.content_hash: r for r in connection.execute(query)}
    return found


def _grey(ws: Workspace, row: Row | None) -> NDArray[np.uint8] | None:
    """Return the grey values of an image; None where it cannot be read, as the doctor says it."""
    if row is None:
        return None
    try:
        return grey(small_picture(original_bytes(ws, row.location), 64, image_limits(ws)))
    except TiebreakError:
        return None


def _keep(folder: Path, fresh: dict[str, NDArray[np.uint8]]) -> None:
    if fresh:
        lines = "".join(f"{h} {g.tobytes().hex()}\n" for h, g in sorted(fresh.items()))
        keep_file(folder / f"{EDITION}-{min(fresh)[:32]}.txt", lines.encode())


def _kept(folder: Path) -> dict[str, NDArray[np.uint8]]:
    found: dict[str, NDArray[np.uint8]] = {}
    for file in sorted(folder.glob(f"{EDITION}-*.txt")) if folder.is_dir() else []:
        for line in file.read_text(errors="replace").splitlines():
            content_hash, _, told = line.partition(" ")
            try:
                values = np.frombuffer(bytes.fromhex(told), dtype=np.uint8)
            except ValueError:
                continue
            if len(values) == SIDE**2:
                found[content_hash] = values
    return found
