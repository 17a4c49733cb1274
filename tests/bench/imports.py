"""Importing images beside what cannot be avoided: reading, hashing and decoding each file."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from PIL import Image

from core.services.accounts.people import operator
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from tests.bench.made import SLUG, photos, workspace

IMAGES, SIDE_PX = 600, 256


def run(folder: Path) -> dict[str, object]:
    """Return the time of a first import, of the same again, and of decoding alone."""
    root = photos(folder, IMAGES, SIDE_PX)
    ws, _ = workspace(folder, None)
    office = operator(ws)
    decode = _timed(lambda: [_decode(p) for p in sorted(root.iterdir())])
    first = _timed(lambda: import_data(ws, office, SLUG, root, ImportOptions("items")))
    again = _timed(lambda: import_data(ws, office, SLUG, root, ImportOptions("items")))
    decode += _timed(lambda: [_decode(p) for p in sorted(root.iterdir())])
    ws.store.close()
    return {
        "n": IMAGES,
        "side_px": SIDE_PX,
        "first_import_over_decode_alone": round(first / (decode / 2), 2),
        "second_import_over_decode_alone": round(again / (decode / 2), 2),
        "images_per_second": round(IMAGES / first),
        "peer": "read + SHA-256 + Pillow decode, one thread, nothing stored",
    }


def _decode(path: Path) -> None:
    data = path.read_bytes()
    hashlib.sha256(data).hexdigest()
    with Image.open(path) as image:
        image.load()


def _timed(call: object) -> float:
    started = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - started
