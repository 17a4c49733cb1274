"""From a model's probabilities to what they say of the truth, learnt from people's votes alone.

The map: soften or sharpen (one temperature), lean (one bias a class), then confuse (a table from the class
the model means to the true class). It is the one under which the votes are likeliest, the truth unseen,
found by EM; every task is mapped by a fit that did not see its votes. How clearly that makes the votes of
unseen tasks likelier is the evidence for the model.
Sources: Raykar et al., "Learning from crowds", JMLR 2010 (the likelihood); Guo et al., "On calibration of
modern neural networks", ICML 2017 (temperature); Kull et al., "Beyond temperature scaling", NeurIPS 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.votes import Longs, Reals

FIT_TASKS = 1_000  # enough for some hundred parameters held by priors; more only costs time
ROUNDS = 8
Bools = NDArray[np.bool_]
LEAST = 1e-6  # models say 0 and mean "never seen"
OWN, OTHER = 4.0, 0.5  # tasks taken as seen: on the class meant, and shared by all others
HOLD = 1.0  # precision of the prior that keeps the temperature near 1 and the biases near 0
STEEPEST = 20.0
# Standard errors by which a model must help: to count; to count in full; to tell, where a task has one
# vote, who votes right. Below, a model right half the time was seen to cost 9 points there, above 1.
DOUBTED, TRUSTED, TEACHING = 2.0, 4.0, 10.0
TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a model's probabilities are worth.

    Attributes:
        probability: P(truth | the model's word), shape (tasks, classes); nan where it said nothing.
        gain: How much likelier it makes people's votes, nats a task (whose votes were left out of the
            fit).
        evidence: That in standard errors.
        slope: 1 / temperature, mean over the fits.
        confusion: P(truth is j | the model means k) at [k, j], mean over the fits.
    """

    probability: NDArray[np.float32]
    gain: float
    evidence: float
    slope: float
    confusion: Reals

    @property
    def trust(self) -> float:
        """Return the probability with which its word is taken to tell anything.

        It rises with the evidence from 0 to 1, so that what looks useful by luck on few tasks hardly counts.
        """
        return min(1.0, max(0.0, (self.evidence - DOUBTED) / (TRUSTED - DOUBTED)))

    @property
    def teaches(self) -> bool:
        """Return whether its word beside a single vote may teach who votes right."""
        return self.evidence >= TEACHING


@dataclass(frozen=True, eq=False)
class _Map:
    slope: float
    bias: Reals
    confusion: Reals


def calibrate(
    word: NDArray[np.floating],
    likelihood: Reals,
    asked: Longs,
    heard: Bools,
    prior: Reals,
    folds: int,
    seed: int,
) -> Calibration:
    """Fit the map on some folds of the tasks and apply it to the other, for each.

    Args:
        word: The model's probabilities, shape (tasks, classes); nan where it said nothing.
        likelihood: P(blind votes | truth) up to a factor a task, of the tasks asked: (asked, classes).
        asked: Tasks with blind votes (or a known answer) and a word of the model.
        heard: The tasks whose word is to be mapped, shape (tasks,); on each the model said something.
        prior: How common each class is.
        folds: How many fits; less than 2 tasks make the model useless.
        seed: Of the folds.
    """
    order = np.random.default_rng(seed).permutation(len(asked))
    fold = np.empty(len(asked), dtype=np.int64)
    fold[order] = np.arange(len(asked)) % folds
    with np.errstate(invalid="ignore"):
        logs = np.log(np.maximum(word, np.float32(LEAST)))
    others = [order[fold[order] != f][:FIT_TASKS] for f in range(folds)]
    fitted = logs[asked].astype(np.float64)
    maps = [_fit(fitted[rows], likelihood[rows]) for rows in others]
    of_all = np.arange(len(word)) % folds
    of_all[asked] = fold
    wanted = heard.copy()
    wanted[asked] = True
    out = np.full(word.shape, np.nan, dtype=np.float32)
    _map_all(logs, [np.flatnonzero((of_all == f) & wanted) for f in range(folds)], maps, out)
    gain, evidence = _judge(out[asked].astype(np.float64), likelihood, prior)
    out[asked[~heard[asked]]] = np.nan
    slope, table = np.mean([m.slope for m in maps]), np.mean([m.confusion for m in maps], axis=0)
    return Calibration(out, gain, evidence, float(slope), table)


def _map_all(
    logs: NDArray[np.float32], parts: list[Longs], maps: list[_Map], out: NDArray[np.float32]
) -> None:
    """Write what the model's word says of the truth, each part of the tasks by its own map."""
    from core.consensus.truth._calibration_kernel import apply

    for rows, by in zip(parts, maps, strict=True):
        apply(rows, logs, by.slope, by.bias, by.confusion, out)


def _judge(mapped: Reals, likelihood: Reals, prior: Reals) -> tuple[float, float]:
    """Return how much likelier votes become a task, and that in standard errors; 0 where unknown."""
    if len(mapped) < 2:
        return 0.0, 0.0
    gains = np.log((mapped * likelihood).sum(axis=1)) - np.log(likelihood @ prior)
    mean, error = float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return mean, mean / max(error, TINY)


def _fit(logs: Reals, likelihood: Reals) -> _Map:
    """Return the likeliest map by EM, one Newton step of slope and bias a round."""
    from core.consensus.truth._calibration_kernel import expect

    classes = logs.shape[1]
    columns = (np.ascontiguousarray(logs.T), np.ascontiguousarray(likelihood.T))
    pull = np.full((classes, classes), OTHER / max(classes - 1, 1))
    np.fill_diagonal(pull, OWN)
    now = _Map(1.0, np.zeros(classes), pull / pull.sum(axis=1, keepdims=True))
    for _ in range(ROUNDS):
        counts, up = np.zeros((classes, classes)), np.zeros(classes + 1)
        bend = np.zeros((classes + 1, classes + 1))
        expect(*columns, now.slope, now.bias, now.confusion, counts, up, bend)
        counts += pull
        slope, bias = _step(now, up, bend)
        now = _Map(slope, bias, counts / counts.sum(axis=1, keepdims=True))
    return now


def _step(now: _Map, up: Reals, bend: Reals) -> tuple[float, Reals]:
    """Return slope and bias after one Newton step, held near 1 and 0 by the prior."""
    edge = bend[0, 1:]
    bend = np.tril(bend) + np.tril(bend, -1).T
    bend[1:, 0] = bend[0, 1:] = edge
    bend[np.diag_indices(len(bend))] += HOLD
    away = np.append(now.slope - 1, now.bias)
    move = np.clip(np.linalg.solve(bend, up - HOLD * away), -2.0, 2.0)
    return float(np.clip(now.slope + move[0], 0.0, STEEPEST)), now.bias + move[1:]
