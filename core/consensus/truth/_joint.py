"""The rounds of Dawid-Skene over people's votes with the model's mapped word on each task beside them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth._blocks import Block, cut, each
from core.consensus.truth.confusion import Model, Smoothing, fit
from core.consensus.truth.result import Truth, Why, Workers
from core.consensus.truth.sparse import SAME
from core.consensus.truth.votes import Ints, Reals, Votes

Bools = NDArray[np.bool_]
CODES = np.array(
    [Why.NO_VOTES, Why.GOLD, Why.UNANIMOUS, Why.MAJORITY, Why.TIE, Why.WEIGHED], dtype=np.int8
)


class Joint:
    """Dawid-Skene with the model as one more voter.

    The table has a row for each (worker, class said), then as many again for votes that repeat the
    model: these tell less. A vote is a pointer to a row.
    """

    def __init__(
        self,
        votes: Votes,
        gold: Ints,
        smoothing: Smoothing,
        word: tuple[NDArray[np.float32], Bools, Reals, bool],
        echo: tuple[float, Bools],
        threads: int | None,
    ) -> None:
        """Take the votes and what the model says.

        Args:
            votes, gold, smoothing, threads: As for `dawid_skene`.
            word: P(truth | its word), where it counts, the shares of the classes it was learnt under,
                and whether it teaches who is right beside a single vote.
            echo: Probability that a shown vote just repeats the model, and which votes may.
        """
        self.votes, self.gold, self.smoothing, self.threads = votes, gold, smoothing, threads
        self.word, self.counted, self.share, self.teaches = word
        self.anchoring, repeats = echo
        self.pairs = votes.workers * votes.classes
        self.echoed = bool(self.anchoring > 0 and repeats.any())
        self.cell = votes.worker * np.int32(votes.classes) + votes.label
        if self.echoed:
            self.cell[repeats] += np.int32(self.pairs)
        rows = self.pairs * (2 if self.echoed else 1)
        self.blocks = cut(votes, rows * votes.classes)
        self.counts = np.empty((len(self.blocks), rows, votes.classes))
        self.mass = np.empty((len(self.blocks), votes.classes))
        self.out = np.empty((votes.tasks, votes.classes), dtype=np.float32)

    def resolve(self, model: Model, tol: float, rounds: int) -> Truth:
        """Run from a model of people until a round changes the log-likelihood by less than `tol` a vote."""
        before, gain, done = -np.inf, np.inf, 0
        while done < rounds and gain >= tol * len(self.votes):
            used, (model, likelihood) = model, self._round(model)
            gain, before, done = abs(likelihood - before), likelihood, done + 1
        return self._truth(used, (done, bool(gain < tol * len(self.votes)), before))

    def _round(self, model: Model) -> tuple[Model, float]:
        """Return the next model, and the log-likelihood under this one; the posteriors are in `out`."""
        from core.consensus.truth._voice_kernel import joint_block

        said, prior = np.exp(model.emission), np.exp(model.prior)
        table = said
        if self.echoed:
            table = np.concatenate([said, (1 - self.anchoring) * said + self.anchoring])
        data = (self.votes.starts, self.cell, self.gold, self.word, self.counted, self.teaches)
        known = (self.smoothing.fewest, table, prior, prior / self.share)
        self.counts[:], self.mass[:] = 0.0, 0.0

        def work(i: int, block: Block) -> float:
            return float(joint_block(*block, *data, *known, self.counts[i], self.mass[i], self.out))

        likelihood = math.fsum(each(self.blocks, work, self.threads))
        counts = self._own(self.counts.sum(axis=0), said)
        return fit(counts, self.mass.sum(axis=0), self.smoothing), likelihood

    def _own(self, counts: Reals, said: Reals) -> Reals:
        """Return the expected votes people cast by themselves: of those that repeat the model a share."""
        if not self.echoed:
            return counts
        told = (1 - self.anchoring) * said
        return counts[: self.pairs] + counts[self.pairs :] * told / (told + self.anchoring)

    def _truth(self, model: Model, end: tuple[int, bool, float]) -> Truth:
        votes = self.votes
        label, why = self._settled()
        cast = np.bincount(votes.worker, minlength=votes.workers)
        confusion, prior = model.confusion(), np.exp(model.prior)
        right = np.where(cast > 0, np.einsum("wjj,j->w", confusion, prior), np.nan)
        people = Workers(cast, right, None, confusion)
        return Truth(label, self.out, why, people, *end, prior=prior)

    def _settled(self) -> tuple[Ints, NDArray[np.int8]]:
        """Return labels and reasons of the last round's posteriors."""
        from core.consensus.truth._voice_kernel import settle_block

        votes, shares = self.votes, self.votes.shares()
        rank = np.argsort(np.argsort(-shares, kind="stable"))
        label, why = np.empty(votes.tasks, np.int32), np.empty(votes.tasks, np.int8)
        data = (votes.starts, votes.label, self.gold, rank, shares, np.float32(1 - SAME), CODES)

        def work(_: int, block: Block) -> None:
            settle_block(*block, *data, self.out, label, why)

        each(self.blocks, work, self.threads)
        return label, why
