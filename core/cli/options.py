"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.access import Actor
from core.services.people import operator
from core.services.workspace import Workspace, open_workspace

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", envvar="TIEBREAK_WORKSPACE", help="Folder that holds everything."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ProjectArgument = Annotated[str, typer.Argument(help="Name of the project.")]


def opened(workspace: Path | None) -> tuple[Workspace, Actor]:
    """Return the workspace and the person behind the command line."""
    ws = open_workspace(workspace)
    return ws, operator(ws)
