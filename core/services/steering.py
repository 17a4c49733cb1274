"""Steering: putting a new policy or guideline version in force, with a reason."""

from __future__ import annotations

from sqlalchemy import Connection, Table

from core.access import Action, Actor
from core.consensus.policy import Policy
from core.errors import InputError
from core.services.projects import (
    ProjectView,
    in_force,
    insert_version,
    load_project,
    project_for,
)
from core.services.resolve import resolve_items
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import guidelines, policies


def set_policy(ws: Workspace, actor: Actor, slug: str, policy: Policy, reason: str) -> ProjectView:
    """Put a new policy version in force and derive every label anew under it.

    Raises:
        InputError: No reason was given.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        project = _new_version(
            ws, connection, actor, slug, policies, policy.to_json(), reason, "policy set"
        )
        resolve_items(connection, project, None, ws.clock())
        return project


def set_guideline(ws: Workspace, actor: Actor, slug: str, text: str, reason: str) -> ProjectView:
    """Put a new guideline version in force.

    Raises:
        InputError: No reason was given.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        return _new_version(ws, connection, actor, slug, guidelines, text, reason, "guideline set")


def _new_version(
    ws: Workspace,
    connection: Connection,
    actor: Actor,
    slug: str,
    table: Table,
    doc: str,
    reason: str,
    what: str,
) -> ProjectView:
    project = project_for(connection, actor, slug, Action.STEER)
    if not reason.strip():
        raise InputError("A new version needs a reason.", "Say in a few words why.")
    last = in_force(connection, table, project.id)
    if last.doc == doc:
        return project
    now = ws.clock()
    insert_version(
        connection, table, project.id, last.version + 1, doc, reason.strip(), actor.person_id, now
    )
    append_audit(
        connection, now, actor.name, what, slug, project.id,
        {"version": last.version + 1, "reason": reason.strip()},
    )  # fmt: skip
    return load_project(connection, slug)
