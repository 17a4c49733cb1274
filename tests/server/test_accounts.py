"""Signing in and out."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core.services.accounts.sessions import ATTEMPTS, SECOND_ACCOUNT
from core.store.tables import audit
from core.web import BROWSER_COOKIE, COOKIE, read_token, safe_next, sign_token
from tests.pages.house import PASSWORD, House
from tests.server.conftest import SAME_SITE, Enter, client_of

LOGIN = "/account/login"
FORM = {"name": "ada", "password": PASSWORD}


def test_the_page_has_labels_focus_and_no_script(client: TestClient) -> None:
    """The sign-in page works by keyboard and screen reader, and its policy allows no script."""
    page = client.get(LOGIN)
    assert page.status_code == 200
    assert '<label for="name">' in page.text
    assert '<label for="password">' in page.text
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_right_password_sets_a_strict_cookie_and_goes_on(client: TestClient) -> None:
    """Signing in ends in a navigation to where one wanted to go, with an HttpOnly Lax cookie."""
    reply = client.post(LOGIN, data={**FORM, "next": "/review?project=leaves"}, headers=SAME_SITE)
    assert (reply.status_code, reply.headers["location"]) == (303, "/review?project=leaves")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=43200" in cookie


def test_a_wrong_password_is_said_aloud_and_keeps_the_name(client: TestClient) -> None:
    """The page comes back with 401, an alert, the name as typed and the cursor in the password."""
    form = {"name": '"><b>ada', "password": "wrong password"}
    reply = client.post(LOGIN, data=form, headers=SAME_SITE)
    assert reply.status_code == 401
    assert 'role="alert"' in reply.text
    assert 'value="&quot;&gt;&lt;b&gt;ada"' in reply.text
    assert "set-cookie" not in reply.headers


def test_guessing_is_slowed_down(client: TestClient) -> None:
    """After too many wrong tries even the right password waits."""
    for _ in range(ATTEMPTS):
        client.post(LOGIN, data={**FORM, "password": "wrong password"}, headers=SAME_SITE)
    reply = client.post(LOGIN, data=FORM, headers=SAME_SITE)
    assert reply.status_code == 401
    assert "Too many wrong tries" in reply.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_forms_are_taken_only_from_our_own_pages(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    """Another site, or a request that does not say where it comes from, is refused."""
    assert client.post(LOGIN, data=FORM, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("target", "base", "expected"),
    [
        ("/review?item=5", "", "/review?item=5"),
        ("//evil.example", "", "/"),
        ("https://evil.example", "", "/"),
        ("/\\evil.example", "", "/"),
        ("/re\nview", "", "/"),
        ("", "", "/"),
        ("/account/logout", "", "/"),
        ("/lab/review", "/lab", "/lab/review"),
        ("/review", "/lab", "/lab/"),
        ("/laboratory", "/lab", "/lab/"),
    ],
)
def test_one_lands_only_inside_the_app(target: str, base: str, expected: str) -> None:
    """A target outside our base path falls back to home."""
    assert safe_next(target, base) == expected


def test_signing_in_again_ends_the_session_before(enter: Enter) -> None:
    """The session id changes at every sign-in and the old one no longer counts."""
    client = enter("ada")
    old = client.cookies[COOKIE]
    enter("leo")
    assert client.cookies[COOKIE] != old
    client.cookies.clear()
    assert (
        client.get("/files/queue/leaves", headers={"Cookie": f"{COOKIE}={old}"}).status_code == 401
    )


def test_a_second_account_in_one_browser_is_noted_though_one_signed_out_between(
    enter: Enter, house: House
) -> None:
    """The trail names both; the same account again, and a cookie somebody made up, note nothing (A4)."""
    browser = enter("ada")
    for name in ("ada", "leo"):
        browser.post("/account/logout", headers=SAME_SITE)
        browser.post(LOGIN, data={**FORM, "name": name}, headers=SAME_SITE)
    with client_of() as forger:
        forger.cookies.set(BROWSER_COOKIE, "1.forged")
        forger.post(LOGIN, data={**FORM, "name": "mia"}, headers=SAME_SITE)
    with house.ws.store.read() as connection:
        found = connection.execute(
            select(audit.c.actor, audit.c.subject).where(audit.c.action == SECOND_ACCOUNT)
        ).all()
    assert [tuple(r) for r in found] == [("leo", "ada")]


def test_signing_out_ends_the_session_for_every_tab(enter: Enter) -> None:
    """After signing out the same cookie value is worthless."""
    client = enter("ada")
    kept = client.cookies[COOKIE]
    assert client.get("/account/logout").status_code != 303
    assert client.post("/account/logout", headers=SAME_SITE).headers["location"] == LOGIN
    client.cookies.clear()
    assert (
        client.get("/files/queue/leaves", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == 401
    )


def test_a_cookie_we_did_not_sign_is_nobody(house: House) -> None:
    """A forged or altered cookie value is not even looked up."""
    secret = house.ws.secret()
    good = sign_token(secret, "token")
    assert read_token(secret, good) == "token"
    assert read_token(secret, "x" + good) is None
    assert read_token(b"another secret", good) is None
    assert read_token(secret, None) is None


def test_the_demo_signs_in_with_one_click_a_role(client: TestClient) -> None:
    """In a demo on this machine there is one button a role and each works without a password."""
    page = client.get(LOGIN).text
    assert all(f'value="{name}"' in page for name in ("ada", "leo", "mia", "kim"))
    assert 'value="eve"' not in page  # a real person is never one click away
    reply = client.post("/account/demo", data={"name": "leo"}, headers=SAME_SITE)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    refused = client.post("/account/demo", data={"name": "eve"}, headers=SAME_SITE)
    assert refused.status_code == 401


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "203.0.113.9"}, {"Host": "labels.example"}]
)
def test_one_click_is_only_for_this_machine(client: TestClient, headers: dict[str, str]) -> None:
    """Behind a proxy, or under another name, the demo's buttons are gone and their route refuses."""
    assert 'value="leo"' not in client.get(LOGIN, headers=headers).text
    reply = client.post("/account/demo", data={"name": "leo"}, headers={**SAME_SITE, **headers})
    assert reply.status_code == 401


def test_one_click_is_not_for_other_machines(house: House) -> None:
    """A client at another address gets the password form alone."""
    with client_of(host="192.0.2.7") as far:
        assert 'value="leo"' not in far.get(LOGIN).text


def test_a_page_without_a_session_leads_to_sign_in_and_back(client: TestClient) -> None:
    """A browser that opens a deep link comes back to it after signing in."""
    html = {"Accept": "text/html,*/*"}
    reply = client.get("/review?project=leaves", headers=html)
    assert reply.status_code == 303
    assert reply.headers["location"] == "/account/login?next=%2Freview%3Fproject%3Dleaves"
    assert client.get("/_stcore/health", headers=html).text == "page"
    assert client.get("/static/x.js", headers=html).text == "page"


def test_a_page_with_a_session_is_let_through(enter: Enter) -> None:
    """Signed in, a page is served, with strict headers on it."""
    reply = enter("ada").get("/review", headers={"Accept": "text/html"})
    assert (reply.status_code, reply.text) == (200, "page")
    assert reply.headers["x-frame-options"] == "SAMEORIGIN"


def test_everything_moves_below_the_base_path(house: House) -> None:
    """Under a base path the routes, the redirect and the cookie's path follow it."""
    with client_of("/lab") as client:
        assert client.get("/lab/healthz").json() == {"ok": True}
        away = client.get("/lab/review", headers={"Accept": "text/html"})
        assert away.headers["location"].startswith("/lab/account/login")
        reply = client.post("/lab/account/login", data=FORM, headers=SAME_SITE)
        assert "path=/lab;" in reply.headers["set-cookie"].lower() + ";"
