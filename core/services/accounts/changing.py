"""Changing accounts: adding people, passwords, languages, enabling and disabling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from argon2 import PasswordHasher
from sqlalchemy import select, update

from core.access import Action, Actor, Role, require, require_signed_in
from core.errors import ConflictError, InputError, NotFound
from core.services.accounts.grants import keep_an_admin, project_number
from core.services.accounts.people import OPERATOR, insert_grant, insert_person
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import people, person_revisions, sessions

MIN_PASSWORD = 8
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@lru_cache(maxsize=1)
def hasher() -> PasswordHasher:
    """Return the password hasher (argon2id with its library's current defaults)."""
    return PasswordHasher()


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
            insert_grant(
                connection,
                ws.clock(),
                person_id,
                role,
                project_number(connection, slug),
                True,
                actor,
            )
        append_audit(connection, ws.clock(), actor.name, "person added", name)
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
        with keep_an_admin(connection):
            connection.execute(
                person_revisions.insert(), {**row, **changes, "by_id": by, "at": ws.clock()}
            )
        if changes.get("active") is False or ("password_hash" in changes and by != person_id):
            connection.execute(
                update(sessions).where(sessions.c.person_id == person_id).values(revoked=True)
            )
        append_audit(connection, ws.clock(), actor.name, what, str(person_id))
