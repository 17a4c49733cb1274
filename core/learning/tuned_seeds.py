"""One campaign with whole networks for each of a few seeds. Free of torch until called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.learning.loop import (
    Learner,
    LoopRun,
    LoopSettings,
    beside_tuned,
    labels_of,
    probe_learner,
    unit_rows,
)
from core.learning.values import ImageRef, OnProgress, ShouldStop, never_stop, no_progress


def run_tuned(
    images: Sequence[ImageRef],
    vectors: np.ndarray,
    truth: np.ndarray,
    settings: LoopSettings,
    seeds: Sequence[int],
    backbone: str,
    cache: Path,
    offline: bool = False,
    self_training_seconds: float = 75.0,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> list[Mapping[str, LoopRun]]:
    """Run the campaigns one after the other: each network has all of the machine.

    Args:
        images: Of every item; all can be read.
        vectors: Their embeddings, shape (n, width).
        truth: Class number of every item, from 0.
        settings: As `fine_tuned` gives them.
        seeds: One campaign each.
        backbone: Name of a torchvision model.
        cache: Folder of what runs share.
        offline: Whether nothing may be fetched.
        self_training_seconds: For a network of the project's own, where no weights are at hand.
        progress: Hears how far it is, and how long it will take.
        should_stop: Asked at each step.

    Raises:
        BadImage: An image cannot be read any more.
        StopRequested: ``should_stop`` said so; nothing is kept.
        TrainingError: The loss became NaN at once.
    """
    from core.learning import tuned_learner as school
    from core.learning.preprocess import quiet_decoding

    how = school.Schooling()
    network = school.network_for(
        backbone, offline, images, cache, self_training_seconds, progress, should_stop
    )
    rows, classes = unit_rows(vectors), int(truth.max()) + 1
    work = school.work_of([labels_of(settings, len(truth))], len(truth), how)
    effort = school.Effort(work * len(seeds), progress)
    runs: list[Mapping[str, LoopRun]] = []
    with quiet_decoding():
        pixels = school.pixels_for(images, how)
        try:
            for number, seed in enumerate(seeds, start=1):
                whole = school.TunedLearner(
                    pixels, classes, network, how, effort, should_stop, cache
                )
                learner = probe_first(
                    probe_learner(rows, classes), whole, labels_of(settings, len(truth))
                )
                runs.append(beside_tuned(rows, truth, settings, seed, learner))
                effort.done = work * number  # one that took fewer steps than planned is done too
        finally:
            pixels.close()
    return runs


def probe_first(quick: Learner, whole: Learner, labels: int) -> Learner:
    """Return a learner that is the quick one until there are so many labels, then the mean of both.

    What people label next is chosen in seconds; minutes are spent on the answers alone. The two err on
    different images, as one sees large features that stay as they are and the other what it was taught.
    """

    def learn(rows: np.ndarray, known: np.ndarray, free: np.ndarray, seed: int) -> np.ndarray:
        said = quick(rows, known, free, seed)
        if len(rows) < labels:
            return said
        return np.asarray((said + whole(rows, known, free, seed)) / 2)

    return learn
