"""The canvas adapter: exact to half a pixel, and unmoved by whatever a browser sends."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.labels import LabelSchema, Region
from core.labels.schema import Task, make_question
from core.services.review.submission import MAX_REGIONS
from core.ui.canvas import (
    STROKE_PX,
    Display,
    draw_boxes,
    fit,
    from_drawing,
    from_rows,
    to_drawing,
)

SCHEMA = LabelSchema(Task.BOXES, (make_question("label", "Label", ["cell", "white cell"]),))
DISPLAY = Display(640, 480, 800, 600)


def an_object(**changes: Any) -> dict[str, Any]:
    """Return a sound box as the canvas sends it, with changes."""
    return {
        "type": "LabeledRect", "label": "cell", "left": 100, "top": 50, "width": 200, "height": 100,
        "scaleX": 1, "scaleY": 1, "angle": 0, "originX": "left", "originY": "top", **changes,
    }  # fmt: skip


def read(*objects: object) -> tuple[Region, ...]:
    """Return the boxes of a drawing with these objects."""
    return from_drawing({"objects": list(objects)}, SCHEMA, DISPLAY).regions


@st.composite
def boxes_on_screens(draw: st.DrawFn) -> tuple[Region, Display]:
    """Draw an image, a room to show it in, and a box that is large enough to be seen."""
    width, height = draw(st.integers(8, 12_000)), draw(st.integers(8, 12_000))
    display = fit(width, height, draw(st.floats(64, 4000)), draw(st.floats(64, 4000)))
    across, down = display.scale
    # At least three strokes on the screen, else it is a dot.
    least = 3 * STROKE_PX / min(across, down)
    x1 = draw(st.floats(0, max(0, width - least)))
    y1 = draw(st.floats(0, max(0, height - least)))
    x2 = draw(st.floats(min(width, x1 + least), width))
    y2 = draw(st.floats(min(height, y1 + least), height))
    return Region("cell", x1, y1, max(x2, x1 + 1e-6), max(y2, y1 + 1e-6)), display


@given(boxes_on_screens())
def test_there_and_back_is_exact_within_half_a_pixel(case: tuple[Region, Display]) -> None:
    """At any display size, also through the canvas' own rounding to four digits and JSON."""
    region, display = case
    drawing = json.loads(json.dumps(to_drawing([region], SCHEMA, display)))
    for sent in drawing["objects"]:
        for name in ("left", "top", "width", "height"):
            sent[name] = round(sent[name], 4)
    found = from_drawing(drawing, SCHEMA, display).regions
    if not found:  # smaller than a stroke on the screen in both directions
        across, down = display.scale
        assert (region.x2 - region.x1) * across <= STROKE_PX + 1e-3
        assert (region.y2 - region.y1) * down <= STROKE_PX + 1e-3
        return
    assert max(abs(a - b) for a, b in zip(found[0].box, region.box, strict=True)) < 0.5


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.floats(1, 5000), st.floats(1, 5000))
def test_an_image_is_shown_whole_and_undistorted(w: int, h: int, rw: float, rh: float) -> None:
    """It fits the room, keeps its shape to a pixel, and never vanishes."""
    display = fit(w, h, rw, rh)
    assert 1 <= display.width <= max(64, rw) + 1
    assert 1 <= display.height <= max(64, rh) + 1
    if min(display.width, display.height) > 20:
        across, down = display.scale
        assert math.isclose(across, down, rel_tol=0.06)


def test_resized_and_mirrored_boxes_are_read_by_what_is_seen() -> None:
    """The canvas keeps width and height and changes the scale, also to negative."""
    (plain,) = read(an_object(scaleX=0.5, scaleY=2))
    assert plain.box == (80, 40, 160, 200)
    (mirrored,) = read(an_object(left=300, scaleX=-1))
    assert mirrored.box == (80, 40, 240, 120)
    (centred,) = read(an_object(originX="center", originY="center", left=200, top=100))
    assert centred.box == (80, 40, 240, 120)


def test_labels_lose_the_line_break_of_the_canvas() -> None:
    """Enter in its text field adds one."""
    (box,) = read(an_object(label=" white\n cell\n"))
    assert box.label == "white cell"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"left": math.nan}, "left is a number"),
        ({"width": math.inf}, "width is a number"),
        ({"top": None}, "top is a number"),
        ({"top": "12"}, "top is a number"),
        ({"height": True}, "height is a number"),
        ({"left": 1e308, "width": 1e308, "scaleX": 10}, "outside|area"),
        ({"left": -500}, "outside the image"),
        ({"left": 5000}, "outside the image"),
        ({"angle": 30}, "turned"),
        ({"skewX": 10}, "turned or skewed"),
        ({"type": "Polygon"}, "only boxes are taken"),
        ({"type": None}, "only boxes are taken"),
        ({"originX": "moon"}, "unknown originX"),
        ({"label": ""}, "has no class"),
        ({"label": "\n"}, "has no class"),
        ({"label": "<script>"}, "unknown class"),
        ({"label": None}, "unknown class"),
    ],
)
def test_what_cannot_be_a_box_is_said_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    """B106: which box, what is wrong, what to do; a good box beside it is not half taken."""
    with pytest.raises(InputError, match=says) as caught:
        read(an_object(), an_object(**changes))
    assert "2" in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(
    "drawing",
    [None, [], "objects", 7, {"objects": "no"}, {"objects": {"0": {}}}, {"objects": None}],
)
def test_a_forged_drawing_is_refused(drawing: object) -> None:
    """B107: what is no drawing at all is no empty drawing either."""
    with pytest.raises(InputError):
        from_drawing(drawing, SCHEMA, DISPLAY)


@pytest.mark.parametrize("sent", [None, 3, "box", [], {}])
def test_a_forged_object_is_refused(sent: object) -> None:
    """B107: neither is something that is no object a box."""
    with pytest.raises(InputError, match="only boxes are taken"):
        read(sent)


def test_ten_thousand_objects_are_refused_at_once() -> None:
    """B106: the number is said, and the bound."""
    with pytest.raises(InputError, match=f"10,000 objects; at most {MAX_REGIONS:,}"):
        read(*[an_object()] * 10_000)


def test_state_of_an_older_version_is_read_as_far_as_it_goes() -> None:
    """B108: objects without scale, angle or origin are upright boxes at their top left corner."""
    old = {k: an_object()[k] for k in ("type", "label", "left", "top", "width", "height")}
    (box,) = read(old)
    assert box.box == (80, 40, 240, 120)
    assert from_drawing({}, SCHEMA, DISPLAY).regions == ()


def test_a_click_is_no_box_and_an_edge_beyond_the_image_is_cut() -> None:
    """Both are told in a note; the other boxes stand."""
    reading = from_drawing(
        {
            "objects": [
                an_object(width=STROKE_PX, height=STROKE_PX),
                an_object(width=0),
                an_object(left=700, width=300),
            ]
        },
        SCHEMA,
        DISPLAY,
    )
    assert [r.box for r in reading.regions] == [(560, 40, 640, 120)]
    assert len(reading.notes) == 3


def test_a_table_stands_in_for_the_canvas() -> None:
    """Numbers give the same boxes; a half-filled row says so, an empty one is nothing."""
    row = {"label": "cell", "x1": 1, "y1": 2.5, "x2": 30, "y2": 40}
    empty = dict.fromkeys(row)
    assert from_rows([row, empty], SCHEMA, DISPLAY).regions == (Region("cell", 1, 2.5, 30, 40),)
    with pytest.raises(InputError, match="Row 1 is not complete"):
        from_rows([{**row, "y2": math.nan}], SCHEMA, DISPLAY)
    with pytest.raises(InputError, match="no area"):
        from_rows([{**row, "x2": 1}], SCHEMA, DISPLAY)


@pytest.mark.parametrize("image", ["/etc/passwd", "files/item/1", "../x.png", "data:image/png,x"])
def test_only_the_address_of_an_image_reaches_the_canvas(image: str) -> None:
    """It would open any other text as a local file."""
    with pytest.raises(InputError, match="full address"):
        draw_boxes("k", image, {}, DISPLAY, "cell", "#000000")


def test_a_canvas_that_fails_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be imported, the person is sent to the table instead."""
    monkeypatch.setitem(sys.modules, "streamlit_drawable_canvas", None)
    with pytest.raises(InputError, match="could not be shown") as caught:
        draw_boxes("k", "http://localhost/files/item/1", {}, DISPLAY, "cell", "#000000")
    assert "numbers" in caught.value.advice


def test_only_the_adapter_knows_the_canvas() -> None:
    """Everything else goes through it."""
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    users = [
        p.relative_to(root).as_posix()
        for folder in ("core", "pages")
        for p in (root / folder).rglob("*.py")
        if "import st_canvas" in p.read_text(encoding="utf-8")
        or "import streamlit_drawable_canvas" in p.read_text(encoding="utf-8")
    ]
    assert users == ["core/ui/canvas.py"]


@pytest.mark.parametrize("name", ["left", "top", "width", "height", "scaleX", "scaleY", "angle"])
@pytest.mark.parametrize("value", [1e308, -1e308, 1e200, 5e-324])
def test_numbers_larger_than_any_canvas_are_no_boxes(name: str, value: float) -> None:
    """B106: finite numbers whose products are not: finite edges inside the image, or a sentence."""
    box = {"type": "LabeledRect", "label": "cell", "left": 4, "top": 4, "width": 50, "height": 50, "scaleX": 2}  # fmt: skip
    display = Display(100, 100, 100, 100)
    schema = LabelSchema(Task.BOXES, (make_question("label", "Cell", ["cell"]),))
    try:
        found = from_drawing({"objects": [{**box, name: value}]}, schema, display).regions
    except InputError:
        return
    assert all(0 <= v <= 100 for r in found for v in r.box)
