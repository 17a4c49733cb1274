"""A trained detector as a folder, written once and checked on every load.

config.json          what it was trained with
report.json          what came out
model.safetensors    all its weights
regions.json         what it says of the images it was judged by
manifest.json        SHA-256 of the others; written last, so a folder without it is unfinished
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from core.errors import BadCheckpoint, InputError
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.learning.backbones import device_at_hand
from core.learning.checkpoints import load_into
from core.learning.detect.models import Detector, Plan, built
from core.learning.detect.said import ADVICE, FORMAT, REGIONS, checked_file, digests_of
from core.learning.detect.trunks import empty_trunk
from core.learning.detect.values import DetectReport
from core.learning.files import write_durably
from core.learning.model_store import MANIFEST

_CONFIG, _REPORT, _MODEL = "config.json", "report.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class StoredDetector:
    """A detector as it stands in its folder, ready to be asked."""

    detector: Detector
    classes: tuple[str, ...]
    shape: Shape
    size: int
    threshold: float
    any_way_up: bool = False


def is_detector(folder: Path) -> bool:
    """Say whether the folder holds a detector, whole or not."""
    return (folder / REGIONS).exists()


def save_detector(
    folder: Path,
    config: Mapping[str, object],
    detector: Detector,
    regions: Mapping[int, Sequence[Region]],
    report: DetectReport,
) -> None:
    """Write the model's folder; until the last file is in place there is no model.

    Raises:
        DiskFull: Something could not be written.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    tensors = {
        k: v.detach().cpu().contiguous().clone() for k, v in detector.network.state_dict().items()
    }
    said = {str(i): Answer(regions=tuple(r)).to_dict()["regions"] for i, r in regions.items()}
    files = {
        _CONFIG: _json({**config, "format": FORMAT}),
        _REPORT: _json(report.to_dict()),
        _MODEL: save(tensors),
        REGIONS: _json(said, None),
    }
    for name, data in files.items():
        write_durably(folder / name, data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    write_durably(folder / MANIFEST, _json({"format": FORMAT, "sha256": digests}))


def load_detector(folder: Path) -> StoredDetector:
    """Return the detector after checking its files against the manifest.

    Raises:
        BadCheckpoint: A file is missing, changed, damaged or of a newer format.
    """
    digests = digests_of(folder)
    config = json.loads(checked_file(folder, _CONFIG, digests))
    try:
        tensors = load(checked_file(folder, _MODEL, digests))
        plan = Plan(str(config["family"]), str(config["name"]))
        trunk = None if plan.family == "torchvision" else empty_trunk(plan.name)
        shape, size = Shape(config["shape"]), int(config["size"])
        classes = tuple(str(c) for c in config["classes"])
        typical = [float(t) for t in config["typical_px"]]
        most = int(config.get("most", 100))
        points = int(config["keypoints"])
        detector = built(plan, len(classes), trunk, typical, size, points, most=most)
        threshold = float(config["threshold"])
    except (SafetensorError, KeyError, ValueError, TypeError, InputError) as error:
        raise BadCheckpoint(f"The model in {folder.name} is damaged: {error}.", ADVICE) from error
    load_into(detector.network, tensors, f"{_MODEL} of {folder.name}")
    detector.network.to(device_at_hand()).eval()
    any_way_up = bool(config.get("any_way_up"))
    return StoredDetector(detector, classes, shape, size, threshold, any_way_up)


def load_partly(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Copy what fits of a published detector's weights; only the last layers may differ in shape.

    Raises:
        BadCheckpoint: Fewer than nine in ten weights have their name and shape.
    """
    own = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    if len(fitting) < 0.9 * len(own):
        raise BadCheckpoint(
            f"{name} does not fit the detector: {len(fitting)} of {len(own)} weights have its "
            "names and shapes.",
            "Choose the detector these weights were made for.",
        )
    network.load_state_dict(fitting, strict=False)


def _json(doc: object, indent: int | None = 1) -> bytes:
    return json.dumps(doc, indent=indent, ensure_ascii=False, sort_keys=True, default=str).encode()
