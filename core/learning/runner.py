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
from core.learning.backbones import Backbone, Extractor, extractor_of, fused, stages_of

# Two photos differ by 0.3 and more; what is faster may move a vector by 0.002, so the least of a
# few sample images keeps some distance from that.
_SAME_DIRECTION = 0.9985
_WORTH_IT = 1.15
_WAYS = ("bfloat16", "mixed")
PRECISIONS = ("float32", *_WAYS)
_EARLY = 5
"""In ``mixed`` the first fifth of the stages stays in float32: rounding there grows on its way."""


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
        """Run in ``float32``, ``bfloat16`` or ``mixed`` from now on."""
        self._extractor = _in_precision(_quickest(self._backbone, self.device), precision)

    def fastest(self, sample: Tensor) -> str:
        """Return the precision that two timed steps show fastest, of those whose vectors agree."""
        sample = sample.to(self.device)
        plain = _quickest(self._backbone, self.device)
        best, least = "float32", 0.0
        for way in _WAYS:
            try:
                other = _in_precision(_quickest(self._backbone, self.device), way)
                if not _agree(plain, other, sample):
                    continue
                seconds = _seconds(other, sample)
                least = least or _seconds(plain, sample) / _WORTH_IT
            except RuntimeError:  # an operation without a bfloat16 kernel here
                continue
            if seconds < least:
                best, least = way, seconds
        return best

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


def _in_precision(extractor: Extractor, precision: str) -> Extractor:
    """Convert an extractor's network in place."""
    if precision == "float32":
        return extractor
    network = extractor.network.to(torch.bfloat16)
    if precision == "mixed":
        stages = stages_of(network)
        first = max(1, len(stages) // _EARLY)
        for stage in stages[:first]:
            stage.to(torch.float32)
        if first < len(stages):
            stages[first].register_forward_pre_hook(_round_inputs)
    return extractor


def _round_inputs(module: object, inputs: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(x.to(torch.bfloat16) if isinstance(x, Tensor) else x for x in inputs)


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


def is_gone(error: BaseException) -> bool:
    """Return whether an error says that the device is no longer there."""
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
