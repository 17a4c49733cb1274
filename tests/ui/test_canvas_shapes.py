"""Polygons, keypoints and masks on the canvas: exact there and back, and unmoved by bad input."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.labels import LabelSchema, Region
from core.labels.region import Shape
from core.labels.schema import Skeleton, Task, make_question
from core.labels.shapes import (
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_area,
    polygon_region,
)
from core.ui.canvas import Reading, fit, from_drawing, to_drawing
from core.ui.canvas_shapes import MARK, Display, strokes_of

MAIN = make_question("label", "Label", ["cell", "dust"])
ABOUT = (make_question("severity", "Severity", ["low", "high"]),)
BONES = Skeleton(("head", "hand", "foot"), ((0, 1), (0, 2)))
SCHEMAS = {
    Shape.POLYGON: LabelSchema(Task.POLYGONS, (MAIN,), ABOUT),
    Shape.KEYPOINTS: LabelSchema(Task.KEYPOINTS, (MAIN,), ABOUT, BONES),
    Shape.MASK: LabelSchema(Task.MASKS, (MAIN,), ABOUT),
}
DISPLAY = Display(640, 480, 320, 240)
HIGH = (("severity", "high"),)
CELL, DUST = strokes_of(SCHEMAS[Shape.POLYGON]).values()
RING = [(100.0, 80.0), (300.0, 90.0), (280.0, 220.0)]


def reread(
    shape: Shape, regions: list[Region], display: Display = DISPLAY, **changes: Any
) -> Reading:
    """Return regions as they come back from a canvas that only rounds, with changes to the first."""
    drawing = json.loads(json.dumps(to_drawing(regions, SCHEMAS[shape], display)))
    drawing["objects"] = [rounded(o) for o in drawing["objects"]]
    drawing["objects"][0] |= changes
    return from_drawing(drawing, SCHEMAS[shape], display, regions)


def rounded(value: Any) -> Any:
    """Round as Fabric does, to four digits, all the way down."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return round(value, 4) if isinstance(value, float) else value


def read(shape: Shape, *objects: object, base: tuple[Region, ...] = ()) -> tuple[Region, ...]:
    """Return the regions of a drawing with these objects."""
    return from_drawing({"objects": list(objects)}, SCHEMAS[shape], DISPLAY, base).regions


@st.composite
def screens(draw: st.DrawFn) -> Display:
    """Draw an image and a room to show it in."""
    width, height = draw(st.integers(40, 12_000)), draw(st.integers(40, 12_000))
    return fit(width, height, draw(st.floats(300, 4000)), draw(st.floats(300, 4000)))


def points_in(display: Display) -> st.SearchStrategy:
    """Draw points of an image."""
    return st.tuples(st.floats(0, display.image_width), st.floats(0, display.image_height))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_polygons_come_back_within_half_a_pixel(data) -> None:
    """At any size of image and canvas; drawn anew (without its number) as well as known."""
    display = data.draw(screens())
    ring = data.draw(st.lists(points_in(display), min_size=3, max_size=7, unique=True))
    assume(polygon_area(ring) > 1)
    region = polygon_region("dust", ring, None, HIGH)
    (known,) = reread(Shape.POLYGON, [region], display).regions
    assert (known.label, known.attributes) == ("dust", HIGH)
    (fresh,) = reread(Shape.POLYGON, [region], display, **{MARK: 0}).regions
    assert (fresh.label, fresh.attributes) == ("dust", ())
    for found in (known, fresh):
        assert np.abs(np.array(found.points) - np.array(ring)).max() < 0.5


def fabric_object(ring: list[tuple[float, float]], **how: Any) -> tuple[dict[str, Any], list]:
    """Return what Fabric would send of a transformed polygon, and where its corners are seen.

    An own model of it: the object's frame, stroke included, hangs on its origin.
    """
    points = np.array(ring)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = np.array([how["scaleX"], how["scaleY"]])
    turn = math.radians(how["angle"])
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    middle = np.array(how["middle"])
    flip = np.array([-1 if how["flipX"] else 1, 1])
    seen = ((points - (low + high) / 2) * scale * flip) @ rotation.T + middle
    stroke = 3.0
    frame = (high - low) * scale + (stroke if how["strokeUniform"] else stroke * scale)
    share = np.array([how["origin"][0], how["origin"][1]])
    anchor = middle + rotation @ ((share - 0.5) * frame)
    names = {0.0: ("left", "top"), 0.5: ("center", "center"), 1.0: ("right", "bottom")}
    sent = {
        "type": "Polygon", "points": [{"x": x, "y": y} for x, y in ring], "stroke": CELL,
        "left": anchor[0], "top": anchor[1], "scaleX": scale[0], "scaleY": scale[1],
        "angle": how["angle"], "flipX": how["flipX"], "strokeWidth": stroke,
        "strokeUniform": how["strokeUniform"],
        "originX": names[share[0]][0], "originY": names[share[1]][1],
    }  # fmt: skip
    return sent, seen.tolist()


@given(
    st.floats(0.3, 1.4), st.floats(0.3, 1.4), st.sampled_from([0, 30, 90, 217.5, -45]),
    st.sampled_from([(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 0.5)]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_moved_resized_turned_and_mirrored_polygons_are_read_by_what_is_seen(
    sx: float, sy: float, angle: float, origin: tuple[float, float], flip: bool, uniform: bool
) -> None:
    """Whatever origin the object hangs on; points stay what they were when it was made."""
    ring = [(10.0, 20.0), (80.0, 25.0), (60.0, 70.0), (15.0, 60.0)]
    sent, seen = fabric_object(
        ring, scaleX=sx, scaleY=sy, angle=angle, origin=origin, flipX=flip,
        strokeUniform=uniform, middle=(150.0, 120.0),
    )  # fmt: skip
    (found,) = read(Shape.POLYGON, sent)
    assert np.allclose(np.array(found.points), np.array(seen) * 2, atol=0.01)


def test_what_the_canvas_really_sends_is_read() -> None:
    """Objects as version 0.13 sent them: drawn by hand at these places."""
    polygon = {
        "type": "Polygon", "left": 85, "top": 235, "originX": "center", "originY": "center",
        "width": 70, "height": 70, "scaleX": 1, "scaleY": 1, "angle": 0, "strokeWidth": 2,
        "stroke": CELL, "strokeUniform": False, "strokeDashOffset": 0,
        "points": [{"x": 50, "y": 200}, {"x": 120, "y": 210}, {"x": 110, "y": 270}, {"x": 60, "y": 260}],
    }  # fmt: skip
    big = Display(500, 300, 500, 300)
    (ring,) = from_drawing({"objects": [polygon]}, SCHEMAS[Shape.POLYGON], big).regions
    assert ring.points == ((50, 200), (120, 210), (110, 270), (60, 260))
    circle = {
        "type": "Circle", "left": 44, "top": 200, "originX": "left", "originY": "center",
        "radius": 5, "scaleX": 1, "scaleY": 1, "angle": 0, "strokeWidth": 2, "stroke": CELL,
        "strokeUniform": False,
    }  # fmt: skip
    (one,) = from_drawing({"objects": [circle]}, SCHEMAS[Shape.KEYPOINTS], big).regions
    assert one.points == ((50, 200, 2), (0, 0, 0), (0, 0, 0))
    older = {**polygon, "type": "Path", "path": [["M", 50, 200], ["L", 120, 210], ["L", 110, 270], ["L", 60, 260], ["z"]]}  # fmt: skip
    (path,) = from_drawing({"objects": [older]}, SCHEMAS[Shape.POLYGON], big).regions
    assert path.points == ring.points


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_keypoints_come_back_within_half_a_pixel(data) -> None:
    """Hidden ones stay hidden, absent ones absent, attributes stay."""
    display = data.draw(screens())
    places = data.draw(st.tuples(*[points_in(display)] * 3))
    seen = data.draw(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0])] * 3).filter(any))
    region = keypoints_region(
        "dust", [(*p, v) for p, v in zip(places, seen, strict=True)], None, HIGH
    )
    (found,) = reread(Shape.KEYPOINTS, [region], display).regions
    assert (found.label, found.attributes) == ("dust", HIGH)
    assert [p[2] for p in found.points] == [p[2] for p in region.points]
    assert np.abs(np.array(found.points) - np.array(region.points)).max() < 0.5


def a_circle(x: float, y: float, **changes: Any) -> dict[str, Any]:
    """Return a point drawn on the canvas."""
    return {
        "type": "Circle", "left": x, "top": y, "originX": "center", "originY": "center",
        "radius": 5, "stroke": CELL, "strokeWidth": 2, **changes,
    }  # fmt: skip


def test_new_points_make_sets_in_the_order_of_the_skeleton() -> None:
    """The last set may lack points; the note names the next one."""
    reading = from_drawing(
        {"objects": [a_circle(10 * n, 20) for n in range(1, 5)]}, SCHEMAS[Shape.KEYPOINTS], DISPLAY
    )
    first, second = reading.regions
    assert first.points == ((20, 40, 2), (40, 40, 2), (60, 40, 2))
    assert second.points == ((80, 40, 2), (0, 0, 0), (0, 0, 0))
    assert "'hand'" in reading.notes[0]


def test_new_points_fill_what_the_picked_set_lacks() -> None:
    """And only that set."""
    base = (keypoints_region("dust", [(20, 40, 1), (0, 0, 0), (90, 90, 2)], None, HIGH),)
    schema = SCHEMAS[Shape.KEYPOINTS]
    objects = [*to_drawing(base, schema, DISPLAY)["objects"], a_circle(50, 60)]
    (found,) = from_drawing({"objects": objects}, schema, DISPLAY, base, picked=0).regions
    assert found == keypoints_region("dust", [(20, 40, 1), (100, 120, 2), (90, 90, 2)], None, HIGH)


def test_a_point_taken_away_is_not_there_and_a_set_without_points_is_gone() -> None:
    """Lines alone are no set."""
    base = (keypoints_region("dust", [(20, 40, 2), (50, 50, 2), (90, 90, 2)]),)
    objects = to_drawing(base, SCHEMAS[Shape.KEYPOINTS], DISPLAY)["objects"]
    (found,) = read(Shape.KEYPOINTS, *objects[:-1], base=base)
    assert found.points[2] == (0, 0, 0)
    lines = [o for o in objects if o["type"] == "Line"]
    assert read(Shape.KEYPOINTS, *lines, base=base) == ()


def a_stroke(*points: tuple[float, float], **changes: Any) -> dict[str, Any]:
    """Return a brush stroke as the canvas sends it."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return {
        "type": "Path", "path": [["M", *points[0]], *(["L", *p] for p in points[1:])],
        "left": (min(xs) + max(xs)) / 2, "top": (min(ys) + max(ys)) / 2, "originX": "center",
        "originY": "center", "stroke": CELL, "strokeWidth": 10, **changes,
    }  # fmt: skip


def test_a_stroke_covers_what_the_brush_covered() -> None:
    """At image resolution, round at its ends; off by no more than a pixel."""
    (mask,) = read(Shape.MASK, a_stroke((50, 60), (150, 60)))
    pixels = mask_pixels(mask, 480, 640)
    assert mask.label == "cell"
    assert np.allclose(mask.box, (90, 110, 310, 130), atol=1.5)
    assert pixels[120, 100:300].all()
    assert abs(pixels.sum() - (200 * 20 + math.pi * 100)) / pixels.sum() < 0.08


def test_strokes_that_touch_are_one_mask_by_class() -> None:
    """Others are their own; a known mask of the class grows and keeps its attributes."""
    cross = (a_stroke((50, 60), (150, 60)), a_stroke((100, 30), (100, 90)))
    apart = a_stroke((50, 200), (90, 200))
    other = a_stroke((50, 60), (150, 60), stroke=DUST)
    assert [r.label for r in read(Shape.MASK, *cross, apart, other)] == ["cell", "cell", "dust"]
    known = np.zeros((480, 640), dtype=np.bool_)
    known[100:140, 280:400] = True
    base = (mask_region("cell", known, None, HIGH),)
    drawn = to_drawing(base, SCHEMAS[Shape.MASK], DISPLAY)["objects"]
    (grown,) = read(Shape.MASK, *drawn, cross[0], base=base)
    assert grown.attributes == HIGH
    assert grown.box[0] < 95
    assert (mask_pixels(grown, 480, 640) & known).sum() == known.sum()


@given(st.integers(0, 30))
@settings(max_examples=10, deadline=None)
def test_masks_nobody_touched_come_back_to_the_pixel(seed: int) -> None:
    """Only a deleted one is gone."""
    rng = np.random.default_rng(seed)
    base = [mask_region("dust", rng.random((480, 640)) < 0.01, None, HIGH) for _ in range(2)]
    assert list(reread(Shape.MASK, base).regions) == base
    drawn = to_drawing(base, SCHEMAS[Shape.MASK], DISPLAY)["objects"]
    assert read(Shape.MASK, drawn[1], base=tuple(base)) == (base[1],)


GOOD = {
    Shape.POLYGON: {"type": "Polygon", "points": [{"x": x, "y": y} for x, y in RING], "stroke": CELL, "left": 200, "top": 150, "originX": "center", "originY": "center"},
    Shape.KEYPOINTS: a_circle(50, 50),
    Shape.MASK: a_stroke((50, 60), (150, 60)),
}  # fmt: skip
DEEP: Any = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize("shape", GOOD)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"left": math.nan}, "left is a number"),
        ({"top": None}, "top is a number"),
        ({"top": 10**400}, "top is a number"),
        ({"scaleX": "2"}, "scaleX is a number"),
        ({"angle": math.inf}, "angle is a number"),
        ({"type": "Group"}, "is a 'Group', only"),
        ({"type": None}, "only"),
        ({"type": "LabeledRect"}, "only"),
        ({"originX": "moon"}, "unknown originX"),
        ({"stroke": "#000000"}, "has no class"),
        ({"stroke": ["x"]}, "has no class"),
        ({"points": DEEP, "path": DEEP, "radius": DEEP}, "point|step|number"),
        ({"points": [], "path": [], "radius": None}, "no list|no path|number"),
        ({"points": [{"x": "a"}] * 3, "path": [["M", "a", 1]], "radius": "a"}, "number"),
        ({"points": 7, "path": [["A", 1]], "radius": math.nan}, "no list|cannot be read|number"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_a_sentence(
    shape: Shape, changes: dict[str, Any], says: str
) -> None:
    """B106: which object, what is wrong, what to do; the good one beside it is not half taken."""
    with pytest.raises(InputError, match=says) as caught:
        read(shape, GOOD[shape], {**GOOD[shape], **changes})
    assert "2" in caught.value.message
    assert caught.value.advice


def test_a_polygon_without_area_or_outside_is_refused() -> None:
    """Nothing of it lies in the image."""
    for changes in ({"left": 9000}, {"scaleX": 0}, {"skewX": 9}):
        with pytest.raises(InputError, match=r"area|skewed"):
            read(Shape.POLYGON, {**GOOD[Shape.POLYGON], **changes})


@pytest.mark.parametrize("shape", GOOD)
def test_too_many_objects_are_refused_at_once(shape: Shape) -> None:
    """B106: the number is said, and the bound."""
    with pytest.raises(InputError, match="30,000 objects; at most"):
        read(shape, *[GOOD[shape]] * 30_000)


@pytest.mark.parametrize("shape", GOOD)
@pytest.mark.parametrize("mark", [-1000, 0.5, 1e12, "1000", None, 9_000_000, math.nan])
def test_a_forged_number_is_nobody(shape: Shape, mark: object) -> None:
    """An object with a number we never gave counts as drawn by the person."""
    (found,) = read(shape, {**GOOD[shape], MARK: mark})
    assert found.label == "cell"


def test_classes_of_one_colour_are_told_apart() -> None:
    """More classes than colours, each with a line colour of its own that looks the same."""
    many = make_question("label", "Label", [f"c{n}" for n in range(200)])
    strokes = strokes_of(LabelSchema(Task.POLYGONS, (many,)))
    assert len(set(strokes.values())) == 200
    schema = replace(SCHEMAS[Shape.POLYGON], questions=(many,))
    sent = {**GOOD[Shape.POLYGON], "stroke": strokes["c150"]}
    assert from_drawing({"objects": [sent]}, schema, DISPLAY).regions[0].label == "c150"


HUGE = (1e308, -1e308, 1e200, -0.0, 5e-324, 0.0, 2.0**53, 1e9)
PLACES = ("left", "top", "scaleX", "scaleY", "angle", "strokeWidth", "radius", "width")
FORGED = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(HUGE) for name in PLACES}
    | {
        "points": st.lists(
            st.fixed_dictionaries({"x": st.sampled_from(HUGE), "y": st.sampled_from(HUGE)}),
            max_size=4,
        ),
        "path": st.lists(
            st.tuples(st.sampled_from("ML"), st.sampled_from(HUGE), st.sampled_from(HUGE)).map(
                list
            ),
            max_size=4,
        ),
    },
)


@pytest.mark.parametrize("shape", GOOD)
@given(changes=FORGED)
@settings(max_examples=300, deadline=2000)
def test_no_numbers_break_the_reader(shape: Shape, changes: dict[str, Any]) -> None:
    """B106: finite numbers whose sums and products are not: a region of finite numbers, or a sentence."""
    try:
        found = read(shape, {**GOOD[shape], **changes})
    except InputError:
        return
    assert all(math.isfinite(v) for r in found for v in (*r.box, *(c for p in r.points for c in p)))
