"""The network in the fastest form that still gives the same vectors on this machine."""

from __future__ import annotations

import copy
import threading
import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.errors import OutOfMemory
from core.learning.backbones import Backbone, Extractor, extractor_of, fused

# Two photos differ by 0.3 and more; bfloat16 moves a vector by less than 0.01.
_SAME_DIRECTION = 0.99
_WORTH_IT = 1.15


class Runner:
    """Runs batches, from several threads at once on the CPU, one at a time on a GPU.

    Args:
        backbone: The network; it is copied.
        device: Where to run.
    """

    def __init__(self, backbone: Backbone, device: torch.device) -> None:
        self.device = device
        self._backbone = backbone
        self.largest = 1_024
        self._one_at_a_time = threading.Lock()
        self._extractor = _quickest(backbone, device)

    def use(self, precision: str) -> None:
        """Run in ``float32`` or ``bfloat16`` from now on."""
        self._extractor.network.to(getattr(torch, precision))

    def fastest(self, sample: Tensor) -> str:
        """Return ``bfloat16`` where two timed steps show it faster and its vectors agree."""
        other = _quickest(self._backbone, self.device)
        other.network.to(torch.bfloat16)
        sample = sample.to(self.device)
        try:
            if not _agree(self._extractor, other, sample):
                return "float32"
            gain = _seconds(self._extractor, sample) / _seconds(other, sample)
        except RuntimeError:  # an operation without a bfloat16 kernel here
            return "float32"
        return "bfloat16" if gain > _WORTH_IT else "float32"

    def __call__(self, pixels: Tensor) -> np.ndarray:
        """Return float16 vectors, halving the batch for as long as memory runs out.

        Raises:
            OutOfMemory: There is no room for a single image.
        """
        limit = min(self.largest, len(pixels))
        try:
            return np.concatenate([self._run(p) for p in torch.split(pixels, limit)])
        except (MemoryError, RuntimeError) as e:
            if not is_memory(e):
                raise
            if limit <= 1:
                raise OutOfMemory(
                    "The device has no memory left for a single image.",
                    "Close other programs on it, or choose a smaller backbone.",
                ) from e
        self.largest = limit // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return self(pixels)

    def _run(self, pixels: Tensor) -> np.ndarray:
        with torch.inference_mode():
            if self.device.type == "cpu":
                out = self._extractor(pixels)
            else:
                with self._one_at_a_time:
                    out = self._extractor(pixels.to(self.device))
            return np.asarray(out.to(device="cpu", dtype=torch.float16))


def _quickest(backbone: Backbone, device: torch.device) -> Extractor:
    """Fold batch norms where that provably changes nothing, and lay channels last."""
    plain = extractor_of(backbone)
    quick = extractor_of(replace(backbone, network=fused(copy.deepcopy(backbone.network))))
    noise = torch.randint(
        256, (1, 3, backbone.size, backbone.size), generator=torch.Generator().manual_seed(0)
    )
    chosen = quick if _agree(plain, quick, noise, 0.9999) else plain
    return chosen.to(device).to(memory_format=torch.channels_last)


def _agree(
    one: Extractor, other: Extractor, sample: Tensor, bound: float = _SAME_DIRECTION
) -> bool:
    with torch.inference_mode():
        a, b = one(sample), other(sample)
    return bool((torch.nn.functional.cosine_similarity(a, b) > bound).all())


def _seconds(extractor: Extractor, sample: Tensor) -> float:
    """Return the best of two timed calls; the agreement check has warmed both up.

    On the CPU it is this thread's own time: what else the machine does must not decide.
    """
    clock = time.thread_time if sample.device.type == "cpu" else time.perf_counter
    times = []
    with torch.inference_mode():
        for _ in range(2):
            started = clock()
            extractor(sample).sum().item()
            times.append(clock() - started)
    return max(min(times), 1e-9)


def is_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on whichever device."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or "allocate memory" in str(error) or "out of memory" in str(error)
