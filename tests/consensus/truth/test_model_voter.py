"""The model as one more voter: it helps when good, does no harm when useless, never counts twice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.truth._calibration import FIT_TASKS, calibrate
from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.model_voter import aligned, model_voter
from core.consensus.truth.result import choose, reasons
from core.consensus.truth.votes import make_votes
from core.errors import InputError
from tests.consensus.truth.planted import crowd, sure

PEOPLE = (0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.6)


def share(label, truth):
    """Return the share of right labels."""
    return float((label == truth).mean())


def useless(kind, truth, classes, seed):
    """Return the probabilities of a model not worth hearing, sure of itself all the same."""
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.dirichlet(np.full(classes, 0.1), len(truth)).astype(np.float32)
    wrong = (truth + rng.integers(1, classes, len(truth))) % classes
    half = np.where(rng.random(len(truth)) < 0.5, truth, wrong)
    top = {"constant": np.full(len(truth), seed % classes), "wrong": wrong, "half": half}[kind]
    word = np.full((len(truth), classes), 0.02 / (classes - 1), dtype=np.float32)
    word[np.arange(len(truth)), top] = 0.98
    return word


@pytest.mark.parametrize("kind", ["noise", "constant", "wrong"])
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.sampled_from([60, 100, 300]))
def test_a_useless_model_does_no_harm(kind, seed, each, tasks):
    """A model that is noise, always says one class or is always wrong costs one label at most."""
    votes, truth = crowd(tasks=tasks, each=each, accuracies=PEOPLE, seed=seed)
    alone = (dawid_skene(votes).label == truth).sum()
    found = model_voter(votes, useless(kind, truth, 4, seed + 1))
    assert (found.label == truth).sum() >= alone - 1


@pytest.mark.parametrize("tasks", [60, 100, 300])
@pytest.mark.parametrize("each", [1, 2, 3])
def test_a_model_right_half_the_time_hardly_harms(tasks, each):
    """Found useful by luck, it costs 2 % or 3 labels at most, and on the mean half a point at most."""
    lost = []
    for seed in range(40, 52):
        votes, truth = crowd(tasks=tasks, each=each, accuracies=PEOPLE, seed=seed)
        alone = share(dawid_skene(votes).label, truth)
        found = model_voter(votes, useless("half", truth, 4, seed + 1))
        lost.append(alone - share(found.label, truth))
    assert max(lost) <= max(0.02, 3.01 / tasks)
    assert np.mean(lost) <= 0.005


def test_trust_grows_with_evidence():
    """Beside one vote a task, a good model is trusted little among few tasks and fully among many."""
    trusts, gains = {60: [], 1000: []}, {60: [], 1000: []}
    for tasks, seed in itertools.product(trusts, range(8)):
        votes, truth = crowd(tasks=tasks, each=1, accuracies=PEOPLE, seed=seed)
        found = model_voter(votes, sure(4, truth, 0.85, seed=seed))
        trusts[tasks].append(found.model.trust)
        gains[tasks].append(share(found.label, truth) - share(dawid_skene(votes).label, truth))
    assert np.mean(trusts[60]) < 0.8
    assert min(trusts[1000]) == 1.0
    assert min(gains[60]) >= -0.035
    assert min(gains[1000]) > 0.08


def test_the_number_of_threads_changes_nothing():
    """Bit for bit the same with one thread and with several, on votes enough to be shared out."""
    votes, truth = crowd(tasks=20_000, each=3, accuracies=PEOPLE, seed=11)
    word, blind = sure(4, truth, 0.8), np.random.default_rng(0).random(len(votes)) < 0.7
    one, four = (model_voter(votes, word, blind=blind, threads=n) for n in (1, 4))
    np.testing.assert_array_equal(one.probability, four.probability)
    np.testing.assert_array_equal(one.workers.confusion, four.workers.confusion)
    assert one.log_likelihood == four.log_likelihood


def test_labels_and_reasons_are_those_of_every_other_method():
    """The compiled pass settles ties, gold and tasks without votes as the common rule does."""
    votes, truth = crowd(tasks=500, each=2, accuracies=PEOPLE, seed=12)
    kept = votes.task % 10 > 0
    columns = (votes.task[kept], votes.worker[kept], votes.label[kept])
    votes, _ = make_votes(*columns, tasks=500, workers=len(PEOPLE), classes=4)
    gold = np.where(np.arange(500) % 7 == 0, truth, -1).astype(np.int32)
    found = model_voter(votes, sure(4, truth, 0.8), gold=gold)
    assert found.model.useful
    np.testing.assert_array_equal(found.label, choose(votes, found.probability, gold))
    np.testing.assert_array_equal(found.why, reasons(votes, found.label, gold))
    np.testing.assert_allclose(found.probability.sum(axis=1), 1, atol=1e-5)


def test_many_votes_on_a_task_do_not_vanish():
    """Forty votes a task, multiplied, still give finite probabilities and the right label."""
    votes, truth = crowd(tasks=200, each=40, accuracies=(0.7,) * 60, seed=13)
    found = model_voter(votes, sure(4, truth, 0.8))
    assert np.isfinite(found.probability).all()
    assert share(found.label, truth) == 1.0


@pytest.mark.parametrize("each", [1, 2, 3])
def test_a_perfect_model_is_followed(each):
    """Beside a model that is always right, poor votes no longer matter."""
    votes, truth = crowd(tasks=600, each=each, accuracies=PEOPLE, seed=1)
    found = model_voter(votes, sure(4, truth, 1.0))
    assert found.model.useful
    assert share(found.label, truth) > 0.95
    assert share(found.label, truth) > share(dawid_skene(votes).label, truth)


@pytest.mark.parametrize("sharp", [0.3, 1.0, 8.0])
def test_calibration_is_ours_to_make(sharp):
    """The same model, timid or far too sure of itself, helps alike."""
    votes, truth = crowd(tasks=1500, each=2, accuracies=PEOPLE, seed=2)
    found = model_voter(votes, sure(4, truth, 0.8, sharp=sharp))
    assert share(found.label, truth) > share(dawid_skene(votes).label, truth) + 0.03


def test_sureness_means_what_it_says():
    """Mapped probabilities of the top class are right as often as they say, to 4 points."""
    votes, truth = crowd(tasks=4000, each=3, accuracies=PEOPLE, seed=3)
    word = model_voter(votes, sure(4, truth, 0.7, sharp=6.0)).model.probability
    assert abs(word.max(axis=1).mean() - share(word.argmax(axis=1), truth)) < 0.04


def test_a_model_that_swaps_classes_is_understood():
    """Its own confusion is learnt: who says 1 for 0 and 0 for 1 is as good as right."""
    votes, truth = crowd(tasks=2000, each=3, accuracies=PEOPLE, seed=4)
    swapped = sure(4, truth, 0.95)[:, [1, 0, 2, 3]]
    found = model_voter(votes, swapped)
    assert share(found.label, truth) > share(dawid_skene(votes).label, truth)


def test_missing_rows_leave_those_tasks_to_people():
    """Where the model says nothing it counts nowhere, and the answer has no nan."""
    votes, truth = crowd(tasks=400, accuracies=PEOPLE, each=3, seed=5)
    word = sure(4, truth, 0.9)
    word[::2] = np.nan
    found = model_voter(votes, word)
    assert found.model.counted[1::2].all()
    assert not found.model.counted[::2].any()
    assert np.isfinite(found.probability).all()


def test_without_blind_votes_the_model_is_not_heard():
    """Votes that all saw the model's answer are resolved as if there were no model."""
    votes, truth = crowd(tasks=200, each=3, accuracies=PEOPLE, seed=6)
    found = model_voter(votes, sure(4, truth, 1.0), blind=np.zeros(len(votes), bool))
    np.testing.assert_array_equal(found.label, dawid_skene(votes).label)
    assert not found.model.counted.any()


def test_the_model_counts_only_beside_a_blind_vote():
    """A task whose votes all saw the model's answer gets no further word of the model."""
    votes, truth = crowd(tasks=400, each=3, accuracies=PEOPLE, seed=7)
    found = model_voter(votes, sure(4, truth, 0.9), blind=votes.task < 200)
    assert found.model.counted[:200].all()
    assert not found.model.counted[200:].any()


def test_nodding_is_not_a_second_voice():
    """Shown votes that always repeat the model are found out, and do not outvote a blind majority."""
    votes, truth = crowd(tasks=800, each=3, accuracies=(0.9,) * 6, seed=8)
    word = sure(4, truth, 0.6, seed=9)
    top = np.argmax(word, axis=1)
    task = np.concatenate([votes.task, np.repeat(np.arange(800), 3)])
    worker = np.concatenate([votes.worker, np.tile([6, 7, 8], 800)])
    label = np.concatenate([votes.label, np.repeat(top, 3)])
    blind = np.arange(len(task)) < len(votes)
    both, _ = make_votes(task, worker, label, tasks=800, workers=9, classes=4)
    found = model_voter(both, word, blind=aligned(both, task, worker, blind))
    only_blind = model_voter(votes, word)
    assert found.model.anchoring > 0.9
    assert share(found.label, truth) >= share(only_blind.label, truth) - 0.01


def test_a_column_follows_its_votes():
    """A flag given beside the votes as cast is found in the rows of the votes; the last one stands."""
    task, worker, label = [1, 0, 1, 0], [0, 0, 1, 0], [1, 0, 0, 1]
    votes, replaced = make_votes(task, worker, label)
    assert replaced == 1
    found = aligned(votes, task, worker, [10, 20, 30, 40])
    rows = zip(votes.task.tolist(), votes.worker.tolist(), found.tolist(), strict=True)
    assert sorted(rows) == [(0, 0, 40), (1, 0, 10), (1, 1, 30)]


def test_no_task_is_mapped_by_a_fit_that_saw_its_votes():
    """Changing one task's votes leaves the model's word on all tasks of its own part unchanged."""
    votes, truth = crowd(tasks=300, each=3, accuracies=PEOPLE, seed=10)
    likelihood = votes.tally() + 0.1
    word, asked = sure(4, truth, 0.8), np.arange(300)
    heard, prior = np.ones(300, bool), np.full(4, 0.25)
    assert FIT_TASKS > 300
    before = calibrate(word, likelihood, asked, heard, prior, 3, 0).probability
    likelihood[7] = [9, 0.1, 0.1, 9]
    after = calibrate(word, likelihood, asked, heard, prior, 3, 0).probability
    same = (before == after).all(axis=1)
    assert same[7]
    assert 80 < same.sum() < 120


def test_words_that_do_not_fit_are_refused():
    """A wrong shape, a negative or infinite number, or whole numbers are refused with a sentence."""
    votes, truth = crowd(tasks=20)
    good = sure(4, truth, 0.9)
    for bad in (good[:, :3], good.astype(int), -good, np.full_like(good, np.inf)):
        with pytest.raises(InputError):
            model_voter(votes, bad)
    with pytest.raises(InputError):
        model_voter(votes, good, blind=[True])
