"""Bounties under way: which lists at the head of the queue belong to a slice, and taking one back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import case, func, select

from core.access import Action, Actor
from core.errors import NotFound
from core.labels.state import ItemState
from core.queue.plan import Boost, BoostKind
from core.services.bias.slice_ask import Condition
from core.services.bias.slice_items import bounty_name
from core.services.items.lists import MOST_NAME, list_in
from core.services.projects.project import project_for
from core.services.projects.queue_plans import get_queue_plan, plan_in_force, set_queue_plan
from core.services.workspace import Workspace
from core.store.tables import item_list_rows, item_lists, item_state

_ENDING = re.compile(r" \(\d+\)$")
"""What a list's name ends with where an older one had it already."""


@dataclass(frozen=True, slots=True)
class QueuedBounty:
    """A list of a slice that comes first for everybody.

    Attributes:
        items: How many it holds.
        done: How many of them wait for no vote any more.
    """

    list_id: int
    name: str
    items: int
    done: int


def queued_bounties(
    ws: Workspace, actor: Actor, slug: str, conditions: Sequence[Condition]
) -> tuple[QueuedBounty, ...]:
    """Return the bounties of a slice that are in the queue plan in force, the newest last.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    waits = func.sum(case((item_state.c.state == ItemState.OPEN.value, 1), else_=0))
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES)
        first = [_list_of(b) for b in plan_in_force(connection, project.id).boosts]
        rows = connection.execute(
            select(item_lists.c.id, item_lists.c.name, func.count().label("n"), waits.label("open"))
            .join(item_list_rows, item_list_rows.c.list_id == item_lists.c.id)
            .join(item_state, item_state.c.item_id == item_list_rows.c.item_id)
            .where(
                item_lists.c.project_id == project.id,
                item_lists.c.id.in_([i for i in first if i is not None]),
            )
            .group_by(item_lists.c.id, item_lists.c.name)
            .order_by(item_lists.c.id)
        ).all()
    base = bounty_name(conditions)
    return tuple(
        QueuedBounty(r.id, r.name, r.n, r.n - int(r.open)) for r in rows if _is_called(r.name, base)
    )


def take_back_bounty(ws: Workspace, actor: Actor, slug: str, list_id: int) -> None:
    """Let the items of a bounty wait where they waited before; the list itself is kept.

    Raises:
        Forbidden: The actor does not steer this project.
        NotFound: There is no such project for the actor, or no such list comes first.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        name = list_in(connection, project, list_id)
    plan = get_queue_plan(ws, actor, slug).plan
    kept = tuple(b for b in plan.boosts if _list_of(b) != list_id)
    if len(kept) == len(plan.boosts):
        raise NotFound(f"The list '{name}' does not come first any more; nothing was changed.")
    set_queue_plan(ws, actor, slug, replace(plan, boosts=kept), f"Taken back: {name}"[:200])


def _list_of(boost: Boost) -> int | None:
    return boost.numbers()[0] if boost.kind == BoostKind.LIST and boost.level > 0 else None


def _is_called(name: str, base: str) -> bool:
    """Return whether a list has this name, or this name with a number behind it."""
    found = _ENDING.search(name)
    if name == base[:MOST_NAME] or found is None:
        return name == base[:MOST_NAME]
    return name == base[: MOST_NAME - len(found[0])] + found[0]
