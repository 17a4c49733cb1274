"""Skills: what a project's people may vote on, granted and taken back by who steers it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from core.access import Action, Actor, Resource, can, require, require_signed_in
from core.errors import InputError, NotFound
from core.labels.schema import has_visible
from core.services.accounts.grants import project_number
from core.services.accounts.people import load_actor
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import people, skill_grants

MOST_NAME = 200


def grant_skill(ws: Workspace, actor: Actor, slug: str, person_id: int, skill: str) -> None:
    """Give a person a skill in a project; one they hold already stays.

    Raises:
        InputError: The name of the skill is empty or too long.
        NotFound: There is no such project, or no such person in it.
        Forbidden: The actor does not steer this project.
    """
    _change(ws, actor, slug, person_id, skill, granted=True)


def revoke_skill(ws: Workspace, actor: Actor, slug: str, person_id: int, skill: str) -> None:
    """Take a skill from a person; votes they gave with it stand.

    Raises:
        InputError: The name of the skill is empty or too long.
        NotFound: There is no such project, or no such person in it.
        Forbidden: The actor does not steer this project.
    """
    _change(ws, actor, slug, person_id, skill, granted=False)


def skills_of(ws: Workspace, actor: Actor, slug: str) -> dict[int, tuple[str, ...]]:
    """Return the skills each person holds in a project, by person.

    Raises:
        NotFound: There is no such project, or the actor may not know of it.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.read() as connection:
        project_id = _steered(connection, actor, slug)
        rows = connection.execute(
            select(skill_grants)
            .where(skill_grants.c.project_id == project_id)
            .order_by(skill_grants.c.seq)
        )
        newest = {(r.person_id, r.skill): bool(r.granted) for r in rows}
    held: dict[int, list[str]] = {}
    for (person_id, skill), granted in sorted(newest.items()):
        if granted:
            held.setdefault(person_id, []).append(skill)
    return {person_id: tuple(skills) for person_id, skills in held.items()}


def skills_held(connection: Connection, project_id: int, person_id: int) -> frozenset[str]:
    """Return the skills a person holds now, within a transaction whose caller has asked the gate."""
    rows = connection.execute(
        select(skill_grants.c.skill, skill_grants.c.granted)
        .where(skill_grants.c.person_id == person_id, skill_grants.c.project_id == project_id)
        .order_by(skill_grants.c.seq)
    )
    newest = {r.skill: bool(r.granted) for r in rows}
    return frozenset(skill for skill, granted in newest.items() if granted)


def _steered(connection: Connection, actor: Actor, slug: str) -> int:
    require_signed_in(actor)
    unseen = NotFound(f"There is no project '{slug}' for you.", "Choose one from the list.")
    try:
        project_id = project_number(connection, slug)
    except NotFound as error:
        raise unseen from error
    if project_id is None or not can(actor, Action.SEE_PROJECT, Resource(project_id)):
        raise unseen
    require(actor, Action.STEER, Resource(project_id))
    return project_id


def _change(
    ws: Workspace, actor: Actor, slug: str, person_id: int, skill: str, *, granted: bool
) -> None:
    name = skill.strip()
    with ws.store.write() as connection:
        project_id = _steered(connection, actor, slug)
        if not has_visible(name) or not name.isprintable() or len(name) > MOST_NAME:
            raise InputError(
                f"A skill is named by 1 to {MOST_NAME} characters that can be seen.",
                "Name it as the policy does, or will.",
            )
        known = connection.execute(
            select(people.c.id).where(people.c.id == person_id, people.c.kind == "person")
        ).first()
        person = load_actor(connection, person_id) if known else None
        if person is None or not can(person, Action.SEE_PROJECT, Resource(project_id)):
            raise NotFound(f"There is no person {person_id} in '{slug}'.", "Reload the page.")
        if (name in skills_held(connection, project_id, person_id)) == granted:
            return
        row = {
            "project_id": project_id, "person_id": person_id, "skill": name, "granted": granted,
            "by_id": actor.person_id or None, "at": ws.clock(),
        }  # fmt: skip
        connection.execute(skill_grants.insert(), row)
        append_audit(
            connection, ws.clock(), actor.name, f"skill {'granted' if granted else 'revoked'}",
            person.name, project_id, {"skill": name},
        )  # fmt: skip
