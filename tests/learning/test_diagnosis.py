"""Causes of poor accuracy: each is found where it was planted, and not where it was not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.learning.diagnosis import Case, diagnose, suspects

CLASSES = ("cat", "dog", "owl")
RNG = np.random.default_rng(0)


def table(classes: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """Return probabilities that point to these classes."""
    said = np.full((len(classes), 3), (1 - sure) / 2)
    said[np.arange(len(classes)), classes] = sure
    return said


def healthy(accuracy: float | None = 0.8) -> Case:
    """Return a case without any of the causes."""
    given = np.arange(300) % 3
    return Case(
        CLASSES, accuracy, np.arange(1000, 1300), given, table(given), table(given),
        np.full(3, 0.8), RNG.normal(0.8, 0.05, 300), RNG.normal(0.8, 0.05, 300),
    )  # fmt: skip


def causes(case: Case) -> list[str]:
    return [c.cause for c in diagnose(case)]


def test_nothing_is_blamed_where_nothing_is_wrong() -> None:
    """A good model has no cause; a poor one without any is told to teach the network."""
    assert causes(healthy(0.97)) == []
    assert causes(healthy(0.6)) == ["network"]


def test_planted_label_errors_are_named_image_by_image() -> None:
    """Twenty wrong labels among three hundred are all found, and no right one, at any accuracy."""
    case = healthy(0.97)
    given = case.given.copy()
    given[:20] = (given[:20] + 1) % 3
    (found,) = diagnose(replace(case, given=given))
    assert found.cause == "label errors"
    assert set(found.item_ids) == set(range(1000, 1020))
    assert found.to_dict()["evidence"].startswith("20 of 300 training labels")


def test_few_labels_and_uneven_ones() -> None:
    """Both are said with their numbers; evenly few labels are no imbalance."""
    given = np.repeat([0, 1, 2], [5, 6, 7])
    few = replace(healthy(), given=given, said=table(given), item_ids=np.arange(18))
    assert causes(few) == ["too few"]
    assert "about 42 more" in diagnose(few)[0].advice
    assert causes(replace(few, taught=(60, 70, 80))) == ["network"]  # not all were said blind
    uneven = np.repeat([0, 1, 2], [200, 60, 20])
    case = replace(
        healthy(), given=uneven, said=table(uneven), item_ids=np.arange(280),
        recall=np.array([0.95, 0.9, 0.3]),
    )  # fmt: skip
    assert causes(case) == ["imbalance"]
    assert causes(replace(case, recall=np.full(3, 0.9))) == ["network"]


def test_images_from_elsewhere_and_images_of_two_things() -> None:
    """A gap between sets and answers torn between two classes are told apart."""
    far = replace(healthy(), near_judged=RNG.normal(0.7, 0.05, 300))
    assert causes(far) == ["domain gap"]
    torn = np.tile([0.5, 0.45, 0.05], (300, 1))
    assert causes(replace(healthy(), judged=torn)) == ["task type"]


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_data_ends_in_no_error(n: int) -> None:
    """Without labels or with one, what can be said is said."""
    nothing = np.zeros(n, np.int64)
    case = Case(CLASSES, None, nothing, nothing, table(nothing), table(nothing), np.full(3, np.nan))
    assert causes(case) == ["too few"]
    assert len(suspects(nothing, table(nothing))) == 0
