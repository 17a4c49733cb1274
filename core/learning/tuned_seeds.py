"""One campaign with whole networks for each of a few seeds. Free of torch until called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.learning.loop import LoopRun, LoopSettings, beside_tuned, lessons_of
from core.learning.values import ImageRef, OnProgress, ShouldStop, never_stop, no_progress


@dataclass(frozen=True, slots=True)
class TunedRuns:
    """What the campaigns came to.

    Attributes:
        rows: Of the images given, those that can be read; the runs number these from 0.
        runs: Each way's run by its name, for each seed.
        notice: A plain sentence a person should read, or empty.
    """

    rows: np.ndarray
    runs: list[Mapping[str, LoopRun]]
    notice: str


def run_tuned(
    images: Sequence[ImageRef],
    truth: Callable[[np.ndarray], np.ndarray],
    settings: Callable[[int], LoopSettings],
    seeds: Sequence[int],
    backbone: str,
    cache: Path,
    offline: bool = False,
    self_training_seconds: float = 75.0,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> TunedRuns:
    """Run the campaigns one after the other: each model has all of the machine.

    Args:
        images: Of every item.
        truth: Gives the class numbers, from 0, of the rows that can be read, or refuses them.
        settings: Gives how a campaign on so many items is run.
        seeds: One campaign each.
        backbone: Name of a torchvision model.
        cache: Folder of what runs share.
        offline: Whether nothing may be fetched.
        self_training_seconds: For a network of the project's own, where no weights are at hand.
        progress: Hears how far it is, and how long it will take.
        should_stop: Asked at each step.

    Raises:
        InputError: There is no such network.
        StopRequested: ``should_stop`` said so; nothing is kept.
        TrainingError: The loss became NaN at once.
    """
    from core.learning import tuned_learner as school
    from core.learning.preprocess import quiet_decoding

    how = school.Schooling()
    network = school.network_for(
        backbone, offline, images, cache, self_training_seconds, progress, should_stop
    )
    with quiet_decoding():
        pixels, rows = school.readable_pixels(images, how)
        try:
            codes, plan = truth(rows), settings(len(rows))
            work = school.work_of(lessons_of(plan, len(rows)), len(rows), how)
            effort = school.Effort(work * len(seeds), progress)
            runs: list[Mapping[str, LoopRun]] = []
            for number, seed in enumerate(seeds, start=1):
                learner = school.TunedLearner(
                    pixels, int(codes.max()) + 1, network, how, effort, should_stop, cache
                )
                runs.append(beside_tuned(codes, plan, seed, learner))
                effort.done = work * number  # one with fewer steps than planned is done too
        finally:
            pixels.close()
    return TunedRuns(rows, runs, network.notice)
