"""What a request gives to learn from: which images, in which order, with which labels.

Images kept for certifying and evaluating take no part, not even unlabelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import EmptyTrainingSet
from core.learning.tune.values import Lesson
from core.learning.values import Example, ImageRef, TrainingRequest

HELD_SHARE = 0.15
"""Share of the training labels kept from the loop, to choose the best state and the temperature by."""
_HOLD_FROM = 20


def rows_of(request: TrainingRequest) -> tuple[list[ImageRef], dict[int, Example]]:
    """Return the images of the run in order of item, and what is known of some by row."""
    barred = set(request.held_out) | {e.image.item_id for e in request.examples if e.use != "train"}
    examples = {
        e.image.item_id: e
        for e in request.examples
        if e.use == "train" and e.image.item_id not in barred
    }
    chosen = {i: e.image for i, e in examples.items()}
    if request.mode == "student":
        chosen |= {i.item_id: i for i in request.pool if i.item_id not in barred}
    images = [chosen[i] for i in sorted(chosen)]
    return images, {
        row: examples[image.item_id]
        for row, image in enumerate(images)
        if image.item_id in examples
    }


def lesson_of(
    request: TrainingRequest, images: Sequence[ImageRef], known: Mapping[int, Example]
) -> Lesson:
    """Return what is to be learnt, some of it held back to judge by.

    Args:
        images: All rows of the run.
        known: What is known of some of them, by row; those can be read.

    Raises:
        EmptyTrainingSet: Fewer than two classes have a label.
    """
    number = {c: i for i, c in enumerate(request.classes)}
    targets = np.zeros((len(images), len(number)), dtype=np.float32)
    for row, example in known.items():
        for label in said(example, request):
            targets[row, number[label]] = 1.0
    rows = np.array(sorted(known), dtype=int)
    if (targets[rows].sum(0) > 0).sum() < (1 if request.several else 2):
        raise EmptyTrainingSet(
            "Fewer than two classes have a training label on an image that can be read.",
            "Label some items of another class and start again.",
        )
    judged = _held(targets[rows], rows, request.seed)
    learnt = np.setdiff1d(rows, judged)
    weight = np.ones(len(images), dtype=np.float32)
    return Lesson(targets, weight, learnt, judged, request.several)


def said(example: Example, request: TrainingRequest) -> tuple[str, ...]:
    """Return an example's labels, one or several as the request asks for."""
    return example.labels if request.several else (example.label,)


def _held(targets: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows held back, a share of each class that can spare one; none of few labels."""
    if len(rows) < _HOLD_FROM:
        return np.zeros(0, dtype=int)
    rng = np.random.default_rng([seed, 15])
    codes = targets.argmax(1)
    held: list[int] = []
    for c in np.unique(codes):
        mine = rng.permutation(rows[codes == c])
        count = round(HELD_SHARE * len(mine)) if len(mine) >= 4 else 0
        held += mine[:count].tolist()
    return np.array(sorted(held), dtype=int)
