"""The versions a policy has had, and putting an earlier one back in force."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from core.access import Action, Actor
from core.consensus.policy import Policy
from core.errors import InputError, NotFound
from core.services.projects.project import ProjectView, project_for
from core.services.steering.rules import set_policy
from core.services.workspace import Workspace
from core.store.tables import people, person_revisions, policies


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a project's policy.

    Attributes:
        by: Display name of who put it in force; empty for the first, made with the project.
        policy: The policy; None where this program cannot read the document.
    """

    version: int
    at: float
    by: str
    reason: str
    policy: Policy | None


def policy_versions(ws: Workspace, actor: Actor, slug: str) -> list[PolicyVersion]:
    """Return every version of a project's policy, the newest first.

    Raises:
        Forbidden: The actor does not steer this project.
    """
    name = (
        select(person_revisions.c.display_name)
        .where(person_revisions.c.person_id == people.c.id)
        .order_by(person_revisions.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        rows = connection.execute(
            select(policies, name.label("name"))
            .outerjoin(people, people.c.id == policies.c.by_id)
            .where(policies.c.project_id == project.id)
            .order_by(policies.c.version.desc())
        ).all()
    return [PolicyVersion(r.version, r.at, r.name or "", r.reason, _read(r.doc)) for r in rows]


def _read(doc: str) -> Policy | None:
    try:
        return Policy.from_json(doc)
    except InputError:  # written by a newer program
        return None


def put_back(ws: Workspace, actor: Actor, slug: str, version: int, reason: str) -> ProjectView:
    """Put an earlier policy in force again, as a new version with the same document.

    Raises:
        NotFound: There is no such version that can be read.
        InputError: No reason was given.
        Forbidden: The actor does not steer this project.
    """
    found = {v.version: v.policy for v in policy_versions(ws, actor, slug)}
    policy = found.get(version)
    if policy is None:
        raise NotFound(
            f"The policy of '{slug}' has no version {version} that can be read here; "
            "the one in force stays.",
            "Choose another version.",
        )
    return set_policy(ws, actor, slug, policy, reason)
