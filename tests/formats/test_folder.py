"""Class folders in, and where images go on the way out."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.formats import ExportRecord, folder
from core.labels import Answer
from tests.formats.trees import parsed


def labels(*paths: str) -> dict[str, str]:
    """Return the label of each image that gets one."""
    result = parsed(dict.fromkeys(paths, b""), "folder")
    return {r.file: r.answer.choices["label"] for r in result.rows}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (("cat/1.jpg", "dog/2.jpg"), ["cat", "dog"]),
        (("data/images/cat/1.jpg", "data/images/dog/2.jpg"), ["cat", "dog"]),
        (("train/cat/1.jpg", "val/cat/2.jpg", "val/dog/3.jpg"), ["cat", "cat", "dog"]),
        (("train/1.jpg", "val/2.jpg"), []),
        (("images/1.jpg", "images/2.jpg"), []),
        (("1.jpg", "cat/2.jpg", "dog/3.jpg"), ["cat", "dog"]),
    ],
    ids=["plain", "deeper", "splits", "only-splits", "flat", "some-unlabelled"],
)
def test_the_folder_right_above_an_image_is_its_class(paths, found):
    """Shared folders and splits say nothing; a flat folder has no labels."""
    assert list(labels(*paths).values()) == found


def test_every_image_is_listed_labelled_or_not():
    """Unlabelled images are imported too."""
    result = parsed({"1.jpg": b"", "cat/2.PNG": b"", "dog/3.tiff": b"", "notes.md": b""})
    assert result.images == ("1.jpg", "cat/2.PNG", "dog/3.tiff")
    assert len(result.rows) == 2


def test_accents_composed_or_not_are_one_class():
    """A folder copied from another system is the same class (B81)."""
    assert set(labels("caf\u00e9/1.jpg", "cafe\u0301/2.jpg").values()) == {"caf\u00e9"}


def test_images_are_placed_in_class_folders_without_collisions():
    """Equal names of one class keep apart by their folders, on systems blind to case too."""
    cat = Answer({"label": "cat"})
    records = [ExportRecord(f, answer=cat) for f in ("a/1.jpg", "b/1.JPG", "2.jpg")]
    records += [ExportRecord("open.jpg")]
    placed = folder.place(records, ["cat"])
    assert placed == {"cat/1.jpg": "a/1.jpg", "cat/b__1.JPG": "b/1.JPG", "cat/2.jpg": "2.jpg"}


@pytest.mark.parametrize("label", ["a/b", "..", "a\\b", "con:", ".hidden", "dot."])
def test_class_names_that_are_no_folder_names_are_refused(label):
    """An export never writes outside its folder."""
    with pytest.raises(InputError, match="folder"):
        folder.place([ExportRecord("1.jpg", answer=Answer({"label": label}))], [label])
