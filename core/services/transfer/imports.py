"""Importing: a folder, archive, table or annotation set into a project, with a report.

Running the same import again changes nothing; one that was cut short goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.errors import InputError
from core.intake.limits import ArchiveLimits
from core.intake.names import NameIndex
from core.intake.source import open_source
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import project_for
from core.services.projects.queue_plans import reboost
from core.services.transfer.import_images import (
    Found,
    keep_bytes,
    known_images,
    read_images,
    store_items,
    store_metadata,
)
from core.services.transfer.import_origin import check_origin, images_wanted, parse_source
from core.services.transfer.import_report import ImportReport, counts_of, report_of, shown_format
from core.services.transfer.import_rows import Finder, Said, What, fit_rows, renamed_notes
from core.services.transfer.import_run import (
    ImportOptions,
    ImportProgress,
    ImportRun,
    ProgressSink,
    step,
)
from core.services.transfer.import_store import (
    TABLES,
    store_answers,
    store_imported_predictions,
    untaught,
)
from core.services.transfer.import_votes import store_votes
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import batches

ITEMS_A_COMMIT = 100
"""Images stored per transaction: a killed import loses at most so many, and takes them up again."""


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
    check_origin(ws, actor, origin)
    limits = ArchiveLimits(
        max_entries=ws.settings.archive_max_entries, max_total_bytes=ws.settings.archive_max_bytes
    )
    source, main_file = open_source(origin, limits, ws.settings.allowed_sources)
    progress(ImportProgress("reading annotations", 0, 0, None))
    parsed = parse_source(source, main_file, project, options)
    work = ImportRun(ws, actor, project, options, source, parsed, progress, main_file is not None)
    paths = images_wanted(parsed, main_file)
    _take_images(work, paths)
    _take_rows(work)
    return report_of(work, started)


def _take_images(work: ImportRun, paths: Sequence[str]) -> None:
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
        work.progress(step("reading images", done, len(paths), started))
    if batch:
        _commit_items(work, batch)


def _commit_items(work: ImportRun, batch: Sequence[tuple[Found, str]]) -> None:
    now = work.ws.clock()
    with work.ws.store.write() as connection:
        before = len(work.taken.fresh)
        store_items(connection, work.project, batch, work.taken, now)
        resolve_items(connection, work.project, list(work.taken.fresh)[before:], now)


def _metadata_by_file(work: ImportRun) -> dict[str, Mapping[str, str]]:
    index = NameIndex(work.parsed.images)
    said: dict[str, Mapping[str, str]] = {}
    for row in work.parsed.rows:
        name = index.resolve(row.file)
        if name is not None:
            said[name] = {**said.get(name, {}), **row.metadata}
    return said


def _lacks(work: ImportRun, said: Mapping[str, Mapping[str, str]] | None, path: str) -> str:
    if said is None:
        return ""
    given = said.get(path, {})
    missing = [c for c in work.project.required_metadata if not given.get(c, "").strip()]
    if not missing:
        return ""
    return f"required metadata missing: {', '.join(missing)}; give them in a table with the images"


def _take_rows(work: ImportRun) -> None:
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


def _finish(work: ImportRun, metadata: Mapping[int, Mapping[str, str]], said: list[Said]) -> None:
    """Write rows, batch and audit record in one transaction: all of them or none."""
    now, what = work.ws.clock(), What(work.options.what)
    with work.ws.store.write() as connection:
        last = connection.execute(select(func.max(batches.c.id))).scalar()
        batch_id = (
            last or 0
        ) + 1  # nobody else can take it: record transactions exclude each other
        store_metadata(connection, work.project, metadata, work.taken, batch_id, now)
        _store(work, connection, what, said, batch_id, now)
        resolve_items(connection, work.project, sorted({s.item_id for s in said}), now, ws=work.ws)
        if metadata:
            reboost(connection, work.project.id)
        counts = counts_of(work)
        connection.execute(
            batches.insert(),
            {
                "id": batch_id,
                "project_id": work.project.id,
                "what": what.value,
                "format": shown_format(work.parsed.format),
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
    work: ImportRun, connection: Connection, what: What, said: list[Said], batch_id: int, now: float
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
