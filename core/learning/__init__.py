"""Learning: labels to model, model to predictions. Values and folders in and out, no database.

Importing this package does not import torch; calling `train` or `predict` does.
"""

from core.learning.serving import predict
from core.learning.training import train
from core.learning.values import (
    Evaluation,
    Example,
    ImageRef,
    Predictions,
    Progress,
    StopRequested,
    TrainingReport,
    TrainingRequest,
)

__all__ = [
    "Evaluation",
    "Example",
    "ImageRef",
    "Predictions",
    "Progress",
    "StopRequested",
    "TrainingReport",
    "TrainingRequest",
    "predict",
    "train",
]
