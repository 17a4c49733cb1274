"""Polygons, masks, keypoints, attributes and several answers: out and in again, and bad ones."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.formats import FORMATS, ExportRecord, Row, resolve_regions
from core.formats.cells import joined_classes, split_classes
from core.labels import Answer, Region
from core.labels.region import Shape
from core.labels.schema import Skeleton
from core.labels.shapes import (
    checked_region,
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_area,
    polygon_region,
    run_lengths,
)
from tests.formats.test_round_trips import NAMES
from tests.formats.trees import parsed

WIDTH, HEIGHT = 640, 480
BONES = Skeleton(("head", "hand", "foot"), ((0, 1), (0, 2)))
ASKED = {"severity": "high", "kind": "a|b,=c"}
TOLERANCE_PX = 0.01

xs, ys = st.floats(0, WIDTH, allow_nan=False), st.floats(0, HEIGHT, allow_nan=False)
seen = st.sampled_from([0.0, 1.0, 2.0])
said = st.just(()) | st.just(tuple(sorted(ASKED.items())))
rings = st.lists(st.tuples(xs, ys), min_size=3, max_size=8).filter(lambda p: polygon_area(p) > 1)
bitmaps = st.builds(
    lambda seed: np.random.default_rng(seed).random((HEIGHT // 8, WIDTH // 8)) < 0.3,
    st.integers(0, 9),
)
REGIONS = {
    Shape.POLYGON: st.builds(lambda p, s: polygon_region("cat", p, None, s), rings, said),
    Shape.KEYPOINTS: st.builds(
        lambda p, s: keypoints_region("cat", p, None, s),
        st.tuples(*[st.tuples(xs, ys, seen)] * 3).filter(lambda p: any(v for *_, v in p)),
        said,
    ),
    Shape.MASK: st.builds(
        lambda b, s: mask_region("cat", b.repeat(8, 0).repeat(8, 1), None, s), bitmaps, said
    ),
}
CARRIES = [(f, s) for f in ("coco", "table", "yolo") for s in REGIONS if s in FORMATS[f].shapes]


def read_back(format: str, shape: Shape, files, image: str = "images/x.jpg") -> list[Region]:
    """Return the regions of one image as they come in."""
    result = parsed(
        {**files, image: b""}, format, shape=shape, skeleton=BONES.points, attributes=tuple(ASKED)
    )
    assert result.refused == ()
    (row,) = result.rows
    answer, refused = resolve_regions(
        row, SimpleNamespace(width=WIDTH, height=HEIGHT, orientation=1)
    )
    assert refused == []
    return list(answer.regions)


@pytest.mark.parametrize(("format", "shape"), CARRIES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_shapes_come_back_and_do_not_drift(format, shape, data):
    """Within a hundredth of a pixel once, and to the last digit from then on; attributes too."""
    regions = data.draw(st.lists(REGIONS[shape], min_size=1, max_size=3))
    record = ExportRecord("images/x.jpg", (), WIDTH, HEIGHT, Answer({}, tuple(regions)), "agreed")
    files = FORMATS[format].emit([record], ["cat"], "label", BONES)
    once = read_back(format, shape, files)
    for before, after in zip(regions, once, strict=True):
        assert after.label == before.label
        assert after.attributes == (before.attributes if FORMATS[format].attributes else ())
        if shape is Shape.MASK:
            assert after.rle == before.rle
        assert np.allclose(after.box, before.box, atol=TOLERANCE_PX)
        for p, q in zip(before.points, after.points, strict=True):
            assert np.allclose(p, q, atol=TOLERANCE_PX)
    again = ExportRecord("images/x.jpg", (), WIDTH, HEIGHT, Answer({}, tuple(once)), "agreed")
    files = FORMATS[format].emit([again], ["cat"], "label", BONES)
    assert read_back(format, shape, files) == once


@pytest.mark.parametrize(
    ("format", "shape"),
    [("voc", s) for s in REGIONS] + [("yolo", Shape.MASK)],
)
def test_a_shape_without_a_place_is_refused_in_one_sentence(format, shape):
    """And the sentence names the formats that have one."""
    region = {
        Shape.POLYGON: polygon_region("cat", [(0, 0), (9, 0), (9, 9)]),
        Shape.KEYPOINTS: keypoints_region("cat", [(0, 0, 2)]),
        Shape.MASK: mask_region("cat", np.ones((4, 4), dtype=np.bool_)),
    }[shape]
    record = ExportRecord("x.jpg", (), 4, 4, Answer({}, (region,)))
    with pytest.raises(InputError, match=f"cannot carry a region of shape '{shape.value}'") as e:
        FORMATS[format].emit([record], ["cat"])
    assert "COCO" in e.value.advice


def document(*annotations: dict[str, object], **changes: object) -> str:
    """Return a COCO document about one image of 20 by 10 pixels."""
    entries = [
        {"id": n, "image_id": 7, "category_id": 3, "bbox": [1, 1, 5, 5], **a}
        for n, a in enumerate(annotations)
    ]
    doc = {
        "images": [{"id": 7, "file_name": "x.jpg", "width": 20, "height": 10}],
        "categories": [
            {"id": 3, "name": "cat", "keypoints": ["foot", "head", "hand"], "skeleton": [[1, 2]]}
        ],
        "annotations": entries,
        **changes,
    }
    return json.dumps(doc)


def coco(shape: Shape, *annotations: dict[str, object], **changes: object):
    """Return what is read of a COCO document in a project of a shape."""
    files = {"x.jpg": b"", "a.json": document(*annotations, **changes)}
    return parsed(files, shape=shape, skeleton=BONES.points, attributes=("severity",))


SMALL, LARGE = [1, 1, 2, 1, 2, 2], [3, 1, 12, 1, 12, 8, 3, 8]


def test_of_several_rings_the_largest_is_the_polygon():
    """The others are counted, not forgotten."""
    result = coco(Shape.POLYGON, {"segmentation": [SMALL, LARGE, SMALL]})
    (region,) = result.rows[0].answer.regions
    assert region.points == ((3, 1), (12, 1), (12, 8), (3, 8))
    assert result.notes == (
        "a.json: 2 further rings of polygons (the largest of each was kept) ignored.",
    )


def test_a_project_of_masks_fills_every_ring():
    """Polygons are masks too, where the project draws masks."""
    (region,) = coco(Shape.MASK, {"segmentation": [SMALL, LARGE]}).rows[0].answer.regions
    assert mask_pixels(region, 10, 20).sum() == pytest.approx(9 * 7 + 1, abs=1)


def test_both_kinds_of_run_lengths_are_read():
    """COCO's text, and plain numbers column by column."""
    pixels = np.zeros((10, 20), dtype=np.bool_)
    pixels[2:5, 3:9] = True
    packed = mask_region("cat", pixels).rle
    for counts in (packed, run_lengths(packed)):
        found = coco(Shape.MASK, {"segmentation": {"size": [10, 20], "counts": counts}})
        (region,) = found.rows[0].answer.regions
        assert np.array_equal(mask_pixels(region, 10, 20), pixels)


def test_keypoints_follow_the_projects_order():
    """Where the category names the same points in another one."""
    entry = {"keypoints": [1, 1, 2, 5, 5, 1, 9, 9, 0], "num_keypoints": 2}
    (region,) = coco(Shape.KEYPOINTS, entry).rows[0].answer.regions
    assert region.points == ((5, 5, 1), (0, 0, 0), (1, 1, 2))


def test_attributes_that_are_asked_for_are_read_and_others_counted():
    """As CVAT writes them."""
    told = {"severity": "high", "occluded": False, "rotation": 0.0}
    result = coco(Shape.POLYGON, {"segmentation": [LARGE], "attributes": told})
    assert result.rows[0].answer.regions[0].attributes == (("severity", "high"),)
    assert result.notes == ("a.json: 2 attributes that are not asked for ignored.",)


def test_answers_about_the_image_come_back():
    """What is asked of the item stands at the image, several classes as a list."""
    answer = Answer({"season": "wet"}, (), {"tags": ("a", "b|c")})
    record = ExportRecord("x.jpg", (), 20, 10, answer)
    files = FORMATS["coco"].emit([record], ["cat"])
    result = parsed({**files, "x.jpg": b""}, question_keys=("season", "tags"), several=("tags",))
    assert result.rows[0].answer == answer


@pytest.mark.parametrize(
    ("shape", "entry", "reason"),
    [
        (Shape.POLYGON, {}, "no 'segmentation'"),
        (Shape.POLYGON, {"segmentation": [[1, 2, 3, 4]]}, "three corners"),
        (Shape.POLYGON, {"segmentation": [[1, 2, 3, 4, 5, None]]}, "numbers"),
        (Shape.POLYGON, {"segmentation": {"size": [10, 20], "counts": [200]}}, "a mask"),
        (Shape.POLYGON, {"segmentation": [[0] * 30_000]}, "numbers or fewer"),
        (Shape.MASK, {"segmentation": {"size": [9, 9], "counts": [81]}}, "of 9×9 px"),
        (Shape.MASK, {"segmentation": {"size": [10, 20], "counts": [150]}}, "covers 150"),
        (Shape.MASK, {"segmentation": {"size": [10, 20], "counts": [200]}}, "empty"),
        (Shape.MASK, {"segmentation": {"size": [10, 20], "counts": [-1, 201]}}, "whole number"),
        (Shape.MASK, {"segmentation": {"size": [10, 20], "counts": "~~"}}, "no run length"),
        (Shape.MASK, {"segmentation": {"size": "x", "counts": "~~"}}, "'size'"),
        (Shape.MASK, {"segmentation": [[0, 0, 900, 0, 900, 900]]}, "outside"),
        (Shape.KEYPOINTS, {"keypoints": [1, 2]}, "visibility"),
        (Shape.KEYPOINTS, {"keypoints": [1, 2, 7]}, "not 0, 1 or 2"),
        (Shape.KEYPOINTS, {"keypoints": [0, 0, 0]}, "not one"),
    ],
)
def test_what_is_no_shape_is_refused_alone(shape, entry, reason):
    """The good one beside it is kept."""
    good = {
        Shape.POLYGON: {"segmentation": [LARGE]},
        Shape.MASK: {"segmentation": [LARGE]},
        Shape.KEYPOINTS: {"keypoints": [1, 1, 2, 5, 5, 1, 9, 9, 0]},
    }[shape]
    result = coco(shape, entry, good)
    assert [reason in r.reason for r in result.refused] == [True]
    assert len(result.rows[0].answer.regions) == 1


@pytest.mark.parametrize(
    ("shape", "line", "reason"),
    [
        (Shape.POLYGON, "0 0.5 0.5 0.2 0.2", "a box"),
        (Shape.POLYGON, "0 0.5 0.5 0.2 0.2 0.1 1.7", "not between 0 and 1"),
        (Shape.KEYPOINTS, "0 0.5 0.5 0.2 0.2", "expected a class, a box and 3 points"),
        (Shape.KEYPOINTS, "0 0.5 0.5 0.2 0.2" + " 0.1 0.1 5" * 3, "visibility"),
    ],
)
def test_a_yolo_line_that_is_no_shape_is_refused(shape, line, reason):
    """With its line."""
    result = parsed({"x.jpg": b"", "x.txt": line}, "yolo", shape=shape, skeleton=BONES.points)
    (refusal,) = result.refused
    assert reason in refusal.reason
    assert refusal.line == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_shapes_turn_with_the_image(orientation):
    """Points and pixels of a stored grid land where the box of the same thing lands."""
    width, height = 20, 10
    stored = (height, width) if orientation >= 5 else (width, height)
    box = Region("cat", 1, 2, 5, 8)
    ring = polygon_region("cat", [(1, 2), (5, 2), (5, 8), (1, 8)])
    mask = mask_region("cat", mask_pixels(box, stored[1], stored[0]))
    row = Row("x.jpg", Answer({}, (box, ring, mask)), "a", 0, *stored)
    info = SimpleNamespace(width=width, height=height, orientation=orientation)
    answer, refused = resolve_regions(row, info)
    assert refused == []
    first, *others = answer.regions
    assert [r.box for r in others] == [first.box] * 2
    assert all(checked_region(r, width, height) == r for r in others)


@given(
    st.lists(
        st.sampled_from(["a|b", "-", "\\", "a;b", "=x", "red"]) | NAMES.map(lambda n: n[0]),
        unique=True,
    )
)
def test_several_classes_in_a_cell_come_back(names):
    """Whatever the classes are called; none of them is a dash, a class called '-' is not."""
    found = split_classes(joined_classes(names))
    assert found == tuple(names)


def test_a_table_of_several_answers():
    """An empty cell is no answer, a dash is none of them, the order is as written."""
    table = "file,tags,label\na.jpg,wet|cold,x;y\nb.jpg,-,x\nc.jpg,,\n"
    result = parsed({"t.csv": table}, several=("tags", "label"), question_keys=("tags",))
    assert [r.answer for r in result.rows] == [
        Answer({}, (), {"label": ("x", "y"), "tags": ("wet", "cold")}),
        Answer({}, (), {"label": ("x",), "tags": ()}),
        None,
    ]
    assert result.classes == ("x", "y")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('x.jpg,cat,polygon,"[[1,2],[3]]",', "a point is not 2 numbers"),
        ('x.jpg,cat,polygon,"[[1,",', "not JSON"),
        ("x.jpg,cat,polygon,,", "not JSON"),
        ("x.jpg,cat,blob,,", "unknown shape 'blob'"),
        ("x.jpg,cat,mask,,~~~", "no run length"),
        ("x.jpg,cat,mask,,", "needs its run lengths"),
        ("x.jpg,cat,mask,,11", "covers"),
        ("x.jpg,,polygon,1,", "no label"),
    ],
)
def test_a_line_of_a_table_that_is_no_shape_is_refused(line, reason):
    """With its line; the table's other lines are read."""
    table = f"file,label,shape,points,rle,width,height\n{line},9,9\n"
    result = parsed({"t.csv": table}, shape=Shape.POLYGON)
    (refusal,) = result.refused
    assert reason in refusal.reason
    assert refusal.line == 2
