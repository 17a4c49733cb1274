"""Whether pieces have a way up: told by whether their classes survive a turn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.learning.upright import told_right, way_up


def halves(count: int, turning: bool, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return noisy pieces of two classes, two an image: top or bottom lit, or of two brightnesses."""
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.arange(2 * count) % 2
    pieces = torch.randint(60, 120, (2 * count, 3, 16, 16), generator=generator)
    for i, kind in enumerate(kinds.tolist()):
        if turning:
            pieces[i, :, 8 * kind : 8 * kind + 8] += 100
        else:
            pieces[i] += 60 * kind
    return pieces.to(torch.uint8), kinds, torch.arange(count).repeat_interleave(2)


def seen(pixels: Tensor) -> Tensor:
    """Return what a coarse eye sees."""
    return F.adaptive_avg_pool2d(pixels.float(), 4).flatten(1)


def test_what_means_the_same_turned_has_no_way_up() -> None:
    """Bright and dark pieces stay bright and dark; how many, and how right, is said."""
    found = way_up(*halves(30, turning=False), seen)
    assert found.free
    assert (found.pieces, found.images) == (60, 30)
    assert found.upright == found.turned == 1.0
    assert "no way up (60 pieces of 30 images" in found.why


def test_what_means_something_else_turned_has_a_way_up() -> None:
    """A light above and a light below are told apart until they are turned."""
    found = way_up(*halves(30, turning=True), seen)
    assert not found.free
    assert found.upright == 1.0
    assert found.turned is not None
    assert found.turned < 0.6
    assert "as they stand" in found.why


@pytest.mark.parametrize(("count", "mixed"), [(7, False), (30, True)])
def test_nothing_is_concluded_from_too_little(count: int, mixed: bool) -> None:
    """Seven images, or classes that cannot be told at all, leave images as they stand."""
    pieces, kinds, images = halves(count, turning=False)
    if mixed:
        kinds = kinds[torch.randperm(len(kinds), generator=torch.Generator().manual_seed(1))]
    found = way_up(pieces, kinds, images, seen)
    assert not found.free
    assert "cannot be told" in found.why


def test_no_image_is_learnt_from_and_judged_by() -> None:
    """Pieces of one image that share a class by chance and a look tell nothing of one another."""
    generator = torch.Generator().manual_seed(0)
    images = torch.arange(40).repeat_interleave(4)
    looks = torch.randn(40, 30, generator=generator, dtype=torch.float64)[images]
    kinds = torch.randint(2, (40,), generator=generator)[images]
    right = told_right([looks], kinds, images)
    assert float(right.mean()) < 0.7
