"""One import under way: its options, what was found and stored so far, its progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.access import Actor
from core.formats import Parsed
from core.intake.entries import Source
from core.services.projects.project import ProjectView
from core.services.transfer.import_images import Taken
from core.services.transfer.import_rows import What
from core.services.transfer.import_store import Stored
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: phase, done of total, and an estimate of what remains."""

    phase: str
    done: int
    total: int
    seconds_left: float | None


TABLE = "table"
"""What core.formats calls CSV and TSV alike."""

ProgressSink = Callable[[ImportProgress], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an import is to be understood.

    Attributes:
        what: items, labels (final, trusted), predictions, votes or gold.
        format: auto, folder, csv, voc, yolo or coco.
        in_place: Leave the images where they are instead of copying them into the workspace.
        label_column: Column of a table that holds the label.
        name: What a set of predictions is called.
    """

    what: str = What.ITEMS
    format: str = "auto"
    in_place: bool = False
    label_column: str = "label"
    name: str = ""


@dataclass(slots=True)
class ImportRun:
    """One import under way."""

    ws: Workspace
    actor: Actor
    project: ProjectView
    options: ImportOptions
    source: Source
    parsed: Parsed
    progress: ProgressSink
    one_file: bool
    taken: Taken = field(default_factory=Taken)
    stored: Stored = field(default_factory=Stored)


def step(phase: str, done: int, total: int, started: float) -> ImportProgress:
    """Return how far a phase is, and what remains of it at the pace so far."""
    spent = time.monotonic() - started
    left = spent / done * (total - done) if done >= 5 else None
    return ImportProgress(phase, done, total, left)
