"""The loop that teaches a whole network: steps, judging, checkpoints, and what may go wrong in between.

The same loop serves one process and several: each takes its part of every batch, gradients are
summed and divided by the weight of the whole batch, and batch norms keep the statistics they
came with, so how many processes share a run changes its figures by rounding only. Everything
random follows from seed, epoch and step; a run that is resumed goes on to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.errors import OutOfMemory, TrainingError
from core.learning.backbones import Backbone, TunedExtractor
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.progress_file import append_metrics, cut_metrics, device_facts
from core.learning.recipes import Recipe, epoch_rows, loss_weights
from core.learning.recipes_torch import Plan, draw, mixed, mixed_targets, plain, vary
from core.learning.runner import is_memory
from core.learning.states import State, newest_state, save_state
from core.learning.step_probe import Precision, fastest_step
from core.learning.values import OnProgress, Progress, ShouldStop, StopRequested

SCALE = 16.0
"""Unit vectors times a layer of ordinary weights times this: scores as far apart as they need be."""
_WARM_ROWS = 4_000
_LEAST_STEPS = 240
_MOST_EPOCHS = 60
_HEAD_RATE = 3.0
_JUDGE_ROWS = 64
_ONE_RUN = 25


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be learnt.

    Attributes:
        targets: float32 (n, k): one-hot, shares that sum to 1, or 0 and 1 for several labels.
        weight: float32 (n,): of each row in the loss.
        learnt: Rows to learn from.
        judged: Rows to judge by, never learnt from; none where labels are too few.
        several: Whether a row may have several labels, each decided for itself.
    """

    targets: np.ndarray
    weight: np.ndarray
    learnt: np.ndarray
    judged: np.ndarray
    several: bool = False


@dataclass(frozen=True, slots=True)
class TuneSettings:
    """How it is learnt.

    Attributes:
        size: Side of the square input, pixels.
        batch: Rows a step, over all processes.
        epochs: Passes over the rows; 0: as many as make a fair number of steps.
        rate: Largest learning rate of the network; the last layer's is three times that.
        decay: Weight decay of AdamW.
        seconds: How long the steps may take; 0: no bound. Fewer epochs are planned to fit.
        checkpoint_seconds: Longest time between checkpoints.
        cache: Folder that keeps which precision was timed fastest; None: time it again.
    """

    size: int = 128
    batch: int = 32
    epochs: int = 0
    rate: float = 5e-4
    decay: float = 0.02
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    seconds: float = 0.0
    checkpoint_seconds: float = 20.0
    cache: Path | None = None


@dataclass(slots=True)
class Standing:
    """Where a run stands: what a checkpoint keeps beside its tensors.

    Attributes:
        score: Of the best state so far, higher is better; None before the first judging.
        halved: Sentences on each halving of the batch.
        stopped: Empty, ``nan`` or ``time``.
        seconds: Spent in steps so far, resumed parts included.
    """

    step: int = 0
    epochs: int = 0
    score: tuple[float, float] | None = None
    best_step: int = 0
    seconds_to_best: float = 0.0
    at_once: int = 0
    halved: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0
    precision: Precision = field(default_factory=Precision)


@dataclass(frozen=True, slots=True)
class Tuned:
    """A network that has learnt.

    Attributes:
        network: Its weights by name, on the CPU; the best state, not the last.
        head_weight, head_bias: The last layer, on unit vectors; float32 (k, width) and (k,).
        judged_scores: Scores of the judged rows under the best state, float32 (n, k).
        standing: Where the run ended.
        images_per_second: Over all steps of this process's life.
    """

    network: Mapping[str, Tensor]
    head_weight: np.ndarray
    head_bias: np.ndarray
    judged_scores: np.ndarray
    standing: Standing
    images_per_second: float


class Tunable(nn.Module):
    """A network and a linear layer on its unit vectors: normalised images to scores."""

    def __init__(self, network: nn.Module, classes: int, size: int) -> None:
        super().__init__()
        self.eyes = TunedExtractor(network)
        with torch.no_grad():
            width = self.eyes.eval().vectors(torch.zeros(1, 3, size, size)).shape[1]
        self.head = nn.Linear(width, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, shape (n, classes)."""
        scores: Tensor = SCALE * self.head(self.eyes.vectors(x))
        return scores

    def learning(self) -> None:
        """Switch to training; batch norms keep their statistics, so rows do not see one another."""
        self.train()
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


class TrainLoop:
    """One run over one lesson.

    Args:
        backbone: The network to begin with; it is changed.
        pixels: Rows of the lesson.
        folder: Where checkpoints and figures go; None: nothing is written.
        group: The processes that share it.
        device: Where this process computes.
        start_head: A last layer to begin with, instead of one fitted to the frozen network.
    """

    def __init__(
        self,
        backbone: Backbone,
        pixels: Pixels,
        lesson: Lesson,
        settings: TuneSettings,
        group: Group,
        device: torch.device,
        folder: Path | None = None,
        progress: OnProgress = lambda _: None,
        should_stop: ShouldStop = lambda: False,
        start_head: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self.pixels, self.lesson, self.settings = pixels, lesson, settings
        self.group, self.device, self.folder = group, device, folder
        self.progress, self.should_stop = progress, should_stop
        self.model = Tunable(backbone.network, lesson.targets.shape[1], settings.size)
        self.model.to(device)
        self.standing = Standing()
        self._start_head = start_head
        self._targets = torch.from_numpy(lesson.targets.astype(np.float32))
        self._weight = torch.from_numpy(
            lesson.weight.astype(np.float32) * self._class_weights(lesson)
        )
        self._mean: dict[str, Tensor] = {}
        self._best: dict[str, Tensor] = {}
        self._optimiser = torch.optim.AdamW(self._groups(), lr=settings.rate)
        self._saved_at, self._rows_done, self._began = 0.0, 0, 0.0
        self._first, self._judged_at = 0, -1
        self._planned = 0

    def _class_weights(self, lesson: Lesson) -> np.ndarray:
        weights = np.ones(len(lesson.targets), dtype=np.float32)
        weights[lesson.learnt] = loss_weights(
            lesson.targets[lesson.learnt], self.settings.recipe.balance
        )
        return weights

    def _groups(self) -> list[dict[str, object]]:
        head = set(self.model.head.parameters())
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for parameter in self.model.parameters():
            rate = _HEAD_RATE if parameter in head else 1.0
            decay = self.settings.decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        return [
            {"params": found, "weight_decay": decay, "relative": rate}
            for (rate, decay), found in groups.items()
        ]

    # --- the run --------------------------------------------------------------------------

    def run(self, resume: bool = False, steps: int | None = None) -> Tuned:
        """Learn to the end, or for some steps, and return the best state.

        Raises:
            TrainingError: The loss became NaN before anything was learnt, or the device went away.
            OutOfMemory: There is no room for a single image.
            StopRequested: ``should_stop`` said so; a checkpoint of that moment is kept.
            BadCheckpoint: What is to be resumed is damaged.
            DiskFull: A checkpoint cannot be written; the one before is kept.
        """
        self.group.at_work = True
        with torch.random.fork_rng(devices=[]):
            try:
                self._begin(resume)
                self._teach(steps)
                tuned = self._result()
            except StopRequested:
                self.group.at_work = False  # all of them have stopped at the same step
                raise
            except RuntimeError as error:
                if not _is_gone(error):
                    raise
                raise TrainingError(
                    f"The {self.device.type.upper()} device went away at step "
                    f"{self.standing.step + 1} ({str(error).splitlines()[0][:120]}); the last "
                    "checkpoint is kept.",
                    "Resume the run on the CPU, or when the device is back.",
                ) from error
        self.group.at_work = False
        return tuned

    def plan_steps(self, steps: int) -> None:
        """Plan a short run of so many steps, its rates rising and falling within them."""
        self._planned = steps

    @property
    def seconds_a_step(self) -> float:
        """Return what a step of this run cost, judging included."""
        return (time.monotonic() - self._began) / max(1, self.standing.step - self._first)

    def head_now(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the last layer as it stands, to begin another run with."""
        head = self.model.head
        return (
            head.weight.detach().cpu().numpy().copy(),
            head.bias.detach().cpu().numpy().copy(),
        )

    def show(self, tuned: Tuned) -> None:
        """Put a result of this loop's own kind of network in place, to score or to go on from."""
        state = {f"eyes.network.{k}": v for k, v in tuned.network.items()}
        head = self.model.head
        self.model.load_state_dict(state, strict=False)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(tuned.head_weight / SCALE))
            head.bias.copy_(torch.from_numpy(tuned.head_bias / SCALE))

    def _begin(self, resume: bool) -> None:
        state = None
        if resume and self.folder is not None:
            state = newest_state(self.folder)
        if state is not None:
            self._restore(state)
        else:
            self._fresh()
        if self.standing.precision.channels_last:
            self.model.to(memory_format=torch.channels_last)
        self._saved_at = self._began = time.monotonic()
        self._first = self.standing.step
        if state is None:
            self._save()

    def _fresh(self) -> None:
        settings, standing = self.settings, self.standing
        self._warm_up()
        self._mean = {k: v.detach().clone() for k, v in self._state().items()}
        precision, seconds = self._time_steps()
        standing.precision = precision
        standing.at_once = self._share(settings.batch)
        per_epoch = self._steps_an_epoch()
        wanted = settings.epochs or min(_MOST_EPOCHS, max(12, -(-_LEAST_STEPS // per_epoch)))
        if settings.seconds:
            # A tenth is left for judging; what is planned is kept, so a resumed run plans the same.
            fits = int(0.9 * settings.seconds / max(seconds * per_epoch, 1e-9))
            wanted = max(1, min(wanted, fits))
        standing.epochs = self.group.told(wanted)

    def _steps_an_epoch(self) -> int:
        rows = epoch_rows(
            self.lesson.targets[self.lesson.learnt], self.settings.recipe.balance, 0, 0
        )
        return max(1, -(-len(rows) // self.settings.batch))

    def _share(self, rows: int) -> int:
        return max(1, -(-rows // self.group.world))

    def _teach(self, most: int | None) -> None:
        per_epoch = self._steps_an_epoch()
        total = self._planned or self.standing.epochs * per_epoch
        last = total if most is None else min(total, self.standing.step + most)
        judge_every = per_epoch * max(1, -(-self.standing.epochs // _ONE_RUN))
        epoch, order = -1, np.zeros(0, dtype=int)
        while self.standing.step < last and not self.standing.stopped:
            now, at = divmod(self.standing.step, per_epoch)
            if now != epoch:
                epoch, order = now, self._order(now)
            batch = order[at * self.settings.batch : (at + 1) * self.settings.batch]
            self._look_ahead(order, at)
            loss = self._step(batch, epoch, self.standing.step / max(1, total))
            if self.standing.stopped:
                break
            self._tell(loss, last, per_epoch)
            if self.standing.step % judge_every == 0 or self.standing.step == last:
                self._judge(loss)
            if time.monotonic() - self._saved_at > self.settings.checkpoint_seconds:
                self._save()
        if self.standing.stopped != "nan" and self._judged_at < self.standing.step:
            self._judge(None)
        if self.standing.score is None:
            raise TrainingError(
                f"The loss became NaN at step {self.standing.step + 1}, before anything was learnt.",
                "Lower the learning rate, or choose other weights.",
            )

    def _order(self, epoch: int) -> np.ndarray:
        learnt = self.lesson.learnt
        recipe = self.settings.recipe
        rows = epoch_rows(self.lesson.targets[learnt], recipe.balance, self.settings.seed, epoch)
        return np.asarray(learnt[rows])

    def _look_ahead(self, order: np.ndarray, at: int) -> None:
        step = self.settings.batch
        following = order[(at + 1) * step : (at + 3) * step]
        self.pixels.prefetch(following[self.group.part(len(following))].tolist())

    # --- one step -------------------------------------------------------------------------

    def _step(self, batch: np.ndarray, epoch: int, done: float) -> float:
        """Take one step together; return the batch's mean loss."""
        standing, group = self.standing, self.group
        started = time.monotonic()
        failure: Exception | None = None
        loss = 0.0
        try:
            loss = self._gradients(batch, (self.settings.seed, epoch, standing.step))
        except Exception as error:  # the others wait for our part and must be told
            failure = error
        told = torch.tensor(
            [loss, float(not math.isfinite(loss)), float(self._stop_now()), float(failure is not None),
             float(self._out_of_time())], dtype=torch.float64,
        )  # fmt: skip
        group.total(told)
        if failure is not None:
            raise failure
        if told[3]:
            raise TrainingError(
                "Another process of this run failed; its words are in the log.",
                "Mend the cause, then resume the run.",
            )
        if told[1] or not self._moved(done):
            standing.stopped = "nan"
            return math.nan
        standing.step += 1
        standing.seconds += time.monotonic() - started
        self._rows_done += len(batch)
        if told[2]:
            self._save()
            raise StopRequested
        if told[4]:
            standing.stopped = "time"
        return float(told[0])

    def _stop_now(self) -> bool:
        return self.group.leads and self.should_stop()

    def _out_of_time(self) -> bool:
        limit = self.settings.seconds
        return bool(limit) and self.group.leads and self.standing.seconds > 1.3 * limit

    def _gradients(self, batch: np.ndarray, seed: tuple[int, int, int]) -> float:
        """Leave this process's part of the gradient; halve what runs at once while memory lacks."""
        torch.manual_seed(seed[0] * 1_000_003 + seed[2] * 101 + self.group.rank)
        plan = draw(self.settings.recipe, len(batch), seed)
        mine = np.arange(len(batch))[self.group.part(len(batch))]
        whole = float(self._weight[batch].sum())
        while True:
            self._optimiser.zero_grad(set_to_none=False)
            try:
                self.model.learning()
                loss = 0.0
                for at in range(0, len(mine), self.standing.at_once):
                    rows = mine[at : at + self.standing.at_once]
                    loss += self._backward(batch, rows, plan, whole)
                return loss
            except (MemoryError, RuntimeError) as error:
                if not is_memory(error):
                    raise
                self._halve(error)

    def _backward(self, batch: np.ndarray, rows: np.ndarray, plan: Plan, whole: float) -> float:
        x, targets = self._views(batch, torch.from_numpy(rows), plan)
        with self.standing.precision.cast(self.device.type):
            scores = self.model(self.standing.precision.laid(x))
        each = row_losses(scores.float(), targets, self.lesson.several)
        weight = self._weight[batch[rows]].to(self.device)
        loss = (each * weight).sum() / whole
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return float(loss.detach())

    def _views(self, batch: np.ndarray, rows: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
        recipe, size = self.settings.recipe, self.settings.size
        part = plan.rows(rows).to(self.device)
        x = vary(self._pixels(batch[rows.numpy()]), part, size)
        targets = self._smooth(self._targets[batch[rows.numpy()]])
        if recipe.mixup or recipe.cutmix:
            partners = plan.partner[rows]
            others = batch[partners.numpy()]
            theirs = vary(self._pixels(others), plan.rows(partners).to(self.device), size)
            x = mixed(x, theirs, part)
            other_targets = self._smooth(self._targets[others])
            targets = mixed_targets(targets, other_targets, part, size)
        return x, targets

    def _pixels(self, rows: np.ndarray) -> Tensor:
        return self.pixels.take(rows.tolist()).to(self.device)

    def _smooth(self, targets: Tensor) -> Tensor:
        share = self.settings.recipe.smoothing
        even = 0.5 if self.lesson.several else 1.0 / targets.shape[1]
        return (targets * (1 - share) + share * even).to(self.device)

    def _halve(self, error: BaseException) -> None:
        standing = self.standing
        if standing.at_once <= 1:
            raise OutOfMemory(
                "The device has no memory left for a single image.",
                "Close other programs on it, choose a smaller backbone or a smaller input.",
            ) from error
        before, standing.at_once = standing.at_once, standing.at_once // 2
        standing.halved.append(
            f"Memory ran out at {before} images at once in step {standing.step + 1}; "
            f"went on with {standing.at_once}."
        )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _moved(self, done: float) -> bool:
        """Sum gradients over the group and take the step; return False where they are not finite."""
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        if self.group.world > 1:
            flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
            self.group.total(flat)
            at = 0
            for p in parameters:
                assert p.grad is not None
                p.grad.copy_(flat[at : at + p.numel()].view_as(p))
                at += p.numel()
        norm = nn.utils.clip_grad_norm_(parameters, 5.0)
        if not bool(torch.isfinite(norm)):
            return False
        rate = self.settings.rate * _rate_share(done)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["relative"]
        self._optimiser.step()
        keep = min(0.99, (1 + self.standing.step) / (10 + self.standing.step))
        for name, value in self._state().items():
            if value.is_floating_point():
                self._mean[name].lerp_(value.detach(), 1 - keep)
        return True

    # --- judging --------------------------------------------------------------------------

    def _judge(self, loss: float | None) -> None:
        """Judge the running mean of the weights, and keep it where it is the best so far."""
        standing = self.standing
        self._judged_at = standing.step
        score = self._score(self._scores_with(self._mean))
        if standing.score is None or score >= standing.score:
            standing.score, standing.best_step = score, standing.step
            standing.seconds_to_best = standing.seconds
            self._best = {k: v.clone() for k, v in self._mean.items()}
        if self.folder is None or not self.group.leads:
            return
        append_metrics(
            self.folder,
            {
                "step": standing.step,
                "seconds": round(standing.seconds, 3),
                "loss": loss,
                "accuracy": score[0] if len(self.lesson.judged) else None,
                "judged_loss": -score[1] if len(self.lesson.judged) else None,
                "images_per_second": round(self._rate(), 2),
                **device_facts(str(self.device)),
            },
        )

    def _scores_with(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Return the scores of the judged rows under other weights, float32 (n, k)."""
        before = {k: v.detach().clone() for k, v in self._state().items()}
        self.model.load_state_dict(dict(tensors))
        try:
            return self.scores(self.lesson.judged)
        finally:
            self.model.load_state_dict(before)

    def scores(self, rows: np.ndarray) -> Tensor:
        """Return the present network's scores of some rows, each process doing its part."""
        out = torch.zeros(len(rows), self._targets.shape[1])
        mine = self.group.part(len(rows))
        self.model.eval()
        with torch.inference_mode():
            for at in range(mine.start, mine.stop, _JUDGE_ROWS):
                some = slice(at, min(at + _JUDGE_ROWS, mine.stop))
                x = plain(self._pixels(rows[some]), self.settings.size)
                out[some] = self.model(self.standing.precision.laid(x)).float().cpu()
        return self.group.total(out)

    def _score(self, scores: Tensor) -> tuple[float, float]:
        """Return accuracy and minus the mean loss; where nothing is held out the later is better."""
        judged = self.lesson.judged
        if not len(judged):
            return (0.0, 0.0)
        targets = self._targets[judged]
        loss = float(row_losses(scores, targets, self.lesson.several).mean())
        if self.lesson.several:
            right = ((scores > 0) == (targets > 0.5)).all(1)
        else:
            right = scores.argmax(1) == targets.argmax(1)
        return (float(right.double().mean()), -loss)

    # --- setting out ----------------------------------------------------------------------

    def _warm_up(self) -> None:
        """Fit the last layer to the frozen network, so that first steps do not spoil it.

        (Kumar et al. 2022: a random last layer distorts good features.)
        """
        head = self.model.head
        if self._start_head is not None:
            weight, bias = self._start_head
        else:
            found = self._fitted_head() if self.group.leads else None
            weight, bias = self.group.told(found)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(weight))
            head.bias.copy_(torch.from_numpy(bias))

    def _fitted_head(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.settings.seed)
        rows = np.sort(rng.permutation(self.lesson.learnt)[:_WARM_ROWS])
        self.model.eval()
        parts = []
        with torch.inference_mode():
            for at in range(0, len(rows), _JUDGE_ROWS):
                self.progress(Progress("warm-up", at, len(rows)))
                x = plain(self._pixels(rows[at : at + _JUDGE_ROWS]), self.settings.size)
                parts.append(self.model.eyes.vectors(x).cpu())
                if self.should_stop():
                    raise StopRequested
        vectors = torch.cat(parts).clone()
        head = nn.Linear(vectors.shape[1], self._targets.shape[1])
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        targets, weight = self._targets[rows], self._weight[rows]
        search = torch.optim.LBFGS(
            head.parameters(), max_iter=60, history_size=10, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            search.zero_grad()
            each = row_losses(SCALE * head(vectors), targets, self.lesson.several)
            loss = (each * weight).mean() + 2e-3 * head.weight.pow(2).sum()
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            return loss

        search.step(closure)  # type: ignore[no-untyped-call]
        return head.weight.detach().numpy().copy(), head.bias.detach().numpy().copy()

    def _time_steps(self) -> tuple[Precision, float]:
        rows = self.lesson.learnt[: self._share(self.settings.batch)]
        rows = np.resize(rows, self._share(self.settings.batch))
        found: tuple[Precision, float] | None = None
        if self.group.leads:
            x = plain(self._pixels(rows), self.settings.size)
            try:
                found = fastest_step(
                    self.model, x, self._targets[rows].to(self.device), self.lesson.several,
                    row_losses, self.settings.cache,
                )  # fmt: skip
            except (MemoryError, RuntimeError) as error:
                if not is_memory(error):
                    raise
                found = (Precision(), 0.0)  # the steps themselves will halve the batch and say so
        chosen: tuple[Precision, float] = self.group.told(found)
        return chosen

    # --- telling and keeping --------------------------------------------------------------

    def _tell(self, loss: float, last: int, per_epoch: int) -> None:
        standing = self.standing
        figures: dict[str, float] = {
            "loss": loss,
            "epoch": standing.step / per_epoch,
            "epochs": float(standing.epochs),
            "images_per_second": self._rate(),
            "batch": float(standing.at_once * self.group.world),
        }
        if standing.score is not None and len(self.lesson.judged):
            figures["accuracy"] = standing.score[0]
        left = self.seconds_a_step * (last - standing.step)
        self.progress(Progress("fine-tune", standing.step, last, left, figures))

    def _rate(self) -> float:
        return self._rows_done / max(time.monotonic() - self._began, 1e-6)

    def _state(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        if self.folder is None or not self.group.leads:
            return
        tensors = {f"now.{k}": v for k, v in self._state().items()}
        tensors |= {f"mean.{k}": v for k, v in self._mean.items()}
        tensors |= {f"best.{k}": v for k, v in self._best.items()}
        remembered = {
            f"{index}.{name}": value
            for index, entry in self._optimiser.state_dict()["state"].items()
            for name, value in entry.items()
        }
        save_state(self.folder, State(self.standing.step, tensors, remembered, self._facts()))

    def _facts(self) -> dict[str, object]:
        standing = self.standing
        return {
            "epochs": standing.epochs, "score": standing.score, "best_step": standing.best_step,
            "seconds_to_best": standing.seconds_to_best, "at_once": standing.at_once,
            "halved": standing.halved, "seconds": standing.seconds,
            "precision": standing.precision.to_dict(),
        }  # fmt: skip

    def _restore(self, state: State) -> None:
        parts: dict[str, dict[str, Tensor]] = {"now": {}, "mean": {}, "best": {}}
        for name, value in state.tensors.items():
            part, _, key = name.partition(".")
            parts[part][key] = value.to(self.device)
        self.model.load_state_dict(parts["now"])
        self._mean, self._best = parts["mean"], parts["best"]
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in state.optimiser.items():
            index, _, key = name.partition(".")
            entries.setdefault(int(index), {})[key] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": entries, "param_groups": groups})
        facts = dict(state.facts)
        score = facts.pop("score")
        precision = facts.pop("precision")
        self.standing = Standing(
            step=state.step,
            score=None if score is None else tuple(score),  # type: ignore[arg-type]
            precision=Precision(**precision),  # type: ignore[arg-type]
            **facts,  # type: ignore[arg-type]
        )
        if self.folder is not None and self.group.leads:
            cut_metrics(self.folder, state.step)

    def _result(self) -> Tuned:
        self.model.load_state_dict(self._best)
        scores = self.scores(self.lesson.judged).numpy()
        head = self.model.head
        network = {
            k.removeprefix("eyes.network."): v.detach().cpu().clone()
            for k, v in self._state().items()
            if k.startswith("eyes.network.")
        }
        return Tuned(
            network,
            (SCALE * head.weight.detach().cpu().numpy()).astype(np.float32),
            (SCALE * head.bias.detach().cpu().numpy()).astype(np.float32),
            scores,
            self.standing,
            self._rate(),
        )


def row_losses(scores: Tensor, targets: Tensor, several: bool) -> Tensor:
    """Return each row's loss: cross-entropy with shares, or the mean over labels of their own."""
    if several:
        return F.binary_cross_entropy_with_logits(scores, targets, reduction="none").mean(1)
    return -(targets * F.log_softmax(scores, 1)).sum(1)


def _rate_share(done: float) -> float:
    """Return the share of the largest rate: up over the first twentieth, then down a cosine."""
    if done < 0.05:
        return 0.05 + 0.95 * done / 0.05
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95))


def _is_gone(error: BaseException) -> bool:
    words = str(error)
    return any(
        said in words
        for said in (
            "CUDA error",
            "CUDA driver",
            "NVML",
            "device is lost",
            "no CUDA-capable device",
        )
    )
