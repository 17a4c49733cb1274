"""Detectors: images with regions to model, model to regions. Values and folders in and out, no database.

Importing this package does not import torch; calling `train_detector` or `predict_regions` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.learning.detect.match import TradeRow, item_right, trade
from core.learning.detect.said import read_regions
from core.learning.detect.values import (
    BoxScore,
    ClassScore,
    DetectReport,
    DetectRequest,
    RegionPredictions,
)
from core.learning.values import (
    ImageRef,
    OnProgress,
    ShouldStop,
    never_stop,
    no_progress,
)

__all__ = [
    "BoxScore",
    "ClassScore",
    "DetectReport",
    "DetectRequest",
    "RegionPredictions",
    "TradeRow",
    "item_right",
    "predict_regions",
    "read_regions",
    "trade",
    "train_detector",
]


def train_detector(
    request: DetectRequest,
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> DetectReport:
    """Train, judge and save a detector; see `core.learning.detect.train`.

    Raises:
        TiebreakError: As told there.
    """
    from core.learning.detect.train import train_detector as train

    return train(request, progress, should_stop)


def predict_regions(
    folder: Path,
    images: Sequence[ImageRef],
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> RegionPredictions:
    """Return what a stored detector says of the images; see `core.learning.detect.predict`.

    Raises:
        BadCheckpoint: The model's folder is missing, changed or damaged.
        StopRequested: ``should_stop`` said so.
    """
    from core.learning.detect.predict import predict_regions as predict

    return predict(folder, images, progress, should_stop)
