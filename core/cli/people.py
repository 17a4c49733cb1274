"""Commands about accounts: user add, list, password, disable."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.access import Actor, Role
from core.cli.options import JsonOption, WorkspaceOption, opened
from core.cli.output import emit
from core.errors import InputError, NotFound
from core.services.accounts.changing import add_person, set_active, set_password
from core.services.accounts.people import list_people
from core.services.workspace import Workspace

app = typer.Typer(help="Accounts and roles.", no_args_is_help=True)

PASSWORD_VARIABLE = "TIEBREAK_PASSWORD"  # noqa: S105  # the variable's name, no password


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="expert, lead, manager or admin; with :PROJECT for one."),
    ] = None,
    display_name: Annotated[str, typer.Option(help="What others read.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account; the password is asked for, or read from TIEBREAK_PASSWORD."""
    ws, me = opened(workspace, make=True)
    roles = [_role(r) for r in role or ["expert"]]
    person_id = add_person(ws, me, name, display_name, _password(), roles)
    doc = {"id": person_id, "name": name, "roles": [[r, p] for r, p in roles]}
    emit(doc, as_json, f"Added '{name}' as {', '.join(r.value for r, _ in roles)}.")


@app.command("list")
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List everybody and their roles."""
    ws, me = opened(workspace)
    found = list_people(ws, me)
    lines = [
        f"{p.name:<24} {'' if p.active else 'disabled '}"
        + ", ".join(f"{r.value}{f' of {slug}' if slug else ''}" for r, slug in p.roles)
        for p in found
    ]
    emit({"people": found}, as_json, "\n".join(lines))


@app.command("password")
def password(
    name: Annotated[str, typer.Argument()],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an account a new password."""
    ws, me = opened(workspace)
    set_password(ws, me, _person(ws, me, name), _password())
    emit({"name": name}, as_json, f"New password for '{name}'.")


@app.command("disable")
def disable(
    name: Annotated[str, typer.Argument()],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Disable an account; it takes effect with the person's next action. 'enable' undoes it."""
    _activate(workspace, name, False, as_json)


@app.command("enable")
def enable(
    name: Annotated[str, typer.Argument()],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enable a disabled account."""
    _activate(workspace, name, True, as_json)


def _activate(workspace: Path | None, name: str, active: bool, as_json: bool) -> None:
    ws, me = opened(workspace)
    set_active(ws, me, _person(ws, me, name), active)
    emit(
        {"name": name, "active": active},
        as_json,
        f"{'Enabled' if active else 'Disabled'} '{name}'.",
    )


def _person(ws: Workspace, me: Actor, name: str) -> int:
    found = {p.name: p.id for p in list_people(ws, me)}
    if name not in found:
        raise NotFound(f"There is no person '{name}'.", "See 'tiebreak user list'.")
    return found[name]


def _role(text: str) -> tuple[Role, str | None]:
    name, _, slug = text.partition(":")
    try:
        role = Role(name)
    except ValueError:
        known = [r.value for r in Role if r is not Role.WORKER]
        raise InputError(f"Unknown role '{name}'; expected one of {known}.") from None
    return role, slug or None


def _password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        piped = sys.stdin.readline().rstrip("\n")
        if not piped:
            raise InputError(
                "No password was given.",
                f"Run it in a terminal, pipe it in, or set {PASSWORD_VARIABLE}.",
            )
        return piped
    return getpass.getpass("Password: ")
