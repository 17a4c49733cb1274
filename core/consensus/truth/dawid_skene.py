"""Dawid-Skene: each worker has a table of confusion, found together with the truth.

Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
Applied Statistics 28(1), 1979. The smoothing is a Dirichlet prior on each worker's table (Kim and
Ghahramani, "Bayesian classifier combination", AISTATS 2012) whose mean is learnt from all workers (as in
the hybrid confusion model of Liu and Wang, "TrueLabel + confusions", ICML 2012).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth._blocks import Block, cut, each
from core.consensus.truth.confusion import SMOOTH, Model, Smoothing, fit
from core.consensus.truth.majority import cast, majority
from core.consensus.truth.pooled import pooled
from core.consensus.truth.result import Truth, Workers, choose, reasons
from core.consensus.truth.votes import Ints, Votes, known

Got = TypeVar("Got")

TOLERANCE = 1e-5
MOST_CELLS = 4_000_000
"""Largest workers · classes² with a table for each worker."""


def dawid_skene(
    votes: Votes,
    *,
    gold: Ints | None = None,
    smoothing: Smoothing = SMOOTH,
    tol: float = TOLERANCE,
    rounds: int = 100,
    threads: int | None = None,
) -> Truth:
    """Find truth and confusion by expectation-maximisation, starting from the shares of the votes.

    Ends when a round changes the log-likelihood by less than `tol` a vote. The result is the same
    whatever the number of threads. Where a table for each worker would not fit (workers · classes²
    above `MOST_CELLS`) the pooled model answers instead, and the result's `method` says so.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown; it stays fixed.
        smoothing: Pseudo-counts given to each worker's table; `PLAIN` for none.
        tol: Least change of the log-likelihood, per vote, worth another round.
        rounds: Most rounds, at least 1.
        threads: Most threads; None for one a core.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    if votes.workers * votes.classes**2 > MOST_CELLS:
        return replace(pooled(votes, gold=gold, rounds=rounds), method="pooled")
    if not len(votes):
        return majority(votes, gold=gold)
    steps = _Steps(votes, known(votes, gold), smoothing, threads)
    model, before, gain, done = steps.start(), -np.inf, np.inf, 0
    while done < rounds and gain >= tol * len(votes):
        used, (model, likelihood) = model, steps.round(model)
        gain, before, done = abs(likelihood - before), likelihood, done + 1
    return _truth(steps, used, (done, bool(gain < tol * len(votes)), before))


class _Steps:
    """The two steps over all tasks, and what stays the same from round to round."""

    def __init__(self, votes: Votes, gold: Ints, smoothing: Smoothing, threads: int | None) -> None:
        self.votes, self.smoothing, self.threads = votes, smoothing, threads
        cell = votes.worker * np.int32(votes.classes) + votes.label
        self.data = (votes.starts, cell, gold)
        self.blocks = cut(votes, votes.workers * votes.classes**2)
        size = (len(self.blocks), votes.workers * votes.classes, votes.classes)
        self.counts, self.mass = np.empty(size), np.empty(size[::2])

    def start(self) -> Model:
        """Return the model that the shares of the votes give."""
        from core.consensus.truth._kernels import start_block

        def work(i: int, block: Block) -> None:
            start_block(*block, *self.data, self.smoothing.fewest, self.counts[i], self.mass[i])

        return self._next(work)[0]

    def round(self, model: Model) -> tuple[Model, float]:
        """Return the next model, and the log-likelihood of the votes under this one."""
        from core.consensus.truth._kernels import em_block

        def work(i: int, block: Block) -> float:
            tables = (model.emission, model.prior, self.counts[i], self.mass[i])
            return float(em_block(*block, *self.data, self.smoothing.fewest, *tables))

        following, likelihoods = self._next(work)
        return following, math.fsum(likelihoods)

    def posterior(self, model: Model) -> NDArray[np.float32]:
        """Return the probability of each class of each task."""
        from core.consensus.truth._kernels import posterior_block

        out = np.empty((self.votes.tasks, self.votes.classes), dtype=np.float32)

        def work(_: int, block: Block) -> None:
            posterior_block(*block, *self.data, model.emission, model.prior, out)

        each(self.blocks, work, self.threads)
        return out

    def _next(self, work: Callable[[int, Block], Got]) -> tuple[Model, list[Got]]:
        self.counts[:], self.mass[:] = 0.0, 0.0
        got = each(self.blocks, work, self.threads)
        return fit(self.counts.sum(axis=0), self.mass.sum(axis=0), self.smoothing), got


def _truth(steps: _Steps, model: Model, end: tuple[int, bool, float]) -> Truth:
    votes, gold = steps.votes, steps.data[2]
    posterior = steps.posterior(model)
    label = choose(votes, posterior, gold)
    count, confusion, prior = cast(votes), model.confusion(), np.exp(model.prior)
    right = np.where(count > 0, np.einsum("wjj,j->w", confusion, prior), np.nan)
    workers = Workers(count, right, None, confusion)
    return Truth(label, posterior, reasons(votes, label, gold), workers, *end, prior=prior)
