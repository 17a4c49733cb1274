"""The loop that teaches a whole network: steps, judging, checkpoints, and what may go wrong in between.

The same loop serves one process and several: each takes its part of every batch, gradients are
summed and divided by the weight of the whole batch, and batch norms keep the statistics they
came with, so how many processes share a run changes its figures by rounding only. Everything
random follows from seed, epoch and step; a run that is resumed goes on to the bit.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch

from core.errors import TrainingError
from core.learning.backbones import Backbone
from core.learning.group import Group
from core.learning.pixels import Pixels
from core.learning.progress_file import append_metrics, cut_metrics, device_facts
from core.learning.runner import is_gone
from core.learning.states import newest_state, save_state
from core.learning.step_probe import Precision
from core.learning.tune.batches import Batches
from core.learning.tune.course import Course
from core.learning.tune.judge import Judge
from core.learning.tune.network import Tunable
from core.learning.tune.step import Stepper
from core.learning.tune.values import Lesson, Standing, Tuned, TuneSettings
from core.learning.tune.warm_up import fitted_head, timed_step
from core.learning.values import (
    OnProgress,
    Progress,
    ShouldStop,
    StopRequested,
    never_stop,
    no_progress,
)

_LEAST_STEPS = 240
_MOST_EPOCHS = 60
_ONE_RUN = 25


class TrainLoop:
    """One run over one lesson.

    Args:
        backbone: The network to begin with; it is changed.
        pixels: Rows of the lesson.
        folder: Where checkpoints and figures go; None: nothing is written.
        group: The processes that share it.
        device: Where this process computes.
        start_head: A last layer to begin with, instead of one fitted to the frozen network.

    Attributes:
        judge: Scores rows with the network as it stands.
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
        progress: OnProgress = no_progress,
        should_stop: ShouldStop = never_stop,
        start_head: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self.lesson, self.settings = lesson, settings
        self.group, self.device, self.folder = group, device, folder
        self.progress, self.should_stop = progress, should_stop
        self._start_head = start_head
        self._course = Course(backbone, lesson.targets.shape[1], settings, device)
        self._batches = Batches(pixels, lesson, settings, group, device)
        self._stepper = Stepper(self._course, self._batches, group)
        self.judge = Judge(self._course, self._batches, group)
        self._saved_at, self._rows_done, self._began = 0.0, 0, 0.0
        self._first, self._judged_at = 0, -1
        self._planned = 0

    @property
    def model(self) -> Tunable:
        """Return the network as it stands."""
        return self._course.model

    @property
    def standing(self) -> Standing:
        """Return where the run stands."""
        return self._course.standing

    @property
    def seconds_a_step(self) -> float:
        """Return what a step of this run cost, judging included."""
        return (time.monotonic() - self._began) / max(1, self.standing.step - self._first)

    def plan_steps(self, steps: int) -> None:
        """Plan a short run of so many steps, its rates rising and falling within them."""
        self._planned = steps

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
                if not is_gone(error):
                    raise
                raise TrainingError(
                    f"The {self.device.type.upper()} device went away at step "
                    f"{self.standing.step + 1} ({str(error).splitlines()[0][:120]}); the last "
                    "checkpoint is kept.",
                    "Resume the run on the CPU, or when the device is back.",
                ) from error
        self.group.at_work = False
        return tuned

    def _begin(self, resume: bool) -> None:
        state = newest_state(self.folder) if resume and self.folder is not None else None
        if state is None:
            self._fresh()
        else:
            self._course.restore(state)
            if self.folder is not None and self.group.leads:
                cut_metrics(self.folder, state.step)
        if self.standing.precision.channels_last:
            self.model.to(memory_format=torch.channels_last)
        self._saved_at = self._began = time.monotonic()
        self._first = self.standing.step
        if state is None:
            self._save()

    def _fresh(self) -> None:
        settings, standing = self.settings, self.standing
        self._warm_up()
        self._course.begin_mean()
        precision, seconds = self._time_steps()
        standing.precision = precision
        standing.at_once = self._batches.share(settings.batch)
        per_epoch = self._batches.per_epoch
        wanted = settings.epochs or min(_MOST_EPOCHS, max(12, -(-_LEAST_STEPS // per_epoch)))
        if settings.seconds:
            # A tenth is left for judging; what is planned is kept, so a resumed run plans the same.
            fits = int(0.9 * settings.seconds / max(seconds * per_epoch, 1e-9))
            wanted = max(1, min(wanted, fits))
        standing.epochs = self.group.told(wanted)

    def _warm_up(self) -> None:
        head = self._start_head
        if head is None:
            found = None
            if self.group.leads:
                found = fitted_head(self.model, self._batches, self.progress, self.should_stop)
            head = self.group.told(found)
        self.model.put_head(*head)

    def _time_steps(self) -> tuple[Precision, float]:
        found = timed_step(self.model, self._batches) if self.group.leads else None
        chosen: tuple[Precision, float] = self.group.told(found)
        return chosen

    def _teach(self, most: int | None) -> None:
        per_epoch, standing = self._batches.per_epoch, self.standing
        total = self._planned or standing.epochs * per_epoch
        last = total if most is None else min(total, standing.step + most)
        judge_every = per_epoch * max(1, -(-standing.epochs // _ONE_RUN))
        epoch, order = -1, np.zeros(0, dtype=int)
        while standing.step < last and not standing.stopped:
            now, at = divmod(standing.step, per_epoch)
            if now != epoch:
                epoch, order = now, self._batches.order(now)
            loss = self._step(self._batches.at(order, at), epoch, standing.step / max(1, total))
            if standing.stopped:
                break
            self._tell(loss, last, per_epoch)
            if standing.step % judge_every == 0 or standing.step == last:
                self._judge(loss)
            if time.monotonic() - self._saved_at > self.settings.checkpoint_seconds:
                self._save()
        if standing.stopped != "nan" and self._judged_at < standing.step:
            self._judge(None)
        if standing.score is None:
            raise TrainingError(
                f"The loss became NaN at step {standing.step + 1}, before anything was learnt.",
                "Lower the learning rate, or choose other weights.",
            )

    def _step(self, batch: np.ndarray, epoch: int, done: float) -> float:
        """Take one step together; return the batch's mean loss."""
        standing = self.standing
        started = time.monotonic()
        failure: Exception | None = None
        loss = 0.0
        try:
            loss = self._stepper.gradients(batch, (self.settings.seed, epoch, standing.step))
        except Exception as error:  # the others wait for our part and must be told
            failure = error
        told = torch.tensor(
            [loss, float(not math.isfinite(loss)), float(self._stop_now()), float(failure is not None),
             float(self._out_of_time())], dtype=torch.float64,
        )  # fmt: skip
        self.group.total(told)
        if failure is not None:
            raise failure
        if told[3]:
            raise TrainingError(
                "Another process of this run failed; its words are in the log.",
                "Mend the cause, then resume the run.",
            )
        if told[1] or not self._stepper.moved(done):
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

    def _judge(self, loss: float | None) -> None:
        """Judge the running mean of the weights, and keep it where it is the best so far."""
        standing = self.standing
        self._judged_at = standing.step
        score = self.judge.score_of(self._course.mean)
        self._course.note(score)
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

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        if self.folder is not None and self.group.leads:
            save_state(self.folder, self._course.state())

    def _result(self) -> Tuned:
        self.model.load_state_dict(self._course.best)
        scores = self.judge.scores(self.lesson.judged).numpy()
        return self.model.result(scores, self.standing, self._rate())
