"""A project with planted clusters for embeddings, people's votes where asked, and a real probe on them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.jobs.rows import JobStatus, create_job, finish_job
from core.learning.cache import EmbeddingCache
from core.learning.model_store import save_model
from core.learning.probe import fit_probe
from core.learning.values import Evaluation, Predictions, TrainingReport
from core.services.consensus.resolve import resolve_items
from core.services.models.datasets import freeze_labels
from core.services.models.prelabel_job import _predictions
from core.services.models.prelabels import store_predictions
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_names, items, models
from tests.record import CLASSES, World, make_cast, make_project, say

WIDTH, KEY = 16, "planted"


@dataclass(frozen=True)
class Planted:
    """A world whose every item has a known class and a known vector.

    Attributes:
        truth: Item to class.
        use: Item to its use.
    """

    world: World
    truth: dict[int, str]
    use: dict[int, str]
    vectors: np.ndarray

    @property
    def ws(self) -> Workspace:
        return self.world.ws

    @property
    def slug(self) -> str:
        return self.world.slug

    def of_use(self, use: str) -> list[int]:
        """Return the items of a use, in order of number."""
        return [i for i in self.world.items if self.use[i] == use]


def plant(ws: Workspace, n: int = 700, noise: float = 0.5, seed: int = 0) -> Planted:
    """Make the project: two classes well apart, a third that overlaps the second by `noise`."""
    rng = np.random.default_rng(seed)
    project = make_project(ws, policy=Policy(overlap=1))
    label = rng.integers(0, 3, n)
    centres = np.zeros((3, WIDTH))
    centres[0, 0] = centres[1, 1] = centres[2, 2] = 3.0
    vectors = centres[label] + rng.normal(0, noise, (n, WIDTH))
    uses = np.where(rng.random(n) < 0.3, "certify", "train").astype(object)
    uses[rng.random(n) < 0.05] = "evaluate"
    ids: list[int] = []
    with ws.store.write() as connection:
        for k in range(n):
            row = {
                "project_id": project.id, "content_hash": digest(k), "location": f"{k}.png",
                "width": 64, "height": 64, "orientation": 1, "format": "PNG", "size_bytes": 100,
                "use": str(uses[k]), "use_probability": 0.3, "at": ws.clock(),
            }  # fmt: skip
            ids.append(connection.execute(items.insert().returning(items.c.id), row).scalar_one())
        connection.execute(
            item_names.insert(),
            [
                {"project_id": project.id, "item_id": i, "name": f"{k:05d}.png", "at": ws.clock()}
                for k, i in enumerate(ids)
            ],
        )
        resolve_items(connection, project, ids, ws.clock())
    cast = make_cast(ws, project.slug, 2)
    truth = {i: CLASSES[c] for i, c in zip(ids, label.tolist(), strict=True)}
    use = dict(zip(ids, uses.tolist(), strict=True))
    return Planted(World(ws, project, ids, cast), truth, use, vectors.astype(np.float32))


def digest(k: int) -> str:
    return hashlib.sha256(f"planted/{k}".encode()).hexdigest()


def answer(
    planted: Planted,
    ids: Sequence[int],
    wrong: frozenset[int] = frozenset(),
    seconds: Sequence[float] = (4.0,),
) -> None:
    """Let an expert vote on items, truly but on those named, and settle them.

    Args:
        seconds: What an item takes, in turn by its number.
    """
    ws, person = planted.ws, planted.world.cast.experts[0].person_id
    rows = []
    for i in ids:
        other = CLASSES[(CLASSES.index(planted.truth[i]) + 1) % 3]
        said = other if i in wrong else planted.truth[i]
        rows.append(
            {
                "uuid": new_uuid(),
                "project_id": planted.world.project.id,
                "item_id": i,
                "person_id": person,
                "revision": 1,
                "kind": "vote",
                "label": said,
                "answer": say(said).to_json(),
                "reason": "",
                "schema_version": 1,
                "guideline_version": 1,
                "prelabel_shown": False,
                "active_seconds": seconds[i % len(seconds)],
                "at": ws.clock(),
            }
        )
    with ws.store.write() as connection:
        connection.execute(annotation_log.insert(), rows)
        resolve_items(connection, planted.world.project, list(ids), ws.clock())


def teach(planted: Planted, seed: int = 0) -> int:
    """Freeze the labels, fit the product's probe on the planted vectors and keep it as a model."""
    ws, world = planted.ws, planted.world
    version = freeze_labels(ws, world.cast.lead, planted.slug)
    known = [i for i in world.items if planted.use[i] == "train" and i in answered(planted)]
    place = {i: k for k, i in enumerate(world.items)}
    rows = np.array([place[i] for i in known])
    labels = np.array([CLASSES.index(planted.truth[i]) for i in known])
    free = np.array([place[i] for i in planted.of_use("train") if i not in set(known)])
    fitted = fit_probe(planted.vectors[rows], labels, planted.vectors[free], 3, seed)
    table = fitted.head.probabilities(planted.vectors)
    if len(fitted.out_of_fold):
        table[rows] = fitted.out_of_fold.mean(0)
    ids = np.array(world.items, dtype=np.int64)
    said = Predictions(ids, table.astype(np.float32), CLASSES)
    with ws.store.write() as connection:
        job = create_job(
            connection, world.project.id, "train", {}, world.cast.lead.person_id, ws.clock()
        )
        finish_job(connection, job, JobStatus.DONE, ws.clock())
    folder = ws.runs / planted.slug / f"{job:05d}"
    unit = planted.vectors / np.linalg.norm(planted.vectors, axis=1, keepdims=True)
    EmbeddingCache(ws.cache / "embeddings", KEY, WIDTH).add(
        [digest(k) for k in range(len(ids))], unit
    )
    config = {"classes": list(CLASSES), "cache_key": KEY, "width": WIDTH, "backbone": "planted"}
    report = TrainingReport("done", "planted", Evaluation("none", 0, None, None, None))
    save_model(folder / "label", config, fitted.head, {}, said, report)
    with ws.store.write() as connection:
        model = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": world.project.id, "job_id": job, "dataset_version_id": version.id,
                "backbone": "planted", "folder": str(folder.relative_to(ws.root)),
                "report": "{}", "schema_version": 1, "at": ws.clock(),
            },
        ).scalar_one()  # fmt: skip
        fresh = [k for k, i in enumerate(world.items) if i not in set(known)]
        new = Predictions(ids[fresh], said.probabilities[fresh], CLASSES)
        store_predictions(
            connection, world.project, _predictions({"label": new}, "label", {}),
            f"model {model}", ws.clock(), model_id=model,
        )  # fmt: skip
    return int(model)


def answered(planted: Planted) -> set[int]:
    """Return the items somebody voted on."""
    from sqlalchemy import select

    with planted.ws.store.read() as connection:
        return set(connection.execute(select(annotation_log.c.item_id)).scalars())
