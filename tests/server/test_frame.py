"""Assets, health, widths and the listening socket."""

from __future__ import annotations

import socket
import sys

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from core.server.frame import TellBase
from core.server.images import width_step
from core.server.lifespan import TURN_S, set_nodelay, take_short_turns
from core.web import deck_path, safe_next
from tests.server.conftest import Enter, client_of


def test_the_decks_modules_come_by_a_versioned_address(client: TestClient) -> None:
    """A module is served as JavaScript and may be kept for a year; an old version's may not."""
    reply = client.get(deck_path("net.js"))
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "immutable" in reply.headers["cache-control"]
    assert client.get("/files/deck/000000000000/net.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["../canvas.py", "..%2f..%2fshell.py", "%2e%2e/shell.py", "/etc/passwd", "nope.js", ".", ""],
)
def test_nothing_outside_the_decks_folder_is_served(client: TestClient, name: str) -> None:
    """A name that leaves the folder, or is not a module, is not there."""
    reply = client.get(f"/files/deck/000000000000/{name}")
    assert reply.status_code == 404 or reply.text == "page"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("400", 400), ("401", 800), ("1", 200), ("99999", 1600), ("", None), ("-5", None), ("٤٠٠", None), ("1e3", None), ("9" * 50, None)],
)  # fmt: skip
def test_only_a_few_widths_exist(asked: str, given: int | None) -> None:
    """Whatever is asked for, few renditions of a picture are ever made."""
    from urllib.parse import urlencode

    scope = {"type": "http", "query_string": urlencode({"w": asked}).encode(), "headers": []}
    assert width_step(Request(scope)) == given


def test_the_start_page_has_a_name_too(enter: Enter) -> None:
    """``/home`` leads to the start with its query; a stranger goes by the sign-in page."""
    reply = enter("ada").get("/home?project=leaves")
    assert (reply.status_code, reply.headers["location"]) == (307, "/?project=leaves")
    with client_of("/lab") as stranger:
        page = {"Accept": "text/html"}
        assert stranger.get("/lab/home").headers["location"] == "/lab/"
        assert "next=%2Flab%2Fhome" in stranger.get("/lab/home", headers=page).headers["location"]


def test_health_says_no_more_than_needed(client: TestClient) -> None:
    """The probe answers without a session and gives nothing away."""
    assert client.get("/healthz").json() == {"ok": True}


def test_the_delay_is_switched_off_on_listening_sockets() -> None:
    """A socket bound as Streamlit binds its own answers small requests at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert set_nodelay() >= 1
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("target", ["http://[", "//[", "/\\evil", "javascript:x"])
def test_a_malformed_next_leads_home(target: str) -> None:
    """What is no address, or not ours, is answered with the app's own first page."""
    assert safe_next(target, "") == "/"


@pytest.mark.parametrize("base", ["", "/lab"])
def test_a_page_is_told_where_its_server_is(base: str) -> None:
    """Its head says so, whole and with its true length; nothing but pages is written into."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"])
        if b"accept-encoding" in asked and scope["path"] == f"{base}/quality":
            raise AssertionError("a packed page cannot be written into")
        kind = b"text/html" if scope["path"].endswith("quality") else b"text/javascript"
        body = b"<html><head><title>t</title></head></html>"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    client = TestClient(TellBase(page, base))
    reply = client.get(f"{base}/quality", headers={"Accept": "text/html"})
    script = f'<script>window.__streamlit={{BACKEND_BASE_URL:location.origin+"{base}"}}</script>'
    assert reply.text == f"<html><head>{script}<title>t</title></head></html>"
    assert reply.headers["content-length"] == str(len(reply.content))
    for other in ("/static/x.js", "/_stcore/health", "/files/quality"):
        assert (
            "__streamlit" not in client.get(f"{base}{other}", headers={"Accept": "text/html"}).text
        )


def test_whoever_waits_for_the_interpreter_has_it_soon() -> None:
    """The server's threads take turns ten times as short as Python's own."""
    before = sys.getswitchinterval()
    try:
        take_short_turns()
        assert sys.getswitchinterval() == pytest.approx(TURN_S)
    finally:
        sys.setswitchinterval(before)
