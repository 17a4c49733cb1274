"""Dawid-Skene: equal to a slow reference, the same on any number of threads, gold held fast."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.truth.confusion import DIRICHLET, PLAIN, SMOOTH
from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.majority import majority
from core.consensus.truth.one_coin import one_coin
from core.consensus.truth.pooled import pooled
from core.consensus.truth.result import Why
from core.consensus.truth.votes import make_votes
from tests.consensus.truth.reference import erring, reference_em


@pytest.fixture(scope="module")
def crowd():
    task, worker, label, truth = erring(20_000, 60, 6, seed=3)
    return make_votes(task, worker, label)[0], truth


def test_it_equals_the_reference(crowd) -> None:
    """Without smoothing, labels, probabilities and rounds are those of the textbook's formulas."""
    votes, _ = crowd
    ours = dawid_skene(votes, smoothing=PLAIN)
    theirs, rounds = reference_em(votes)
    assert ours.iterations == rounds
    assert np.mean(ours.label == theirs.argmax(axis=1)) >= 0.999
    np.testing.assert_allclose(ours.probability, theirs, atol=1e-5)


def test_it_equals_the_reference_with_gold(crowd) -> None:
    """Known answers, wrong ones too, are held fast and teach the tables as the reference's do."""
    votes, truth = crowd
    gold = np.where(np.arange(votes.tasks) % 7 == 0, (truth + 1) % 6, -1).astype(np.int32)
    ours = dawid_skene(votes, gold=gold, smoothing=PLAIN)
    theirs, _ = reference_em(votes, gold=gold)
    np.testing.assert_allclose(ours.probability, theirs, atol=1e-5)
    assert np.array_equal(ours.label[gold >= 0], gold[gold >= 0])
    assert set(ours.why[gold >= 0]) == {Why.GOLD}


@pytest.mark.parametrize("smoothing", [PLAIN, SMOOTH], ids=["plain", "smooth"])
def test_the_number_of_threads_changes_nothing(crowd, smoothing) -> None:
    """One thread and three give the same bits, on votes enough for several blocks."""
    votes, _ = crowd
    assert len(votes) > 50_000
    one = dawid_skene(votes, smoothing=smoothing, threads=1)
    three = dawid_skene(votes, smoothing=smoothing, threads=3)
    assert one.probability.tobytes() == three.probability.tobytes()
    assert one.workers.confusion.tobytes() == three.workers.confusion.tobytes()
    assert one.log_likelihood == three.log_likelihood


def test_it_knows_good_workers_from_weak_ones(crowd) -> None:
    """It beats majority by a clear margin where a quarter of the workers is weak."""
    votes, truth = crowd
    assert (
        np.mean(dawid_skene(votes).label == truth) > np.mean(majority(votes).label == truth) + 0.05
    )


@pytest.mark.parametrize("tasks", [100, 1000])
def test_with_few_votes_the_default_is_no_worse_than_simpler_models(tasks: int) -> None:
    """With one to fifteen votes a worker, plain Dawid-Skene breaks down and the default does not."""
    scores = {name: [] for name in ("default", "plain", "dirichlet", "majority", "one-coin")}
    for seed in range(12):
        task, worker, label, truth = erring(tasks, 200, 10, seed=seed)
        votes, _ = make_votes(task, worker, label, tasks=tasks, workers=200, classes=10)
        found = {
            "default": dawid_skene(votes),
            "plain": dawid_skene(votes, smoothing=PLAIN),
            "dirichlet": dawid_skene(votes, smoothing=DIRICHLET),
            "majority": majority(votes),
            "one-coin": one_coin(votes),
        }
        for name, got in found.items():
            scores[name].append(np.mean(got.label == truth))
    mean = {name: np.mean(got) for name, got in scores.items()}
    assert mean["default"] > mean["plain"] + 0.1
    assert mean["default"] > mean["majority"]
    assert mean["default"] > mean["one-coin"] - 0.008


def test_one_vote_a_task_stays_what_was_said() -> None:
    """Where each task has a single vote nothing is known of the workers, so the votes stand."""
    task, worker, label, _ = erring(3000, 20, 5, each=1)
    votes, _ = make_votes(task, worker, label)
    assert np.mean(dawid_skene(votes).label == votes.label) > 0.95


def test_tables_too_large_give_way_to_the_pooled_model() -> None:
    """5,000 workers on 1,000 classes: the pooled model answers, in little memory, and says so."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 1000, 33_000)
    task = np.repeat(np.arange(33_000), 3)
    worker = (rng.integers(0, 5000, (33_000, 1)) + np.array([0, 7, 13])).ravel() % 5000
    label = np.where(rng.random(99_000) < 0.7, truth[task], rng.integers(0, 1000, 99_000))
    votes, _ = make_votes(task, worker, label, workers=5000, classes=1000)
    found = dawid_skene(votes)
    assert found.method == "pooled"
    assert found.candidates is not None
    assert found.probability.shape == (0, 1000)
    accuracy = np.mean(found.label == truth)
    assert accuracy > 0.8
    assert abs(np.mean(found.confidence) - accuracy) < 0.1
    np.testing.assert_allclose(found.row(5).sum(), 1.0, rtol=1e-6)
    assert found.row(5).argmax() == found.label[5]
    assert found.row(5).shape == (1000,)


def test_the_candidates_say_what_the_full_table_says(monkeypatch) -> None:
    """Kept sparse, labels and probabilities are those of the full table."""
    task, worker, label, _ = erring(400, 12, 5, seed=1)
    votes, _ = make_votes(task, worker, label, tasks=402)
    gold = np.full(402, -1, dtype=np.int32)
    gold[[0, 401]] = 2, 4
    for run in (majority, one_coin, pooled):
        full = run(votes, gold=gold)
        with monkeypatch.context() as patch:
            patch.setattr("core.consensus.truth.majority.DENSE_CELLS", 10)
            sparse = run(votes, gold=gold)
        assert sparse.candidates is not None
        assert np.array_equal(full.label, sparse.label)
        assert np.array_equal(full.why, sparse.why)
        np.testing.assert_allclose(full.confidence, sparse.confidence, rtol=1e-6)
        for t in (0, 5, 400, 401):
            np.testing.assert_allclose(full.row(t), sparse.row(t), rtol=1e-6)


def test_one_coin_equals_the_full_model_written_out() -> None:
    """One round of one-coin gives the probabilities its formula gives over all classes."""
    task, worker, label, _ = erring(50, 5, 4, seed=2)
    votes, _ = make_votes(task, worker, label)
    shares = votes.tally() / votes.counts[:, None]
    right = np.bincount(votes.worker, shares[votes.task, votes.label])
    skill = right / np.bincount(votes.worker)
    prior = (shares.sum(axis=0) + 1) / (votes.tasks + 4)
    z = np.tile(np.log(prior), (votes.tasks, 1))
    for t, w, said in zip(votes.task, votes.worker, votes.label, strict=True):
        z[t] += np.where(np.arange(4) == said, np.log(skill[w]), np.log((1 - skill[w]) / 3))
    p = np.exp(z - z.max(axis=1, keepdims=True))
    found = one_coin(votes, shrink=0.0, rounds=1)
    np.testing.assert_allclose(found.probability, p / p.sum(axis=1, keepdims=True), atol=2e-3)


def test_many_votes_are_counted_as_few_are(crowd) -> None:
    """The compiled majority gives what the general one gives, gold and empty tasks included."""
    from core.consensus.truth.majority import settle

    votes, _ = crowd
    longer, _ = make_votes(votes.task, votes.worker, votes.label, tasks=votes.tasks + 2)
    gold = np.full(longer.tasks, -1, dtype=np.int32)
    gold[[0, 1, -1]] = 5
    fast, slow = majority(longer, gold=gold), settle(longer, gold)
    assert np.array_equal(fast.label, slow.label)
    assert np.array_equal(fast.why, slow.why)
    np.testing.assert_allclose(fast.probability, slow.probability, atol=1e-6)
    np.testing.assert_allclose(fast.workers.accuracy, slow.workers.accuracy)
    assert np.array_equal(fast.workers.votes, slow.workers.votes)
