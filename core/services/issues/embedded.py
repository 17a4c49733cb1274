"""The images' embeddings: those kept of a model's training or an earlier look, or made now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from core.errors import BadCheckpoint, EmptyTrainingSet
from core.learning import Progress
from core.learning.cache import EmbeddingCache
from core.learning.files import write_durably
from core.learning.reader import is_self_taught, read_embeddings
from core.learning.vectors import vectors_of
from core.services.issues.material import Looked
from core.services.issues.outlines import edges_at_hand
from core.services.models.job_inputs import image_refs
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import models

OnProgress = Callable[[Progress], None]
SELF_TAUGHT = (
    "No pretrained weights were at hand when the newest model was trained, so its evidence is weak: more "
    "suspicions, fewer of them right. With weights in torch's cache, train again."
)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of the images.

    Attributes:
        vectors: float32 (n, width), unit length; zeros where an image has none.
        found: bool (n,), whether an image has one.
        how: Where they come from, in words.
        notes: What a person should know of them.
        weak: Whether the network behind them was taught on the project's own images alone.
        told: What classes are told by, float32 (n, more), unit length: the vectors, and of a weak
            network the images' edges beside them.
    """

    vectors: np.ndarray
    found: np.ndarray
    how: str
    notes: tuple[str, ...]
    weak: bool
    told: np.ndarray

    def beside(self, edges: np.ndarray) -> Embeddings:
        """Return the embeddings with the images' edges beside them to tell classes by."""
        both = np.hstack([self.vectors, edges]).astype(np.float32)
        length = np.linalg.norm(both, axis=1, keepdims=True)
        how = f"{self.how}, and on the images' edges (histograms of oriented gradients)"
        return replace(self, told=both / np.maximum(length, 1e-9), how=how)


def newest_run(
    connection: Connection, ws: Workspace, project: ProjectView
) -> tuple[Path, str] | None:
    """Return the folder of the newest model's first item question and its backbone; None without one."""
    questions = project.schema.item_questions
    row = connection.execute(
        select(models.c.folder, models.c.backbone)
        .where(models.c.project_id == project.id)
        .order_by(models.c.id.desc())
        .limit(1)
    ).first()
    if row is None or not questions:
        return None
    return ws.root / row.folder / questions[0].key, row.backbone


def embeddings_of(
    ws: Workspace,
    project: ProjectView,
    looked: Sequence[Looked],
    run: tuple[Path, str] | None,
    make: bool,
    progress: OnProgress,
) -> Embeddings | None:
    """Return the embeddings of the items; None where there are none and none may be made.

    Args:
        run: The newest model's folder and backbone, as `newest_run` gave them.
        make: Whether images without one are embedded now, which loads torch.

    Raises:
        BadCheckpoint, DiskFull, TrainingError: As embedding does.
    """
    hashes = [i.content_hash for i in looked]
    best = _of_run(ws, run, hashes)
    kept = _kept(ws, project, hashes)
    if kept is not None and (best is None or kept.found.sum() > best.found.sum()):
        best = kept
    if (best is None or not best.found.all()) and make and looked:
        unreadable = _unreadable(ws, project)
        if (
            best is None
            or {i.id for i, f in zip(looked, best.found, strict=True) if not f} - unreadable
        ):
            best = _made(ws, project, looked, run, progress) or best
    if best is None or not best.found.any():
        return None
    edges = edges_at_hand(ws, project, looked, make, progress) if best.weak else None
    return best if edges is None else best.beside(edges)


def _of_run(ws: Workspace, run: tuple[Path, str] | None, hashes: list[str]) -> Embeddings | None:
    if run is None:
        return None
    try:
        vectors, found = read_embeddings(run[0], ws.cache / "embeddings", hashes)
    except BadCheckpoint:
        return None
    if is_self_taught(run[0]):
        how = "embeddings of the newest model, a small network taught on this project's own images"
        return _embeddings(vectors, found, how, SELF_TAUGHT)
    return _embeddings(vectors, found, f"embeddings of the newest model ({run[1]})")


def _kept(ws: Workspace, project: ProjectView, hashes: list[str]) -> Embeddings | None:
    doc = _noted(ws, project)
    if doc is None:
        return None
    cache = EmbeddingCache(ws.cache / "embeddings", str(doc["cache_key"]), int(str(doc["width"])))
    return _embeddings(*cache.read(hashes), f"embeddings by {doc['backbone']}", str(doc["notice"]))


def _made(
    ws: Workspace,
    project: ProjectView,
    looked: Sequence[Looked],
    run: tuple[Path, str] | None,
    progress: OnProgress,
) -> Embeddings | None:
    backbone = ws.settings.backbone if run is None or project.task.draws else run[1]
    refs = image_refs(ws, project)
    # Where a network has to be taught first, it must never see an image that judges (invariant 8).
    learnt = [refs[i.id] for i in looked if i.use == "train"]
    everything = [refs[i.id] for i in looked]
    try:
        for images in (learnt, everything):
            found = vectors_of(
                images, backbone, ws.cache / "embeddings", ws.settings.offline,
                ws.settings.self_training_seconds, progress,
            )  # fmt: skip
    except EmptyTrainingSet:
        return None
    usable = set(found.item_ids.tolist())
    doc = {
        "cache_key": found.cache_key, "width": found.rows.shape[1], "backbone": backbone,
        "notice": found.notice, "unreadable": [i.id for i in looked if i.id not in usable],
    }  # fmt: skip
    write_durably(_note(ws, project), json.dumps(doc).encode())
    return _kept(ws, project, [i.content_hash for i in looked])


def _embeddings(vectors: np.ndarray, found: np.ndarray, how: str, notice: str = "") -> Embeddings:
    rows = vectors.astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    found = found & (length[:, 0] > 0)
    rows = np.where(found[:, None], rows / np.maximum(length, 1e-9), 0).astype(np.float32)
    missing = int((~found).sum())
    notes = [notice] if notice else []
    if missing:
        some = "1 image has" if missing == 1 else f"{missing:,} images have"
        notes.append(f"{some} no embedding (new since, or not readable) and were left out.")
    return Embeddings(rows, found, how, tuple(notes), bool(notice), rows)


def _note(ws: Workspace, project: ProjectView) -> Path:
    return ws.cache / "issues" / str(project.id) / "embeddings.json"


def _noted(ws: Workspace, project: ProjectView) -> dict[str, object] | None:
    try:
        doc = json.loads(_note(ws, project).read_bytes())
        return {k: doc[k] for k in ("cache_key", "width", "backbone", "notice", "unreadable")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unreadable(ws: Workspace, project: ProjectView) -> set[int]:
    doc = _noted(ws, project)
    found = doc["unreadable"] if doc else []
    return {int(i) for i in found} if isinstance(found, list) else set()
