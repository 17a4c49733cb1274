"""Tiles of large images and channels of deep ones: made once, kept, for those who may see them."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import select

from core.access import ANONYMOUS, Actor
from core.errors import BadImage, NotFound, NotSignedIn
from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.models.job_inputs import image_refs
from core.services.pictures import tiles
from core.services.pictures.images import composite_path, item_image
from core.services.pictures.tiles import item_tile
from core.services.projects.project import NewProject, create_project, load_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from core.store.tables import items

WIDTH, HEIGHT = 2300, 1100
STACK = np.random.default_rng(2).integers(0, 900, (6, 40, 50), dtype=np.uint16)


@pytest.fixture
def place(sqlite_ws: Workspace, tmp_path) -> tuple[Workspace, Actor, dict[str, int]]:
    """Give a project with one wide photo, one stack of channels, and one small picture."""
    source = tmp_path / "incoming"
    source.mkdir()
    ramp = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    ramp[..., 0] = np.arange(WIDTH) // 10
    ramp[..., 1] = (np.arange(HEIGHT) // 5)[:, None]
    # Stored lying on its side: tiles are of the upright picture.
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(ramp).transpose(Image.Transpose.ROTATE_90)
    stored.save(source / "wide.png", exif=exif)
    tifffile.imwrite(source / "deep.tif", STACK, photometric="minisblack")
    Image.new("RGB", (30, 20), "red").save(source / "small.png")
    actor = operator(sqlite_ws)
    create_project(sqlite_ws, actor, NewProject("deep", Task.CLASSIFICATION, ["a", "b"]))
    import_data(sqlite_ws, actor, "deep", source, ImportOptions(what="items"))
    with sqlite_ws.store.read() as connection:
        rows = connection.execute(select(items)).all()
    ids = {{WIDTH: "wide", 50: "deep", 30: "small"}[r.width]: r.id for r in rows}
    return sqlite_ws, actor, ids


def pixels(body: bytes) -> np.ndarray:
    """Return a JPEG's pixels as whole numbers with a sign."""
    return np.asarray(Image.open(io.BytesIO(body))).astype(int)


def test_tiles_show_each_its_part_at_each_level(place) -> None:
    """A tile's corner is 512 × 2^level pixels from its neighbour's; edge tiles are smaller."""
    ws, actor, ids = place
    for level in range(4):
        across, down = -(-WIDTH // (512 << level)), -(-HEIGHT // (512 << level))
        for x in range(across):
            for y in range(down):
                shown = pixels(item_tile(ws, actor, ids["wide"], level, x, y).body)
                left, top = x * (512 << level), y * (512 << level)
                assert abs(shown[0, 0, 0] - left // 10) <= 4
                assert abs(shown[0, 0, 1] - top // 5) <= 4
                step = 1 << level
                assert shown.shape[1] == min(512, -(-(WIDTH - left) // step))
                assert shown.shape[0] == min(512, -(-(HEIGHT - top) // step))


@pytest.mark.parametrize(
    ("level", "x", "y"), [(0, 5, 0), (0, 0, 3), (3, 1, 0), (4, 0, 0), (10**9, 0, 0)]
)
def test_a_tile_that_is_none_is_not_found(place, level: int, x: int, y: int) -> None:
    """The sentence says what there is."""
    ws, actor, ids = place
    with pytest.raises(
        NotFound, match=rf"has no tile {x}_{y} on level {level}: (level|its levels)"
    ):
        item_tile(ws, actor, ids["wide"], level, x, y)


def test_twenty_requests_decode_the_image_once(place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while tiles are made waits for them; later ones find them kept."""
    ws, actor, ids = place
    decoded = []
    real = tiles.open_upright
    monkeypatch.setattr(tiles, "open_upright", lambda *a: decoded.append(1) or real(*a))
    with ThreadPoolExecutor(20) as pool:
        bodies = list(
            pool.map(lambda n: item_tile(ws, actor, ids["wide"], 0, n % 5, 0).body, range(20))
        )
    assert len(decoded) == 1
    assert len(set(bodies)) == 5
    assert not list((ws.cache / "tiles").rglob("*.part"))


def test_a_full_disk_costs_speed_and_nothing_else(place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tile comes, and no half made folder is left behind."""
    ws, actor, ids = place

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tiles, "_write_all", full)
    assert pixels(item_tile(ws, actor, ids["wide"], 1, 1, 0).body).shape == (512, 512, 3)
    assert not list((ws.cache / "tiles").rglob("*.jpg"))


def test_tiles_are_for_those_who_may_see_the_image(place) -> None:
    """A stranger learns nothing, not even what is in the cache already."""
    ws, actor, ids = place
    item_tile(ws, actor, ids["wide"], 0, 0, 0)
    with pytest.raises(NotSignedIn):
        item_tile(ws, ANONYMOUS, ids["wide"], 0, 0, 0)
    with pytest.raises(NotFound, match="for you"):
        item_tile(ws, actor, 2**80, 0, 0, 0)


def test_a_replaced_file_gives_no_tiles(place, tmp_path) -> None:
    """Tiles of another image than the one that was labelled would be worse than none."""
    ws, actor, ids = place
    with ws.store.read() as connection:
        row = connection.execute(select(items).where(items.c.id == ids["wide"])).one()
    (ws.root / row.location).write_bytes((tmp_path / "incoming" / "small.png").read_bytes())
    with pytest.raises(BadImage, match="replaced"):
        item_tile(ws, actor, ids["wide"], 0, 0, 0)


def test_each_channel_is_a_picture_of_its_own(place) -> None:
    """By its name, in its own range, as a picture and as tiles; the record knows the names."""
    ws, actor, ids = place
    with ws.store.read() as connection:
        kept = dict(connection.execute(select(items.c.id, items.c.channels)).tuples().all())
    assert json.loads(kept[ids["deep"]]) == ["1", "2", "3", "4", "5", "6"]
    assert kept[ids["wide"]] == kept[ids["small"]] == "[]"
    for number in (1, 6):
        values = STACK[number - 1].astype(float)
        grey = (values - values.min()) * 255 / (values.max() - values.min())
        for found in (
            item_image(ws, actor, ids["deep"], channel=str(number)),
            item_tile(ws, actor, ids["deep"], 0, 0, 0, str(number)),
        ):
            assert np.abs(pixels(found.body)[..., 0] - grey).mean() < 12
    pictures = {item_image(ws, actor, ids["deep"], channel=c).etag for c in ("", "1", "2")}
    assert len(pictures) == 3


@pytest.mark.parametrize(("item", "channel"), [("deep", "7"), ("wide", "1"), ("deep", "x" * 500)])
def test_a_channel_that_is_none_is_not_found(place, item: str, channel: str) -> None:
    """The sentence says which channels the item has."""
    ws, actor, ids = place
    for ask in (
        lambda: item_image(ws, actor, ids[item], channel=channel),
        lambda: item_tile(ws, actor, ids[item], 0, 0, 0, channel),
    ):
        with pytest.raises(NotFound, match=r"has no channel .* it has"):
            ask()


def test_models_see_of_channels_what_people_see(place) -> None:
    """A network reads three colours: it gets the composite, others get the file itself."""
    ws, _actor, ids = place
    with ws.store.read() as connection:
        project = load_project(connection, "deep")
    refs = image_refs(ws, project)
    shown = Image.open(refs[ids["deep"]].path)
    assert (shown.mode, shown.size) == ("RGB", (50, 40))
    assert refs[ids["wide"]].path.suffix == ".png"
    with ws.store.read() as connection:
        row = connection.execute(select(items).where(items.c.id == ids["deep"])).one()
    refs[ids["deep"]].path.unlink()
    (ws.root / row.location).write_bytes(b"II*\0 broken")
    assert composite_path(ws, row) is None
