"""Campaigns that ask for the least sure: what is left to certify by stays a random part of what is left."""

from __future__ import annotations

import numpy as np
import pytest

from core.learning.campaign import Campaign
from core.learning.loop import LoopSettings, beside_tuned, fine_tuned, labels_of
from core.learning.tuned_seeds import probe_first

N = 4_000
PLAN = fine_tuned(LoopSettings(), N)


def said_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a fixed model's probabilities, wrong the oftener the less sure, and the truth."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 1, N)
    truth = rng.integers(0, 3, N)
    right = rng.random(N) < 1 - 0.8 * (1 - sure) ** 2
    said = np.repeat((1 - sure)[:, None] / 2, 3, axis=1)
    said[np.arange(N), np.where(right, truth, (truth + 1) % 3)] = sure
    return said, truth


def campaign(seed: int, plan: LoopSettings = PLAN) -> Campaign:
    """Return a campaign whose model always says the same."""
    said, truth = said_of(seed)
    nothing = np.zeros((N, 0), np.float32)
    return Campaign(nothing, truth, plan, seed, lambda *_: said.copy(), nothing.astype(np.int64))


def test_what_is_as_unsure_as_what_people_label_leaves_the_certificate():
    """Every item left, to accept, to certify or to audit by, is surer than all that were asked for."""
    one = campaign(1)
    drawn = set(one.certify.tolist()) | set(one.audit.tolist())
    first = set(one.train.tolist())
    one.run()
    said, _ = said_of(1)
    asked = np.array(sorted(set(one.train.tolist()) - first))
    bound = np.sort(said[asked], axis=1)[:, -1].max()
    left = np.setdiff1d(np.concatenate([one.pool, one.certify, one.audit]), one.train)
    assert said[left].max(1).min() > bound
    assert not drawn & set(one.train.tolist())
    assert len(asked) == 2 * PLAN.batch


def test_certify_items_are_wrong_as_often_as_what_may_be_accepted():
    """Over 25 campaigns the two shares of errors agree, though the hardest were labelled."""
    gaps, errors = [], []
    for seed in range(25):
        one = campaign(seed)
        one.run()
        said, truth = said_of(seed)
        wrong = said.argmax(1) != truth
        free = np.setdiff1d(one.pool, one.train)
        gaps.append(wrong[one.certify].mean() - wrong[free].mean())
        errors.append(wrong.mean() - wrong[free].mean())
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(25)
    assert np.mean(errors) > 0.005  # what is left is easier than the whole


def test_the_promise_holds_and_nearly_a_third_is_accepted():
    """Of 25 campaigns no more break the target than may; nearly a third is accepted."""
    runs = [campaign(seed).run() for seed in range(25)]
    assert sum(r.over_target for r in runs) <= 3
    assert np.mean([r.human_share for r in runs]) < 0.7
    for r in runs:
        assert r.rounds[-1].labelled == labels_of(PLAN, N)
        assert r.rounds[-1].checked <= 400


def test_the_other_ways_take_the_answers_of_the_same_model():
    """Unchecked, all that was not taught stands; by the estimate, all but what was taught or checked."""
    said, truth = said_of(2)
    found = beside_tuned(np.zeros((N, 1)), truth, PLAN, 2, lambda *_: said.copy())
    assert list(found) == ["manual", "automatic", "point threshold", "certificate"]
    labelled = labels_of(PLAN, N)
    assert found["automatic"].human_share == pytest.approx(labelled / N)
    assert found["point threshold"].human_share >= (labelled + 100) / N
    assert found["automatic"].auto_error >= found["certificate"].auto_error
    run = found["certificate"]
    assert (run.answers == said.argmax(1)[run.accepted]).all()


def test_the_quick_model_asks_and_both_answer():
    """Until the labels are enough only the probe is asked; then the network's answers count as much."""
    asked: list[int] = []

    def whole(rows, labels, free, seed):
        asked.append(len(rows))
        return np.tile([0.0, 1.0], (4, 1))

    learner = probe_first(lambda *_: np.tile([1.0, 0.0], (4, 1)), whole, 3)
    assert (learner(np.arange(2), np.zeros(2), np.arange(2, 4), 0)[:, 0] == 1).all()
    assert (learner(np.arange(3), np.zeros(3), np.arange(3, 4), 0) == 0.5).all()
    assert asked == [3]
