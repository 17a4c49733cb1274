"""What goes into training a detector and what comes out, as plain values. Free of torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.labels.region import Region, Shape
from core.learning.values import ImageRef, RegionExample


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """One training of a detector.

    Attributes:
        classes: Class names in schema order.
        examples: Images whose regions are known, empty ones included.
        pool: All images, labelled or not: those not learnt from are predicted.
        detector: A torchvision classification network, which becomes the trunk of the quick
            detector or, where shapes are asked for, of a Mask or Keypoint R-CNN; or the name of
            a torchvision detector, such as ``fasterrcnn_resnet50_fpn_v2``.
        shape: What is looked for.
        seed: Everything random follows from it.
        folder: The run's own folder; the finished model stands there.
        cache: Folder shared by all runs.
        keypoints: Points of a skeleton; 0 where none are asked for.
        held_out: Items that may not be learnt from: those drawn for certifying or evaluating.
        judged_on: What to call the examples for evaluating in the report.
        budget_seconds: How long the steps may take; learning slows down towards its end. None: as
            long as the detector usually needs on two cores.
        steps: Exactly so many steps instead: the same seed and steps give the same model.
        size: Longer side the images are scaled to, pixels; None to choose it by the boxes.
        any_way_up: Whether images may be learnt upside down and turned; None to ask the images.
        weights: A file with weights of the trunk or of the whole detector.
        offline: Do not try to download weights.
        self_training_seconds: How long a trunk of the project's own may be taught, where no
            published weights are at hand.
        resume: Go on from the checkpoint in the folder.
        clock: Seconds that count against the budget; processor time on a machine busy otherwise.
    """

    classes: tuple[str, ...]
    examples: tuple[RegionExample, ...]
    pool: tuple[ImageRef, ...]
    detector: str
    shape: Shape
    seed: int
    folder: Path
    cache: Path
    keypoints: int = 0
    held_out: frozenset[int] = frozenset()
    judged_on: str = "evaluate"
    budget_seconds: float | None = None
    steps: int | None = None
    size: int | None = None
    any_way_up: bool | None = None
    weights: Path | None = None
    offline: bool = False
    self_training_seconds: float = 75.0
    resume: bool = False
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class BoxScore:
    """Mean average precision over the classes that occur, with its interval.

    Attributes:
        on: ``evaluate``, ``all others`` or ``none`` (too few images to judge by).
        n: Images it rests on.
        map50: At the project's overlap of 0.5, as COCO counts; None when n is 0.
        map: COCO's mean over overlaps 0.50 to 0.95.
        low, high: 95 % interval of `map50`, images drawn again.
    """

    on: str
    n: int
    map50: float | None
    map: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Average precision of one class at overlap 0.5; n counts its true regions."""

    label: str
    n: int
    ap50: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class DetectReport:
    """What a run did and how good its detector is.

    Attributes:
        status: ``done`` or ``cancelled``.
        backbone: The name that was asked for.
        detector: What was built of it.
        weights: ``pretrained`` or ``self-trained``.
        notice: Plain sentences a person should read, or empty.
        device: ``cpu`` or ``cuda``.
        seconds: Wall time of the whole run.
        images_per_second: Of the training steps.
        n_train: Images learnt from.
        class_balance: Training regions per class.
        trained_on: Items learnt from.
        steps: Steps taken.
        batch: Images in a step at the end.
        halved: Batches that did not fit into memory and were halved.
        seconds_to_best: Of the steps, until the weights that were kept.
        size: Longer side of the images as the network saw them, pixels.
        way_up: What was found about learning images turned: `core.learning.upright.WayUp`.
        right: Judged items wholly right at `threshold`, and how many were judged.
        threshold: Score from which a region is proposed to people.
        skipped: Items whose image could not be read, with the reason.
    """

    status: str
    backbone: str
    eval: BoxScore
    per_class: tuple[ClassScore, ...] = ()
    detector: str = ""
    weights: str = ""
    weights_hash: str = ""
    notice: str = ""
    device: str = ""
    seconds: float = 0.0
    images_per_second: float | None = None
    n_train: int = 0
    class_balance: Mapping[str, int] = field(default_factory=dict)
    trained_on: tuple[int, ...] = ()
    steps: int = 0
    batch: int = 0
    halved: tuple[int, ...] = ()
    mode: str = "fine-tune"
    seconds_to_best: float = 0.0
    size: int = 0
    way_up: Mapping[str, object] = field(default_factory=dict)
    threshold: float = 0.5
    right: tuple[int, int] = (0, 0)
    skipped: Mapping[int, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return the report as JSON-ready values."""
        doc = asdict(self)
        doc["skipped"] = {str(i): reason for i, reason in self.skipped.items()}
        return doc


@dataclass(frozen=True, slots=True)
class RegionPredictions:
    """What a detector says of some items.

    Attributes:
        regions: Item to its regions, surest first, each with its confidence; in original pixels.
        threshold: Confidence from which a region is proposed to people.
        skipped: Items whose image could not be read, with the reason.
    """

    regions: Mapping[int, tuple[Region, ...]]
    threshold: float
    skipped: Mapping[int, str] = field(default_factory=dict)

    def proposed(self, item_id: int) -> tuple[Region, ...]:
        """Return an item's regions that are sure enough to be proposed."""
        return tuple(r for r in self.regions[item_id] if (r.confidence or 0.0) >= self.threshold)
