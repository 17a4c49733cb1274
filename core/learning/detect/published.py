"""Where the published weights of torchvision's own detectors are: its cache, or its server."""

from __future__ import annotations

from pathlib import Path

from core.learning.backbones import _cached, _download, _versions


def published_weights(name: str, offline: bool) -> Path | None:
    """Return the file with a detector's weights; None if none is at hand and none can be fetched."""
    versions = _versions(name)
    if not versions:
        return None
    return _cached(versions) or (None if offline else _download(versions[0]))
