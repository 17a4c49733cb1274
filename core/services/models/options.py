"""What a training run may be told beyond its project, checked before anything is started."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.datasets.freeze import FrozenLabel
from core.errors import InputError
from core.labels.state import ItemState
from core.learning.recipes import Recipe, read_recipe
from core.learning.training import MODES

__all__ = ["TrainingOptions", "drawn_labels", "read_recipe"]

MOST_PROCESSES = 64
MOST_MINUTES = 7 * 24 * 60.0


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a run is to be made; None: as the settings or the run resumed have it.

    Attributes:
        mode: ``probe``, ``fine-tune`` or ``student``.
        weights: A file with weights to begin from.
        version: Name of the dataset version; None: the labels in force are frozen now.
        recipe: How images are varied and classes balanced while a network learns.
        minutes: How long the steps may take.
        search_minutes: How long rates and strength may be searched for.
        processes: How many share the run on this machine; None: one a GPU, else one.
        labels: Learn from a seeded draw of so many labelled images, judge on all others.
        resume: Go on from the checkpoint of the newest run that did not end, or of this job.
    """

    mode: str | None = None
    weights: Path | None = None
    version: str | None = None
    recipe: Recipe | None = None
    minutes: float | None = None
    search_minutes: float | None = None
    processes: int | None = None
    labels: int | None = None
    resume: bool | int = False

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in MODES:
            raise InputError(
                f"There is no training mode '{self.mode}'.", f"Choose {', '.join(MODES)}."
            )
        _check_range("minutes", self.minutes, 0.01, MOST_MINUTES)
        _check_range("search minutes", self.search_minutes, 0.0, MOST_MINUTES)
        _check_range("number of processes", self.processes, 1, MOST_PROCESSES)
        _check_range("number of labels", self.labels, 2, 10**9)
        if self.weights is not None and not self.weights.is_file():
            raise InputError(
                f"There is no weights file '{self.weights.name}'.",
                "Give a .safetensors file or a state dict.",
            )

    def config(self) -> dict[str, object]:
        """Return what a job row keeps of it, beside backbone, seed and version."""
        given: Mapping[str, object] = {
            "mode": self.mode,
            "weights": None if self.weights is None else str(self.weights.resolve()),
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "minutes": self.minutes,
            "search_minutes": self.search_minutes,
            "processes": self.processes,
            "labels": self.labels,
        }
        return {k: v for k, v in given.items() if v is not None}


def drawn_labels(
    frozen: Sequence[FrozenLabel], count: int | None, seed: int
) -> tuple[list[FrozenLabel], frozenset[int]]:
    """Return the labels with a seeded draw of `count` to learn from and all others to judge by.

    They are drawn from those for training where these are enough, else from all; without a
    count every label keeps its use.

    Returns:
        The labels, and the items drawn.

    Raises:
        InputError: There are not more labels than are to be drawn.
    """
    if count is None:
        return list(frozen), frozenset()
    by_people = [f for f in frozen if f.state != ItemState.AUTO_ACCEPTED]
    if count >= len(by_people):
        raise InputError(
            f"{count} labels are to be learnt from, but there are {len(by_people)}; some must be "
            "left to judge by.",
            "Draw fewer.",
        )
    mine = sorted(f.item_id for f in by_people if f.use == "train")
    among = mine if len(mine) >= count else sorted(f.item_id for f in by_people)
    drawn = frozenset(random.Random(seed).sample(among, count))
    return [replace(f, use="train" if f.item_id in drawn else "evaluate") for f in frozen], drawn


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InputError(
            f"The {name} lies between {low:g} and {high:g}, found {value:g}.", "Correct it."
        )
