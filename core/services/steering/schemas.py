"""The schema of a project: edited as one new version, every label derived anew with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from core.access import Action, Actor
from core.errors import InputError, StaleVersion
from core.labels import Answer, LabelSchema
from core.labels.editing import class_changes, edited
from core.labels.operations import Operation, SchemaEvent
from core.labels.state import LABELLED
from core.services.consensus.resolve import resolve_all
from core.services.projects.project import ProjectView, insert_version, load_project, project_for
from core.services.projects.queue_plans import reboost
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, final_labels, item_state, schema_events, schemas

MAX_OPERATIONS = 10_000

MOVES, KEEPS = "merge", ("rename", "retire", "restore")


@dataclass(frozen=True, slots=True)
class EditPreview:
    """What an edit would do.

    Attributes:
        schema: As it would be.
        events: What would be done, in order.
        kept: Labels in force of the classes touched that keep their class.
        moved: Labels in force that would be of another class.
        votes_moved: Live votes that would mean another class.
    """

    schema: LabelSchema
    events: tuple[SchemaEvent, ...]
    kept: int
    moved: int
    votes_moved: int


def preview_edit(
    ws: Workspace, actor: Actor, slug: str, operations: Sequence[Operation]
) -> EditPreview:
    """Return what operations would do, and to how many labels, without doing it.

    Raises:
        InputError: One of them cannot be done.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        after, events = edited(project.schema, operations)
        moving = {(e.question, e.before) for e in events if e.kind == MOVES}
        staying = {(e.question, (e.before or e.after)) for e in events if e.kind in KEEPS} - moving
        return EditPreview(
            after,
            events,
            _labels_of(connection, project, staying),
            _labels_of(connection, project, moving),
            _votes_of(connection, project, moving),
        )


def edit_schema(
    ws: Workspace,
    actor: Actor,
    slug: str,
    operations: Sequence[Operation],
    reason: str,
    base_version: int,
) -> ProjectView:
    """Put a new schema version in force and derive every label anew under it, all or nothing.

    Args:
        operations: Done in order; where they change nothing no version is made.
        reason: Kept in the record.
        base_version: The schema version the editor looked at.

    Raises:
        InputError: No reason was given, or an operation cannot be done.
        StaleVersion: Somebody put another version in force meanwhile.
        Forbidden: The actor does not steer this project.
    """
    if len(operations) > MAX_OPERATIONS:
        raise InputError(f"At most {MAX_OPERATIONS:,} changes fit one version.", "Make two of it.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        if base_version != project.schema_version:
            raise StaleVersion(
                f"Version {project.schema_version} of the classes was put in force while you edited "
                f"version {base_version}; nothing was changed.",
                "Look at what is new, then make your changes again.",
            )
        schema, events = edited(project.schema, operations)
        if not events:
            return project
        if not reason.strip():
            raise InputError("A new version needs a reason.", "Say in a few words why.")
        return _put_in_force(ws, connection, project, actor, schema, events, reason.strip())


def _put_in_force(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    schema: LabelSchema,
    events: Sequence[SchemaEvent],
    reason: str,
) -> ProjectView:
    """Write a version with its events down and derive every label anew; return the project then."""
    now, version = ws.clock(), project.schema_version + 1
    insert_version(
        connection, schemas, project.id, version, schema.to_json(), reason, actor.person_id, now
    )
    _write_events(connection, project, version, events, actor, now)
    changed = load_project(connection, project.slug)
    touched = resolve_all(ws, connection, changed, now)
    reboost(connection, project.id)
    append_audit(
        connection, now, actor.name, "schema edited", project.slug, project.id,
        {"version": version, "reason": reason, "events": len(events), "labels": touched},
    )  # fmt: skip
    return changed


def _write_events(
    connection: Connection,
    project: ProjectView,
    version: int,
    events: Sequence[SchemaEvent],
    actor: Actor,
    at: float,
) -> None:
    connection.execute(
        schema_events.insert(),
        [
            {
                "project_id": project.id,
                "schema_version": version,
                "kind": e.kind,
                "question": e.question,
                "class_id": e.class_id,
                "before": e.before,
                "after": e.after,
                "by_id": actor.person_id,
                "at": at,
            }
            for e in events
        ],
    )


# --- how much it touches ----------------------------------------------------------------------

Named = set[tuple[str, str]]
"""Classes by question key and name."""


def _labels_of(connection: Connection, project: ProjectView, wanted: Named) -> int:
    query = (
        select(final_labels.c.answer)
        .join(item_state, item_state.c.final_seq == final_labels.c.seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in LABELLED]),
            _mentions(final_labels.c.answer, wanted),
        )
    )
    texts = connection.execute(query).scalars() if wanted else ()
    return sum(_count(project.schema, text, wanted) for text in texts)


def _votes_of(connection: Connection, project: ProjectView, wanted: Named) -> int:
    if not wanted:
        return 0
    newest = (
        select(func.max(annotation_log.c.seq))
        .where(annotation_log.c.project_id == project.id)
        .group_by(annotation_log.c.item_id, annotation_log.c.person_id)
    )
    texts = connection.execute(
        select(annotation_log.c.answer).where(
            annotation_log.c.seq.in_(newest), annotation_log.c.kind == "vote"
        )
    ).scalars()
    return sum(_count(project.schema, text, wanted) > 0 for text in texts)


def _mentions(column, wanted: Named):  # type: ignore[no-untyped-def]  # SQLAlchemy's expressions
    """Return a coarse test for answers that name one of the classes; `_count` looks closely."""
    names = sorted({name for _, name in wanted})
    if len(names) > 50:
        return column.is_not(None)
    return or_(
        *(column.contains(json.dumps(n, ensure_ascii=False), autoescape=True) for n in names)
    )


def _count(schema: LabelSchema, text: str, wanted: Named) -> int:
    """Return how often an answer gives one of the classes."""
    answer = schema.translate(Answer.from_json(text))
    said = [*answer.choices.items()]
    said += [(k, n) for k, names in answer.multi.items() for n in names]
    for region in answer.regions:
        said += [(schema.main.key, region.label), *region.attributes]
    return sum(pair in wanted for pair in said)


# --- models -----------------------------------------------------------------------------------


def schema_at(connection: Connection, project_id: int, version: int) -> LabelSchema | None:
    """Return a version of a project's schema, None where there is none of that number."""
    doc = connection.execute(
        select(schemas.c.doc).where(
            schemas.c.project_id == project_id, schemas.c.version == version
        )
    ).scalar()
    return LabelSchema.from_json(doc) if doc else None


def stale_because(
    connection: Connection, project: ProjectView, version: int, report: Mapping[str, object]
) -> str:
    """Return why a model trained under an earlier schema version is stale; empty where it is not."""
    if version >= project.schema_version:
        return ""
    trained = schema_at(connection, project.id, version)
    if trained is None:
        return ""
    others = report.get("questions")
    keys = [project.schema.main.key, *(others if isinstance(others, Mapping) else ())]
    changes = class_changes(trained, project.schema, keys)
    if not changes:
        return ""
    told = "; ".join(changes[:3]) + (f"; {len(changes) - 3} more" if len(changes) > 3 else "")
    return (
        f"The classes changed since it was trained (schema version {version} then, "
        f"{project.schema_version} now): {told}."
    )
