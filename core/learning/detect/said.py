"""What a detector's folder says, read without torch: its digests, and the regions it found when made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import BadCheckpoint
from core.labels.answer import Answer
from core.labels.region import Region
from core.learning.model_store import MANIFEST

REGIONS = "regions.json"
FORMAT = "detector-1"
ADVICE = "Choose another model version, or train again."


def read_regions(folder: Path) -> dict[int, tuple[Region, ...]]:
    """Return what the model in a run folder says of the images it was judged by.

    Raises:
        BadCheckpoint: The file is missing, changed or damaged.
    """
    doc = json.loads(checked_file(folder, REGIONS, digests_of(folder)))
    return {
        int(i): Answer.from_json(json.dumps({"regions": rows})).regions for i, rows in doc.items()
    }


def digests_of(folder: Path) -> Mapping[str, Any]:
    """Return the SHA-256 of each file of a detector by name.

    Raises:
        BadCheckpoint: There is no finished detector, or one of a newer format.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["format"] != FORMAT:
            raise BadCheckpoint(f"The model in {folder.name} has an unknown format.", ADVICE)
        return dict(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadCheckpoint(
            f"There is no finished detector in {folder.name}: {MANIFEST} is missing or damaged.",
            ADVICE,
        ) from error


def checked_file(folder: Path, name: str, digests: Mapping[str, Any]) -> bytes:
    """Return what is in a file of a detector.

    Raises:
        BadCheckpoint: It is missing or was changed.
    """
    try:
        data = (folder / name).read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != digests.get(name):
        raise BadCheckpoint(
            f"{name} of the model in {folder.name} is missing or was changed after it was "
            "written: its SHA-256 differs from the manifest.",
            ADVICE,
        )
    return data
