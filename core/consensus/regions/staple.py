"""STAPLE: from several people's outlines of one thing to the pixels that are it, and their skill.

Warfield, Zou and Wells, "Simultaneous truth and performance level estimation (STAPLE)", IEEE
Transactions on Medical Imaging 23 (2004) 903-921: EM over a hidden true outline; each person has a
sensitivity (marks what is in) and a specificity (leaves what is out). The binary case, with one
prior for all pixels, the share of all marks, and 0.99999 to begin with, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
_START = 0.99999
_SURE = 1e-10
"""Nobody is taken to be more certain than this, so that one pixel cannot rule a person out."""
MOST_ROUNDS = 100
STILL = 1e-6
"""It has converged where no skill moves by more."""


@dataclass(frozen=True, eq=False)
class Staple:
    """What was learnt of an outline.

    Attributes:
        probability: That a pixel is in, shape of the pixels.
        sensitivity: Of each person, P(marked | in), shape (people,).
        specificity: Of each person, P(left | out).
        rounds: Of EM; 0 where there was nothing to learn.
        converged: Whether it ended by itself.
    """

    probability: Reals
    sensitivity: Reals
    specificity: Reals
    rounds: int
    converged: bool


def staple(marks: NDArray[np.bool_]) -> Staple:
    """Return how likely each pixel is in, and how well each person outlines.

    Pixels that the same people marked are worked out once. Where all people agree on every pixel,
    also that nothing is there, and of one person alone, the outline is theirs and they are right.

    Args:
        marks: True where a person marked a pixel, shape (people, ...): at least one person.
    """
    people = len(marks)
    flat = marks.reshape(people, -1)
    if not flat.size or bool((flat == flat[0]).all()):
        ones = np.ones(people)
        return Staple(marks[0].astype(np.float64), ones, ones, 0, True)
    patterns, where, counts = _patterns(flat)
    prior = float(flat.mean())
    told, inside = patterns.T.astype(np.float64), np.empty(len(counts))
    p = q = np.full(people, _START)
    rounds, moved = 0, 1.0
    while moved >= STILL and rounds < MOST_ROUNDS:
        rounds += 1
        inside = _inside(told, prior, p, q)
        before = np.concatenate([p, q])
        p, q = _skills(told, counts, inside)
        moved = float(np.abs(np.concatenate([p, q]) - before).max())
    probability = inside[where].reshape(marks.shape[1:])
    return Staple(probability, p, q, rounds, moved < STILL)


def _patterns(
    flat: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """Return who marked a pixel, each way once; which way each pixel is, and how many are so."""
    packed = np.ascontiguousarray(np.packbits(flat, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, where, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return flat[:, first].T, where, counts


def _inside(told: Reals, prior: float, p: Reals, q: Reals) -> Reals:
    """Return the chance of being in for each way of being marked (the E step, in logarithms)."""
    p, q = (np.clip(v, _SURE, 1 - _SURE)[:, None] for v in (p, q))
    is_in = np.log(prior) + (told * np.log(p) + (1 - told) * np.log(1 - p)).sum(axis=0)
    is_out = np.log1p(-prior) + ((1 - told) * np.log(q) + told * np.log(1 - q)).sum(axis=0)
    chance: Reals = 1 / (1 + np.exp(np.clip(is_out - is_in, -700, 700)))
    return chance


def _skills(told: Reals, counts: NDArray[np.intp], inside: Reals) -> tuple[Reals, Reals]:
    """Return each person's sensitivity and specificity (the M step)."""
    within, without = counts * inside, counts * (1 - inside)
    sensitivity = told @ within / max(float(within.sum()), _SURE)
    specificity = (1 - told) @ without / max(float(without.sum()), _SURE)
    return sensitivity, specificity
