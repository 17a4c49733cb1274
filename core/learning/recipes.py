"""Recipes: how images are varied and classes balanced while a network learns. Free of torch.

Strengths are what a person chooses; what they do to pixels is in ``recipes_torch``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from core.errors import InputError

Balance = Literal["none", "over", "under", "loss"]
IMBALANCED = 5.0
"""Above this ratio of the commonest class to the rarest it is advised to balance them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to each training image, each by its chance or strength between 0 and 1.

    Attributes:
        crop: Least share of the image that a random crop keeps; 1: no crop.
        flip: Chance of a mirror image.
        upside_down: Chance of an up–down flip, for images that have no up.
        rotate: Largest turn, as a share of a half turn.
        resize: Largest change of scale, as a share.
        brightness: Largest change, as a share.
        contrast: Largest change, as a share.
        colour: Largest change of saturation and hue, as a share.
        cutout: Chance that a square is blotted out.
        mixup: Alpha of the mixing of two images; 0: none.
        cutmix: Alpha of the pasting of one image into another; 0: none.
        gridmask: Chance that a grid of squares is blotted out.
        smoothing: Share of each label that is spread over all classes.
        balance: ``over`` or ``under`` sampling, a balanced ``loss``, or ``none``.
    """

    crop: float = 0.6
    flip: float = 0.5
    rotate: float = 0.0
    resize: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    colour: float = 0.2
    cutout: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    gridmask: float = 0.0
    upside_down: float = 0.0
    smoothing: float = 0.05
    balance: Balance = "none"

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self) if f.name != "balance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InputError(
                    f"A recipe's {name} lies between 0 and 1, found {value!r:.40}.",
                    "Correct it; nothing was started.",
                )
        if self.balance not in get_args(Balance):
            known = ", ".join(get_args(Balance))
            raise InputError(
                f"A recipe's balance is one of {known}, found {self.balance!r:.40}.",
                "Correct it; nothing was started.",
            )

    def at(self, strength: float) -> Recipe:
        """Return the recipe with every variation weaker (below 1) or stronger (above 1)."""
        scaled = {name: min(1.0, getattr(self, name) * strength) for name in _SCALED}
        return replace(self, crop=max(0.08, 1 - (1 - self.crop) * strength), **scaled)

    def to_dict(self) -> dict[str, float | str]:
        """Return the recipe as JSON-ready values."""
        return asdict(self)


_SCALED = (
    "rotate", "resize", "brightness", "contrast", "colour", "cutout", "mixup", "cutmix", "gridmask",
)  # fmt: skip


NAMED: Mapping[str, Recipe] = {
    "none": Recipe(1.0, 0.0, brightness=0.0, contrast=0.0, colour=0.0, smoothing=0.0),
    "light": Recipe(0.75, resize=0.1, brightness=0.1, contrast=0.1, colour=0.1),
    "standard": Recipe(0.5, rotate=0.05, resize=0.15),
    "strong": Recipe(
        0.3, rotate=0.1, resize=0.25, brightness=0.4, contrast=0.4, colour=0.4, cutout=0.25,
        mixup=0.2, cutmix=1.0, gridmask=0.1, smoothing=0.1,
    ),
}  # fmt: skip
"""The recipes that go by a name."""


def read_recipe(given: str) -> Recipe:
    """Return a recipe by its name, or from a JSON file of its fields.

    Raises:
        InputError: There is no such name or file, or a field will not do.
    """
    if given in NAMED:
        return NAMED[given]
    path = Path(given)
    try:
        doc = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"There is no recipe '{given}': {error.strerror or error}.",
            f"Choose {', '.join(NAMED)}, or a JSON file.",
        ) from error
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"The recipe {path.name} is not JSON: {why}.", "Correct it.") from error
    if not isinstance(doc, Mapping):
        raise InputError(
            f"The recipe {path.name} is no mapping of fields but a {type(doc).__name__}.",
            "Correct it.",
        )
    return recipe_from(doc)


def recipe_from(doc: Mapping[str, object]) -> Recipe:
    """Read a recipe; what it does not name keeps its default.

    Raises:
        InputError: Something in it is unknown or out of range.
    """
    known = {f.name for f in fields(Recipe)}
    if unknown := sorted(set(doc) - known):
        raise InputError(
            f"A recipe has no '{unknown[0]}'; nothing was changed.",
            f"It may name {', '.join(sorted(known))}.",
        )
    return Recipe(**doc)  # type: ignore[arg-type]  # __post_init__ looks at every value


@dataclass(frozen=True, slots=True)
class ClassBalance:
    """How evenly the training labels are spread over the classes.

    Attributes:
        counts: Training labels by class, classes without any included.
        missing: Classes without a training label.
        ratio: The commonest class's count over the rarest's that has any; 1: all even.
        advice: A plain sentence, or empty.
    """

    counts: Mapping[str, int]
    missing: tuple[str, ...]
    ratio: float
    advice: str


def class_balance(counts: Mapping[str, int]) -> ClassBalance:
    """Return the balance of training labels, and what to do about it."""
    present = {c: n for c, n in counts.items() if n > 0}
    missing = tuple(c for c in counts if c not in present)
    if not present:
        return ClassBalance(dict(counts), missing, 1.0, "There are no training labels yet.")
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    ratio = present[most] / present[least]
    said = []
    if missing:
        said.append(
            f"No training label for {', '.join(missing[:5])}: they will never be predicted."
        )
    if ratio > IMBALANCED:
        said.append(
            f"'{most}' has {present[most]} training labels, '{least}' {present[least]}: draw rare "
            "classes more often or weigh them in the loss, or label more of them."
        )
    return ClassBalance(dict(counts), missing, ratio, " ".join(said))


def loss_weights(targets: np.ndarray, balance: str) -> np.ndarray:
    """Return each row's weight in the loss, float32 (n,), mean 1.

    Under ``loss`` a row weighs 1 / count of its class (for several labels, the rarest of them;
    for shares, the largest).
    """
    if balance != "loss" or not len(targets):
        return np.ones(len(targets), dtype=np.float32)
    weight = _rarity(targets)
    return np.asarray(weight / weight.mean(), dtype=np.float32)


def epoch_rows(targets: np.ndarray, balance: str, seed: int, epoch: int) -> np.ndarray:
    """Return the rows of one epoch in their order, by seed and epoch.

    ``over`` draws as many rows as there are, rare classes as often as common ones, every row of
    the rarest before any is repeated; ``under`` takes of each class as many as the rarest has.
    A row of several labels counts as the rarest of them.
    """
    rng = np.random.default_rng([seed, epoch, 17])
    n = len(targets)
    if balance not in ("over", "under") or not n:
        return rng.permutation(n)
    codes = _classes(targets)
    groups = [rng.permutation(np.flatnonzero(codes == c)) for c in np.unique(codes)]
    each = min(len(g) for g in groups) if balance == "under" else -(-n // len(groups))
    drawn = np.concatenate([np.resize(g, each) for g in groups])
    return rng.permutation(drawn)


def _rarity(targets: np.ndarray) -> np.ndarray:
    counts = np.maximum(targets.sum(0), 1e-9)
    labelled = (targets > 0).any(1)
    return np.where(labelled, 1.0 / counts[_classes(targets)], 1.0 / max(1, len(targets)))


def _classes(targets: np.ndarray) -> np.ndarray:
    """Return the class each row counts as: of those more likely than not the rarest, else the likeliest."""
    said = targets > 0.5
    rarity = np.where(said, 1.0 / np.maximum(said.sum(0), 1), 0.0)
    return np.asarray(np.where(said.any(1), rarity.argmax(1), targets.argmax(1)))
