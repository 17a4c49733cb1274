"""What a look leaves in the run's folder: the region item by item, the curve, and a manifest of both."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import StoreCorrupt
from core.learning.files import write_durably

ITEMS, ABOUT, MANIFEST = "items.parquet", "about.json", "manifest.json"
_SCHEMA = pa.schema(
    [
        ("item_id", pa.int64()),
        ("score", pa.float64()),
        ("margin", pa.float64()),
        ("answer", pa.string()),
        ("top", pa.string()),
        ("scope", pa.string()),
        ("part", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One item as a look left it.

    Attributes:
        answer: Canonical JSON of what is believed of it.
        top: JSON of the likeliest classes of the first question.
        scope: The certificate whose region it is in.
        part: ``accepted``; ``audit``: in the region and kept for people; ``open``: in no region.
    """

    item_id: int
    score: float
    margin: float
    answer: str
    top: str
    scope: str
    part: str


def keep(folder: Path, found: list[KeptItem], about: Mapping[str, object]) -> None:
    """Write what a look found, the manifest last.

    Raises:
        DiskFull: It could not be written.
    """
    columns = {
        name: [getattr(one, name) for one in found] for name in ("item_id", "score", "margin",
        "answer", "top", "scope", "part")
    }  # fmt: skip
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=_SCHEMA), out, compression="zstd")
    files = {
        ITEMS: out.getvalue(),
        ABOUT: json.dumps(about, ensure_ascii=False, sort_keys=True).encode(),
    }
    for name, data in files.items():
        write_durably(folder / name, data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    write_durably(folder / MANIFEST, json.dumps(digests, sort_keys=True).encode())


def read_items(folder: Path) -> list[KeptItem]:
    """Return the items as the look left them.

    Raises:
        StoreCorrupt: A file is missing, or was changed after it was written.
    """
    table = pq.read_table(io.BytesIO(_checked(folder, ITEMS)))
    return [KeptItem(**row) for row in table.to_pylist()]


def read_about(folder: Path) -> dict[str, object]:
    """Return what else the look left.

    Raises:
        StoreCorrupt: The file is missing, or was changed after it was written.
    """
    return dict(json.loads(_checked(folder, ABOUT)))


def _checked(folder: Path, name: str) -> bytes:
    try:
        digests = json.loads((folder / MANIFEST).read_bytes())
        data = (folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() == digests[name]:
            return data
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise StoreCorrupt(
        f"{name} of the certificate in {folder.name} is missing or was changed after it was written.",
        "Look again; the record keeps what was accepted.",
    )
