"""The command that writes the weekly report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import emit
from core.errors import InputError
from core.services.report.page import html_of
from core.services.report.parts import document
from core.services.report.weekly import weekly_report
from core.services.transfer.places import outside, write_whole


def report(
    project: ProjectArgument,
    out: Annotated[Path | None, typer.Option(help="File to write, one HTML page.")] = None,
    week: Annotated[
        str, typer.Option(help="As in 2026-W46; the newest with work in it by default.")
    ] = "",
    tz: Annotated[str, typer.Option(help="Time zone the days begin in.")] = "UTC",
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only items of this metadata: column=value; may be given several times."),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Name people, where at least five were at work.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what changed in a week as one page that needs no network, or print it as JSON."""
    if out is None and not as_json:
        raise InputError("Where should the report go?", "Name a file with --out, or add --json.")
    ws, me = opened(workspace)
    if out is not None:
        _require_place(outside(ws, out))  # before the work, which takes a while
    found = weekly_report(ws, me, project, week, tz, _conditions(where or []), names)
    if out is not None:
        _write(outside(ws, out), html_of(found))
    said = f"Week {found.week.name} of {project}, {tz} time: {out}"
    emit({**document(found), "out": None if out is None else str(out)}, as_json, said)


def _conditions(where: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in where:
        column, equals, value = text.partition("=")
        if not column or not equals:
            raise InputError(f"--where '{text}' is no condition.", "Write it as column=value.")
        found[column] = value
    return found


def _require_place(out: Path) -> None:
    if out.is_dir():
        raise _unwritten(out, "it is a folder")
    if not out.parent.is_dir():
        raise _unwritten(out, f"there is no folder '{out.parent}'")


def _write(out: Path, page: str) -> None:
    try:
        write_whole(out, page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise _unwritten(out, error.strerror or str(error)) from error


def _unwritten(out: Path, why: str) -> InputError:
    return InputError(
        f"The report cannot be written to {out}: {why}; what was there before still is.",
        "Name a file in a folder that exists, has room, and that you may write to.",
    )
