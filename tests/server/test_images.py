"""Pictures, tiles and channels over HTTP: who gets them, how they may be kept, what is not there."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import Enter

TILE = "/files/tile/1/0/0_0?v=abc"


@pytest.mark.parametrize("path", ["/files/item/1?w=400", TILE])
def test_a_picture_may_be_kept_by_its_reader_alone(enter: Enter, path: str) -> None:
    """Private, for a year, asked again by its tag; gone with the session."""
    client = enter("ada")
    reply = client.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
    assert reply.headers["cache-control"].startswith("private")
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["vary"] == "Cookie"
    again = client.get(path, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    client.cookies.clear()
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/files/tile/1/0/2_0", "no tile 2_0 on level 0: level 0 has 2 by 1"),
        ("/files/tile/1/9/0_0", "no tile 0_0 on level 9: its levels are 0 to 1"),
        ("/files/tile/1/0/99999999999999999999_0", "has no tile"),
        ("/files/tile/999/0/0_0", "no item 999 for you"),
        ("/files/tile/99999999999999999999999/0/0_0", "for you"),
        ("/files/item/99999999999999999999999", "for you"),
        ("/files/tile/1/0/0_0?channel=DAPI", "no channel 'DAPI'"),
        ("/files/item/1?channel=%00%F0%9F%92%A9", "no channel"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(enter: Enter, path: str, said: str) -> None:
    """404 with what there is, never a traceback."""
    reply = enter("ada").get(path)
    assert reply.status_code == 404
    assert said in reply.json()["error"]["message"]


def test_tiles_of_another_project_are_not_there(enter: Enter) -> None:
    """The same answer as for an item that does not exist."""
    assert enter("eve").get(TILE).status_code == 404


def test_a_stranger_gets_no_tile(client: TestClient) -> None:
    """Nobody is signed in: 401, before anything is decoded."""
    assert client.get(TILE).status_code == 401
