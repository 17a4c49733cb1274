"""The embeddings of a set of images, from the cache or made now. Free of torch until called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.learning.values import ImageRef, OnProgress, ShouldStop, never_stop, no_progress


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of what could be read.

    Attributes:
        item_ids: int64, shape (n,).
        rows: float32, shape (n, width).
        notice: A plain sentence a person should read, or empty.
        skipped: How many images could not be read.
        cache_key: Names the embeddings in the cache.
    """

    item_ids: np.ndarray
    rows: np.ndarray
    notice: str
    skipped: int
    cache_key: str = ""


def vectors_of(
    images: Sequence[ImageRef],
    backbone: str,
    cache: Path,
    offline: bool = False,
    self_training_seconds: float = 75.0,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
    learn_from: Sequence[ImageRef] | None = None,
) -> Vectors:
    """Return the images' embeddings under a backbone; where no weights are at hand, under one's own.

    Args:
        learn_from: What one's own network may be taught on; the images themselves by default.

    Raises:
        BadCheckpoint: The backbone is unknown or its weights cannot be used.
        EmptyTrainingSet: No weights are at hand and there is too little to teach a network on.
        TrainingError: The network gives NaN.
        DiskFull: The cache cannot be written.
        StopRequested: `should_stop` said so; what was done so far is in the cache.
    """
    from core.learning.backbones import pretrained
    from core.learning.embed import cache_key, embed
    from core.learning.selftrained import self_trained

    network = pretrained(backbone, offline, None) or self_trained(
        images if learn_from is None else learn_from,
        cache,
        0,
        progress,
        should_stop,
        self_training_seconds,
    )
    found = embed(images, network, cache, progress, should_stop)
    ids = np.array([i.item_id for i in images], dtype=np.int64)[found.usable]
    rows = np.asarray(found.vectors[found.usable], dtype=np.float32)
    return Vectors(ids, rows, network.notice, len(found.skipped), cache_key(network))
