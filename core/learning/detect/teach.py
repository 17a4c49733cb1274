"""Teaching a detector: steps by the clock, a running mean of the weights, checkpoints at step boundaries.

Everything random follows from seed and step. With a number of steps given, the same seed gives the
same weights; with a budget in seconds the learning rate follows the clock, and the clock decides.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import BadCheckpoint, OutOfMemory, TrainingError
from core.learning.detect.data import Picture, Target, Variation, varied_batch
from core.learning.detect.models import Detector, Quick
from core.learning.states import State, drop_states, newest_state, save_state
from core.learning.values import OnProgress, Progress, ShouldStop, StopRequested

_HEAD_RATE, _TRUNK_RATE = 2e-3, 3e-4
_DECAY = 0.02
_WARM_STEPS = 40
_CHECKPOINT_SECONDS = 60.0
_GOOD_EVERY = 50
"""Steps between looks whether the running mean is sound; the last sound one is kept."""
_SHELF = 512
"""Maps of the frozen stages that are kept to be used again."""
_FILLING_STEPS = 4
"""Steps whose batches are all new, to begin with."""
_FRESH_SHARE = 1 / 3
"""Of a batch; the rest are maps from the shelf, whose first stages are paid for already."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How to teach.

    Attributes:
        pretrained: Whether the trunk knows images already; else it learns as fast as the rest.
        seconds: How long the steps may take.
        steps: Exactly so many instead; None to go by the clock.
        batch: Images in a step.
        variation: How images are varied.
        folder: Where checkpoints go.
        resume: Go on from the newest of them.
        mark: Names everything a checkpoint must agree with.
        clock: Seconds that count against the budget.
    """

    pretrained: bool
    seconds: float
    steps: int | None
    batch: int
    variation: Variation
    seed: int
    folder: Path
    resume: bool
    mark: str
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Taught:
    """What came of it; the detector holds the best weights.

    Attributes:
        seconds: The steps took.
        halved: Batches that did not fit into memory.
        notice: What a person should know, or empty.
    """

    steps: int = 0
    batch: int = 0
    seconds: float = 0.0
    seconds_to_best: float = 0.0
    images_per_second: float = 0.0
    halved: list[int] = field(default_factory=list)
    notice: str = ""


def teach(
    detector: Detector,
    pictures: Sequence[Picture],
    lesson: Lesson,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Taught:
    """Teach the detector and leave the best weights in it.

    Raises:
        StopRequested: ``should_stop`` said so; a checkpoint was written.
        OutOfMemory: Not even one image fits.
        TrainingError: The loss was never a number, or the device went away.
        BadCheckpoint: The checkpoint is of another run.
        DiskFull: A checkpoint could not be written.
    """
    return _Teacher(detector, pictures, lesson, progress, should_stop).run()


class _Teacher:
    def __init__(
        self,
        detector: Detector,
        pictures: Sequence[Picture],
        lesson: Lesson,
        progress: OnProgress,
        should_stop: ShouldStop,
    ) -> None:
        self.detector, self.pictures, self.lesson = detector, pictures, lesson
        self.progress, self.should_stop = progress, should_stop
        self.network = detector.network
        self.device = next(self.network.parameters()).device
        self.optimiser = torch.optim.AdamW(self._groups(), weight_decay=_DECAY)
        self.mean = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.good = {k: v.clone() for k, v in self.mean.items()}
        self.taught = Taught(batch=min(lesson.batch, max(2, len(pictures))))
        self.shelf: list[tuple[Tensor, Target]] = []
        self.half_precision = False
        self.images = 0
        self.before = 0.0  # seconds of the run this one goes on from

    def _groups(self) -> list[dict[str, object]]:
        named = [(n, p) for n, p in self.network.named_parameters() if p.requires_grad]
        trunk = [p for n, p in named if "stages." in n or "backbone.body" in n]
        known = {id(p) for p in trunk}
        head = [p for _, p in named if id(p) not in known]
        slow = _TRUNK_RATE if self.lesson.pretrained else _HEAD_RATE
        return [
            {"params": head, "lr": _HEAD_RATE, "rate": _HEAD_RATE},
            {"params": trunk, "lr": slow, "rate": slow},
        ]

    def run(self) -> Taught:
        """Step until time or steps are up."""
        if self.lesson.resume:
            self._restore()
        self._refill()
        self.half_precision = self._is_half_faster()
        self.started = saved = self.lesson.clock()
        while (done := self._done()) < 1.0:
            if self.should_stop():
                self._save()
                raise StopRequested
            loss = self._step(done)
            if not math.isfinite(loss):
                self._keep_good()
                break
            self._tell(loss, done)
            if self.lesson.clock() - saved > _CHECKPOINT_SECONDS:
                self._save()
                saved = self.lesson.clock()
        return self._ended()

    def _done(self) -> float:
        """Return the share of the run that is behind it."""
        if self.lesson.steps is not None:
            return self.taught.steps / max(1, self.lesson.steps)
        return (self._seconds() if self.taught.steps else 0.0) / max(1e-9, self.lesson.seconds)

    def _seconds(self) -> float:
        return self.before + self.lesson.clock() - self.started

    def _step(self, done: float) -> float:
        """Take one step, with a smaller batch if it does not fit; return the loss."""
        warm = min(1.0, (self.taught.steps + 1) / _WARM_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        while True:
            try:
                loss = self._learn()
                break
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                self._halve(error)
        self.taught.steps += 1
        self.images += self.taught.batch
        self._average()
        return loss

    def _learn(self) -> float:
        generator = self._generator(self.taught.steps)
        _learning_mode(self.network)
        self.optimiser.zero_grad(set_to_none=True)
        with torch.random.fork_rng(devices=[]), self._precision():
            torch.manual_seed(self.lesson.seed * 1_000_003 + self.taught.steps)
            loss = sum(self._losses(generator).values(), torch.zeros((), device=self.device))
        if bool(torch.isfinite(loss)):
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
        return float(loss.detach())

    def _losses(self, generator: torch.Generator) -> Mapping[str, Tensor]:
        variation, batch = self.lesson.variation, self.taught.batch
        if not self._keeps_maps():
            return self.detector.losses(varied_batch(self.pictures, batch, variation, generator))
        maps = self._fresh(self.taught.steps, generator)
        old = torch.randint(
            max(1, len(self.shelf)), (batch - len(maps),), generator=generator
        ).tolist()
        drawn = [*maps, *(self.shelf[i] for i in old)]
        self.shelf = [*self.shelf, *maps][-_SHELF:]
        assert isinstance(self.detector, Quick)
        return self.detector.losses_after(torch.stack([m for m, _ in drawn]), [t for _, t in drawn])

    def _fresh(self, step: int, generator: torch.Generator) -> list[tuple[Tensor, Target]]:
        """Return new maps of the frozen stages, and what is in them."""
        assert isinstance(self.detector, Quick)
        count = self.taught.batch if step < _FILLING_STEPS else self._renewed()
        batch = varied_batch(self.pictures, count, self.lesson.variation, generator)
        with self._precision():
            maps = self.detector.first(batch.pixels)
        return list(zip(maps, batch.targets, strict=True))

    def _keeps_maps(self) -> bool:
        return isinstance(self.detector, Quick) and self.detector.frozen

    def _renewed(self) -> int:
        return max(1, round(self.taught.batch * _FRESH_SHARE))

    def _refill(self) -> None:
        """Put back on the shelf what lay there after the step a checkpoint was made."""
        if self._keeps_maps():
            for step in range(
                max(0, self.taught.steps - _SHELF // self._renewed() - 1), self.taught.steps
            ):
                self.shelf += self._fresh(step, self._generator(step))
            self.shelf = self.shelf[-_SHELF:]

    def _generator(self, step: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.lesson.seed * 1_000_003 + step)

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(0.99, (self.taught.steps + 1) / (self.taught.steps + 10))
        for name, now in self.network.state_dict().items():
            mean = self.mean[name]
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)
        if self.taught.steps % _GOOD_EVERY == 0 and self._is_sound():
            for name, mean in self.mean.items():
                self.good[name].copy_(mean)
            self.taught.seconds_to_best = self._seconds()

    def _is_sound(self) -> bool:
        return all(bool(torch.isfinite(v).all()) for v in self.mean.values())

    def _keep_good(self) -> None:
        if not self.taught.seconds_to_best:
            raise TrainingError(
                f"The detector diverged at step {self.taught.steps}: the loss became NaN.",
                "Look for damaged boxes or images, or choose another detector.",
            )
        self.mean = self.good
        self.taught.notice = (
            f"The loss became NaN at step {self.taught.steps}; the run stopped there and kept the "
            f"weights of {self.taught.seconds_to_best:.0f} s."
        )

    def _ended(self) -> Taught:
        self.taught.seconds = self._seconds()
        if not self.taught.notice:
            self.taught.seconds_to_best = self.taught.seconds
        self.taught.images_per_second = self.images / max(1e-9, self.lesson.clock() - self.started)
        self.network.load_state_dict(self.mean)
        self.network.eval()
        drop_states(self.lesson.folder)
        return self.taught

    def _tell(self, loss: float, done: float) -> None:
        seconds = self._seconds()
        share = max(done, 1e-6)
        left = self.lesson.seconds - seconds if self.lesson.steps is None else None
        if left is None and self.taught.steps > 1:
            left = seconds * (1 - share) / share
        rate = self.images / max(1e-9, self.lesson.clock() - self.started)
        told = {"loss": loss, "images_per_second": rate, "batch": float(self.taught.batch)}
        total = self.lesson.steps or max(
            self.taught.steps, round(self.taught.steps / max(share, 1e-3))
        )
        self.progress(
            Progress(
                "teach", self.taught.steps, total, None if left is None else max(0.0, left), told
            )
        )

    def _halve(self, error: BaseException) -> None:
        """Go on with half the batch; what is not for want of memory is raised again."""
        words = str(error).lower()
        if "cuda error" in words or "device-side" in words:
            raise TrainingError(
                "The GPU went away during training; the last checkpoint is kept.",
                "Resume the run on the CPU, or when the GPU is back.",
            ) from error
        short = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not short and "out of memory" not in words and "can't allocate" not in words:
            raise error
        self.optimiser.zero_grad(set_to_none=True)
        self.shelf = []
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.taught.batch == 1:
            raise OutOfMemory(
                "Not even one image at a time fits into memory.", "Choose a smaller detector."
            ) from error
        self.taught.halved.append(self.taught.batch)
        self.taught.batch //= 2

    @contextlib.contextmanager
    def _precision(self) -> Iterator[None]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half_precision):
            yield

    def _is_half_faster(self) -> bool:
        """Time two steps in either precision, without taking them, and say which to use.

        Only the quick detector is tried on a CPU: the others' operators have no half there.
        """
        if self.device.type == "cpu" and not isinstance(self.detector, Quick):
            return False
        if self.lesson.steps is not None and self.device.type == "cpu":
            return False  # asked for the same weights again: the clock has no say
        kept = {k: v.clone() for k, v in self.network.state_dict().items()}
        shelf = self.shelf
        took = []
        for half in (False, True):
            self.half_precision = half
            took.append(min(self._timed(i) for i in range(2)))
            self.network.load_state_dict(kept)
        self.shelf = shelf
        self.optimiser.zero_grad(set_to_none=True)
        return took[1] < took[0]

    def _timed(self, i: int) -> float:
        generator = torch.Generator().manual_seed(i)
        _learning_mode(self.network)
        started = time.process_time() if self.device.type == "cpu" else time.perf_counter()
        with self._precision():
            loss = sum(self._losses(generator).values(), torch.zeros((), device=self.device))
        loss.backward()  # type: ignore[no-untyped-call]
        if self.device.type == "cuda":
            torch.cuda.synchronize()
            return time.perf_counter() - started
        return time.process_time() - started

    def _save(self) -> None:
        named = self.optimiser.state_dict()["state"]
        memory = {f"{i}.{key}": value for i, row in named.items() for key, value in row.items()}
        tensors = {f"now.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"mean.{k}": v for k, v in self.mean.items()}
        facts = {"seconds": self._seconds(), "batch": self.taught.batch, "mark": self.lesson.mark}
        save_state(self.lesson.folder, State(self.taught.steps, tensors, memory, facts))

    def _restore(self) -> None:
        state = newest_state(self.lesson.folder)
        if state is None:
            return
        if state.facts.get("mark") != self.lesson.mark:
            raise BadCheckpoint(
                "The checkpoint is of a run with other labels, settings or another detector.",
                "Start the run again without resuming it.",
            )
        self.network.load_state_dict(_part(state.tensors, "now."))
        self.mean = {k: v.to(self.device) for k, v in _part(state.tensors, "mean.").items()}
        self.good = {k: v.clone() for k, v in self.mean.items()}
        self.taught.steps = state.step
        self.taught.batch = int(str(state.facts["batch"]))
        self.before = self.taught.seconds_to_best = float(str(state.facts["seconds"]))
        memory: dict[int, dict[str, Tensor]] = {}
        for name, value in state.optimiser.items():
            place, key = name.split(".", 1)
            memory.setdefault(int(place), {})[key] = value
        doc = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**doc, "state": memory})


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _learning_mode(network: nn.Module) -> None:
    """Let it learn, but for the statistics of batch norm that came with its weights."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and not any(
            p.requires_grad for p in module.parameters()
        ):
            module.eval()
