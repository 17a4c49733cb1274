"""A short search for learning rate, weight decay and strength of variation, within a stated time.

Successive halving (Jamieson and Talwalkar 2016): every setting gets a few steps, the better half
twice as many, until one is left. Judged by the loss on rows held out; so without those there
is nothing to search by. How many steps fit is planned from a timed step before the first trial.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from core.learning.backbones import Backbone
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.tune.loop import TrainLoop
from core.learning.tune.values import Lesson, TuneSettings
from core.learning.values import OnProgress, Progress, ShouldStop, no_progress

TRIALS = 6
_RATES = (2e-4, 5e-4, 1e-3)
_DECAYS = (0.01, 0.05)
_STRENGTHS = (0.5, 1.0, 1.5)
_FEWEST_STEPS = 6
_TIMED_STEPS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting and how it fared; ``loss`` is that of the rows held out."""

    rate: float
    decay: float
    strength: float
    steps: int
    loss: float
    accuracy: float

    def to_dict(self) -> dict[str, float]:
        """Return it as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search chose, and every trial in the order they were made."""

    settings: TuneSettings
    trials: tuple[Trial, ...]


def search_settings(
    backbone: Backbone,
    pixels: Pixels,
    lesson: Lesson,
    settings: TuneSettings,
    seconds: float,
    group: Group,
    device: torch.device,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = lambda: False,
) -> Found:
    """Return the settings that did best; the given ones where nothing is held out or time is too short.

    Raises:
        StopRequested: ``should_stop`` said so.
    """
    if not len(lesson.judged) or seconds <= 0:
        return Found(settings, ())
    make = _Maker(backbone, pixels, lesson, group, device, should_stop)
    started = time.monotonic()
    head, step_seconds = _timed(make, settings)
    left = _candidates(settings)
    sizes = _sizes(len(left))
    units = sum(size << at for at, size in enumerate(sizes))
    room = seconds - (time.monotonic() - started)
    steps = group.told(int(0.8 * room / (step_seconds * units)))
    if steps < _FEWEST_STEPS:
        return Found(settings, ())
    trials: list[Trial] = []
    total = sum(sizes)
    while len(left) > 1:
        scored: list[tuple[float, int, tuple[float, TuneSettings]]] = []
        for strength, one in left:
            progress(Progress("search", len(trials), total))
            trial = _tried(make, one, strength, steps, head)
            trials.append(trial)
            scored.append((trial.loss, len(scored), (strength, one)))
        left = [pair for _, _, pair in sorted(scored, key=lambda s: s[:2])[: (len(left) + 1) // 2]]
        steps *= 2
    return Found(left[0][1], tuple(trials))


def _timed(make: _Maker, settings: TuneSettings) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """Return a last layer to begin every trial with, and what a step costs, judging included."""
    first = make(replace(settings, seconds=0.0))
    first.plan_steps(_TIMED_STEPS)
    first.run()
    fresh = make(settings)
    fresh.run(steps=0)
    return fresh.model.head_now(), max(first.seconds_a_step, 1e-4)


def _sizes(count: int) -> list[int]:
    """Return how many settings are tried in each round: 6, 3, 2."""
    sizes = []
    while count > 1:
        sizes.append(count)
        count = (count + 1) // 2
    return sizes


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes loops that all begin with the same network and write nothing."""

    backbone: Backbone
    pixels: Pixels
    lesson: Lesson
    group: Group
    device: torch.device
    should_stop: Callable[[], bool]

    def __call__(
        self, settings: TuneSettings, head: tuple[np.ndarray, np.ndarray] | None = None
    ) -> TrainLoop:
        """Return a loop of its own network."""
        fresh = replace(self.backbone, network=copy.deepcopy(self.backbone.network))
        return TrainLoop(
            fresh, self.pixels, self.lesson, settings, self.group, self.device,
            should_stop=self.should_stop, start_head=head,
        )  # fmt: skip


def _candidates(settings: TuneSettings) -> list[tuple[float, TuneSettings]]:
    """Return the settings to try: the given ones, and others drawn by the seed."""
    grid = [(r, d, s) for r in _RATES for d in _DECAYS for s in _STRENGTHS]
    order = np.random.default_rng([settings.seed, 39]).permutation(len(grid))
    found = [(1.0, settings)]
    for index in order[: TRIALS - 1]:
        rate, decay, strength = grid[index]
        varied = replace(settings, rate=rate, decay=decay, recipe=settings.recipe.at(strength))
        found.append((strength, varied))
    return found


def _tried(
    make: _Maker,
    settings: TuneSettings,
    strength: float,
    steps: int,
    head: tuple[np.ndarray, np.ndarray],
) -> Trial:
    short = replace(settings, seconds=0.0)
    loop = make(short, head)
    loop.plan_steps(steps)
    tuned = loop.run()
    accuracy, minus_loss = tuned.standing.score or (0.0, -float("inf"))
    return Trial(settings.rate, settings.decay, strength, steps, -minus_loss, accuracy)
