"""What a label is: schemas, answers, regions, and whether two answers say the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.labels import Answer, LabelSchema, Region
from core.labels.compare import same_answer
from core.labels.geometry import boxes_of, iou_matrix, match_regions
from core.labels.region import checked_box
from core.labels.schema import Task, clean_class_name, has_visible, make_question

LEAVES = LabelSchema(
    Task.CLASSIFICATION,
    (make_question("label", "Label", ["oak", "elm"]), make_question("state", "State", ["dry"])),
)
CELLS = LabelSchema(Task.BOXES, (make_question("label", "Label", ["red", "white"]),))

edges = st.floats(0, 500, allow_nan=False).map(lambda v: round(v, 3))
boxes = st.builds(
    lambda label, x, y, w, h: Region(label, x, y, round(x + w + 1, 3), round(y + h + 1, 3)),
    st.sampled_from(["red", "white"]), edges, edges, edges, edges,
)  # fmt: skip
answers = st.builds(lambda r: Answer({}, tuple(r)), st.lists(boxes, max_size=6))


@given(answers)
def test_an_answer_survives_its_text(answer: Answer) -> None:
    """Writing and reading gives the same answer, and the same text again."""
    again = Answer.from_json(answer.to_json())
    assert again == answer
    assert again.to_json() == answer.to_json()


def test_equal_answers_have_equal_text() -> None:
    """The order in which questions were answered leaves no trace."""
    one, two = Answer({"a": "1", "b": "2"}), Answer({"b": "2", "a": "1"})
    assert one.to_json() == two.to_json()


def test_a_schema_survives_its_text() -> None:
    """Ids, colours and keys come back as they were."""
    assert LabelSchema.from_json(LEAVES.to_json()) == LEAVES


@pytest.mark.parametrize(
    ("schema", "answer", "said"),
    [
        (LEAVES, Answer({"label": "ash", "state": "dry"}), "ash"),
        (LEAVES, Answer({"label": "oak"}), "No answer yet to: state"),
        (LEAVES, Answer({"label": "oak", "state": "dry", "size": "x"}), "size"),
        (
            LEAVES,
            Answer({"label": "oak", "state": "dry"}, (Region("oak", 0, 0, 5, 5),)),
            "no boxes",
        ),
        (CELLS, Answer({}, (Region("blue", 0, 0, 5, 5),)), "blue"),
        (CELLS, Answer({}, (Region("red", 0, 0, math.nan, 5),)), "not a number"),
        (CELLS, Answer({}, (Region("red", 5, 5, 5, 9),)), "no area"),
        (CELLS, Answer({}, (Region("red", 90, 90, 120, 99),)), "outside"),
    ],
    ids=["class", "missing", "question", "boxes", "box-class", "nan", "area", "outside"],
)
def test_an_answer_that_does_not_fit_is_refused(
    schema: LabelSchema, answer: Answer, said: str
) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(InputError, match=said):
        schema.check(answer, 100, 100)


def test_a_box_is_cut_to_the_image() -> None:
    """An edge up to a pixel outside is brought to the edge."""
    assert checked_box(Region("red", -0.6, 0, 100.4, 50), 100, 100).box == (0, 0, 100, 50)


@given(answers, st.randoms())
def test_the_order_of_boxes_says_nothing(answer: Answer, rng) -> None:
    """Two answers with the same boxes say the same, whoever drew which first."""
    shuffled = list(answer.regions)
    rng.shuffle(shuffled)
    assert same_answer(answer, Answer({}, tuple(shuffled)))


@given(st.lists(boxes, max_size=5), st.lists(boxes, max_size=5))
def test_overlap_is_symmetric_and_within_bounds(a: list[Region], b: list[Region]) -> None:
    """Intersection over union lies between 0 and 1, whichever side is named first."""
    one = iou_matrix(boxes_of(a), boxes_of(b))
    assert np.allclose(one, iou_matrix(boxes_of(b), boxes_of(a)).T)
    assert ((one >= 0) & (one <= 1 + 1e-9)).all()


def test_each_box_is_matched_once_and_class_counts() -> None:
    """Two boxes on one cell match one; another class matches none."""
    cell = Region("red", 0, 0, 10, 10)
    assert match_regions([cell, Region("red", 1, 0, 11, 10)], [cell]) == [(0, 0, 1.0)]
    assert match_regions([cell], [Region("white", 0, 0, 10, 10)]) == []
    assert match_regions([cell], [Region("white", 0, 0, 10, 10)], same_class=False) == [(0, 0, 1.0)]


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "a\x00b", "a\nb", "\u202eevil", "x" * 201])
def test_a_name_nobody_can_read_is_no_class(name: str) -> None:
    """Blank, invisible, reordered and endless names are refused."""
    with pytest.raises(InputError):
        clean_class_name(name)


def test_two_spellings_of_one_letter_are_one_name() -> None:
    """Composed and decomposed accents give the same class."""
    assert clean_class_name("e\u0301rable ") == clean_class_name("\u00e9rable")


def test_a_class_named_twice_is_refused() -> None:
    """After cleaning the names."""
    with pytest.raises(InputError, match="twice"):
        make_question("label", "Label", ["oak", "oak "])


def test_only_what_can_be_read_is_a_reason() -> None:
    """A zero-width space says nothing."""
    assert not has_visible(" \u200b\u2060")
    assert has_visible(" . ")
