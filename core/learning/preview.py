"""What a recipe makes of some images, as training would see them, to be looked at before it begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import BadImage
from core.learning.preprocess import load_pixels, quiet_decoding
from core.learning.recipes import Recipe
from core.learning.values import ImageRef


def preview(
    images: Sequence[ImageRef], recipe: Recipe, variants: int, seed: int, size: int = 160
) -> tuple[tuple[ImageRef, ...], np.ndarray]:
    """Return the images that could be read, and each as it is and varied so often.

    Mixing takes its partners from the images given, as it would from a batch.

    Returns:
        The images, and uint8 of shape (n, 1 + variants, size, size, 3), the unvaried one first.
    """
    kept, pixels = [], []
    with quiet_decoding():
        for image in images:
            try:
                pixels.append(load_pixels(image.path, size))
                kept.append(image)
            except BadImage:
                continue  # the run itself reports what cannot be read
    if not kept:
        return (), np.zeros((0, 1 + variants, size, size, 3), np.uint8)
    stack = np.stack(pixels)
    made = [stack, *(_varied(stack, recipe, (seed, v), size) for v in range(variants))]
    return tuple(kept), np.stack(made, axis=1)


def _varied(stack: np.ndarray, recipe: Recipe, seed: tuple[int, ...], size: int) -> np.ndarray:
    import torch

    from core.learning.backbones import MEAN, STD
    from core.learning.recipes_torch import draw, mixed, vary

    plan = draw(recipe, len(stack), seed)
    with torch.inference_mode():
        x = vary(torch.from_numpy(stack).permute(0, 3, 1, 2), plan, size)
        x = mixed(x, x[plan.partner], plan)
        x = x * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)
        seen = (x.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        return np.ascontiguousarray(seen.numpy())
