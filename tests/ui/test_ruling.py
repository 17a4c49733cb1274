"""Digits typed ahead while a lead rules."""

from __future__ import annotations

import pytest

from core.labels import Answer
from core.labels.schema import LabelSchema, Task, make_question
from core.ui import ruling
from core.ui.ruling import HASTE_SECONDS, Draft
from core.ui.theme import STYLE

SCHEMA = LabelSchema(
    Task.CLASSIFICATION,
    (
        make_question("species", "Species", ["oak", "elm", "ash"]),
        make_question("state", "State", ["fresh", "dry"]),
    ),
)


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> object:
    """Give a function that presses a species' digit so many seconds after the last one."""
    now, draft = [100.0], Draft(1)
    monkeypatch.setattr(ruling.time, "monotonic", lambda: now[0])

    def on_species(digit: int, after: float) -> dict[str, str]:
        now[0] += after
        species = SCHEMA.questions[0]
        ruling._press(draft, SCHEMA, species, species.classes[digit - 1])
        assert draft.answer is not None
        return dict(draft.answer.choices)

    return on_species


def test_a_digit_typed_ahead_answers_the_next_question(press) -> None:
    """It was pressed before the page could say that the digits mean the second question now."""
    assert press(3, 5) == {"species": "ash"}
    assert press(1, HASTE_SECONDS / 2) == {"species": "ash", "state": "fresh"}


def test_a_digit_pressed_later_changes_the_answer(press) -> None:
    """After a moment a click on a species means the species."""
    press(3, 5)
    assert press(1, HASTE_SECONDS * 2) == {"species": "oak"}


def test_a_digit_the_next_question_does_not_have_changes_nothing(press) -> None:
    """Typed ahead, 3 is no state; the species stays too."""
    press(1, 5)
    assert press(3, HASTE_SECONDS / 2) == {"species": "oak"}


def test_the_hint_says_what_a_ruling_lacks() -> None:
    """A ruling that lacks something does nothing yet, so the line below tells what it lacks."""
    for complete in (True, False):
        assert "D, N, X and B need a reason" in ruling._what_is_missing(False, complete)
    assert "N, X and B do not" in ruling._what_is_missing(True, False)


def test_the_question_in_hand_is_the_first_open_one() -> None:
    """Its keys are shown and it stays in sight; with nothing open it is the first again."""
    species, state = SCHEMA.questions
    answered = Draft(1, answer=Answer({"species": "oak"}))
    assert ruling._question_in_hand(SCHEMA, Draft(1)) is species
    assert ruling._question_in_hand(SCHEMA, answered) is state
    assert "st-key-tb-hand-" in STYLE.read_text(encoding="utf-8")
