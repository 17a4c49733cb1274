"""Recognising formats by content."""

from __future__ import annotations

import json

import pytest

from core.errors import InputError
from core.formats import FORMATS, ExportRecord, detect
from core.labels import Answer, Region
from tests.formats.test_coco import document as coco_document
from tests.formats.trees import MemoryTree, parsed, voc, voc_object

IMAGES = {"x.jpg": b"", "y.jpg": b""}
LINE = "0 0.5 0.5 0.2 0.4\n"


@pytest.mark.parametrize(
    ("files", "format"),
    [
        ({"odd/name.xml": voc(voc_object())}, "voc"),
        ({"yolo/x.json": json.dumps(coco_document())}, "coco"),
        ({"voc/x.txt": LINE}, "yolo"),
        ({"images.csv": "file,label\nx.jpg,cat\n"}, "table"),
        ({"a/1.jpg": b"", "b/2.jpg": b""}, "folder"),
        ({}, "folder"),
        ({"settings.json": '{"a": 1}', "pom.xml": "<project/>", "x.csv": "a,b\n"}, "folder"),
    ],
)
def test_the_format_is_recognised_whatever_folders_are_called(files, format):
    """Content decides; files about something else do not mislead."""
    assert detect(MemoryTree({**IMAGES, **files})) == format


def test_of_several_kinds_the_one_that_covers_most_images_is_read():
    """A sample COCO file beside a full YOLO set is passed over, and said."""
    files = {
        **IMAGES, "x.txt": LINE, "y.txt": LINE, "classes.txt": "cat\n",
        "sample.json": json.dumps(coco_document()),
    }  # fmt: skip
    result = parsed(files)
    assert result.format == "yolo"
    assert "Read as yolo; coco is there too." in result.notes


def test_of_two_kinds_that_cover_the_same_pixels_come_first():
    """VOC is exact, YOLO is rounded."""
    files = {"x.jpg": b"", "x.xml": voc(voc_object()), "x.txt": LINE}
    assert detect(MemoryTree(files)) == "voc"


def test_tables_of_metadata_are_read_beside_annotations():
    """A table with neither labels nor boxes adds to the rows, and to images without one."""
    files = {
        **IMAGES,
        "x.xml": voc(voc_object()),
        "meta.csv": "file,site\nx.jpg,north\ny.jpg,south\n",
    }
    rows = {r.file: r for r in parsed(files).rows}
    assert {f: r.metadata["site"] for f, r in rows.items()} == {"x.jpg": "north", "y.jpg": "south"}
    assert len(rows["x.jpg"].answer.regions) == 1
    assert rows["y.jpg"].answer is None


def test_a_main_file_is_read_alone():
    """Beside a named file no other annotation counts."""
    files = {**IMAGES, "x.xml": voc(voc_object()), "a.csv": "file,label\ny.jpg,cat\n"}
    result = parsed(files, main_file="a.csv")
    assert (result.format, [r.file for r in result.rows]) == ("table", ["y.jpg"])


@pytest.mark.parametrize("format", ["voc", "coco", "yolo"])
def test_box_formats_refuse_labels_of_whole_images_and_keep_retired_classes(format):
    """A label is not written as "nothing here"; a class no longer in the schema is not lost."""
    label = ExportRecord("x.jpg", width=9, height=9, answer=Answer({"label": "cat"}))
    if format != "coco":  # it has a place for them
        with pytest.raises(InputError, match="whole image"):
            FORMATS[format].emit([label], ["cat"])
    box = Region("old", 1, 1, 5, 5)
    record = ExportRecord("x.jpg", width=9, height=9, answer=Answer({}, (box,)))
    result = parsed({**FORMATS[format].emit([record], ["cat"]), "x.jpg": b""}, format)
    assert result.classes == ("cat", "old")
    assert [r.label for r in result.rows[0].answer.regions] == ["old"]


@pytest.mark.parametrize(
    ("format", "options", "said"),
    [
        ("voc", {}, "No Pascal VOC XML was found"),
        ("table", {}, "No CSV table was found"),
        ("pascal", {}, "Unknown format 'pascal'"),
        ("auto", {"main_file": "gone.csv"}, "not in memory"),
        ("auto", {"main_file": "x.jpg"}, "no annotation file"),
    ],
)
def test_what_cannot_be_read_is_said(format, options, said):
    """A format that is not there is an error, not an empty import."""
    with pytest.raises(InputError, match=said):
        parsed(IMAGES, format, **options)


def test_a_single_broken_annotation_file_stops_the_import():
    """Images are not imported without the labels they came with."""
    with pytest.raises(InputError, match=r"a\.json, line 1"):
        parsed({**IMAGES, "a.json": '{"images": [], "annotations": [}'})
