"""A policy given as a file: its fields over those of the policy in force, and what that makes in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, or_, select

from core.access import Action, Actor
from core.consensus.policy import Policy, SkillKind, describe
from core.errors import InputError
from core.services.consensus.policy_files import read_policy_text
from core.services.projects.project import ProjectView, project_for
from core.services.steering.history import policy_changes
from core.services.workspace import Workspace
from core.store.tables import item_metadata

_KEPT = (
    "What the file leaves out stays as in the policy in force (version {version}); "
    "name that field too where the two do not go together."
)


@dataclass(frozen=True, slots=True)
class GivenPolicy:
    """The policy a file makes of the one in force.

    Attributes:
        policy: The outcome.
        fields: Names of the fields taken from the file, in its order.
        version: Of the policy in force, from which all others were kept.
        changes: What is other than in force, one line each.
        words: The outcome in plain sentences.
        notes: What the file names and the project does not have.
    """

    policy: Policy
    fields: tuple[str, ...]
    version: int
    changes: tuple[str, ...]
    words: str
    notes: tuple[str, ...]


def given_policy(ws: Workspace, actor: Actor, slug: str, path: Path) -> GivenPolicy:
    """Return what a policy file makes of a project's policy; fields it leaves out stay as in force.

    Raises:
        InputError: The file cannot be read or holds no policy, or its fields do not go with those kept.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        policy, fields = _merged(project, read_policy_text(path))
        notes = _notes(connection, project, policy)
    return GivenPolicy(
        policy,
        fields,
        project.policy_version,
        tuple(policy_changes(project.policy, policy)),
        describe(policy, boxes=project.schema.draws),
        notes,
    )


def _merged(project: ProjectView, text: str) -> tuple[Policy, tuple[str, ...]]:
    try:
        return project.policy.with_fields(text)
    except InputError as error:
        if error.advice:
            raise
        raise InputError(error.message, _KEPT.format(version=project.policy_version)) from error


def _notes(connection: Connection, project: ProjectView, policy: Policy) -> tuple[str, ...]:
    """Return a sentence for each metadata column the policy names and no item has."""
    named = [r.key for r in policy.skills if r.kind == SkillKind.SLICE]
    if policy.conflict_column:
        named.insert(0, policy.conflict_column)
    return tuple(
        f"No item of '{project.slug}' has the metadata column {name!r} that the policy names; "
        "until one has, that rule keeps nobody from anything."
        for name in dict.fromkeys(named)
        if not _has_column(connection, project.id, name)
    )


def _has_column(connection: Connection, project_id: int, name: str) -> bool:
    """Return whether any item of a project ever had this metadata column.

    Metadata are flat objects of texts, in which a quote is escaped: '{"name": ' stands nowhere else.
    """
    find = func.strpos if connection.dialect.name == "postgresql" else func.instr
    doc, key = item_metadata.c.doc, f"{json.dumps(name, ensure_ascii=False)}: "
    query = (
        select(item_metadata.c.seq)
        .where(item_metadata.c.project_id == project_id)
        .where(or_(*(find(doc, lead + key) > 0 for lead in ("{", ", "))))
        .limit(1)
    )
    return connection.execute(query).first() is not None
