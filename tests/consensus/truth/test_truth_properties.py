"""What holds of every algorithm, whatever the votes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.truth.methods import METHODS, infer
from core.consensus.truth.votes import make_votes
from tests.consensus.truth.reference import erring

OURS = (
    "majority",
    "weighted-majority",
    "wawa",
    "gold-majority",
    "dawid-skene",
    "plain-dawid-skene",
    "one-coin",
    "pooled",
)
few = settings(max_examples=25, deadline=None)


@st.composite
def ballots(draw):
    """Draw columns of few votes, their sizes, and gold or none."""
    tasks, workers, classes = (
        draw(st.integers(1, 6)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
    )
    vote = st.tuples(
        st.integers(0, tasks - 1), st.integers(0, workers - 1), st.integers(0, classes - 1)
    )
    votes = draw(st.lists(vote, max_size=20, unique_by=lambda v: v[:2]))
    gold = draw(st.none() | st.lists(st.integers(-1, classes - 1), min_size=tasks, max_size=tasks))
    columns = np.array(votes, dtype=np.int64).reshape(-1, 3).T
    known = None if gold is None else np.array(gold, dtype=np.int32)
    return columns, {"tasks": tasks, "workers": workers, "classes": classes}, known


@pytest.mark.parametrize("name", OURS)
@few
@given(ballots())
def test_the_result_is_whole(name: str, ballot) -> None:
    """Labels exist where votes or gold do, probabilities sum to 1, nothing is nan, gold stands."""
    columns, sizes, gold = ballot
    votes, _ = make_votes(*columns, **sizes)
    found = infer(name, votes, gold)
    sure = np.full(votes.tasks, -1) if gold is None else gold
    assert np.array_equal(found.label >= 0, (votes.counts > 0) | (sure >= 0))
    assert np.array_equal(found.label[sure >= 0], sure[sure >= 0])
    assert found.probability.shape == (votes.tasks, votes.classes)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1.0, rtol=1e-5)
    assert np.all(found.probability >= 0)
    labelled = found.label >= 0
    assert np.all(np.isfinite(found.confidence[labelled]))
    assert np.array_equal(np.isnan(found.workers.accuracy), found.workers.votes == 0)


@pytest.mark.parametrize("name", OURS)
@few
@given(ballots(), st.randoms(use_true_random=False))
def test_the_order_of_votes_changes_nothing(name: str, ballot, chance) -> None:
    """Shuffled votes give the same bits."""
    columns, sizes, gold = ballot
    order = list(range(columns.shape[1]))
    chance.shuffle(order)
    first = infer(name, make_votes(*columns, **sizes)[0], gold)
    second = infer(name, make_votes(*columns[:, order], **sizes)[0], gold)
    assert first.probability.tobytes() == second.probability.tobytes()
    assert first.label.tobytes() == second.label.tobytes()
    assert first.why.tobytes() == second.why.tobytes()


@pytest.mark.parametrize("name", OURS)
@few
@given(ballots(), st.randoms(use_true_random=False))
def test_names_of_workers_change_no_label(name: str, ballot, chance) -> None:
    """Numbered otherwise, the workers give the same labels and have the same accuracies."""
    columns, sizes, gold = ballot
    renamed = list(range(sizes["workers"]))
    chance.shuffle(renamed)
    task, worker, label = columns
    first = infer(name, make_votes(*columns, **sizes)[0], gold)
    second = infer(name, make_votes(task, np.array(renamed)[worker], label, **sizes)[0], gold)
    assert np.array_equal(first.label, second.label)
    np.testing.assert_allclose(
        first.workers.accuracy, second.workers.accuracy[renamed], atol=1e-4, equal_nan=True
    )


@pytest.mark.parametrize("name", OURS)
@few
@given(ballots(), st.randoms(use_true_random=False))
def test_numbers_of_tasks_change_no_label(name: str, ballot, chance) -> None:
    """Numbered otherwise, the tasks keep their labels."""
    columns, sizes, gold = ballot
    moved = list(range(sizes["tasks"]))
    chance.shuffle(moved)
    task, worker, label = columns
    known = None
    if gold is not None:
        known = np.empty_like(gold)
        known[moved] = gold
    first = infer(name, make_votes(*columns, **sizes)[0], gold)
    second = infer(name, make_votes(np.array(moved)[task], worker, label, **sizes)[0], known)
    assert np.array_equal(first.label, second.label[moved])
    assert np.array_equal(first.why, second.why[moved])


@pytest.mark.parametrize("name", OURS)
def test_a_crowd_of_some_size_is_told_apart_however_it_is_numbered(name: str) -> None:
    """On 2,000 tasks too, new numbers for workers and tasks change no label."""
    task, worker, label, truth = erring(2000, 40, 5, seed=4)
    rng = np.random.default_rng(5)
    people, moved = rng.permutation(40), rng.permutation(2000)
    first = infer(name, make_votes(task, worker, label)[0])
    second = infer(name, make_votes(moved[task], people[worker], label)[0])
    assert np.array_equal(first.label, second.label[moved])
    assert np.mean(first.label == truth) > 0.7


def test_every_method_speaks_to_people() -> None:
    """Each has one sentence, and those named here exist."""
    assert set(OURS) <= set(METHODS)
    assert all(method.says.endswith(".") for method in METHODS.values())
