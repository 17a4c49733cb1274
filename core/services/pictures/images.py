"""Item images: who may have one, where its bytes lie, and the smaller pictures made from it."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from core.access import Action, Actor, Resource, can
from core.errors import BadImage, InputError, NotFound, NotSignedIn
from core.intake.limits import ImageLimits
from core.intake.probe import open_upright, rendition
from core.services.workspace import Workspace
from core.store.tables import items

WIDTHS = (200, 400, 800, 1600)
"""The only widths made, pixels; anything else is rounded up to one of these."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture ready to send."""

    body: bytes
    media_type: str
    etag: str


def image_path(item_id: int, content_hash: str) -> str:
    """Return the path of an item's picture; the hash in it lets browsers keep it for good."""
    return f"/files/item/{item_id}?v={content_hash[:8]}"


def item_image(
    ws: Workspace, actor: Actor, item_id: int, width: int | None = None, channel: str = ""
) -> Rendition:
    """Return an item's picture, upright, re-encoded and without EXIF, at most `width` pixels wide.

    Args:
        ws: The workspace.
        actor: Who wants to see it.
        item_id: Of the item.
        width: Rounded up to one of `WIDTHS`; None for the largest.
        channel: The name of one of the item's channels, to be shown alone.

    Raises:
        NotSignedIn: Nobody is signed in.
        NotFound: There is no such item, or the actor may not see it (the same answer on purpose);
            or it has no such channel.
        BadImage: The file is gone, was changed since import, or cannot be decoded.
    """
    row = visible_item(ws, actor, item_id)
    number = channel_number(row, channel)
    step = next((w for w in WIDTHS if width is not None and width <= w), WIDTHS[-1])
    name = f"{row.content_hash}-{step}{part_name(number)}.jpg"
    kept = ws.cache / "pictures" / row.content_hash[:2] / name
    try:
        body = kept.read_bytes()
    except FileNotFoundError:
        body = rendition(sound_bytes(ws, row), step, image_limits(ws), number)
        keep_file(kept, body)
    return Rendition(body, "image/jpeg", f'"{row.content_hash[:16]}-{step}{part_name(number)}"')


def visible_item(ws: Workspace, actor: Actor, item_id: int) -> Row[*tuple[Any, ...]]:
    """Return the row of an item the actor may see.

    Raises:
        NotSignedIn: Nobody is signed in.
        NotFound: There is no such item, or the actor may not see it.
    """
    if not actor.person_id:
        raise NotSignedIn("Nobody is signed in here.", "Sign in and try again.")
    row = None
    if item_id < 2**62:
        with ws.store.read() as connection:
            row = connection.execute(select(items).where(items.c.id == item_id)).first()
    if row is None or not can(actor, Action.SEE_IMAGE, Resource(row.project_id)):
        raise NotFound(f"There is no item {item_id} for you.")
    return row


def channel_number(row: Row[*tuple[Any, ...]], channel: str) -> int | None:
    """Return which of the item's channels has the name, from 0; None for no name.

    Raises:
        NotFound: None has.
    """
    if not channel:
        return None
    names = json.loads(row.channels)
    if channel not in names:
        has = ", ".join(names) if names else "none of its own"
        raise NotFound(f"Item {row.id} has no channel '{channel[:40]}'; it has {has}.")
    return int(names.index(channel))


def part_name(number: int | None) -> str:
    """Return what tells a channel's kept pictures from the whole picture's."""
    return "" if number is None else f"-c{number}"


def image_limits(ws: Workspace) -> ImageLimits:
    """Return how large an image of this workspace may be."""
    return ImageLimits(
        max_bytes=ws.settings.image_max_bytes, max_pixels=ws.settings.image_max_pixels
    )


def sound_bytes(ws: Workspace, row: Row[*tuple[Any, ...]]) -> bytes:
    """Return an item's original bytes, the very ones that were imported.

    Raises:
        BadImage: They are gone or others.
    """
    return unchanged(original_bytes(ws, row.location), row.content_hash)


def composite_path(ws: Workspace, row: Row[*tuple[Any, ...]]) -> Path | None:
    """Return where the colours a person sees of an image with channels are kept, for models.

    None where the image cannot be read: whoever opens it says so.
    """
    kept: Path = ws.cache / "originals" / row.content_hash[:2] / f"{row.content_hash}-rgb.png"
    if not kept.exists():
        body = io.BytesIO()
        try:
            open_upright(original_bytes(ws, row.location), image_limits(ws)).save(body, "PNG")
        except InputError:
            return None
        keep_file(kept, body.getvalue())
    return kept


def original_bytes(ws: Workspace, location: str) -> bytes:
    """Return the bytes of an image where it lies.

    Raises:
        BadImage: They cannot be read.
    """
    try:
        if "://" in location:
            import fsspec

            with fsspec.open(location, "rb") as stream:
                return bytes(stream.read())
        return local_path(ws, location).read_bytes()
    except OSError as error:
        raise BadImage(
            f"The image file {Path(location).name} cannot be read ({error.strerror or error}); "
            "its labels are kept.",
            "Put the file back, or ask a lead to discard the item.",
        ) from error


def local_path(ws: Workspace, location: str) -> Path:
    """Return where a local image lies: inside the workspace, or the absolute path it came with."""
    path = Path(location)
    return path if path.is_absolute() else ws.root / path


def unchanged(data: bytes, content_hash: str) -> bytes:
    """Return an image's bytes if they are those that were imported.

    Raises:
        BadImage: The file was replaced since.
    """
    if hashlib.sha256(data).hexdigest() != content_hash:
        raise BadImage(
            "The image file was replaced since it was imported; its labels are kept.",
            "Put the former file back, or import the new one under another name.",
        )
    return data


def keep_file(path: Path, body: bytes) -> None:
    """Keep what can be made again; where there is no room, it is made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        fresh.write_bytes(body)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # a full disk costs speed here, nothing else
