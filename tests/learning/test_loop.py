"""The simulated campaign: it keeps its promise, costs what it says, and cheats nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.learning.campaign import Standing
from core.learning.certify import certify
from core.learning.loop import LoopSettings, probe_learner, rivals, simulate, unit_rows
from core.learning.rivals import point_threshold

SMALL = LoopSettings(cold=60, batch=60, first_block=200, certify_share=0.1, folds=2)


def easy(n: int = 1_200, apart: float = 1.2, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return items of four classes, each in two groups, and their classes."""
    rng = np.random.default_rng(seed)
    truth, group = rng.integers(0, 4, n), rng.integers(0, 2, n)
    middles = rng.normal(0, apart, (4, 2, 16))
    vectors = middles[truth, group] + rng.normal(0, 1, (n, 16))
    return vectors.astype(np.float32), truth


@pytest.fixture(scope="module")
def run():
    return simulate(*easy(), SMALL, 5)


def test_an_easy_set_is_mostly_accepted_within_the_target(run):
    """Few items go to people, few accepted labels are wrong, and the figures fit together."""
    _, truth = easy()
    assert run.human_share < 0.45
    assert run.auto_error <= 0.05
    assert not run.over_target
    assert run.human_share == pytest.approx(1 - len(run.accepted) / len(truth))
    wrong = run.auto_error * len(run.accepted)
    assert run.final_accuracy == pytest.approx(1 - wrong / len(truth))
    assert sum(r.delta_spent for r in run.rounds) <= SMALL.delta


def test_the_same_seed_is_the_same_campaign(run):
    """Whatever is random follows from the seed; another seed draws anew."""
    again = simulate(*easy(), SMALL, 5)
    assert (again.accepted == run.accepted).all()
    assert again.rounds == run.rounds
    assert not np.array_equal(simulate(*easy(), SMALL, 6).accepted, run.accepted)


def test_a_model_never_sees_what_is_certified_evaluated_or_audited(monkeypatch):
    """Neither labelled nor unlabelled: the three draws and what is learnt from never meet."""
    vectors, truth = easy()
    learnt: set[int] = set()
    checked: set[int] = set()
    plain = probe_learner(unit_rows(vectors), 4)

    def learner(rows, labels, free, seed):
        assert (labels == truth[rows]).all()
        learnt.update(rows.tolist(), free.tolist())
        return plain(rows, labels, free, seed)

    def watched(pool, seen, *args, **options):
        checked.update(seen.item_ids.tolist())
        assert not (pool.trained & np.isin(pool.item_ids, seen.item_ids)).any()
        return certify(pool, seen, *args, **options)

    monkeypatch.setattr("core.learning.campaign.certify", watched)
    settings = LoopSettings(
        cold=40, batch=50, first_block=45, evaluate_share=0.1, looks=2, folds=2, target=0.001
    )
    simulate(vectors, truth, settings, 2, learner)
    assert len(checked) == 90
    assert not learnt & checked
    assert len(learnt) == 1_200 - 120 - 120 - 12  # certify, evaluate, audit


def test_what_is_learnt_next_does_not_hang_on_the_certificate(monkeypatch):
    """With every certify label turned wrong, the same items are labelled and learnt from."""
    asked: list[list[tuple[int, ...]]] = []
    vectors, truth = easy()
    for turned in (False, True):
        asked.append([])
        plain = probe_learner(unit_rows(vectors), 4)

        def learner(rows, labels, free, seed, plain=plain):
            asked[-1].append(tuple(rows))
            return plain(rows, labels, free, seed)

        def turn(pool, seen, *args, turned=turned, **options):
            wrong = ~seen.wrong if turned else seen.wrong
            return certify(pool, type(seen)(seen.item_ids, wrong), *args, **options)

        monkeypatch.setattr("core.learning.campaign.certify", turn)
        settings = LoopSettings(target=0.002, cold=40, batch=30, first_block=40, looks=3, folds=0)
        simulate(vectors, truth, settings, 1, learner)
    assert len(asked[0]) == 3
    assert asked[0] == asked[1]


def test_labels_without_a_pattern_are_all_left_to_people():
    """Where nothing can be learnt nothing is accepted, and the sentence says why."""
    rng = np.random.default_rng(8)
    vectors, truth = rng.normal(size=(900, 12)).astype(np.float32), rng.integers(0, 5, 900)
    run = simulate(vectors, truth, LoopSettings(cold=60, batch=60, folds=2, looks=2), 4)
    assert run.human_share == 1
    assert run.final_accuracy == 1
    assert len(run.rounds) == 2
    assert "never sure enough" in run.rounds[-1].sentence


def test_few_items_or_one_class_are_no_trouble():
    """Too few to check anything, and a set that holds a single class."""
    vectors, truth = easy(30)
    assert simulate(vectors, truth, LoopSettings(), 1).human_share == 1
    alike = simulate(easy(800)[0], np.zeros(800, dtype=int), SMALL, 1)
    assert alike.auto_error == 0
    assert alike.human_share < 0.4


def test_neighbours_count_where_they_help_unless_left_out():
    """Cross-validation finds that classes lie in clumps; without folds the model stands alone."""
    clumps = simulate(*easy(apart=0.9), replace(SMALL, looks=1), 1)
    alone = simulate(*easy(apart=0.9), replace(SMALL, looks=1, folds=0), 1)
    assert clumps.rounds[0].neighbour_weight >= 0.5
    assert alone.rounds[0].neighbour_weight == 0
    assert clumps.rounds[0].accuracy > alone.rounds[0].accuracy


def test_a_failed_audit_takes_everything_back(monkeypatch):
    """Had those who checked for the certificate waved all through, the audit finds it out."""

    def waved_through(pool, seen, *args, **options):
        fooled = type(seen)(seen.item_ids, np.zeros(len(seen.wrong), dtype=bool))
        return certify(pool, fooled, *args, **options)

    vectors, truth = easy(apart=0.3)
    settings = LoopSettings(cold=60, first_block=200, audit_share=0.1, folds=0)
    monkeypatch.setattr("core.learning.campaign.certify", waved_through)
    run = simulate(vectors, truth, settings, 1)
    assert run.rounds[-1].accepted > 400
    assert run.revoked
    assert run.human_share == run.final_accuracy == 1


def test_a_region_answers_for_what_people_took_out_of_it():
    """Right ones taken out leave the wrong ones behind: the promise is counted anew."""
    truth = np.zeros(100, dtype=int)
    answers = truth.copy()
    answers[:4] = 1
    region = Standing(np.arange(100), answers, np.ones(100), 0.5, most=5.0)
    assert region.within(0.05)
    fewer = region.less(np.arange(50, 100), truth)
    assert len(fewer.rows) == 50
    assert not fewer.within(0.05)
    assert region.less(np.arange(0, 50), truth).most == 1.0


def test_the_rivals_are_told_apart(run):
    """People are always right; unchecked automation is cheapest and worst; ours is `simulate`."""
    found = rivals(*easy(), SMALL, 5)
    assert list(found) == ["manual", "automatic", "point threshold", "certificate"]
    assert (found["manual"].human_share, found["manual"].final_accuracy) == (1, 1)
    assert found["automatic"].human_share == pytest.approx(60 / 1_200)
    assert found["automatic"].auto_error > found["certificate"].auto_error
    assert (found["certificate"].accepted == run.accepted).all()


def test_the_point_threshold_accepts_by_the_estimate_alone():
    """With a learner that is right in 94 % wherever it is asked, all passes, 6 % of it wrong."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 6_000)
    said = np.where(rng.random(6_000) < 0.94, truth, 1 - truth)
    sure = np.eye(2)[said] * 0.8 + 0.1

    loose = LoopSettings(target=0.12)
    run = point_threshold(truth, loose, 1, lambda rows, labels, free, seed: sure)
    assert run.human_share == pytest.approx(0.1)  # validation 450, first labels 150
    assert 0.05 < run.auto_error < 0.07
    strict = point_threshold(truth, LoopSettings(target=0.01), 1, lambda *_: sure)
    assert strict.human_share == 1
