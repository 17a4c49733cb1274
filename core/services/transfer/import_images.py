"""Imports, first half: image files become items, one per content, with every name they have."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from core.errors import DiskFull, InputError
from core.formats.base import Refusal
from core.intake.address import FsspecSource
from core.intake.entries import Source
from core.intake.folder import FolderSource
from core.intake.limits import ImageLimits
from core.intake.probe import ImageInfo, probe_image
from core.services.projects.project import ProjectView
from core.services.visibility.views import metadata_of
from core.services.workspace import Workspace
from core.store.tables import item_metadata, item_names, items

DECODERS = 2
"""Threads that decode while the record is written; Pillow lets go of the interpreter meanwhile."""

_SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif"}


@dataclass(frozen=True, slots=True)
class Found:
    """An image file of the source: decoded and sound, or refused."""

    path: str
    info: ImageInfo | None
    data: bytes = b""
    reason: str = ""


@dataclass(slots=True)
class Taken:
    """What became of the image files so far.

    Attributes:
        ids: Item of each file of the source.
        infos: Upright size and orientation of each item.
        fresh: Items that this import made.
        touched: Items that got something new.
        duplicate_files: (file, the file it repeats).
        unusable: Image files of the source that were refused.
        renamed: How often a class was given under a name it no longer has, by (then, today).
    """

    ids: dict[str, int] = field(default_factory=dict)
    infos: dict[int, ImageInfo] = field(default_factory=dict)
    fresh: dict[int, None] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    duplicate_files: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    renamed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def refuse_image(self, path: str, reason: str) -> None:
        """Note an image file that is not taken; what is said of it is not taken either."""
        self.refused.append(Refusal(path, 0, reason))
        self.unusable.add(path)


def known_images(connection: Connection, project: ProjectView) -> dict[str, ImageInfo]:
    """Return what is known of the project's images by content hash: these need no second look."""
    rows = connection.execute(select(items).where(items.c.project_id == project.id))
    return {
        r.content_hash: ImageInfo(
            r.content_hash,
            r.width,
            r.height,
            r.format,
            r.orientation,
            r.size_bytes,
            tuple(json.loads(r.channels)),
        )
        for r in rows
    }


def read_images(
    ws: Workspace, source: Source, paths: Sequence[str], known: Mapping[str, ImageInfo]
) -> Iterator[Found]:
    """Yield each file in order, read and, unless its bytes are known, fully decoded.

    A bad one is refused and stops no other.
    """
    limits = ImageLimits(
        max_bytes=ws.settings.image_max_bytes, max_pixels=ws.settings.image_max_pixels
    )

    def look(path: str) -> Found:
        try:
            data = source.read(path)
            before = known.get(hashlib.sha256(data).hexdigest())
            return Found(path, before or probe_image(data, limits), data)
        except InputError as error:
            return Found(path, None, reason=error.message)

    with ThreadPoolExecutor(DECODERS) as pool:
        ahead = 8 * DECODERS  # bounds the memory held by images that wait to be written
        pending = []
        for path in paths:
            pending.append(pool.submit(look, path))
            if len(pending) >= ahead:
                yield pending.pop(0).result()
        for last in pending:
            yield last.result()


def keep_bytes(ws: Workspace, source: Source, found: Found, in_place: bool) -> str:
    """Return where the image lies from now on, after copying it into the workspace if it must.

    Raises:
        DiskFull: There was no space; nothing is left behind.
    """
    info = _sound(found)
    if in_place and isinstance(source, FolderSource):
        return str(source.local_path(found.path))
    if in_place and isinstance(source, FsspecSource):
        return f"{source.origin.rstrip('/')}/{found.path}"
    relative = (
        Path("images") / info.content_hash[:2] / f"{info.content_hash}.{_SUFFIX[info.format]}"
    )
    target = ws.root / relative
    if not target.exists():
        _write_whole(target, found.data)
    return relative.as_posix()


def _write_whole(target: Path, data: bytes) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskFull(
            f"An image could not be stored: {error.strerror}; what was imported before is kept.",
            "Free some space, then import again: it goes on where it stopped.",
        ) from error


def store_items(
    connection: Connection,
    project: ProjectView,
    batch: Sequence[tuple[Found, str]],
    taken: Taken,
    at: float,
) -> None:
    """Write a batch of sound images as items and names, within the caller's transaction."""
    known = _known_items(connection, project.id, [_sound(f).content_hash for f, _ in batch])
    owners = _name_owners(connection, project.id, [f.path for f, _ in batch])
    for found, location in batch:
        info = _sound(found)
        item_id = known.get(info.content_hash)
        owner = owners.get(found.path)
        if owner is not None and owner != item_id:
            taken.refuse_image(
                found.path, "another image was imported under this name before; it is kept"
            )
            continue
        if item_id is None:
            item_id = _insert_item(connection, project, info, location, at)
            known[info.content_hash] = item_id
            taken.fresh[item_id] = None
        if owner is None:
            _add_name(connection, project, item_id, found.path, taken, at)
            owners[found.path] = item_id
        taken.ids[found.path] = item_id
        taken.infos[item_id] = info


def _add_name(
    connection: Connection, project: ProjectView, item_id: int, name: str, taken: Taken, at: float
) -> None:
    names = list(
        connection.execute(
            select(item_names.c.name)
            .where(item_names.c.item_id == item_id)
            .order_by(item_names.c.seq)
        ).scalars()
    )
    if item_id not in taken.fresh and any(_same_file(name, n) for n in names):
        return  # the file it already is, seen from another root
    if names:
        taken.duplicate_files.append((name, names[0]))
    connection.execute(
        item_names.insert(),
        {"project_id": project.id, "item_id": item_id, "name": name, "at": at},
    )
    taken.touched.add(item_id)


def _same_file(a: str, b: str) -> bool:
    """Return whether one path ends with the other, folder by folder."""
    return f"/{a}".endswith(f"/{b}") or f"/{b}".endswith(f"/{a}")


def _insert_item(
    connection: Connection, project: ProjectView, info: ImageInfo, location: str, at: float
) -> int:
    use, probability = draw_use(project, info.content_hash)
    return int(
        connection.execute(
            items.insert().returning(items.c.id),
            {
                "project_id": project.id,
                "content_hash": info.content_hash,
                "location": location,
                "width": info.width,
                "height": info.height,
                "orientation": info.orientation,
                "format": info.format,
                "size_bytes": info.size_bytes,
                "channels": json.dumps(list(info.channels), ensure_ascii=False),
                "use": use,
                "use_probability": probability,
                "at": at,
            },
        ).scalar_one()
    )


def draw_use(project: ProjectView, content_hash: str) -> tuple[str, float]:
    """Return what an item may serve for, drawn from its content before anybody labels it.

    The draw is a hash of project and content: nobody can steer it, and importing the same image
    again, or on another machine, draws the same.
    """
    digest = hashlib.sha256(f"use:{project.slug}:{content_hash}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    below = 0.0
    for use, share in zip(("train", "certify", "evaluate"), project.use_shares, strict=True):
        below += share
        if draw < below:
            return use, share
    return "train", project.use_shares[0]


def store_metadata(
    connection: Connection,
    project: ProjectView,
    metadata: Mapping[int, Mapping[str, str]],
    taken: Taken,
    batch_id: int | None,
    at: float,
) -> None:
    """Add metadata to items; columns an item has already are replaced, others kept."""
    ids = list(metadata)
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        before = metadata_of(connection, chunk)
        rows = []
        for item_id in chunk:
            merged = {**before.get(item_id, {}), **metadata[item_id]}
            if merged != before.get(item_id, {}):
                rows.append(
                    {
                        "project_id": project.id,
                        "item_id": item_id,
                        "doc": json.dumps(merged, ensure_ascii=False, sort_keys=True),
                        "batch_id": batch_id,
                        "at": at,
                    }
                )
                taken.touched.add(item_id)
        if rows:
            connection.execute(item_metadata.insert(), rows)


def _known_items(connection: Connection, project_id: int, hashes: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        select(items.c.content_hash, items.c.id).where(
            items.c.project_id == project_id, items.c.content_hash.in_(hashes)
        )
    )
    return {r.content_hash: r.id for r in rows}


def _name_owners(connection: Connection, project_id: int, names: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        select(item_names.c.name, item_names.c.item_id).where(
            item_names.c.project_id == project_id, item_names.c.name.in_(names)
        )
    )
    return {r.name: r.item_id for r in rows}


def _sound(found: Found) -> ImageInfo:
    if found.info is None:
        raise InputError(f"{found.path} was refused: {found.reason}.")
    return found.info
