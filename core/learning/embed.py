"""Images to feature vectors: decoding and the network overlap, and nothing is done twice."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import BadImage, TrainingError
from core.learning.backbones import Backbone, device_at_hand, extractor_of, features_of
from core.learning.cache import EmbeddingCache
from core.learning.files import write_durably
from core.learning.preprocess import PREPROCESSING, load_pixels, quiet_decoding
from core.learning.runner import PRECISIONS, Runner
from core.learning.values import ImageRef, OnProgress, Progress, ShouldStop, StopRequested

_BATCH = {"cpu": 8, "cuda": 64}
_FLUSH_EVERY = 2_048
_NOTE = "precision-2"
"""Names the rule by which a precision is chosen: what was noted by an older one is timed again."""


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
    return f"{backbone.weights_hash[:24]}-{backbone.size}-{features_of(backbone)}-{PREPROCESSING}"


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
    with _one_thread_each(), quiet_decoding():
        return _embed(images, backbone, cache_folder, progress, should_stop)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let torch use one core per call: we run as many calls at once as there are cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _embed(
    images: Sequence[ImageRef],
    backbone: Backbone,
    cache_folder: Path,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Embedded:
    device = device_at_hand()
    cache = EmbeddingCache(cache_folder, cache_key(backbone), _width(backbone))
    cache.merge()
    vectors, usable = cache.read([i.content_hash for i in images])
    missing = np.flatnonzero(~usable)
    if not len(missing):
        return Embedded(vectors, usable, device=device.type)
    work = _Pass(images, vectors, usable, cache)
    runner = Runner(backbone, device)
    runner.use(_precision(runner, images, missing, backbone.size, cache.folder))
    started = time.monotonic()
    try:
        for batch in _batches(images, missing, backbone.size, runner):
            work.take(batch)
            rate = work.done / max(time.monotonic() - started, 1e-6)
            left = (len(missing) - work.done) / rate
            progress(Progress("embed", work.done, len(missing), left))
            if should_stop():
                raise StopRequested
    finally:
        work.store()
    rate = work.stored / max(time.monotonic() - started, 1e-6)
    return Embedded(vectors, usable, work.skipped, rate, device.type)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows that could be read, their vectors, and why the others could not."""

    rows: list[int]
    vectors: np.ndarray
    skipped: dict[int, str]


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

    def take(self, batch: _Batch) -> None:
        if not np.isfinite(batch.vectors).all():
            raise TrainingError(
                "The backbone gave NaN for an image.", "Check its weights or choose another."
            )
        self.skipped.update(batch.skipped)
        if batch.rows:
            self.vectors[batch.rows] = batch.vectors
            self.usable[batch.rows] = True
            self.pending += batch.rows
        if len(self.pending) >= _FLUSH_EVERY:
            self.store()

    def store(self) -> None:
        hashes = [self.images[r].content_hash for r in self.pending]
        self.cache.add(hashes, self.vectors[self.pending])
        self.stored += len(self.pending)
        self.pending = []


def _width(backbone: Backbone) -> int:
    blank = torch.zeros(1, 3, backbone.size, backbone.size, dtype=torch.uint8)
    with torch.inference_mode():
        return int(extractor_of(backbone)(blank).shape[1])


def _precision(
    runner: Runner, images: Sequence[ImageRef], rows: np.ndarray, size: int, folder: Path
) -> str:
    """Return the precision that was timed once for this cache.

    It is kept beside the vectors, so that a later run cannot time otherwise and mix two.
    """
    note = folder / f"{_NOTE}-{runner.device.type}"
    if note.is_file() and (kept := note.read_text()) in PRECISIONS:
        return kept
    sample = _read([images[r] for r in rows[:8]], size)[1]
    choice = runner.fastest(sample) if len(sample) else "float32"
    write_durably(note, choice.encode())
    return choice


def _batches(
    images: Sequence[ImageRef], rows: np.ndarray, size: int, runner: Runner
) -> Iterator[_Batch]:
    """Yield batches in order while others are being worked on.

    Each thread decodes a batch and runs it, on one core, so decoding and network overlap and
    no core waits for another; that also holds up best on a busy machine.
    """

    def work(part: np.ndarray) -> _Batch:
        good, pixels, skipped = _read([images[r] for r in part], size)
        vectors = runner(pixels) if good else np.zeros((0, 0), np.float16)
        return _Batch(part[good].tolist(), vectors, skipped)

    step = _BATCH[runner.device.type]
    parts = deque(rows[at : at + step] for at in range(0, len(rows), step))
    workers = os.cpu_count() or 1
    queue: deque[Future[_Batch]] = deque()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        try:
            while parts or queue:
                while parts and len(queue) <= workers:
                    queue.append(threads.submit(work, parts.popleft()))
                yield queue.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)


def _read(images: Sequence[ImageRef], size: int) -> tuple[list[int], Tensor, dict[int, str]]:
    """Return which images could be read, their pixels, uint8 (n, 3, size, size), and why not."""
    good: list[int] = []
    pixels: list[np.ndarray] = []
    skipped: dict[int, str] = {}
    for at, image in enumerate(images):
        try:
            pixels.append(load_pixels(image.path, size))
            good.append(at)
        except BadImage as e:
            skipped[image.item_id] = e.message
    stacked = np.stack(pixels) if pixels else np.zeros((0, size, size, 3), np.uint8)
    return good, torch.from_numpy(stacked).permute(0, 3, 1, 2), skipped
