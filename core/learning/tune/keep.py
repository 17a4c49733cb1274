"""The model that is kept: the network and one linear layer on its unit vectors, as for a probe.

So serving embeds and multiplies, whatever taught the network.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import save as serialize

from core.learning.backbones import TUNED, Backbone
from core.learning.embed import cache_key
from core.learning.model_store import save_model
from core.learning.preprocess import PREPROCESSING
from core.learning.probe import Head, temperature_of
from core.learning.selftrained import own_weights
from core.learning.states import drop_states
from core.learning.tune.values import Lesson, Tuned, TuneSettings
from core.learning.values import Predictions, TrainingReport, TrainingRequest


def tuned_backbone(backbone: Backbone, tuned: Tuned, size: int) -> Backbone:
    """Return the network as it was taught; the one it began with is changed."""
    network = backbone.network
    network.load_state_dict(dict(tuned.network))
    plain = {k: v.contiguous() for k, v in sorted(tuned.network.items())}
    digest = hashlib.sha256(serialize(plain)).hexdigest()
    return Backbone(backbone.name, network.eval().cpu(), TUNED, digest, size)


def head_of(tuned: Tuned, lesson: Lesson) -> Head:
    """Return the last layer with the temperature that fits the rows held out; 1 without any."""
    temperature = 1.0
    if len(lesson.judged):
        temperature = temperature_of(
            tuned.judged_scores, lesson.targets[lesson.judged], lesson.several
        )
    return Head(tuned.head_weight, tuned.head_bias, temperature, lesson.several)


def keep_model(
    request: TrainingRequest,
    backbone: Backbone,
    head: Head,
    settings: TuneSettings,
    predictions: Predictions,
    report: TrainingReport,
) -> None:
    """Write the model into the request's folder.

    Raises:
        DiskFull: It could not be written.
    """
    config = {
        "classes": list(request.classes),
        "backbone": request.backbone,
        "network": backbone.name,
        "size": backbone.size,
        "weights": TUNED,
        "weights_hash": backbone.weights_hash,
        "weights_file": str(request.weights or ""),
        "cache_key": cache_key(backbone),
        "preprocessing": PREPROCESSING,
        "width": int(head.weight.shape[1]),
        "mode": request.mode,
        "several": request.several,
        "seed": request.seed,
        "recipe": settings.recipe.to_dict(),
        "rate": settings.rate,
        "decay": settings.decay,
    }
    save_model(request.folder, config, head, own_weights(backbone), predictions, report)


def drop_checkpoints(folder: Path) -> None:
    """Drop the checkpoints of a run and of its students; a model is there now."""
    for part in (folder, *sorted(folder.glob("round-*"))):
        drop_states(part)
