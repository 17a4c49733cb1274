"""The check before a model is put in force: what it serves today against what it was trained on.

Sample images go through serving afresh (decoded anew, embedded into an empty cache) and are held
against the vectors kept from training and the predictions the run left. A changed decoder, resizing,
normalisation, network or head shows in one or the other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.datasets.freeze import read_version
from core.errors import TiebreakError
from core.labels import Region
from core.labels.state import ItemState
from core.learning import ImageRef, predict
from core.learning.detect import item_right, predict_regions, read_regions
from core.learning.reader import read_embeddings, read_predictions
from core.services.models.job_inputs import image_refs
from core.services.models.stored import folder_of, model_row
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import model_checks

SAMPLE = 16
SAME_DIRECTION = 0.985
"""Least cosine of one image's two vectors. Half precision alone keeps it above 0.99 (`runner`);
another resizing or colour order moves it below 0.98."""
SAME_PROBABILITY = 0.05
SAME_PLACE = 0.85
"""Least overlap of a region found twice."""
KIND = "serving"


@dataclass(frozen=True, slots=True)
class ServingCheck:
    """Whether a model serves what it was trained to.

    Attributes:
        passed: Whether it may be put in force.
        images: How many went through both paths.
        cosine: Least likeness of an image's vectors, training against serving; None where no
            vector of training is left.
        apart: Largest difference of a probability; None where the run predicted none of them blind.
        answers: Images whose answer changed.
        sentence: What a person reads.
        at: When it was made.
    """

    passed: bool
    images: int
    cosine: float | None
    apart: float | None
    answers: int
    sentence: str
    at: float = 0.0


def check_serving(
    ws: Workspace, actor: Actor, slug: str, model_id: int, sample: int = SAMPLE
) -> ServingCheck:
    """Run sample images through both paths and keep what came of it.

    Raises:
        NotFound: There is no such model.
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        row = model_row(connection, project, model_id)
    return keep_check(ws, project, row, sample, actor.person_id or None)


def keep_check(
    ws: Workspace, project: ProjectView, row: Row, sample: int = SAMPLE, by_id: int | None = None
) -> ServingCheck:
    """Check a model of which the caller has made sure that they may, and write it down."""
    found = _checked(ws, project, row, sample)
    doc = {k: v for k, v in asdict(found).items() if k != "at"}
    with ws.store.write() as connection:
        at = ws.clock()
        connection.execute(
            model_checks.insert(),
            {
                "project_id": project.id, "model_id": row.id, "kind": KIND,
                "doc": json.dumps(doc, sort_keys=True), "by_id": by_id, "at": at,
            },
        )  # fmt: skip
    return ServingCheck(**doc, at=at)


def last_check(connection: Connection, model_id: int) -> ServingCheck | None:
    """Return what the newest check of a model found, None where there was none."""
    row = connection.execute(
        select(model_checks.c.doc, model_checks.c.at)
        .where(model_checks.c.model_id == model_id, model_checks.c.kind == KIND)
        .order_by(model_checks.c.seq.desc())
        .limit(1)
    ).first()
    return None if row is None else ServingCheck(**json.loads(row.doc), at=row.at)


def _checked(ws: Workspace, project: ProjectView, row: Row, sample: int) -> ServingCheck:
    refs = image_refs(ws, project)
    try:
        drawn = [_of_regions(ws, project, row, refs, sample)] if project.task.draws else []
        parts = drawn or [
            _of_question(ws, project, row, q.key, _drawn(refs, sample))
            for q in project.schema.item_questions
            if (ws.root / row.folder / q.key).is_dir()
        ]
        if project.schema.draws:
            parts.append(_of_detector(ws, project, row, refs, sample))
        if not parts:
            folder_of(ws, row, project.schema.main.key)  # says which files are gone
    except TiebreakError as error:
        return ServingCheck(False, 0, None, None, 0, f"The model cannot be served: {error.message}")
    return _judged(parts)


def _drawn(refs: Mapping[int, ImageRef], sample: int) -> list[ImageRef]:
    """Return images spread over all of them, by hash: the same ones every time."""
    return sorted(refs.values(), key=lambda r: r.content_hash)[: max(1, sample)]


@dataclass(frozen=True, slots=True)
class _Found:
    images: int
    cosine: float | None
    apart: float | None
    answers: int
    alone: bool = False


def _of_question(
    ws: Workspace, project: ProjectView, row: Row, key: str, images: Sequence[ImageRef]
) -> _Found:
    folder = folder_of(ws, row, key)
    with tempfile.TemporaryDirectory(prefix="serving-") as fresh:
        served = predict(folder, images, Path(fresh))
        hashes = [i.content_hash for i in images]
        now, read = read_embeddings(folder, Path(fresh), hashes)
    then, kept = read_embeddings(folder, ws.cache / "embeddings", hashes)
    both = read & kept
    cosine = _least_cosine(now[both], then[both]) if both.any() else None
    apart, answers = _against_the_run(ws, row, folder, dict(_rows(served)))
    return _Found(len(served.item_ids), cosine, apart, answers)


def _of_regions(
    ws: Workspace, project: ProjectView, row: Row, refs: Mapping[int, ImageRef], sample: int
) -> _Found:
    """Hold what a detector finds now against what it found when it was made, on the same images."""
    folder = folder_of(ws, row, project.schema.main.key)
    then = read_regions(folder)
    images = _drawn({i: ref for i, ref in refs.items() if i in then}, sample) if then else []
    served = predict_regions(folder, images)
    moved, changed = [0.0], 0
    for item_id, now in served.regions.items():
        before = sorted((r.confidence or 0.0 for r in then[item_id]), reverse=True)
        after = sorted((r.confidence or 0.0 for r in now), reverse=True)
        moved += [abs(a - b) for a, b in zip(before, after, strict=False)]
        kept = [r for r in then[item_id] if (r.confidence or 0.0) >= served.threshold]
        changed += not item_right(kept, served.proposed(item_id), SAME_PLACE)
    return _Found(len(served.regions), None, max(moved), changed)


def _of_detector(
    ws: Workspace, project: ProjectView, row: Row, refs: Mapping[int, ImageRef], sample: int
) -> _Found:
    """Hold what a detector finds now against what its run found on images it was judged by."""
    folder = folder_of(ws, row, project.schema.main.key)
    then = read_regions(folder)
    images = _drawn({i: refs[i] for i in then if i in refs}, sample)
    if not images:  # the run had nothing to be judged by: it can only be asked to answer
        served = predict_regions(folder, _drawn(refs, 2))
        return _Found(len(served.regions), None, None, 0, alone=True)
    now = predict_regions(folder, images)
    apart, answers = 0.0, 0
    for i, found in now.regions.items():
        apart = max(apart, abs(_surest(found) - _surest(then[i])))
        clear = now.threshold + SAME_PROBABILITY
        answers += not (_within(found, then[i], clear) and _within(then[i], found, clear))
    return _Found(len(now.regions), None, apart if now.regions else None, answers)


def _surest(regions: Sequence[Region]) -> float:
    return max((r.confidence or 0.0 for r in regions), default=0.0)


def _within(some: Sequence[Region], others: Sequence[Region], clear: float) -> bool:
    """Return whether each clear region has one like it among others, in class and place."""
    return all(
        any(item_right([r], [o], SAME_PLACE) for o in others)
        for r in some
        if (r.confidence or 0.0) >= clear
    )


def _rows(found: object) -> list[tuple[int, np.ndarray]]:
    ids, table = found.item_ids, found.probabilities  # type: ignore[attr-defined]
    return list(zip(ids.tolist(), table, strict=True))


def _least_cosine(now: np.ndarray, then: np.ndarray) -> float:
    a, b = now.astype(np.float64), then.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(1) / np.maximum(lengths, 1e-12)).min())


def _against_the_run(
    ws: Workspace, row: Row, folder: Path, served: Mapping[int, np.ndarray]
) -> tuple[float | None, int]:
    """Return how far probabilities are from those the run left, over images it did not learn from."""
    frozen = read_version(ws.root / row.version_folder, row.version_hash)
    learnt = {f.item_id for f in frozen if f.use == "train" and f.state != ItemState.AUTO_ACCEPTED}
    left = dict(_rows(read_predictions(folder)))
    pairs = [(p, left[i]) for i, p in served.items() if i in left and i not in learnt]
    if not pairs:
        return None, 0
    now, then = (np.stack(side) for side in zip(*pairs, strict=True))
    changed = now.argmax(1) != then.argmax(1)
    # Two classes as good as even may change places by rounding alone.
    clear = np.sort(then, axis=1)[:, -1] - np.sort(then, axis=1)[:, -2] > 2 * SAME_PROBABILITY
    return float(np.abs(now - then).max()), int((changed & clear).sum())


def _judged(parts: Sequence[_Found]) -> ServingCheck:
    images = min(p.images for p in parts)
    cosine = min((p.cosine for p in parts if p.cosine is not None), default=None)
    apart = max((p.apart for p in parts if p.apart is not None), default=None)
    answers = sum(p.answers for p in parts)
    passed, sentence = _said(images, cosine, apart, answers)
    if images and cosine is None and apart is None and all(p.alone for p in parts):
        passed, sentence = (
            True,
            (
                "Its files are whole and it answers, but its run had no labels to be judged by, so there "
                "was nothing to compare with."
            ),
        )
    return ServingCheck(passed, images, cosine, apart, answers, sentence)


def _said(images: int, cosine: float | None, apart: float | None, answers: int) -> tuple[bool, str]:
    if not images:
        return False, "None of the sample images could be read, so serving could not be checked."
    if cosine is None and apart is None:
        return False, (
            "Nothing of the training is left to compare with: neither vectors nor predictions of "
            "images it did not learn from. Train again."
        )
    if cosine is not None and cosine < SAME_DIRECTION:
        return False, (
            f"Serving sees other features than training did: likeness {cosine:.3f}, expected at "
            f"least {SAME_DIRECTION:g}. The decoding, resizing or network has changed since."
        )
    if (apart is not None and apart > SAME_PROBABILITY) or answers:
        return False, (
            f"Serving gives other answers than training did: a probability differs by {apart:.3f}, "
            f"expected at most {SAME_PROBABILITY:g}, and {answers} of {images} answers change."
        )
    return True, f"{images} images gave the same through training and serving."
