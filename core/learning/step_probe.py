"""Which way of taking a training step is fastest on this machine: timed, never believed."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.learning.files import write_durably

_WORTH_IT = 1.1
_NEAR = 0.05


@dataclass(frozen=True, slots=True)
class Precision:
    """How steps compute.

    Attributes:
        bfloat16: Products in bfloat16, sums and weights in float32.
        channels_last: Pixels beside pixels' channels in memory.
    """

    bfloat16: bool = False
    channels_last: bool = False

    def cast(self, device: str) -> AbstractContextManager[object]:
        """Return the context in which the forward pass runs."""
        return torch.autocast(device, torch.bfloat16) if self.bfloat16 else nullcontext()

    def laid(self, x: Tensor) -> Tensor:
        """Return a batch in the layout chosen."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return x.contiguous(memory_format=layout)

    def to_dict(self) -> dict[str, bool]:
        """Return it as JSON-ready values."""
        return asdict(self)


WAYS = (
    Precision(False, False),
    Precision(False, True),
    Precision(True, True),
)


def fastest_step(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    several: bool,
    losses: Callable[[Tensor, Tensor, bool], Tensor],
    cache: Path | None = None,
) -> tuple[Precision, float]:
    """Return the fastest way whose loss agrees with plain float32, and a step's seconds.

    Two steps are timed each, after one to warm up. What was chosen is kept in the cache folder
    for network, batch and device, so that the next run with the same seed computes the same.
    """
    note = _note(model, x, cache)
    kept = _kept(note)
    timed: dict[Precision, tuple[float, float]] = {}
    for way in (kept,) if kept is not None else WAYS:
        try:
            timed[way] = _timed(model, x, targets, several, losses, way)
        except RuntimeError as error:
            if way == WAYS[0] or "memory" in str(error):
                raise
    if kept is not None:
        return kept, timed[kept][0]
    plain_seconds, plain_loss = timed[WAYS[0]]
    best = WAYS[0]
    for way, (seconds, loss) in timed.items():
        agrees = abs(loss - plain_loss) <= _NEAR * max(1.0, abs(plain_loss))
        if agrees and seconds * _WORTH_IT < plain_seconds and seconds < timed[best][0]:
            best = way
    if note is not None:
        write_durably(note, json.dumps(best.to_dict()).encode())
    return best, timed[best][0]


def _timed(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    several: bool,
    losses: Callable[[Tensor, Tensor, bool], Tensor],
    way: Precision,
) -> tuple[float, float]:
    """Return the better of two steps' seconds and the loss, on a copy of the model."""
    layout = torch.channels_last if way.channels_last else torch.contiguous_format
    copied = copy.deepcopy(model).eval().to(memory_format=layout)
    batch = way.laid(x)
    times, loss = [], 0.0
    for _ in range(3):
        started = time.perf_counter()
        with way.cast(x.device.type):
            scores = copied(batch)
        total = losses(scores.float(), targets, several).mean()
        total.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        loss = total.item()
        times.append(time.perf_counter() - started)
    return min(times[1:]), loss


def _note(model: nn.Module, x: Tensor, cache: Path | None) -> Path | None:
    if cache is None:
        return None
    shapes = sum(hash(tuple(p.shape)) % 99_991 for p in model.parameters())
    name = f"step-{shapes}-{'x'.join(map(str, x.shape))}-{x.device.type}-{torch.get_num_threads()}"
    return cache / "precision" / f"{name}.json"


def _kept(note: Path | None) -> Precision | None:
    if note is None:
        return None
    try:
        return Precision(**json.loads(note.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
