"""The models of a project, and which of them is in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError, NotFound
from core.services.projects.project import ProjectView, project_for
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, model_events, models


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model version with its report.

    Attributes:
        schema_version: It was trained under.
        stale_because: What changed since about the classes it predicts, as a sentence; empty
            where nothing did. A class that was only renamed does not count.
    """

    id: int
    job_id: int
    backbone: str
    at: float
    promoted: bool
    report: Mapping[str, object]
    dataset_version: str
    schema_version: int = 1
    stale_because: str = ""

    @property
    def stale(self) -> bool:
        """Return whether classes it predicts were added, retired or merged since."""
        return bool(self.stale_because)


def list_models(ws: Workspace, actor: Actor, slug: str) -> list[ModelView]:
    """Return a project's models, newest first.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        current = promoted_model(connection, project.id)
        rows = connection.execute(
            select(models, dataset_versions.c.name.label("version"))
            .join(dataset_versions, dataset_versions.c.id == models.c.dataset_version_id)
            .where(models.c.project_id == project.id)
            .order_by(models.c.id.desc())
        ).all()
        return [_model_view(connection, project, r, current) for r in rows]


def _model_view(
    connection: Connection, project: ProjectView, row: Row, current: int | None
) -> ModelView:
    report = json.loads(row.report)
    return ModelView(
        row.id, row.job_id, row.backbone, row.at, row.id == current, report, row.version,
        row.schema_version, stale_because(connection, project, row.schema_version, report),
    )  # fmt: skip


def promoted_model(connection: Connection, project_id: int) -> int | None:
    """Return the model in force, or None."""
    return connection.execute(
        select(model_events.c.model_id)
        .where(model_events.c.project_id == project_id)
        .order_by(model_events.c.seq.desc())
        .limit(1)
    ).scalar()


def promote(ws: Workspace, actor: Actor, slug: str, model_id: int, reason: str) -> None:
    """Put a model in force; an earlier one can be put back the same way.

    Raises:
        InputError: There is no reason.
        NotFound: There is no such model in this project.
        Forbidden: The actor may not promote here.
    """
    if not reason.strip():
        raise InputError("A promotion needs a reason.", "Say in a few words why.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        if (
            connection.execute(
                select(models.c.id).where(
                    models.c.id == model_id, models.c.project_id == project.id
                )
            ).first()
            is None
        ):
            raise NotFound(f"There is no model {model_id} in '{slug}'.")
        record_promotion(connection, project.id, model_id, reason.strip(), actor, ws.clock())


def record_promotion(
    connection: Connection, project_id: int, model_id: int, reason: str, actor: Actor, at: float
) -> None:
    """Write a promotion within the caller's record transaction."""
    connection.execute(
        model_events.insert(),
        {
            "project_id": project_id,
            "model_id": model_id,
            "what": "promoted",
            "reason": reason,
            "by_id": actor.person_id,
            "at": at,
        },
    )
    append_audit(
        connection, at, actor.name, "model promoted", f"model {model_id}", project_id,
        {"reason": reason},
    )  # fmt: skip
