"""Detectors: which one a name means, and one way to teach and to ask every one of them.

A classification network's name means the quick detector on it; where shapes are asked for, Mask or
Keypoint R-CNN. ``fasterrcnn_<network>_fpn`` and its kin are built on any trunk; whatever else
torchvision lists under detection is taken as it is.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from core.errors import InputError
from core.labels.region import Shape
from core.learning.backbones import known_backbones
from core.learning.detect.data import Batch, Target
from core.learning.detect.quick import Cells, QuickDetector, boxes_of_cells, loss_of
from core.learning.detect.trunks import Trunk
from core.learning.selftrained import NAME as SELF_TRAINED

QUICK = "quick"
_LIST = ("fasterrcnn", "maskrcnn", "keypointrcnn", "fcos", "retinanet")
_BUILT = re.compile(rf"({'|'.join(_LIST)})_(.+)_fpn")
_LEAST_SCORE = 0.02


class Found(NamedTuple):
    """What a detector says of one image, surest first, in the pixels it was given.

    Attributes:
        boxes: float32 (n, 4).
        scores: float32 (n,).
        kinds: int64 (n,), places in the classes.
        masks: float32 (n, h, w) between 0 and 1, or None.
        points: float32 (n, p, 3), or None.
    """

    boxes: Tensor
    scores: Tensor
    kinds: Tensor
    masks: Tensor | None = None
    points: Tensor | None = None


class Detector(Protocol):
    """A network that can be taught and asked."""

    @property
    def network(self) -> nn.Module:
        """Return the network."""

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return the parts of the loss of a batch, scalars to be summed."""

    def detect(self, pixels: Tensor) -> list[Found]:
        """Return what is in each image of uint8 (n, 3, h, w)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a name means.

    Attributes:
        family: ``quick``, a family of torchvision's built here, or ``torchvision``.
        name: Of the trunk, or of torchvision's detector.
    """

    family: str
    name: str

    @property
    def full(self) -> str:
        """Return the detector's whole name."""
        if self.family == "torchvision":
            return self.name
        return f"{self.family}_{self.name}" + ("" if self.family == QUICK else "_fpn")


def known_detectors() -> list[str]:
    """Return the detectors torchvision offers under their own names."""
    return list(models.list_models(module=detection))


def planned(name: str, shape: Shape) -> Plan:
    """Return what a name means where such shapes are asked for.

    Raises:
        InputError: There is no such detector, or it cannot say such shapes.
    """
    family = {Shape.BOX: QUICK, Shape.KEYPOINTS: "keypointrcnn"}.get(shape, "maskrcnn")
    plan: Plan | None = None
    if name in known_detectors():
        plan = Plan("torchvision", name)
    elif name in known_backbones() or name == SELF_TRAINED:
        plan = Plan(family, name)
    elif (parts := _BUILT.fullmatch(name)) and parts[2] in known_backbones():
        plan = Plan(parts[1], parts[2])
    if plan is None:
        raise InputError(
            f"Unknown detector '{name}'.",
            "Choose a torchvision network, mobilenet_v2 for example, or a torchvision detector, "
            "fasterrcnn_resnet50_fpn for example.",
        )
    says = plan.full.split("_")[0]
    if family not in (QUICK, says):
        raise InputError(
            f"'{name}' finds boxes only, this project asks for {shape.value} regions.",
            f"Choose {family}_resnet50_fpn, or the name of a classification network.",
        )
    return plan


def built(
    plan: Plan,
    classes: int,
    trunk: Trunk | None,
    typical_px: Sequence[float],
    size: int,
    points: int = 0,
    class_weights: Tensor | None = None,
    most: int = 100,
) -> Detector:
    """Return the detector of a plan, untaught but for its trunk.

    Args:
        plan: What to build.
        classes: Number of classes.
        trunk: The trunk, unless torchvision builds its own.
        typical_px: Typical side of small, middling and large boxes, pixels.
        size: Longer side of the images, pixels.
        points: Of a skeleton.
        class_weights: How much each class counts, where the detector can tell them apart.
        most: Things whose shape is worked out in an image; a skeleton costs as much as an image.
    """
    if plan.family == QUICK:
        assert trunk is not None
        quick = QuickDetector(trunk.stages, trunk.widths, classes, typical_px)
        quick = quick.to(memory_format=torch.channels_last)
        return Quick(quick, class_weights, frozen=trunk.source == "pretrained")
    # torchvision scales by the smaller of both ratios: the longer side decides only so.
    options: dict[str, Any] = {"min_size": size, "max_size": size, "box_score_thresh": _LEAST_SCORE}
    one_stage = plan.full.startswith(("fcos", "retinanet", "ssd"))
    if one_stage:
        options["score_thresh"] = options.pop("box_score_thresh")
    if plan.full.startswith(("maskrcnn", "keypointrcnn")):
        options["box_detections_per_img"] = most
    if plan.full.startswith("keypointrcnn"):
        options["num_keypoints"] = points
    if plan.family == "torchvision":
        network = _named(plan.name, classes + 1, size, options)
    else:
        assert trunk is not None
        network = _family(plan.family, classes + 1, trunk, typical_px, options)
    return Published(network)


class Quick:
    """The quick detector behind the common face.

    Args:
        network: The detector; the batch norms of its trunk are folded into the convolutions.
        class_weights: How much each class counts in the loss, (classes,).
        frozen: Whether the first two stages stay as they came, being good already.
    """

    def __init__(
        self, network: QuickDetector, class_weights: Tensor | None = None, frozen: bool = True
    ) -> None:
        self.network: nn.Module = network
        self.frozen = frozen
        self._quick = network
        self._weights = class_weights
        for parameter in network.stages[:2].parameters():
            parameter.requires_grad_(not frozen)

    def first(self, pixels: Tensor) -> Tensor:
        """Return the maps of the first two stages; frozen ones may be kept and used again."""
        with torch.set_grad_enabled(not self.frozen):
            return self._quick.first(pixels.to(self._device))

    def losses_after(self, maps: Tensor, targets: Sequence[Target]) -> Mapping[str, Tensor]:
        """Return the parts of the loss, given the maps of the first two stages."""
        boxes = [t.boxes.to(self._device) for t in targets]
        kinds = [t.kinds.to(self._device) for t in targets]
        cells = self._quick.after(maps.contiguous(memory_format=torch.channels_last))
        whole = Cells(cells.scores.float(), cells.boxes.float(), cells.centres, cells.strides)
        weights = None if self._weights is None else self._weights.to(self._device)
        parts = loss_of(whole, boxes, kinds, weights)
        return {"scores": parts.score, "boxes": 2.0 * parts.box}

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return the parts of the loss of a batch, scalars to be summed."""
        return self.losses_after(self.first(batch.pixels), batch.targets)

    @torch.inference_mode()
    def detect(self, pixels: Tensor) -> list[Found]:
        """Return what is in each image of uint8 (n, 3, h, w)."""
        self.network.eval()
        cells = self._quick(pixels.to(self._device))
        return [
            Found(*(t.cpu() for t in boxes_of_cells(cells, i, _LEAST_SCORE)))
            for i in range(len(pixels))
        ]

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device


class Published:
    """A detector of torchvision behind the common face."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return the parts of the loss of a batch, scalars to be summed."""
        device = next(self.network.parameters()).device
        targets = []
        for t in batch.targets:
            row = {"boxes": t.boxes.to(device), "labels": t.kinds.to(device) + 1}
            if t.masks is not None:
                row["masks"] = t.masks.to(device)
            if t.points is not None:
                row["keypoints"] = t.points.to(device)
            targets.append(row)
        images = [p.to(device).float() / 255 for p in batch.pixels]
        return cast(Mapping[str, Tensor], self.network(images, targets))

    @torch.inference_mode()
    def detect(self, pixels: Tensor) -> list[Found]:
        """Return what is in each image of uint8 (n, 3, h, w)."""
        self.network.eval()
        device = next(self.network.parameters()).device
        said = self.network([p.to(device).float() / 255 for p in pixels])
        return [_found({k: v.cpu() for k, v in row.items()}) for row in said]


def _found(row: Mapping[str, Tensor]) -> Found:
    real = (row["labels"] > 0).nonzero().squeeze(1)
    real = real[row["scores"][real].argsort(descending=True, stable=True)]
    return Found(
        row["boxes"][real],
        row["scores"][real],
        row["labels"][real] - 1,
        row["masks"][real, 0] if "masks" in row else None,
        row["keypoints"][real] if "keypoints" in row else None,
    )


def _named(name: str, classes: int, size: int, options: dict[str, Any]) -> nn.Module:
    if name.startswith("ssd"):
        options = {"score_thresh": _LEAST_SCORE}  # they have an input size of their own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cast(
            nn.Module,
            models.get_model(
                name, weights=None, weights_backbone=None, num_classes=classes, **options
            ),
        )


class _Pyramid(nn.Module):
    """A trunk with a feature pyramid, as torchvision's detectors want it."""

    def __init__(self, trunk: Trunk, width: int) -> None:
        super().__init__()
        first = nn.Sequential(trunk.stages[0], trunk.stages[1])
        for parameter in trunk.stages[0].parameters():
            parameter.requires_grad_(False)
        self.stages = nn.ModuleList([first, *trunk.stages[2:]])
        self.fpn = FeaturePyramidNetwork(list(trunk.widths[1:]), width)
        self.out_channels = width

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = {}
        for i, stage in enumerate(self.stages):
            x = stage(x)
            maps[str(i)] = x
        return cast(dict[str, Tensor], self.fpn(maps))


def _family(
    family: str, classes: int, trunk: Trunk, typical_px: Sequence[float], options: dict[str, Any]
) -> nn.Module:
    body = _Pyramid(trunk, 128)
    ratios = (0.5, 1.0, 2.0)
    if family == "fcos":
        anchors = AnchorGenerator(tuple((s,) for s in (8, 16, 32)), ((1.0,),) * 3)
        return cast(nn.Module, detection.FCOS(body, classes, anchor_generator=anchors, **options))
    sizes = tuple((round(t), round(t * 1.5)) for t in typical_px)
    anchors = AnchorGenerator(sizes, (ratios,) * len(sizes))
    if family == "retinanet":
        return cast(
            nn.Module, detection.RetinaNet(body, classes, anchor_generator=anchors, **options)
        )
    make = {
        "fasterrcnn": detection.FasterRCNN,
        "maskrcnn": detection.MaskRCNN,
        "keypointrcnn": detection.KeypointRCNN,
    }[family]
    pooled = partial(MultiScaleRoIAlign, featmap_names=["0", "1", "2"], sampling_ratio=2)
    pools: dict[str, Any] = {"box_roi_pool": pooled(output_size=7)}
    if family != "fasterrcnn":
        pools[f"{family.removesuffix('rcnn')}_roi_pool"] = pooled(output_size=14)
    few = {
        "rpn_post_nms_top_n_train": 300,
        "rpn_post_nms_top_n_test": 300,
        "box_batch_size_per_image": 128,
    }
    return cast(
        nn.Module,
        make(body, classes, rpn_anchor_generator=anchors, **pools, **few, **options),
    )
