"""Labels to a fine-tuned model: what is learnt from, the loop, Noisy Student rounds, and the model kept.

What is kept is the network and one linear layer on its unit vectors, so that serving embeds and
multiplies as for a probe. Images kept for certifying and evaluating take no part, not even
unlabelled. Predictions leave out what was learnt from: the network has seen those labels.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as serialize
from torch import Tensor

from core.errors import BadCheckpoint, EmptyTrainingSet, InputError
from core.learning import evaluate
from core.learning.backbones import TUNED, Backbone, device_at_hand, unwatched
from core.learning.embed import cache_key, embed
from core.learning.files import write_durably
from core.learning.group import Group
from core.learning.model_store import save_model
from core.learning.pixels import Pixels
from core.learning.preprocess import PREPROCESSING, quiet_decoding
from core.learning.probe import Head, temperature_of
from core.learning.progress_file import device_facts
from core.learning.recipes import NAMED, recipe_from
from core.learning.selftrained import own_weights
from core.learning.states import drop_states
from core.learning.tune.loop import TrainLoop
from core.learning.tune.search import Trial, search_settings
from core.learning.tune.student import ROUNDS, taught
from core.learning.tune.values import Lesson, Standing, Tuned, TuneSettings
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
)

HELD_SHARE = 0.15
"""Share of the training labels kept from the loop, to choose the best state and the temperature by."""
_HOLD_FROM = 20
_SIZES = {"cpu": 128, "cuda": 224}
_BATCHES = {"cpu": 32, "cuda": 128}
_MARGIN = 8 / 7
_PLAN = "plan.json"


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
            images, known = self._rows()
            pixels = Pixels(images, int(settings.size * _MARGIN))
            try:
                known = self._readable(images, known, pixels)
                lesson = self._lesson(images, known)
                tuned, settings = self._learn(images, lesson, pixels, settings, device)
            finally:
                pixels.close()
            if not self.group.leads:
                nothing = Evaluation("none", 0, None, None, None)
                return TrainingReport("helper", self.request.backbone, nothing)
            return self._kept(images, lesson, tuned, settings, device, started)

    # --- what is learnt -------------------------------------------------------------------

    def _settings(self, device: torch.device) -> TuneSettings:
        request = self.request
        recipe = request.recipe
        if request.mode == "student" and not (recipe.mixup or recipe.cutmix or recipe.cutout):
            recipe = replace(
                NAMED["strong"], balance=recipe.balance
            )  # a student learns under noise
        budget = request.budget_seconds
        if request.mode == "student":
            budget *= 0.5
        size = request.size or _fitting_size(self.backbone, _SIZES[device.type])
        return TuneSettings(
            size=size, batch=_BATCHES[device.type], recipe=recipe, seed=request.seed,
            seconds=budget, cache=request.cache,
        )  # fmt: skip

    def _rows(self) -> tuple[list[ImageRef], dict[int, Example]]:
        """Return the images of the run in order of item, and what is known of some by row."""
        request = self.request
        barred = set(request.held_out) | {
            e.image.item_id for e in request.examples if e.use != "train"
        }
        examples = {
            e.image.item_id: e
            for e in request.examples
            if e.use == "train" and e.image.item_id not in barred
        }
        chosen = {i: e.image for i, e in examples.items()}
        if request.mode == "student":
            chosen |= {i.item_id: i for i in request.pool if i.item_id not in barred}
        images = [chosen[i] for i in sorted(chosen)]
        return images, {
            row: examples[image.item_id]
            for row, image in enumerate(images)
            if image.item_id in examples
        }

    def _readable(
        self, images: Sequence[ImageRef], known: dict[int, Example], pixels: Pixels
    ) -> dict[int, Example]:
        bad = pixels.unreadable(sorted(known))
        self.skipped |= {images[row].item_id: reason for row, reason in bad.items()}
        return {row: e for row, e in known.items() if row not in bad}

    def _lesson(self, images: Sequence[ImageRef], known: Mapping[int, Example]) -> Lesson:
        number = {c: i for i, c in enumerate(self.request.classes)}
        targets = np.zeros((len(images), len(number)), dtype=np.float32)
        for row, example in known.items():
            for label in example.labels if self.request.several else (example.label,):
                targets[row, number[label]] = 1.0
        rows = np.array(sorted(known), dtype=int)
        if (targets[rows].sum(0) > 0).sum() < (1 if self.request.several else 2):
            raise EmptyTrainingSet(
                "Fewer than two classes have a training label on an image that can be read.",
                "Label some items of another class and start again.",
            )
        judged = _held(targets[rows], rows, self.request.seed)
        learnt = np.setdiff1d(rows, judged)
        weight = np.ones(len(images), dtype=np.float32)
        return Lesson(targets, weight, learnt, judged, self.request.several)

    # --- learning -------------------------------------------------------------------------

    def _learn(
        self,
        images: Sequence[ImageRef],
        lesson: Lesson,
        pixels: Pixels,
        settings: TuneSettings,
        device: torch.device,
    ) -> tuple[Tuned, TuneSettings]:
        settings = self._planned(lesson, pixels, settings, device)
        base = replace(self.backbone)
        loop = self._loop(base, pixels, lesson, settings, device, "")
        tuned = loop.run(self.request.resume)
        if self.request.mode != "student":
            return tuned, settings
        labelled = set(lesson.learnt.tolist()) | set(lesson.judged.tolist())
        free = np.array([r for r in range(len(images)) if r not in labelled], dtype=int)
        free = self._usable(images, free, pixels)
        for number in range(1, ROUNDS + 1):
            tuned = self._student(number, loop, tuned, lesson, free, pixels, settings, device)
        return tuned, settings

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
        head = _head(tuned, lesson)
        passed = taught(lesson, free, head.of_scores(scores))
        if not len(passed.taken):
            self.rounds.append({"round": number, "taken": 0, "kept": False})
            return tuned
        shorter = replace(settings, seconds=settings.seconds / 2, rate=settings.rate / 2)
        network = replace(self.backbone, network=unwatched(loop.model.eyes.network))
        start = loop.model.head_now()
        student_loop = self._loop(
            network, pixels, passed.lesson, shorter, device, f"round-{number}", start
        )
        student = student_loop.run(self.request.resume)
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

    def _usable(self, images: Sequence[ImageRef], rows: np.ndarray, pixels: Pixels) -> np.ndarray:
        bad = pixels.unreadable(rows.tolist())
        self.skipped |= {images[row].item_id: reason for row, reason in bad.items()}
        return np.array([r for r in rows if r not in bad], dtype=int)

    def _planned(
        self, lesson: Lesson, pixels: Pixels, settings: TuneSettings, device: torch.device
    ) -> TuneSettings:
        """Return the settings to learn with: those of the run resumed, or found by a search.

        Raises:
            InputError: What is to be resumed had other labels, another network or recipe.
        """
        about = self._about(lesson, settings)
        plan = self.group.told(self._plan(about) if self.group.leads else None)
        if plan is None:
            found = search_settings(
                self.backbone, pixels, lesson, settings, self.request.search_seconds, self.group,
                device, self.progress, self.should_stop,
            )  # fmt: skip
            settings, self.trials = self.group.told((found.settings, found.trials))
            if self.group.leads:
                self._keep_plan(about, settings)
            return settings
        self.trials = tuple(Trial(**t) for t in plan["trials"])
        return replace(
            settings, rate=plan["rate"], decay=plan["decay"], recipe=recipe_from(plan["recipe"])
        )

    def _about(self, lesson: Lesson, settings: TuneSettings) -> dict[str, object]:
        """Return what must be the same for a run to be gone on with."""
        labels = hashlib.sha256(lesson.targets.tobytes() + lesson.learnt.tobytes()).hexdigest()
        return {
            "labels": labels, "backbone": self.backbone.weights_hash, "seed": self.request.seed,
            "recipe": settings.recipe.to_dict(), "mode": self.request.mode, "size": settings.size,
        }  # fmt: skip

    def _plan(self, about: Mapping[str, object]) -> dict | None:
        if not self.request.resume:
            return None
        try:
            plan = json.loads((self.folder / _PLAN).read_bytes())
        except FileNotFoundError:
            return None  # it was ended before there was anything to keep
        except (OSError, ValueError) as error:
            raise BadCheckpoint(
                f"{_PLAN} of the run to resume cannot be read: {error}.", "Start it anew."
            ) from error
        other = [k for k, v in about.items() if plan["about"].get(k) != json.loads(json.dumps(v))]
        if other:
            raise InputError(
                f"The run to resume differs in its {', '.join(other)}; nothing was changed.",
                "Resume it as it was, or start a new one.",
            )
        return dict(plan)

    def _keep_plan(self, about: Mapping[str, object], settings: TuneSettings) -> None:
        doc = {
            "about": about, "rate": settings.rate, "decay": settings.decay,
            "recipe": settings.recipe.to_dict(), "trials": [t.to_dict() for t in self.trials],
        }  # fmt: skip
        write_durably(self.folder / _PLAN, json.dumps(doc, indent=1).encode())

    # --- what is kept ---------------------------------------------------------------------

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
        head = _head(tuned, lesson)
        backbone = self._tuned_backbone(tuned, settings.size)
        learnt = {images[row].item_id for row in lesson.learnt}
        pool = {i.item_id: i for i in request.pool} | {
            e.image.item_id: e.image for e in request.examples
        }
        wanted = [pool[i] for i in sorted(pool) if i not in learnt]
        embedded = embed(wanted, backbone, request.cache, self.progress, self.should_stop)
        ids = np.array([i.item_id for i in wanted], dtype=np.int64)[embedded.usable]
        table = head.probabilities(embedded.vectors[embedded.usable])
        skipped = {**self.skipped, **embedded.skipped}
        predictions = Predictions(ids, table, request.classes, skipped, request.several)
        held = {images[row].item_id for row in lesson.judged}
        report = self._judged(predictions, held, lesson, head.temperature)
        standing = tuned.standing
        report = replace(
            report,
            weights=TUNED,
            weights_hash=backbone.weights_hash,
            notice=self._notice(standing, lesson),
            device=device.type,
            seconds=time.monotonic() - started,
            images_per_second=tuned.images_per_second,
            skipped=skipped,
            mode=request.mode,
            task=request.task,
            processes=self.group.world,
            device_facts=device_facts(str(device)),
            batch=standing.at_once * self.group.world,
            halved=tuple(standing.halved),
            stopped=standing.stopped,
            seconds_to_best=round(standing.seconds_to_best, 2),
            steps=standing.step,
            precision=_words(standing),
            search=tuple(t.to_dict() for t in self.trials),
            rounds=tuple(self.rounds),
        )
        self._save(backbone, head, settings, predictions, report)
        return report

    def _judged(
        self, predictions: Predictions, held: set[int], lesson: Lesson, temperature: float
    ) -> TrainingReport:
        request = self.request
        row_of = {int(i): n for n, i in enumerate(predictions.item_ids)}
        judged = [e for e in request.examples if e.use == "evaluate" and e.image.item_id in row_of]
        on = request.judged_on
        if len(judged) < evaluate.ENOUGH_TO_EVALUATE:
            judged = [e for e in request.examples if e.image.item_id in held & set(row_of)]
            on = "held-out" if judged else "none"
        rows = [row_of[e.image.item_id] for e in judged]
        counts = Counter(c for e in request.examples if e.use == "train" for c in _said(e, request))
        balance = {c: counts[c] for c in request.classes}
        base = TrainingReport(
            "done", request.backbone, evaluate.overall(on, 0, 0), n_train=len(lesson.learnt),
            class_balance=balance, temperature=temperature,
        )  # fmt: skip
        table = predictions.probabilities[rows]
        number = {c: i for i, c in enumerate(request.classes)}
        if request.several:
            truth = np.zeros(table.shape, dtype=bool)
            for row, e in enumerate(judged):
                truth[row, [number[c] for c in e.labels]] = True
            said = table > 0.5
            return replace(
                base,
                eval=evaluate.overall(on, int((truth == said).all(1).sum()), len(truth)),
                per_class=evaluate.set_rows(truth, said, request.classes),
                sets=evaluate.set_scores(truth, table, said, request.classes),
            )
        true = np.array([number[e.label] for e in judged], dtype=int)
        guess = table.argmax(1) if judged else np.zeros(0, dtype=int)
        confusion = evaluate.confusion_matrix(true, guess, len(number))
        return replace(
            base,
            eval=evaluate.overall(on, int((true == guess).sum()), len(true)),
            per_class=evaluate.per_class(confusion, request.classes),
            confusion=tuple(tuple(row) for row in confusion.tolist()),
        )

    def _tuned_backbone(self, tuned: Tuned, size: int) -> Backbone:
        network = self.backbone.network
        network.load_state_dict(dict(tuned.network))
        digest = hashlib.sha256(serialize(_plain(tuned.network))).hexdigest()
        return Backbone(self.backbone.name, network.eval().cpu(), TUNED, digest, size)

    def _notice(self, standing: Standing, lesson: Lesson) -> str:
        said = [self.backbone.notice, *standing.halved]
        if standing.stopped == "nan":
            said.append(
                f"The loss became NaN after step {standing.step}; the best state before, of step "
                f"{standing.best_step}, was kept."
            )
        if standing.stopped == "time":
            said.append("The time was up before the last step; the best state was kept.")
        if not len(lesson.judged):
            said.append(
                "There were too few labels to hold any back, so the confidence is not calibrated."
            )
        return " ".join(s for s in said if s)

    def _save(
        self,
        backbone: Backbone,
        head: Head,
        settings: TuneSettings,
        predictions: Predictions,
        report: TrainingReport,
    ) -> None:
        if self.should_stop():
            raise StopRequested
        request = self.request
        config = {
            "classes": list(request.classes),
            "backbone": request.backbone,
            "network": backbone.name,
            "size": backbone.size,
            "weights": TUNED,
            "weights_hash": backbone.weights_hash,
            "weights_file": str(request.weights or ""),
            "cache_key": cache_key(backbone),
            "preprocessing": PREPROCESSING,
            "width": int(head.weight.shape[1]),
            "mode": request.mode,
            "several": request.several,
            "seed": request.seed,
            "recipe": settings.recipe.to_dict(),
            "rate": settings.rate,
            "decay": settings.decay,
        }
        self.progress(Progress("save", 0, 1))
        save_model(request.folder, config, head, own_weights(backbone), predictions, report)
        for part in (self.folder, *sorted(self.folder.glob("round-*"))):
            drop_states(part)
        self.progress(Progress("save", 1, 1, 0.0))


def _head(tuned: Tuned, lesson: Lesson) -> Head:
    """Return the last layer with the temperature that fits the rows held out; 1 without any."""
    temperature = 1.0
    if len(lesson.judged):
        temperature = temperature_of(
            tuned.judged_scores, lesson.targets[lesson.judged], lesson.several
        )
    return Head(tuned.head_weight, tuned.head_bias, temperature, lesson.several)


def _score(standing: Standing) -> tuple[float, float]:
    return standing.score or (0.0, float("-inf"))


def _words(standing: Standing) -> str:
    how = standing.precision
    first = "bfloat16" if how.bfloat16 else "float32"
    return f"{first}, channels last" if how.channels_last else first


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.contiguous() for k, v in sorted(tensors.items())}


def _said(example: Example, request: TrainingRequest) -> tuple[str, ...]:
    return example.labels if request.several else (example.label,)


def _held(targets: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows held back, a share of each class that can spare one; none of few labels."""
    if len(rows) < _HOLD_FROM:
        return np.zeros(0, dtype=int)
    rng = np.random.default_rng([seed, 15])
    codes = targets.argmax(1)
    held: list[int] = []
    for c in np.unique(codes):
        mine = rng.permutation(rows[codes == c])
        count = round(HELD_SHARE * len(mine)) if len(mine) >= 4 else 0
        held += mine[:count].tolist()
    return np.array(sorted(held), dtype=int)


def _fitting_size(backbone: Backbone, size: int) -> int:
    """Return the size where the network takes it, else its own."""
    wanted = min(size, backbone.size)
    try:
        with torch.inference_mode():
            backbone.network.eval()(torch.zeros(1, 3, wanted, wanted))
    except (RuntimeError, AssertionError, ValueError):
        return backbone.size  # a transformer has a place for each patch
    return wanted
