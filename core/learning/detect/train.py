"""One training of a detector from images with regions to a judged model in its folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from core.errors import EmptyTrainingSet, TrainingError
from core.labels.region import Region, Shape
from core.learning.backbones import device_at_hand
from core.learning.checkpoints import read_weights, sha256_of
from core.learning.detect.data import Picture, Variation, chosen_size, read_pictures
from core.learning.detect.folder import load_partly, save_detector
from core.learning.detect.judge import best_threshold, items_right, judge
from core.learning.detect.models import QUICK, Detector, Plan, built, planned
from core.learning.detect.predict import find_regions
from core.learning.detect.teach import Lesson, Taught, teach
from core.learning.detect.trunks import Trunk, found_trunk
from core.learning.detect.upright import box_way_up
from core.learning.detect.values import BoxScore, DetectReport, DetectRequest
from core.learning.upright import WayUp
from core.learning.values import (
    ImageRef,
    OnProgress,
    Progress,
    RegionExample,
    ShouldStop,
    StopRequested,
    never_stop,
    no_progress,
)

_QUICK_BATCH, _BATCH, _GPU_BATCH = 8, 4, 16
_MEMORY_BYTES = 2_000_000_000
"""Pixels held while teaching; images beyond that are left out, and it is said."""
_QUICK_SECONDS, _SECONDS = 198.0, 540.0
"""How long steps usually take on two cores."""
_LEAST_ASKED = 16
_LEAST_THINGS, _MOST_THINGS = 10, 100
_BALANCE = 0.5
"""Power of the commonest class's count over another's by which that one counts more."""


def train_detector(
    request: DetectRequest,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> DetectReport:
    """Train, judge and save a detector; the report says how good it is.

    Raises:
        EmptyTrainingSet: No image with a region may be learnt from.
        InputError: There is no such detector, or it cannot say such shapes.
        BadCheckpoint: Weights are damaged or for another network; a checkpoint is of another run.
        TrainingError: It diverged, or the device went away.
        DiskFull: The model or a checkpoint could not be written.
    """
    started = time.monotonic()
    try:
        report = _Run(request, progress, should_stop).report()
    except StopRequested:
        nothing = BoxScore("none", 0, None, None, None, None)
        report = DetectReport("cancelled", request.detector, nothing)
    return replace(report, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    request: DetectRequest
    progress: OnProgress
    should_stop: ShouldStop

    def report(self) -> DetectReport:
        """Do the run, write its folder and return its report."""
        request = self.request
        plan = planned(request.detector, request.shape)
        learnt, judged = self._split()
        size = request.size or chosen_size([e.regions for e in learnt], [e.image for e in learnt])
        read = read_pictures(
            [e.image for e in learnt],
            [e.regions for e in learnt],
            request.classes,
            request.shape,
            size,
        )
        pictures, notices = self._within_memory(read.pictures, size)
        if not any(len(p.target.boxes) for p in pictures):
            raise EmptyTrainingSet(
                f"None of {len(learnt)} images to learn from could be read and has a region.",
                "Label regions in some images, then start again.",
            )
        typical = typical_sides(pictures)
        trunk = self._trunk(plan, learnt)
        detector, weights_hash = self._detector(plan, trunk, typical, size, pictures)
        pretrained = bool(weights_hash) if trunk is None else trunk.source == "pretrained"
        variation, found = self._variation(pictures, trunk)
        taught = teach(
            detector, pictures, self._lesson(plan, pretrained, size, variation, learnt), self.progress,
            self.should_stop,
        )  # fmt: skip
        asked = self._asked([e.image for e in judged])
        said, skipped = find_regions(
            detector, asked, request.classes, request.shape, size,
            variation.any_way_up, self.progress, self.should_stop,
        )  # fmt: skip
        report = self._judged({e.image.item_id: e.regions for e in judged}, said)
        counts = Counter(r.label for e in learnt for r in e.regions)
        notices += [trunk.notice if trunk else "", taught.notice, found.why]
        report = replace(
            _with_steps(report, taught),
            detector=plan.full,
            weights=trunk.source if trunk else ("pretrained" if weights_hash else "none"),
            weights_hash=trunk.weights_hash if trunk else weights_hash,
            notice=" ".join(n for n in notices if n),
            device=next(detector.network.parameters()).device.type,
            n_train=len(pictures),
            class_balance={c: counts[c] for c in request.classes},
            trained_on=tuple(sorted(p.item_id for p in pictures)),
            size=size,
            way_up=asdict(found),
            skipped={**read.skipped, **skipped},
        )
        self._save(plan, detector, typical, most_things(pictures), variation, said, report)
        return report

    def _split(self) -> tuple[list[RegionExample], list[RegionExample]]:
        """Return what to learn from and what to judge by, in order of item."""
        request = self.request
        known = sorted(request.examples, key=lambda e: e.image.item_id)
        unknown = sorted({r.label for e in known for r in e.regions} - set(request.classes))
        if unknown:
            raise TrainingError(
                f"Labels outside the schema: {', '.join(unknown[:5])}.", "Resolve the labels again."
            )
        free = [e for e in known if e.use == "train" and e.image.item_id not in request.held_out]
        return free, [e for e in known if e.use == "evaluate"]

    def _asked(self, judged: list[ImageRef]) -> list[ImageRef]:
        """Return the images to ask of: those judged, and some more where they are few.

        What was found in them is held against what serving finds before a model is put in force.
        """
        known = {i.item_id for i in judged}
        more = sorted(
            (i for i in self.request.pool if i.item_id not in known), key=lambda i: i.item_id
        )
        return judged + more[: max(0, _LEAST_ASKED - len(judged))]

    def _within_memory(
        self, pictures: Sequence[Picture], size: int
    ) -> tuple[list[Picture], list[str]]:
        most = max(1, _MEMORY_BYTES // (3 * size * size))
        if len(pictures) <= most:
            return list(pictures), []
        order = np.random.default_rng(self.request.seed).permutation(len(pictures))[:most]
        said = f"{most} of {len(pictures)} images fit into memory and were learnt from."
        return [pictures[i] for i in sorted(order.tolist())], [said]

    def _trunk(self, plan: Plan, learnt: Sequence[RegionExample]) -> Trunk | None:
        if plan.family == "torchvision":
            return None
        request = self.request
        barred = request.held_out | {
            e.image.item_id for e in request.examples if e.use != "train"
        } - {e.image.item_id for e in learnt}
        self.progress(Progress("weights", 0, 1))
        trunk = found_trunk(
            plan.name,
            [i for i in request.pool if i.item_id not in barred],
            request.cache,
            request.seed,
            self.progress,
            self.should_stop,
            request.offline,
            request.weights,
            request.self_training_seconds,
        )
        self.progress(Progress("weights", 1, 1))
        return trunk

    def _detector(
        self,
        plan: Plan,
        trunk: Trunk | None,
        typical: Sequence[float],
        size: int,
        pictures: Sequence[Picture],
    ) -> tuple[Detector, str]:
        """Return the detector on the device, and the hash of a whole detector's weights."""
        request = self.request
        counts = np.zeros(len(request.classes))
        for picture in pictures:
            np.add.at(counts, picture.target.kinds.numpy(), 1)
        share = (counts.max() / np.maximum(counts, 1)) ** _BALANCE
        weights = torch.tensor(np.where(counts > 0, share, 1.0), dtype=torch.float32)
        plan = plan if trunk is None else Plan(plan.family, trunk.name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(request.seed)
            detector = built(
                plan, len(request.classes), trunk, typical, size, request.keypoints, weights,
                most_things(pictures),
            )  # fmt: skip
        digest = ""
        if trunk is None:
            from core.learning.detect.published import published_weights

            path = request.weights or published_weights(plan.name, request.offline)
            if path is not None:
                load_partly(detector.network, read_weights(path), path.name)
                digest = sha256_of(path)
        detector.network.to(device_at_hand())
        return detector, digest

    def _variation(
        self, pictures: Sequence[Picture], trunk: Trunk | None
    ) -> tuple[Variation, WayUp]:
        """Return how images may be varied, and what was found about it in the images themselves."""
        asked = self.request.any_way_up
        if self.request.shape is Shape.KEYPOINTS:  # left and right of a skeleton are its own
            return Variation(mirror=False), WayUp(False, 0, 0)
        if asked is not None or trunk is None:
            return Variation(any_way_up=bool(asked)), WayUp(bool(asked), 0, 0)
        found = box_way_up(pictures, trunk.stages, self.request.classes, self.request.seed)
        return Variation(any_way_up=found.free), found

    def _lesson(
        self,
        plan: Plan,
        pretrained: bool,
        size: int,
        variation: Variation,
        learnt: Sequence[RegionExample],
    ) -> Lesson:
        request = self.request
        batch = _QUICK_BATCH if plan.family == QUICK else _BATCH
        if device_at_hand().type == "cuda":
            batch = _GPU_BATCH
        seconds = request.budget_seconds
        if seconds is None:
            seconds = _QUICK_SECONDS if plan.family == QUICK else _SECONDS
        said = [request.classes, plan.full, request.seed, size, request.steps, seconds]
        said += [sorted(e.image.content_hash for e in learnt)]
        mark = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        return Lesson(
            pretrained, seconds, request.steps, batch, variation, request.seed,
            request.folder / "run", request.resume, mark, request.clock,
        )  # fmt: skip

    def _judged(
        self,
        truth: Mapping[int, tuple[Region, ...]],
        said: Mapping[int, tuple[Region, ...]],
    ) -> DetectReport:
        self.progress(Progress("evaluate", 0, 1))
        request = self.request
        judged = judge(truth, said, request.classes, request.shape, request.judged_on, request.seed)
        threshold, right = 0.5, (0, 0)
        items = sorted(truth.keys() & said.keys())
        if judged.eval.n:  # chosen on one half, counted on the other
            one, other = (
                {i: truth[i] for n, i in enumerate(items) if n % 2 == half} for half in (0, 1)
            )
            threshold = best_threshold(one, said)
            right = items_right(other, said, threshold)
        self.progress(Progress("evaluate", 1, 1, 0.0))
        return DetectReport(
            "done", request.detector, judged.eval, judged.per_class,
            threshold=threshold, right=right,
        )  # fmt: skip

    def _save(
        self,
        plan: Plan,
        detector: Detector,
        typical: Sequence[float],
        most: int,
        variation: Variation,
        said: Mapping[int, tuple[Region, ...]],
        report: DetectReport,
    ) -> None:
        if self.should_stop():
            raise StopRequested
        name = plan.name
        if report.weights == "self-trained":
            from core.learning.selftrained import NAME

            name = NAME
        config = {
            "family": plan.family,
            "name": name,
            "classes": list(self.request.classes),
            "shape": self.request.shape.value,
            "keypoints": self.request.keypoints,
            "size": report.size,
            "typical_px": list(typical),
            "most": most,
            "any_way_up": variation.any_way_up,
            "threshold": report.threshold,
            "seed": self.request.seed,
            "weights": report.weights,
            "weights_hash": report.weights_hash,
        }
        self.progress(Progress("save", 0, 1))
        save_detector(self.request.folder, config, detector, said, report)
        self.progress(Progress("save", 1, 1, 0.0))


def most_things(pictures: Sequence[Picture]) -> int:
    """Return how many things an image may be found to hold: three times the most it held so far."""
    held = max(len(p.target.boxes) for p in pictures)
    return min(_MOST_THINGS, max(_LEAST_THINGS, 3 * held))


def typical_sides(pictures: Sequence[Picture]) -> list[float]:
    """Return a typical side of small, middling and large boxes, pixels of the scaled images.

    Classes count alike, however many boxes each has: rare ones have sizes too.
    """
    sides = [(p.target.boxes[:, 2:] - p.target.boxes[:, :2]).prod(1).sqrt() for p in pictures]
    side = torch.cat(sides).numpy()
    kinds = torch.cat([p.target.kinds for p in pictures]).numpy()
    weight = 1.0 / np.bincount(kinds)[kinds]
    order = np.argsort(side, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    at = [
        side[order][min(len(side) - 1, int(np.searchsorted(share, q)))]
        for q in (1 / 6, 1 / 2, 5 / 6)
    ]
    return [float(max(4.0, a)) for a in at]


def _with_steps(report: DetectReport, taught: Taught) -> DetectReport:
    return replace(
        report,
        steps=taught.steps,
        batch=taught.batch,
        halved=tuple(taught.halved),
        seconds_to_best=taught.seconds_to_best,
        images_per_second=taught.images_per_second,
    )
