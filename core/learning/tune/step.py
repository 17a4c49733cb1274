"""One step: this process's part of the gradient, all parts summed, the weights moved.

Where memory runs out, what runs at once is halved; the batch stays what it is, and so does the
gradient but for rounding.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from core.errors import OutOfMemory
from core.learning.group import Group
from core.learning.recipes_torch import Plan, draw
from core.learning.runner import is_memory
from core.learning.tune.batches import Batches
from core.learning.tune.course import Course
from core.learning.tune.network import row_losses


class Stepper:
    """Moves a network by one batch after the other.

    Args:
        course: The network.
        batches: What it sees.
        group: The processes that take each step together.
    """

    def __init__(self, course: Course, batches: Batches, group: Group) -> None:
        self._course, self._batches, self._group = course, batches, group

    def gradients(self, batch: np.ndarray, seed: tuple[int, int, int]) -> float:
        """Leave this process's part of the gradient and return its part of the mean loss.

        Raises:
            OutOfMemory: There is no room for a single image.
        """
        course = self._course
        torch.manual_seed(seed[0] * 1_000_003 + seed[2] * 101 + self._group.rank)
        plan = draw(self._batches.settings.recipe, len(batch), seed)
        mine = np.arange(len(batch))[self._group.part(len(batch))]
        whole = float(self._batches.weight[batch].sum())
        while True:
            course.optimiser.zero_grad(set_to_none=False)
            try:
                course.model.learning()
                loss = 0.0
                for at in range(0, len(mine), course.standing.at_once):
                    rows = mine[at : at + course.standing.at_once]
                    loss += self._backward(batch, rows, plan, whole)
                return loss
            except (MemoryError, RuntimeError) as error:
                if not is_memory(error):
                    raise
                self._halve(error)

    def moved(self, done: float) -> bool:
        """Sum gradients over the group and take the step; return False where they are not finite.

        Args:
            done: Share of the run that lies behind, by which the rate goes.
        """
        course = self._course
        parameters = [p for p in course.model.parameters() if p.grad is not None]
        if self._group.world > 1:
            _sum_gradients(parameters, self._group)
        norm = nn.utils.clip_grad_norm_(parameters, 5.0)
        if not bool(torch.isfinite(norm)):
            return False
        rate = self._batches.settings.rate * _rate_share(done)
        for group in course.optimiser.param_groups:
            group["lr"] = rate * group["relative"]
        course.optimiser.step()
        course.follow()
        return True

    def _backward(self, batch: np.ndarray, rows: np.ndarray, plan: Plan, whole: float) -> float:
        batches, precision = self._batches, self._course.standing.precision
        x, targets = batches.varied(batch, torch.from_numpy(rows), plan)
        with precision.cast(batches.device.type):
            scores = self._course.model(precision.laid(x))
        each = row_losses(scores.float(), targets, batches.lesson.several)
        weight = batches.weight[batch[rows]].to(batches.device)
        loss = (each * weight).sum() / whole
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return float(loss.detach())

    def _halve(self, error: BaseException) -> None:
        standing = self._course.standing
        if standing.at_once <= 1:
            raise OutOfMemory(
                "The device has no memory left for a single image.",
                "Close other programs on it, choose a smaller backbone or a smaller input.",
            ) from error
        before, standing.at_once = standing.at_once, standing.at_once // 2
        standing.halved.append(
            f"Memory ran out at {before} images at once in step {standing.step + 1}; "
            f"went on with {standing.at_once}."
        )
        if self._batches.device.type == "cuda":
            torch.cuda.empty_cache()


def _sum_gradients(parameters: list[nn.Parameter], group: Group) -> None:
    flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    group.total(flat)
    at = 0
    for p in parameters:
        assert p.grad is not None
        p.grad.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()


def _rate_share(done: float) -> float:
    """Return the share of the largest rate: up over the first twentieth, then down a cosine."""
    if done < 0.05:
        return 0.05 + 0.95 * done / 0.05
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95))
