"""How good a network is: its scores of the rows that nobody learns from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from core.learning.group import Group
from core.learning.tune.batches import Batches
from core.learning.tune.course import Course
from core.learning.tune.network import row_losses

AT_ONCE = 64
"""Rows that are looked at together where nothing is learnt."""


class Judge:
    """Judges a network under way, each process doing its part.

    Args:
        course: The network.
        batches: Where its rows come from.
    """

    def __init__(self, course: Course, batches: Batches, group: Group) -> None:
        self._course, self._batches, self._group = course, batches, group

    def score_of(self, tensors: Mapping[str, Tensor]) -> tuple[float, float]:
        """Return accuracy and minus the mean loss of the judged rows under other weights.

        Where nothing is held out both are 0, and so the later is the better.
        """
        course = self._course
        before = {k: v.detach().clone() for k, v in course.weights.items()}
        course.model.load_state_dict(dict(tensors))
        try:
            return self._score(self.scores(self._batches.lesson.judged))
        finally:
            course.model.load_state_dict(before)

    def scores(self, rows: np.ndarray) -> Tensor:
        """Return the present network's scores of some rows, float32 (n, k)."""
        model, precision = self._course.model, self._course.standing.precision
        out = torch.zeros(len(rows), self._batches.targets.shape[1])
        mine = self._group.part(len(rows))
        model.eval()
        with torch.inference_mode():
            for at in range(mine.start, mine.stop, AT_ONCE):
                some = slice(at, min(at + AT_ONCE, mine.stop))
                x = self._batches.plain(rows[some])
                out[some] = model(precision.laid(x)).float().cpu()
        return self._group.total(out)

    def _score(self, scores: Tensor) -> tuple[float, float]:
        lesson = self._batches.lesson
        if not len(lesson.judged):
            return (0.0, 0.0)
        targets = self._batches.targets[lesson.judged]
        loss = float(row_losses(scores, targets, lesson.several).mean())
        if lesson.several:
            right = ((scores > 0) == (targets > 0.5)).all(1)
        else:
            right = scores.argmax(1) == targets.argmax(1)
        return (float(right.double().mean()), -loss)
