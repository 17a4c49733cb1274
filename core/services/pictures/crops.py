"""Crops: one region of an item as a picture of its own, with a margin around it."""

from __future__ import annotations

import hashlib
import hmac
import io
import math
from collections.abc import Sequence

from PIL import Image
from sqlalchemy import Row

from core.access import Actor
from core.errors import InputError
from core.intake.probe import JPEG_QUALITY, open_upright
from core.services.pictures.images import (
    WIDTHS,
    Rendition,
    image_limits,
    item_image,
    keep_file,
    sound_bytes,
    visible_item,
)
from core.services.workspace import Workspace

MARGIN = 0.15
"""How much is shown around a region on each side, as a share of its longer side."""
CROP_WIDTHS = (200, 400)
"""The only widths made, pixels; anything else is rounded up to one of these."""

Box = tuple[int, int, int, int]


def crop_path(ws: Workspace, item_id: int, content_hash: str, edges: Sequence[float]) -> str:
    """Return the path of a region's picture without the app's base; ``&w=`` chooses a width."""
    box = ",".join(str(v) for v in _whole(edges))
    seal = crop_seal(ws, item_id, box)
    return f"/files/crop/{item_id}?v={content_hash[:8]}&box={box}&s={seal}"


def crop_seal(ws: Workspace, item_id: int, box: str) -> str:
    """Return what marks a crop's address as made by us: only those are kept on disk."""
    return hmac.new(ws.secret(), f"crop:{item_id}:{box}".encode(), hashlib.sha256).hexdigest()[:16]


def item_crop(
    ws: Workspace, actor: Actor, item_id: int, box: str, width: int | None = None, seal: str = ""
) -> Rendition:
    """Return the part of an item's picture around a box, upright and without EXIF.

    Args:
        box: ``x1,y1,x2,y2`` in upright pixels of the original.
        seal: What `crop_path` gave; without it the crop is made but not kept.

    Raises:
        NotSignedIn: Nobody is signed in.
        NotFound: There is no such item, or the actor may not see it (the same answer on purpose).
        InputError: The box is none, or lies outside the image.
        BadImage: The file is gone, was changed since import, or cannot be decoded.
    """
    row = visible_item(ws, actor, item_id)
    edges = _read_box(box, row.width, row.height)
    step = next((w for w in CROP_WIDTHS if width is not None and width <= w), CROP_WIDTHS[-1])
    name = f"{row.content_hash}-{'-'.join(map(str, edges))}-{step}"
    kept = ws.cache / "crops" / row.content_hash[:2] / f"{name}.jpg"
    etag = f'"{hashlib.sha256(name.encode()).hexdigest()[:24]}"'
    try:
        return Rendition(kept.read_bytes(), "image/jpeg", etag)
    except FileNotFoundError:
        pass
    around = with_margin(edges, row.width, row.height)
    source, scale = _source(ws, actor, item_id, row, around, step)
    body = _cut(source, tuple(v * scale for v in around), step)
    if hmac.compare_digest(seal.encode(), crop_seal(ws, item_id, box).encode()):
        keep_file(kept, body)
    return Rendition(body, "image/jpeg", etag)


def with_margin(box: Box, width: int, height: int) -> Box:
    """Return the box with room around it, cut to the image, pixels."""
    room = round(MARGIN * max(box[2] - box[0], box[3] - box[1]))
    return (
        max(0, box[0] - room),
        max(0, box[1] - room),
        min(width, box[2] + room),
        min(height, box[3] + room),
    )


def _whole(edges: Sequence[float]) -> Box:
    x1, y1, x2, y2 = edges
    return (math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2))


def _read_box(text: str, width: int, height: int) -> Box:
    parts = text.split(",")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) <= 6 for p in parts):
        raise InputError(f"A box is x1,y1,x2,y2 in whole pixels, found '{text[:40]}'.")
    x1, y1, x2, y2 = map(int, parts)
    x2, y2 = min(x2, width), min(y2, height)
    if x1 >= x2 or y1 >= y2:
        raise InputError(f"The box {text[:40]} has no area in an image of {width}×{height} pixels.")
    return (x1, y1, x2, y2)


def _source(
    ws: Workspace, actor: Actor, item_id: int, row: Row, around: Box, step: int
) -> tuple[Image.Image, float]:
    """Return a picture to cut from and its scale: the kept rendition where that is sharp enough."""
    scale = min(1.0, WIDTHS[-1] / row.width)
    longer = max(around[2] - around[0], around[3] - around[1])
    if scale == 1.0 or longer * scale >= step:
        body = item_image(ws, actor, item_id, WIDTHS[-1]).body
        return Image.open(io.BytesIO(body)), scale
    return open_upright(sound_bytes(ws, row), image_limits(ws)), 1.0


def _cut(picture: Image.Image, around: Sequence[float], width: int) -> bytes:
    left, top = (min(int(v), side - 1) for v, side in zip(around[:2], picture.size, strict=True))
    part = picture.convert("RGB").crop(
        (left, top, max(left + 1, round(around[2])), max(top + 1, round(around[3])))
    )
    shrink = width / max(part.size)
    if shrink < 1:
        size = (max(1, round(part.width * shrink)), max(1, round(part.height * shrink)))
        part = part.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    part.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
