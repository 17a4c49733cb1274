"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.access import Actor
from core.errors import NotFound
from core.services.accounts.people import operator
from core.services.workspace import Workspace, open_workspace
from core.settings import load_settings

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", envvar="TIEBREAK_WORKSPACE", help="Folder that holds everything."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ProjectArgument = Annotated[str, typer.Argument(help="Name of the project.")]


def opened(workspace: Path | None, *, make: bool = False) -> tuple[Workspace, Actor]:
    """Return the workspace and the person behind the command line.

    Args:
        make: Whether a workspace that is not there is made; else a typo would pass for an empty one.

    Raises:
        NotFound: There is no workspace.
    """
    settings = load_settings(workspace)
    root = settings.workspace.expanduser().absolute()
    if not make and not settings.database_url and not (root / "tiebreak.db").exists():
        raise NotFound(
            f"There is no workspace in {root}.",
            "Name it with --workspace, or begin one with 'tiebreak init' or 'tiebreak demo'.",
        )
    ws = open_workspace(workspace)
    return ws, operator(ws)
