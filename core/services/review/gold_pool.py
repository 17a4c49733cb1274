"""What gold is left to plant, told to those who steer: nobody is handed the same gold twice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.queue.choose import choose
from core.queue.filters import QueueFilter
from core.queue.plan import Order
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.review.planting import CLOSED, LOOKED_AHEAD, people_of
from core.services.visibility.guises import runs_of
from core.services.visibility.probes import may_be_probed
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    decisions,
    gold_answers,
    item_state,
    items,
    overlook_probes,
    probe_votes,
)


@dataclass(frozen=True, slots=True)
class GoldPool:
    """What gold a project has.

    Attributes:
        asked: Whether the queue plan plants gold.
        total: Gold items that may be planted at all.
        unlike: Of these, how many lack what the next items in the queue have, or have what those
            lack: a pre-label of the same run. They are not planted, for they would stand out.
        used_up: Who has met all the rest, by name; none is planted for them any more.
    """

    asked: bool
    total: int
    unlike: int
    used_up: tuple[str, ...]


def gold_pool(ws: Workspace, actor: Actor, slug: str) -> GoldPool:
    """Return how much gold there is to plant, and for whom none is left.

    Raises:
        Forbidden: The actor may not see gold here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_GOLD, counted=False)
        pool = _pool(connection, project)
        fit = pool - _unlike(connection, ws, project, pool)
        plan = plan_in_force(connection, project.id)
        used_up = sorted(
            person.display_name
            for person in people_of(connection, project)
            if may_be_probed(person, project.id)
            and fit <= _met(connection, project, person.person_id)
        )
    asked = bool(plan.gold_share or plan.onboarding)
    return GoldPool(asked, len(pool), len(pool) - len(fit), tuple(used_up if fit else ()))


def _pool(connection: Connection, project: ProjectView) -> frozenset[int]:
    query = (
        select(func.distinct(gold_answers.c.item_id))
        .join(items, items.c.id == gold_answers.c.item_id)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(
            gold_answers.c.project_id == project.id,
            items.c.use != "evaluate",
            item_state.c.state.not_in(CLOSED),
        )
    )
    return frozenset(connection.execute(query).scalars())


def _unlike(
    connection: Connection, ws: Workspace, project: ProjectView, pool: frozenset[int]
) -> frozenset[int]:
    nobody, whole = 0, QueueFilter()
    ahead = choose(
        connection, project.id, nobody, ws.clock(), Order.LEAST_CONFIDENT, whole, LOOKED_AHEAD
    )
    have = set(runs_of(connection, ahead).values())
    if not have:
        return frozenset()
    return frozenset(i for i, run in runs_of(connection, pool).items() if run not in have)


def _met(connection: Connection, project: ProjectView, person_id: int) -> set[int]:
    """Return the items a person answered, ruled on or was shown in a grid."""
    found: set[int] = set()
    for table in (annotation_log, decisions, overlook_probes, probe_votes):
        mine = select(table.c.item_id).where(
            table.c.project_id == project.id, table.c.person_id == person_id
        )
        found.update(connection.execute(mine).scalars())
    return found
