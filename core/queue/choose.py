"""Which items come first in an order and a part of the queue, read without holding anybody up.

The main order is claimed straight from its index. All else is chosen here from a snapshot, in
the order asked for, and then claimed out of what was chosen, with the exact check.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, TextClause, select, text

from core.queue.claim import free
from core.queue.filters import QueueFilter
from core.queue.parts import few_members
from core.queue.plan import Order
from core.store.tables import item_state

Conditions = list[ColumnElement[bool] | TextClause]


def choose(
    connection: Connection,
    project_id: int,
    person_id: int,
    now: float,
    order: Order,
    part: QueueFilter,
    most: int,
) -> list[int]:
    """Return up to `most` ready items with a free place for a person, the first in order first."""
    state = item_state.c
    exact = text(free("item_state")).bindparams(person=person_id, now=now)
    where: Conditions = [*of_part(connection, project_id, part, order), exact]
    # An index over ready items serves a statement that says `ready = 1`; one that says it
    # otherwise is served by the index of its own order or class, which holds the open items.
    main, other = text("item_state.ready = 1"), text("item_state.ready > 0")
    if order is Order.MOST_DISPUTED:
        lead = [*where, other, text("item_state.dispute > 0")]
        return _merged(connection, lead, [*where, main], state.dispute, most)
    if order is Order.MOST_REPRESENTATIVE:
        lead = [*where, other, text("item_state.typicality IS NOT NULL")]
        return _merged(connection, lead, [*where, main], state.typicality, most)
    own_index = part.predicted or part.queue or order is not Order.LEAST_CONFIDENT
    by = {Order.OLDEST: state.item_id, Order.RANDOM: state.scramble}.get(order, state.priority)
    query = select(state.item_id).where(*where, other if own_index else main)
    query = query.order_by(state.boost.desc(), by, state.item_id).limit(most)
    return list(connection.execute(query).scalars())


def of_part(connection: Connection, project_id: int, part: QueueFilter, order: Order) -> Conditions:
    """Return the conditions for items of a part, put so that few rows are read."""
    by_class = order is Order.LEAST_CONFIDENT
    members = few_members(connection, project_id, part, ordered_by_class=by_class)
    conditions = part.conditions(connection.dialect.name)
    if members is None:
        return [item_state.c.project_id == project_id, *conditions]
    # The plus keeps SQLite from walking the project's order instead of looking these up.
    here = text("+item_state.project_id = :project").bindparams(project=project_id)
    return [item_state.c.item_id.in_(members), here, *conditions]


def has_typicality(connection: Connection, project_id: int) -> bool:
    """Return whether any open item of a project has a place among its embeddings."""
    query = select(item_state.c.item_id).where(
        item_state.c.project_id == project_id,
        text("item_state.state = 'open' AND item_state.typicality IS NOT NULL"),
    )
    # In the order of its index, which alone says at once that there is none.
    query = query.order_by(item_state.c.boost.desc(), item_state.c.typicality.desc())
    return connection.execute(query.limit(1)).first() is not None


def _merged(
    connection: Connection,
    leading: Conditions,
    rest: Conditions,
    key: ColumnElement[float] | ColumnElement[float | None],
    most: int,
) -> list[int]:
    """Return items by boost, then by `key`, highest first; those without one by the main order.

    What comes before an item without a key in the second reading also does so in the merged
    order, so the first `most` of each reading hold the first `most` of both.
    """
    state = item_state.c
    columns = (state.item_id, state.boost, key.label("score"), state.priority)
    readings = (
        (leading, (state.boost.desc(), key.desc(), state.item_id)),
        (rest, (state.boost.desc(), state.priority, state.item_id)),
    )
    found = {
        row.item_id: (-row.boost, -(row.score or 0.0), row.priority, row.item_id)
        for where, order in readings
        for row in connection.execute(select(*columns).where(*where).order_by(*order).limit(most))
    }
    return sorted(found, key=found.__getitem__)[:most]
