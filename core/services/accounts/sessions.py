"""Signing in and out: a random id in the browser, its hash in the record, revocable at once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, delete, func, select, update

from core.access import ANONYMOUS, Actor, Role
from core.errors import NotSignedIn
from core.services.accounts.changing import hash_password, hasher
from core.services.accounts.people import load_actor
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import people, person_revisions, sessions, sign_in_attempts

SECOND_ACCOUNT = "second account in one browser"
"""What the audit trail calls it; the subject is the account before, the actor the one after."""
ATTEMPTS = 8
ATTEMPT_WINDOW_SECONDS = 300.0
_NOBODY_HASH: list[str] = []


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody of the demo one may become with one click."""

    name: str
    display_name: str
    role: Role


def sign_in(ws: Workspace, name: str, password: str, address: str, before: int = 0) -> str:
    """Return a session token for the right password.

    Args:
        ws: The workspace.
        name: Of the account, in any case.
        password: As typed.
        address: Where it was typed; too many wrong ones from there are refused for a while.
        before: Who signed in last in this browser, 0 where nobody is known; another person is
            noted in the audit trail.

    Raises:
        NotSignedIn: Name or password is wrong, the account is disabled, or there were too many tries.
    """
    name = name.strip().lower()
    _slow_down(ws, name, address)
    with ws.store.read() as connection:
        row = connection.execute(
            select(people.c.id, person_revisions.c.password_hash, person_revisions.c.active)
            .join(person_revisions, person_revisions.c.person_id == people.c.id)
            .where(people.c.name == name)
            .order_by(person_revisions.c.seq.desc())
            .limit(1)
        ).first()
    # An unknown name costs the same work as a known one, so time tells nothing.
    right = _matches(row.password_hash if row and row.password_hash else _nobody_hash(), password)
    if row is None or row.password_hash is None or not right or not row.active:
        _note_attempt(ws, name, address)
        raise NotSignedIn("Name or password is wrong, or the account is disabled.", "Try again.")
    return open_session(ws, row.id, before)


def sign_in_demo(ws: Workspace, name: str) -> str:
    """Return a session token for a simulated person of the demo.

    Raises:
        NotSignedIn: This is no demo, or the person is not simulated.
    """
    match = [p for p in demo_people(ws) if p.name == name]
    if not match:
        raise NotSignedIn("One-click sign-in is only for the demo's simulated people.", "Sign in.")
    with ws.store.read() as connection:
        person_id = connection.execute(
            select(people.c.id).where(people.c.name == name)
        ).scalar_one()
    return open_session(ws, person_id)


def demo_people(ws: Workspace) -> list[DemoPerson]:
    """Return the simulated people of the demo, one entry a person, most powerful role named."""
    if not ws.settings.demo:
        return []
    found = []
    with ws.store.read() as connection:
        ids = connection.execute(
            select(people.c.id).where(people.c.simulated, people.c.kind == "person")
        ).scalars()
        for person_id in ids.all():
            actor = load_actor(connection, person_id)
            roles = {r for r, _ in actor.roles}
            role = next((r for r in _BY_POWER if r in roles), None)
            if role is not None and actor.active:
                found.append(DemoPerson(actor.name, actor.display_name, role))
    order = [Role.EXPERT, Role.LEAD, Role.MANAGER, Role.ADMIN]
    return sorted(found, key=lambda p: (order.index(p.role), p.name))


_BY_POWER = (Role.ADMIN, Role.MANAGER, Role.LEAD, Role.EXPERT)


def open_session(ws: Workspace, person_id: int, before: int = 0) -> str:
    """Start a session and return its token; the record keeps only the token's hash.

    Where another person, `before`, signed in last in the same browser, the trail says so.
    """
    token = secrets.token_urlsafe(32)
    now = ws.clock()
    with ws.store.write() as connection:
        connection.execute(
            sessions.insert(),
            {
                "token_hash": _hash(token),
                "person_id": person_id,
                "at": now,
                "expires_at": now + ws.settings.session_hours * 3600,
                "revoked": False,
            },
        )
        actor = load_actor(connection, person_id)
        append_audit(connection, now, actor.name, "signed in", actor.name)
        other = _name_of(connection, before) if before != person_id else None
        if other is not None:
            pair = {"people": sorted([before, person_id])}
            append_audit(connection, now, actor.name, SECOND_ACCOUNT, other, doc=pair)
    return token


def _name_of(connection: Connection, person_id: int) -> str | None:
    if not 0 < person_id < 2**62:
        return None
    return connection.execute(select(people.c.name).where(people.c.id == person_id)).scalar()


def session_actor(ws: Workspace, token: str | None) -> Actor:
    """Return who holds the token, roles read afresh; nobody if it is unknown, old or revoked."""
    if not token:
        return ANONYMOUS
    with ws.store.read() as connection:
        row = connection.execute(
            select(sessions).where(sessions.c.token_hash == _hash(token))
        ).first()
        if row is None or row.revoked or row.expires_at <= ws.clock():
            return ANONYMOUS
        actor = load_actor(connection, row.person_id)
    return actor if actor.active else ANONYMOUS


def sign_out(ws: Workspace, token: str) -> None:
    """End a session, in every tab and on every machine that holds it."""
    with ws.store.ephemeral() as connection:
        connection.execute(
            update(sessions).where(sessions.c.token_hash == _hash(token)).values(revoked=True)
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _nobody_hash() -> str:
    if not _NOBODY_HASH:
        _NOBODY_HASH.append(hash_password(secrets.token_urlsafe()))
    return _NOBODY_HASH[0]


def _matches(hashed: str, password: str) -> bool:
    try:
        return hasher().verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def _slow_down(ws: Workspace, name: str, address: str) -> None:
    since = ws.clock() - ATTEMPT_WINDOW_SECONDS
    keys = [f"name:{name}", f"address:{address}"]
    with ws.store.read() as connection:
        most = connection.execute(
            select(func.count())
            .where(sign_in_attempts.c.who.in_(keys), sign_in_attempts.c.at > since)
            .group_by(sign_in_attempts.c.who)
            .order_by(func.count().desc())
            .limit(1)
        ).scalar()
    if (most or 0) >= ATTEMPTS:
        raise NotSignedIn(
            f"Too many wrong tries in the last {ATTEMPT_WINDOW_SECONDS / 60:.0f} minutes.",
            "Wait a few minutes, then try again.",
        )


def _note_attempt(ws: Workspace, name: str, address: str) -> None:
    now = ws.clock()
    with ws.store.ephemeral() as connection:
        connection.execute(
            sign_in_attempts.insert(),
            [{"who": f"name:{name}", "at": now}, {"who": f"address:{address}", "at": now}],
        )
        connection.execute(
            delete(sign_in_attempts).where(sign_in_attempts.c.at < now - ATTEMPT_WINDOW_SECONDS)
        )
