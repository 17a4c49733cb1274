"""Exporting: labels, predictions, votes, gold or items as CSV, VOC, YOLO or COCO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, require
from core.errors import InputError
from core.formats import FORMATS, ExportRecord
from core.formats.base import Format
from core.labels import Answer
from core.labels.schema import Task
from core.labels.state import LABELLED
from core.services.consensus.resolve import live_annotations
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import (
    final_labels,
    gold_answers,
    item_state,
    items,
    people,
    predictions,
)

EXPORTS = ("labels", "predictions", "votes", "gold", "items")
CHUNK = 500
_NO_LABEL = "No item has a final label yet; 'votes' as CSV has what people {done}."


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files of an export by relative path, how many rows went in, and what to know."""

    files: Mapping[str, bytes]
    n_rows: int
    notes: tuple[str, ...] = ()


def export_data(
    ws: Workspace, actor: Actor, slug: str, what: str = "labels", format: str = "csv"
) -> ExportFiles:
    """Return a project's labels (or predictions, votes, gold, items) in a format.

    Every name of an item is listed. Regions are in upright pixels.

    Raises:
        InputError: The kind or format is unknown, or the format cannot carry this task.
        Forbidden: The actor may not export here.
    """
    name = "table" if format in ("csv", "tsv") else format
    if what not in EXPORTS:
        raise InputError(f"Unknown kind '{what}'; expected one of {list(EXPORTS)}.")
    writers = {k: f for k, f in FORMATS.items() if f.emit is not None}
    if name not in writers:
        known = ["csv" if k == "table" else k for k in writers]
        raise InputError(f"Unknown format '{format}'; expected one of {known}.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        if what == "gold":
            require(actor, Action.SEE_GOLD, Resource(project.id))
        require_carried(project, writers[name])
        if name != "table" and what in ("votes", "items"):
            raise InputError(f"'{what}' can only be exported as CSV.", "Choose CSV.")
        records = _READ[what](connection, project)
    emit = writers[name].emit
    schema = project.schema
    files = emit(records, schema.classes, schema.main.key, schema.skeleton) if emit else {}
    with ws.store.write() as connection:
        append_audit(
            connection, ws.clock(), actor.name, "exported", f"{what} as {format}", project.id,
            {"rows": len(records)},
        )  # fmt: skip
    notes = _notes(project, writers[name])
    if what == "labels" and not records:
        notes = (_NO_LABEL.format(done="drew" if project.task.draws else "said"), *notes)
    return ExportFiles(files, len(records), notes)


def formats_for(task: Task, what: str) -> tuple[str, ...]:
    """Return the formats that can carry what a project of a task would export."""
    if what in ("votes", "items"):
        return ("csv",)
    able = (
        f.name
        for f in FORMATS.values()
        if f.emit is not None and (task.shape in f.shapes if task.draws else f.choices)
    )
    names = sorted("csv" if name == "table" else name for name in able)
    return ("csv", *(n for n in names if n != "csv"))


def require_carried(project: ProjectView, writer: Format) -> None:
    """Refuse a format that has no place for what the project asks.

    Raises:
        InputError: So it is; the advice names the formats that have.
    """
    shape = project.task.shape
    if shape is None and not writer.choices:
        raise InputError(
            f"{writer.title} carries regions, '{project.slug}' has classes of whole images.",
            "Export it as CSV or COCO.",
        )
    if shape is not None and shape not in writer.shapes:
        able = [f.title for f in FORMATS.values() if f.emit is not None and shape in f.shapes]
        raise InputError(
            f"{writer.title} cannot carry {project.task.value}.",
            f"Export '{project.slug}' as {' or '.join(able)}.",
        )


def _notes(project: ProjectView, writer: Format) -> tuple[str, ...]:
    """Return what to know of the files: the grid of pixels, and what the format has no place for."""
    if not project.task.draws:
        return ()
    notes = ["Regions are in pixels of the upright image (EXIF orientation applied)."]
    if writer.name == "yolo":
        notes = ["Regions are in shares of the upright image (EXIF orientation applied)."]
    left_out = [q.title for q in project.schema.region_questions] if not writer.attributes else []
    if not writer.choices and not writer.attributes:
        left_out += [q.title for q in project.schema.item_questions]
    if left_out:
        notes.append(
            f"{writer.title} has no place for {', '.join(left_out)}: not written. CSV has one."
        )
    return tuple(notes)


# --- reading ----------------------------------------------------------------------------------


def _labels(connection: Connection, project: ProjectView) -> list[ExportRecord]:
    query = (
        select(item_state.c.item_id, final_labels.c.answer, final_labels.c.state)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in LABELLED]),
        )
        .order_by(item_state.c.item_id)
    )
    said = {r.item_id: (r.answer, r.state, None) for r in connection.execute(query)}
    return _records(connection, project, said)


def _predictions(connection: Connection, project: ProjectView) -> list[ExportRecord]:
    query = (
        select(predictions)
        .join(item_state, item_state.c.prediction_seq == predictions.c.seq)
        .where(item_state.c.project_id == project.id)
        .order_by(predictions.c.item_id)
    )
    said = {r.item_id: (r.answer, "", r.confidence) for r in connection.execute(query)}
    return _records(connection, project, said)


def _gold(connection: Connection, project: ProjectView) -> list[ExportRecord]:
    newest = (
        select(func.max(gold_answers.c.seq))
        .where(gold_answers.c.project_id == project.id)
        .group_by(gold_answers.c.item_id)
    )
    rows = connection.execute(select(gold_answers).where(gold_answers.c.seq.in_(newest)))
    return _records(connection, project, {r.item_id: (r.answer, "", None) for r in rows})


def _items(connection: Connection, project: ProjectView) -> list[ExportRecord]:
    rows = connection.execute(
        select(items.c.id, items.c.use, item_state.c.state)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(items.c.project_id == project.id)
        .order_by(items.c.id)
    ).all()
    extra = {r.id: {"use": r.use, "item_state": r.state} for r in rows}
    return _records(connection, project, {r.id: (None, "", None) for r in rows}, extra)


def _votes(connection: Connection, project: ProjectView) -> list[ExportRecord]:
    names = {r.id: r.name for r in connection.execute(select(people.c.id, people.c.name))}
    ids = list(
        connection.execute(
            select(items.c.id).where(items.c.project_id == project.id).order_by(items.c.id)
        ).scalars()
    )
    found = []
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        about = _about(connection, chunk)
        for row in live_annotations(connection, chunk):
            if row.kind != "vote":
                continue
            found.append(
                ExportRecord(
                    **about[row.item_id],
                    answer=project.schema.translate(Answer.from_json(row.answer)),
                    annotator=names[row.person_id],
                    seconds=row.active_seconds,
                )
            )
    return found


_READ = {
    "labels": _labels,
    "predictions": _predictions,
    "gold": _gold,
    "items": _items,
    "votes": _votes,
}


def _records(
    connection: Connection,
    project: ProjectView,
    said: Mapping[int, tuple[str | None, str, float | None]],
    extra: Mapping[int, Mapping[str, str]] | None = None,
) -> list[ExportRecord]:
    ids, found = list(said), []
    for start in range(0, len(ids), CHUNK):
        about = _about(connection, ids[start : start + CHUNK])
        for item_id in ids[start : start + CHUNK]:
            answer, state, confidence = said[item_id]
            found.append(
                ExportRecord(
                    **about[item_id],
                    answer=project.schema.translate(Answer.from_json(answer)) if answer else None,
                    state=state,
                    confidence=confidence,
                    extra=(extra or {}).get(item_id, {}),
                )
            )
    return found


def _about(connection: Connection, ids: Sequence[int]) -> dict[int, dict]:
    names, metadata = names_of(connection, ids), metadata_of(connection, ids)
    rows = connection.execute(
        select(items.c.id, items.c.width, items.c.height).where(items.c.id.in_(ids))
    )
    return {
        r.id: {
            "file": names[r.id][0],
            "names": tuple(names[r.id]),
            "width": r.width,
            "height": r.height,
            "metadata": metadata.get(r.id, {}),
        }
        for r in rows
    }
