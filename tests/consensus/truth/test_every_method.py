"""What holds for GLAD, MACE, the ordinal rules and the model as a voter alike."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.truth.glad import glad
from core.consensus.truth.mace import mace
from core.consensus.truth.model_voter import model_voter
from core.consensus.truth.ordinal import ordinal, ordinal_median
from core.consensus.truth.result import Why
from core.consensus.truth.votes import make_votes
from tests.consensus.truth.planted import crowd, renamed, shuffled, sure


def with_model(votes, *, gold=None):
    """Resolve with a model that is right on half of what it says."""
    truth = np.arange(votes.tasks) % max(votes.classes, 1)
    word = sure(votes.classes, truth, 0.5) if votes.classes else np.zeros((votes.tasks, 0))
    return model_voter(votes, word.astype(np.float32), gold=gold)


METHODS = [glad, mace, ordinal, ordinal_median, with_model]

EDGES = {
    "no votes, no tasks": ([], [], [], (0, 0, 0)),
    "no votes": ([], [], [], (3, 2, 2)),
    "one vote": ([0], [0], [0], (1, 1, 1)),
    "one class": ([0, 0, 1, 2], [0, 1, 0, 1], [0, 0, 0, 0], (4, 2, 1)),
    "one voter": ([0, 1, 2, 3], [0] * 4, [0, 1, 2, 1], (4, 1, 3)),
    "all disagree": ([0, 0, 0, 1, 1, 1], [0, 1, 2] * 2, [0, 1, 2] * 2, (2, 3, 3)),
    "ties": ([0, 0, 1, 1], [0, 1] * 2, [0, 1, 1, 0], (2, 2, 2)),
    "a worker with one vote": ([0, 0, 1, 1, 1], [0, 1, 0, 1, 2], [0, 0, 1, 1, 0], (2, 3, 2)),
    "a class nobody chose": ([0, 0, 1], [0, 1, 0], [0, 2, 2], (2, 2, 4)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("columns", EDGES.values(), ids=EDGES)
def test_edges_give_a_sane_answer(method, columns):
    """Whatever the votes, probabilities are numbers that sum to 1, and only voted tasks have a label."""
    task, worker, label, (tasks, workers, classes) = columns
    votes, _ = make_votes(
        np.array(task, dtype=int),
        np.array(worker, dtype=int),
        np.array(label, dtype=int),
        tasks=tasks,
        workers=workers,
        classes=classes,
    )
    found = method(votes)
    assert found.probability.shape == (tasks, classes)
    assert np.isfinite(found.probability).all()
    if classes:
        np.testing.assert_allclose(found.probability.sum(axis=1), 1, atol=1e-5)
    assert ((found.label >= 0) == (votes.counts > 0)).all()
    assert (found.label < max(classes, 1)).all()
    cast = found.workers.votes > 0
    assert (np.isfinite(found.workers.accuracy) == cast).all()


@pytest.mark.parametrize("method", METHODS)
def test_order_of_votes_never_changes_a_result(method):
    """The same votes in another order give the same bits."""
    votes, _ = crowd(tasks=60, seed=3)
    first, second = method(votes), method(shuffled(votes))
    np.testing.assert_array_equal(first.label, second.label)
    np.testing.assert_array_equal(first.probability, second.probability)


@pytest.mark.parametrize("method", METHODS)
def test_names_of_people_never_change_a_result(method):
    """Workers numbered otherwise get the same labels, and their own figures."""
    votes, _ = crowd(tasks=60, accuracies=(0.95, 0.9, 0.8, 0.7, 0.5, 0.3), seed=4)
    other, number = renamed(votes)
    first, second = method(votes), method(other)
    np.testing.assert_array_equal(first.label, second.label)
    np.testing.assert_allclose(first.probability, second.probability, atol=1e-3)
    np.testing.assert_allclose(first.workers.accuracy, second.workers.accuracy[number], atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_gold_stands_against_everyone(method):
    """A known answer is the label though all votes say another class, and the reason says gold."""
    votes, _ = make_votes([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 1, 0, 0], tasks=3, classes=2)
    found = method(votes, gold=np.array([0, -1, 1], dtype=np.int32))
    assert found.label.tolist()[0] == 0
    assert found.label.tolist()[2] == 1
    assert found.why[0] == Why.GOLD
    assert found.probability[0].tolist() == [1.0, 0.0]
    assert np.isfinite(found.probability).all()


@pytest.mark.parametrize("method", [glad, mace, with_model])
def test_knowing_the_workers_beats_counting_heads(method):
    """With a few good and many poor workers, the labels are righter than the majority's."""
    votes, truth = crowd(tasks=600, accuracies=(0.97, 0.97, 0.95, *[0.35] * 7), each=5, seed=5)
    heads = (np.argmax(votes.tally(), axis=1) == truth).mean()
    assert (method(votes).label == truth).mean() > heads + 0.03
