"""The parts of a detector: moved boxes, cut trunks, fused views, and which way is up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models as torchvision_models

from core.errors import InputError
from core.labels.region import Shape
from core.learning.backbones import Backbone
from core.learning.detect.data import Picture, Target, Variation, varied_batch
from core.learning.detect.models import Found
from core.learning.detect.predict import _asked, fused_boxes
from core.learning.detect.quick import QuickDetector, boxes_of_cells, loss_of
from core.learning.detect.trunks import empty_trunk, trunk_of
from core.learning.detect.upright import box_way_up


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


def test_what_halves_a_map_is_computed_whole() -> None:
    """In half precision, depthwise convolutions with a stride keep single, all others do not."""
    precisions: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
    trunk = empty_trunk("mobilenet_v2")
    for stage in trunk.stages:
        for conv in (m for m in stage.modules() if isinstance(m, nn.Conv2d)):
            halving = conv.groups > 1 and max(conv.stride) > 1
            conv.register_forward_hook(lambda *a, h=halving: precisions[h].add(a[2].dtype))
    x = torch.zeros(1, 3, 64, 64)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for stage in trunk.stages:
            x = stage(x)
    assert precisions == {True: {torch.float32}, False: {torch.bfloat16}}


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


def smear(number: int, lying: bool = False, standing: bool = False) -> Picture:
    """Return discs and rings under a lamp at one side: wide ones, or discs lit from above and below."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:96, :128]
    image = rng.normal(120, 4, (96, 128)) + x / 8  # the lamp
    boxes, kinds = [], []
    for slot in range(4):
        cx, cy = (
            32 + 64 * (slot % 2) + rng.uniform(-6, 6),
            24 + 48 * (slot // 2) + rng.uniform(-4, 4),
        )
        wide = 26.0 if lying else 13.0
        away = np.hypot((x - cx) / wide, (y - cy) / 13)
        kind = int(rng.integers(2))
        if standing:
            image -= 70 * ((away < 1) & ((y > cy) == (kind == 1)))
        else:
            image -= 70 * (away < 1) * ((away > 0.6) | (kind == 1))
        boxes.append([cx - wide, cy - 13, cx + wide, cy + 13])
        kinds.append(kind)
    pixels = torch.from_numpy(image.clip(0, 255)).to(torch.uint8).expand(3, 96, 128).contiguous()
    target = Target(torch.tensor(boxes, dtype=torch.float32), torch.tensor(kinds))
    return Picture(number, pixels, target, 96, 128)


@pytest.fixture(scope="module")
def stages() -> list[nn.Module]:
    """Return the stages of an untaught trunk: random filters see turns as well as forms."""
    torch.manual_seed(0)
    return list(empty_trunk("tiny").stages)


class BrightestBox:
    """A detector that boxes what is bright, and counts how often it was asked."""

    asked = 0

    def detect(self, pixels: torch.Tensor) -> list[Found]:
        self.asked += 1
        found = []
        for image in pixels:
            y, x = (image > 200).all(0).nonzero(as_tuple=True)
            box = torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float()[None]
            found.append(Found(box, torch.ones(1), torch.zeros(1, dtype=torch.int64)))
        return found


@pytest.mark.parametrize(("any_way_up", "views"), [(False, 2), (True, 4)])
def test_every_view_is_turned_back(any_way_up: bool, views: int) -> None:
    """Mirrored, put upside down or turned by a quarter, the views agree on one box and its place."""
    detector = BrightestBox()
    (found,) = _asked(detector, [lit_picture()], Shape.BOX, any_way_up)
    assert found.boxes.tolist() == [[30.0, 20.0, 50.0, 35.0]]
    assert found.scores.tolist() == [1.0]
    assert detector.asked == views


def test_discs_under_a_lamp_have_no_way_up(stages: list[nn.Module]) -> None:
    """A lamp at one side tells the images' turns apart, but not what is in the boxes."""
    found = box_way_up([smear(i) for i in range(30)], stages, ("ring", "disc"), 0)
    assert found.free, found
    assert found == box_way_up([smear(i) for i in range(30)], stages, ("ring", "disc"), 0)


def test_what_is_lit_from_above_has_a_way_up(stages: list[nn.Module]) -> None:
    """Classes that a turn would change keep images as they stand."""
    found = box_way_up([smear(i, standing=True) for i in range(30)], stages, ("up", "down"), 0)
    assert not found.free, found
    assert "as they stand" in found.why


def test_boxes_that_lie_have_a_way_up(stages: list[nn.Module]) -> None:
    """Boxes wider than high settle it, and the sentence names the class."""
    found = box_way_up([smear(i, lying=True) for i in range(10)], stages, ("ring", "disc"), 0)
    assert not found.free
    assert "2.0 times as wide as high" in found.why
    assert not box_way_up([smear(0)], stages, ("ring", "disc"), 0).free  # too few to tell


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
