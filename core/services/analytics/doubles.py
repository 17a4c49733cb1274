"""Accounts that one person may have twice: signed in in one browser, and both voted on the same item.

A shared computer does the same, so this says what was seen and accuses nobody (A4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.services.accounts.sessions import SECOND_ACCOUNT
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import annotation_log, audit, people


@dataclass(frozen=True, slots=True)
class Double:
    """Two accounts used in one browser that both voted on some items.

    Attributes:
        names: Of the accounts, sorted.
        items: Numbers of the items both have a vote on, in order.
        at: When the second was first seen, seconds since the epoch.
    """

    names: tuple[str, str]
    items: tuple[int, ...]
    at: float


def doubles(ws: Workspace, actor: Actor, slug: str) -> list[Double]:
    """Return the pairs of accounts of one browser with votes on the same items, most items first.

    Simulated people are left out: the demo invites one to be all of them.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures of persons here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        found = [
            Double(names, shared, at)
            for pair, at in _pairs(connection).items()
            if (names := _names(connection, pair)) and (shared := _both(connection, project, pair))
        ]
    return sorted(found, key=lambda d: (-len(d.items), d.names))


def _pairs(connection: Connection) -> dict[tuple[int, int], float]:
    rows = connection.execute(
        select(audit.c.doc, audit.c.at)
        .where(audit.c.action == SECOND_ACCOUNT)
        .order_by(audit.c.seq)
    )
    found: dict[tuple[int, int], float] = {}
    for row in rows:
        one, other = json.loads(row.doc)["people"]
        found.setdefault((one, other), row.at)
    return found


def _names(connection: Connection, pair: tuple[int, int]) -> tuple[str, str] | None:
    query = select(people.c.name).where(people.c.id.in_(pair), ~people.c.simulated)
    found = sorted(connection.execute(query.order_by(people.c.name)).scalars())
    return (found[0], found[1]) if len(found) == 2 else None


def _both(connection: Connection, project: ProjectView, pair: tuple[int, int]) -> tuple[int, ...]:
    """Return the items on which a vote of each stands."""
    log, later = annotation_log, annotation_log.alias("later")
    superseded = (
        select(later.c.seq)
        .where(
            later.c.item_id == log.c.item_id,
            later.c.person_id == log.c.person_id,
            later.c.revision > log.c.revision,
        )
        .exists()
    )
    rows = connection.execute(
        select(log.c.item_id)
        .where(log.c.project_id == project.id, log.c.person_id.in_(pair))
        .where(log.c.kind == "vote", ~superseded)
        .group_by(log.c.item_id)
        .having(func.count(log.c.person_id.distinct()) == 2)
        .order_by(log.c.item_id)
    )
    return tuple(rows.scalars())
