"""The doctor: is this workspace whole, and can this installation do its work?"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from core.errors import TiebreakError
from core.services.pictures.images import local_path
from core.services.workspace import Workspace
from core.store.audit import verify_audit
from core.store.tables import annotation_log, items

LEAST_FREE_BYTES = 1_000_000_000
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `found` says what, and what to do where it is not well."""

    what: str
    ok: bool
    found: str


def examine(ws: Workspace) -> list[Check]:
    """Return what was found, in a fixed order; a failing check stops no other."""
    return [_run(what, look, ws) for what, look in _CHECKS]


def _run(what: str, look: Callable[[Workspace], tuple[bool, str]], ws: Workspace) -> Check:
    try:
        return Check(what, *look(ws))
    except (TiebreakError, OSError) as error:
        return Check(what, False, str(error))


def _record(ws: Workspace) -> tuple[bool, str]:
    with ws.store.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one()
            for t in (items, annotation_log)
        ]
    return True, f"{ws.store.dialect}, {counts[0]:,} items, {counts[1]:,} annotations by people"


def _audit(ws: Workspace) -> tuple[bool, str]:
    with ws.store.read() as connection:
        return True, f"{verify_audit(connection):,} records, no gap, chain whole"


def _images(ws: Workspace) -> tuple[bool, str]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.location)
            .where(~items.c.location.contains("://"))
            .order_by(items.c.content_hash)
            .limit(SAMPLE)
        ).scalars()
        gone = [r for r in rows if not local_path(ws, r).exists()]
    if gone:
        return False, f"{len(gone)} image files are gone, {gone[0]} for one: put them back"
    return True, f"every one of up to {SAMPLE} looked at is there"


def _space(ws: Workspace) -> tuple[bool, str]:
    free = shutil.disk_usage(ws.root).free
    words = f"{free / 1e9:.1f} GB free"
    return free > LEAST_FREE_BYTES, words if free > LEAST_FREE_BYTES else f"{words}: make room"


def _secret(ws: Workspace) -> tuple[bool, str]:
    ws.secret()
    mode = (ws.root / "secret").stat().st_mode & 0o777
    return mode & 0o077 == 0, f"file mode {mode:o}" + (
        "" if mode & 0o077 == 0 else ": run chmod 600"
    )


def _libraries(_ws: Workspace) -> tuple[bool, str]:
    wanted = ("streamlit", "streamlit-drawable-canvas", "torch", "torchvision", "duckdb", "pillow")
    found = [f"{name} {importlib.metadata.version(name)}" for name in wanted]
    return True, ", ".join(found)


_CHECKS: tuple[tuple[str, Callable[[Workspace], tuple[bool, str]]], ...] = (
    ("record", _record),
    ("audit trail", _audit),
    ("images", _images),
    ("disk", _space),
    ("secret", _secret),
    ("libraries", _libraries),
)
