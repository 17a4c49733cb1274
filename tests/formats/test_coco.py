"""COCO JSON in and out."""

from __future__ import annotations

import json

from core.formats import ExportRecord, coco
from core.labels import Answer, Region
from tests.formats.trees import boxes, parsed


def document(**changes: object) -> dict[str, object]:
    """Return a COCO document with one image, one category and one box."""
    return {
        "images": [{"id": 7, "file_name": "x.jpg", "width": 100, "height": 80}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2.5, 10, 20.25], "score": 0.5}
        ],
        **changes,
    }


def test_boxes_are_read_with_the_size_that_is_claimed():
    """x, y, width, height become edges; scores are left out of labels."""
    result = parsed({"x.jpg": b"", "a.json": json.dumps(document())})
    assert result.format == "coco"
    row = result.rows[0]
    assert boxes([row]) == [("cat", (1, 2.5, 11, 22.75))]
    assert (row.file, row.width, row.height) == ("x.jpg", 100, 80)
    assert row.answer.regions[0].confidence is None


def test_scores_are_read_from_predictions():
    """A model's file brings its confidences."""
    result = parsed({"x.jpg": b"", "a.json": json.dumps(document())}, predictions=True)
    assert result.rows[0].answer.regions[0].confidence == 0.5


def test_what_is_no_box_is_passed_over_and_said():
    """Masks, keypoints and crowds are counted in notes; the boxes beside them are kept."""
    first = document()["annotations"][0]
    entries = [
        {**first, "keypoints": [1, 2, 2], "segmentation": [[1, 2, 3, 4, 5, 6]]},
        {**first, "id": 2, "iscrowd": 1, "segmentation": {"counts": "x", "size": [1, 1]}},
    ]
    result = parsed({"x.jpg": b"", "a.json": json.dumps(document(annotations=entries))})
    assert len(boxes(result.rows)) == 1
    assert set(result.notes) == {
        "a.json: 1 crowd regions ignored.",
        "a.json: 1 keypoint sets ignored.",
        "a.json: 1 masks or polygons ignored.",
    }


def test_an_image_list_without_annotations_answers_nothing():
    """Images of a test set are not "nothing here"; an empty list of annotations says that."""
    bare = document()
    del bare["annotations"]
    assert parsed({"a.json": json.dumps(bare)}).rows[0].answer is None
    empty = document(annotations=[])
    assert parsed({"a.json": json.dumps(empty)}).rows[0].answer == Answer()


def test_paths_are_relative_to_the_file():
    """Each folder's file means the image in its own folder."""
    text = json.dumps(document())
    files = {"p/x.jpg": b"", "q/x.jpg": b"", "p/a.json": text, "q/a.json": text}
    assert [r.file for r in parsed(files).rows] == ["p/x.jpg", "q/x.jpg"]


def test_classes_come_in_order_of_their_ids():
    """The order of ids is the order of classes, whatever the order in the file."""
    categories = [{"id": 9, "name": "ant"}, {"id": 3, "name": "cat"}, {"id": 5, "name": "bee"}]
    result = parsed({"a.json": json.dumps(document(categories=categories))})
    assert result.classes == ("cat", "bee", "ant")


def test_every_name_is_listed_in_an_export():
    """An item with several names stands once and lists all."""
    answer = Answer({}, (Region("cat", 0, 0, 1, 1, 0.25),))
    records = [
        ExportRecord("a.jpg", ("a.jpg", "b.jpg"), 10, 10, answer),
        ExportRecord("none.jpg", (), 10, 10, None),
    ]
    found = json.loads(coco.emit(records, ["cat"])["annotations.json"])
    assert [(i["file_name"], i["names"]) for i in found["images"]] == [
        ("a.jpg", ["a.jpg", "b.jpg"])
    ]
    assert found["annotations"][0]["score"] == 0.25


def test_classes_of_whole_images_come_back_with_their_numbers():
    """They are annotations without a shape, and are read only where classes of images are wanted."""
    records = [
        ExportRecord("x.jpg", ("x.jpg",), 9, 8, Answer({"tree": "oak", "state": "dry"})),
        ExportRecord("y.jpg", ("y.jpg",), 9, 8, Answer({"tree": "elm", "state": "wet"})),
    ]
    files = {**coco.emit(records, ["elm", "oak"], "tree"), "x.jpg": b"", "y.jpg": b""}
    asked = {"main_question": "tree", "question_keys": ["state"], "whole": True}
    back = parsed(files, "coco", **asked)
    assert back.classes == ("elm", "oak")
    assert [r.answer for r in back.rows] == [r.answer for r in records]
    boxes_wanted = parsed(files, "coco")
    assert {r.reason.partition(": ")[2] for r in boxes_wanted.refused} == {"it has no 'bbox'."}


def test_several_classes_of_an_image_or_none_come_back():
    """Where a question takes several, each is an annotation; where it takes one, a second is refused."""
    records = [
        ExportRecord("x.jpg", ("x.jpg",), 9, 8, Answer(multi={"seen": ("cat", "dog")})),
        ExportRecord("y.jpg", ("y.jpg",), 9, 8, Answer(multi={"seen": ()})),
    ]
    files = {**coco.emit(records, ["cat", "dog"], "seen"), "x.jpg": b"", "y.jpg": b""}
    asked = {"main_question": "seen", "whole": True}
    back = parsed(files, "coco", several=["seen"], **asked)
    assert [r.answer for r in back.rows] == [r.answer for r in records]
    one = parsed(files, "coco", **asked)
    assert ["it calls image 1" in r.reason for r in one.refused] == [True]
