"""Who may vote on what: the skills and the conflict rule of a project's policy, for one person."""

from __future__ import annotations

from sqlalchemy import Connection

from core.access import Actor
from core.consensus.policy import Policy, SkillKind, SkillRule
from core.labels import LabelSchema
from core.queue.barred import NOTHING_BARRED, Barred, barred_items
from core.services.accounts.skills import skills_held
from core.services.projects.project import ProjectView

KEPT_FROM_YOU = (
    "The policy keeps this item from you: it needs a skill you do not hold, or names you."
)


def barred_for(connection: Connection, project: ProjectView, actor: Actor) -> Barred:
    """Return what is kept from a person; nothing is read where the policy has no such rule."""
    policy = project.policy
    if not policy.skills and not policy.conflict_column:
        return NOTHING_BARRED
    lacking = _lacking(connection, project, actor)
    first = project.schema.main.key
    by_class = [
        (r.key or first, _today(project.schema, r)) for r in lacking if r.kind == SkillKind.CLASS
    ]
    slices = [(r.key, r.value) for r in lacking if r.kind == SkillKind.SLICE]
    return Barred(
        tuple(sorted({value for key, value in by_class if key == first})),
        tuple(sorted({pair for pair in by_class if pair[0] != first})),
        tuple(sorted({*slices, *_own(policy, actor)})),
    )


def in_conflict(connection: Connection, project: ProjectView, actor: Actor, item_id: int) -> str:
    """Return the sentence that keeps a person from an item that names them; empty where none does."""
    slices = tuple(_own(project.policy, actor))
    if not slices:
        return ""
    if item_id not in barred_items(connection, Barred(slices=slices), [item_id]):
        return ""
    return (
        f"'{project.policy.conflict_column}' of this item names you, so others vote and rule on it."
    )


def may_not_vote(connection: Connection, project: ProjectView, actor: Actor, item_id: int) -> str:
    """Return the sentence that keeps a person from voting on an item; empty where they may."""
    barred = barred_for(connection, project, actor)
    if item_id not in barred_items(connection, barred, [item_id]):
        return ""
    conflict = in_conflict(connection, project, actor, item_id)
    if conflict:
        return conflict
    skills = sorted({f"'{r.skill}'" for r in _lacking(connection, project, actor)})
    return f"This item is for people who hold a skill you do not: {' or '.join(skills)}."


def _lacking(connection: Connection, project: ProjectView, actor: Actor) -> list[SkillRule]:
    if not project.policy.skills:
        return []
    held = skills_held(connection, project.id, actor.person_id)
    return [r for r in project.policy.skills if r.skill not in held]


def _own(policy: Policy, actor: Actor) -> list[tuple[str, str]]:
    """Return the column and the person's name in it, where the policy has such a column."""
    return [(policy.conflict_column, actor.name)] if policy.conflict_column else []


def _today(schema: LabelSchema, rule: SkillRule) -> str:
    """Return today's name of a rule's class, which may have been renamed since."""
    asked = {q.key: q for q in schema.questions}
    question = asked.get(rule.key or schema.main.key)
    return rule.value if question is None else question.today(rule.value)
