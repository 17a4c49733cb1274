"""What an import did, for people and for the record; and the imports that were done."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select

from core.access import Action, Actor
from core.formats import Refusal
from core.services.projects.project import project_for
from core.services.transfer.import_images import Taken
from core.services.transfer.import_run import TABLE, ImportRun
from core.services.workspace import Workspace
from core.store.tables import batches, people


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; counts say what it newly stored.

    Attributes:
        unchanged: Files of the source that brought nothing new.
        duplicates: Files whose bytes are those of an image known under another name.
        duplicate_files: (file, the file it repeats).
        ignored: Hidden and system files that were passed over.
    """

    format: str
    items: int = 0
    regions: int = 0
    labels: int = 0
    predictions: int = 0
    votes: int = 0
    gold: int = 0
    unchanged: int = 0
    duplicates: int = 0
    refused: tuple[Refusal, ...] = ()
    duplicate_files: tuple[tuple[str, str], ...] = ()
    annotators: tuple[str, ...] = ()
    ignored: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return the report as the command line and the record give it."""
        doc = asdict(self)
        doc["duplicate_files"] = [{"file": a, "same_as": b} for a, b in self.duplicate_files]
        doc["seconds"] = round(self.seconds, 3)
        return doc


@dataclass(frozen=True, slots=True)
class BatchView:
    """An import that was done."""

    id: int
    what: str
    format: str
    origin: str
    report: Mapping[str, object]
    by: str
    at: float


def list_batches(ws: Workspace, actor: Actor, slug: str) -> list[BatchView]:
    """Return a project's imports, newest first.

    Raises:
        Forbidden: The actor may not see them.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = connection.execute(
            select(batches, people.c.name)
            .join(people, people.c.id == batches.c.by_id)
            .where(batches.c.project_id == project.id)
            .order_by(batches.c.id.desc())
        ).all()
    return [
        BatchView(r.id, r.what, r.format, r.origin, json.loads(r.report), r.name, r.at)
        for r in rows
    ]


def counts_of(work: ImportRun) -> dict[str, object]:
    """Return what an import newly stored, as the record keeps it."""
    return {
        "items": len(work.taken.fresh),
        "labels": work.stored.labels,
        "regions": work.stored.regions,
        "predictions": work.stored.predictions,
        "votes": work.stored.votes,
        "gold": work.stored.gold,
        "unchanged": _unchanged(work.taken),
        "duplicates": len(work.taken.duplicate_files),
        "refused": len(_refused(work)),
    }


def _refused(work: ImportRun) -> tuple[Refusal, ...]:
    # Beside a single table may lie anything; only what it names is its business.
    outside = [] if work.one_file else [Refusal(e.path, 0, e.reason) for e in work.source.refused]
    return (*outside, *work.parsed.refused, *work.taken.refused)


def _unchanged(taken: Taken) -> int:
    """Return how many image files brought nothing new: no item, name, metadata or answer."""
    return sum(1 for item_id in taken.ids.values() if item_id not in taken.touched)


def report_of(work: ImportRun, started: float) -> ImportReport:
    """Return the report of an import that is done.

    Args:
        work: The import.
        started: When it began, by the monotonic clock.
    """
    taken, stored = work.taken, work.stored
    return ImportReport(
        format=shown_format(work.parsed.format),
        items=len(taken.fresh),
        regions=stored.regions,
        labels=stored.labels,
        predictions=stored.predictions,
        votes=stored.votes,
        gold=stored.gold,
        unchanged=_unchanged(taken),
        duplicates=len(taken.duplicate_files),
        refused=_refused(work),
        duplicate_files=tuple(taken.duplicate_files),
        annotators=tuple(stored.annotators),
        ignored=0 if work.one_file else work.source.ignored,
        notes=(*work.parsed.notes, *work.stored.notes),
        seconds=time.monotonic() - started,
    )


def shown_format(name: str) -> str:
    """Return a format's name as people know it."""
    return "csv" if name == TABLE else name
