"""Why people disagree: the likely cause of each dispute, from the evidence, with what speaks for it.

Our own definition; no source has one. Each cause is a line of weights of evidence (Good, "Probability
and the weighing of evidence", 1950): every piece of evidence is brought to the range -1 to 1, shrunk
by n / (n + 4) where it rests on n observations, multiplied by its weight, and added up; a softmax
makes scores that sum to 1. What is unknown weighs nothing, and "too little to say" stands at a fixed
height the others have to rise above. The scores order and explain; they are not calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.consensus.autopsy_evidence import Findings, find
from core.consensus.autopsy_pairs import Cases, Reals, Record


class Cause(StrEnum):
    """What a dispute comes from."""

    SLIP = "slip"
    """One person's hand slipped: fast, alone, and unlike what they otherwise do."""
    GAP = "guideline-gap"
    """The guideline leaves open which of two answers it is; everybody reads it in their own way."""
    OVERLAP = "taxonomy-overlap"
    """Two classes that nobody, nor the model, can keep apart, whatever side one begins with."""
    AMBIGUOUS = "ambiguous-image"
    """The image itself does not show what it is."""
    UNKNOWN = "too-little"
    """Too little is known to say."""


CAUSES = tuple(Cause)
_UNKNOWN_HEIGHT = 0.9
_ENOUGH = 4.0
_NEVER = -4.0

# Weight of each piece of evidence for slip, gap, overlap, ambiguous.
WEIGHTS: dict[str, tuple[float, float, float, float]] = {
    "alone": (1.2, -0.2, -0.2, -0.8),  # one against two or more who agree
    "torn": (-0.8, 0.2, 0.3, 0.5),  # the votes, weighed by who cast them, leave both likely
    "quick": (1.8, 0.0, 0.0, -0.6),  # those against were faster than they are
    "unlike": (1.4, -0.8, -0.8, 0.2),  # they hardly ever take the one for the other
    "again": (-2.0, 1.5, 1.5, -1.5),  # the same two answers differ on other items
    "camps": (0.0, 2.0, -2.0, 0.0),  # each person keeps to a side of their own
    "unclear": (-0.5, 1.8, 0.2, 0.0),  # somebody says the guideline does not tell
    "model-split": (-0.6, 0.0, 1.2, 0.0),  # the model splits between the same two
    "model-sure": (1.0, 0.0, -0.6, -1.0),  # the model is sure of the leading answer
    "model-lost": (-0.6, -0.2, -0.5, 1.4),  # the model has no favourite, nor two
    "slow": (-0.8, 0.0, 0.1, 1.5),  # everybody took longer than they do
    "mixed": (-0.6, 0.0, 0.2, 0.8),  # look-alikes have many labels
    "many": (-0.8, -0.4, -0.5, 1.2),  # three answers or more
    "unsteady": (-0.2, -0.4, 0.3, 1.0),  # the same person said something else the second time
}


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of evidence in words, and how many observations it rests on."""

    text: str
    n: int


@dataclass(frozen=True, eq=False)
class Autopsy:
    """The likely cause of each dispute.

    Attributes:
        cause: Places in `CAUSES`, shape (cases,).
        scores: Of each cause, summing to 1, shape (cases, causes).
        found: What they rest on.
        weighed: Evidence by name, from -1 to 1, 0 where unknown; shape (cases,) each.
    """

    cause: NDArray[np.int64]
    scores: Reals
    found: Findings
    weighed: dict[str, Reals]


def autopsy(record: Record, cases: Cases) -> Autopsy:
    """Return the likely cause of each dispute; the order of votes and names of people do not matter."""
    found = find(record, cases)
    weighed = weigh(found)
    scores = np.zeros((len(cases.item), len(CAUSES)))
    scores[:, -1] = _UNKNOWN_HEIGHT
    for name, weights in WEIGHTS.items():
        scores[:, :-1] += weighed[name][:, None] * np.asarray(weights)
    alike = found.pair[:, 1] < 0  # nobody differs: it was flagged, and the flag alone tells why
    gap = np.where(found.unclear > 0, scores[:, CAUSES.index(Cause.GAP)], _NEVER)
    scores[alike, :-1] = _NEVER
    scores[alike, CAUSES.index(Cause.GAP)] = gap[alike]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return Autopsy(scores.argmax(axis=1), scores, found, weighed)


def weigh(found: Findings) -> dict[str, Reals]:
    """Return each piece of evidence from -1 (against) to 1 (for), 0 where nothing is known."""
    rest = found.votes - found.against
    rate = (found.again + 0.5) / (found.met + 10.0)
    again = _between(rate, 0.03, 0.15) * _trust(found.met)
    repeated = np.maximum(again, 0.0)
    lost = _between(found.model_top, 0.85, 0.45) - np.nan_to_num(found.model_pair)
    parts = {
        "alone": np.where(
            (found.against == 1) & (rest >= 2) & (found.answers == 2),
            1.0,
            np.where((found.votes >= 4) & (2 * found.against >= found.votes - 1), -1.0, 0.0),
        ),
        "torn": _between(found.lead, 0.9, 0.2),
        "quick": _between(np.log2(found.pace), 0.3, -1.2),
        "unlike": _between(found.own_rate, 0.12, 0.02) * _trust(found.own_n),
        "again": again,
        "camps": _between(found.camps, 0.05, 0.75) * _trust(found.camps_n) * repeated,
        "unclear": found.unclear / (found.unclear + 0.5),
        "model-split": _between(found.model_pair, 0.15, 0.75),
        "model-sure": _between(found.model_with, 0.4, 0.85),
        "model-lost": np.clip(lost, -1.0, 1.0),
        "slow": _between(np.log2(found.slowest), 0.0, 0.9),
        "mixed": _between(found.near_top, 0.85, 0.45) * _trust(found.near_n),
        "many": np.where(found.answers >= 3, 1.0, 0.0),
        "unsteady": _between(found.repeats, 1.0, 0.0) * _trust(found.repeats_n),
    }
    return {name: np.nan_to_num(value, nan=0.0) for name, value in parts.items()}


def _between(value: Reals, none: float, full: float) -> Reals:
    """Return a value brought to -1 at `none` and 1 at `full`, straight between, flat beyond."""
    return np.clip(2.0 * (value - none) / (full - none) - 1.0, -1.0, 1.0)


def _trust(n: NDArray) -> Reals:
    return np.asarray(n / (n + _ENOUGH), dtype=np.float64)
