"""B38 to B77: broken and hostile annotation files, format by format.

Each row of `FILES` is refused as a whole; each row of `PARTS` costs only the part that is bad,
named by file and, where the format has lines, by line, and the rest beside it is kept.
"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadAnnotationFile, LimitExceeded
from core.formats import resolve_regions
from core.formats.base import Row
from core.intake import ImageInfo
from tests.bad_inputs.outcomes import outcome, says_what
from tests.formats.test_coco import document
from tests.formats.trees import boxes, parsed, voc
from tests.formats.trees import voc_object as thing

INFO = ImageInfo("0" * 64, 100, 80, "JPEG", 1, 1)
GOOD_BOX = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}
LINE = "0 0.5 0.5 0.2 0.4"
BOMB = "<!DOCTYPE a [" + "".join(
    f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "lol"}">' for i in range(12)
) + "]>"  # fmt: skip


def coco(**changes: object) -> str:
    """Return a COCO file."""
    return json.dumps(document(**changes))


def coco_raw(box: str = "[1, 2, 3, 4]", **keys: str) -> str:
    """Return a COCO file with values written as they are given."""
    entry = {"id": "1", "image_id": "7", "category_id": "3", "bbox": box, **keys}
    text = ", ".join(f'"{k}": {v}' for k, v in entry.items())
    return coco(annotations=["here"]).replace('"here"', "{" + text + "}")


def yaml_bomb() -> str:
    """Return the billion laughs in YAML."""
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return "\n".join([*lines, "names: *a11"])


# row: (files, what the message says, line in it or None)
FILES: dict[str, tuple[dict[str, bytes | str], str, int | None]] = {
    "B38-doctype": ({"x.xml": "<?xml version='1.0'?>\n<!DOCTYPE a>\n" + voc(thing())}, "DOCTYPE", 2),
    "B38-external-entity": (
        {"x.xml": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + voc(thing("&e;"))},
        "DOCTYPE", 1),
    "B39-billion-laughs": ({"x.xml": BOMB + voc(thing("&e11;"))}, "DOCTYPE", 1),
    "B40-nesting": (
        {"x.xml": "<annotation>" + "<a>" * 100_000 + "</a>" * 100_000 + "</annotation>"},
        "nested", 1),
    "B40-objects": ({"x.xml": voc("<object/>" * 100_001)}, "over 100,000 objects", 4),
    "B47-wrong-encoding": (
        {"x.xml": "<?xml version='1.0' encoding='utf-8'?>\n<annotation><filename>é"
                  .encode("latin-1")}, "not XML", 2),
    "B47-unknown-encoding": (
        {"x.xml": "<?xml version='1.0' encoding='klingon'?><annotation/>"}, "", 1),
    "B47-korean-encoding": (
        {"x.xml": "<?xml version='1.0' encoding='euc-kr'?><annotation/>"}, "", 1),
    "B47-cut-off": ({"x.xml": voc(thing())[:60]}, "not XML", None),
    "B50-list": ({"x.json": "[]"}, "top level is a list", None),
    "B50-number": ({"x.json": "3"}, "top level is int", None),
    "B50-no-images": ({"x.json": '{"annotations": []}'}, "no 'images'", None),
    "B50-images-no-list": ({"x.json": '{"images": {}}'}, "'images' is not a list", None),
    "B54-image-ids": ({"x.json": coco(images=document()["images"] * 2)}, "images have the id 7", None),
    "B54-category-ids": (
        {"x.json": coco(categories=document()["categories"] * 2)}, "categories have the id 3", None),
    "B55-5000-digits": ({"x.json": coco_raw(image_id="9" * 5000)}, "", None),
    "B56-nesting": ({"x.json": "[" * 100_000 + "]" * 100_000}, "nested", None),
    "B56-nesting-inside": ({"x.json": coco_raw(box="[" * 100_000 + "]" * 100_000)}, "nested", None),
    "B57-duplicate-keys": ({"x.json": coco_raw(**{"bbox": "[1,2,3,4], \"bbox\": [9,9,9,9]"})},
                           "'bbox' twice", None),
    "B56-not-json": ({"x.json": '{\n"images": [,]\n}'}, "not JSON", 2),
    "B70-python-tag": (
        {"x.txt": LINE, "data.yaml": "names: [!!python/object/apply:os.system ['true']]"}, "plain", 1),
    "B70-python-tag-name": (
        {"x.txt": LINE, "data.yaml": "names:\n- !!python/name:os.system x"}, "plain", 2),
    "B70-alias-bomb": ({"x.txt": LINE, "data.yaml": yaml_bomb()}, "plain word", None),
    "B70-duplicate-index": (
        {"x.txt": LINE, "data.yaml": "names:\n  0: cat\n  1: dog\n  0: cow"}, "0 is named twice", 4),
    "B70-gap": ({"x.txt": LINE, "data.yaml": "names:\n  0: cat\n  2: dog"}, "class 1 has no name", None),
    "B70-duplicate-name": ({"x.txt": LINE, "classes.txt": "cat\ndog\ncat"}, "'cat' is named twice", 3),
    "B70-empty-line": ({"x.txt": LINE, "classes.txt": "cat\n\ndog"}, "empty", 2),
    "B70-nesting": ({"x.txt": LINE, "data.yaml": "names: " + "[" * 20_000}, "YAML", None),
    "B70-large": ({"x.txt": LINE, "data.yaml": "names: [" + "a, " * 90_000}, "larger than", None),
    "B72-nul": ({"x.csv": "file,label\nx,a\ny,b\x00\n"}, "NUL", 3),
    "B73-long-field": ({"x.csv": 'file,label\nx,a\ny,"' + "b" * 200_000 + '"\n'}, "limit", 3),
    "B75-latin-1": ({"x.csv": "file,label\nx,a\ny,é\n".encode("latin-1")}, "not UTF-8", 3),
    "B75-utf-16-unmarked": ({"x.csv": "file,label\nx,a\n".encode("utf-16-le")}, "", None),
    "B76-duplicate-headers": ({"x.csv": "file,label,file\nx,a,y\n"}, "'file' is named twice", 1),
    "B76-duplicate-metadata": ({"x.csv": "file,site,site\nx,a,y\n"}, "'site' is named twice", 1),
    "B76-case-of-known": ({"x.csv": "file,label,Label\nx,a,y\n"}, "'Label' is named twice", 1),
    "B76-no-name": ({"x.csv": "file,,label\nx,a,y\n"}, "column 2 has no name", 1),
    "B76-no-file-column": ({"x.csv": "picture,label\nx,a\n"}, "no column names the image", 1),
    "B77-unclosed-quote": ({"x.csv": 'file,label\nx,a\ny,"b\nz,c\n'}, "never closed", 3),
    "B77-empty": ({"x.csv": ""}, "empty", None),
}  # fmt: skip
FORMAT_OF = {".xml": "voc", ".json": "coco", ".txt": "yolo", ".csv": "table"}


@pytest.mark.parametrize("row", FILES)
def test_a_bad_file_is_refused_with_its_line(row):
    """The message names the file, the line and what is wrong; it is quick."""
    files, says, line = FILES[row]
    main = next(iter(files))
    start = time.process_time()
    with pytest.raises(BadAnnotationFile) as caught:
        parsed({"x.jpg": b"", **files}, FORMAT_OF[main[-4:] if main[-5:] != ".json" else ".json"],
               main_file=None if main == "x.txt" else main)  # fmt: skip
    assert time.process_time() - start < 3
    assert says in caught.value.message
    assert caught.value.advice
    if line is not None:
        assert f"line {line}:" in caught.value.message


def xml(*objects: str) -> dict[str, str]:
    """Return one VOC file: objects on lines 4, 5 …"""
    return {"x.xml": voc("\n".join(objects))}


# row: (files, number of boxes kept once placed, refused (file, line or None) and what is said)
PARTS: dict[str, tuple[dict[str, bytes | str], int, list[tuple[str, int | None, str]]]] = {
    "B41-no-bndbox": (xml(thing(), "<object><name>cat</name></object>"), 1,
                      [("x.xml", 5, "<bndbox> is missing")]),
    "B41-no-name": (xml(thing(), thing().replace("name>", "nome>")), 1,
                    [("x.xml", 5, "<name> is missing")]),
    "B41-empty-name": (xml(thing(), thing(" ")), 1, [("x.xml", 5, "empty or invisible")]),
    "B42-min-over-max": (xml(thing(), thing(edges="30 2 1 40")), 1, [("x.xml", 5, "inside out")]),
    "B42-no-area": (xml(thing(), thing(edges="30 2 30 40")), 1, [("x.xml", 5, "no area")]),
    "B43-outside": (xml(thing(), thing(edges="1 2 300 40")), 1, [("x.xml", 5, "outside")]),
    "B43-negative": (xml(thing(), thing(edges="-9 2 30 40")), 1, [("x.xml", 5, "outside")]),
    "B44-word": (xml(thing(), thing(edges="one 2 30 40")), 1, [("x.xml", 5, "'one' is not a number")]),
    "B44-nan": (xml(thing(), thing(edges="nan 2 30 40")), 1, [("x.xml", 5, "not a number")]),
    "B44-infinity": (xml(thing(), thing(edges="1 2 inf 40")), 1, [("x.xml", 5, "not a number")]),
    "B44-underscore": (xml(thing(), thing(edges="1 2 1_0 40")), 1, [("x.xml", 5, "'1_0'")]),
    "B44-full-width": (xml(thing(), thing(edges="１ 2 30 40")), 1, [("x.xml", 5, "not a number")]),
    "B44-too-large": (xml(thing(), thing(edges="1 2 1e999 40")), 1, [("x.xml", 5, "too large")]),
    "B44-empty": (xml(thing(), thing(edges="1 2  40")), 1, [("x.xml", 5, "not a number")]),
    "B45-size": ({"x.xml": voc(thing(), size=(640, 480))}, 0, [("x.xml", 0, "640×480")]),
    "B46-path": ({"x.xml": voc(thing(), "/etc/../home/me/x.jpg")}, 1, []),
    "B47-utf-16": ({"x.xml": voc(thing()).encode("utf-16")}, 1, []),
    "B47-latin-1-declared": (
        {"x.xml": ("<?xml version='1.0' encoding='latin-1'?>" + voc(thing("é"))).encode("latin-1")},
        1, []),
    "B51-nan": ({"x.json": coco_raw("[NaN, 2, 3, 4]")}, 0, [("x.json", 0, "finite")]),
    "B51-infinity": ({"x.json": coco_raw("[1, 2, Infinity, 4]")}, 0, [("x.json", 0, "finite")]),
    "B51-1e400": ({"x.json": coco_raw("[1, 2, 1e400, 4]")}, 0, [("x.json", 0, "finite")]),
    "B51-huge-integer": ({"x.json": coco_raw(f"[1, 2, {'9' * 400}, 4]")}, 0, [("x.json", 0, "finite")]),
    "B51-text": ({"x.json": coco_raw('[1, 2, "3", 4]')}, 0, [("x.json", 0, "finite")]),
    "B51-three": ({"x.json": coco_raw("[1, 2, 3]")}, 0, [("x.json", 0, "four")]),
    "B51-true": ({"x.json": coco_raw("[1, 2, true, 4]")}, 0, [("x.json", 0, "finite")]),
    "B52-zero-width": ({"x.json": coco_raw("[1, 2, 0, 4]")}, 0, [("x.json", 0, "no area")]),
    "B52-negative": ({"x.json": coco_raw("[1, 2, 3, -4]")}, 0, [("x.json", 0, "no area")]),
    "B52-beside-a-good-one": (
        {"x.json": coco(annotations=[GOOD_BOX, {**GOOD_BOX, "id": 2, "bbox": [1, 2, 0, 4]}])}, 1,
        [("x.json", 0, "annotation 2")]),
    "B53-missing-image": (
        {"x.json": coco(annotations=[GOOD_BOX, {**GOOD_BOX, "id": 2, "image_id": 8}])}, 1,
        [("x.json", 0, "not listed")]),
    "B53-missing-category": (
        {"x.json": coco(annotations=[GOOD_BOX, {**GOOD_BOX, "id": 2, "category_id": 9}])}, 1,
        [("x.json", 0, "category '9' is not listed")]),
    "B54-annotation-ids": ({"x.json": coco(annotations=[GOOD_BOX, GOOD_BOX])}, 1,
                           [("x.json", 0, "same id")]),
    "B55-text-id": ({"x.json": coco(annotations=[GOOD_BOX, {**GOOD_BOX, "id": 2, "image_id": "7"}])},
                    1, [("x.json", 0, "not listed")]),
    "B55-float-id": ({"x.json": coco(annotations=[GOOD_BOX, {**GOOD_BOX, "id": 2, "image_id": 7.0}])},
                     1, [("x.json", 0, "not listed")]),
    "B55-bool-id": (
        {"x.json": coco(categories=[{"id": 3, "name": "cat"}, {"id": True, "name": "dog"}])}, 1,
        [("x.json", 0, "whole number")]),
    "B55-1e400-id": ({"x.json": coco_raw(image_id="1e400")}, 0, [("x.json", 0, "not listed")]),
    "B55-null": ({"x.json": coco(annotations=[GOOD_BOX, None])}, 1, [("x.json", 0, "not an object")]),
    "B58-surrogate-name": (
        {"x.json": coco(categories=[{"id": 3, "name": "cat"}, {"id": 4, "name": "\ud800"}])}, 1,
        [("x.json", 0, "category 4")]),
    "B58-surrogate-file": (
        {"x.json": coco(images=[*document()["images"], {"id": 8, "file_name": "\ud800.jpg"}])}, 1,
        [("x.json", 0, "file_name")]),
    "B59-byte-order-mark": ({"x.json": b"\xef\xbb\xbf" + coco().encode()}, 1, []),
    "B59-utf-16": ({"x.json": coco().encode("utf-16")}, 1, []),
    "B60-mask": (
        {"x.json": coco(annotations=[{**GOOD_BOX, "segmentation": {"size": [1, 1], "counts": [10**9]}}])},
        1, []),
    "B61-polygons": (
        {"x.json": coco(annotations=[{**GOOD_BOX, "segmentation": [[1], [1, 2, 3], [0, 0, 9, 9, 0, 9]]}])},
        1, []),
    "B61-no-bbox": ({"x.json": coco(annotations=[{"id": 1, "image_id": 7, "category_id": 3}])}, 0,
                    [("x.json", 0, "no 'bbox'")]),
    "B64-four-columns": ({"x.txt": f"{LINE}\n0 0.5 0.5 0.2"}, 1, [("x.txt", 2, "4 columns, expected 5")]),
    "B64-six-columns": ({"x.txt": f"{LINE}\n{LINE} 0.9"}, 1, [("x.txt", 2, "6 columns")]),
    "B65-minus-one": ({"x.txt": f"{LINE}\n-1{LINE[1:]}"}, 1, [("x.txt", 2, "class '-1'")]),
    "B65-float": ({"x.txt": f"{LINE}\n1.0{LINE[1:]}"}, 1, [("x.txt", 2, "class '1.0'")]),
    "B65-beyond-names": ({"x.txt": f"{LINE}\n2{LINE[1:]}", "classes.txt": "cat\ndog\n"}, 1,
                         [("x.txt", 2, "class 2 has no name")]),
    "B65-superscript": ({"x.txt": f"{LINE}\n²{LINE[1:]}"}, 1, [("x.txt", 2, "whole number")]),
    "B66-a-rounding-over": ({"x.txt": "0 0.5 0.5 1.0000001 1"}, 1, []),
    "B66-far-over": ({"x.txt": f"{LINE}\n0 0.5 0.5 1.5 0.4"}, 1, [("x.txt", 2, "not between 0 and 1")]),
    "B66-sticks-out": ({"x.txt": f"{LINE}\n0 0.9 0.5 0.4 0.4"}, 1, [("x.txt", 2, "outside")]),
    "B67-comma": ({"x.txt": f"{LINE}\n0 0,5 0,5 0,2 0,4"}, 1, [("x.txt", 2, "decimal comma")]),
    "B67-nan": ({"x.txt": f"{LINE}\n0 nan 0.5 0.2 0.4"}, 1, [("x.txt", 2, "not a number")]),
    "B68-crlf-tabs": ({"x.txt": f"{LINE}\r\n\r\n{LINE}\r\n".replace(" ", "\t") + LINE}, 3, []),
    "B68-byte-order-mark": ({"x.txt": b"\xef\xbb\xbf" + LINE.encode()}, 1, []),
    "B69-no-image": ({"x.txt": LINE, "y.txt": LINE}, 1, [("y.txt", 0, "no image")]),
    "B69-no-labels": ({"x.txt": LINE, "y.jpg": b""}, 1, []),
    "B71-polygon-line": ({"x.txt": f"{LINE}\n0 0.1 0.1 0.2 0.1 0.2 0.2"}, 1,
                         [("x.txt", 2, "polygon of 3 points")]),
    "B74-ragged": ({"x.csv": "file,label,x1,y1,x2,y2\nx.jpg,a,1,2,3\nx.jpg,a,1,2,3,4\nx.jpg,a,1,2,3,4,5\n"},
                   1, [("x.csv", 2, "5 columns, the first line has 6"), ("x.csv", 4, "7 columns")]),
    "B74-no-box": ({"x.csv": "file,label,x1,y1,x2,y2\nx.jpg,a,1,2,3,4\nx.jpg,a,,,,\n"}, 1,
                   [("x.csv", 3, "the label has no box")]),
    "B74-no-label": ({"x.csv": "file,label,x1,y1,x2,y2\nx.jpg,a,1,2,3,4\nx.jpg,,1,2,3,4\n"}, 1,
                     [("x.csv", 3, "the box has no label")]),
    "B74-no-file": ({"x.csv": "file,label,x1,y1,x2,y2\nx.jpg,a,1,2,3,4\n,a,1,2,3,4\n"}, 1,
                    [("x.csv", 3, "no image is named")]),
    "B75-semicolon": ({"x.csv": "file;label;x1;y1;x2;y2\nx.jpg;a;1;2;3;4\n"}, 1, []),
    "B75-utf-16": ({"x.csv": "file,label,x1,y1,x2,y2\nx.jpg,a,1,2,3,4\n".encode("utf-16")}, 1, []),
}  # fmt: skip


@pytest.mark.parametrize("row", PARTS)
def test_a_bad_part_is_left_out_alone(row):
    """The refusals name the place; every box beside is kept."""
    files, kept, expected = PARTS[row]
    result = parsed({"x.jpg": b"", **files})
    refused, placed = list(result.refused), 0
    for found in result.rows:
        if found.file == "x.jpg":
            answer, bad = resolve_regions(found, INFO)
            placed += len(answer.regions) if answer else 0
            refused += bad
    assert placed == kept
    assert [(r.file, r.line) for r in refused] == [(file, line) for file, line, _ in expected]
    for refusal, (_, _, says) in zip(refused, expected, strict=True):
        assert says in refusal.reason
        assert refusal.reason.endswith(".")
        refusal.reason.encode()  # no lone surrogate reaches whoever prints it


def test_b48_labels_are_reported_as_they_stand():
    """Which classes a project knows is not decided here: the caller refuses unknown ones."""
    assert parsed({"x.jpg": b"", **xml(thing("dog"))}).classes == ("dog",)


def test_b49_edges_keep_their_place():
    """A box over the whole image comes in as 0…width and goes out so, again and again."""
    from core.formats import ExportRecord
    from core.formats import voc as format

    result = parsed({"x.jpg": b"", **xml(thing(edges="0 0 100 80"))})
    for _ in range(3):
        answer, refused = resolve_regions(result.rows[0], INFO)
        assert refused == []
        assert answer.regions[0].box == (0, 0, 100, 80)
        result = parsed(
            format.emit([ExportRecord("x.jpg", (), 100, 80, answer)], ["cat"]) | {"x.jpg": b""}
        )


def test_b62_a_file_over_the_limit_is_refused_before_it_is_read():
    """Nothing of 200 MB is loaded."""
    from core.intake import Entry
    from tests.formats.trees import MemoryTree

    class Large(MemoryTree):
        def files(self):
            return [Entry("x.json", 200_000_000)]

        def read(self, path):
            raise AssertionError("read")

    from core.formats import parse

    with pytest.raises(LimitExceeded, match=r"x\.json"):
        parse(Large({}), "coco", main_file="x.json")


def test_b63_a_category_renamed_between_files_is_said():
    """Each file's own name is used; a note names both."""
    other = coco(categories=[{"id": 3, "name": "kitten"}])
    result = parsed({"a/x.jpg": b"", "b/x.jpg": b"", "a/a.json": coco(), "b/b.json": other})
    assert [label for label, _ in boxes(result.rows)] == ["cat", "kitten"]
    assert any("'cat'" in n and "'kitten'" in n for n in result.notes)


def test_b66_values_that_were_cut_are_said():
    """Clipping a rounding leaves a note."""
    result = parsed({"x.jpg": b"", "x.txt": "0 0.5 0.5 1.0000001 1", "classes.txt": "cat"})
    assert any("cut" in n for n in result.notes)


def test_one_bad_file_among_good_ones_is_left_out_alone():
    """The other 363 images keep their labels."""
    files = {"x.jpg": b"", "y.jpg": b"", "x.xml": voc(thing()), "y.xml": "<annotation"}
    result = parsed(files)
    assert [r.file for r in result.rows] == ["x.jpg"]
    assert [r.file for r in result.refused] == ["y.xml"]


def test_b80_to_b85_labels_that_are_refused_or_kept():
    """Empty and invisible labels are none; markup, SQL and templates are text."""
    text = "file,label\na,\u200b\nb,<script>\nc,'; DROP TABLE--\nd,{0} %s\ne,cafe\u0301\nf,café\n"
    result = parsed({"x.csv": text})
    assert [r.line for r in result.refused] == [2]
    assert result.classes == ("'; DROP TABLE--", "<script>", "café", "{0} %s")
    long = parsed({"x.csv": f"file,label\na,{'x' * 10_000}\nb,y\n"})
    assert "10000 characters" in long.refused[0].reason


STARTS = {
    "voc": ("x.xml", [b"", b"<annotation>", voc(thing()).encode()[:120], b"\xff\xfe<\x00a\x00"]),
    "coco": ("x.json", [b"", b'{"images": [', coco().encode()[:150], b"\xff\xfe{\x00"]),
    "yolo": ("x.txt", [b"", LINE.encode() + b"\n", b"0 0.5 "]),
    "table": ("x.csv", [b"", b"file,label\n", b"file,label,x1,y1,x2,y2\nx.jpg,a,", b"\xff\xfef\x00"]),
}  # fmt: skip


def in_the_image(row: Row) -> None:
    """Check that what is taken of a row can be drawn: finite numbers, some area, within the image."""
    answer, refused = resolve_regions(row, INFO)
    assert all(says_what(r.reason) for r in refused)
    for region in answer.regions if answer else ():
        x1, y1, x2, y2 = region.box
        assert 0 <= x1 < x2 <= INFO.width
        assert 0 <= y1 < y2 <= INFO.height


@pytest.mark.parametrize("format", STARTS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_rows_or_an_input_error(format, data):
    """Whatever follows whatever start, nothing but an error of ours comes out."""
    path, starts = STARTS[format]
    content = data.draw(st.sampled_from(starts)) + data.draw(st.binary(max_size=200))
    for name in (format, "auto"):
        result = outcome(lambda name=name: parsed({"x.jpg": b"", path: content}, name))
        if result is None:
            continue
        assert all(says_what(r.reason) and r.file for r in result.refused)
        for row in result.rows:
            assert row.file
            in_the_image(row)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["id", "image_id", "category_id", "bbox", "file_name", "name", "width"]),
        inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["images", "annotations", "categories"]), st.lists(JSON) | JSON)
)
@settings(max_examples=200, deadline=None)
def test_arbitrary_json_in_the_shape_of_coco_is_rows_or_an_input_error(content):
    """Values of any type in any place are refused, not stumbled over."""
    files = {"x.json": json.dumps(content)}
    result = outcome(lambda: parsed(files, "coco", main_file="x.json"))
    if result is None:
        return
    assert {r.file for r in result.refused} <= {"x.json"}
    assert all(says_what(r.reason) for r in result.refused)


@given(st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_arbitrary_yaml_is_names_or_an_input_error(text):
    """A names file can hold anything."""
    for start in ("", "names: ", "names:\n"):
        content = (start + text).encode("utf-8", "replace")
        files = {"x.jpg": b"", "x.txt": LINE, "data.yaml": content}
        result = outcome(lambda files=files: parsed(files, "yolo"))
        if result is None:
            continue
        assert [r.file for r in result.rows] == ["x.jpg"] or result.refused
        assert all(isinstance(c, str) and c for c in result.classes)
