"""Where an import may read from, and what there is to take."""

from __future__ import annotations

from pathlib import Path

from core.access import Actor
from core.errors import Forbidden
from core.formats import Parsed, parse
from core.intake.entries import Source
from core.intake.names import NameIndex
from core.intake.source import open_source
from core.services.accounts.people import OPERATOR
from core.services.projects.project import ProjectView
from core.services.transfer.import_rows import What
from core.services.transfer.import_run import TABLE, ImportOptions
from core.services.workspace import Workspace


def check_origin(ws: Workspace, actor: Actor, origin: str | Path) -> None:
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


def parse_source(
    source: Source, main_file: str | None, project: ProjectView, options: ImportOptions
) -> Parsed:
    """Return what the source says, read as the project's questions ask.

    Raises:
        InputError: It cannot be read as a whole.
    """
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
        whole=not project.task.draws,
    )


def images_wanted(parsed: Parsed, main_file: str | None) -> list[str]:
    """Return the images to take: all of a folder, but only those a single file names."""
    if main_file is None:
        return list(parsed.images)
    index = NameIndex(parsed.images)
    named = {index.resolve(row.file) for row in parsed.rows}
    return sorted(n for n in named if n is not None)
