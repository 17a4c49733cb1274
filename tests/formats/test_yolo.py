"""YOLO in and out."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.formats import ExportRecord, yolo
from core.labels import Answer, Region
from tests.formats.trees import boxes, parsed

LINE = "0 0.5 0.5 0.2 0.4\n"


@pytest.mark.parametrize(
    ("names_file", "text"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("labels/classes.txt", "cat\r\ndog"),
        ("obj.names", "cat\ndog\n\n"),
        ("data.yaml", "nc: 2\nnames: [cat, dog]\n"),
        ("data.yaml", "names:\n  0: cat\n  1: 'dog'\n"),
        ("any.yml", "names:\n- cat\n- dog\n"),
    ],
)
def test_class_names_are_found_in_every_usual_place(names_file, text):
    """A list, a numbered mapping and a plain file mean the same."""
    files = {"images/x.jpg": b"", "labels/x.txt": f"1{LINE[1:]}", names_file: text}
    result = parsed(files)
    assert (result.format, result.classes) == ("yolo", ("cat", "dog"))
    assert result.rows[0].normalised
    assert result.rows[0].file == "images/x.jpg"
    ((label, box),) = boxes(result.rows)
    assert label == "dog"
    assert box == pytest.approx((0.4, 0.3, 0.6, 0.7))


def test_yaml_words_that_look_like_values_stay_words():
    """'no', 'yes' and 1.0 are class names as written, not false, true and one."""
    files = {"x.jpg": b"", "x.txt": LINE, "data.yaml": "names: [no, yes, 1.0, null, 2020-01-01]"}
    assert parsed(files).classes == ("no", "yes", "1.0", "null", "2020-01-01")


def test_without_names_classes_are_numbers_and_that_is_said():
    """Numbers stand for the names; a note says so; they sort as numbers."""
    lines = "".join(f"{i}{LINE[1:]}" for i in (10, 9, 10))
    result = parsed({"x.jpg": b"", "x.txt": lines})
    assert result.classes == ("9", "10")
    assert "called by their numbers" in result.notes[0]


def test_label_files_go_to_the_image_of_the_same_name_in_the_likeliest_folder():
    """Of two images with one name, the one in the parallel folder is meant; else none."""
    files = {
        "images/train/x.jpg": b"", "images/val/x.jpg": b"", "images/p/y.jpg": b"",
        "images/q/y.jpg": b"", "labels/train/x.txt": LINE, "labels/val/x.txt": LINE,
        "labels/y.txt": LINE,
    }  # fmt: skip
    result = parsed(files)
    assert {r.origin: r.file for r in result.rows} == {
        "labels/train/x.txt": "images/train/x.jpg",
        "labels/val/x.txt": "images/val/x.jpg",
    }
    assert [r.file for r in result.refused] == ["labels/y.txt"]


def test_other_text_files_are_passed_over():
    """A readme and lists of file names are no labels."""
    files = {
        "x.jpg": b"", "x.txt": LINE, "README.txt": "4 images by 2 people\n", "train.txt": "x.jpg\n"
    }  # fmt: skip
    result = parsed(files)
    assert [r.origin for r in result.rows] == ["x.txt"]
    assert result.refused == ()


def test_confidences_are_read_from_predictions_only():
    """The sixth column is a confidence there, and too many columns elsewhere."""
    files = {"x.jpg": b"", "x.txt": "0 0.5 0.5 0.2 0.4 0.87\n", "classes.txt": "cat"}
    result = parsed(files, "yolo", predictions=True)
    assert result.rows[0].answer.regions[0].confidence == 0.87
    result = parsed(files, "yolo")
    assert result.rows[0].answer is None
    assert "6 columns, expected 5" in result.refused[0].reason


def test_labels_alone_name_the_images_they_stand_for():
    """Without images in the tree, a row names the image without folder 'labels' or extension."""
    result = parsed({"preds/labels/a/x.txt": LINE, "classes.txt": "cat"})
    assert [r.file for r in result.rows] == ["a/x"]


def test_an_empty_label_file_is_an_answer():
    """No lines say "nothing here"; no file says nothing."""
    result = parsed({"x.jpg": b"", "y.jpg": b"", "z.jpg": b"", "x.txt": "", "y.txt": LINE}, "yolo")
    assert {r.file: len(r.answer.regions) for r in result.rows} == {"x.jpg": 0, "y.jpg": 1}


def test_labels_are_written_where_trainers_look():
    """The last folder 'images' becomes 'labels'; without one, 'labels' comes first."""
    assert yolo.label_path("images/train/x.jpg") == "labels/train/x.txt"
    assert yolo.label_path("a/images/b/images/x.tar.png") == "a/images/b/labels/x.tar.txt"
    assert yolo.label_path("x.jpg") == "labels/x.txt"


def test_awkward_class_names_survive_data_yaml():
    """Quotes, colons, backslashes and line separators are escaped."""
    names = ['say "hi": #1', "back\\slash", "{a: b}", "emoji 😀", "a\u2028b"]
    box = Region(names[4], 10, 10, 20, 20)
    record = ExportRecord("images/x.jpg", width=100, height=100, answer=Answer({}, (box,)))
    files = yolo.emit([record], names)
    del files["classes.txt"]
    result = parsed({**files, "images/x.jpg": b""})
    assert result.classes == tuple(names)


def test_an_image_of_unknown_size_cannot_be_written():
    """Shares need a size to be shares of."""
    with pytest.raises(InputError, match="size"):
        yolo.emit([ExportRecord("x.jpg", answer=Answer())], ["cat"])


def test_two_lists_that_disagree_are_refused():
    """Which list is right is not guessed."""
    files = {"x.jpg": b"", "x.txt": LINE, "classes.txt": "cat", "data.yaml": "names: [dog]"}
    with pytest.raises(InputError, match="differ"):
        parsed(files)
