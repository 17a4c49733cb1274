"""Pascal VOC in and out."""

from __future__ import annotations

from core.formats import ExportRecord, voc
from core.labels import Answer, Region
from tests.formats.trees import boxes, parsed
from tests.formats.trees import voc as document
from tests.formats.trees import voc_object as thing


def test_edges_are_read_as_they_stand():
    """Whole and broken pixels come in unchanged, with the line of each object."""
    text = document(f"{thing()}\n{thing('dog', '0 0.5 99.25 80')}")
    row = parsed({"x.xml": text, "x.jpg": b""}).rows[0]
    assert boxes([row]) == [("cat", (1, 2, 30, 40)), ("dog", (0, 0.5, 99.25, 80))]
    assert (row.file, row.width, row.height, row.lines) == ("x.jpg", 100, 80, (4, 5))


def test_the_image_is_found_by_filename_then_by_the_xmls_own_name():
    """A wrong extension or folder in <filename> does not hide the image."""
    files = {
        "a/x.jpg": b"", "b/x.jpg": b"", "y.png": b"", "z.jpg": b"",
        "voc/a/1.xml": document(thing(), "x.jpg"),
        "voc/b/2.xml": document(thing(), r"C:\photos\x.jpg"),
        "voc/3.xml": document(thing(), "y.tif"),
        "voc/z.xml": document(thing(), "renamed-since.jpg"),
    }  # fmt: skip
    found = {row.origin: row.file for row in parsed(files, "voc").rows}
    assert found == {
        "voc/a/1.xml": "a/x.jpg",
        "voc/b/2.xml": "b/x.jpg",
        "voc/3.xml": "y.png",
        "voc/z.xml": "z.jpg",
    }


def test_an_image_without_objects_is_an_answer_and_one_with_only_bad_boxes_is_not():
    """No object says "nothing here"; boxes that cannot be read say nothing."""
    files = {
        "a.xml": document("", "a.jpg"),
        "b.xml": document(thing(edges="5 5 5 9"), "b.jpg"),
        "a.jpg": b"",
        "b.jpg": b"",
    }
    result = parsed(files)
    assert {r.file: r.answer for r in result.rows} == {"a.jpg": Answer(), "b.jpg": None}
    assert [(r.file, r.line) for r in result.refused] == [("b.xml", 4)]


def test_the_owners_two_broken_examples():
    """O93: a repeated <ymin> without <ymax> is named; the box becomes the right YOLO line."""
    wrong = (
        "<object><name>helmet</name><bndbox><xmin>330</xmin><ymin>321</ymin>"
        "<xmax>744</xmax><ymin>386</ymin></bndbox></object>"
    )
    result = parsed({"x.jpg": b"", "x.xml": document(f"{thing()}\n{wrong}", size=(980, 551))})
    (refusal,) = result.refused
    assert (refusal.file, refusal.line) == ("x.xml", 5)
    assert "<ymax> is missing" in refusal.reason
    assert "<ymin> is given twice" in refusal.reason
    assert len(boxes(result.rows)) == 1

    from core.formats import yolo

    box = Region("helmet", 330, 321, 744, 386)
    record = ExportRecord("x.jpg", width=980, height=551, answer=Answer({}, (box,)))
    line = yolo.emit([record], ["helmet"])["labels/x.txt"]
    assert line == b"0 0.547959 0.641561 0.422449 0.117967\n"


def test_class_order_follows_the_names_file_else_the_alphabet():
    """A list of names that knows every class used gives the order."""
    files = {"x.jpg": b"", "x.xml": document(thing("b") + thing("a"))}
    assert parsed(files).classes == ("a", "b")
    assert parsed({**files, "classes.txt": "b\nc\na\n"}).classes == ("b", "c", "a")
    assert parsed({**files, "classes.txt": "b\nc\n"}).classes == ("a", "b")


def test_every_name_of_an_item_gets_its_file_and_no_two_share_one():
    """Identical bytes under several names are annotated under each; a.jpg and a.png differ."""
    answer = Answer({}, (Region("cat", 1, 2, 3, 4),))
    files = voc.emit(
        [
            ExportRecord("p/a.jpg", ("p/a.jpg", "q/b.jpg"), 10, 10, answer),
            ExportRecord("p/a.png", (), 10, 10, answer),
            ExportRecord("p/none.png", (), 10, 10, None),
        ],
        ["cat"],
    )
    assert sorted(files) == [
        "classes.txt", "voc_xml/p/a.png.xml", "voc_xml/p/a.xml", "voc_xml/q/b.xml"
    ]  # fmt: skip


def test_foreign_text_is_escaped():
    """Labels and names with markup in them stay text."""
    answer = Answer({}, (Region("<b>&", 1, 2, 3, 4),))
    files = voc.emit([ExportRecord("a&b.jpg", (), 10, 10, answer)], ["<b>&"])
    row = parsed(files, "voc").rows[0]
    assert row.file == "a&b.jpg"
    assert boxes([row]) == [("<b>&", (1, 2, 3, 4))]


def test_other_xml_files_are_passed_over():
    """An XML file about something else is neither a row nor a fault."""
    result = parsed({"x.jpg": b"", "x.xml": document(thing()), "other.xml": "<project/>"})
    assert [r.origin for r in result.rows] == ["x.xml"]
    assert result.refused == ()
