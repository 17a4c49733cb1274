"""Recipes on pixels: labels stay right, batches are reproducible, and a part of a batch is that part."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.learning.recipes import (
    NAMED,
    Recipe,
    class_balance,
    epoch_rows,
    loss_weights,
    read_recipe,
)
from core.learning.recipes_torch import draw, mixed, mixed_targets, normalised, plain, vary

SIZE = 24


def batch(n: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random pixels and one-hot labels."""
    g = torch.Generator().manual_seed(3)
    pixels = torch.randint(256, (n, 3, SIZE, SIZE), dtype=torch.uint8, generator=g)
    return pixels, torch.eye(4)[torch.arange(n) % 4]


def test_no_recipe_changes_nothing():
    """With every part off the varied image is the plain one."""
    pixels, _ = batch()
    plan = draw(NAMED["none"], len(pixels), (1, 2))
    assert torch.allclose(vary(pixels, plan, SIZE), plain(pixels, SIZE), atol=1e-4)


def test_flip_is_a_mirror_image():
    """A certain flip gives exactly the mirrored pixels; upside down the other way."""
    pixels, _ = batch()
    off = NAMED["none"].to_dict()
    across = vary(pixels, draw(Recipe(**{**off, "flip": 1.0}), 8, (1,)), SIZE)
    assert torch.allclose(across, plain(pixels.flip(3), SIZE), atol=1e-4)
    down = vary(pixels, draw(Recipe(**{**off, "upside_down": 1.0}), 8, (1,)), SIZE)
    assert torch.allclose(down, plain(pixels.flip(2), SIZE), atol=1e-4)


@pytest.mark.parametrize("recipe", [Recipe(mixup=0.4), Recipe(cutmix=1.0), NAMED["strong"]])
def test_mixed_labels_sum_to_one(recipe: Recipe):
    """However images are mixed, each row's labels stay shares of one whole."""
    pixels, targets = batch()
    plan = draw(recipe, len(pixels), (5, 1))
    found = mixed_targets(targets, targets[plan.partner], plan, SIZE)
    assert torch.allclose(found.sum(1), torch.ones(8), atol=1e-6)
    assert (found >= 0).all()
    assert not torch.equal(found, targets)


def test_cutmix_labels_are_the_areas_pasted():
    """The share of the partner's label is the share of pixels that came from it, to the pixel."""
    n = 64
    plan = draw(Recipe(cutmix=1.0), n, (9,))
    mine, others = torch.zeros(n, 3, SIZE, SIZE), torch.ones(n, 3, SIZE, SIZE)
    pasted = mixed(mine, others, plan)[:, 0].mean((1, 2))
    labels = mixed_targets(
        torch.tensor([[1.0, 0.0]] * n), torch.tensor([[0.0, 1.0]] * n), plan, SIZE
    )
    assert torch.allclose(labels[:, 1], pasted, atol=1e-6)
    assert 0 < float(pasted.min()) + float(pasted.mean()) < 1


def test_mixup_labels_are_the_shares_blended():
    """The share of the partner's label is what its pixels weigh."""
    n = 16
    plan = draw(Recipe(mixup=0.5), n, (9,))
    blend = mixed(torch.zeros(n, 3, SIZE, SIZE), torch.ones(n, 3, SIZE, SIZE), plan).mean((1, 2, 3))
    labels = mixed_targets(
        torch.tensor([[1.0, 0.0]] * n), torch.tensor([[0.0, 1.0]] * n), plan, SIZE
    )
    assert torch.allclose(labels[:, 1], blend, atol=1e-6)
    assert float(blend.max()) <= 0.5 + 1e-6  # the greater share is always the row's own


def test_cutout_and_gridmask_blank_about_their_share():
    """A certain cutout blanks a square, a grid about the square of its share; labels stay."""
    white = torch.full((32, 3, 40, 40), 255, dtype=torch.uint8)
    off = NAMED["none"].to_dict()
    for name, low, high in (("cutout", 0.03, 0.17), ("gridmask", 0.1, 0.22)):
        x = vary(white, draw(Recipe(**{**off, name: 1.0}), 32, (2,)), 40)
        blank = (x == 0).float().mean((1, 2, 3))
        assert low < float(blank.mean()) < high, name
        assert (x[x != 0] > 2).all()


def test_the_same_seed_gives_the_same_batch_and_a_part_is_that_part():
    """Two processes that share a batch make of their rows what one process would."""
    pixels, _ = batch()
    plan = draw(NAMED["strong"], 8, (7, 3, 1))
    again = draw(NAMED["strong"], 8, (7, 3, 1))
    whole = vary(pixels, plan, SIZE)
    assert torch.equal(whole, vary(pixels, again, SIZE))
    part = torch.arange(3, 6)
    assert torch.allclose(vary(pixels[part], plan.rows(part), SIZE), whole[part], atol=1e-6)
    assert not torch.allclose(whole, vary(pixels, draw(NAMED["strong"], 8, (7, 3, 2)), SIZE))


def test_normalised_white_and_black():
    """ImageNet's mean and deviation, by channel."""
    x = normalised(torch.stack([torch.zeros(3, 1, 1), torch.ones(3, 1, 1)]))
    assert x[:, 0, 0, 0].tolist() == pytest.approx([-0.485 / 0.229, 0.515 / 0.229])


def test_named_recipes_and_files(tmp_path):
    """A name, a file of fields; anything else is refused by name."""
    assert read_recipe("strong").cutmix == 1.0
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"rotate": 0.5}))
    assert read_recipe(str(path)).rotate == 0.5
    for text, words in (("[1]", "no mapping"), ("{", "not JSON"), ('{"crop": "x"}', "crop")):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_recipe(str(path))
    with pytest.raises(InputError, match="no recipe 'wild'"):
        read_recipe("wild")


def test_strength_scales_every_variation():
    """Half strength is half of each; none at all leaves only what never varies."""
    half = NAMED["strong"].at(0.5)
    assert (half.cutmix, half.rotate) == (0.5, 0.05)
    assert half.crop == pytest.approx(0.65)
    assert NAMED["strong"].at(0).crop == 1.0


def test_balance_report_names_the_rare_and_the_missing():
    """The ratio is of those present; a class without labels is named."""
    found = class_balance({"a": 60, "b": 5, "c": 0})
    assert (found.ratio, found.missing) == (12.0, ("c",))
    assert "No training label for c" in found.advice
    assert "'a' has 60" in found.advice
    assert class_balance({"a": 5, "b": 5}).advice == ""
    assert "no training labels" in class_balance({"a": 0}).advice


def test_over_and_under_sampling_and_balanced_loss():
    """Over: as many rows, evenly; under: as many of each as the rarest; loss: sums even out."""
    targets = np.eye(3, dtype=np.float32)[[0] * 20 + [1] * 6 + [2] * 4]
    codes = targets.argmax(1)
    over = np.bincount(codes[epoch_rows(targets, "over", 1, 0)])
    assert over.tolist() == [10, 10, 10]
    drawn = epoch_rows(targets, "under", 1, 0)
    assert np.bincount(codes[drawn]).tolist() == [4, 4, 4]
    assert len(set(drawn)) == 12
    weights = loss_weights(targets, "loss")
    sums = [weights[codes == c].sum() for c in range(3)]
    assert np.allclose(sums, sums[0])
    assert weights.mean() == pytest.approx(1)
    assert sorted(epoch_rows(targets, "none", 1, 0)) == list(range(30))
    assert not np.array_equal(epoch_rows(targets, "none", 1, 0), epoch_rows(targets, "none", 1, 1))


def test_rows_of_several_labels_are_balanced_by_their_rarest():
    """Forty rows carry the first class, four of them the second too: these four count as its own."""
    targets = np.zeros((40, 2), np.float32)
    targets[:, 0] = 1
    targets[:4, 1] = 1
    drawn = epoch_rows(targets, "over", 1, 0)
    assert (targets[drawn, 1] == 1).sum() == 20
    assert len(epoch_rows(targets, "under", 1, 0)) == 8
    weights = loss_weights(targets, "loss")
    assert weights[:4].min() == pytest.approx(10 * weights[4:].max())
    shares = np.array([[0.8, 0.2], [0.9, 0.1], [0.3, 0.7]], np.float32)
    assert loss_weights(shares, "loss")[2] > loss_weights(shares, "loss")[0]
