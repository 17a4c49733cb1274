"""Accounts and roles: who there is, and who may do what where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from sqlalchemy import Connection, Select, func, select, update

from core.access import Action, Actor, Resource, Role, can, require, require_signed_in
from core.errors import ConflictError, InputError, NotFound
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import grants, people, person_revisions, projects, sessions

OPERATOR = "operator"
"""Name of the built-in person behind the command line: who can read the files may do anything."""

MIN_PASSWORD = 8
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the *people* page shows them; roles are (role, project slug or None)."""

    id: int
    name: str
    display_name: str
    active: bool
    simulated: bool
    kind: str
    roles: tuple[tuple[Role, str | None], ...]
    has_password: bool
    language: str


@lru_cache(maxsize=1)
def hasher() -> PasswordHasher:
    """Return the password hasher (argon2id with its library's current defaults)."""
    return PasswordHasher()


# --- reading ----------------------------------------------------------------------------------


def actor_of(ws: Workspace, person_id: int) -> Actor:
    """Return a person as an actor, roles read afresh.

    Raises:
        NotFound: There is no such person.
    """
    with ws.store.read() as connection:
        return load_actor(connection, person_id)


def load_actor(connection: Connection, person_id: int) -> Actor:
    """Return a person as an actor, within the caller's transaction.

    Raises:
        NotFound: There is no such person.
    """
    row = connection.execute(
        select(people.c.name, person_revisions)
        .join(person_revisions, person_revisions.c.person_id == people.c.id)
        .where(people.c.id == person_id)
        .order_by(person_revisions.c.seq.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound(f"There is no person number {person_id}.")
    roles = _roles(connection, person_id)
    return Actor(person_id, row.name, row.display_name, roles, row.active, row.language)


def operator(ws: Workspace) -> Actor:
    """Return the person behind the command line, made on first use."""
    with ws.store.read() as connection:
        found = connection.execute(select(people.c.id).where(people.c.name == OPERATOR)).scalar()
        if found is not None:
            return load_actor(connection, found)
    with ws.store.write() as connection:
        found = connection.execute(select(people.c.id).where(people.c.name == OPERATOR)).scalar()
        if found is None:
            found = insert_person(connection, ws.clock(), OPERATOR, "Command line", kind="operator")
            for role in (Role.ADMIN, Role.MANAGER, Role.LEAD):
                _insert_grant(connection, ws.clock(), found, role, None, True, None)
        return load_actor(connection, found)


def has_people(ws: Workspace) -> bool:
    """Return whether anybody could sign in at all."""
    with ws.store.read() as connection:
        return (
            connection.execute(
                select(person_revisions.c.seq)
                .where(person_revisions.c.password_hash.is_not(None))
                .limit(1)
            ).first()
            is not None
        )


def list_people(ws: Workspace, actor: Actor) -> list[PersonView]:
    """Return everybody, by name.

    Raises:
        Forbidden: The actor does not manage people.
    """
    require(actor, Action.MANAGE_PEOPLE)
    with ws.store.read() as connection:
        slugs = {
            row.id: row.slug for row in connection.execute(select(projects.c.id, projects.c.slug))
        }
        rows = connection.execute(_latest_revisions().order_by(people.c.name)).all()
        held = _all_roles(connection)
    return [
        PersonView(
            row.id,
            row.name,
            row.display_name,
            row.active,
            row.simulated,
            row.kind,
            tuple(
                sorted(
                    ((r, slugs.get(p) if p else None) for r, p in held.get(row.id, ())),
                    key=lambda pair: (pair[1] or "", pair[0].value),
                )
            ),
            row.password_hash is not None,
            row.language,
        )
        for row in rows
    ]


def people_of(connection: Connection, project_id: int) -> list[tuple[int, str, str]]:
    """Return who has a role in a project and may sign in: id, name and display name, by name."""
    roles = _all_roles(connection)
    rows = connection.execute(_latest_revisions().order_by(people.c.name)).all()
    found = []
    for row in rows:
        held = roles.get(row.person_id, frozenset())
        person = Actor(row.person_id, row.name, row.display_name, held, row.active)
        if row.kind == "person" and can(person, Action.SEE_PROJECT, Resource(project_id)):
            found.append((int(row.person_id), str(row.name), str(row.display_name)))
    return found


def _latest_revisions() -> Select:
    newest = (
        select(person_revisions.c.person_id, func.max(person_revisions.c.seq).label("seq"))
        .group_by(person_revisions.c.person_id)
        .subquery()
    )
    return (
        select(people, person_revisions)
        .join(newest, newest.c.person_id == people.c.id)
        .join(person_revisions, person_revisions.c.seq == newest.c.seq)
    )


def _roles(connection: Connection, person_id: int) -> frozenset[tuple[Role, int | None]]:
    return _all_roles(connection, person_id).get(person_id, frozenset())


def _all_roles(
    connection: Connection, person_id: int | None = None
) -> dict[int, frozenset[tuple[Role, int | None]]]:
    query = select(grants).order_by(grants.c.seq)
    if person_id is not None:
        query = query.where(grants.c.person_id == person_id)
    held: dict[int, set[tuple[Role, int | None]]] = {}
    for row in connection.execute(query):
        mine = held.setdefault(row.person_id, set())
        (mine.add if row.granted else mine.discard)((Role(row.role), row.project_id))
    return {k: frozenset(v) for k, v in held.items()}


# --- changing ---------------------------------------------------------------------------------


def add_person(
    ws: Workspace,
    actor: Actor,
    name: str,
    display_name: str = "",
    password: str | None = None,
    roles: Sequence[tuple[Role, str | None]] = (),
    simulated: bool = False,
) -> int:
    """Add an account and return its id.

    Raises:
        InputError: The name or the password will not do.
        ConflictError: The name is taken.
        Forbidden: The actor does not manage people.
    """
    require(actor, Action.MANAGE_PEOPLE)
    if not NAME.fullmatch(name) or name == OPERATOR:
        raise InputError(
            f"'{name}' cannot be an account name.",
            "Use 1 to 64 of a-z, 0-9, '.', '_', '@' and '-', beginning with a letter or digit.",
        )
    hashed = None if password is None else hash_password(password)
    with ws.store.write() as connection:
        if connection.execute(select(people.c.id).where(people.c.name == name)).first():
            raise ConflictError(
                f"There is a person named '{name}' already.", "Choose another name."
            )
        person_id = insert_person(
            connection, ws.clock(), name, display_name or name, hashed, simulated=simulated
        )
        for role, slug in roles:
            _insert_grant(
                connection, ws.clock(), person_id, role, _project_id(connection, slug), True, actor
            )
        append_audit(connection, ws.clock(), actor.name, "person added", name)
    return person_id


def insert_person(
    connection: Connection,
    at: float,
    name: str,
    display_name: str,
    password_hash: str | None = None,
    kind: str = "person",
    simulated: bool = False,
) -> int:
    """Write a new person within the caller's record transaction and return the id."""
    person_id = int(
        connection.execute(
            people.insert().returning(people.c.id),
            {"name": name, "kind": kind, "simulated": simulated, "at": at},
        ).scalar_one()
    )
    connection.execute(
        person_revisions.insert(),
        {
            "person_id": person_id,
            "display_name": display_name,
            "password_hash": password_hash,
            "active": True,
            "language": "en",
            "by_id": None,
            "at": at,
        },
    )
    return person_id


def hash_password(password: str) -> str:
    """Return the hash to keep.

    Raises:
        InputError: The password is too short.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError(
            f"The password has {len(password)} characters, at least {MIN_PASSWORD} are needed."
        )
    return hasher().hash(password)


def set_password(ws: Workspace, actor: Actor, person_id: int, password: str) -> None:
    """Give a person a new password; one may always change one's own.

    A password that somebody else sets ends the person's sessions everywhere.

    Raises:
        InputError: The password is too short.
        Forbidden: It is somebody else's and the actor does not manage people.
    """
    if actor.person_id != person_id or not actor.active:
        require(actor, Action.MANAGE_PEOPLE)
    _revise(ws, actor, person_id, "password changed", password_hash=hash_password(password))


def set_active(ws: Workspace, actor: Actor, person_id: int, active: bool) -> None:
    """Enable or disable an account; it takes effect with the person's next action.

    Sessions of a disabled account end for good: enabling it again asks for a new sign-in.

    Raises:
        ConflictError: It is the last admin's.
        Forbidden: The actor does not manage people.
    """
    require(actor, Action.MANAGE_PEOPLE)
    _revise(ws, actor, person_id, "enabled" if active else "disabled", active=active)


def set_language(ws: Workspace, actor: Actor, language: str) -> None:
    """Choose the language the actor reads.

    Raises:
        NotSignedIn: Nobody is signed in.
        InputError: That is no code of a language.
    """
    require_signed_in(actor)
    if not LANGUAGE.fullmatch(language):
        raise InputError(
            f"'{language[:20]}' is no code of a language.", "Choose one from the list."
        )
    _revise(ws, actor, actor.person_id, "language chosen", language=language)


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
        project_id = _project_id(connection, slug)
        if ((role, project_id) in target.roles) == granted:
            return
        with _keep_an_admin(connection):
            _insert_grant(connection, ws.clock(), person_id, role, project_id, granted, actor)
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


def _revise(ws: Workspace, actor: Actor, person_id: int, what: str, **changes: object) -> None:
    with ws.store.write() as connection:
        last = connection.execute(
            select(person_revisions)
            .where(person_revisions.c.person_id == person_id)
            .order_by(person_revisions.c.seq.desc())
            .limit(1)
        ).mappings().first()  # fmt: skip
        if last is None:
            raise NotFound(f"There is no person number {person_id}.")
        row = {k: v for k, v in last.items() if k != "seq"}
        by = actor.person_id or None
        with _keep_an_admin(connection):
            connection.execute(
                person_revisions.insert(), {**row, **changes, "by_id": by, "at": ws.clock()}
            )
        if changes.get("active") is False or ("password_hash" in changes and by != person_id):
            connection.execute(
                update(sessions).where(sessions.c.person_id == person_id).values(revoked=True)
            )
        append_audit(connection, ws.clock(), actor.name, what, str(person_id))


def _insert_grant(
    connection: Connection,
    at: float,
    person_id: int,
    role: Role,
    project_id: int | None,
    granted: bool,
    by: Actor | None,
) -> None:
    connection.execute(
        grants.insert(),
        {
            "person_id": person_id,
            "project_id": project_id,
            "role": role.value,
            "granted": granted,
            "by_id": by.person_id if by else None,
            "at": at,
        },
    )


@contextmanager
def _keep_an_admin(connection: Connection) -> Iterator[None]:
    """Refuse a change that takes away the last admin who can sign in (the operator aside)."""
    had = _has_admin(connection)
    yield
    if had and not _has_admin(connection):
        raise ConflictError(
            "This would leave no admin who can sign in; nothing was changed.",
            "Make somebody else an admin first.",
        )


def _has_admin(connection: Connection) -> bool:
    held = _all_roles(connection)
    return any(
        r.active and (r.password_hash is not None or r.simulated) and _is_admin(held.get(r.id))
        for r in connection.execute(_latest_revisions())
    )


def _is_admin(roles: frozenset[tuple[Role, int | None]] | None) -> bool:
    return (Role.ADMIN, None) in (roles or frozenset())


def _project_id(connection: Connection, slug: str | None) -> int | None:
    if slug is None:
        return None
    found = connection.execute(select(projects.c.id).where(projects.c.slug == slug)).scalar()
    if found is None:
        raise NotFound(f"There is no project '{slug}'.")
    return int(found)
