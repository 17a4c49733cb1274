"""The parts of a detector: moved boxes, cut trunks, fused views, and which way is up."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models as torchvision_models

from core.errors import InputError
from core.learning.backbones import Backbone
from core.learning.detect.data import Picture, Target, Variation, varied_batch
from core.learning.detect.models import Found
from core.learning.detect.predict import fused_boxes
from core.learning.detect.quick import QuickDetector, boxes_of_cells, loss_of
from core.learning.detect.trunks import empty_trunk, trunk_of
from core.learning.detect.upright import no_way_up, told_apart


def lit_picture() -> Picture:
    """Return a dark image with one bright box in it."""
    pixels = torch.zeros(3, 60, 80, dtype=torch.uint8)
    pixels[:, 20:35, 30:50] = 255
    target = Target(torch.tensor([[30.0, 20.0, 50.0, 35.0]]), torch.tensor([0]))
    return Picture(1, pixels, target, 60, 80)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_move_with_their_pixels(mosaic: float) -> None:
    """However an image is turned, mirrored, scaled, moved and joined, its bright box stays boxed."""
    variation = Variation(any_way_up=True, light=0.0, tint=0.0, mosaic=mosaic)
    batch = varied_batch([lit_picture()], 32, variation, torch.Generator().manual_seed(0))
    found = 0
    for pixels, target in zip(batch.pixels, batch.targets, strict=True):
        bright = (pixels > 200).all(0)
        for x1, y1, x2, y2 in target.boxes.round().int().tolist():
            inside = bright[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1]
            assert inside.float().mean() > 0.95
            found += 1
    assert found >= 24


def test_the_same_generator_draws_the_same_batch() -> None:
    """Variation follows from the seed alone."""
    one, same = (
        varied_batch([lit_picture()], 4, Variation(), torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(one.pixels, same.pixels)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "squeezenet1_0", "regnet_y_400mf", "tiny"])  # fmt: skip
def test_trunks_end_at_a_quarter_to_a_thirty_second(name: str) -> None:
    """Networks of every build are cut where their maps halve."""
    trunk = empty_trunk(name)
    x = torch.zeros(1, 3, 128, 128)
    for stage, width, stride in zip(trunk.stages, trunk.widths, (4, 8, 16, 32), strict=True):
        x = stage(x)
        assert x.shape[1] == width
        assert abs(x.shape[2] - 128 // stride) <= 2


def test_a_network_without_maps_is_refused() -> None:
    """A transformer has no maps to find anything on."""
    network = torchvision_models.vit_b_16(weights=None, image_size=224)
    with pytest.raises(InputError, match="no feature maps"):
        trunk_of(Backbone("vit_b_16", network, "", "", 224))


def test_what_views_agree_on_is_one_surer_box() -> None:
    """Overlapping boxes of a class are averaged by score; what one view alone saw loses half."""
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    one = Found(torch.cat([box, box + 50]), torch.tensor([0.9, 0.6]), torch.tensor([0, 1]))
    other = Found(box + 1, torch.tensor([0.3]), torch.tensor([0]))
    found = fused_boxes([one, other])
    assert found.kinds.tolist() == [0, 1]
    assert found.scores.tolist() == pytest.approx([0.6, 0.3])
    assert found.boxes[0].tolist() == pytest.approx([0.25, 0.25, 10.25, 10.25])
    nothing = Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    assert len(fused_boxes([nothing, nothing]).boxes) == 0


def test_images_that_look_alike_upside_down_have_no_way_up() -> None:
    """Noise has none; a bright sky over a dark ground has."""
    generator = torch.Generator().manual_seed(0)
    noise = [
        torch.randint(0, 255, (3, 64, 64), generator=generator, dtype=torch.uint8)
        for _ in range(24)
    ]
    landscapes = [n // 2 + (torch.arange(64)[None, :, None] < 32) * 120 for n in noise]
    stages = [nn.Conv2d(3, 8, 3, stride=4)]
    nn.init.normal_(stages[0].weight, generator=generator)
    assert no_way_up(noise, stages)
    assert not no_way_up([x.to(torch.uint8) for x in landscapes], stages)
    assert not no_way_up(noise[:5], stages)  # too few to tell


def test_telling_apart_leaves_out_what_is_judged() -> None:
    """The short cut gives what fitting without each pair gives."""
    generator = torch.Generator().manual_seed(1)
    one = torch.randn(10, 4, generator=generator) + 0.4
    other = torch.randn(10, 4, generator=generator)
    x = torch.cat([one, other]).double()
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    y = torch.cat([torch.ones(10), -torch.ones(10)]).double()
    right = 0
    for i in range(10):
        kept = torch.tensor([j for j in range(20) if j not in (i, i + 10)])
        gram = x[kept].T @ x[kept] + 4 * torch.eye(4, dtype=torch.float64)
        weights = torch.linalg.solve(gram, x[kept].T @ y[kept])
        right += sum(int((x[j] @ weights).sign() == y[j].sign()) for j in (i, i + 10))
    assert told_apart(one, other) == pytest.approx(right / 20)


def test_the_quick_detector_learns_one_box_by_heart() -> None:
    """Loss falls, and the box is found where it is, an image without boxes included."""
    torch.manual_seed(0)
    trunk = empty_trunk("tiny")
    network = QuickDetector(trunk.stages, trunk.widths, 2, (8.0, 16.0, 32.0), width=24)
    pixels = torch.stack([lit_picture().pixels, torch.zeros(3, 60, 80, dtype=torch.uint8)])
    boxes = [torch.tensor([[30.0, 20.0, 50.0, 35.0]]), torch.zeros(0, 4)]
    kinds = [torch.tensor([1]), torch.zeros(0, dtype=torch.int64)]
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        loss = loss_of(network(pixels), boxes, kinds).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    with torch.no_grad():
        found, sure, kind = boxes_of_cells(network(pixels), 0)
    assert kind[0] == 1
    assert sure[0] > 0.5
    assert torch.allclose(found[0], boxes[0][0], atol=4.0)
