"""Recipes: how images are varied and classes balanced while a network learns. Free of torch.

Strengths are what a person chooses; what they do to pixels is in ``recipes_torch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

from core.errors import InputError

Balance = Literal["none", "over", "under", "loss"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to each training image, each by its chance or strength between 0 and 1.

    Attributes:
        crop: Least share of the image that a random crop keeps; 1: no crop.
        flip: Chance of a mirror image.
        rotate: Largest turn, as a share of a half turn.
        resize: Largest change of scale, as a share.
        brightness: Largest change, as a share.
        contrast: Largest change, as a share.
        colour: Largest change of saturation and hue, as a share.
        cutout: Chance that a square is blotted out.
        mixup: Alpha of the mixing of two images; 0: none.
        cutmix: Alpha of the pasting of one image into another; 0: none.
        gridmask: Chance that a grid of squares is blotted out.
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
    balance: Balance = "none"

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self) if f.name != "balance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InputError(f"A recipe's {name} lies between 0 and 1, found {value!r}.")
        if self.balance not in get_args(Balance):
            known = ", ".join(get_args(Balance))
            raise InputError(f"A recipe's balance is one of {known}, found {self.balance!r}.")

    def to_dict(self) -> dict[str, float | str]:
        """Return the recipe as JSON-ready values."""
        return asdict(self)


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
