"""Steering: putting a new policy or guideline version in force, with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from sqlalchemy import Connection, Row, Table, func, select

from core.access import Action, Actor
from core.consensus.policy import Policy
from core.errors import InputError
from core.services.consensus.resolve import resolve_all
from core.services.pictures.images import image_path
from core.services.projects.project import (
    GuidelineExample,
    ProjectView,
    in_force,
    insert_version,
    load_project,
    project_for,
)
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import gold_answers, guidelines, item_names, items, policies

MAX_EXAMPLES = 24
MOST_ALIKE, MOST_CANDIDATES = 200, 5
MAX_NOTE = 300
MAX_GUIDELINE = 100_000
"""Characters: every reviewer's deck is given the text."""


def set_policy(ws: Workspace, actor: Actor, slug: str, policy: Policy, reason: str) -> ProjectView:
    """Put a new policy version in force and derive every label anew under it.

    Raises:
        InputError: No reason was given.
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        before = project_for(connection, actor, slug, Action.STEER)
        project = _new_version(
            ws, connection, actor, before, policies, policy.to_json(), reason, "policy set"
        )
        resolve_all(ws, connection, project, ws.clock())
        return project


def set_guideline(
    ws: Workspace,
    actor: Actor,
    slug: str,
    text: str,
    reason: str,
    examples: Sequence[GuidelineExample] | None = None,
) -> ProjectView:
    """Put a new guideline version in force.

    Args:
        examples: Shown beside the text, in this order; None keeps those in force.

    Raises:
        InputError: No reason was given, it is too long, or an example may not be one.
        Forbidden: The actor does not steer this project.
    """
    if len(text) > MAX_GUIDELINE:
        raise InputError(
            f"The guideline has {len(text):,} characters, at most {MAX_GUIDELINE:,} are taken.",
            "Shorten it, or link to what is longer; the version in force stays.",
        )
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        chosen = project.guideline_examples if examples is None else tuple(examples)
        if chosen != project.guideline_examples:
            _check_examples(connection, project, chosen)
        told = [
            {"item_id": e.item_id, "good": e.good, "note": e.note.strip()[:MAX_NOTE]}
            for e in chosen
        ]
        return _new_version(
            ws, connection, actor, project, guidelines, text, reason, "guideline set",
            examples=json.dumps(told, ensure_ascii=False),
        )  # fmt: skip


def example_of(ws: Workspace, actor: Actor, slug: str, name: str) -> GuidelineExample:
    """Return the item of that name or number as a good example without a note.

    A name may be given without its folder and extension where one item alone is called so.

    Raises:
        InputError: There is no such item in this project, or it may not be shown as an example.
        Forbidden: The actor does not steer this project.
    """
    asked = name.strip()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        named = select(item_names.c.item_id).where(item_names.c.project_id == project.id)
        found = connection.execute(named.where(item_names.c.name == asked)).scalar()
        alike = _called_alike(connection, project.id, asked) if found is None else []
        if len(alike) == 1 and _stem(alike[0].name) == asked.casefold():
            found = alike[0].item_id
        digits = asked.removeprefix("#")
        if (
            found is None
            and digits.isascii()
            and digits.isdigit()
            and 0 < len(digits.lstrip("0")) < 16
        ):
            found = int(digits)
        if found is None:
            raise InputError(f"There is no item '{asked[:80]}' in this project.", _advice(alike))
        _check_examples(connection, project, [GuidelineExample(found, good=True, note="")])
        row = connection.execute(select(items.c.content_hash).where(items.c.id == found)).one()
        known = names_of(connection, [found])[found][0]
    return GuidelineExample(found, True, "", known, image_path(found, row.content_hash))


def _called_alike(connection: Connection, project_id: int, asked: str) -> Sequence[Row]:
    """Return the items of this name but for folder and extension; else those that hold the text."""
    if not asked:
        return []
    here = select(item_names.c.item_id, func.min(item_names.c.name).label("name")).where(
        item_names.c.project_id == project_id
    )
    few = here.group_by(item_names.c.item_id).order_by(item_names.c.item_id)
    holds = item_names.c.name.icontains(asked, autoescape=True)
    rows = connection.execute(few.where(holds).limit(MOST_ALIKE)).all()
    return [r for r in rows if _stem(r.name) == asked.casefold()] or rows


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.casefold()


def _advice(alike: Sequence[Row]) -> str:
    if not alike:
        return "Give its name or number as the Items page shows it."
    names = ", ".join(f"'{r.name[:80]}'" for r in alike[:MOST_CANDIDATES])
    return f"Choose one of {names}, or another as the Items page shows it."


def _check_examples(
    connection: Connection, project: ProjectView, examples: Sequence[GuidelineExample]
) -> None:
    """Check that the items may be shown."""
    ids = [e.item_id for e in examples]
    if len(ids) > MAX_EXAMPLES:
        raise InputError(
            f"A guideline takes {MAX_EXAMPLES} examples, found {len(ids)}.", "Choose the best."
        )
    if len(set(ids)) < len(ids):
        raise InputError("An item is chosen as an example twice.", "Take one of them out.")
    _check_may_be_taught(connection, project, ids)


def _check_may_be_taught(connection: Connection, project: ProjectView, ids: Sequence[int]) -> None:
    """Check that nobody has to find these items' answers out: those must not be taught."""
    uses = {
        r.id: r.use
        for r in connection.execute(
            select(items.c.id, items.c.use).where(
                items.c.id.in_(ids), items.c.project_id == project.id
            )
        )
    }
    gold = set(
        connection.execute(
            select(gold_answers.c.item_id).where(gold_answers.c.item_id.in_(ids))
        ).scalars()
    )
    for item_id in ids:
        if item_id not in uses:
            raise InputError(
                f"There is no item {item_id} in this project.",
                "Give its name or number as the Items page shows it.",
            )
        if uses[item_id] == "evaluate":
            raise InputError(
                f"Item {item_id} was drawn for evaluation: shown as an example its answer would be "
                "taught, and the figures would flatter everybody.",
                "Choose another item.",
            )
        if item_id in gold:
            raise InputError(
                f"Item {item_id} is a gold item: its answer must not reach reviewers.",
                "Choose another item.",
            )


def _new_version(
    ws: Workspace,
    connection: Connection,
    actor: Actor,
    project: ProjectView,
    table: Table,
    doc: str,
    reason: str,
    what: str,
    **more: object,
) -> ProjectView:
    if not reason.strip():
        raise InputError("A new version needs a reason.", "Say in a few words why.")
    last = in_force(connection, table, project.id)
    if last.doc == doc and all(getattr(last, k) == v for k, v in more.items()):
        return project
    now = ws.clock()
    insert_version(
        connection, table, project.id, last.version + 1, doc, reason.strip(), actor.person_id, now,
        **more,
    )  # fmt: skip
    append_audit(
        connection, now, actor.name, what, project.slug, project.id,
        {"version": last.version + 1, "reason": reason.strip()},
    )  # fmt: skip
    return load_project(connection, project.slug)
