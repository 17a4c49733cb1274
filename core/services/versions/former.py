"""What an earlier export left in a folder: files no longer in the set would leak into the new one."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

RECEIPT = "receipt.json"
BEFORE = f"{RECEIPT}.before"
"""An earlier export's receipt, while another takes its place: it promises nothing any more."""


def retire(out: Path) -> None:
    """Take back what an earlier export's receipt promises; which files it names stays known.

    Raises:
        OSError: It cannot be renamed.
    """
    if (out / RECEIPT).is_file():
        (out / RECEIPT).replace(out / BEFORE)


def clear(out: Path, kept: set[str]) -> None:
    """Remove the files of an earlier export that are not in the new one; those changed since stay.

    Args:
        out: The folder.
        kept: Paths within it that the new export wrote.

    Raises:
        OSError: One cannot be removed.
    """
    for path, sha in _named(out / BEFORE).items():
        place = out / path
        if path not in kept and _is_within(place, out) and _sha(place) == sha:
            place.unlink()
            with suppress(OSError):
                place.parent.rmdir()  # where it is empty now
    (out / BEFORE).unlink(missing_ok=True)


def _named(receipt: Path) -> dict[str, str]:
    """Return path and SHA-256 of the files a receipt names; none where it is no receipt of ours."""
    try:
        files = json.loads(receipt.read_bytes())["files"]
        return {str(path): str(said["sha256"]) for path, said in files.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _is_within(place: Path, out: Path) -> bool:
    return out.resolve() in place.resolve().parents


def _sha(place: Path) -> str:
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""
