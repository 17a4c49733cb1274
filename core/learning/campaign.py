"""One simulated campaign, step by step; `loop.simulate` runs it. Free of torch.

What is labelled next is chosen before each look and by nothing the look tells, so that every model
is blind to the certificate; only whether to go on may depend on it.

Where the least sure are labelled (``border``), the first labels are a random draw, and each batch is
everything in the pool that the model is less sure of than a bound. Certify items beyond that bound
leave with it. So what is left of the pool and what is left to certify by are still one random
split of the same items, and no item that was learnt from has to be counted among them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from core.learning.certify import Candidates, Certificate, Evidence, certify
from core.learning.clusters import representatives
from core.learning.loop_values import Learner, LoopRound, LoopRun, LoopSettings
from core.learning.smooth import blend, choose_weight
from core.stats.betting import RateTest
from core.stats.certificate import Ladder

_AUDIT_LEVEL = 0.05
_CANDIDATES = 4
_BEFORE = 1_000
"""Added to the number of a batch labelled before the first look, to draw it by a seed of its own."""
_WORTH = 2.0
"""Another look must be able to win this many times what it costs: it never wins all that is left."""


class Campaign:
    """The state of one run; rows are numbers of items."""

    def __init__(
        self,
        vectors: np.ndarray,
        truth: np.ndarray,
        settings: LoopSettings,
        seed: int,
        learn: Learner,
        near: np.ndarray,
    ) -> None:
        self.vectors, self.truth, self.settings, self.seed = vectors, truth, settings, seed
        self.learn, self.near = learn, near
        self.n, self.classes = len(truth), int(truth.max()) + 1
        self.certify, self.evaluate, self.audit, self.pool = self._drawn()
        self.train = self._cold()
        self.rounds: list[LoopRound] = []
        self.standing: Standing | None = None
        self.checked = np.zeros(0, np.int64)
        self.believed = np.zeros((0, self.classes))

    def run(self) -> LoopRun:
        """Look until it is enough, audit, and give the rest to people."""
        started = time.perf_counter()
        for lesson in range(1, self.settings.lessons):
            believed, _weight = self._believed()
            self._label(self._next(believed, _BEFORE + lesson), believed)
        for look in range(1, self.settings.looks + 1):
            more = self._look(look)
            if not self._goes_on(look):
                break
            self._label(more, self.believed)
        return self._finished(started)

    def _drawn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw what may not be learnt from before anything is labelled."""
        s, n = self.settings, self.n
        order = np.random.default_rng(self.seed).permutation(n)
        sizes = (
            max(round(s.certify_share * n), min(s.first_block, n // 4)),
            round(s.evaluate_share * n),
            round(s.audit_share * n),
        )
        certify, evaluate, audit, pool = np.split(order, np.cumsum(sizes))
        return certify, evaluate, audit, np.sort(pool)

    def _cold(self) -> np.ndarray:
        s = self.settings
        count = max(2 * self.classes, min(s.cold, int(s.cold_share * self.n + 1e-9)))
        if s.asking == "border":
            rng = np.random.default_rng((self.seed, 1))
            return np.sort(rng.permutation(self.pool)[:count])
        return np.sort(self.pool[representatives(self.vectors[self.pool], count, self.seed)])

    def _look(self, look: int) -> np.ndarray:
        """Train, answer, certify; return what would be labelled next, chosen before the look."""
        self.believed, weight = self._believed()
        score, answers = self.believed.max(1), self.believed.argmax(1)
        spent = self.settings.may_err(look)
        seen = self.certify[: self._block(look)]
        self.checked = np.union1d(self.checked, seen)
        more = self._next(self.believed, look)
        found = self._certified(score, answers, seen, spent)
        self._stand(found, score, answers)
        open_ = np.setdiff1d(self.pool, self.train)
        accuracy = float((answers[open_] == self.truth[open_]).mean()) if len(open_) else 1.0
        self.rounds.append(
            LoopRound(
                len(self.train),
                len(self.checked),
                spent,
                weight,
                len(found.accepted),
                accuracy,
                found.sentence,
            )
        )
        return more

    def _believed(self) -> tuple[np.ndarray, float]:
        """Return what is believed of every item and the neighbours' weight in it."""
        labels = self.truth[self.train]
        free = np.setdiff1d(self.pool, self.train)
        known = np.eye(self.classes, dtype=np.float32)[labels]
        if len(np.unique(labels)) < 2:  # nothing to learn yet: all are taken for the one class met
            return np.repeat(known[:1], self.n, axis=0), 0.0
        weight = self._weight(labels, free)
        said = self.learn(self.train, labels, free, self.seed)
        said[self.train] = known
        return blend(said, self.near, weight), weight

    def _weight(self, labels: np.ndarray, free: np.ndarray) -> float:
        if self.settings.folds < 2:
            return 0.0

        def learn(rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
            return self.learn(rows, classes, free, self.seed)

        return choose_weight(
            learn, self.near, self.train, labels, self.classes, self.settings.folds, self.seed
        )

    def _block(self, look: int) -> int:
        """Return how many certify items are labelled for a look."""
        return int(min(len(self.certify), self.settings.first_block * 2 ** (look - 1)))

    def _next(self, believed: np.ndarray, look: int) -> np.ndarray:
        """Return what to label next, of all that is open, by nothing a look tells.

        Half near the border and half typical; or the least sure alone.
        """
        open_ = np.setdiff1d(self.pool, self.train)
        count = min(self.settings.batch, len(open_))
        lead = leads(believed)
        close = open_[np.argsort(lead[open_], kind="stable")]
        if self.settings.asking == "border":
            return close[:count]
        rng = np.random.default_rng((self.seed, look))
        border = rng.permutation(close[: _CANDIDATES * (count // 2)])[: count // 2]
        left = np.setdiff1d(open_, border)
        typical = representatives(self.vectors[left], count - len(border), self.seed + look)
        return np.concatenate([border, left[typical]])

    def _certified(
        self, score: np.ndarray, answers: np.ndarray, seen: np.ndarray, delta: float
    ) -> Certificate:
        pool = np.concatenate([self.pool, self.certify])
        if self.settings.asking == "border":
            pool = np.setdiff1d(pool, self.train)
        return certify(
            Candidates(pool, score[pool], trained=np.isin(pool, self.train)),
            Evidence(seen, answers[seen] != self.truth[seen]),
            self.settings.target,
            delta,
            Ladder(self.settings.starts),
            confidence=1 - self.settings.delta,
        )

    def _stand(self, found: Certificate, score: np.ndarray, answers: np.ndarray) -> None:
        """Let the larger of the old and the new region stand, if the old one still may."""
        old = self.standing
        kept = old.less(self.by_people(), self.truth) if old else None
        if kept is not None and not kept.within(self.settings.target):
            kept = None
        if found.threshold is not None and (kept is None or len(found.accepted) > len(kept.rows)):
            most = (found.bound or 0.0) * len(found.accepted)
            kept = Standing(found.accepted, answers, score, found.threshold, most)
        self.standing = kept

    def by_people(self) -> np.ndarray:
        """Return the rows that people have labelled so far."""
        return np.concatenate([self.train, self.checked, self.evaluate])

    def _label(self, more: np.ndarray, believed: np.ndarray) -> None:
        """Let people label some more; what is as unsure among the kept-back items leaves with it."""
        self.train = np.union1d(self.train, more)
        if self.settings.asking == "border" and len(more):
            lead = leads(believed)
            bound = lead[more].max()
            self.certify = self.certify[lead[self.certify] > bound]
            self.audit = self.audit[lead[self.audit] > bound]
        if self.standing:
            self.standing = self.standing.less(self.by_people(), self.truth)

    def _goes_on(self, look: int) -> bool:
        """Say whether another look may win more than it costs."""
        s = self.settings
        block = self._block(look + 1) - self._block(look)
        accepted = len(self.standing.rows) if self.standing else 0
        left = self.n - accepted - len(self.by_people())
        return look < s.looks and left > _WORTH * (s.batch + block) and left > s.batch

    def _finished(self, started: float) -> LoopRun:
        """Audit what stands, and give the rest to people."""
        standing = self.standing
        if standing is not None and not standing.within(self.settings.target):
            standing = None
        revoked = standing is not None and self._audit_fails(standing)
        rows = standing.rows if standing is not None and not revoked else np.zeros(0, np.int64)
        answers = standing.answers[rows] if standing is not None else rows
        wrong = int((answers != self.truth[rows]).sum())
        error = wrong / len(rows) if len(rows) else 0.0
        return LoopRun(
            human_share=1 - len(rows) / self.n,
            auto_error=error,
            over_target=error > self.settings.target,
            final_accuracy=1 - wrong / self.n,
            accepted=rows,
            answers=answers,
            rounds=tuple(self.rounds),
            revoked=revoked,
            seconds=time.perf_counter() - started,
        )

    def _audit_fails(self, standing: Standing) -> bool:
        test = RateTest(self.settings.target, _AUDIT_LEVEL)
        drawn = self.audit[standing.score[self.audit] >= standing.threshold]
        return any(test.add(bool(standing.answers[r] != self.truth[r])) for r in drawn)


def leads(believed: np.ndarray) -> np.ndarray:
    """Return by how much the likeliest class of each row leads the next."""
    ordered = np.sort(believed, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, :-1].max(axis=1, initial=0.0))


@dataclass(frozen=True, slots=True)
class Standing:
    """A certified region; `most` is how many of its rows may be wrong by the certificate."""

    rows: np.ndarray
    answers: np.ndarray
    score: np.ndarray
    threshold: float
    most: float

    def less(self, told: np.ndarray, truth: np.ndarray) -> Standing:
        """Leave out rows that people have labelled since; what was wrong in them is known now."""
        gone = np.intersect1d(self.rows, told)
        found = int((self.answers[gone] != truth[gone]).sum())
        rows = np.setdiff1d(self.rows, gone)
        return Standing(rows, self.answers, self.score, self.threshold, self.most - found)

    def within(self, target: float) -> bool:
        """Say whether what is left still keeps the promise."""
        return self.most <= target * len(self.rows) + 1e-9
