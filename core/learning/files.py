"""Writing files so that a crash leaves the old one or the new one, never half of either."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from core.errors import DiskFull


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Write a file beside its place, flush it to the disk and rename it; make its folder if need be.

    Raises:
        DiskFull: It could not be written; what was there before still is.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except OSError as e:
        raise DiskFull(
            f"{path.name} could not be written: {e.strerror or e}.",
            "Free some space and start again; what was written before is kept.",
        ) from e
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
