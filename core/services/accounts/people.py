"""People: who there is, each as an actor with the roles they hold, and how both are written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

from core.access import Action, Actor, Resource, Role, can, require
from core.errors import NotFound
from core.services.workspace import Workspace
from core.store.tables import grants, people, person_revisions, projects

OPERATOR = "operator"
"""Name of the built-in person behind the command line: who can read the files may do anything."""


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
                insert_grant(connection, ws.clock(), found, role, None, True, None)
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
        rows = connection.execute(latest_revisions().order_by(people.c.name)).all()
        held = all_roles(connection)
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
    roles = all_roles(connection)
    rows = connection.execute(latest_revisions().order_by(people.c.name)).all()
    found = []
    for row in rows:
        held = roles.get(row.person_id, frozenset())
        person = Actor(row.person_id, row.name, row.display_name, held, row.active)
        if row.kind == "person" and can(person, Action.SEE_PROJECT, Resource(project_id)):
            found.append((int(row.person_id), str(row.name), str(row.display_name)))
    return found


def latest_revisions() -> Select:
    """Select everybody, each with their newest revision."""
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
    return all_roles(connection, person_id).get(person_id, frozenset())


def all_roles(
    connection: Connection, person_id: int | None = None
) -> dict[int, frozenset[tuple[Role, int | None]]]:
    """Return the roles held now, by person; of one person only, if asked."""
    query = select(grants).order_by(grants.c.seq)
    if person_id is not None:
        query = query.where(grants.c.person_id == person_id)
    held: dict[int, set[tuple[Role, int | None]]] = {}
    for row in connection.execute(query):
        mine = held.setdefault(row.person_id, set())
        (mine.add if row.granted else mine.discard)((Role(row.role), row.project_id))
    return {k: frozenset(v) for k, v in held.items()}


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


def insert_grant(
    connection: Connection,
    at: float,
    person_id: int,
    role: Role,
    project_id: int | None,
    granted: bool,
    by: Actor | None,
) -> None:
    """Write a grant, or a withdrawal of one, within the caller's record transaction.

    Args:
        connection: The transaction.
        at: When, seconds since the epoch.
        person_id: Whose role it is.
        role: The role.
        project_id: Where; None means everywhere.
        granted: False takes it away.
        by: Who does it; None for the installation itself.
    """
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
