"""The routes over a furnished workspace, asked by a client on loopback."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from core.server import middleware, routes
from tests.pages.conftest import furnished, house
from tests.pages.house import PASSWORD, House

__all__ = ["furnished", "house"]

with warnings.catch_warnings():
    # Starlette prefers a successor of httpx; the client works with either.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
Enter = Callable[[str], TestClient]


def client_of(base: str = "", host: str = "127.0.0.1") -> TestClient:
    """Return a client of our routes with a stand-in for Streamlit behind them."""
    page = Route("/{rest:path}", lambda _: PlainTextResponse("page"))
    app = Starlette(routes=[*routes(base), page], middleware=middleware(base))
    return TestClient(app, base_url=f"http://{host}", client=(host, 5000), follow_redirects=False)


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    """Give a client nobody has signed in with."""
    with client_of() as found:
        yield found


@pytest.fixture
def enter(client: TestClient) -> Enter:
    """Give a function that signs a person in and returns the client."""

    def sign_in(name: str) -> TestClient:
        form = {"name": name, "password": PASSWORD}
        assert client.post("/account/login", data=form, headers=SAME_SITE).status_code == 303
        return client

    return sign_in
