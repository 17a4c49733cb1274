"""GLAD: how able each worker is and how hard each task is, at once.

P(vote is right) = sigmoid(ability * exp(easiness)); a wrong vote is any other class alike.
Source: Whitehill, Ruvolo, Wu, Bergsma, Movellan, "Whose vote should count more", NIPS 2009; the form for
several classes, the priors N(1, 1) on ability and easiness, and the bounds on steps are crowd-kit's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from core.consensus.truth.posterior import (
    accuracies,
    clamped,
    normalised,
    settled,
    stands_still,
)
from core.consensus.truth.result import Truth, Workers, reasons
from core.consensus.truth.votes import Ints, Reals, Votes, known

EXTREME = 30.0  # exp(30) votes' worth of easiness is certainty; beyond it floats only overflow


@dataclass(frozen=True, eq=False)
class Graded(Truth):
    """Labels, and how hard each task is.

    Attributes:
        difficulty: exp(-easiness) of each task, shape (tasks,): above 1 votes there say little; the
            prior's exp(-1) where nobody voted.
    """

    difficulty: Reals = field(default_factory=lambda: np.zeros(0))


def glad(
    votes: Votes,
    *,
    gold: Ints | None = None,
    iterations: int = 100,
    steps: int = 25,
    tolerance: float = 1e-5,
) -> Graded:
    """Return labels by GLAD; `workers.weight` is the ability, below 0 for who says the opposite.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 where unknown.
        iterations: Most rounds of expectation and maximisation.
        steps: Most gradient steps within a round.
        tolerance: Relative change of the posterior objective below which the rounds end.
    """
    answers = known(votes, gold)
    named, (votes, number) = votes, votes.by_content()
    ability, easiness = np.ones(votes.workers), np.ones(votes.tasks)
    probability, objective = _expect(votes, ability, easiness)
    done, converged = 0, len(votes) == 0
    while done < iterations and not converged:
        ability, easiness = _climb(votes, clamped(probability, answers), ability, easiness, steps)
        before = objective
        probability, objective = _expect(votes, ability, easiness)
        done, converged = done + 1, stands_still(before, objective, tolerance)
    label, probability = settled(votes, probability, answers)
    cast, accuracy = accuracies(named, probability)
    people = Workers(cast, accuracy, weight=ability[number])
    why = reasons(named, label, answers)
    difficulty = np.exp(-easiness)
    return Graded(
        label, probability, why, people, done, converged, objective, difficulty=difficulty
    )


def _expect(votes: Votes, ability: Reals, easiness: Reals) -> tuple[Reals, float]:
    """Return each class's probability, and the log posterior of the parameters.

    A vote's odds for its class are sigmoid(x) to sigmoid(-x)/(classes - 1): x + log(classes - 1).
    """
    others = np.log(max(votes.classes - 1, 1))
    x = _strength(votes, ability, easiness)
    cell = votes.task.astype(np.int64) * votes.classes + votes.label
    odds = np.bincount(cell, x + others, minlength=votes.tasks * votes.classes).astype(np.float64)
    probability, norm = normalised(odds.reshape(votes.tasks, votes.classes))
    wrong = log_expit(-x) - others
    prior = -0.5 * (((ability - 1) ** 2).sum() + ((easiness - 1) ** 2).sum())
    uniform = votes.tasks * np.log(max(votes.classes, 1))
    return probability, float(norm.sum() + wrong.sum() - uniform + prior)


def _strength(votes: Votes, ability: Reals, easiness: Reals) -> Reals:
    return np.asarray(
        ability[votes.worker] * np.exp(np.clip(easiness, -EXTREME, EXTREME))[votes.task]
    )


def _climb(
    votes: Votes, probability: Reals, ability: Reals, easiness: Reals, steps: int
) -> tuple[Reals, Reals]:
    """Return better abilities and easinesses for the expected answers, by bounded L-BFGS."""
    right = probability[votes.task, votes.label]

    def lost(point: Reals) -> tuple[float, Reals]:
        able, easy = point[: votes.workers], point[votes.workers :]
        scale = np.exp(np.clip(easy, -EXTREME, EXTREME))[votes.task]
        x = able[votes.worker] * scale
        gain = right * log_expit(x) + (1 - right) * log_expit(-x)
        slope = right - expit(x)
        up = np.bincount(votes.worker, slope * scale, minlength=votes.workers) - (able - 1)
        ease = np.bincount(votes.task, slope * x, minlength=votes.tasks) - (easy - 1)
        prior = -0.5 * (((able - 1) ** 2).sum() + ((easy - 1) ** 2).sum())
        return -float(gain.sum() + prior), -np.concatenate([up, ease])

    start = np.concatenate([ability, easiness])
    point = minimize(lost, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x
    return point[: votes.workers], point[votes.workers :]
