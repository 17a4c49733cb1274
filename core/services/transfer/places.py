"""Where what leaves the workspace is put: whole or not at all, and never over what the workspace keeps."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import ConflictError, InputError
from core.services.workspace import Workspace

RECORD = "tiebreak.db"
KEPT = frozenset({"images", "versions", "runs", "cache", "secret", "demo", "demo.json"})
"""What a workspace keeps in its folder, beside the record and the files that belong to it."""


def outside(ws: Workspace, out: Path) -> Path:
    """Return a place with its links followed.

    Raises:
        InputError: It is no path, or the workspace keeps its own files there.
    """
    try:
        place = Path(os.path.realpath(out))
        place.exists()
    except (ValueError, OSError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"'{str(out)[:80]}' is no place that can be written to: {why}; nothing was written.",
            "Name another file or folder.",
        ) from error
    root = Path(os.path.realpath(ws.root))
    if place == root or _is_kept(root, place):
        raise InputError(
            f"The workspace keeps its own files in {place}: nothing was written there.",
            "Name a file or a folder outside the workspace.",
        )
    return place


def _is_kept(root: Path, place: Path) -> bool:
    if any(_within(place, Path(os.path.realpath(root / name))) for name in KEPT):
        return True  # of a folder that lies elsewhere by a link, too
    within = place.relative_to(root).parts[0] if _within(place, root) else ""
    return within.startswith(RECORD)


def _within(place: Path, folder: Path) -> bool:
    return place == folder or folder in place.parents


def write_whole(out: Path, data: bytes) -> None:
    """Write a file beside its place, which then takes it; a pipe or a device gets it as it comes.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    if out.exists() and not out.is_file():
        out.write_bytes(data)  # of a folder it says so
        return
    part = out.with_name(f"{out.name[:60]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give an empty folder for the files of `out`; `settle` puts them there, else they are gone.

    It lies beside `out`, or within it where there is such a folder already: the files around that may
    be another's disk. One that a killed process left is emptied.

    Raises:
        ConflictError: Another process is writing there.
        OSError: It cannot be made.
    """
    part = out / ".tiebreak.part" if out.is_dir() else out.with_name(f"{out.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    handle = os.open(part, os.O_RDONLY)
    try:
        _lock(handle, out)
        for old in part.iterdir():
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)  # while it is ours: `settle` took what counts
    finally:
        os.close(handle)


def _lock(handle: int, out: Path) -> None:
    """Hold a folder until the handle is closed; a killed process holds nothing."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConflictError(
            f"Another export is being written to {out} just now; this one wrote nothing.",
            "Wait until it is done, or name another place.",
        ) from error
    except OSError:
        return  # a disk that knows no locks


def settle(part: Path, out: Path) -> None:
    """Put the files of a staged folder into their place: all at once where that is not there yet.

    Raises:
        OSError: They cannot be put there.
    """
    if not out.exists():
        part.rename(out)
        return
    for path in sorted(p.relative_to(part) for p in part.rglob("*") if not p.is_dir()):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (part / path).replace(out / path)
