"""Images to feature vectors: decoding and the network overlap, and nothing is done twice."""

from __future__ import annotations

import copy
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import BadImage, OutOfMemory, TrainingError
from core.learning.backbones import FEATURES, Backbone, Extractor, device_at_hand, fused
from core.learning.cache import EmbeddingCache
from core.learning.files import write_durably
from core.learning.preprocess import PREPROCESSING, load_pixels
from core.learning.values import ImageRef, OnProgress, Progress, ShouldStop, StopRequested

_BATCH = {"cpu": 16, "cuda": 256}
_FLUSH_EVERY = 2_048
_SAME_DIRECTION = 0.999
_WORTH_IT = 1.15


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of some images.

    Attributes:
        vectors: float16, shape (n, width); zeros where the image could not be read.
        usable: bool, shape (n,).
        skipped: Reason by item, for images that could not be read.
        images_per_second: Of the images that were not in the cache; None if all were.
        device: Where the network ran, or would have.
    """

    vectors: np.ndarray
    usable: np.ndarray
    skipped: dict[int, str] = field(default_factory=dict)
    images_per_second: float | None = None
    device: str = "cpu"


def cache_key(backbone: Backbone) -> str:
    """Return the name under which a backbone's vectors are cached."""
    return f"{backbone.weights_hash[:24]}-{backbone.size}-{FEATURES}-{PREPROCESSING}"


def embed(
    images: Sequence[ImageRef],
    backbone: Backbone,
    cache_folder: Path,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Embedded:
    """Return the vectors of the images, from the cache where they are in it.

    An image that cannot be read is reported and left out; it does not stop the pass.

    Raises:
        OutOfMemory: The device cannot take a single image.
        TrainingError: The network gives NaN.
        DiskFull: The cache cannot be written.
        StopRequested: ``should_stop`` said so; what was done so far is in the cache.
    """
    plain = Extractor(copy.deepcopy(backbone.network)).eval()
    cache = EmbeddingCache(cache_folder, cache_key(backbone), _width(plain, backbone.size))
    cache.merge()
    device = device_at_hand()
    vectors, usable = cache.read([i.content_hash for i in images])
    missing = np.flatnonzero(~usable)
    if not len(missing):
        return Embedded(vectors, usable, device=device.type)
    work = _Pass(images, vectors, usable, cache)
    started = time.monotonic()
    runner: _Runner | None = None
    try:
        for rows, pixels, reasons in _decoded(images, missing, backbone.size, device):
            if rows:
                runner = runner or _Runner(backbone, pixels, cache.folder, device)
                work.take(rows, runner(pixels))
            work.skipped.update(reasons)
            rate = work.done / max(time.monotonic() - started, 1e-6)
            left = (len(missing) - work.done) / max(rate, 1e-6)
            progress(Progress("embed", work.done, len(missing), left))
            if should_stop():
                raise StopRequested
    finally:
        work.store()
    rate = work.stored / (time.monotonic() - started)
    return Embedded(vectors, usable, work.skipped, rate, device.type)


@dataclass(slots=True)
class _Pass:
    """What one pass has done so far; stored every few thousand images."""

    images: Sequence[ImageRef]
    vectors: np.ndarray
    usable: np.ndarray
    cache: EmbeddingCache
    skipped: dict[int, str] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    stored: int = 0

    @property
    def done(self) -> int:
        return self.stored + len(self.pending) + len(self.skipped)

    def take(self, rows: list[int], vectors: np.ndarray) -> None:
        if not np.isfinite(vectors).all():
            raise TrainingError(
                "The backbone gave NaN for an image.", "Check its weights or choose another."
            )
        self.vectors[rows] = vectors
        self.usable[rows] = True
        self.pending += rows
        if len(self.pending) >= _FLUSH_EVERY:
            self.store()

    def store(self) -> None:
        hashes = [self.images[r].content_hash for r in self.pending]
        self.cache.add(hashes, self.vectors[self.pending])
        self.stored += len(self.pending)
        self.pending = []


def _width(extractor: Extractor, size: int) -> int:
    with torch.inference_mode():
        return int(extractor(torch.zeros(1, 3, size, size, dtype=torch.uint8)).shape[1])


def _decoded(
    images: Sequence[ImageRef], rows: np.ndarray, size: int, device: torch.device
) -> Iterator[tuple[list[int], Tensor, dict[int, str]]]:
    """Yield batches in order while the next ones are being decoded by threads."""
    batch = _BATCH[device.type]
    starts = deque(range(0, len(rows), batch))
    queue: deque[tuple[np.ndarray, list[Future[np.ndarray]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        try:
            while starts or queue:
                while starts and len(queue) < 3:
                    part = rows[(at := starts.popleft()) : at + batch]
                    work = [threads.submit(load_pixels, images[r].path, size) for r in part]
                    queue.append((part, work))
                yield _gather(images, *queue.popleft())
        finally:
            threads.shutdown(cancel_futures=True)


def _gather(
    images: Sequence[ImageRef], rows: np.ndarray, work: list[Future[np.ndarray]]
) -> tuple[list[int], Tensor, dict[int, str]]:
    good: list[int] = []
    pixels: list[np.ndarray] = []
    reasons: dict[int, str] = {}
    for row, future in zip(rows.tolist(), work, strict=True):
        try:
            pixels.append(future.result())
            good.append(row)
        except BadImage as e:
            reasons[images[row].item_id] = e.message
    stacked = np.stack(pixels) if pixels else np.zeros((0, 1, 1, 3), np.uint8)
    return good, torch.from_numpy(stacked).permute(0, 3, 1, 2), reasons


class _Runner:
    """The network in the fastest form that gives the same vectors on this machine."""

    def __init__(
        self, backbone: Backbone, sample: Tensor, folder: Path, device: torch.device
    ) -> None:
        self.device = device
        self.limit = len(sample)
        # An extractor hangs hooks on its network, so each gets a network of its own.
        plain = Extractor(copy.deepcopy(backbone.network)).eval()
        quick = Extractor(fused(copy.deepcopy(backbone.network))).eval()
        if not _agree(plain, quick, sample[:2]):
            quick = plain
        self.extractor = quick.to(self.device).to(memory_format=torch.channels_last)
        # The choice is timed once per cache, so that a later run cannot choose otherwise
        # and mix vectors of two precisions.
        note = folder / f"precision-{device.type}"
        choice = note.read_text() if note.is_file() else self._choose(sample[:8])
        if not note.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(note, choice.encode())
        if choice == "bfloat16":
            self.extractor.network.to(torch.bfloat16)

    def __call__(self, pixels: Tensor) -> np.ndarray:
        """Return float16 vectors, halving the batch for as long as memory runs out."""
        try:
            parts = [self._run(p) for p in torch.split(pixels, self.limit)]
            return np.concatenate(parts)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as e:
            if not _is_memory(e):
                raise
            if self.limit <= 1:
                raise OutOfMemory(
                    "The device has no memory left for a single image.",
                    "Close other programs on it, or choose a smaller backbone.",
                ) from e
        self.limit = max(1, self.limit // 2)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return self(pixels)

    def _run(self, pixels: Tensor) -> np.ndarray:
        with torch.inference_mode():
            out = self.extractor(pixels.to(self.device))
            return np.asarray(out.to(device="cpu", dtype=torch.float16))

    def _choose(self, sample: Tensor) -> str:
        half = copy.deepcopy(self.extractor)
        half.network.to(torch.bfloat16)
        sample = sample.to(self.device)
        try:
            if not _agree(self.extractor, half, sample):
                return "float32"
            full_seconds, half_seconds = (
                _seconds(partial(m, sample), self.device) for m in (self.extractor, half)
            )
        except RuntimeError:  # an operation without a bfloat16 kernel here
            return "float32"
        return "bfloat16" if full_seconds > _WORTH_IT * half_seconds else "float32"


def _agree(one: Extractor, other: Extractor, sample: Tensor) -> bool:
    with torch.inference_mode():
        a, b = one(sample), other(sample)
    return bool((torch.nn.functional.cosine_similarity(a, b) > _SAME_DIRECTION).all())


def _seconds(call: Callable[[], Tensor], device: torch.device) -> float:
    """Return the best of two timed calls; the agreement check has warmed both up.

    On the CPU it is this thread's own time: what else the machine does must not decide.
    """
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    times = []
    with torch.inference_mode():
        for _ in range(2):
            started = clock()
            call().sum().item()
            times.append(clock() - started)
    return min(times)


def _is_memory(error: BaseException) -> bool:
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or "allocate memory" in str(error) or "out of memory" in str(error)
