"""Confident learning: the compiled passes against a plain reading of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.learning.suspicious import confident
from core.learning.suspicious.confident import NOT_GIVEN, doubted, largest
from core.learning.suspicious.multi import doubted_sets


def _case(seed: int, n: int = 400, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k)) + 2.5 * np.eye(k)[true]
    table = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    given = np.where(rng.random(n) < 0.15, rng.integers(0, k, n), true)
    return table.astype(np.float32), given


def _plainly(table: np.ndarray, labels: np.ndarray) -> tuple[list, list, int]:
    """Return thresholds, counts and the number of wrong labels, one row at a time."""
    k = table.shape[1]
    bounds = []
    for c in range(k):
        own = [float(row[c]) for row, y in zip(table, labels, strict=True) if y == c]
        bounds.append(sum(own) / len(own) if own else float("inf"))
    counts, wrong = [[0] * k for _ in range(k)], 0
    for row, y in zip(table, labels, strict=True):
        over = [c for c in range(k) if row[c] >= bounds[c] - 1e-6]
        if over:
            counts[y][max(over, key=lambda c: row[c])] += 1
        top = int(np.argmax(row))
        wrong += top != y and row[top] >= bounds[top] - 1e-6
    return bounds, counts, wrong


@pytest.mark.parametrize("seed", range(5))
def test_the_compiled_passes_say_what_the_formulas_say(seed, monkeypatch):
    """Thresholds, confident counts and the number of wrong labels equal a row-by-row oracle, over chunks too."""
    monkeypatch.setattr(confident, "_CHUNK", 97)
    table, labels = _case(seed)
    found = doubted(table, labels)
    bounds, counts, wrong = _plainly(table, labels)
    assert found.thresholds == pytest.approx(bounds, abs=1e-6)
    assert found.counts.tolist() == counts
    assert found.expected == wrong > 0
    for i in range(0, len(labels), 37):
        others = np.delete(table[i], labels[i])
        own, other = table[i, labels[i]], others.max()
        assert found.margin[i] == pytest.approx(other - own, abs=1e-6)
        sure = float(np.mean(table[np.arange(len(labels)), labels]))
        floor = max(sure - 0.55, 0)
        assert found.score[i] == pytest.approx(
            0.5 + (other - own) / (2 * (other + own + floor)), abs=1e-5
        )


def test_swapped_labels_are_ranked_first():
    """Of labels swapped by hand nearly all are among the first, and the class they should have is named."""
    table, _ = _case(1)
    clean = table.argmax(1)
    swapped = np.arange(0, 400, 20)
    given = clean.copy()
    given[swapped] = (clean[swapped] + 1) % 4
    found = doubted(table, given)
    assert set(found.ranked()[:20]) == set(swapped)
    assert (found.suggested[swapped] == clean[swapped]).all()


def test_the_joint_keeps_how_often_each_class_was_given():
    """The joint sums to one, and its rows to the share of items given each class."""
    table, labels = _case(2)
    joint = doubted(table, labels).joint()
    assert joint.sum() == pytest.approx(1)
    assert joint.sum(1) == pytest.approx(np.bincount(labels, minlength=4) / len(labels))


def test_rows_without_a_label_or_sense_are_passed_over():
    """No label, or a probability that is no number, is neither counted nor ranked."""
    table, labels = _case(3)
    labels[:10], table[10, 2] = NOT_GIVEN, np.nan
    found = doubted(table, labels)
    assert np.isnan(found.margin[:11]).all()
    assert not set(range(11)) & set(found.ranked().tolist())
    assert found.given.sum() <= len(labels) - 10


def test_one_class_alone_raises_no_doubt():
    """With a single class there is nothing else a label could be."""
    found = doubted(np.ones((5, 1), np.float32), np.zeros(5, int))
    assert found.expected == 0
    assert len(found.ranked()) == 0


def test_a_class_nobody_was_given_is_suggested_but_never_counted():
    """Nothing says what being sure of an unseen class means, so it adds no expected error."""
    table = np.array([[0.2, 0.0, 0.8], [0.9, 0.05, 0.05], [0.1, 0.9, 0.0]], np.float32)
    found = doubted(table, np.array([0, 0, 1]))
    assert found.suggested[0] == 2
    assert np.isnan(found.thresholds[2])
    assert found.expected == 0


def test_nothing_to_look_at_is_an_answer():
    """An empty table gives empty rankings and a joint without a division by zero."""
    found = doubted(np.zeros((0, 3), np.float32), np.zeros(0, int))
    assert len(found.flagged()) == 0
    assert not found.joint().any()


@pytest.mark.parametrize(
    ("shape", "labels"), [((3, 2), [0, 1]), ((2, 2), [0, 2]), ((2, 2), [0, -2])]
)
def test_what_does_not_fit_is_refused(shape, labels):
    """A row too many or a label that is no class is refused in a sentence."""
    with pytest.raises(InputError):
        doubted(np.full(shape, 0.5, np.float32), np.array(labels))


def test_the_largest_come_first_and_ties_keep_their_order():
    """Ties go to the lower row; what is no number is never among them."""
    assert largest(np.array([0.5, np.nan, 0.9, 0.5, 0.1]), 2).tolist() == [2, 0]
    assert largest(np.array([0.5, np.nan]), 9).tolist() == [0]
    assert largest(np.array([0.5, 0.4]), 0).tolist() == []


def test_of_several_classes_each_is_doubted_for_itself():
    """A class left out and a class too many are both found, the worst of an item is its score."""
    rng = np.random.default_rng(0)
    given = rng.random((300, 3)) < 0.4
    table = np.where(given, 0.9, 0.1).astype(np.float32)
    table += rng.normal(0, 0.03, table.shape).astype(np.float32)
    said = given.copy()
    said[5, 1], said[9, 2], said[9, 0] = ~said[5, 1], ~said[9, 2], ~said[9, 0]
    found = doubted_sets(table, said, np.arange(300) != 7)
    assert set(np.flatnonzero(found.worst > 0)) == {5, 9}
    assert found.doubts(5) == (1,)
    assert set(found.doubts(9)) == {0, 2}
    assert np.isnan(found.worst[7])
