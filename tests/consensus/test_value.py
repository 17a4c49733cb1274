"""The order of disputes: unsure and important ones first, whatever the order of votes."""

from __future__ import annotations

import pytest

from core.consensus.value import (
    NOTHING,
    agreement_of_regions,
    dispute_value,
    doubt_of,
    entropy,
    rarity_of,
)
from core.labels import Answer, Region
from core.labels.schema import LabelSchema, Task, make_question

KIND = make_question("label", "Kind", ["cat", "dog", "owl"])
PETS = LabelSchema(Task.CLASSIFICATION, (KIND,))
CELLS = LabelSchema(Task.BOXES, (make_question("label", "Cell", ["red", "white"]),))


def say(label: str) -> Answer:
    return Answer({"label": label})


def box(label: str, left: float) -> Region:
    return Region(label, left, 0, left + 10, 10)


def test_an_even_split_is_as_unsure_as_can_be_and_agreement_is_sure() -> None:
    """Entropy runs from 0 to 1 and a two-to-one vote lies between."""
    assert entropy(["a", "a"]) == 0
    assert entropy(["a", "b"]) == pytest.approx(1)
    assert entropy("abc") == pytest.approx(1)
    assert entropy("aab") == pytest.approx(0.9183, abs=1e-4)
    assert entropy([]) == 0


def test_the_part_left_most_open_counts() -> None:
    """One question in dispute among several is a dispute; no answer leaves all open."""
    asked = LabelSchema(Task.CLASSIFICATION, (KIND, make_question("age", "Age", ["young", "old"])))
    alike = [Answer({"label": "cat", "age": "old"}), Answer({"label": "cat", "age": "young"})]
    assert doubt_of(alike, asked, 0.5).uncertainty == pytest.approx(1)
    assert doubt_of([say("cat")] * 3, PETS, 0.5).uncertainty == 0
    assert doubt_of([], PETS, 0.5).uncertainty == 1


def test_votes_in_another_order_are_as_unsure() -> None:
    """Neither the order of votes nor who cast them matters."""
    votes = [say("cat"), say("dog"), say("cat")]
    assert doubt_of(votes, PETS, 0.5).uncertainty == doubt_of(votes[::-1], PETS, 0.5).uncertainty


def test_regions_are_unsure_where_people_drew_other_things() -> None:
    """Half the people behind one of two things, all behind the other: 0.75 agree."""
    both = Answer(regions=(box("red", 0), box("red", 50)))
    one = Answer(regions=(box("red", 0),))
    assert agreement_of_regions([both, one], 0.5) == pytest.approx(0.75)
    assert doubt_of([both, one], CELLS, 0.5).uncertainty == pytest.approx(0.25)
    other = Answer(regions=(box("white", 0),))
    assert agreement_of_regions([one, other], 0.5) == pytest.approx(0.5)
    assert agreement_of_regions([Answer(), Answer()], 0.5) == 1


def test_what_was_said_of_the_same_thing_is_told_in_pairs() -> None:
    """Of the item and of each region; a region only one drew stands against nothing."""
    assert doubt_of([say("dog"), say("cat"), say("dog")], PETS, 0.5).pairs == (("cat", "dog"),)
    assert doubt_of([say("dog")] * 2, PETS, 0.5).pairs == ()
    one = Answer(regions=(box("red", 0), box("white", 50)))
    other = Answer(regions=(box("white", 0),))
    drawn = doubt_of([one, other], CELLS, 0.5)
    assert drawn.pairs == ((NOTHING, "white"), ("red", "white"))
    assert drawn.differs == ("regions",)


def test_rare_classes_count_more_within_bounds() -> None:
    """Even shares give 1; a class nobody settled on gives the bound, one of its own kind ¼."""
    assert rarity_of(["a"], {"a": 9, "b": 9}, 2) == pytest.approx(1)
    assert rarity_of(["a", "b"], {"a": 999, "b": 0}, 2) == 4
    assert rarity_of(["a"], {"a": 10**6}, 100) == 0.25
    assert rarity_of([], {}, 3) == 1


def test_value_is_uncertainty_times_importance() -> None:
    """Each factor alone lifts it as the docstring says; without doubt it still ranks."""
    plain = dispute_value(0.5, 0, 1.0, 0)
    assert plain == 0.5
    assert dispute_value(0.5, 1, 1.0, 0) == 2 * plain
    assert dispute_value(0.5, -1, 1.0, 0) == plain / 2
    assert dispute_value(0.5, 0, 4.0, 0) == 2 * plain
    assert dispute_value(0.5, 0, 1.0, 9) == 2 * plain
    assert 0 < dispute_value(0, 0, 1.0, 0) < dispute_value(0, 1, 1.0, 0)
