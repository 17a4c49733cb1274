"""Ordered classes: a vote near the truth is less wrong than one far from it.

Two rules. `ordinal_median`: the median vote; probabilities are the shares of the votes. `ordinal`: each
worker errs by a discrete Laplace law, P(says l | truth j) proportional to r**|l - j| with a spread r of
their own, learnt by EM with a pull towards everybody's spread. Both label a task with the median of its
probabilities, which makes the expected distance from the truth least; so a label need not be the single
most probable class. Between two middle classes the one with more votes overall wins, then the lower.
Source: the median as the answer of least absolute distance, and the Laplace law that makes it the most
likely one: e.g. Zheng et al., "Truth inference in crowdsourcing", VLDB 2017, section 4 (Median).
"""

from __future__ import annotations

import numpy as np

from core.consensus.truth.posterior import accuracies, clamped, normalised, stands_still
from core.consensus.truth.result import Truth, Workers, reasons
from core.consensus.truth.sparse import NO_LABEL
from core.consensus.truth.votes import Ints, Reals, Votes, known

SPREADS = np.linspace(0.01, 0.99, 50)
PULL = 4.0  # votes' worth of everybody's habits mixed into each worker's
ROUND = 1e-9  # how near to one half counts as a tie between two middle classes


def ordinal_median(votes: Votes, *, gold: Ints | None = None) -> Truth:
    """Return the median vote of each task."""
    probability = votes.tally() / np.maximum(votes.counts, 1)[:, None]
    return _truth(votes, probability, known(votes, gold))


def ordinal(
    votes: Votes, *, gold: Ints | None = None, iterations: int = 100, tolerance: float = 1e-6
) -> Truth:
    """Return labels by distance-aware EM; `workers.weight` is 1 - r, near 1 for who is exact.

    Args:
        votes: The votes; classes are numbered in their order.
        gold: Known class of each task, -1 where unknown.
        iterations: Most rounds.
        tolerance: Relative change of the log-likelihood below which the rounds end.
    """
    answers = known(votes, gold)
    probability = clamped(votes.tally() / np.maximum(votes.counts, 1)[:, None], answers)
    likelihood, done, converged = -np.inf, 0, len(votes) == 0
    chosen = np.full(votes.workers, len(SPREADS) // 2)
    while done < iterations and not converged:
        chosen = _spreads(votes, probability)
        before = likelihood
        probability, likelihood = _expect(votes, chosen, _prior(votes, probability))
        probability = clamped(probability, answers)
        done, converged = done + 1, done > 0 and stands_still(before, likelihood, tolerance)
    ended = likelihood if done else None
    return _truth(votes, probability, answers, 1 - SPREADS[chosen], done, converged, ended)


def _prior(votes: Votes, probability: Reals) -> Reals:
    """Return how common each class is, one task's worth of equal shares mixed in."""
    held = probability[votes.counts > 0].sum(axis=0) + 1 / max(votes.classes, 1)
    return np.asarray(held / held.sum())


def _norms(classes: int) -> Reals:
    """Return the sum of r**|l - j| over l, for each spread and truth: shape (spreads, classes)."""
    at = np.arange(classes)
    powers = SPREADS[:, None] ** np.arange(max(classes, 1))
    return np.asarray(powers[:, np.abs(at[:, None] - at)].sum(axis=2))


def _spreads(votes: Votes, probability: Reals) -> Ints:
    """Return the number of the likeliest spread of each worker."""
    per_class = np.stack(
        [
            np.bincount(votes.worker, probability[votes.task, j], minlength=votes.workers)
            for j in range(votes.classes)
        ],
        axis=1,
    )
    off = np.abs(votes.label[:, None] - np.arange(votes.classes))
    far = (probability[votes.task] * off).sum(axis=1)
    distance = np.bincount(votes.worker, far, minlength=votes.workers)
    share = PULL / max(len(votes), 1)
    distance = distance + share * distance.sum()
    per_class = per_class + share * per_class.sum(axis=0)
    fit = distance[:, None] * np.log(SPREADS) - per_class @ np.log(_norms(votes.classes)).T
    return np.asarray(np.argmax(np.round(fit, 9), axis=1), dtype=np.int32)


def _expect(votes: Votes, chosen: Ints, prior: Reals) -> tuple[Reals, float]:
    pace, norms = np.log(SPREADS)[chosen], np.log(_norms(votes.classes))[chosen]
    score = np.empty((votes.tasks, votes.classes))
    for j in range(votes.classes):
        spoken = pace[votes.worker] * np.abs(votes.label - j) - norms[votes.worker, j]
        score[:, j] = np.log(prior[j]) + np.bincount(votes.task, spoken, minlength=votes.tasks)
    probability, norm = normalised(score)
    return probability, float(norm.sum())


def _truth(
    votes: Votes,
    probability: Reals,
    gold: Ints,
    weight: Reals | None = None,
    iterations: int = 0,
    converged: bool = True,
    likelihood: float | None = None,
) -> Truth:
    probability = probability.copy()
    probability[votes.counts == 0] = votes.shares()
    probability = clamped(probability, gold)
    label = _middle(votes, probability)
    if votes.classes:
        label = np.where(gold >= 0, gold, label).astype(np.int32)
    cast, accuracy = accuracies(votes, probability)
    people = Workers(cast, accuracy, weight=weight)
    why = reasons(votes, label, gold)
    return Truth(label, probability, why, people, iterations, converged, likelihood)


def _middle(votes: Votes, probability: Reals) -> Ints:
    """Return the median class; -1 where nobody voted."""
    if not votes.classes:
        return np.full(votes.tasks, NO_LABEL, dtype=np.int32)
    below = np.cumsum(probability, axis=1)
    low = np.argmax(below >= 0.5 - ROUND, axis=1)
    high = np.argmax(below > 0.5 + ROUND, axis=1)
    shares = votes.shares()
    best = np.where(shares[high] > shares[low], high, low)
    return np.where(votes.counts > 0, best, NO_LABEL).astype(np.int32)
