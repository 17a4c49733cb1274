"""The probe where an image may have several classes, and the figures it is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from core.errors import EmptyTrainingSet, TrainingError
from core.learning.evaluate import average_precision, f1_of, set_scores
from core.learning.probe_multi import (
    THRESHOLDS,
    deal,
    fit_several,
    one_vs_rest,
    platt,
    thresholds_of,
)

CLASSES = ("wet", "torn", "ill")


def scenes(n: int, seed: int = 0, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return n vectors of 16 numbers in which three marks may show, the last one seldom."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, 3)) < (0.5, 0.3, 0.12)).astype(np.float32)
    vectors = targets @ np.eye(3, 16) + rng.normal(0, noise / 2, (n, 16))
    return vectors.astype(np.float32), targets


@pytest.fixture(scope="module")
def fitted():
    """Fit once to 80 scenes with 60 more unlabelled."""
    vectors, targets = scenes(80)
    return fit_several(vectors, targets, scenes(60, 5)[0], 3)


def test_coefficients_are_scikit_learns():
    """One-vs-rest with balanced weights is what scikit-learn fits class by class."""
    vectors, targets = scenes(40)
    ours = one_vs_rest(vectors.astype(np.float64), targets.astype(np.float64), 0.5)
    for c in range(3):
        peer = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=1_000)
        peer.fit(vectors, targets[:, c])
        assert np.allclose(ours[:-1, c], peer.coef_[0], atol=2e-3)
        assert np.isclose(ours[-1, c], peer.intercept_[0], atol=2e-3)


def test_marks_are_found_each_for_itself(fitted):
    """New scenes get sets near the truth, rows do not sum to one, and none is an answer too."""
    vectors, targets = scenes(300, 1)
    table = fitted.head.probabilities(vectors)
    said = table > np.array(fitted.head.thresholds)
    assert f1_score(targets, said, average="macro") > 0.8
    assert table.sum(1).max() > 1.5
    assert (said.sum(1) == 0).any()


def test_probabilities_keep_to_the_shares(fitted):
    """Although the rare class is weighted up, its mean probability is near its share."""
    vectors, targets = scenes(600, 2)
    assert np.allclose(fitted.head.probabilities(vectors).mean(0), targets.mean(0), atol=0.08)


def test_same_seed_same_probe():
    """The same vectors and seed give the same bits."""
    vectors, targets = scenes(30)
    one, two = (fit_several(vectors, targets, vectors[:0], 4) for _ in range(2))
    assert (one.head.weight == two.head.weight).all()
    assert one.head.thresholds == two.head.thresholds


def test_unseen_answers_do_not_follow_the_label():
    """Labels of pure chance are not predicted out of fold, though the fit knows them by heart."""
    vectors = np.random.default_rng(0).normal(0, 1, (60, 40)).astype(np.float32)
    targets = (np.random.default_rng(1).random((60, 2)) < 0.5).astype(np.float32)
    fitted = fit_several(vectors, targets, vectors[:0], 0)
    right = (fitted.answered == (targets > 0)).mean()
    assert 0.3 < right < 0.7


def test_class_without_a_label_and_class_of_all():
    """What nobody has is never answered, what all have always."""
    vectors, targets = scenes(40)
    targets[:, 1], targets[:, 2] = 0, 1
    head = fit_several(vectors, targets, vectors[:0], 0).head
    said = head.probabilities(scenes(50, 1)[0]) > np.array(head.thresholds)
    assert not said[:, 1].any()
    assert said[:, 2].all()


def test_one_item():
    """One labelled item makes a model that says its shares; nothing can be held out."""
    vectors, targets = scenes(1, 3)
    targets[:] = (1, 0, 0)
    fitted = fit_several(vectors, targets, scenes(10)[0], 0)
    assert fitted.answered is not None
    assert len(fitted.out_of_fold) == len(fitted.answered) == 0
    assert np.isfinite(fitted.head.probabilities(vectors)).all()


def test_nothing_to_learn_from():
    """Without any class there is nothing to learn, and a damaged vector is named."""
    vectors, targets = scenes(10)
    with pytest.raises(EmptyTrainingSet, match="No class"):
        fit_several(vectors, targets * 0, vectors[:0], 0)
    vectors[3, 0] = np.nan
    with pytest.raises(TrainingError, match="NaN"):
        fit_several(vectors, targets, vectors[:0], 0)


def test_a_rare_class_is_dealt_to_every_fold():
    """Five items of a rare class go to five folds, and folds are even."""
    targets = np.zeros((43, 2))
    targets[:5, 1], targets[:20, 0] = 1, 1
    fold = deal(targets, np.random.default_rng(0))
    assert sorted(fold[:5]) == [0, 1, 2, 3, 4]
    assert np.ptp(np.bincount(fold)) <= 1


def test_threshold_is_the_best_on_the_grid():
    """No other threshold of the grid gives a higher F1; a class of three keeps one half."""
    rng = np.random.default_rng(0)
    targets = (rng.random((90, 2)) < (0.2, 0.02)).astype(float)
    targets[:, 1] = np.arange(90) < 3
    table = np.clip(0.25 * targets + rng.random((90, 2)) * 0.4, 0, 1)
    found = thresholds_of(table, targets)
    best = max(f1_score(targets[:, 0], table[:, 0] > t) for t in THRESHOLDS)
    assert f1_score(targets[:, 0], table[:, 0] > found[0]) == best
    assert found[1] == 0.5


def test_platt_undoes_a_scale():
    """Scores ten times too large are brought back to what they mean."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, (4_000, 1))
    targets = (rng.random((4_000, 1)) < 1 / (1 + np.exp(-true))).astype(float)
    slope, shift = platt(10 * true + 3, targets)
    assert slope[0] == pytest.approx(0.1, rel=0.1)
    assert shift[0] == pytest.approx(-0.3, abs=0.12)


def test_average_precision_is_scikit_learns():
    """Ties included, and items that count twice as if they were there twice."""
    rng = np.random.default_rng(0)
    score, truth = rng.integers(0, 6, 40) / 6, rng.random(40) < 0.3
    counts = rng.multinomial(40, np.full(40, 1 / 40), 3)
    found = average_precision(score, truth, counts)
    for row, value in zip(counts, found, strict=True):
        again = np.repeat(np.arange(40), row)
        assert value == pytest.approx(average_precision_score(truth[again], score[again]))


def test_scores_are_scikit_learns_with_intervals_around_them():
    """F1 and mean AP agree with scikit-learn; a class nobody has counts in neither."""
    rng = np.random.default_rng(0)
    truth = rng.random((60, 3)) < (0.4, 0.3, 0.0)
    table = np.clip(0.3 * truth + rng.random((60, 3)) * 0.6, 0, 1)
    found = set_scores(truth, table, table > 0.5, CLASSES)
    ap = [average_precision_score(truth[:, c], table[:, c]) for c in range(2)]
    assert found.mean_ap == pytest.approx(np.mean(ap))
    assert found.low < found.mean_ap < found.high
    for c, row in enumerate(found.classes[:2]):
        assert row.f1 == pytest.approx(f1_score(truth[:, c], table[:, c] > 0.5))
        assert row.low < row.f1 < row.high
    assert (found.classes[2].ap, found.classes[2].n) == (None, 0)


def test_interval_of_f1_holds_the_truth():
    """Of 1,000 samples of 60 items at least 93 % hold the F1 of the whole."""
    rng = np.random.default_rng(0)
    truth = rng.random(20_000) < 0.4
    answered = np.where(rng.random(20_000) < 0.2, ~truth, truth)
    whole = f1_score(truth, answered)
    held = 0
    for rows in rng.integers(0, 20_000, (1_000, 60)):
        _, low, high = f1_of(truth[rows], answered[rows])
        held += low <= whole <= high
    assert held >= 930


def test_no_items_no_scores():
    """Without items there are no figures, and that is no error."""
    nothing = np.zeros((0, 3))
    found = set_scores(nothing > 0, nothing, nothing > 0, CLASSES)
    assert (found.mean_ap, found.low, found.n) == (None, None, 0)
    assert found.classes[0].f1 is None
