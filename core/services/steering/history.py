"""What was put in force when, by whom and why: versions of schema, policy, guideline and queue plan,
each with what it changed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from core.access import Action, Actor
from core.consensus.policy import Policy
from core.errors import InputError
from core.labels.editing import question_of
from core.labels.schema import LabelClass, LabelSchema
from core.queue.plan import QueuePlan, describe_boost
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import (
    guidelines,
    item_lists,
    person_revisions,
    policies,
    queue_plans,
    schema_events,
    schemas,
)

DIFF_LINES = 400


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """One version of a document.

    Attributes:
        what: schema, policy, guideline or queue.
        by: Display name of who put it in force.
        changes: What is other than before, one sentence or line each; of a guideline lines that
            begin with "+" or "-".
    """

    what: str
    version: int
    at: float
    by: str
    reason: str
    changes: tuple[str, ...]


def project_history(ws: Workspace, actor: Actor, slug: str) -> list[VersionEntry]:
    """Return every version of a project's schema, policy, guideline and queue plan, the newest first.

    Raises:
        NotFound: There is no such project for the actor.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_PROJECT)
        told = _told(connection, project)
        lists = _list_names(connection, project)
        found = [
            *_entries(
                connection, project, "schema", schemas, lambda _a, b: told.get(b.version, ())
            ),
            *_entries(connection, project, "policy", policies, _policy_changes),
            *_entries(connection, project, "guideline", guidelines, _guideline_changes),
            *_entries(connection, project, "queue", queue_plans, _plan_changes(lists), _FIRST_PLAN),
        ]
    return sorted(found, key=lambda e: (e.at, e.what, e.version), reverse=True)


def _entries(
    connection: Connection,
    project: ProjectView,
    what: str,
    table: Table,
    changes: Callable[[Any, Row], Sequence[str]],
    start: object = None,
) -> Iterator[VersionEntry]:
    """Yield a document's versions; `start` is what was in force before the first, if anything."""
    name = (
        select(person_revisions.c.display_name)
        .where(person_revisions.c.person_id == table.c.by_id)
        .order_by(person_revisions.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(table, name.label("name"))
        .where(table.c.project_id == project.id)
        .order_by(table.c.version)
    ).all()
    before = start
    for row in rows:
        told = changes(before, row) if before is not None else ()
        yield VersionEntry(what, row.version, row.at, row.name or "", row.reason, tuple(told))
        before = row


# --- what changed -----------------------------------------------------------------------------


def _told(connection: Connection, project: ProjectView) -> dict[int, list[str]]:
    """Return what was done to the classes, by the schema version it made."""
    found: dict[int, list[str]] = {}
    query = (
        select(schema_events)
        .where(schema_events.c.project_id == project.id)
        .order_by(schema_events.c.seq)
    )
    for row in connection.execute(query):
        found.setdefault(row.schema_version, []).append(_event_words(project.schema, row))
    return found


_EVENTS = {
    "add": "added '{after}'",
    "rename": "renamed '{before}' to '{after}'",
    "recolour": "'{name}' got the colour {after} instead of {before}",
    "rekey": "'{name}' got the key {after} instead of {before}",
    "retire": "retired '{before}'",
    "restore": "restored '{after}'",
    "merge": "merged '{before}' into '{after}'",
    "question": "now asks “{after}”",
}


def _event_words(schema: LabelSchema, row: Row) -> str:
    classes: tuple[LabelClass, ...] = ()
    title = row.question
    try:
        question = question_of(schema, row.question)
        title, classes = question.title, question.classes
    except InputError:
        pass
    name = next((c.name for c in classes if c.id == row.class_id), "")
    words = _EVENTS[row.kind].format(
        name=name, before=row.before or "none", after=row.after or "none"
    )
    return f"{title}: {words}"


_FIELDS = {
    "overlap": "votes an item needs",
    "on_disagreement": "when votes differ",
    "max_votes": "most votes",
    "iou_at_least": "overlap from which regions are the same",
    "adjudicate_own": "a lead may decide items they voted on",
    "algorithm": "how votes are weighed",
    "stop": "when votes are enough",
    "lead_of": "votes the leading answer must be ahead",
    "posterior_at_least": "how sure a label must be",
    "model_votes": "the model counts as one more voter",
    "regions": "regions are compared",
    "quorum": "share of people who must have drawn a region",
    "geometry": "how several outlines become one",
    "skills": "who may vote on what",
    "conflict_column": "column that names who may not vote",
}


def policy_changes(before: Policy, after: Policy) -> list[str]:
    """Return what is other in one policy than in another, one line each."""
    was, now = asdict(before), asdict(after)
    return [
        f"{_FIELDS[k]}: {_plainly(was[k])} → {_plainly(now[k])}" for k in now if was[k] != now[k]
    ]


def _policy_changes(before: Row, after: Row) -> list[str]:
    return policy_changes(Policy.from_json(before.doc), Policy.from_json(after.doc))


_FIRST_PLAN = SimpleNamespace(doc=QueuePlan().to_json())
"""A project has a queue plan before anybody sets one."""

_PLAN_FIELDS = {
    "order": "what comes first",
    "blind_share": "share of blind items",
    "known_wrong_share": "share of tiles known to be wrong",
    "gold_share": "share of gold",
    "repeat_share": "share of repeats",
    "onboarding": "onboarding items",
    "pass_mark": "pass mark",
    "target": "target accuracy",
    "feedback": "right answers told in onboarding",
}


def _list_names(connection: Connection, project: ProjectView) -> dict[int, str]:
    rows = connection.execute(
        select(item_lists.c.id, item_lists.c.name).where(item_lists.c.project_id == project.id)
    )
    return {r.id: r.name for r in rows}


def _plan_changes(lists: Mapping[int, str]) -> Callable[[Any, Row], list[str]]:
    def changes(before: Any, after: Row) -> list[str]:
        was, now = (QueuePlan.from_json(r.doc) for r in (before, after))
        told = [
            f"{words}: {getattr(was, k)} → {getattr(now, k)}"
            for k, words in _PLAN_FIELDS.items()
            if getattr(was, k) != getattr(now, k)
        ]
        gone = [f"- {describe_boost(b, lists)}" for b in was.boosts if b not in now.boosts]
        come = [f"+ {describe_boost(b, lists)}" for b in now.boosts if b not in was.boosts]
        return [*told, *gone, *come]

    return changes


def _plainly(value: object) -> str:
    if isinstance(value, tuple):  # rules about skills
        return "; ".join(f"{r['skill']} for {r['value']}" for r in value) or "everybody"
    if value == "":
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _guideline_changes(before: Row, after: Row) -> list[str]:
    lines = difflib.unified_diff(before.doc.splitlines(), after.doc.splitlines(), lineterm="", n=0)
    changed = [s for s in lines if s[:2] not in ("--", "++", "@@") and s[1:].strip()]
    return [*changed[:DIFF_LINES], *_example_changes(before.examples, after.examples)]


def _example_changes(before: str, after: str) -> Iterator[str]:
    was, now = ({e["item_id"]: e for e in json.loads(text)} for text in (before, after))
    for item_id in was.keys() - now.keys():
        yield f"- {_example_words(was[item_id])}"
    for item_id, example in now.items():
        if was.get(item_id) != example:
            yield f"+ {_example_words(example)}"


def _example_words(example: Mapping[str, object]) -> str:
    kind = "good" if example["good"] else "bad"
    note = f": {example['note']}" if example["note"] else ""
    return f"{kind} example, item {example['item_id']}{note}"
