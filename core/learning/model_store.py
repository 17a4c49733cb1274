"""A trained model as a folder, written once and checked on every load. Free of torch.

config.json          what it was trained with
report.json          what came out
model.safetensors    the head, and the backbone's weights where nobody else has them
predictions.parquet  what it says of every item
manifest.json        SHA-256 of the others; written last, so a folder without it is unfinished
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.errors import BadCheckpoint
from core.learning.files import write_durably
from core.learning.probe import Head
from core.learning.values import Predictions, TrainingReport

MANIFEST = "manifest.json"
BACKBONE_PREFIX = "backbone."
_CONFIG, _REPORT, _MODEL = "config.json", "report.json", "model.safetensors"
PREDICTIONS = "predictions.parquet"
_FORMAT = 1
_ADVICE = "Choose another model version, or train again."


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model as it stands in its folder.

    Attributes:
        config: What it was trained with.
        head: Its classifier.
        backbone_weights: By name, for a self-trained or fine-tuned backbone; else empty.
    """

    config: Mapping[str, object]
    head: Head
    backbone_weights: Mapping[str, np.ndarray]

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names in column order."""
        names = self.config["classes"]
        assert isinstance(names, list)
        return tuple(str(n) for n in names)


def save_model(
    folder: Path,
    config: Mapping[str, object],
    head: Head,
    backbone_weights: Mapping[str, np.ndarray],
    predictions: Predictions,
    report: TrainingReport,
) -> None:
    """Write the model's folder; until the last file is in place there is no model.

    Raises:
        DiskFull: Something could not be written.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    tensors = {"head.weight": head.weight, "head.bias": head.bias}
    tensors |= {BACKBONE_PREFIX + k: v for k, v in backbone_weights.items()}
    settings = {**config, "format": _FORMAT, "temperature": head.temperature}
    settings |= {"several": True, "thresholds": list(head.thresholds)} if head.several else {}
    files = {
        _CONFIG: _json(settings),
        _REPORT: _json(report.to_dict()),
        _MODEL: save({k: np.ascontiguousarray(v) for k, v in tensors.items()}),
        PREDICTIONS: _parquet(predictions),
    }
    for name, data in files.items():
        write_durably(folder / name, data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    write_durably(folder / MANIFEST, _json({"format": _FORMAT, "sha256": digests}))


def load_model(folder: Path) -> StoredModel:
    """Return the model after checking its files against the manifest.

    Raises:
        BadCheckpoint: A file is missing, changed, of a newer format, or does not fit the classes.
    """
    manifest = _read_json(folder, MANIFEST)
    if manifest.get("format") != _FORMAT or not isinstance(manifest.get("sha256"), dict):
        raise BadCheckpoint(f"The model in {folder.name} has an unknown format.", _ADVICE)
    for name, expected in manifest["sha256"].items():
        if name in (_CONFIG, _MODEL) and _digest(folder / name) != expected:
            raise BadCheckpoint(
                f"{name} of the model in {folder.name} is missing or was changed after it was "
                "written: its SHA-256 differs from the manifest.",
                _ADVICE,
            )
    config = _read_json(folder, _CONFIG)
    try:
        tensors = load((folder / _MODEL).read_bytes())
        head = Head(
            tensors["head.weight"],
            tensors["head.bias"],
            float(config["temperature"]),
            bool(config.get("several", False)),
            tuple(float(t) for t in config.get("thresholds", ())),
        )
        rest = {
            k.removeprefix(BACKBONE_PREFIX): v
            for k, v in tensors.items()
            if k.startswith(BACKBONE_PREFIX)
        }
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as e:
        raise BadCheckpoint(
            f"{_MODEL} of {folder.name} is damaged: {str(e)[:200]}.", _ADVICE
        ) from e
    _check_head(head, config, folder)
    return StoredModel(config, head, rest)


def _check_head(head: Head, config: Mapping[str, object], folder: Path) -> None:
    classes = config.get("classes")
    k = len(classes) if isinstance(classes, list) else 0
    if head.weight.ndim != 2 or head.weight.shape[0] != k or head.bias.shape != (k,):
        raise BadCheckpoint(
            f"The model in {folder.name} is for {head.weight.shape[0]} classes, expected {k}.",
            _ADVICE,
        )
    if len(head.thresholds) not in (0, k):
        raise BadCheckpoint(
            f"The model in {folder.name} has {len(head.thresholds)} thresholds, expected {k}.",
            _ADVICE,
        )
    if not (
        np.isfinite(head.weight).all() and np.isfinite(head.bias).all() and head.temperature > 0
    ):
        raise BadCheckpoint(f"The model in {folder.name} holds NaN or infinity.", _ADVICE)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError:
        return ""


def _read_json(folder: Path, name: str) -> dict:
    try:
        found = json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as e:
        raise BadCheckpoint(
            f"There is no finished model in {folder.name}: {name} is missing or damaged.", _ADVICE
        ) from e
    if not isinstance(found, dict):
        raise BadCheckpoint(f"{name} of {folder.name} is not what we wrote.", _ADVICE)
    return found


def _json(doc: object) -> bytes:
    return json.dumps(doc, indent=1, ensure_ascii=False, sort_keys=True, default=str).encode()


def _parquet(predictions: Predictions) -> bytes:
    k = predictions.probabilities.shape[1]
    flat = pa.array(predictions.probabilities.ravel(), pa.float32())
    table = pa.table(
        {
            "item_id": pa.array(predictions.item_ids, pa.int64()),
            "label": pa.array(predictions.top1, pa.string()),
            "confidence": pa.array(predictions.confidence, pa.float32()),
            "margin": pa.array(predictions.margin, pa.float32()),
            "probabilities": pa.FixedSizeListArray.from_arrays(flat, k),
        },
        metadata={
            "classes": json.dumps(list(predictions.classes)),
            "several": json.dumps(predictions.several),
            "thresholds": json.dumps(list(predictions.thresholds)),
        },
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
