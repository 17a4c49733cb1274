"""Files on their way through a page: what was uploaded, and what is handed out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Protocol

from core.clock import new_uuid


class Uploaded(Protocol):
    """What the browser sent: a name and bytes."""

    @property
    def name(self) -> str:
        """Return the file's name as the browser gave it."""
        ...

    def getbuffer(self) -> memoryview:
        """Return the bytes."""
        ...


def keep_uploads(cache: Path, files: Sequence[Uploaded]) -> Path:
    """Write what was uploaded into a fresh folder and return that; names keep no path."""
    folder = cache / "uploads" / new_uuid()
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        name = PurePath(file.name.replace("\\", "/")).name.replace("\x00", "")
        unsafe = name in ("", ".", "..")
        (folder / (f"file{number}" if unsafe else name)).write_bytes(file.getbuffer())
    return folder


def meant(folder: Path) -> Path:
    """Return the one file of a folder, or the folder itself if it holds several."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 else folder


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one ZIP archive; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return out.getvalue()
