"""Boxes onto upright pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.formats import Row, resolve_regions
from core.intake import open_upright, probe_image
from core.labels import Answer, Region
from tests.intake.pictures import STORED, encoded, with_orientation

UPRIGHT = (96, 64)
BOX = (8.0, 16.0, 40.0, 32.0)


def marked(orientation: int) -> bytes:
    """Return a file whose upright picture has a white box at BOX on black."""
    picture = Image.new("RGB", UPRIGHT)
    picture.paste((255, 255, 255), tuple(map(int, BOX)))
    return with_orientation(picture, orientation, "JPEG")


def stored_box(orientation: int) -> tuple[tuple[int, int], tuple[float, ...]]:
    """Return the stored grid's size and where the white box lies in it, by looking."""
    picture = Image.new("L", UPRIGHT)
    picture.paste(255, tuple(map(int, BOX)))
    turn = STORED[orientation]
    stored = picture if turn is None else picture.transpose(turn)
    return stored.size, tuple(map(float, stored.getbbox()))


def row(box, size, **more) -> Row:
    """Return a row with one box and a claimed size."""
    return Row("x.jpg", Answer({}, (Region("cat", *box),)), "a", 3, *(size or (None, None)), **more)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_drawn_upright_stay_where_they_are(orientation):
    """An annotation that claims the upright size, or none, is about the upright picture."""
    data = marked(orientation)
    info = probe_image(data)
    for size in (UPRIGHT, None):
        answer, refused = resolve_regions(row(BOX, size), info)
        assert not refused
        assert answer.regions[0].box == BOX
    x1, y1, x2, y2 = map(int, BOX)
    pixels = np.asarray(open_upright(data))
    assert pixels[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].mean() > 245
    assert pixels.mean() < 255 * 0.1


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_drawn_on_the_stored_grid_are_turned_with_it(orientation):
    """An annotation that claims the stored size was drawn by a tool that ignored EXIF."""
    size, box = stored_box(orientation)
    answer, refused = resolve_regions(row(box, size), probe_image(marked(orientation)))
    assert not refused
    assert answer.regions[0].box == BOX


@pytest.mark.parametrize("orientation", range(1, 9))
def test_shares_are_of_the_upright_picture(orientation):
    """YOLO boxes are scaled by the upright size in every orientation."""
    shares = (BOX[0] / 96, BOX[1] / 64, BOX[2] / 96, BOX[3] / 64)
    answer, refused = resolve_regions(
        row(shares, None, normalised=True), probe_image(marked(orientation))
    )
    assert not refused
    assert answer.regions[0].box == BOX


@pytest.mark.parametrize("size", [(64, 96), (192, 128), (96, 65)])
def test_a_size_that_is_neither_refuses_the_boxes(size):
    """Boxes of another version of the image are not scaled by guess (B45)."""
    answer, refused = resolve_regions(row(BOX, size), probe_image(marked(1)))
    assert answer is None
    (refusal,) = refused
    assert (refusal.file, refusal.line) == ("a", 3)
    assert f"{size[0]}×{size[1]}" in refusal.reason
    assert "96×64" in refusal.reason


def test_edges_just_outside_are_cut_and_boxes_further_out_refused():
    """Up to a pixel is rounding; beyond it the box alone is refused, by its own line (B43)."""
    info = probe_image(encoded(Image.new("RGB", UPRIGHT)))
    regions = (
        Region("near", -0.5, 0, 96.5, 64),
        Region("far", 0, 0, 98, 64),
        Region("nan", 0, 0, float("nan"), 64),
    )
    given = Row("x.jpg", Answer({"q": "a"}, regions), "a", 0, lines=(4, 5, 6))
    answer, refused = resolve_regions(given, info)
    assert [r.box for r in answer.regions] == [(0, 0, 96, 64)]
    assert answer.choices == {"q": "a"}
    assert [r.line for r in refused] == [5, 6]


def test_answers_without_boxes_pass_through():
    """A label, "nothing here" and no answer stay what they are."""
    info = probe_image(encoded(Image.new("RGB", UPRIGHT)))
    for answer in (Answer({"label": "cat"}), Answer(), None):
        assert resolve_regions(Row("x", answer, "a", 1, 5, 5), info) == (answer, [])
