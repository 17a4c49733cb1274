"""Tables in and out."""

from __future__ import annotations

import csv
import io
import time

import pytest

from core.errors import InputError
from core.formats import ExportRecord, table
from core.labels import Answer, Region
from tests.formats.trees import boxes, parsed


def lines_of(files: dict[str, bytes]) -> list[list[str]]:
    """Return the cells of an exported table."""
    return list(csv.reader(io.StringIO(files["labels.csv"].decode(), newline="")))


def test_labels_votes_answers_and_metadata_each_find_their_place():
    """Known columns are understood in any order and case; the rest is metadata."""
    text = (
        "Site,FILE,Label,season,annotator,seconds,confidence,width,height\n"
        "north,x.jpg,cat,summer,ann,2.5,0.75,100,80\n"
        ",y.jpg,dog,,bob,,,,\n"
    )
    result = parsed({"a.csv": text}, question_keys=("season",), main_question="species")
    x, y = result.rows
    assert x.answer == Answer({"species": "cat", "season": "summer"})
    assert (x.annotator, x.seconds, x.confidence, x.width, x.height) == ("ann", 2.5, 0.75, 100, 80)
    assert x.metadata == {"Site": "north"}
    assert (x.line, y.line) == (2, 3)
    assert y.answer == Answer({"species": "dog"})
    assert (y.annotator, y.seconds, y.confidence, y.width, dict(y.metadata)) == (
        "bob", None, None, None, {}
    )  # fmt: skip
    assert result.classes == ("cat", "dog")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_are_recognised(sign, encoding):
    """Excel's semicolons, tabs and UTF-16 are read like commas in UTF-8."""
    data = f'file{sign}label{sign}site\r\nx.jpg{sign}é{sign}"a{sign}b"\r\n'.encode(encoding)
    (row,) = parsed({"a.csv": data}).rows
    assert row.answer == Answer({"label": "é"})
    assert row.metadata == {"site": f"a{sign}b"}


@pytest.mark.parametrize(
    ("header", "line", "box"),
    [
        ("x1,y1,x2,y2", "1,2,30.5,40", (1, 2, 30.5, 40)),
        ("xmin,ymin,xmax,ymax", "1,2,30.5,40", (1, 2, 30.5, 40)),
        ("x,y,w,h", "1,2,30.5,40", (1, 2, 31.5, 42)),
    ],
)
def test_boxes_of_one_image_are_gathered_with_their_lines(header, line, box):
    """One line per box; lines of one image and person make one row."""
    text = f"file,label,{header}\nx.jpg,cat,{line}\ny.jpg,,,,,\nx.jpg,dog,{line}\n"
    x, y = parsed({"a.csv": text}).rows
    assert boxes([x]) == [("cat", box), ("dog", box)]
    assert x.lines == (2, 4)
    assert y.answer == Answer()


def test_two_people_who_draw_on_one_image_are_two_rows():
    """Votes stay apart."""
    text = "file,annotator,label,x1,y1,x2,y2\nx,ann,cat,0,0,1,1\nx,bob,cat,0,0,2,2\n"
    rows = parsed({"a.csv": text}).rows
    assert [(r.annotator, len(r.answer.regions)) for r in rows] == [("ann", 1), ("bob", 1)]


def test_confidences_of_boxes_are_read_from_predictions_only():
    """'score' and 'confidence' of a box are a model's word; elsewhere a note says they were not read."""
    text = "file,label,x1,y1,x2,y2,confidence\nx,cat,0,0,1,1,0.5\n"
    result = parsed({"a.csv": text})
    assert result.rows[0].answer.regions[0].confidence is None
    assert "only from predictions" in result.notes[0]
    result = parsed({"a.csv": text.replace("confidence", "score")}, predictions=True)
    assert result.rows[0].answer.regions[0].confidence == 0.5


def test_a_cell_with_several_labels_costs_the_label_not_the_line():
    """An item takes one label; the metadata beside too many are kept."""
    result = parsed({"a.csv": "file,labels,site\nx,cat|dog,north\ny,cat,south\n"})
    assert [(r.answer, r.metadata["site"]) for r in result.rows] == [
        (None, "north"),
        (Answer({"label": "cat"}), "south"),
    ]
    assert "2 labels in one cell" in result.refused[0].reason


def test_the_label_column_can_be_named():
    """Another column is the label if asked for; one that is absent is named in the error."""
    text = "file,species,label\nx,oak,good\n"
    row = parsed({"a.csv": text}, "table", label_column="species").rows[0]
    assert row.answer == Answer({"label": "oak"})
    assert row.metadata == {"label": "good"}
    with pytest.raises(InputError, match="'genus'"):
        parsed({"a.csv": text}, "table", label_column="genus")


def test_words_for_nothing_are_labels_like_others():
    """'none', 'null' and 'nan' are not missing values (B90)."""
    text = "file,label\n" + "".join(f"{i},{w}\n" for i, w in enumerate(["none", "null", "nan"]))
    assert parsed({"a.csv": text}).classes == ("nan", "none", "null")


def test_somebodys_federal_state_is_metadata_and_ours_is_a_state():
    """The column is ours only if every cell is a state we write."""
    ours = parsed({"a.csv": "file,label,state\nx,cat,agreed\ny,,open\n"}).rows
    assert [(r.state, dict(r.metadata)) for r in ours] == [("agreed", {}), ("open", {})]
    theirs = parsed({"a.csv": "file,label,state\nx,cat,Ohio\ny,,open\n"}).rows
    assert [(r.state, dict(r.metadata)) for r in theirs] == [
        ("", {"state": "Ohio"}),
        ("", {"state": "open"}),
    ]


def test_a_width_that_is_no_pixels_is_metadata():
    """'12 cm' says something of the object, not of the file."""
    row = parsed({"a.csv": "file,label,width\nx,cat,12 cm\n"}).rows[0]
    assert (row.width, dict(row.metadata)) == (None, {"width": "12 cm"})


def test_columns_of_an_export_of_labels():
    """Predictions start with file, label, confidence; every name is listed."""
    record = ExportRecord(
        "a.jpg", ("a.jpg", "b|c.jpg"), 10, 20, Answer({"label": "cat", "season": "summer"}),
        "agreed", 0.75, "ann", 2.5, {"site": "north", "label": "old", "why": "z"}, {"why": "extra"},
    )  # fmt: skip
    header, line = lines_of(table.emit([record], ["cat"]))
    assert header == [
        "file", "label", "confidence", "state", "annotator", "seconds", "season", "names",
        "width", "height", "site", "meta:label", "meta:why", "why",
    ]  # fmt: skip
    assert line == [
        "a.jpg", "cat", "0.75", "agreed", "ann", "2.5", "summer", "a.jpg|b\\|c.jpg",
        "10", "20", "north", "old", "z", "extra",
    ]  # fmt: skip


def test_columns_of_an_export_of_boxes():
    """A line per box: file, label, x1, y1, x2, y2, confidence; one line where there is none."""
    records = [
        ExportRecord("a.jpg", answer=Answer({}, (Region("cat", 1, 2, 3.5, 4, 0.5),))),
        ExportRecord("b.jpg", answer=Answer()),
        ExportRecord("c.jpg"),
    ]
    header, *lines = lines_of(table.emit(records, ["cat"]))
    assert header[:7] == ["file", "label", "x1", "y1", "x2", "y2", "confidence"]
    assert [line[:8] for line in lines] == [
        ["a.jpg", "cat", "1", "2", "3.5", "4", "0.5", ""],
        ["b.jpg", "", "", "", "", "", "", ""],
        ["c.jpg", "", "", "", "", "", "", "open"],
    ]
    again = parsed(table.emit(records, ["cat"])).rows
    assert [r.answer and len(r.answer.regions) for r in again] == [1, 0, None]


def test_a_hundred_thousand_lines_are_read_in_seconds():
    """Votes at scale: about a second of CPU on a quiet machine; the bound leaves room."""
    lines = [f"images/{i}.jpg,cls{i % 10},p{i % 7},{i % 30}.5,north\n" for i in range(100_000)]
    text = "file,label,annotator,seconds,site\n" + "".join(lines)
    start = time.process_time()
    assert len(parsed({"a.csv": text}).rows) == 100_000
    assert time.process_time() - start < 5
