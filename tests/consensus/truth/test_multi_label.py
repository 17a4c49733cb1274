"""Sets of classes, derived class by class."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.majority import majority
from core.consensus.truth.multi_label import make_answers, multi_label
from core.errors import InputError


def answers(*rows, **sizes):
    """Return answers written as (task, worker, set)."""
    task, worker, sets = zip(*rows, strict=True) if rows else ((), (), ())
    return make_answers(np.array(task, int), np.array(worker, int), list(sets), **sizes)


def test_each_class_goes_by_its_own_majority():
    """A class is in the set if most answers name it, whatever they say of the others."""
    given, _ = answers((0, 0, (0, 1)), (0, 1, (0, 2)), (0, 2, (1,)), (1, 0, (2,)))
    found = multi_label(given, majority)
    assert found.member.tolist() == [[True, True, False], [False, False, True]]
    np.testing.assert_allclose(found.probability[0], [2 / 3, 2 / 3, 1 / 3])
    np.testing.assert_allclose(found.accuracy, [1.0, 1 / 3, 2 / 3])


def test_an_empty_answer_says_no_to_all():
    """Two empty answers outvote one that names a class, and the derived set is empty."""
    given, _ = answers((0, 0, ()), (0, 1, ()), (0, 2, (1,)), classes=2)
    found = multi_label(given, majority)
    assert not found.member.any()
    assert found.answered.tolist() == [True]


def test_at_least_one_takes_the_most_probable():
    """Where a set must not be empty the class named most is taken; an unanswered task stays bare."""
    given, _ = answers((0, 0, ()), (0, 1, ()), (0, 2, (1,)), tasks=2, classes=2)
    found = multi_label(given, majority, at_least_one=True)
    assert found.member.tolist() == [[False, True], [False, False]]
    assert found.answered.tolist() == [True, False]


def test_the_last_answer_of_a_worker_counts():
    """An answer given again replaces the first, and is counted as a replacement."""
    given, replaced = answers((0, 0, (0,)), (0, 0, (1,)), classes=2)
    assert replaced == 1
    assert multi_label(given, majority).member.tolist() == [[False, True]]


def test_gold_stands():
    """A known class is in the set though nobody named it."""
    given, _ = answers((0, 0, (0,)), (0, 1, (0,)), classes=2)
    found = multi_label(given, majority, gold=np.array([[-1, 1]], dtype=np.int8))
    assert found.member.tolist() == [[True, True]]


def test_planted_sets_are_recovered():
    """With Dawid-Skene a class, careless workers are outweighed."""
    rng = np.random.default_rng(0)
    truth = rng.random((200, 5)) < 0.4
    rows = []
    for task in range(200):
        for worker in range(6):
            slip = rng.random(5) < (0.03 if worker < 3 else 0.4)
            rows.append((task, worker, tuple(np.flatnonzero(truth[task] ^ slip).tolist())))
    given, _ = answers(*rows)
    assert (multi_label(given, dawid_skene).member == truth).mean() > 0.97
    assert np.isfinite(multi_label(given, dawid_skene).probability).all()


def test_answers_that_do_not_fit_are_refused():
    """A set short, or a class out of range, is refused with a sentence."""
    with pytest.raises(InputError):
        make_answers([0, 1], [0, 0], [(0,)])
    with pytest.raises(InputError):
        make_answers([0], [0], [(5,)], classes=2)


def test_no_answers():
    """Without answers there are no sets."""
    given, _ = answers(tasks=2, workers=1, classes=2)
    found = multi_label(given, majority)
    assert not found.member.any()
    assert np.isfinite(found.probability).all()
