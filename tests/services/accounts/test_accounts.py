"""Accounts and sessions: signing in, roles that change at once, and the last admin."""

from __future__ import annotations

import stat

import pytest
from sqlalchemy import select

from core.access import ANONYMOUS, Role
from core.clock import FakeClock
from core.errors import ConflictError, InputError, NotFound, NotSignedIn
from core.services.accounts.changing import add_person, set_active, set_language, set_password
from core.services.accounts.grants import grant, revoke
from core.services.accounts.people import has_people, list_people, operator
from core.services.accounts.sessions import (
    ATTEMPT_WINDOW_SECONDS,
    ATTEMPTS,
    demo_people,
    session_actor,
    sign_in,
    sign_in_demo,
    sign_out,
)
from core.services.workspace import Workspace
from core.store.audit import verify_audit
from core.store.tables import audit, person_revisions, sessions
from tests.record import make_project

PASSWORD = "correct horse"


@pytest.fixture
def ann(sqlite_ws: Workspace) -> int:
    """Give the id of an admin who can sign in."""
    return add_person(
        sqlite_ws, operator(sqlite_ws), "ann", password=PASSWORD, roles=[(Role.ADMIN, None)]
    )


def test_the_right_password_opens_a_session(ws: Workspace):
    """The token leads to the person; the record holds neither token nor password."""
    made = add_person(ws, operator(ws), "ann", password=PASSWORD)
    assert has_people(ws)
    token = sign_in(ws, " ANN ", PASSWORD, "here")
    assert session_actor(ws, token).person_id == made
    with ws.store.read() as connection:
        assert token not in str(connection.execute(select(sessions)).all())
        assert PASSWORD not in str(connection.execute(select(person_revisions)).all())
        verify_audit(connection)


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_a_wrong_name_and_a_wrong_password_sound_alike(sqlite_ws: Workspace, ann: int, name: str):
    """The sentence does not tell which of the two was wrong."""
    with pytest.raises(NotSignedIn, match="Name or password is wrong"):
        sign_in(sqlite_ws, name, "wrong password", "here")


@pytest.mark.parametrize("vary", ["name", "address"])
def test_guessing_is_slowed_down(sqlite_ws: Workspace, ann: int, clock: FakeClock, vary: str):
    """After so many wrong tries even the right password waits, then it is welcome (A16)."""
    for n in range(ATTEMPTS):
        name, address = ("ann", f"a{n}") if vary == "address" else (f"p{n}", "here")
        with pytest.raises(NotSignedIn, match="wrong"):
            sign_in(sqlite_ws, name, "wrong password", address)
    with pytest.raises(NotSignedIn, match="Too many wrong tries"):
        sign_in(sqlite_ws, "ann", PASSWORD, "here")
    clock.advance(ATTEMPT_WINDOW_SECONDS + 1)
    assert sign_in(sqlite_ws, "ann", PASSWORD, "here")


def test_a_session_ends_by_time_by_signing_out_and_with_the_account(
    sqlite_ws: Workspace, ann: int, clock: FakeClock
):
    """Each end is at once and everywhere; enabling the account again revives no old session."""
    boss = operator(sqlite_ws)
    add_person(sqlite_ws, boss, "other", password=PASSWORD, roles=[(Role.ADMIN, None)])
    first = sign_in(sqlite_ws, "ann", PASSWORD, "here")
    second = sign_in(sqlite_ws, "ann", PASSWORD, "here")
    sign_out(sqlite_ws, first)
    assert session_actor(sqlite_ws, first) == ANONYMOUS
    assert session_actor(sqlite_ws, second).person_id == ann
    set_active(sqlite_ws, boss, ann, False)
    assert session_actor(sqlite_ws, second) == ANONYMOUS
    with pytest.raises(NotSignedIn):
        sign_in(sqlite_ws, "ann", PASSWORD, "here")
    set_active(sqlite_ws, boss, ann, True)
    assert session_actor(sqlite_ws, second) == ANONYMOUS
    third = sign_in(sqlite_ws, "ann", PASSWORD, "here")
    clock.advance(sqlite_ws.settings.session_hours * 3600)
    assert session_actor(sqlite_ws, third) == ANONYMOUS
    assert session_actor(sqlite_ws, None) == session_actor(sqlite_ws, "made up") == ANONYMOUS


def test_a_password_set_by_an_admin_ends_sessions_ones_own_does_not(sqlite_ws: Workspace, ann: int):
    """A reset locks out whoever holds an old session; changing one's own keeps this one."""
    token = sign_in(sqlite_ws, "ann", PASSWORD, "here")
    me = session_actor(sqlite_ws, token)
    set_password(sqlite_ws, me, ann, "another long one")
    assert session_actor(sqlite_ws, token).person_id == ann
    set_password(sqlite_ws, operator(sqlite_ws), ann, "a third long one")
    assert session_actor(sqlite_ws, token) == ANONYMOUS
    assert sign_in(sqlite_ws, "ann", "a third long one", "here")
    with pytest.raises(InputError, match="5 characters"):
        set_password(sqlite_ws, operator(sqlite_ws), ann, "short")


def test_the_last_admin_stays(sqlite_ws: Workspace, ann: int):
    """Neither role nor account of the last admin can be taken; with a second one it can (A7)."""
    boss = operator(sqlite_ws)
    with pytest.raises(ConflictError, match="no admin who can sign in"):
        revoke(sqlite_ws, boss, ann, Role.ADMIN)
    with pytest.raises(ConflictError, match="no admin"):
        set_active(sqlite_ws, boss, ann, False)
    # Somebody without a password is no admin who can sign in.
    bob = add_person(sqlite_ws, boss, "bob", roles=[(Role.ADMIN, None)])
    with pytest.raises(ConflictError):
        revoke(sqlite_ws, boss, ann, Role.ADMIN)
    set_password(sqlite_ws, boss, bob, PASSWORD)
    revoke(sqlite_ws, boss, ann, Role.ADMIN)
    assert (Role.ADMIN, None) not in session_actor(
        sqlite_ws, sign_in(sqlite_ws, "ann", PASSWORD, "x")
    ).roles


def test_without_an_admin_yet_other_changes_are_free(sqlite_ws: Workspace):
    """An admin who has no password yet must not keep others from choosing a language."""
    boss = operator(sqlite_ws)
    add_person(sqlite_ws, boss, "boss", roles=[(Role.ADMIN, None)])
    add_person(sqlite_ws, boss, "eve", password=PASSWORD)
    eve = session_actor(sqlite_ws, sign_in(sqlite_ws, "eve", PASSWORD, "x"))
    set_language(sqlite_ws, eve, "ko")
    assert session_actor(sqlite_ws, sign_in(sqlite_ws, "eve", PASSWORD, "x")).language == "ko"


def test_a_person_with_a_role_in_one_project_chooses_a_language(sqlite_ws: Workspace):
    """No role everywhere is needed; nobody and nonsense are refused."""
    project = make_project(sqlite_ws)
    add_person(
        sqlite_ws,
        operator(sqlite_ws),
        "eve",
        password=PASSWORD,
        roles=[(Role.EXPERT, project.slug)],
    )
    eve = session_actor(sqlite_ws, sign_in(sqlite_ws, "eve", PASSWORD, "x"))
    set_language(sqlite_ws, eve, "ko")
    with pytest.raises(InputError, match="no code of a language"):
        set_language(sqlite_ws, eve, "../../etc")
    with pytest.raises(NotSignedIn):
        set_language(sqlite_ws, ANONYMOUS, "en")


@pytest.mark.parametrize("name", ["", "Ann Smith", "../x", "-x", "x" * 65, "ann\n"])
def test_a_name_that_cannot_be_one_is_refused(sqlite_ws: Workspace, name: str):
    """Account names are short and plain."""
    with pytest.raises(InputError, match="cannot be an account name"):
        add_person(sqlite_ws, operator(sqlite_ws), name)


def test_a_name_is_taken_once_and_roles_go_where_they_are_given(ws: Workspace):
    """Adding, granting and revoking show in the list, each with its record in the trail."""
    boss, project = operator(ws), make_project(ws)
    made = add_person(ws, boss, "ann", "Ann", roles=[(Role.EXPERT, project.slug)])
    with pytest.raises(ConflictError, match="named 'ann' already"):
        add_person(ws, boss, "ann")
    grant(ws, boss, made, Role.LEAD)
    grant(ws, boss, made, Role.LEAD)
    revoke(ws, boss, made, Role.EXPERT, project.slug)
    shown = next(p for p in list_people(ws, boss) if p.name == "ann")
    assert (shown.display_name, shown.roles) == ("Ann", ((Role.LEAD, None),))
    with ws.store.read() as connection:
        said = connection.execute(
            select(audit.c.action).where(audit.c.subject == "ann").order_by(audit.c.seq)
        )
        assert list(said.scalars()) == ["person added", "role granted", "role revoked"]
    with pytest.raises(NotFound):
        grant(ws, boss, made, Role.LEAD, "nowhere")


def test_one_click_sign_in_is_the_demos_alone(sqlite_ws: Workspace):
    """Without the demo setting nobody is offered, simulated or not."""
    add_person(sqlite_ws, operator(sqlite_ws), "sim", roles=[(Role.EXPERT, None)], simulated=True)
    assert demo_people(sqlite_ws) == []
    with pytest.raises(NotSignedIn):
        sign_in_demo(sqlite_ws, "sim")


def test_the_secret_is_made_once_and_kept_private(sqlite_ws: Workspace):
    """The same bytes each time, in a file its owner alone reads."""
    assert sqlite_ws.secret() == sqlite_ws.secret()
    assert len(sqlite_ws.secret()) == 32
    assert stat.S_IMODE((sqlite_ws.root / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(sqlite_ws.root.stat().st_mode) == 0o700
