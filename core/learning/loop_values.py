"""What a simulated campaign is told and what it tells, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.stats.certificate import spend

Learner = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
"""(rows labelled, their classes, rows it may look at unlabelled, seed) → (n, classes) of every row."""

Asking = Literal["typical", "border"]
"""What people label first: typical images; or a random draw, and then what the model is least sure of."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How a campaign is run.

    Attributes:
        target: Largest share of wrong labels among those accepted.
        delta: The promise may fail in this share of campaigns; spent over all looks.
        cold: Labels before the first model.
        cold_share: Of all items, at most so many are labelled before it.
        batch: Labels between two models.
        lessons: Models before the first look, each after one more batch than the one before.
        asking: Which items are labelled. Under ``border`` what is certified is only what was left
            when the least sure were taken, so nothing that was learnt from has to be counted in.
        first_block: Certify items labelled for the first look; each look doubles them.
        certify_share: Of all items, at most so many are drawn for certifying.
        evaluate_share: Of all items, labelled for evaluation alone.
        audit_share: Of all items, never accepted; those that would have been are checked.
        looks: At most so many.
        folds: Of the cross-validation that weighs the neighbours; 0: the model's own answers.
        starts: Shares of the items at which a look may begin to accept, of the surest.
    """

    target: float = 0.05
    delta: float = 0.1
    cold: int = 150
    cold_share: float = 0.05
    batch: int = 250
    lessons: int = 1
    asking: Asking = "typical"
    first_block: int = 200
    certify_share: float = 0.1
    evaluate_share: float = 0.0
    audit_share: float = 0.01
    looks: int = 3
    folds: int = 3
    starts: tuple[float, ...] = (0.4, 0.6, 0.75, 0.85)

    def may_err(self, look: int) -> float:
        """Return what look number `look` spends; one look, and no other ever, spends all of delta."""
        return self.delta if self.looks == 1 else spend(self.delta, look)


@dataclass(frozen=True, slots=True)
class LoopRound:
    """One look.

    Attributes:
        labelled: Training items so far.
        checked: Certify items so far.
        delta_spent: By this look.
        neighbour_weight: How much the neighbours' answers count, as cross-validation chose.
        accepted: Items the look certified; 0 where it refused.
        accuracy: Of the answers on items without a label, by the truth: to be shown, never used.
        sentence: The certificate's.
    """

    labelled: int
    checked: int
    delta_spent: float
    neighbour_weight: float
    accepted: int
    accuracy: float
    sentence: str


@dataclass(frozen=True, slots=True)
class LoopRun:
    """One campaign, from nothing labelled to everything labelled.

    Attributes:
        human_share: Items that people labelled, over all.
        auto_error: Wrong ones among those standing as accepted; 0 where there are none.
        over_target: Whether that is above the target.
        final_accuracy: Of all labels, people's and the model's.
        accepted: Rows standing as accepted.
        answers: Their classes, by the model.
        rounds: One for each look.
        revoked: Whether the audit took everything back.
        seconds: It took.
    """

    human_share: float
    auto_error: float
    over_target: bool
    final_accuracy: float
    accepted: np.ndarray
    answers: np.ndarray
    rounds: tuple[LoopRound, ...]
    revoked: bool
    seconds: float
