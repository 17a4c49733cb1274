"""Suspicious labels where an image may have several classes: confident learning, one class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.learning.suspicious.confident import NOT_GIVEN, doubted


@dataclass(frozen=True, slots=True)
class DoubtedSets:
    """What probabilities say of sets of classes.

    Attributes:
        margin: float32 (n, k): for each class the probability that its yes or no is wrong less
            that it is right, -1 to 1; NaN where a row has no answer or no sound probabilities.
        expected: int64 (k,), how many answers on each class are taken to be wrong.
    """

    margin: np.ndarray
    expected: np.ndarray

    @property
    def worst(self) -> np.ndarray:
        """Return each row's largest margin, float32 (n,): one wrong class makes a wrong answer."""
        sound = np.isfinite(self.margin)
        filled = np.where(sound, self.margin, np.float32(-np.inf))
        most = filled.max(1) if self.margin.shape[1] else np.full(len(filled), -np.inf)
        return np.where(np.isfinite(most), most, np.nan).astype(np.float32)

    def doubts(self, row: int) -> tuple[int, ...]:
        """Return the classes of a row whose answer is likelier wrong than right, the worst first."""
        found = np.flatnonzero(self.margin[row] > 0)
        return tuple(int(c) for c in found[np.argsort(-self.margin[row, found], kind="stable")])


def doubted_sets(table: np.ndarray, given: np.ndarray, known: np.ndarray) -> DoubtedSets:
    """Hold the classes given to images against out-of-sample probabilities, each class for itself.

    Args:
        table: The probability of each class, float (n, k).
        given: Whether each class was given, bool (n, k).
        known: Whether a row has an answer at all, bool (n,).

    Raises:
        InputError: The shapes do not fit each other.
    """
    if table.shape != given.shape or table.ndim != 2 or known.shape != table.shape[:1]:
        raise InputError(
            f"Probabilities of shape {table.shape} do not fit answers of shape {given.shape}."
        )
    margin = np.empty(table.shape, dtype=np.float32)
    expected = np.zeros(table.shape[1], dtype=np.int64)
    for c in range(table.shape[1]):
        share = np.asarray(table[:, c], dtype=np.float32)
        both = np.stack([1 - share, share], axis=1)
        said = doubted(both, np.where(known, given[:, c].astype(np.int32), NOT_GIVEN))
        margin[:, c], expected[c] = said.margin, said.expected
    return DoubtedSets(margin, expected)
