"""From a request to a model kept: what is learnt from, the plan, the loop, and Noisy Student rounds.

Predictions leave out what was learnt from: the network has seen those labels.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from core.learning.backbones import TUNED, Backbone, device_at_hand, unwatched
from core.learning.embed import embed
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.preprocess import quiet_decoding
from core.learning.probe import Head
from core.learning.progress_file import device_facts
from core.learning.recipes import NAMED
from core.learning.tune import keep
from core.learning.tune.loop import TrainLoop
from core.learning.tune.material import lesson_of, rows_of
from core.learning.tune.plan import about, followed, keep_plan, read_plan
from core.learning.tune.report import judged_report, notice_of, precision_of
from core.learning.tune.search import Trial, search_settings
from core.learning.tune.student import ROUNDS, taught
from core.learning.tune.values import Lesson, Standing, Tuned, TuneSettings
from core.learning.values import (
    Evaluation,
    ImageRef,
    OnProgress,
    Predictions,
    Progress,
    ShouldStop,
    StopRequested,
    TrainingReport,
    TrainingRequest,
)

_SIZES = {"cpu": 128, "cuda": 224}
_BATCHES = {"cpu": 32, "cuda": 128}
_MARGIN = 8 / 7


@dataclass(slots=True)
class TunedRun:
    """One run of fine-tuning; every process of the group makes one.

    Attributes:
        backbone: The network to begin with.
        group: The processes that share the run.
    """

    request: TrainingRequest
    backbone: Backbone
    group: Group
    progress: OnProgress
    should_stop: ShouldStop
    trials: tuple[Trial, ...] = ()
    rounds: list[Mapping[str, object]] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return where checkpoints and figures go."""
        return self.request.folder / "run"

    def report(self, started: float) -> TrainingReport:
        """Learn together; then the leader judges, predicts and keeps the model.

        Raises:
            EmptyTrainingSet: Fewer than two classes have a label on a readable image.
            InputError: What is to be resumed was another run.
            TrainingError: The run diverged at once, or the device went away.
        """
        with quiet_decoding():
            device = self.group.device(device_at_hand())
            settings = self._settings(device)
            images, known = rows_of(self.request)
            pixels = Pixels(images, int(settings.size * _MARGIN))
            try:
                readable = self._readable(images, sorted(known), pixels)
                lesson = lesson_of(self.request, images, {row: known[row] for row in readable})
                tuned, settings = self._learn(images, lesson, pixels, settings, device)
            finally:
                pixels.close()
            if not self.group.leads:
                nothing = Evaluation("none", 0, None, None, None)
                return TrainingReport("helper", self.request.backbone, nothing)
            return self._kept(images, lesson, tuned, settings, device, started)

    def _settings(self, device: torch.device) -> TuneSettings:
        request = self.request
        recipe = request.recipe
        if request.mode == "student" and not (recipe.mixup or recipe.cutmix or recipe.cutout):
            # a student learns under noise
            recipe = replace(NAMED["strong"], balance=recipe.balance)
        budget = request.budget_seconds
        if request.mode == "student":
            budget *= 0.5
        size = request.size or _fitting_size(self.backbone, _SIZES[device.type])
        return TuneSettings(
            size=size, batch=_BATCHES[device.type], recipe=recipe, seed=request.seed,
            seconds=budget, cache=request.cache,
        )  # fmt: skip

    def _readable(
        self, images: Sequence[ImageRef], rows: Sequence[int], pixels: Pixels
    ) -> list[int]:
        """Return the rows whose image can be read; note why the others cannot."""
        bad = pixels.unreadable(rows)
        self.skipped |= {images[row].item_id: reason for row, reason in bad.items()}
        return [row for row in rows if row not in bad]

    def _learn(
        self,
        images: Sequence[ImageRef],
        lesson: Lesson,
        pixels: Pixels,
        settings: TuneSettings,
        device: torch.device,
    ) -> tuple[Tuned, TuneSettings]:
        settings = self._planned(lesson, pixels, settings, device)
        loop = self._loop(replace(self.backbone), pixels, lesson, settings, device, "")
        tuned = loop.run(self.request.resume)
        if self.request.mode != "student":
            return tuned, settings
        labelled = set(lesson.learnt.tolist()) | set(lesson.judged.tolist())
        others = [r for r in range(len(images)) if r not in labelled]
        free = np.array(self._readable(images, others, pixels), dtype=int)
        for number in range(1, ROUNDS + 1):
            tuned = self._student(number, loop, tuned, lesson, free, pixels, settings, device)
        return tuned, settings

    def _planned(
        self, lesson: Lesson, pixels: Pixels, settings: TuneSettings, device: torch.device
    ) -> TuneSettings:
        """Return the settings to learn with: those of the run resumed, or found by a search.

        Raises:
            InputError: What is to be resumed had other labels, another network or recipe.
        """
        now = about(self.request, self.backbone.weights_hash, lesson, settings)
        mine = self.group.leads and self.request.resume
        plan = self.group.told(read_plan(self.folder, now) if mine else None)
        if plan is not None:
            settings, self.trials = followed(plan, settings)
            return settings
        found = search_settings(
            self.backbone, pixels, lesson, settings, self.request.search_seconds, self.group,
            device, self.progress, self.should_stop,
        )  # fmt: skip
        settings, self.trials = self.group.told((found.settings, found.trials))
        if self.group.leads:
            keep_plan(self.folder, now, settings, self.trials)
        return settings

    def _student(
        self,
        number: int,
        loop: TrainLoop,
        tuned: Tuned,
        lesson: Lesson,
        free: np.ndarray,
        pixels: Pixels,
        settings: TuneSettings,
        device: torch.device,
    ) -> Tuned:
        """Teach a student; return it where it is better than its teacher, else the teacher."""
        loop.model.show(tuned)
        scores = loop.judge.scores(free).numpy()
        passed = taught(lesson, free, keep.head_of(tuned, lesson).of_scores(scores))
        if not len(passed.taken):
            self.rounds.append({"round": number, "taken": 0, "kept": False})
            return tuned
        shorter = replace(settings, seconds=settings.seconds / 2, rate=settings.rate / 2)
        network = replace(self.backbone, network=unwatched(loop.model.eyes.network))
        start = loop.model.head_now()
        student = self._loop(
            network, pixels, passed.lesson, shorter, device, f"round-{number}", start
        ).run(self.request.resume)
        better = _score(student.standing) >= _score(tuned.standing)
        self.rounds.append(
            {
                "round": number,
                "taken": len(passed.taken),
                "accuracy": _score(student.standing)[0],
                "kept": better,
            }
        )
        return student if better else tuned

    def _loop(
        self,
        backbone: Backbone,
        pixels: Pixels,
        lesson: Lesson,
        settings: TuneSettings,
        device: torch.device,
        part: str,
        head: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> TrainLoop:
        return TrainLoop(
            backbone, pixels, lesson, settings, self.group, device, self.folder / part,
            self.progress, self.should_stop, head,
        )  # fmt: skip

    def _kept(
        self,
        images: Sequence[ImageRef],
        lesson: Lesson,
        tuned: Tuned,
        settings: TuneSettings,
        device: torch.device,
        started: float,
    ) -> TrainingReport:
        request = self.request
        head = keep.head_of(tuned, lesson)
        notice = notice_of(tuned.standing, lesson, self.backbone.notice)
        backbone = keep.tuned_backbone(self.backbone, tuned, settings.size)
        predictions = self._predictions(backbone, head, {images[r].item_id for r in lesson.learnt})
        held = {images[row].item_id for row in lesson.judged}
        standing = tuned.standing
        report = replace(
            judged_report(request, predictions, held, lesson, head.temperature),
            weights=TUNED,
            weights_hash=backbone.weights_hash,
            notice=notice,
            device=device.type,
            seconds=time.monotonic() - started,
            images_per_second=tuned.images_per_second,
            skipped=predictions.skipped,
            mode=request.mode,
            task=request.task,
            processes=self.group.world,
            device_facts=device_facts(str(device)),
            batch=standing.at_once * self.group.world,
            halved=tuple(standing.halved),
            stopped=standing.stopped,
            seconds_to_best=round(standing.seconds_to_best, 2),
            steps=standing.step,
            precision=precision_of(standing),
            search=tuple(t.to_dict() for t in self.trials),
            rounds=tuple(self.rounds),
        )
        if self.should_stop():
            raise StopRequested
        self.progress(Progress("save", 0, 1))
        keep.keep_model(request, backbone, head, settings, predictions, report)
        keep.drop_checkpoints(self.folder)
        self.progress(Progress("save", 1, 1, 0.0))
        return report

    def _predictions(self, backbone: Backbone, head: Head, learnt: set[int]) -> Predictions:
        """Return what the network says of every image it has not learnt from."""
        request = self.request
        pool = {i.item_id: i for i in request.pool} | {
            e.image.item_id: e.image for e in request.examples
        }
        wanted = [pool[i] for i in sorted(pool) if i not in learnt]
        embedded = embed(wanted, backbone, request.cache, self.progress, self.should_stop)
        ids = np.array([i.item_id for i in wanted], dtype=np.int64)[embedded.usable]
        table = head.probabilities(embedded.vectors[embedded.usable])
        skipped = {**self.skipped, **embedded.skipped}
        return Predictions(ids, table, request.classes, skipped, request.several)


def _score(standing: Standing) -> tuple[float, float]:
    return standing.score or (0.0, float("-inf"))


def _fitting_size(backbone: Backbone, size: int) -> int:
    """Return the size where the network takes it, else its own."""
    wanted = min(size, backbone.size)
    try:
        with torch.inference_mode():
            backbone.network.eval()(torch.zeros(1, 3, wanted, wanted))
    except (RuntimeError, AssertionError, ValueError):
        return backbone.size  # a transformer has a place for each patch
    return wanted
