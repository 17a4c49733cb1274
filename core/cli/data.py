"""Commands about data: init, import, export."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.cli.versions import export_version
from core.errors import InputError
from core.labels.schema import Skeleton, Task
from core.services.consensus.table_files import unwritten
from core.services.projects.project import NewProject, create_project
from core.services.transfer.exports import ExportFiles, export_data
from core.services.transfer.import_origin import classes_used
from core.services.transfer.import_report import ImportReport
from core.services.transfer.import_run import ImportOptions, ImportProgress
from core.services.transfer.imports import import_data
from core.services.transfer.places import outside, settle, staged, write_whole

SHOWN = 10


def init(
    project: ProjectArgument,
    task: Annotated[Task, typer.Option(help="What is asked of an image.")] = Task.CLASSIFICATION,
    classes: Annotated[str, typer.Option(help="Class names, separated by commas.")] = "",
    classes_from: Annotated[
        Path | None,
        typer.Option(
            help="Folder: the names of its folders. Annotation file: the classes it uses."
        ),
    ] = None,
    question: Annotated[
        list[str] | None, typer.Option(help="A further question: key=class,class,…")
    ] = None,
    several: Annotated[
        list[str] | None, typer.Option(help="Key of a question that takes several classes.")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="A question about each region: key=class,class,…")
    ] = None,
    skeleton: Annotated[
        Path | None,
        typer.Option(help='JSON for keypoints: {"points": [names], "edges": [[0, 1], …]}.'),
    ] = None,
    require: Annotated[str, typer.Option(help="Metadata columns every item must bring.")] = "",
    title: Annotated[str, typer.Option(help="What people read; the name by default.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project."""
    ws, me = opened(workspace, make=True)
    names = [c.strip() for c in classes.split(",") if c.strip()]
    if classes_from is not None:
        names += [n for n in _classes_of(classes_from) if n not in names]
    view = create_project(
        ws,
        me,
        NewProject(
            slug=project,
            task=task,
            classes=names,
            title=title,
            questions=dict(_question(q) for q in question or []),
            several=several or [],
            attributes=dict(_question(q) for q in attribute or []),
            skeleton=_skeleton(skeleton) if skeleton is not None else Skeleton(),
            required_metadata=[c.strip() for c in require.split(",") if c.strip()],
        ),
    )
    doc = {"project": view.slug, "task": view.task, "classes": view.schema.classes}
    emit(doc, as_json, f"Project '{view.slug}' with {len(view.schema.classes)} classes.")


def _classes_of(source: Path) -> list[str]:
    """Return the folders of a folder, or the classes an annotation file uses."""
    if source.is_dir():
        return sorted(p.name for p in source.iterdir() if p.is_dir() and not p.name.startswith("."))
    return classes_used(source)


def _skeleton(path: Path) -> Skeleton:
    """Return the skeleton of a JSON file.

    Raises:
        InputError: It cannot be read, or is none.
    """
    try:
        doc = json.loads(path.read_text("utf-8"))
        points = tuple(str(p) for p in doc["points"])
        edges = tuple((int(i), int(j)) for i, j in doc.get("edges", []))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path}' holds no skeleton.",
            'Give {"points": ["head", "hand"], "edges": [[0, 1]]}.',
        ) from error
    return Skeleton(points, edges)


def _question(text: str) -> tuple[str, list[str]]:
    key, found, classes = text.partition("=")
    if not found or not key.strip():
        raise InputError(f"A question is given as key=class,class, found '{text}'.")
    return key.strip(), [c.strip() for c in classes.split(",") if c.strip()]


def import_(
    project: ProjectArgument,
    source: Annotated[str, typer.Argument(help="Folder, ZIP archive, table or annotation file.")],
    what: Annotated[
        str, typer.Option("--as", help="items, labels, predictions, votes or gold.")
    ] = "items",
    format: Annotated[str, typer.Option(help="auto, folder, csv, voc, yolo or coco.")] = "auto",
    in_place: Annotated[bool, typer.Option(help="Leave images where they are.")] = False,
    label_column: Annotated[str, typer.Option(help="Column that holds the label.")] = "label",
    name: Annotated[str, typer.Option(help="What a set of predictions is called.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take images and what is said of them into a project."""
    ws, me = opened(workspace)
    meter = Meter(quiet=as_json)

    def show(step: ImportProgress) -> None:
        meter.show(step.phase, step.done, step.total, step.seconds_left)

    options = ImportOptions(what, format, in_place, label_column, name)
    try:
        report = import_data(ws, me, project, source, options, show)
    finally:
        meter.close()
    emit(report.as_dict(), as_json, _report_text(report))


def _report_text(report: ImportReport) -> str:
    kinds = ("items", "labels", "regions", "predictions", "votes", "gold")
    stored = [f"{getattr(report, k):,} {k}" for k in kinds if getattr(report, k)]
    lines = [f"New: {', '.join(stored) or 'nothing'}. Unchanged: {report.unchanged:,} files."]
    lines += [f"Duplicate: {a} has the bytes of {b}." for a, b in report.duplicate_files]
    return "\n".join([*lines, *_refusals(report), *report.notes])


def _one_line(name: str) -> str:
    return name.replace("\n", "\\n").replace("\r", "\\r")


def _refusals(report: ImportReport) -> list[str]:
    """Return the first refusals, then how many there are for each reason."""
    shown = [
        f"Refused: {_one_line(r.file)}{f', line {r.line}' if r.line else ''}: {r.reason}"
        for r in report.refused[:SHOWN]
    ]
    if len(report.refused) <= SHOWN:
        return shown
    counts = Counter(r.reason for r in report.refused)
    most = [f"  {n:,} × {reason}" for reason, n in counts.most_common(SHOWN)]
    return [
        *shown,
        f"Refused in all: {len(report.refused):,} ('--json' lists each). By reason:",
        *most,
    ]


def export(
    project: ProjectArgument,
    out: Annotated[str, typer.Argument(help="File (csv, coco, .zip) or folder to write.")],
    what: Annotated[
        str, typer.Option(help="labels, predictions, votes, gold or items.")
    ] = "labels",
    format: Annotated[
        str, typer.Option(help="csv, voc, yolo or coco; a version also as folder.")
    ] = "csv",
    version: Annotated[
        str, typer.Option(help="A dataset version, written with a receipt, instead of what is now.")
    ] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write labels, predictions, votes, gold or items to a file or folder."""
    place = place_for(out, format)
    if version:
        export_version(project, version, format, place, workspace, as_json)
        return
    ws, me = opened(workspace)
    target = outside(ws, place)
    found = export_data(ws, me, project, what, format)
    written = _write(found, target)
    doc = {
        "what": what, "format": format, "rows": found.n_rows, "files": written,
        "notes": found.notes, "out": place,
    }  # fmt: skip
    emit(doc, as_json, f"Wrote {found.n_rows:,} rows into {place}.")


ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".json": "coco", ".xml": "voc", ".txt": "yolo",
}  # fmt: skip
"""Endings of a file to the format they promise; another one in it would mislead whoever opens it."""


def place_for(out: str, format: str) -> Path:
    """Return where an export goes.

    Raises:
        InputError: Nothing is named, or a file whose ending promises another format.
    """
    if not out.strip():
        raise InputError(
            "An export needs a place to go to, found an empty name; nothing was written.",
            "Name a file or a folder, such as labels.csv; '.' is the folder you are in.",
        )
    place = Path(out)
    promised = ENDINGS.get(place.suffix.lower())
    wanted = "csv" if format == "tsv" else format
    known = wanted in {*ENDINGS.values(), "folder"}  # what is no format is refused as such
    if known and promised not in (None, wanted) and not place.is_dir():
        raise InputError(
            f"'{place.name}' would be taken for {promised}, '{format}' was asked for; nothing was "
            "written.",
            f"Add --format {promised}, or name another file or a folder.",
        )
    return place


def _write(found: ExportFiles, out: Path) -> int:
    """Write the files whole or not at all: beside the target first, then put into their place."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".zip" and not out.is_dir():
            write_whole(out, zipped(found))
            return 1
        if len(found.files) == 1 and not out.is_dir():
            write_whole(out, next(iter(found.files.values())))
            return 1
        if out.exists() and not out.is_dir():
            raise InputError(
                f"'{out}' is a file, but these are {len(found.files):,}; nothing was written.",
                "Name a folder, or a file that ends in .zip.",
            )
        with staged(out) as part:
            for name, data in found.files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_bytes(data)
            settle(part, out)
    except OSError as error:
        raise unwritten(out, error) from error
    return len(found.files)


def zipped(found: ExportFiles) -> bytes:
    """Return the files of an export as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(found.files.items()):
            archive.writestr(name, data)
    return buffer.getvalue()
