"""Labels to model: embed everything once, fit the probe, judge it, keep it. Free of torch until called."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import EmptyTrainingSet, TrainingError
from core.learning import evaluate
from core.learning.model_store import save_model
from core.learning.preprocess import PREPROCESSING
from core.learning.probe import Fitted, fit_probe
from core.learning.probe_multi import fit_several
from core.learning.values import (
    Evaluation,
    Example,
    ImageRef,
    OnProgress,
    Predictions,
    Progress,
    ShouldStop,
    StopRequested,
    TrainingReport,
    TrainingRequest,
    never_stop,
    no_progress,
)

if TYPE_CHECKING:
    from core.learning.backbones import Backbone
    from core.learning.embed import Embedded
    from core.learning.group import Group

MODES = ("probe", "fine-tune", "student")
"""A linear model on frozen vectors; the whole network; rounds of Noisy Student."""


def train(
    request: TrainingRequest,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> TrainingReport:
    """Train a model and leave it in the request's folder.

    Only examples for training are learnt from; those for certifying and evaluating, and items
    held out, are left out even of the unlabelled help. When ``should_stop`` says so the report's
    status is ``cancelled`` and there is no model; what was embedded stays in the cache.

    Raises:
        EmptyTrainingSet: Fewer than two classes have a training label on a readable image.
        BadCheckpoint: The backbone's weights file cannot be used.
        TrainingError: The fit diverged, memory ran out, or the mode is unknown.
        DiskFull: Something could not be written.
    """
    started = time.monotonic()
    nothing = Evaluation("none", 0, None, None, None)
    if os.environ.get("RANK", "0") != "0":
        # The probe is one process's work; the others torchrun started must not write.
        return TrainingReport("helper", request.backbone, nothing)
    _check(request)
    try:
        if request.mode == "probe":
            report = _Run(request, progress, should_stop).report(started)
        else:
            report = _tuned(request, progress, should_stop, started)
    except StopRequested:
        report = TrainingReport("cancelled", request.backbone, nothing)
    return replace(report, seconds=time.monotonic() - started)


def help_training() -> None:
    """Take part in the runs another process leads, until it has no more."""
    from core.learning.group import open_group

    group = open_group()
    while (request := group.told(None)) is not None:
        with suppress(StopRequested):
            _learn_together(request, group, no_progress, never_stop, 0.0)
    group.close()


def dismiss_helpers() -> bool:
    """Tell the other processes of the group, where there are any, that there is no more to do.

    Returns:
        Whether they could be told. Where a run broke off in the middle nobody listens: leaving
        ends those that still live, and who hangs has to be ended.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return True
    from core.learning.group import open_group

    group = open_group()
    listening = not group.at_work
    if listening:
        group.told(None)
    group.close()
    return listening


def _tuned(
    request: TrainingRequest, progress: OnProgress, should_stop: ShouldStop, started: float
) -> TrainingReport:
    from core.learning.group import open_group

    group = open_group()
    return _learn_together(group.told(request), group, progress, should_stop, started)


def _learn_together(
    request: TrainingRequest,
    group: Group,
    progress: OnProgress,
    should_stop: ShouldStop,
    started: float,
) -> TrainingReport:
    from core.learning.tune.run import TunedRun

    group.at_work = True
    # The leader finds or makes the network first; the others then have it from the cache.
    run = _Run(request, progress, should_stop)
    images = _all_images(request)
    backbone = run.backbone(images) if group.leads else None
    group.told(None)
    if backbone is None:
        backbone = run.backbone(images)
    report = TunedRun(request, backbone, group, progress, should_stop).report(started)
    group.at_work = False
    return report


def _check(request: TrainingRequest) -> None:
    if request.mode not in MODES:
        raise TrainingError(
            f"Unknown training mode '{request.mode}'.", f"Use one of {', '.join(MODES)}."
        )
    said = {c for e in request.examples for c in (e.labels if request.several else (e.label,))}
    unknown = sorted(said - set(request.classes))
    if unknown:
        raise TrainingError(
            f"Labels outside the schema: {', '.join(unknown[:5])}.", "Resolve the labels again."
        )
    used = {e.label for e in request.examples if e.use == "train"}
    if request.several:
        used = {c for e in request.examples if e.use == "train" for c in e.labels}
    if len(used) < (1 if request.several else 2):
        found = f"only '{used.pop()}' has" if used else "none has"
        raise EmptyTrainingSet(
            f"At least 2 classes need training labels, {found} any.",
            "Label some items of another class and start again.",
        )


@dataclass(slots=True)
class _Run:
    request: TrainingRequest
    progress: OnProgress
    should_stop: ShouldStop

    def report(self, started: float) -> TrainingReport:
        """Do the run, write its folder and return its report."""
        images = _all_images(self.request)
        row_of = {image.item_id: i for i, image in enumerate(images)}
        backbone, embedded = self._embed(images)
        usable = {i.item_id for i, ok in zip(images, embedded.usable, strict=True) if ok}
        learnt, judged = self._split(usable)
        fitted = self._fit(learnt, embedded, row_of, usable)
        predictions = self._predict(images, embedded, fitted, learnt, row_of)
        judge = self._judged_sets if self.request.several else self._judged
        report = judge(fitted, predictions, learnt, judged)
        report = replace(
            report,
            weights=backbone.source,
            weights_hash=backbone.weights_hash,
            notice=backbone.notice,
            device=embedded.device,
            images_per_second=embedded.images_per_second,
            skipped=embedded.skipped,
            seconds=time.monotonic() - started,
        )
        self._save(backbone, embedded, fitted, predictions, report)
        return report

    def _embed(self, images: Sequence[ImageRef]) -> tuple[Backbone, Embedded]:
        from core.learning.embed import embed

        self.progress(Progress("weights", 0, 1))
        backbone = self.backbone(images)
        self.progress(Progress("weights", 1, 1))
        return backbone, embed(
            images, backbone, self.request.cache, self.progress, self.should_stop
        )

    def backbone(self, images: Sequence[ImageRef]) -> Backbone:
        """Return the network to begin with: published weights, a file's, or one of our own."""
        from core.learning.backbones import pretrained
        from core.learning.selftrained import self_trained

        request = self.request
        found = pretrained(request.backbone, request.offline, request.weights)
        if found is not None:
            return found
        excluded = _excluded(request)
        allowed = [i for i in images if i.item_id not in excluded]
        return self_trained(
            allowed,
            request.cache,
            request.seed,
            self.progress,
            self.should_stop,
            request.self_training_seconds,
        )

    def _split(self, usable: set[int]) -> tuple[list[Example], list[Example]]:
        """Return the readable examples to learn from and those to judge by, in order of item."""
        known = sorted(
            (e for e in self.request.examples if e.image.item_id in usable),
            key=lambda e: e.image.item_id,
        )
        barred = _excluded(self.request)
        learnt = [e for e in known if e.use == "train" and e.image.item_id not in barred]
        return learnt, [e for e in known if e.use == "evaluate"]

    def _fit(
        self, learnt: list[Example], embedded: Embedded, row_of: dict[int, int], usable: set[int]
    ) -> Fitted:
        self.progress(Progress("fit", 0, 1))
        barred = _excluded(self.request) | {e.image.item_id for e in learnt}
        free = sorted(row_of[i] for i in usable - barred)
        vectors = embedded.vectors[[row_of[e.image.item_id] for e in learnt]]
        pool, request = embedded.vectors[free], self.request
        if request.several:
            fitted = fit_several(vectors, self._sets(learnt), pool, request.seed, self._go_on)
        else:
            k = len(request.classes)
            fitted = fit_probe(vectors, self._codes(learnt), pool, k, request.seed, self._go_on)
        self.progress(Progress("fit", 1, 1, 0.0, {"temperature": fitted.head.temperature}))
        return fitted

    def _predict(
        self,
        images: Sequence[ImageRef],
        embedded: Embedded,
        fitted: Fitted,
        learnt: list[Example],
        row_of: dict[int, int],
    ) -> Predictions:
        """Predict every readable item; training items by the fits that had not seen their label."""
        self._go_on()
        table = fitted.head.probabilities(embedded.vectors)
        if len(fitted.out_of_fold):
            rows = [row_of[e.image.item_id] for e in learnt]
            table[rows] = fitted.out_of_fold.mean(0)
        ids = np.array([i.item_id for i in images], dtype=np.int64)
        self.progress(Progress("predict", len(ids), len(ids), 0.0))
        return Predictions(
            ids[embedded.usable], table[embedded.usable], self.request.classes, embedded.skipped,
            self.request.several, fitted.head.thresholds,
        )  # fmt: skip

    def _judged(
        self, fitted: Fitted, predictions: Predictions, learnt: list[Example], judged: list[Example]
    ) -> TrainingReport:
        self.progress(Progress("evaluate", 0, 1))
        classes = self.request.classes
        if len(judged) >= evaluate.ENOUGH_TO_EVALUATE:
            where = np.searchsorted(predictions.item_ids, [e.image.item_id for e in judged])
            guess = predictions.probabilities[where].argmax(1)
            true, on = self._codes(judged), self.request.judged_on
            right = int((guess == true).sum())
        elif len(fitted.out_of_fold):
            true, on = self._codes(learnt), "cross-validated"
            guess = fitted.out_of_fold.mean(0).argmax(1)
            # Averaging the repeats would flatter; count the mean of their accuracies.
            right = round(float((fitted.out_of_fold.argmax(2) == true).mean()) * len(true))
        else:
            true = guess = np.zeros(0, dtype=int)
            on, right = "none", 0
        table = evaluate.confusion_matrix(true, guess, len(classes))
        counts = Counter(e.label for e in learnt)
        return TrainingReport(
            "done",
            self.request.backbone,
            evaluate.overall(on, right, len(true)),
            evaluate.per_class(table, classes),
            tuple(tuple(row) for row in table.tolist()),
            n_train=len(learnt),
            class_balance={c: counts[c] for c in classes},
            temperature=fitted.head.temperature,
        )

    def _judged_sets(
        self, fitted: Fitted, predictions: Predictions, learnt: list[Example], judged: list[Example]
    ) -> TrainingReport:
        self.progress(Progress("evaluate", 0, 1))
        classes, thresholds = self.request.classes, fitted.head.thresholds
        truth, table = np.zeros((0, len(classes))), np.zeros((0, len(classes)))
        answered, on = truth > 0, "none"
        if len(judged) >= evaluate.ENOUGH_TO_EVALUATE:
            where = np.searchsorted(predictions.item_ids, [e.image.item_id for e in judged])
            truth, table = self._sets(judged), predictions.probabilities[where]
            answered, on = table > np.array(thresholds), self.request.judged_on
        elif fitted.answered is not None and len(fitted.answered):
            truth, table = self._sets(learnt), fitted.out_of_fold[0]
            answered, on = fitted.answered, "cross-validated"
        true = truth > 0
        counts = Counter(c for e in learnt for c in e.labels)
        return TrainingReport(
            "done",
            self.request.backbone,
            evaluate.overall(on, int((true == answered).all(1).sum()), len(true)),
            evaluate.set_rows(true, answered, classes),
            n_train=len(learnt),
            class_balance={c: counts[c] for c in classes},
            sets=evaluate.set_scores(true, table, answered, classes, thresholds),
        )

    def _save(
        self,
        backbone: Backbone,
        embedded: Embedded,
        fitted: Fitted,
        predictions: Predictions,
        report: TrainingReport,
    ) -> None:
        from core.learning.embed import cache_key
        from core.learning.selftrained import own_weights

        self._go_on()
        request = self.request
        config = {
            "classes": list(request.classes),
            "backbone": request.backbone,
            "weights": backbone.source,
            "weights_hash": backbone.weights_hash,
            "weights_file": str(request.weights or ""),
            "cache_key": cache_key(backbone),
            "preprocessing": PREPROCESSING,
            "width": embedded.vectors.shape[1],
            "mode": request.mode,
            "seed": request.seed,
            "penalty": fitted.penalty,
            "pool_weight": fitted.pool_weight,
        }
        self.progress(Progress("save", 0, 1))
        save_model(request.folder, config, fitted.head, own_weights(backbone), predictions, report)
        self.progress(Progress("save", 1, 1, 0.0))

    def _codes(self, examples: list[Example]) -> np.ndarray:
        number = {c: i for i, c in enumerate(self.request.classes)}
        return np.array([number[e.label] for e in examples], dtype=int)

    def _sets(self, examples: list[Example]) -> np.ndarray:
        number = {c: i for i, c in enumerate(self.request.classes)}
        out = np.zeros((len(examples), len(number)), dtype=np.float32)
        for row, example in enumerate(examples):
            out[row, [number[c] for c in example.labels]] = 1.0
        return out

    def _go_on(self) -> None:
        if self.should_stop():
            raise StopRequested


def _all_images(request: TrainingRequest) -> list[ImageRef]:
    """Return every image once, in order of item, so that the order given changes nothing."""
    by_id = {i.item_id: i for i in request.pool} | {
        e.image.item_id: e.image for e in request.examples
    }
    return [by_id[i] for i in sorted(by_id)]


def _excluded(request: TrainingRequest) -> set[int]:
    """Return the items that may not be learnt from in any way."""
    return set(request.held_out) | {e.image.item_id for e in request.examples if e.use != "train"}
