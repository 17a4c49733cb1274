"""Two models side by side: counts, classes, images where they differ."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.labels.region import Region
from core.learning.compare import compare_models, compare_regions
from core.learning.values import Predictions

CLASSES = ("cat", "dog", "owl")


def said(answers: dict[int, tuple[str, float]]) -> Predictions:
    """Return predictions that give these answers with these probabilities."""
    table = np.zeros((len(answers), 3), np.float32)
    for row, (name, sure) in enumerate(answers.values()):
        table[row] = (1 - sure) / 2
        table[row, CLASSES.index(name)] = sure
    return Predictions(np.array(list(answers), np.int64), table, CLASSES)


def test_only_images_both_have_answered_count() -> None:
    """Right and wrong are counted pair by pair, overall and by true class."""
    truth = {1: "cat", 2: "cat", 3: "dog", 4: "dog", 5: "owl"}
    first = said({1: ("cat", 0.9), 2: ("cat", 0.6), 3: ("dog", 0.8), 4: ("cat", 0.7)})
    second = said(
        {2: ("dog", 0.9), 3: ("dog", 0.8), 4: ("owl", 0.5), 5: ("owl", 0.9), 1: ("cat", 0.5)}
    )
    found = compare_models(truth, first, second, CLASSES)
    whole = found.overall
    assert (whole.both, whole.only_first, whole.only_second, whole.neither) == (2, 1, 0, 1)
    assert whole.difference.value == pytest.approx(0.25)
    assert found.left_out == 1
    assert [(g.label, g.first.n, g.only_first) for g in found.classes] == [
        ("cat", 2, 1),
        ("dog", 2, 0),
    ]
    assert [(a.item_id, a.right) for a in found.apart] == [(2, "first"), (4, "neither")]


def test_the_mistake_one_was_surest_of_comes_first() -> None:
    """Images are ordered by what they teach; the order given changes nothing."""
    truth = dict.fromkeys(range(4), "cat")
    first = said(dict.fromkeys(range(4), ("cat", 0.9)))
    second = said({3: ("dog", 0.6), 2: ("dog", 0.99), 1: ("owl", 0.7), 0: ("cat", 0.5)})
    assert [a.item_id for a in compare_models(truth, first, second, CLASSES).apart] == [2, 1, 3]


def test_a_chance_difference_of_one_class_among_many_is_not_made_much_of() -> None:
    """The p-values of classes are adjusted for how many there are."""
    truth = {i: ("cat" if i < 8 else "dog") for i in range(40)}
    first = said({i: (truth[i], 0.9) for i in range(40)})
    wrong = {**{i: (truth[i], 0.9) for i in range(40)}, **dict.fromkeys(range(6), ("owl", 0.9))}
    found = compare_models(truth, first, said(wrong), CLASSES)
    assert found.classes[0].p == pytest.approx(2 * 0.03125)
    assert found.overall.p == pytest.approx(0.03125)


def test_a_label_that_is_no_class_is_refused() -> None:
    """A sentence says which; an empty set compares to nothing."""
    none = said({})
    with pytest.raises(InputError, match="'emu' is no class"):
        compare_models({1: "emu"}, none, none, CLASSES)
    assert compare_models({}, none, none, CLASSES).overall.p is None


def box(label: str, x: float, sure: float | None = 0.9) -> Region:
    return Region(label, x, 0.0, x + 10.0, 10.0, sure)


def test_detectors_are_right_image_by_image() -> None:
    """An image is right with every region found and none added; of a class only its own regions count."""
    truth = {1: (box("cat", 0), box("dog", 50)), 2: (), 3: (box("cat", 0),), 4: (box("cat", 0),)}
    first = {1: (box("cat", 1), box("dog", 50)), 2: (), 3: (box("cat", 5),)}
    second = {1: (box("cat", 1),), 2: (box("owl", 9),), 3: (box("cat", 1),), 4: ()}
    found = compare_regions(truth, first, second, CLASSES, 0.5)
    whole = found.overall
    assert (whole.both, whole.only_first, whole.only_second, whole.neither) == (0, 2, 1, 0)
    assert found.left_out == 1
    rows = {g.label: (g.both, g.only_first, g.only_second, g.neither) for g in found.classes}
    assert rows == {"cat": (1, 0, 1, 0), "dog": (0, 1, 0, 0), "owl": (0, 1, 0, 0)}
    assert {(a.item_id, a.right) for a in found.apart} == {
        (1, "first"),
        (2, "first"),
        (3, "second"),
    }
    assert found.apart[0].truth in ("0 regions", "1 region", "2 regions")
