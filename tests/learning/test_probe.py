"""The linear probe on vectors."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import EmptyTrainingSet, TrainingError
from core.learning import probe
from core.learning.probe import fit_probe


def clusters(n: int, k: int = 3, spread: float = 0.5, seed: int = 0, width: int = 20):
    """Return n vectors around k far corners, and which corner each is of."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return np.eye(width)[labels] + rng.normal(0, spread / np.sqrt(width), (n, width)), labels


def accuracy(fitted, vectors, labels) -> float:
    """Return the share the head gets right."""
    return float((fitted.head.probabilities(vectors).argmax(1) == labels).mean())


def test_separable_classes_are_learnt():
    """Far clusters are told apart, with probabilities that sum to one."""
    x, y = clusters(60)
    fitted = fit_probe(x, y, x[:0], 3, 0)
    new_x, new_y = clusters(90, seed=1)
    assert accuracy(fitted, new_x, new_y) > 0.97
    assert np.allclose(fitted.head.probabilities(new_x).sum(1), 1, atol=1e-5)


def test_unlabelled_images_help_few_labels():
    """One label per class and a pool beats one label per class alone, on average."""
    alone, helped = [], []
    for seed in range(5):
        x, y = clusters(300, spread=2.2, seed=seed)
        for pool, out in ((x[:0], alone), (x[3:], helped)):
            out.append(accuracy(fit_probe(x[:3], y[:3], pool, 3, seed), x[3:], y[3:]))
    assert np.mean(helped) > np.mean(alone) + 0.03


def test_a_second_round_of_teaching_helps(monkeypatch):
    """What the first fit says of an image's neighbours gains over what has spread alone."""

    def right(seed: int) -> float:
        x, y = clusters(300, spread=2.2, seed=seed)
        return accuracy(fit_probe(x[:6], y[:6], x[6:], 3, seed), x[6:], y[6:])

    twice = [right(seed) for seed in range(8)]
    monkeypatch.setattr(probe._Problem, "_taught", probe._Problem._fit)
    assert np.mean(twice) > np.mean([right(seed) for seed in range(8)]) + 0.01


def test_same_seed_same_probe():
    """The same vectors and seed give the same bits."""
    x, y = clusters(40)
    one, two = (fit_probe(x, y, clusters(50, seed=2)[0], 3, 5) for _ in range(2))
    assert (one.head.weight == two.head.weight).all()
    assert one.head.temperature == two.head.temperature


@pytest.mark.parametrize("labels", [[], [1] * 6], ids=["none", "one class"])
def test_too_few_classes(labels):
    """Without two classes there is nothing to learn, and that is said."""
    with pytest.raises(EmptyTrainingSet, match="at least 2"):
        fit_probe(clusters(len(labels))[0], np.array(labels, dtype=int), np.zeros((0, 20)), 3, 0)


def test_class_with_one_example():
    """A class with a single example is learnt like the others."""
    x, y = clusters(21)
    keep = (y != 2) | (np.arange(21) == 2)
    fitted = fit_probe(x[keep], y[keep], x[:0], 3, 0)
    assert fitted.head.probabilities(x[5:6]).argmax() == 2


def test_one_example_each():
    """One example per class makes a model, without out-of-fold answers."""
    x, y = clusters(3)
    fitted = fit_probe(x, y, x[:0], 3, 0)
    assert len(fitted.out_of_fold) == 0
    assert accuracy(fitted, *clusters(60, seed=1)) > 0.9


def test_class_nobody_labelled_is_never_answered():
    """A class of the schema without a label gets no probability."""
    x, y = clusters(30, k=2)
    fitted = fit_probe(x, y * 2, clusters(20, k=2, seed=1)[0], 4, 0)
    table = fitted.head.probabilities(x)
    assert table[:, [1, 3]].max() < 1e-6
    assert accuracy(fitted, x, y * 2) > 0.95


def test_equal_vectors_give_the_class_shares():
    """Where all images look the same, the answer is how often each class was said."""
    fitted = fit_probe(np.ones((30, 8)), np.array([0] * 24 + [1] * 6), np.ones((9, 8)), 2, 0)
    assert fitted.head.probabilities(np.ones((1, 8)))[0, 0] == pytest.approx(0.8, abs=0.1)


def test_nan_stops():
    """A NaN among the vectors stops the fit with a sentence."""
    x, y = clusters(12)
    x[3, 3] = np.nan
    with pytest.raises(TrainingError, match="NaN"):
        fit_probe(x, y, x[:0], 3, 0)


def test_confidence_matches_accuracy():
    """On noisy clusters mean confidence on new items is near their accuracy."""
    x, y = clusters(240, spread=3.0)
    fitted = fit_probe(x, y, x[:0], 3, 0)
    new_x, new_y = clusters(900, spread=3.0, seed=9)
    table = fitted.head.probabilities(new_x)
    assert table.max(1).mean() == pytest.approx(accuracy(fitted, new_x, new_y), abs=0.06)


def test_out_of_fold_answers_have_not_seen_their_label():
    """Labels drawn at random cannot be guessed out of fold, however well they were memorised."""
    x, _ = clusters(150, k=1, spread=5, width=60)
    y = np.random.default_rng(3).integers(0, 2, 150)
    fitted = fit_probe(x, y, x[:0], 2, 0)
    assert accuracy(fitted, x, y) > 0.8
    assert abs((fitted.out_of_fold.mean(0).argmax(1) == y).mean() - 0.5) < 0.15


def test_stop_is_asked_between_fits():
    """The caller can stop the search."""

    def stop() -> None:
        raise InterruptedError

    x, y = clusters(12)
    with pytest.raises(InterruptedError):
        fit_probe(x, y, x[:0], 3, 0, stop)
