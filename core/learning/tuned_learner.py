"""A learner for simulated campaigns that teaches the whole network, from pixels.

It is the product's own training loop; each model of a campaign goes on from the one before. Before
the first, the batch norms take the means of the project's own images: small pictures made large are
softer than photos, and the published means are those of photos. Students taught on their own answers
are left out on purpose: a network is surer of images it has already answered, and items to certify
by, which nobody may learn from, would no longer be comparable with the rest.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.learning.backbones import Backbone, device_at_hand, pretrained
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.probe import Head, temperature_of
from core.learning.recipes import Recipe
from core.learning.recipes_torch import plain
from core.learning.selftrained import self_trained
from core.learning.tune.loop import TrainLoop
from core.learning.tune.network import SCALE
from core.learning.tune.values import Lesson, Tuned, TuneSettings
from core.learning.values import ImageRef, OnProgress, Progress, ShouldStop

HELD_SHARE = 0.1
"""Share of the labels kept from the loop, to choose the best state and the temperature by."""
_MARGIN = 8 / 7
_SETTLED_BY = 1_024
_AT_ONCE = 128
_STEP_COST = 3.0
"""What a step costs an image, beside only looking at it."""


@dataclass(frozen=True, slots=True)
class Schooling:
    """How each model of a campaign is taught.

    Attributes:
        size: Side of the input, pixels.
        batch: Rows a step.
        first: Passes over the labels for the first model.
        later: For each model that goes on from one.
        rate: Largest learning rate.
    """

    size: int = 96
    batch: int = 32
    first: int = 16
    later: int = 8
    rate: float = 3e-4
    recipe: Recipe = field(default_factory=lambda: Recipe(crop=0.5, cutout=0.5))


@dataclass(slots=True)
class Effort:
    """How much work is done, of how much, in looks at an image."""

    total: float
    told: OnProgress
    done: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def at(self, further: float) -> None:
        """Tell where the work stands, so much past what is done."""
        done = min(self.done + further, self.total)
        spent = time.monotonic() - self.began
        left = spent / done * (self.total - done) if done else None
        self.told(Progress("campaigns", int(done), int(self.total), left))

    def add(self, work: float) -> None:
        """Count work as done."""
        self.done = min(self.done + work, self.total)
        self.at(0)


def work_of(labels: Sequence[int], items: int, how: Schooling) -> float:
    """Return the work of a campaign whose models have so many labels each, in looks at an image."""
    passes = [how.first] + [how.later] * (len(labels) - 1)
    taught = sum(n * p for n, p in zip(labels, passes, strict=True)) * (1 - HELD_SHARE)
    return _STEP_COST * taught + 2.0 * sum(items - n for n in labels)


def pixels_for(images: Sequence[ImageRef], how: Schooling) -> Pixels:
    """Return the images at the size they are cropped from."""
    return Pixels(images, int(how.size * _MARGIN))


def network_for(
    name: str,
    offline: bool,
    images: Sequence[ImageRef],
    cache: Path,
    self_training_seconds: float,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Backbone:
    """Return the network to begin with: the published one, or one of the project's own.

    Raises:
        InputError: There is no such network.
    """
    return pretrained(name, offline, None) or self_trained(
        images, cache, 0, progress, should_stop, self_training_seconds
    )


class TunedLearner:
    """A `Learner` over rows of pixels; one for each campaign.

    Args:
        pixels: Of every item.
        classes: How many there are.
        backbone: The network to begin with; it is copied.
        how: How each model is taught.
        effort: Hears how far the work is.
        should_stop: Asked at each step.
        cache: Keeps which precision was timed fastest; None: it is timed each time.
    """

    def __init__(
        self,
        pixels: Pixels,
        classes: int,
        backbone: Backbone,
        how: Schooling,
        effort: Effort,
        should_stop: ShouldStop,
        cache: Path | None = None,
    ) -> None:
        self._pixels, self._classes, self._backbone, self._how = pixels, classes, backbone, how
        self._effort, self._should_stop, self._cache = effort, should_stop, cache
        self._before: Tuned | None = None
        self._network: nn.Module | None = None

    def __call__(
        self, rows: np.ndarray, labels: np.ndarray, free: np.ndarray, seed: int
    ) -> np.ndarray:
        """Teach the network further and return the probabilities of every row.

        Rows with a label get even ones: their label is known.

        Raises:
            StopRequested: ``should_stop`` said so.
            TrainingError: The loss became NaN before anything was learnt.
        """
        device = device_at_hand()
        lesson = self._lesson(rows, labels, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            loop = self._loop(lesson, free, seed, device)
            tuned = loop.run()
        self._before = tuned
        self._effort.add(self._cost(lesson, tuned.standing.epochs))
        loop.model.show(tuned)
        head = Head(tuned.head_weight, tuned.head_bias, _temperature(tuned, lesson))
        return head.of_scores(self._scores(loop, device, rows))

    def _lesson(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Lesson:
        """Return what is learnt; a row held back once is held back in every later lesson."""
        n = len(self._pixels)
        targets = np.zeros((n, self._classes), dtype=np.float32)
        targets[rows, labels] = 1.0
        drawn = np.random.default_rng([seed, 15]).random(n)[rows] < HELD_SHARE
        return Lesson(targets, np.ones(n, np.float32), rows[~drawn], rows[drawn])

    def _loop(self, lesson: Lesson, free: np.ndarray, seed: int, device: torch.device) -> TrainLoop:
        how, before = self._how, self._before
        network = copy.deepcopy(self._backbone.network)
        head = None
        if before is None:
            _settle(network, self._pixels, free, how.size, seed)
        else:
            network.load_state_dict(dict(before.network))
            head = before.head_weight / SCALE, before.head_bias / SCALE
        settings = TuneSettings(
            size=how.size, batch=how.batch, epochs=how.later if before else how.first,
            rate=how.rate, recipe=how.recipe, seed=seed, cache=self._cache,
        )  # fmt: skip
        return TrainLoop(
            replace(self._backbone, network=network), self._pixels, lesson, settings, Group(), device,
            None, self._told(self._cost(lesson, settings.epochs)), self._should_stop, head,
        )  # fmt: skip

    @staticmethod
    def _cost(lesson: Lesson, epochs: int) -> float:
        return _STEP_COST * len(lesson.learnt) * epochs

    def _told(self, cost: float) -> Callable[[Progress], None]:
        def tell(step: Progress) -> None:
            if step.phase == "fine-tune":
                self._effort.at(cost * step.done / step.total)

        return tell

    def _scores(self, loop: TrainLoop, device: torch.device, learnt: np.ndarray) -> np.ndarray:
        """Return every row's scores, seen both ways round; 0 for those whose label is known."""
        n, model = len(self._pixels), loop.model.eval()
        out = np.zeros((n, self._classes), dtype=np.float32)
        wanted = np.setdiff1d(np.arange(n), learnt)
        with torch.inference_mode():
            for at in range(0, len(wanted), _AT_ONCE):
                rows = wanted[at : at + _AT_ONCE]
                x = plain(self._pixels.take(rows.tolist()).to(device), self._how.size)
                vectors = model.eyes.vectors(_laid(x)) + model.eyes.vectors(_laid(x.flip(3)))
                unit = nn.functional.normalize(vectors, dim=1)
                out[rows] = (SCALE * model.head(unit)).float().cpu().numpy()
                self._effort.add(2.0 * len(rows))
        return out


def _temperature(tuned: Tuned, lesson: Lesson) -> float:
    if not len(lesson.judged):
        return 1.0
    return temperature_of(tuned.judged_scores, lesson.targets[lesson.judged], False)


def _laid(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _settle(network: nn.Module, pixels: Pixels, free: np.ndarray, size: int, seed: int) -> None:
    """Give the batch norms the means of some of these images (Li et al. 2017, adaptive BN)."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    rows = np.random.default_rng([seed, 16]).permutation(free)[:_SETTLED_BY]
    if not norms or len(rows) < _AT_ONCE:
        return
    before = [norm.momentum for norm in norms]
    network.eval().to(memory_format=torch.channels_last)
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    with torch.no_grad():
        for at in range(0, len(rows) - _AT_ONCE + 1, _AT_ONCE):
            network(_laid(plain(pixels.take(rows[at : at + _AT_ONCE].tolist()), size)))
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    network.eval()
