"""Teams and vendors: an attribute of people, in every figure a filter like any other."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from core.access import Action, Actor, require
from core.errors import InputError, NotFound
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import people, team_moves

MOST_LETTERS = 60


def set_team(ws: Workspace, actor: Actor, person_id: int, team: str) -> None:
    """Put a person into a team or vendor; an empty name takes them out of it.

    What they did before counts for the team they are in now.

    Raises:
        InputError: The name will not do.
        NotFound: There is no such person.
        Forbidden: The actor does not manage people.
    """
    require(actor, Action.MANAGE_PEOPLE)
    name = checked_team(team)
    with ws.store.write() as connection:
        if connection.execute(select(people.c.id).where(people.c.id == person_id)).first() is None:
            raise NotFound(f"There is no person number {person_id}.")
        if teams_in_force(connection).get(person_id, "") == name:
            return
        row = {"person_id": person_id, "team": name, "by_id": actor.person_id or None}
        connection.execute(team_moves.insert(), {**row, "at": ws.clock()})
        append_audit(
            connection, ws.clock(), actor.name, "team set", str(person_id), None, {"team": name}
        )


def teams_of_people(ws: Workspace, actor: Actor) -> dict[int, str]:
    """Return the team of everybody who is in one.

    Raises:
        Forbidden: The actor does not manage people.
    """
    require(actor, Action.MANAGE_PEOPLE)
    with ws.store.read() as connection:
        return teams_in_force(connection)


def teams_in_force(connection: Connection) -> dict[int, str]:
    """Return the team of everybody who is in one, within the caller's transaction."""
    rows = connection.execute(
        select(team_moves.c.person_id, team_moves.c.team).order_by(team_moves.c.seq)
    )
    newest: Mapping[int, str] = dict(rows.tuples().all())  # later moves overwrite
    return {person: team for person, team in newest.items() if team}


def checked_team(team: str) -> str:
    """Return the name of a team without spaces around it.

    Raises:
        InputError: It is too long or holds what cannot be shown.
    """
    name = team.strip()
    if len(name) > MOST_LETTERS or not (name or "x").isprintable():
        raise InputError(
            f"The name of a team has at most {MOST_LETTERS} letters, found {len(name)}.",
            "Choose a shorter one of plain letters.",
        )
    return name
