"""Model and images to predictions, by the same preprocessing as in training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadCheckpoint
from core.learning.model_store import StoredModel, load_model
from core.learning.values import (
    ImageRef,
    OnProgress,
    Predictions,
    Progress,
    ShouldStop,
    never_stop,
    no_progress,
)

if TYPE_CHECKING:
    from core.learning.backbones import Backbone


def predict(
    model_folder: Path,
    images: Sequence[ImageRef],
    cache: Path,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> Predictions:
    """Return what a stored model says of the images, in their order, unreadable ones left out.

    Raises:
        BadCheckpoint: The model's folder or its backbone's weights are missing or changed.
        StopRequested: ``should_stop`` said so; what was embedded stays in the cache.
    """
    model = load_model(model_folder)
    if not images:
        nothing = np.zeros((0, len(model.classes)), dtype=np.float32)
        return Predictions(np.zeros(0, dtype=np.int64), nothing, model.classes)
    from core.learning.embed import embed

    embedded = embed(images, _backbone(model), cache, progress, should_stop)
    ids = np.array([i.item_id for i in images], dtype=np.int64)[embedded.usable]
    table = model.head.probabilities(embedded.vectors[embedded.usable])
    progress(Progress("predict", len(ids), len(images), 0.0))
    return Predictions(
        ids, table, model.classes, embedded.skipped, model.head.several, model.head.thresholds
    )


def _backbone(model: StoredModel) -> Backbone:
    """Return the network the model was trained on, and no other."""
    from core.learning.backbones import TUNED, pretrained, tuned_backbone
    from core.learning.embed import cache_key
    from core.learning.selftrained import from_own_weights

    config = model.config
    if config["weights"] == TUNED:
        backbone = tuned_backbone(config, model.backbone_weights)
    elif model.backbone_weights:
        backbone = from_own_weights(model.backbone_weights, str(config["weights_hash"]))
    else:
        file = str(config["weights_file"])
        found = pretrained(str(config["backbone"]), False, Path(file) if file else None)
        if found is None:
            raise BadCheckpoint(
                f"The weights of {config['backbone']} this model stands on are no longer at hand.",
                "Put them back into torch's cache, or train again.",
            )
        backbone = found
    if cache_key(backbone) != config["cache_key"]:
        raise BadCheckpoint(
            f"The model was trained on other weights of {config['backbone']} or another "
            f"preprocessing: {cache_key(backbone)}, expected {config['cache_key']}.",
            "Train again, or put the former weights back.",
        )
    return backbone
