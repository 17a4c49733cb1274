"""What was found last, kept as a file beside the record: thrown away at will, found again when asked."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from core.errors import DiskFull
from core.learning.files import write_durably
from core.services.issues.values import Finding, Findings, Kind
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

FORMAT = 2
"""Raised whenever what is found, or how it is kept, changes."""


def keep(ws: Workspace, project: ProjectView, findings: Findings) -> None:
    """Write the findings down; where there is no room they are found again next time."""
    doc = {"format": FORMAT, **asdict(findings)}
    with suppress(DiskFull):
        write_durably(_place(ws, project), json.dumps(doc, ensure_ascii=False).encode())


def kept(ws: Workspace, project: ProjectView) -> Findings | None:
    """Return what was found last; None where there is nothing, or nothing that can be read."""
    try:
        doc = json.loads(_place(ws, project).read_bytes())
        if doc.pop("format") != FORMAT:
            return None
        found = tuple(_finding(row) for row in doc.pop("found"))
        return replace(Findings(found=found, **doc), notes=tuple(doc["notes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finding(row: dict[str, object]) -> Finding:
    whole = Finding(**row)  # type: ignore[arg-type]  # as it was written: a wrong one raises above
    return replace(whole, kind=Kind(whole.kind), others=tuple(whole.others), box=tuple(whole.box))


def _place(ws: Workspace, project: ProjectView) -> Path:
    return ws.cache / "issues" / str(project.id) / "found.json"
