"""Tiles of large images: what a browser shows where one looks closer than a rendition goes.

All tiles of an image are made at once, the first time one is asked for, and kept in the cache.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any
from weakref import WeakValueDictionary

from PIL import Image
from sqlalchemy import Row

from core.access import Actor
from core.errors import NotFound
from core.intake.probe import open_upright
from core.intake.pyramid import coarsest_level, cut_tile, grid, halvings
from core.services.pictures.images import (
    Rendition,
    channel_number,
    image_limits,
    part_name,
    sound_bytes,
    visible_item,
)
from core.services.workspace import Workspace

_making: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
_guard = Lock()
_decoding = BoundedSemaphore(2)  # a decoded image of 90 million pixels takes 360 MB
_LARGE = 20_000_000
"""Pixels from which on an image's memory is handed back to the system at once."""


class _Turn:
    """Whose turn it is to make one image's tiles; forgotten when nobody waits any more."""

    def __init__(self) -> None:
        self.lock = Lock()


def item_tile(
    ws: Workspace, actor: Actor, item_id: int, level: int, x: int, y: int, channel: str = ""
) -> Rendition:
    """Return one tile of an item's upright picture.

    Args:
        ws: The workspace.
        actor: Who wants to see it.
        item_id: Of the item.
        level: How often the picture is halved; 0 is its own size.
        x: Column of the tile, from 0.
        y: Row of the tile, from 0.
        channel: The name of one of the item's channels, to be shown alone.

    Raises:
        NotSignedIn: Nobody is signed in.
        NotFound: There is no such item for the actor, or it has no such tile or channel.
        BadImage: The file is gone, was changed since import, or cannot be decoded.
    """
    row = visible_item(ws, actor, item_id)
    number = channel_number(row, channel)
    _check_tile(row, level, x, y)
    folder = ws.cache / "tiles" / row.content_hash[:2] / f"{row.content_hash}{part_name(number)}"
    etag = f'"{row.content_hash[:16]}{part_name(number)}-{level}-{x}-{y}"'
    kept = folder / f"{level}-{x}-{y}.jpg"
    if not kept.exists():
        turn = _turn(str(folder))
        with turn.lock:
            if not kept.exists():
                made = _make(ws, row, number, folder, (level, x, y))
                return Rendition(made, "image/jpeg", etag)
    return Rendition(kept.read_bytes(), "image/jpeg", etag)


def _check_tile(row: Row[*tuple[Any, ...]], level: int, x: int, y: int) -> None:
    coarsest = coarsest_level(row.width, row.height)
    if level <= coarsest:
        across, down = grid(row.width, row.height, level)
        if x < across and y < down:
            return
        said = f"level {level} has {across} by {down}"
    else:
        said = f"its levels are 0 to {coarsest}"
    raise NotFound(f"Item {row.id} has no tile {x}_{y} on level {level}: {said}.")


def _turn(key: str) -> _Turn:
    with _guard:
        return _making.setdefault(key, _Turn())


def _make(
    ws: Workspace,
    row: Row[*tuple[Any, ...]],
    number: int | None,
    folder: Path,
    wanted: tuple[int, int, int],
) -> bytes:
    """Make and keep all tiles; return the one that is wanted, kept or not."""
    with _decoding:
        picture = open_upright(sound_bytes(ws, row), image_limits(ws), number)
        part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        try:
            _write_all(picture, part)
            found = (part / "{}-{}-{}.jpg".format(*wanted)).read_bytes()
            part.replace(folder)
        except OSError:  # a full disk, or another process was first: costs speed here, nothing else
            shutil.rmtree(part, ignore_errors=True)
            found = _one(picture, *wanted)
        large = picture.width * picture.height >= _LARGE
        del picture
        if large:
            _give_back()
    return found


def _give_back() -> None:
    """Return freed memory to the system; the C library of threads keeps hundreds of MB otherwise."""
    with suppress(AttributeError, OSError):  # only where the C library is glibc
        ctypes.CDLL(None).malloc_trim(0)


def _write_all(picture: Image.Image, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for level, shrunk in enumerate(halvings(picture)):
        across, down = grid(*picture.size, level)
        for y in range(down):
            for x in range(across):
                (folder / f"{level}-{x}-{y}.jpg").write_bytes(cut_tile(shrunk, x, y))


def _one(picture: Image.Image, level: int, x: int, y: int) -> bytes:
    for number, shrunk in enumerate(halvings(picture)):
        if number == level:
            return cut_tile(shrunk, x, y)
    raise AssertionError("levels are checked before")  # pragma: no cover
