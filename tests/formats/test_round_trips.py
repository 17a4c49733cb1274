"""What is written reads back the same, twice without drift, and changes nothing it is given."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.formats import FORMATS, ExportRecord, resolve_regions
from core.labels import Answer, Region
from core.labels.schema import clean_class_name
from tests.formats.trees import parsed


def is_class_name(text: str) -> bool:
    """Return whether a text is a class name in its one form."""
    try:
        return clean_class_name(text) == text
    except InputError:
        return False


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
HOSTILE = st.sampled_from(
    ["=1+1", "+x", "-x", "@x", "'=x", "''-x", 'a"b', "a,b", "a|b", "a;b", "-"]
)
NAMES = st.lists((TEXT | HOSTILE).filter(is_class_name), min_size=1, max_size=5, unique=True)
CELLS = TEXT | HOSTILE | st.sampled_from(["\tx", "\rx", "a\nb", "a\r\nb", " x ", '"', "'"])
KEYS = st.sampled_from(["site", "label", "=x", "meta:site", "Site", "file", "state", "x1", "width"])
SIDES = st.integers(20, 5000)


@st.composite
def box_records(draw, confidence: bool):
    """Draw (records, classes) of a box project; edges to a thousandth of a pixel."""
    classes = draw(NAMES)
    records = []
    for i in range(draw(st.integers(0, 4))):
        width, height = draw(SIDES), draw(SIDES)
        regions = []
        for _ in range(draw(st.integers(0, 4))):
            x = sorted(draw(st.lists(st.integers(0, width * 1000), min_size=2, max_size=2)))
            y = sorted(draw(st.lists(st.integers(0, height * 1000), min_size=2, max_size=2)))
            if x[1] - x[0] < 100 or y[1] - y[0] < 100:
                continue
            score = draw(st.none() | st.integers(0, 1000)) if confidence else None
            edges = (x[0] / 1000, y[0] / 1000, x[1] / 1000, y[1] / 1000)
            label = draw(st.sampled_from(classes))
            regions.append(Region(label, *edges, None if score is None else score / 1000))
        answer = Answer({}, tuple(regions))
        records.append(ExportRecord(f"images/{i}.jpg", (), width, height, answer, "agreed"))
    return records, classes


def again(format: str, records, classes, **options):
    """Return records as they read back after an export."""
    before = copy.deepcopy(records)
    files = FORMATS[format].emit(records, classes)
    assert records == before
    images = {r.file: b"" for r in records}
    result = parsed({**files, **images}, format, **options)
    assert result.refused == ()
    sizes = {r.file: (r.width, r.height) for r in records}
    back = []
    for row in result.rows:
        width, height = sizes[row.file]
        info = SimpleNamespace(width=width, height=height, orientation=1)
        answer, refused = resolve_regions(row, info)
        assert refused == []
        back.append(ExportRecord(row.file, (), width, height, answer, "agreed"))
    return back, result.classes


# Stated precision, pixels: VOC and tables exact, COCO 0.001, YOLO a millionth of the side.
PRECISION = {"voc": lambda side: 0, "table": lambda side: 0, "coco": lambda side: 1e-9,
             "yolo": lambda side: 1.5e-6 * side}  # fmt: skip


@pytest.mark.parametrize("format", sorted(PRECISION))
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_boxes_come_back_within_the_stated_precision_and_do_not_drift(format, data):
    """Once out and in is within the precision; a second time changes nothing at all."""
    scored = format in ("coco", "table", "yolo")
    records, classes = data.draw(box_records(scored))
    if not records:
        return
    once, order = again(format, records, classes, predictions=scored)
    assert set(order) >= {r.label for x in records for r in x.answer.regions}
    for given_record, found in zip(records, once, strict=True):
        tolerance = PRECISION[format](max(given_record.width, given_record.height))
        for a, b in zip(given_record.answer.regions, found.answer.regions, strict=True):
            assert (a.label, a.confidence) == (b.label, b.confidence)
            assert b.box == pytest.approx(a.box, abs=tolerance, rel=0)
    twice, _ = again(format, once, classes, predictions=scored)
    assert FORMATS[format].emit(twice, classes) == FORMATS[format].emit(once, classes)


@st.composite
def label_records(draw):
    """Draw records of a classification project, with every column filled or not."""
    classes = draw(NAMES)
    numbers = st.none() | st.floats(0, 1e6, allow_nan=False)
    records = []
    for i in range(draw(st.integers(1, 4))):
        choices = {"label": draw(st.sampled_from(classes))}
        if draw(st.booleans()):
            choices["season"] = draw(st.sampled_from(classes))
        metadata = draw(st.dictionaries(KEYS, CELLS.filter(bool), max_size=3))
        share = draw(st.none() | st.floats(0, 1))
        names = tuple(draw(st.lists(st.sampled_from(["a|b.jpg", "=c.jpg", "d.jpg"]), unique=True)))
        file = draw(st.sampled_from(["images/", "=", "-a/", "a b/"])) + f"{i}.jpg"
        records.append(
            ExportRecord(
                file,
                (file, *names),
                draw(SIDES),
                draw(SIDES),
                Answer(choices),
                "adjudicated",
                share,
                draw(st.none() | st.just("ann =1")),
                draw(numbers),
                metadata,
            )
        )
    return records, classes


@given(label_records())
@settings(max_examples=150, deadline=None)
def test_tables_bring_back_everything(drawn):
    """Answers, figures, names and metadata of any text, formulas included, are unchanged."""
    records, classes = drawn
    before = copy.deepcopy(records)
    files = FORMATS["table"].emit(records, classes)
    assert records == before
    result = parsed(files, question_keys=("season",))
    assert result.refused == ()
    back = [
        ExportRecord(
            r.file,
            r.names,
            r.width,
            r.height,
            r.answer,
            r.state,
            r.confidence,
            r.annotator,
            r.seconds,
            dict(r.metadata),
        )
        for r in result.rows
    ]
    assert back == records
    assert FORMATS["table"].emit(back, classes) == files


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_no_exported_cell_starts_as_a_formula(cells):
    """Whatever a label or a piece of metadata is, a spreadsheet sees text (B78, B79)."""
    import csv
    import io

    metadata = {f"k{i}": cell for i, cell in enumerate(cells)}
    record = ExportRecord("=f.jpg", answer=Answer({"label": "@x"}), metadata=metadata)
    text = FORMATS["table"].emit([record], [])["labels.csv"].decode()
    header, line = csv.reader(io.StringIO(text, newline=""))
    assert not [c for c in (*header, *line) if c[:1] in tuple("=+-@\t\r\n")[:7] and c]
