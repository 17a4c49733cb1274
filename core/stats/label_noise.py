"""How many labels are wrong, judged from how often independent votes differ.

One-coin model (after Dawid and Skene 1979): each vote is wrong with the same chance e, independent of
all others, and equally likely any of the other K - 1 classes. Then two votes differ with chance
    d = 2 e (1 - e) + e² (K - 2) / (K - 1),
which gives e, and Bayes' rule gives the chance that a label is wrong which so many votes stand for
and so many against. Where people err together, on hard images above all, the true share is higher:
the figure is a lower bound in practice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.stats.bootstrap import percentile_interval, resampled_sums
from core.stats.intervals import UNDEFINED, Estimate, wilson

Floats = NDArray[np.float64]
FEWEST_DOUBLES = 30


@dataclass(frozen=True, slots=True)
class Pattern:
    """How votes fall on some items.

    Attributes:
        support: Votes for the label in force; 0 where there is none that votes gave.
        others: Votes for each other class.
        items: How many items are so.
        is_final: Whether the label in force is the word of these votes.
    """

    support: int
    others: tuple[int, ...]
    items: int
    is_final: bool

    @property
    def votes(self) -> int:
        """Return the votes on each such item."""
        return self.support + sum(self.others)


@dataclass(frozen=True, slots=True)
class Noise:
    """What votes tell of errors.

    Attributes:
        labels: Share of labels in force that are wrong; n counts those looked at, without a value the
            items there are too few of: those with two votes or more, else labels.
        votes: Share of single votes that are wrong; n counts items with two votes or more.
    """

    labels: Estimate
    votes: Estimate


def noise_from_votes(
    patterns: Sequence[Pattern], classes: int, fewest: int = FEWEST_DOUBLES, seed: int = 0
) -> Noise:
    """Return the share of wrong labels and of wrong votes; intervals draw items again.

    Args:
        patterns: How votes fall, on all items.
        classes: How many classes there are to choose from.
        fewest: Items with two votes or more below which there is no estimate.
        seed: Same seed, same interval.

    Raises:
        InputError: There are fewer than two classes.
    """
    if classes < 2:
        raise InputError(f"Errors need two classes or more, found {classes}.")
    doubles = sum(p.items for p in patterns if p.votes > 1)
    finals = sum(p.items for p in patterns if p.is_final)
    if doubles < fewest or not finals:
        few = replace(UNDEFINED, n=doubles)
        return Noise(few if doubles < fewest else replace(UNDEFINED, n=finals), few)
    differing = np.array([_differing(p) if p.votes > 1 else 0.0 for p in patterns])
    is_double = np.array([float(p.votes > 1) for p in patterns])
    is_final = np.array([float(p.is_final) for p in patterns])
    repeats = np.array([p.items for p in patterns], dtype=np.int64)

    def shares(weights: Floats) -> tuple[Floats, Floats]:
        """Return wrong labels and wrong votes for each row of items a pattern."""
        apart = (weights @ differing) / (weights @ is_double)
        error = error_of(apart, classes)
        wrong = np.column_stack([_wrong(p, error, classes) for p in patterns])
        return np.sum(weights * is_final * wrong, axis=1) / (weights @ is_final), error

    labels, votes = shares(repeats[None, :].astype(np.float64))
    drawn = resampled_sums(np.eye(len(patterns)), repeats, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        label_draws, vote_draws = shares(drawn)
    most = float(error_of(np.array([_most_apart(differing, repeats, is_double)]), classes)[0])
    return Noise(
        _estimate(float(labels[0]), label_draws, finals, _ceiling(patterns, most, classes)),
        _estimate(float(votes[0]), vote_draws, doubles, most),
    )


def error_of(apart: Floats, classes: int) -> Floats:
    """Return the error of a vote at which two differ so often; chance level where they differ more."""
    k = classes
    # k / (k - 1) e² - 2 e + d = 0, the smaller root
    a = k / (k - 1)
    inside = np.clip(1 - a * np.asarray(apart, dtype=np.float64), 0.0, None)
    return np.asarray((1 - np.sqrt(inside)) / a)


def _differing(p: Pattern) -> float:
    """Return the share of an item's pairs of votes that differ."""
    pairs = p.votes * (p.votes - 1) / 2
    same = sum(n * (n - 1) / 2 for n in (p.support, *p.others))
    return 1 - same / pairs


def _wrong(p: Pattern, error: Floats, classes: int) -> Floats:
    """Return the chance that the label in force is wrong, given its votes."""
    e = np.clip(error, 1e-12, None)
    odds = (classes - 1) * np.clip(1 - e, 1e-12, None) / e
    counts = np.array([p.support, *p.others, *(0,) * (classes - 1 - len(p.others))])
    powers = odds[:, None] ** (counts[None, :] - counts.max())
    return np.asarray(1 - powers[:, 0] / powers.sum(axis=1))


def _most_apart(differing: Floats, repeats: NDArray[np.int64], is_double: Floats) -> float:
    """Return Wilson's upper end of how often two votes differ: where none did, drawing says nothing."""
    n = int(repeats @ is_double)
    return wilson(min(float(n), float(repeats @ differing)), n).high or 0.0


def _ceiling(patterns: Sequence[Pattern], error: float, classes: int) -> float:
    finals = [p for p in patterns if p.is_final]
    wrong = [float(_wrong(p, np.array([error]), classes)[0]) * p.items for p in finals]
    return sum(wrong) / sum(p.items for p in finals)


def _estimate(value: float, draws: Floats, n: int, ceiling: float) -> Estimate:
    low, high = percentile_interval(draws)
    if low is None or high is None:
        return Estimate(value, None, None, n)
    return Estimate(value, low, max(high, ceiling) if low == high else high, n)
