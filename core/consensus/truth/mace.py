"""MACE: each worker either copies the truth, or spams by habits of their own.

P(says l | truth j) = (1 - s) [l = j] + s h(l), with a worker's share of spam s and habits h. Variational
Bayes with Beta(0.5, 0.5) on s and a Dirichlet(10) on h; the best of ten seeded starts by likelihood.
Source: Hovy, Berg-Kirkpatrick, Vaswani, Hovy, "Learning whom to trust with MACE", NAACL 2013; defaults
as crowd-kit's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import digamma

from core.consensus.truth.posterior import (
    accuracies,
    clamped,
    normalised,
    settled,
    stands_still,
)
from core.consensus.truth.result import Truth, Workers, reasons
from core.consensus.truth.votes import Ints, Reals, Votes, known

HABIT_PRIOR = 10.0
NOISE = 0.5
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Trusted(Truth):
    """Labels, and how much of each worker's voting is spam.

    Attributes:
        spamming: Probability that a vote of each worker tells nothing of the truth, shape (workers,);
            the prior's mean for who cast none.
    """

    spamming: Reals = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class _State:
    """Weights of spam and of knowing per worker, and of each class as a habit: need not sum to 1."""

    spam: Reals
    knows: Reals
    habit: Reals


def mace(
    votes: Votes,
    *,
    gold: Ints | None = None,
    restarts: int = 10,
    iterations: int = 50,
    alpha: float = 0.5,
    beta: float = 0.5,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> Trusted:
    """Return labels by MACE; `workers.weight` is the probability that a worker tells what they know.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 where unknown.
        restarts: Starts from other random states; the most likely end is kept.
        iterations: Most rounds of each.
        alpha, beta: The Beta prior on spamming, and on knowing.
        tolerance: Relative change of the log-likelihood below which a start ends early.
        seed: Of the random starts. They hang on what workers said, never on their numbers.
    """
    answers, traits = known(votes, gold), _traits(votes)
    ends = [
        _run(votes, answers, _start(votes, traits, seed + i), iterations, (alpha, beta), tolerance)
        for i in range(restarts)
    ]
    best = max(ends, key=lambda end: end[1])
    probability, likelihood, state, done, converged = best
    label, probability = settled(votes, probability, answers)
    true = _knowing(votes, probability, state)
    cast, accuracy = accuracies(votes, probability)
    told = np.bincount(votes.worker, true, minlength=votes.workers)
    spamming = (cast - told + alpha) / (cast + alpha + beta)
    people = Workers(cast, accuracy, weight=1 - spamming)
    why = reasons(votes, label, answers)
    return Trusted(label, probability, why, people, done, converged, likelihood, spamming=spamming)


def _run(
    votes: Votes,
    gold: Ints,
    state: _State,
    iterations: int,
    prior: tuple[float, float],
    tolerance: float,
) -> tuple[Reals, float, _State, int, bool]:
    probability, likelihood = _expect(votes, state)
    done, converged = 0, len(votes) == 0
    while done < iterations and not converged:
        state = _maximise(votes, clamped(probability, gold), state, prior)
        before = likelihood
        probability, likelihood = _expect(votes, state)
        done, converged = done + 1, stands_still(before, likelihood, tolerance)
    return probability, likelihood, state, done, converged


def _expect(votes: Votes, state: _State) -> tuple[Reals, float]:
    """Return each class's probability and the log-likelihood.

    A vote speaks for its own class by knows + spam * habit, for any other by spam * habit alone.
    """
    chance = np.maximum(state.spam[:, None] * state.habit, TINY)
    lift = np.log1p(state.knows[:, None] / chance)
    cell = votes.task.astype(np.int64) * votes.classes + votes.label
    size = votes.tasks * votes.classes
    score = np.bincount(cell, lift[votes.worker, votes.label], minlength=size).astype(np.float64)
    probability, norm = normalised(score.reshape(votes.tasks, votes.classes))
    floor = np.log(chance)[votes.worker, votes.label].sum()
    return probability, float(norm.sum() + floor - votes.tasks * np.log(max(votes.classes, 1)))


def _knowing(votes: Votes, probability: Reals, state: _State) -> Reals:
    """Return the probability that each vote told what its worker knew."""
    chance = state.spam[votes.worker] * state.habit[votes.worker, votes.label]
    knows = state.knows[votes.worker]
    told = knows / np.maximum(knows + chance, TINY)
    return np.asarray(probability[votes.task, votes.label] * told)


def _maximise(
    votes: Votes, probability: Reals, state: _State, prior: tuple[float, float]
) -> _State:
    true = _knowing(votes, probability, state)
    told = np.bincount(votes.worker, true, minlength=votes.workers)
    cast = np.bincount(votes.worker, minlength=votes.workers)
    cell = votes.worker.astype(np.int64) * votes.classes + votes.label
    habits = np.bincount(cell, 1 - true, minlength=votes.workers * votes.classes)
    spam, knows = cast - told + prior[0], told + prior[1]
    total = digamma(cast + sum(prior))
    habit = habits.reshape(votes.workers, votes.classes) + HABIT_PRIOR
    likely = np.exp(digamma(habit) - digamma(habit.sum(axis=1, keepdims=True)))
    return _State(np.exp(digamma(spam) - total), np.exp(digamma(knows) - total), likely)


def _traits(votes: Votes) -> Reals:
    """Return a number in 0 to 1 for each worker, made of all they said and of nothing else."""
    mixed = votes.task.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += (votes.label.astype(np.uint64) + np.uint64(1)) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    total = np.zeros(votes.workers, dtype=np.uint64)
    np.add.at(total, votes.worker, mixed)  # wraps around, which is as good in any order
    return (total >> np.uint64(11)).astype(np.float64) / 2.0**53


def _start(votes: Votes, traits: Reals, seed: int) -> _State:
    """Return weights between 1 and 1 + NOISE before normalising, spread by the workers' traits."""
    shift = np.random.default_rng(seed).random(2 + votes.classes)
    noise = 1 + NOISE * ((traits[:, None] * (1 + 97 * shift) + shift) % 1.0)
    pair, habit = noise[:, :2], noise[:, 2:]
    pair = pair / pair.sum(axis=1, keepdims=True)
    habit = habit / np.maximum(habit.sum(axis=1, keepdims=True), TINY)
    return _State(pair[:, 0], pair[:, 1], habit)
