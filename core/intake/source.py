"""A readable tree of files: a folder, a ZIP archive or, where a setting allows it, a bucket.

Nothing here writes, unpacks to disk or follows a link out of its root.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError, NotFound
from core.intake.address import FsspecSource
from core.intake.archive import looks_like_zip
from core.intake.entries import DEFAULT_LIMITS, Source
from core.intake.folder import FolderSource
from core.intake.limits import ArchiveLimits
from core.intake.zipped import ZipSource

ANNOTATION_SUFFIXES = (".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".txt", ".names")


def open_source(
    path_or_url: str | Path,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    allowed_protocols: Sequence[str] = (),
) -> tuple[Source, str | None]:
    """Return the tree behind a path or address, and the one file that was meant, if one was.

    A folder or ZIP archive is the tree itself. A single annotation file stands in its folder:
    the tree is that folder and the second value names the file; import only what it names.
    A single image is a tree of one.

    Raises:
        NotFound: Nothing is there.
        InputError: The address has a protocol that no setting allows.
        BadArchive: The archive is damaged or hostile.
        LimitExceeded: There is more than the limits allow.
    """
    text = str(path_or_url)
    if "://" in text or "::" in text:
        return _open_address(text, limits, allowed_protocols)
    if "\x00" in text:
        raise InputError("The path holds a NUL character.")
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise NotFound(f"Nothing can be read at '{text}'.", "Check the path.") from error
    if stat.S_ISDIR(mode):
        return FolderSource(path, limits), None
    if not stat.S_ISREG(mode):
        raise InputError(f"'{text}' is neither a file nor a folder.")
    if looks_like_zip(path) or path.suffix.lower() == ".zip":
        return ZipSource(path, limits), None
    if path.suffix.lower() in ANNOTATION_SUFFIXES:
        return FolderSource(path.parent, limits, must_have=path.name), path.name
    return FolderSource(path.parent, limits, only=path.name), None


def _open_address(
    url: str, limits: ArchiveLimits, allowed_protocols: Sequence[str]
) -> tuple[Source, str | None]:
    protocol = url.partition("://")[0].lower()
    # "::" chains protocols, so that an allowed one could carry a forbidden one behind it.
    if "::" in url or protocol not in {p.lower() for p in allowed_protocols}:
        raise InputError(
            f"Addresses of kind '{protocol}' are not read.",
            "Copy the files to a folder, or name the protocol in the settings.",
        )
    return FsspecSource(url, limits), None
