"""Crops: the region with room around it, as guarded as the image it is cut from."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image
from sqlalchemy import select

from core.errors import InputError, NotFound, NotSignedIn
from core.services.accounts.people import operator
from core.services.pictures.crops import crop_path, item_crop, with_margin
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from core.store.tables import items
from tests.record import World, make_world


@pytest.fixture
def pictured(sqlite_ws: Workspace) -> World:
    """Give a project with one real picture: left half red, right half blue."""
    world = make_world(sqlite_ws, n_items=0)
    folder = sqlite_ws.root / "incoming" / "one"
    folder.mkdir()
    picture = Image.new("RGB", (600, 300), "red")
    picture.paste("blue", (300, 0, 600, 300))
    picture.save(folder / "a.png")
    import_data(sqlite_ws, operator(sqlite_ws), world.slug, folder, ImportOptions())
    return world


def the_item(world: World) -> tuple[int, str]:
    with world.ws.store.read() as connection:
        row = connection.execute(select(items.c.id, items.c.content_hash)).one()
    return row.id, row.content_hash


def test_a_crop_is_the_region_with_room_around_it(pictured: World):
    """The blue half, cut with its margin; a sealed address is kept on disk, another is not."""
    item, digest = the_item(pictured)
    ws, who = pictured.ws, pictured.cast.experts[0]
    kept = ws.cache / "crops"
    unsealed = item_crop(ws, who, item, "400,100,500,200", 200)
    assert not kept.exists()
    seal = crop_path(ws, item, digest, (400, 100, 500, 200)).rpartition("&s=")[2]
    found = item_crop(ws, who, item, "400,100,500,200", 200, seal)
    assert (found.body, found.etag) == (unsealed.body, unsealed.etag)
    assert len(list(kept.rglob("*.jpg"))) == 1
    with Image.open(io.BytesIO(found.body)) as crop:
        assert crop.size == (130, 130)
        red, _, blue = crop.convert("RGB").getpixel((65, 65))
    assert (red < 60, blue > 200) == (True, True)


def test_margins_stop_at_the_edges():
    """A box in the corner gets no room outside the image."""
    assert with_margin((0, 0, 100, 50), 110, 300) == (0, 0, 110, 65)


@pytest.mark.parametrize("box", ["", "1,2,3", "a,b,c,d", "5,5,5,9", "-1,0,9,9", "700,0,800,9", "1e3,0,2,2"])  # fmt: skip
def test_a_bad_box_is_a_sentence(pictured: World, box: str):
    """Anything but four whole pixels inside the image is refused."""
    item, _ = the_item(pictured)
    with pytest.raises(InputError):
        item_crop(pictured.ws, pictured.cast.experts[0], item, box)


def test_crops_are_as_guarded_as_images(pictured: World):
    """Nobody and strangers get what they get of the whole picture."""
    item, _ = the_item(pictured)
    stranger = replace(pictured.cast.experts[0], roles=frozenset())
    with pytest.raises(NotFound):
        item_crop(pictured.ws, stranger, item, "0,0,9,9")
    with pytest.raises(NotSignedIn):
        item_crop(pictured.ws, replace(stranger, person_id=0), item, "0,0,9,9")
