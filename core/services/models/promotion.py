"""The models of a project, which of them is in force, and how another one comes in its place.

A model is put in force by one person, or, where the project's training rules ask for it, proposed by one
and put in force by another. Either way it must serve what it was trained to (`skew`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import ConflictError, InputError
from core.services.models.skew import ServingCheck, keep_check, last_check
from core.services.models.stored import model_row
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import rules_in_force
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, model_events, models, person_revisions

IN_FORCE = ("promoted", "rolled back")
"""What an event that puts a model in force is called."""
Done = Literal["promoted", "rolled back", "proposed"]


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model version with its report.

    Attributes:
        schema_version: It was trained under.
        stale_because: What changed since about the classes it predicts, as a sentence; empty
            where nothing did. A class that was only renamed does not count.
        mode: ``probe``, ``fine-tune`` or ``student``.
        task: What it was trained for, as the project's.
        was_promoted: Whether it ever was in force: putting it back is a roll back.
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
    mode: str = "probe"
    task: str = "classification"
    was_promoted: bool = False

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
        before = _once_in_force(connection, project.id)
        rows = connection.execute(
            select(models, dataset_versions.c.name.label("version"))
            .join(dataset_versions, dataset_versions.c.id == models.c.dataset_version_id)
            .where(models.c.project_id == project.id)
            .order_by(models.c.id.desc())
        ).all()
        return [_model_view(connection, project, r, current, before) for r in rows]


def _model_view(
    connection: Connection,
    project: ProjectView,
    row: Row,
    current: int | None,
    before: frozenset[int],
) -> ModelView:
    report = json.loads(row.report)
    return ModelView(
        row.id, row.job_id, row.backbone, row.at, row.id == current, report, row.version,
        row.schema_version, stale_because(connection, project, row.schema_version, report),
        row.mode, row.task, row.id in before,
    )  # fmt: skip


def promoted_model(connection: Connection, project_id: int) -> int | None:
    """Return the model in force, or None."""
    return connection.execute(
        select(model_events.c.model_id)
        .where(model_events.c.project_id == project_id, model_events.c.what.in_(IN_FORCE))
        .order_by(model_events.c.seq.desc())
        .limit(1)
    ).scalar()


def _once_in_force(connection: Connection, project_id: int) -> frozenset[int]:
    query = select(model_events.c.model_id).where(
        model_events.c.project_id == project_id, model_events.c.what.in_(IN_FORCE)
    )
    return frozenset(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model somebody wants in force, waiting for another person.

    Attributes:
        by: The display name of who proposed it.
        mine: Whether that was the actor, who may not decide it.
    """

    model_id: int
    by: str
    reason: str
    at: float
    mine: bool


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that happened to a model: proposed, promoted or rolled back to."""

    model_id: int
    what: str
    reason: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class PromotionView:
    """How models of a project are put in force.

    Attributes:
        two_people: Whether it takes two.
        proposal: What waits for a second person, if anything does.
        history: What happened so far, newest first.
        checks: The newest serving check of each model that has one.
    """

    two_people: bool
    proposal: Proposal | None
    history: tuple[EventView, ...]
    checks: Mapping[int, ServingCheck]


def promotion_standing(ws: Workspace, actor: Actor, slug: str) -> PromotionView:
    """Return what waits, what happened so far, and which models were checked.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        rows = _events(connection, project.id)
        waiting = _waiting(rows)
        names = _names(connection, {r.by_id for r in rows})
        ids = connection.execute(select(models.c.id).where(models.c.project_id == project.id))
        checks = {i: found for i in ids.scalars() if (found := last_check(connection, i))}
        return PromotionView(
            rules_in_force(connection, project.id).two_people,
            None if waiting is None else Proposal(
                waiting.model_id, names.get(waiting.by_id, ""), waiting.reason, waiting.at,
                waiting.by_id == actor.person_id,
            ),
            tuple(
                EventView(r.model_id, r.what, r.reason, names.get(r.by_id, ""), r.at)
                for r in reversed(rows)
            ),
            checks,
        )  # fmt: skip


def promote(ws: Workspace, actor: Actor, slug: str, model_id: int, reason: str) -> Done:
    """Put a model in force, or propose it where the rules ask for two people.

    The second person's call puts what the first proposed in force. A model that was in force before
    is rolled back to, which is written down as such. Before anything is written, sample images go
    through training's path and serving's; where they differ nothing is put in force.

    Returns:
        What was done.

    Raises:
        InputError: There is no reason.
        NotFound: There is no such model in this project.
        ConflictError: It is in force already, it does not serve what it was trained to, or the
            actor proposed it and another person has to decide.
        Forbidden: The actor may not promote here.
    """
    if not reason.strip():
        raise InputError("A promotion needs a reason.", "Say in a few words why.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        row = model_row(connection, project, model_id)
    # Anew each time: what decodes and serves here may have changed since an earlier check.
    check = keep_check(ws, project, row, by_id=actor.person_id or None)
    if not check.passed:
        raise ConflictError(
            f"Model {model_id} was not put in force. {check.sentence}",
            "Put back what has changed, or train again; the model in force stays.",
        )
    with ws.store.write() as connection:
        # Asked again within the transaction: rules, roles and proposals may have changed meanwhile.
        project = project_for(connection, actor, slug, Action.PROMOTE)
        what = _next_step(connection, project.id, actor, model_id)
        _record(connection, project.id, model_id, what, reason.strip(), actor, ws.clock())
    return what


def roll_back(ws: Workspace, actor: Actor, slug: str, reason: str) -> Done:
    """Put the model that was in force before the present one back, as `promote` would.

    Raises:
        ConflictError: There was none before; and as `promote`.
        InputError: There is no reason.
        Forbidden: The actor may not promote here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        before = model_before(connection, project.id)
    if before is None:
        raise ConflictError(
            f"No other model of '{slug}' was ever in force.", "Put another one in force instead."
        )
    return promote(ws, actor, slug, before, reason)


def model_before(connection: Connection, project_id: int) -> int | None:
    """Return the model that was in force before the present one, None where there was none."""
    order = [r.model_id for r in _events(connection, project_id) if r.what in IN_FORCE]
    return next((m for m in reversed(order) if m != order[-1]), None)


def _next_step(connection: Connection, project_id: int, actor: Actor, model_id: int) -> Done:
    if promoted_model(connection, project_id) == model_id:
        raise ConflictError(f"Model {model_id} is in force already.", "Choose another one.")
    back = model_id in _once_in_force(connection, project_id)
    goal: Done = "rolled back" if back else "promoted"
    if not rules_in_force(connection, project_id).two_people:
        return goal
    waiting = _waiting(_events(connection, project_id))
    if waiting is None or waiting.model_id != model_id:
        return "proposed"
    if waiting.by_id == actor.person_id:
        raise ConflictError(
            f"You proposed model {model_id} yourself; this project asks for two people.",
            "Somebody else who may promote has to put it in force.",
        )
    return goal


def _events(connection: Connection, project_id: int) -> list[Row]:
    return list(
        connection.execute(
            select(model_events)
            .where(model_events.c.project_id == project_id)
            .order_by(model_events.c.seq)
        ).all()
    )


def _waiting(rows: Sequence[Row]) -> Row | None:
    """Return the newest proposal nothing came of yet; whatever is put in force closes all before."""
    last = rows[-1] if rows else None
    return last if last is not None and last.what == "proposed" else None


def _names(connection: Connection, ids: set[int]) -> dict[int, str]:
    query = (
        select(person_revisions.c.person_id, person_revisions.c.display_name)
        .where(person_revisions.c.person_id.in_(ids))
        .order_by(person_revisions.c.seq)
    )
    return {r.person_id: r.display_name for r in connection.execute(query)}


def record_promotion(
    connection: Connection, project_id: int, model_id: int, reason: str, actor: Actor, at: float
) -> None:
    """Write a promotion within the caller's record transaction."""
    _record(connection, project_id, model_id, "promoted", reason, actor, at)


def _record(
    connection: Connection,
    project_id: int,
    model_id: int,
    what: Done,
    reason: str,
    actor: Actor,
    at: float,
) -> None:
    connection.execute(
        model_events.insert(),
        {
            "project_id": project_id,
            "model_id": model_id,
            "what": what,
            "reason": reason,
            "by_id": actor.person_id,
            "at": at,
        },
    )
    append_audit(
        connection, at, actor.name, f"model {what}", f"model {model_id}", project_id,
        {"reason": reason},
    )  # fmt: skip
