"""The certificate: what it accepts, that it keeps its promise, and how it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InputError
from core.learning.certify import Candidates, Evidence, Ladder, certify, certify_groups, riskiest


def world(n: int, risk: tuple[float, float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make scores and whether each answer is wrong: ever more often the less sure it is."""
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    return score, rng.random(n) < risk[0] + (risk[1] - risk[0]) * (1 - score) ** 2


def look(score, wrong, drawn, target=0.05, delta=0.1, trained=None, **more):
    ids = np.arange(len(score)) + 1000
    pool = Candidates(ids, score, None, trained)
    return certify(pool, Evidence(ids[drawn], wrong[drawn]), target, delta, **more)


def test_the_promise_is_kept_in_as_many_draws_as_stated():
    """Over 400 draws from a set whose error crosses the target, at most delta break it."""
    score, wrong = world(2000, (0.0, 0.2), 0)
    rng, broken, accepted = np.random.default_rng(1), 0, []
    for _ in range(400):
        found = look(score, wrong, rng.choice(2000, 250, replace=False))
        errors = wrong[found.accepted - 1000]
        accepted.append(len(errors))
        broken += len(errors) > 0 and errors.mean() > 0.05
    assert broken / 400 <= 0.1 + 3 * math.sqrt(0.09 / 400)
    assert np.mean(accepted) > 400  # it is no empty promise


def test_the_promise_is_kept_where_every_region_is_just_too_bad():
    """With 6 % wrong everywhere a target of 5 % is broken in at most delta of the draws."""
    rng, broken = np.random.default_rng(2), 0
    score, wrong = rng.random(2000), np.arange(2000) % 17 == 0
    for _ in range(400):
        found = look(score, wrong, rng.choice(2000, 300, replace=False))
        errors = wrong[found.accepted - 1000]
        broken += len(errors) > 0 and errors.mean() > 0.05
    assert 0 < broken / 400 <= 0.1 + 3 * math.sqrt(0.09 / 400)


def test_what_is_accepted_is_what_the_certificate_says():
    """All items at the threshold or above, but those checked and learnt from."""
    score, wrong = world(3000, (0.0, 0.06), 3)
    trained = np.zeros(3000, dtype=bool)
    trained[2700:] = True
    drawn = np.arange(250)
    found = look(score, wrong, drawn, trained=trained)
    assert found.threshold is not None
    passing = np.flatnonzero((score >= found.threshold) & ~trained) + 1000
    assert found.accepted.tolist() == [i for i in passing.tolist() if i >= 1250]
    inside = drawn[score[drawn] >= found.threshold]
    assert (found.sampled, found.errors) == (len(inside), wrong[inside].sum())
    assert found.region == (score >= found.threshold).sum()
    assert found.bound is not None
    assert wrong[found.accepted - 1000].mean() <= found.bound <= 0.05
    assert f"{len(found.accepted):,} of 3,000 items may be accepted" in found.sentence


def test_items_learnt_from_lower_what_may_be_accepted():
    """They count in the region and not in what is left, so never more is accepted."""
    score, wrong = world(4000, (0.0, 0.15), 4)
    drawn = np.arange(600)
    trained = np.arange(4000) >= 3400
    free = look(score, wrong, drawn)
    fewer = look(score, wrong, drawn, trained=trained)
    assert len(fewer.accepted)
    assert fewer.threshold > free.threshold


def test_more_errors_never_accept_more():
    """Turning a checked item wrong leaves the accepted ones or takes some away."""
    score, wrong = world(1500, (0.0, 0.15), 5)
    drawn = np.random.default_rng(5).choice(1500, 300, replace=False)
    before = look(score, wrong, drawn)
    for item in drawn[~wrong[drawn]][:40]:
        worse = wrong.copy()
        worse[item] = True
        assert set(look(score, worse, drawn).accepted) <= set(before.accepted)


def test_the_order_of_items_does_not_matter():
    """Shuffled candidates and checks give the same certificate."""
    score, wrong = world(2000, (0.0, 0.05), 6)
    ids, drawn = np.arange(2000), np.arange(300)
    one = certify(Candidates(ids, score), Evidence(drawn, wrong[drawn]), 0.05, 0.1)
    mixed, others = np.random.default_rng(6).permutation(2000), drawn[::-1]
    two = certify(Candidates(ids[mixed], score[mixed]), Evidence(others, wrong[others]), 0.05, 0.1)
    assert len(one.accepted)
    assert one.accepted.tolist() == two.accepted.tolist()
    assert one.sentence == two.sentence


def test_equal_scores_stay_together():
    """Items of one score pass or fail as one, at the whole level where all are equal."""
    score, wrong = np.full(400, 0.9), np.zeros(400, dtype=bool)
    found = look(score, wrong, np.arange(62), delta=0.06)
    assert len(found.accepted) == 338
    wrong[:30] = True
    refused = look(score, wrong, np.arange(62), delta=0.06)
    assert refused.sentence.startswith("All scores are equal: there is nothing to order items by")
    steps = np.repeat([0.9, 0.5], 400)
    half = look(steps, np.repeat([False, True], 400), np.arange(0, 800, 2))
    assert half.accepted.tolist() == list(range(1001, 1400, 2))


def test_float32_scores_pass_at_their_own_threshold():
    """The threshold is one of the scores, whatever their precision."""
    score, wrong = world(1000, (0.0, 0.05), 7)
    found = look(score.astype(np.float32), wrong, np.arange(300))
    assert found.threshold in score.astype(np.float32)
    assert found.region == (score.astype(np.float32) >= found.threshold).sum()


# --- refusals -------------------------------------------------------------------------------------


def test_too_few_checks_are_refused_with_how_many_are_missing():
    """Below the least number nothing can pass, and the sentence says so."""
    score, wrong = world(5000, (0.0, 0.0), 8)
    found = look(score, wrong, np.arange(7), delta=0.05, confidence=0.9)
    assert found.threshold is None
    assert not len(found.accepted)
    assert (found.sampled, found.needs) == (7, 52)
    assert found.sentence == (
        "Cannot certify 5 % at 90 % confidence: 7 items were checked, at least 59 are needed even "
        "without a single error; label about 52 more."
    )


def test_a_good_model_with_too_few_checks_is_told_how_many_more():
    """Where the share found wrong is below the target, more labels are asked for, and they do."""
    score, wrong = np.random.default_rng(9).random(20_000), np.arange(20_000) % 40 == 0
    order = np.random.default_rng(10).permutation(20_000)
    found = look(score, wrong, order[:120])
    assert found.threshold is None
    assert found.needs is not None
    assert "where the model is surest. Needs about" in found.sentence
    assert found.sentence.startswith("Cannot certify 5 % at 90 % confidence: of ")
    assert 100 < found.needs < 3000
    passes = 0
    for seed in range(20):
        again = np.random.default_rng(seed).permutation(20_000)
        passes += look(score, wrong, again[: 120 + found.needs]).threshold is not None
    assert passes >= 10


def test_a_model_that_is_never_sure_enough_is_told_that_checks_do_not_help():
    """Where every region is above the target no number of checks is named."""
    rng = np.random.default_rng(11)
    score, wrong = rng.random(5000), rng.random(5000) < 0.147
    found = look(score, wrong, np.arange(800))
    assert found.threshold is None
    assert found.needs is None
    assert found.sentence.startswith("The model is never sure enough: at the strictest setting ")
    assert "More checked items will not help; train on more labels or fine-tune." in found.sentence


def test_a_model_that_saw_its_checks_is_not_certified():
    """One checked item among those learnt from is enough to refuse."""
    score, wrong = world(1000, (0.0, 0.0), 12)
    trained = np.zeros(1000, dtype=bool)
    trained[[3, 5, 400]] = True
    found = look(score, wrong, np.arange(300), trained=trained)
    assert found.threshold is None
    assert found.sentence == "This model was trained on certify items (n = 2): it cannot be certified."  # fmt: skip


def test_nothing_and_nothing_checked_are_refused_in_words():
    """No items, no checks, or only checks of items without a score: a sentence each."""
    none = certify(Candidates(np.zeros(0, np.int64), np.zeros(0)), Evidence(np.zeros(0, np.int64), np.zeros(0, bool)), 0.05, 0.1)  # fmt: skip
    assert none.sentence == "Nothing to certify: there are no items."
    score, wrong = world(100, (0.0, 0.0), 13)
    assert "0 items were checked" in look(score, wrong, np.zeros(0, np.int64)).sentence
    elsewhere = Evidence(np.arange(5), np.zeros(5, bool))
    assert "0 items were checked" in certify(Candidates(np.arange(50, 99), score[:49]), elsewhere, 0.05, 0.1).sentence  # fmt: skip
    one = certify(Candidates(np.array([1]), np.array([0.5])), Evidence(np.array([1]), np.array([False])), 0.05, 0.1)  # fmt: skip
    assert one.threshold is None


@pytest.mark.parametrize(
    ("score", "ids", "target", "words"),
    [([0.5, np.nan], [1, 2], 0.05, "no numbers"), ([0.5, 0.6], [1, 1], 0.05, "occurs twice"),
     ([0.5, 0.6], [1, 2], 0.0, "between 0 and 1"), ([0.5, 0.6], [1, 2], 1.5, "between 0 and 1")],
)  # fmt: skip
def test_bad_input_is_refused_in_words(score, ids, target, words):
    """Scores that are no numbers, an item twice, targets out of range."""
    pool = Candidates(np.array(ids), np.array(score))
    with pytest.raises(InputError, match=words):
        certify(pool, Evidence(np.array([2]), np.array([False])), target, 0.1)


# --- groups ---------------------------------------------------------------------------------------


def test_each_group_spends_its_part_and_stands_alone():
    """A good class passes, a bad one is refused, a rare one is told how many checks it lacks."""
    rng = np.random.default_rng(14)
    group = np.repeat(["class:rose", "class:tulip", "class:Blouse"], [3000, 3000, 60])
    wrong = np.where(group == "class:tulip", rng.random(6060) < 0.3, False)
    ids, score = np.arange(6060), rng.random(6060)
    drawn = np.concatenate([np.arange(500), np.arange(3000, 3500), np.arange(6000, 6007)])
    pool, seen = Candidates(ids, score, group), Evidence(drawn, wrong[drawn])
    names = ["class:rose", "class:tulip", "class:Blouse", "class:daisy"]
    rose, tulip, blouse, daisy = certify_groups(pool, seen, 0.05, 0.2, names)
    assert (rose.delta, rose.scope) == (0.05, "class:rose")
    assert rose.accepted.tolist() == list(range(500, 3000))
    assert "items of class 'rose' may be accepted" in rose.sentence
    assert tulip.sentence.startswith("The model is never sure enough of class 'tulip'")
    assert blouse.sentence == (
        "Cannot certify class 'Blouse': 7 of its items were checked, at least 59 are needed even "
        "without a single error; label about 52 more."
    )
    assert daisy.sentence == "Nothing to certify: class 'daisy' has no items."
    with pytest.raises(InputError, match="no groups"):
        certify_groups(Candidates(ids, score), seen, 0.05, 0.1, names)


def test_another_ladder_reaches_lower():
    """A ladder that starts at a tenth certifies a model that is sure of a quarter only."""
    score = np.linspace(1, 0, 8000)
    wrong = (np.arange(8000) % 2 == 0) & (np.arange(8000) >= 2000)
    drawn = np.random.default_rng(15).choice(8000, 1000, replace=False)
    assert look(score, wrong, drawn).threshold is None
    low = look(score, wrong, drawn, ladder=Ladder((0.1, 0.2, 0.4, 0.7)))
    assert 1600 < low.region <= 2200


def test_the_riskiest_are_the_least_sure_that_pass():
    """In order of their scores, those learnt from left out, the lower id first among equals."""
    pool = Candidates(np.array([4, 3, 2, 1]), np.array([0.5, 0.6, 0.6, 0.9]), None, np.array([False, False, False, True]))  # fmt: skip
    assert riskiest(pool, 0.55, 5).tolist() == [2, 3]
    assert riskiest(pool, 0.0, 1).tolist() == [4]
