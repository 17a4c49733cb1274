"""Importing: a folder, archive, table or annotation set into a project, with a report.

Running the same import again changes nothing; one that was cut short goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.errors import Forbidden, InputError
from core.formats import Parsed, Refusal, parse
from core.intake.limits import ArchiveLimits
from core.intake.names import NameIndex
from core.intake.source import Source, open_source
from core.services.accounts.people import OPERATOR
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import reboost
from core.services.transfer.import_images import (
    Found,
    Taken,
    keep_bytes,
    known_images,
    read_images,
    store_items,
    store_metadata,
)
from core.services.transfer.import_rows import (
    TABLES,
    Finder,
    Said,
    Stored,
    What,
    fit_rows,
    renamed_notes,
    store_answers,
    store_imported_predictions,
    store_votes,
    untaught,
)
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import batches, people

ITEMS_A_COMMIT = 100
"""Images stored per transaction: a killed import loses at most so many, and takes them up again."""


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


@dataclass(slots=True)
class _Import:
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


def import_data(
    ws: Workspace,
    actor: Actor,
    slug: str,
    origin: str | Path,
    options: ImportOptions | None = None,
    progress: ProgressSink = lambda _: None,
) -> ImportReport:
    """Take images and what is said of them into a project and return a report.

    Raises:
        InputError: The source as a whole cannot be read; nothing was stored.
        NotFound: The source or the project is not there.
        DiskFull: There was no space; what was imported before is kept.
        Forbidden: The actor may not import here, or not from there.
    """
    options = options or ImportOptions()
    if options.what not in tuple(What):
        raise InputError(
            f"Unknown kind '{options.what}'; expected one of {[w.value for w in What]}."
        )
    started = time.monotonic()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
    _check_origin(ws, actor, origin)
    limits = ArchiveLimits(
        max_entries=ws.settings.archive_max_entries, max_total_bytes=ws.settings.archive_max_bytes
    )
    source, main_file = open_source(origin, limits, ws.settings.allowed_sources)
    progress(ImportProgress("reading annotations", 0, 0, None))
    parsed = _parse(source, main_file, project, options)
    work = _Import(ws, actor, project, options, source, parsed, progress, main_file is not None)
    paths = _images_wanted(parsed, main_file)
    _take_images(work, paths)
    _take_rows(work)
    return _report(work, started)


def _check_origin(ws: Workspace, actor: Actor, origin: str | Path) -> None:
    """Refuse paths of the server a person may not read from; the command line may read any.

    Raises:
        Forbidden: The path lies outside the folders the settings name.
    """
    if actor.name == OPERATOR or "://" in str(origin):
        return
    roots = [ws.root / "incoming", ws.cache / "uploads", *ws.settings.import_roots]
    place = Path(origin).expanduser().resolve()
    if not any(place.is_relative_to(r.expanduser().resolve()) for r in roots):
        raise Forbidden(
            f"'{origin}' lies outside the folders that may be imported from here.",
            f"Put the data into {ws.root / 'incoming'}, name its folder in the setting "
            "import_roots, or import it on the command line.",
        )


def classes_used(origin: str | Path) -> list[str]:
    """Return the classes an annotation file uses, in its own order or else by alphabet.

    Raises:
        InputError: It cannot be read.
        NotFound: It is not there.
    """
    source, main_file = open_source(origin)
    return list(parse(source, main_file=main_file).classes)


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


def _parse(
    source: Source, main_file: str | None, project: ProjectView, options: ImportOptions
) -> Parsed:
    return parse(
        source,
        TABLE if options.format in ("csv", "tsv") else options.format,
        main_file=main_file,
        main_question=project.schema.main.key,
        question_keys=tuple(q.key for q in project.schema.questions[1:]),
        label_column=options.label_column,
        predictions=options.what == What.PREDICTIONS,
        several=tuple(q.key for q in project.schema.item_questions if q.several),
        shape=project.task.shape,
        skeleton=project.schema.skeleton.points,
        attributes=tuple(q.key for q in project.schema.region_questions),
    )


def _images_wanted(parsed: Parsed, main_file: str | None) -> list[str]:
    """Return the images to take: all of a folder, but only those a single file names."""
    if main_file is None:
        return list(parsed.images)
    index = NameIndex(parsed.images)
    named = {index.resolve(row.file) for row in parsed.rows}
    return sorted(n for n in named if n is not None)


# --- images -----------------------------------------------------------------------------------


def _take_images(work: _Import, paths: Sequence[str]) -> None:
    started, batch = time.monotonic(), []
    required = _metadata_by_file(work) if work.project.required_metadata else None
    with work.ws.store.read() as connection:
        known = known_images(connection, work.project)
    for done, found in enumerate(read_images(work.ws, work.source, paths, known), 1):
        reason = found.reason
        # An image that is in already has brought its metadata; importing it again changes nothing.
        if found.info is not None and found.info.content_hash not in known:
            reason = _lacks(work, required, found.path)
        if reason:
            work.taken.refuse_image(found.path, reason)
        else:
            place = keep_bytes(work.ws, work.source, found, work.options.in_place)
            batch.append((Found(found.path, found.info), place))
        if len(batch) >= ITEMS_A_COMMIT:
            _commit_items(work, batch)
            batch = []
        work.progress(_step("reading images", done, len(paths), started))
    if batch:
        _commit_items(work, batch)


def _commit_items(work: _Import, batch: Sequence[tuple[Found, str]]) -> None:
    now = work.ws.clock()
    with work.ws.store.write() as connection:
        before = len(work.taken.fresh)
        store_items(connection, work.project, batch, work.taken, now)
        resolve_items(connection, work.project, list(work.taken.fresh)[before:], now)


def _metadata_by_file(work: _Import) -> dict[str, Mapping[str, str]]:
    index = NameIndex(work.parsed.images)
    said: dict[str, Mapping[str, str]] = {}
    for row in work.parsed.rows:
        name = index.resolve(row.file)
        if name is not None:
            said[name] = {**said.get(name, {}), **row.metadata}
    return said


def _lacks(work: _Import, said: Mapping[str, Mapping[str, str]] | None, path: str) -> str:
    if said is None:
        return ""
    given = said.get(path, {})
    missing = [c for c in work.project.required_metadata if not given.get(c, "").strip()]
    if not missing:
        return ""
    return f"required metadata missing: {', '.join(missing)}; give them in a table with the images"


# --- rows -------------------------------------------------------------------------------------


def _take_rows(work: _Import) -> None:
    if not work.parsed.rows:
        _finish(work, {}, [])
        return
    work.progress(ImportProgress("matching annotations", 0, len(work.parsed.rows), None))
    with work.ws.store.read() as connection:
        finder = Finder(connection, work.project, work.taken)
    rows = work.parsed.rows
    if work.options.what == What.ITEMS:
        # Only the images are asked for: what folders or files say of them is not even looked at.
        rows = tuple(replace(r, answer=None) for r in rows)
    said, metadata = fit_rows(work.project, rows, finder, work.taken)
    work.stored.notes += renamed_notes(work.taken)
    work.progress(ImportProgress("storing annotations", 0, len(said), None))
    if work.options.what != What.VOTES:
        repeated = len(said) - len({s.item_id for s in said})
        if repeated:
            work.stored.notes.append(
                f"{repeated} of the answers repeat an image another answer is about: the last one counts."
            )
    _finish(work, metadata, said)


def _finish(work: _Import, metadata: Mapping[int, Mapping[str, str]], said: list[Said]) -> None:
    """Write rows, batch and audit record in one transaction: all of them or none."""
    now, what = work.ws.clock(), What(work.options.what)
    with work.ws.store.write() as connection:
        last = connection.execute(select(func.max(batches.c.id))).scalar()
        batch_id = (
            last or 0
        ) + 1  # nobody else can take it: record transactions exclude each other
        store_metadata(connection, work.project, metadata, work.taken, batch_id, now)
        _store(work, connection, what, said, batch_id, now)
        resolve_items(connection, work.project, sorted({s.item_id for s in said}), now)
        if metadata:
            reboost(connection, work.project.id)
        counts = _counts(work)
        connection.execute(
            batches.insert(),
            {
                "id": batch_id,
                "project_id": work.project.id,
                "what": what.value,
                "format": _shown_format(work.parsed.format),
                "origin": work.source.origin,
                "report": json.dumps(counts),
                "by_id": work.actor.person_id,
                "at": now,
            },
        )
        append_audit(
            connection,
            now,
            work.actor.name,
            f"{what.value} imported",
            f"batch {batch_id}",
            work.project.id,
            counts,
        )


def _store(
    work: _Import, connection: Connection, what: What, said: list[Said], batch_id: int, now: float
) -> None:
    stored = work.stored
    if what is What.GOLD:
        said = untaught(connection, work.project, said, work.taken)
    if what in TABLES:
        count, stored.regions = store_answers(
            connection, work.project, TABLES[what], said, batch_id, work.taken, now
        )
        setattr(stored, what.value, count)
    elif what is What.PREDICTIONS:
        name = work.options.name or "imported"
        stored.predictions, stored.regions = store_imported_predictions(
            connection, work.project, said, batch_id, name, work.taken, now
        )
    elif what is What.VOTES:
        store_votes(connection, work.project, said, batch_id, work.taken, stored, now)


# --- report -----------------------------------------------------------------------------------


def _counts(work: _Import) -> dict[str, object]:
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


def _refused(work: _Import) -> tuple[Refusal, ...]:
    # Beside a single table may lie anything; only what it names is its business.
    outside = [] if work.one_file else [Refusal(e.path, 0, e.reason) for e in work.source.refused]
    return (*outside, *work.parsed.refused, *work.taken.refused)


def _unchanged(taken: Taken) -> int:
    """Return how many image files brought nothing new: no item, name, metadata or answer."""
    return sum(1 for item_id in taken.ids.values() if item_id not in taken.touched)


def _report(work: _Import, started: float) -> ImportReport:
    taken, stored = work.taken, work.stored
    return ImportReport(
        format=_shown_format(work.parsed.format),
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


def _step(phase: str, done: int, total: int, started: float) -> ImportProgress:
    spent = time.monotonic() - started
    left = spent / done * (total - done) if done >= 5 else None
    return ImportProgress(phase, done, total, left)


def _shown_format(name: str) -> str:
    return "csv" if name == TABLE else name
