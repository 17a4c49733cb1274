"""What other packages may read of a run: predictions and embeddings. Free of torch, checked to be.

No other package opens a run's files by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import BadCheckpoint
from core.learning.cache import EmbeddingCache
from core.learning.model_store import PREDICTIONS
from core.learning.values import Predictions


def read_predictions(folder: Path) -> Predictions:
    """Return what the model in a run folder says of every item, in order of item.

    A training item's row is what the model said of it before it had seen its label.

    Raises:
        BadCheckpoint: The file is missing or damaged.
    """
    try:
        table = pq.read_table(folder / PREDICTIONS)
        classes = tuple(json.loads(table.schema.metadata[b"classes"]))
        flat = table.column("probabilities").combine_chunks().flatten().to_numpy()
        ids = table.column("item_id").to_numpy()
        several = json.loads(table.schema.metadata.get(b"several", b"false"))
        thresholds = tuple(json.loads(table.schema.metadata.get(b"thresholds", b"[]")))
        probabilities = flat.reshape(len(ids), len(classes))
        return Predictions(ids, probabilities, classes, {}, several, thresholds)
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as e:
        raise BadCheckpoint(
            f"The predictions of run {folder.name} are missing or damaged: {str(e)[:200]}.",
            "Run the prediction again.",
        ) from e


def read_embeddings(
    folder: Path, cache: Path, content_hashes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors a run's model was trained on, and which of them are in the cache.

    Returns:
        float16, shape (n, width), unit length; and bool, shape (n,).

    Raises:
        BadCheckpoint: The run has no finished model.
    """
    return _store(folder, cache).read(content_hashes)


def embedding_shards(folder: Path, cache: Path) -> tuple[str, ...]:
    """Return the names of the files that hold those vectors; other names, other vectors.

    Raises:
        BadCheckpoint: The run has no finished model.
    """
    return tuple(sorted(p.name for p in _store(folder, cache).folder.glob("*.keys.npy")))


def is_self_taught(folder: Path) -> bool:
    """Return whether a run's network was taught on the project's own images, for want of weights."""
    try:
        return bool(json.loads((folder / "config.json").read_bytes())["weights"] == "self-trained")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _store(folder: Path, cache: Path) -> EmbeddingCache:
    try:
        config = json.loads((folder / "config.json").read_bytes())
        return EmbeddingCache(cache, config["cache_key"], int(config["width"]))
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise BadCheckpoint(
            f"There is no finished model in {folder.name}.", "Choose another model version."
        ) from e
