"""Checkpoints of a run in progress: written durably, two kept, checked before they are used.

``state-<step>.safetensors`` holds weights, their running mean and the best so far;
``state-<step>.opt.safetensors`` what the optimiser remembers; ``state.json`` names both with
their SHA-256 and is written last. A process killed at any moment leaves the one before whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.errors import BadCheckpoint
from core.learning.files import write_durably

INDEX = "state.json"
_KEPT = 2


@dataclass(frozen=True, slots=True)
class State:
    """A run as it stood after a step.

    Attributes:
        step: Steps done.
        tensors: Weights, running mean and best, by prefixed name.
        optimiser: What the optimiser remembers, by name.
        facts: The rest, JSON-ready: settings, best score, batch and so on.
    """

    step: int
    tensors: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    facts: Mapping[str, object]


def save_state(folder: Path, state: State) -> None:
    """Write a checkpoint; until its last file is in place the one before counts.

    Raises:
        DiskFull: It could not be written; earlier checkpoints are as they were.
    """
    files = {}
    for name, tensors in (
        (f"state-{state.step}.safetensors", state.tensors),
        (f"state-{state.step}.opt.safetensors", state.optimiser),
    ):
        data = save({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()})
        write_durably(folder / name, data)
        files[name] = hashlib.sha256(data).hexdigest()
    entry = {"step": state.step, "files": files, "facts": dict(state.facts)}
    kept = [e for e in _index(folder) if e["step"] != state.step][: _KEPT - 1]
    write_durably(folder / INDEX, json.dumps([entry, *kept], indent=1).encode())
    _sweep(folder, {n for e in (entry, *kept) for n in e["files"]})


def newest_state(folder: Path) -> State | None:
    """Return the newest checkpoint that is whole; None where there is none at all.

    Raises:
        BadCheckpoint: There were some, and every one is damaged.
    """
    entries = _index(folder)
    for entry in entries:
        with suppress(BadCheckpoint):
            parts = [_tensors(folder / n, str(digest)) for n, digest in entry["files"].items()]
            return State(int(entry["step"]), parts[0], parts[1], entry["facts"])
    if entries:
        raise BadCheckpoint(
            f"Every checkpoint in {folder.name} is damaged or was changed on disk.",
            "Start the run again without resuming it.",
        )
    return None


def drop_states(folder: Path) -> None:
    """Remove the checkpoints of a run that has ended well."""
    (folder / INDEX).unlink(missing_ok=True)
    _sweep(folder, set())


def _index(folder: Path) -> list[dict]:
    try:
        found = json.loads((folder / INDEX).read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise BadCheckpoint(
            f"{INDEX} of {folder.name} cannot be read: {error}.", "Start the run again."
        ) from error
    return list(found)


def _tensors(path: Path, digest: str) -> dict[str, Tensor]:
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise BadCheckpoint(f"{path.name} was changed on disk.")
        return dict(load(data))
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path.name} is missing or damaged.") from error


def _sweep(folder: Path, keep: set[str]) -> None:
    for path in folder.glob("state-*.safetensors"):
        if path.name not in keep:
            path.unlink(missing_ok=True)
