"""What a network is taught, how, and what came of it. Nothing here computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from core.learning.recipes import Recipe
from core.learning.step_probe import Precision


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be learnt.

    Attributes:
        targets: float32 (n, k): one-hot, shares that sum to 1, or 0 and 1 for several labels.
        weight: float32 (n,): of each row in the loss.
        learnt: Rows to learn from.
        judged: Rows to judge by, never learnt from; none where labels are too few.
        several: Whether a row may have several labels, each decided for itself.
    """

    targets: np.ndarray
    weight: np.ndarray
    learnt: np.ndarray
    judged: np.ndarray
    several: bool = False


@dataclass(frozen=True, slots=True)
class TuneSettings:
    """How it is learnt.

    Attributes:
        size: Side of the square input, pixels.
        batch: Rows a step, over all processes.
        epochs: Passes over the rows; 0: as many as make a fair number of steps.
        rate: Largest learning rate of the network; the last layer's is three times that.
        decay: Weight decay of AdamW.
        seconds: How long the steps may take; 0: no bound. Fewer epochs are planned to fit.
        checkpoint_seconds: Longest time between checkpoints.
        cache: Folder that keeps which precision was timed fastest; None: time it again.
    """

    size: int = 128
    batch: int = 32
    epochs: int = 0
    rate: float = 5e-4
    decay: float = 0.02
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    seconds: float = 0.0
    checkpoint_seconds: float = 20.0
    cache: Path | None = None


@dataclass(slots=True)
class Standing:
    """Where a run stands: what a checkpoint keeps beside its tensors.

    Attributes:
        score: Of the best state so far, higher is better; None before the first judging.
        halved: Sentences on each halving of the batch.
        stopped: Empty, ``nan`` or ``time``.
        seconds: Spent in steps so far, resumed parts included.
    """

    step: int = 0
    epochs: int = 0
    score: tuple[float, float] | None = None
    best_step: int = 0
    seconds_to_best: float = 0.0
    at_once: int = 0
    halved: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0
    precision: Precision = field(default_factory=Precision)


@dataclass(frozen=True, slots=True)
class Tuned:
    """A network that has learnt.

    Attributes:
        network: Its weights by name, on the CPU; the best state, not the last.
        head_weight, head_bias: The last layer, on unit vectors; float32 (k, width) and (k,).
        judged_scores: Scores of the judged rows under the best state, float32 (n, k).
        standing: Where the run ended.
        images_per_second: Over all steps of this process's life.
    """

    network: Mapping[str, Tensor]
    head_weight: np.ndarray
    head_bias: np.ndarray
    judged_scores: np.ndarray
    standing: Standing
    images_per_second: float
