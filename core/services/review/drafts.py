"""Drafts: unsent work of a person on an item."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select

from core.access import Action, Actor
from core.errors import LimitExceeded
from core.labels import Answer
from core.services.projects.project import project_for
from core.services.review.leases import require_item
from core.services.review.submission import check_answer
from core.services.workspace import Workspace
from core.store.tables import drafts

MAX_DRAFTS = 1000
"""Of one person: more is no work of a person's (A14)."""


def save_draft(
    ws: Workspace, actor: Actor, slug: str, item_id: int, answer: Answer, base_revision: int = 0
) -> float:
    """Keep unsent work on an item and return when it was kept; one draft per person and item.

    Raises:
        InputError: The answer names an unknown class or holds a bad box.
        NotFound: There is no such item in this project.
        LimitExceeded: The actor has too many drafts already.
    """
    now = ws.clock()
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        row = require_item(connection, project, item_id)
        checked = check_answer(project, answer, row.width, row.height, complete=False)
        drop_draft(connection, actor, item_id)
        _check_room(connection, actor)
        connection.execute(
            drafts.insert(),
            {
                "item_id": item_id,
                "person_id": actor.person_id,
                "doc": checked.to_json(),
                "base_revision": base_revision,
                "saved_at": now,
            },
        )
    return now


def _check_room(connection: Connection, actor: Actor) -> None:
    """Refuse to let one person fill the disk with drafts."""
    kept = connection.execute(
        select(func.count()).select_from(drafts).where(drafts.c.person_id == actor.person_id)
    ).scalar_one()
    if kept >= MAX_DRAFTS:
        raise LimitExceeded(
            f"You have {kept:,} unsent drafts, at most {MAX_DRAFTS:,} are kept; this one was not.",
            "Submit or skip some of them, then save again.",
        )


def drop_draft(connection: Connection, actor: Actor, item_id: int) -> None:
    """Forget the actor's draft of an item, if there is one."""
    connection.execute(
        delete(drafts).where(drafts.c.item_id == item_id, drafts.c.person_id == actor.person_id)
    )
