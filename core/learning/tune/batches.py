"""What each step sees: the rows of an epoch in their order, their pixels varied, their targets."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.recipes import epoch_rows, loss_weights
from core.learning.recipes_torch import Plan, mixed, mixed_targets, plain, vary
from core.learning.tune.values import Lesson, TuneSettings


class Batches:
    """The rows of a lesson, batch by batch.

    Args:
        pixels: Rows of the lesson.
        group: The processes that share each batch.
        device: Where this process computes.

    Attributes:
        targets: float32 (n, k), on the CPU.
        weight: float32 (n,), of each row in the loss, classes balanced where the recipe says so.
    """

    def __init__(
        self,
        pixels: Pixels,
        lesson: Lesson,
        settings: TuneSettings,
        group: Group,
        device: torch.device,
    ) -> None:
        self._pixels, self.lesson, self.settings = pixels, lesson, settings
        self._group, self.device = group, device
        self.targets = torch.from_numpy(lesson.targets.astype(np.float32))
        self.weight = torch.from_numpy(
            lesson.weight.astype(np.float32) * _class_weights(lesson, settings)
        )

    @property
    def per_epoch(self) -> int:
        """Return how many steps an epoch has."""
        return max(1, -(-len(self._drawn(0, 0)) // self.settings.batch))

    def share(self, rows: int) -> int:
        """Return how many of so many rows one process takes."""
        return max(1, -(-rows // self._group.world))

    def order(self, epoch: int) -> np.ndarray:
        """Return the rows of an epoch in the order they are learnt from."""
        return np.asarray(self.lesson.learnt[self._drawn(self.settings.seed, epoch)])

    def at(self, order: np.ndarray, step: int) -> np.ndarray:
        """Return the rows of one step of an epoch, and begin to read those of the next two."""
        size = self.settings.batch
        following = order[(step + 1) * size : (step + 3) * size]
        self._pixels.prefetch(following[self._group.part(len(following))].tolist())
        return order[step * size : (step + 1) * size]

    def plain(self, rows: np.ndarray) -> Tensor:
        """Return rows as they are judged: nothing varied."""
        return plain(self._taken(rows), self.settings.size)

    def varied(self, batch: np.ndarray, rows: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
        """Return some rows of a batch as they are learnt from, and their targets."""
        recipe, size = self.settings.recipe, self.settings.size
        part = plan.rows(rows).to(self.device)
        x = vary(self._taken(batch[rows.numpy()]), part, size)
        targets = self._smooth(self.targets[batch[rows.numpy()]])
        if recipe.mixup or recipe.cutmix:
            partners = plan.partner[rows]
            others = batch[partners.numpy()]
            theirs = vary(self._taken(others), plan.rows(partners).to(self.device), size)
            x = mixed(x, theirs, part)
            other_targets = self._smooth(self.targets[others])
            targets = mixed_targets(targets, other_targets, part, size)
        return x, targets

    def _drawn(self, seed: int, epoch: int) -> np.ndarray:
        targets = self.lesson.targets[self.lesson.learnt]
        return epoch_rows(targets, self.settings.recipe.balance, seed, epoch)

    def _taken(self, rows: np.ndarray) -> Tensor:
        return self._pixels.take(rows.tolist()).to(self.device)

    def _smooth(self, targets: Tensor) -> Tensor:
        share = self.settings.recipe.smoothing
        even = 0.5 if self.lesson.several else 1.0 / targets.shape[1]
        return (targets * (1 - share) + share * even).to(self.device)


def _class_weights(lesson: Lesson, settings: TuneSettings) -> np.ndarray:
    weights = np.ones(len(lesson.targets), dtype=np.float32)
    weights[lesson.learnt] = loss_weights(lesson.targets[lesson.learnt], settings.recipe.balance)
    return weights
