"""From a model's probabilities to what they say of the truth, learnt from people's votes alone.

The map: soften or sharpen (one temperature), lean (one bias a class), then confuse (a table from the class
the model means to the true class). It is the one under which the votes are likeliest, the truth unseen,
found by EM; every task is mapped by a fit that did not see its votes. A model that does not make the
votes of unseen tasks likelier is found useless and left out.
Sources: Raykar et al., "Learning from crowds", JMLR 2010 (the likelihood); Guo et al., "On calibration of
modern neural networks", ICML 2017 (temperature); Kull et al., "Beyond temperature scaling", NeurIPS 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.votes import Longs, Reals

FIT_TASKS = 1_000  # enough for some hundred parameters held by priors; more only costs time
ROUNDS = 8
LEAST = 1e-6  # models say 0 and mean "never seen"
OWN, OTHER = 4.0, 0.5  # tasks taken as seen: on the class meant, and shared by all others
HOLD = 1.0  # precision of the prior that keeps the temperature near 1 and the biases near 0
STEEPEST = 20.0
MARGIN = 2.0  # standard errors by which a model must help


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a model's probabilities are worth.

    Attributes:
        probability: P(truth | the model's word), shape (tasks, classes); nan where it said nothing.
        useful: Whether it makes people's votes on unseen tasks likelier by a clear margin.
        gain: By how much, nats a task (per task whose votes were left out of the fit).
        slope: 1 / temperature, mean over the fits.
        confusion: P(truth is j | the model means k) at [k, j], mean over the fits.
    """

    probability: NDArray[np.float32]
    useful: bool
    gain: float
    slope: float
    confusion: Reals


@dataclass(frozen=True, eq=False)
class _Map:
    slope: float
    bias: Reals
    confusion: Reals


def calibrate(
    word: NDArray[np.floating], likelihood: Reals, asked: Longs, prior: Reals, folds: int, seed: int
) -> Calibration:
    """Fit the map on some folds of the tasks and apply it to the other, for each.

    Args:
        word: The model's probabilities, shape (tasks, classes); nan where it said nothing.
        likelihood: P(blind votes | truth) up to a factor a task, shape (tasks, classes).
        asked: Tasks with blind votes (or a known answer) and a word of the model.
        prior: How common each class is.
        folds: How many fits; less than 2 tasks make the model useless.
        seed: Of the folds.
    """
    from core.consensus.truth._calibration_kernel import apply

    tasks, classes = word.shape
    seen = np.random.default_rng(seed).permutation(asked)
    fold = np.arange(tasks) % folds
    fold[seen] = np.arange(len(seen)) % folds
    with np.errstate(invalid="ignore"):
        logs = np.log(np.maximum(word, LEAST))
    others = [seen[fold[seen] != f][:FIT_TASKS] for f in range(folds)]
    maps = [_fit(*_rows(rows, logs, likelihood)) for rows in others]
    slopes, biases = np.array([m.slope for m in maps]), np.stack([m.bias for m in maps])
    tables = np.stack([m.confusion for m in maps])
    out = np.empty((tasks, classes), dtype=np.float32)
    apply(logs, fold, slopes, biases, tables, out)
    mapped, heard = _rows(seen, out, likelihood)
    gain, useful = _judge(mapped, heard, prior)
    return Calibration(out, useful, gain, float(slopes.mean()), tables.mean(axis=0))


def _rows(at: Longs, *tables: NDArray[np.floating]) -> list[Reals]:
    return [table[at].astype(np.float64) for table in tables]


def _judge(mapped: Reals, likelihood: Reals, prior: Reals) -> tuple[float, bool]:
    """Return how much likelier votes become a task, and whether that is more than chance."""
    if len(mapped) < 2:
        return 0.0, False
    gains = np.log((mapped * likelihood).sum(axis=1)) - np.log(likelihood @ prior)
    mean = float(gains.mean())
    return mean, bool(mean > MARGIN * gains.std(ddof=1) / np.sqrt(len(gains)))


def _fit(logs: Reals, likelihood: Reals) -> _Map:
    """Return the likeliest map by EM, one Newton step of slope and bias a round."""
    from core.consensus.truth._calibration_kernel import expect

    classes = logs.shape[1]
    pull = np.full((classes, classes), OTHER / max(classes - 1, 1))
    np.fill_diagonal(pull, OWN)
    now = _Map(1.0, np.zeros(classes), pull / pull.sum(axis=1, keepdims=True))
    for _ in range(ROUNDS):
        counts, up = np.zeros((classes, classes)), np.zeros(classes + 1)
        bend = np.zeros((classes + 1, classes + 1))
        expect(logs, likelihood, now.slope, now.bias, now.confusion, counts, up, bend)
        counts += pull
        slope, bias = _step(now, up, bend)
        now = _Map(slope, bias, counts / counts.sum(axis=1, keepdims=True))
    return now


def _step(now: _Map, up: Reals, bend: Reals) -> tuple[float, Reals]:
    """Return slope and bias after one Newton step, held near 1 and 0 by the prior."""
    bend[1:, 0] = bend[0, 1:]
    bend[np.diag_indices(len(bend))] += HOLD
    away = np.append(now.slope - 1, now.bias)
    move = np.clip(np.linalg.solve(bend, up - HOLD * away), -2.0, 2.0)
    return float(np.clip(now.slope + move[0], 0.0, STEEPEST)), now.bias + move[1:]
