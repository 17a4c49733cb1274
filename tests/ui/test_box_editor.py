"""Editing boxes: what the keys do, and whose word counts when canvas and keys differ."""

from __future__ import annotations

import time

import pytest

from core.labels import LabelSchema, Region
from core.labels.schema import Task, make_question
from core.ui import box_editor
from core.ui.box_editor import drawing, questions, rail

SCHEMA = LabelSchema(Task.BOXES, (make_question("label", "Label", ["cell", "dust"]),))
BOXES = (Region("cell", 1, 1, 9, 9, 0.7), Region("dust", 20, 20, 30, 30))


def begun(**room: object) -> box_editor.Editing:
    """Return the editing of two boxes."""
    return box_editor.start(5, (640, 480), BOXES, SCHEMA, room or None)


def test_a_model_s_boxes_become_a_person_s() -> None:
    """Its confidence does not survive the editing; boxes of unknown classes are left out."""
    editing = box_editor.start(5, (640, 480), (*BOXES, Region("gone", 1, 1, 2, 2)), SCHEMA)
    assert [r.confidence for r in editing.regions] == [None, None]
    assert len(editing.regions) == 2


@pytest.mark.parametrize("room", [{}, {"width": "9"}, {"width": 1e9, "height": 5}, {"width": True}])
def test_a_room_nobody_can_have_is_not_believed(room: dict[str, object]) -> None:
    """The browser's measure is input; a wrong one gives the ordinary size."""
    assert begun(**room).display == begun().display


def test_picking_walks_the_boxes_and_lets_go_at_the_end() -> None:
    """Next and previous, with nothing picked in between."""
    editing = begun()
    seen = []
    for _ in range(4):
        rail.pick(editing, 1, None)
        seen.append(editing.picked)
    assert seen == [0, 1, None, 0]
    rail.pick(editing, -1, None)
    assert editing.picked is None


def test_a_class_key_renames_the_picked_box_and_is_kept_for_new_ones() -> None:
    """Without a pick it only says what new boxes are."""
    editing = begun()
    rail.take_class(editing, "dust", "old")
    assert [r.label for r in editing.regions] == ["cell", "dust"]
    assert (editing.label, editing.version) == ("dust", 0)
    rail.pick(editing, 1, "old")
    rail.take_class(editing, "dust", "old")
    assert [r.label for r in editing.regions] == ["dust", "dust"]
    assert editing.overruled == "old"


def test_delete_takes_the_picked_box_and_nothing_without_one() -> None:
    """The canvas is told by a new version of the drawing; a key pressed twice costs no second box."""
    editing = begun()
    rail.pick(editing, 1, None)
    version = editing.version
    rail.delete(editing, None)
    assert [r.label for r in editing.regions] == ["dust"]
    assert editing.version == version + 1
    rail.delete(editing, None)
    assert [r.label for r in editing.regions] == ["dust"]
    rail.pick(editing, 1, None)
    rail.delete(editing, None)
    assert editing.regions == ()


def test_time_at_the_canvas_leaves_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap longer than the limit was a break."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    editing = begun()
    editing.last_seen = now[0]
    for gap in (5, 400, 7):
        now[0] += gap
        editing.tick(60)
    assert editing.seconds == 12


def test_an_attribute_goes_to_the_picked_region_and_to_the_canvas(monkeypatch) -> None:
    """Taken away again where nothing is chosen; without a pick nothing happens."""
    editing = begun()
    monkeypatch.setattr(questions.st, "session_state", {"w": "high"})
    questions.take_attribute(editing, "severity", "w", "old")
    assert editing.version == 0
    rail.pick(editing, 1, None)
    questions.take_attribute(editing, "severity", "w", "old")
    assert editing.regions[0].attributes == (("severity", "high"),)
    assert editing.overruled == "old"
    monkeypatch.setattr(questions.st, "session_state", {"w": None})
    questions.take_attribute(editing, "severity", "w", "old")
    assert editing.regions[0].attributes == ()


def test_several_classes_are_kept_in_schema_order_and_none_is_an_answer(monkeypatch) -> None:
    """All that was answered is one answer, draft and vote alike."""
    tags = make_question("tags", "Tags", ["a", "b", "c"], several=True)
    editing = begun()
    monkeypatch.setattr(questions.st, "session_state", {"w": ["c", "a"]})
    questions.take_several(editing, tags, "w")
    assert editing.answer.multi == {"tags": ("a", "c")}
    monkeypatch.setattr(questions.st, "session_state", {})
    questions.take_several(editing, tags, "w")
    assert editing.answer.multi == {"tags": ()}


def test_a_drawing_nested_beyond_reading_is_no_drawing() -> None:
    """It neither crashes the page nor changes the regions."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert drawing.as_text({"objects": deep}) == ""
