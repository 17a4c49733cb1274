"""Who sees what next: live leases, free places, and claiming them so that no place is given twice.

A place on an item is free while live votes + live leases < votes wanted. A lease's life is
computed from its expiry when it is read, so nothing has to clean up for an item to come free.
Every function runs inside the caller's transaction, which must be exclusive where it writes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.labels.state import ItemState
from core.queue.plan import Order
from core.store.tables import annotation_log, decisions, item_state, leases


def held_leases(connection: Connection, project_id: int, person_id: int, now: float) -> list[int]:
    """Return the items a person holds, in queue order."""
    return list(
        connection.execute(
            select(leases.c.item_id)
            .join(item_state, item_state.c.item_id == leases.c.item_id)
            .where(
                leases.c.project_id == project_id,
                leases.c.person_id == person_id,
                leases.c.expires_at > now,
            )
            .order_by(item_state.c.priority, leases.c.item_id)
        ).scalars()
    )


def claim(
    connection: Connection,
    project_id: int,
    person_id: int,
    count: int,
    now: float,
    lease_seconds: float,
    order: Order = Order.LEAST_CONFIDENT,
    only: Sequence[int] | None = None,
) -> list[int]:
    """Lease up to `count` items with a free place to a person and return them in queue order.

    Args:
        only: Claim out of these items alone.
    """
    query = _free(project_id, person_id, now)
    if only is not None:
        query = query.where(item_state.c.item_id.in_(only))
    taken = list(connection.execute(query.order_by(*_order(order)).limit(count)).scalars())
    hold(connection, project_id, person_id, taken, now, lease_seconds)
    return taken


def waiting(connection: Connection, project_id: int, person_id: int, now: float) -> int:
    """Return how many items have a free place for this person."""
    return int(
        connection.execute(
            select(func.count()).select_from(_free(project_id, person_id, now).subquery())
        ).scalar_one()
    )


def hold(
    connection: Connection,
    project_id: int,
    person_id: int,
    item_ids: Sequence[int],
    now: float,
    lease_seconds: float,
) -> None:
    """Write or renew leases; the caller has checked that the places are free."""
    if not item_ids:
        return
    rows = [
        {
            "item_id": i,
            "person_id": person_id,
            "project_id": project_id,
            "since": now,
            "expires_at": now + lease_seconds,
        }
        for i in item_ids
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(leases)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["item_id", "person_id"],
            set_={"expires_at": insert.excluded.expires_at, "since": insert.excluded.since},
        ),
        rows,
    )


def renew(
    connection: Connection,
    person_id: int,
    item_ids: Sequence[int],
    now: float,
    lease_seconds: float,
) -> int:
    """Prolong leases that are still live and return how many; an expired one must be claimed anew."""
    done = connection.execute(
        update(leases)
        .where(
            leases.c.person_id == person_id,
            leases.c.item_id.in_(item_ids),
            leases.c.expires_at > now,
        )
        .values(expires_at=now + lease_seconds)
    )
    return int(done.rowcount)


def release(connection: Connection, person_id: int, item_ids: Sequence[int]) -> None:
    """Give items back."""
    connection.execute(
        delete(leases).where(leases.c.person_id == person_id, leases.c.item_id.in_(item_ids))
    )


def has_free_place(connection: Connection, item_id: int, person_id: int, now: float) -> bool:
    """Return whether this person may vote on the item: own live lease, or a place nobody holds."""
    own = connection.execute(
        select(leases.c.item_id).where(
            leases.c.item_id == item_id,
            leases.c.person_id == person_id,
            leases.c.expires_at > now,
        )
    ).first()
    if own is not None:
        return True
    return (
        connection.execute(
            select(item_state.c.item_id).where(
                item_state.c.item_id == item_id, _has_place(person_id, now)
            )
        ).first()
        is not None
    )


def has_ruled(connection: Connection, item_id: int, person_id: int) -> bool:
    """Return whether this person ruled on the item as a lead, and so has seen its votes."""
    return (
        connection.execute(
            select(decisions.c.seq)
            .where(decisions.c.item_id == item_id, decisions.c.person_id == person_id)
            .limit(1)
        ).first()
        is not None
    )


def _free(project_id: int, person_id: int, now: float) -> Select:
    answered = (
        select(annotation_log.c.item_id)
        .where(
            annotation_log.c.item_id == item_state.c.item_id,
            annotation_log.c.person_id == person_id,
            annotation_log.c.kind != "withdraw",
            ~_has_later_revision(),
        )
        .correlate(item_state)
    )
    held = select(leases.c.item_id).where(
        leases.c.item_id == item_state.c.item_id,
        leases.c.person_id == person_id,
        leases.c.expires_at > now,
    )
    ruled = select(decisions.c.seq).where(
        decisions.c.item_id == item_state.c.item_id, decisions.c.person_id == person_id
    )
    return select(item_state.c.item_id).where(
        item_state.c.project_id == project_id,
        _has_place(person_id, now),
        ~answered.exists(),
        ~held.exists(),
        ~ruled.exists(),
    )


def _has_later_revision() -> ColumnElement[bool]:
    later = annotation_log.alias("later")
    return (
        select(later.c.seq)
        .where(
            later.c.item_id == annotation_log.c.item_id,
            later.c.person_id == annotation_log.c.person_id,
            later.c.revision > annotation_log.c.revision,
        )
        .correlate(annotation_log)
        .exists()
    )


def _has_place(person_id: int, now: float) -> ColumnElement[bool]:
    others = (
        select(func.count())
        .select_from(leases)
        .where(
            leases.c.item_id == item_state.c.item_id,
            leases.c.person_id != person_id,
            leases.c.expires_at > now,
        )
        .correlate(item_state)
        .scalar_subquery()
    )
    return and_(
        item_state.c.state == ItemState.OPEN.value,
        item_state.c.votes + others < item_state.c.wanted,
    )


def _order(order: Order) -> tuple[ColumnElement, ...]:
    if order is Order.OLDEST:
        return (item_state.c.item_id.asc(),)
    if order is Order.RANDOM:
        # A fixed scramble of the number: the same for everybody, so colleagues meet and items finish.
        return ((item_state.c.item_id * 7919 % 104729).asc(), item_state.c.item_id.asc())
    return (item_state.c.priority.asc(), item_state.c.item_id.asc())
