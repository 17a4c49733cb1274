"""Confident learning (Northcutt et al. 2021): which given labels a model that never saw them doubts.

Two passes over the table of probabilities, each reading a row once, so that a table on disk may be
larger than memory. What is read has to be out of sample: a model asked about a label it learnt
from repeats it.

Labels are ranked by how far another class is ahead of the given one, relative to how much the two have
between them. Ranking by the plain margin is better where a model is nearly always right, by the
given class's own probability where it often errs (a weak model's top class is seldom far ahead, even where
the label is plainly wrong). So the two shares have a floor added, which grows with how sure the model is
of the labels on the whole and is 0 for a weak one. It was chosen on CIFAR-10N (real votes, a weak
probe), the demo and, so that it is nowhere worse than the margin, cifar10_label_errors: the figures of
`tests/bench/analytics/issues.py` on these are no independent proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.errors import InputError

NOT_GIVEN = -1
"""Stands for a label that is not there; the row is passed over."""
_CHUNK = 262_144
_WEAK = 0.55
"""Up to this mean probability of the given classes a model counts as weak, and no floor is added."""
_TIE = 1e-6
"""A probability this little below its threshold counts as reaching it, as peers have it."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """What probabilities say of the labels given.

    Attributes:
        score: float32 (n,), 0 to 1, the higher the more doubtful, one half where the given class and
            the likeliest other are level; NaN where the margin is.
        margin: float32 (n,), the likeliest other class's probability less the given one's, -1 to 1;
            NaN where a row has no label or no sound probabilities.
        suggested: int32 (n,), the likeliest other class; -1 where there is none.
        thresholds: float64 (k,), the mean probability of a class over the items given it; NaN of none.
        given: int64 (k,), how many sound rows are given each class.
        counts: int64 (k, k), rows given a class (row) that confidently show a class (column).
        expected: How many labels are taken to be wrong: another class is on top and above its threshold.
    """

    score: np.ndarray
    margin: np.ndarray
    suggested: np.ndarray
    thresholds: np.ndarray
    given: np.ndarray
    counts: np.ndarray
    expected: int

    def ranked(self) -> np.ndarray:
        """Return the sound rows, the most doubtful first; the lower row wins a tie."""
        order = np.argsort(-self.score, kind="stable")
        return order[: int(np.isfinite(self.score).sum())]

    def flagged(self) -> np.ndarray:
        """Return the rows of the `expected` largest scores, the most doubtful first."""
        return largest(self.score, self.expected)

    def joint(self) -> np.ndarray:
        """Return the estimated joint of given (row) and true class (column), summing to 1.

        Rows are scaled to the number of items given each class, as the paper calibrates; a class
        that confidently shows nothing keeps its items on the diagonal.
        """
        seen = self.counts.sum(1)
        table = self.counts + np.diag((seen == 0).astype(np.float64))
        table *= (self.given / table.sum(1))[:, None]
        return np.asarray(table / max(float(table.sum()), 1.0))


def doubted(table: np.ndarray, labels: np.ndarray) -> Doubted:
    """Hold given labels against out-of-sample probabilities.

    Args:
        table: Probabilities, float (n, k); may be a memory map, read in chunks.
        labels: Given class numbers, int (n,); `NOT_GIVEN` where there is none.

    Raises:
        InputError: The shapes do not fit each other, or a label is no class of the table.
    """
    from core.learning.suspicious import _kernels

    _check(table, labels)
    k = table.shape[1]
    codes = np.ascontiguousarray(labels, dtype=np.int32)
    total, given = np.zeros(k), np.zeros(k, dtype=np.int64)
    for at, part in _chunks(table):
        _kernels.own_shares(part, codes[at : at + len(part)], total, given)
    thresholds = np.where(given > 0, total / np.maximum(given, 1), np.nan)
    # No item was given such a class, so nothing says what being sure of it means.
    bounds = np.where(given > 0, thresholds - _TIE, np.inf).astype(np.float32)
    sure = total.sum() / max(int(given.sum()), 1)
    floor = np.float32(max(sure - _WEAK, 1e-6))
    margin, score = np.empty((2, len(table)), dtype=np.float32)
    suggested = np.empty(len(table), dtype=np.int32)
    counts, expected = np.zeros((k, k), dtype=np.int64), 0
    for at, part in _chunks(table):
        rows = slice(at, at + len(part))
        expected += _kernels.told(
            part, codes[rows], bounds, floor, margin[rows], score[rows], suggested[rows], counts
        )
    return Doubted(score, margin, suggested, thresholds, given, counts, int(expected))


def largest(score: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the `count` largest scores, largest first; the lower row wins, NaN never does."""
    sound = np.flatnonzero(np.isfinite(score))
    if count < len(sound):
        cut = np.partition(score[sound], len(sound) - count)[len(sound) - count] if count else 0
        sound = sound[score[sound] >= cut]
    return sound[np.argsort(-score[sound], kind="stable")][:count]


def _check(table: np.ndarray, labels: np.ndarray) -> None:
    if table.ndim != 2 or labels.ndim != 1 or len(table) != len(labels) or table.shape[1] < 1:
        raise InputError(
            f"Probabilities of shape {table.shape} do not fit labels of shape {labels.shape}; "
            "a row for every label and a column for every class were expected."
        )
    if len(labels) and not (labels.min() >= NOT_GIVEN and labels.max() < table.shape[1]):
        raise InputError(
            f"The labels go from {labels.min()} to {labels.max()}, but the table has classes 0 to "
            f"{table.shape[1] - 1}."
        )


def _chunks(table: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for at in range(0, len(table), _CHUNK):
        yield at, np.ascontiguousarray(table[at : at + _CHUNK], dtype=np.float32)
