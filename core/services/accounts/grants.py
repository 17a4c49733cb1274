"""Granting and revoking roles; an admin who can sign in always remains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from core.access import Action, Actor, Role, require
from core.errors import ConflictError, NotFound
from core.services.accounts.people import all_roles, insert_grant, latest_revisions, load_actor
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import projects


def grant(ws: Workspace, actor: Actor, person_id: int, role: Role, slug: str | None = None) -> None:
    """Give a person a role in a project, or everywhere.

    Raises:
        Forbidden: The actor does not manage people.
    """
    _change_role(ws, actor, person_id, role, slug, granted=True)


def revoke(
    ws: Workspace, actor: Actor, person_id: int, role: Role, slug: str | None = None
) -> None:
    """Take a role away.

    Raises:
        ConflictError: It would leave no admin.
        Forbidden: The actor does not manage people.
    """
    _change_role(ws, actor, person_id, role, slug, granted=False)


def _change_role(
    ws: Workspace, actor: Actor, person_id: int, role: Role, slug: str | None, *, granted: bool
) -> None:
    require(actor, Action.MANAGE_PEOPLE)
    with ws.store.write() as connection:
        target = load_actor(connection, person_id)
        project_id = project_number(connection, slug)
        if ((role, project_id) in target.roles) == granted:
            return
        with keep_an_admin(connection):
            insert_grant(connection, ws.clock(), person_id, role, project_id, granted, actor)
        verb = "granted" if granted else "revoked"
        append_audit(
            connection,
            ws.clock(),
            actor.name,
            f"role {verb}",
            target.name,
            project_id,
            {"role": role},
        )


@contextmanager
def keep_an_admin(connection: Connection) -> Iterator[None]:
    """Refuse a change that takes away the last admin who can sign in (the operator aside)."""
    had = _has_admin(connection)
    yield
    if had and not _has_admin(connection):
        raise ConflictError(
            "This would leave no admin who can sign in; nothing was changed.",
            "Make somebody else an admin first.",
        )


def _has_admin(connection: Connection) -> bool:
    held = all_roles(connection)
    return any(
        r.active and (r.password_hash is not None or r.simulated) and _is_admin(held.get(r.id))
        for r in connection.execute(latest_revisions())
    )


def _is_admin(roles: frozenset[tuple[Role, int | None]] | None) -> bool:
    return (Role.ADMIN, None) in (roles or frozenset())


def project_number(connection: Connection, slug: str | None) -> int | None:
    """Return the number of a project by its name, None for every project.

    Raises:
        NotFound: There is no such project.
    """
    if slug is None:
        return None
    found = connection.execute(select(projects.c.id).where(projects.c.slug == slug)).scalar()
    if found is None:
        raise NotFound(f"There is no project '{slug}'.")
    return int(found)
