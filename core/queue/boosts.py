"""What a lead moved forward or back, written into `item_state.boost`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from core.queue.plan import Boost, BoostKind, QueuePlan
from core.store.tables import item_list_rows, item_metadata, item_state


def apply_boosts(
    connection: Connection,
    project_id: int,
    plan: QueuePlan,
    item_ids: Sequence[int] | None = None,
) -> None:
    """Write the boosts of a plan on a project's items, or on these of them alone."""
    here = item_state.c.project_id == project_id
    if item_ids is not None:
        here &= item_state.c.item_id.in_(item_ids)
    connection.execute(update(item_state).where(here, item_state.c.boost != 0).values(boost=0))
    # Where boosts meet, the strongest counts, and forward before back: it is written last.
    for boost in sorted(plan.boosts, key=lambda b: (abs(b.level), b.level)):
        connection.execute(
            update(item_state).where(here, _boosted(connection, boost)).values(boost=boost.level)
        )


def _boosted(connection: Connection, boost: Boost) -> ColumnElement[bool]:
    if boost.kind == BoostKind.CLASS:
        return item_state.c.predicted == boost.value
    if boost.kind == BoostKind.SLICE:
        return in_slice(connection.dialect.name, boost.key, boost.value)
    if boost.kind == BoostKind.LIST:
        return in_list(boost.numbers()[0])
    return item_state.c.item_id.in_(boost.numbers())


def in_list(list_id: int) -> ColumnElement[bool]:
    """Return the condition that an item is in a hand-picked list."""
    return item_state.c.item_id.in_(
        select(item_list_rows.c.item_id).where(item_list_rows.c.list_id == list_id)
    )


def in_slice(dialect: str, key: str, value: str) -> ColumnElement[bool]:
    """Return the condition that an item's metadata now has this value in this column."""
    newest = (
        select(func.max(item_metadata.c.seq))
        .where(item_metadata.c.item_id == item_state.c.item_id)
        .correlate(item_state)
        .scalar_subquery()
    )
    return (
        select(item_metadata.c.seq)
        .where(item_metadata.c.seq == newest, _says(dialect, key, value))
        .correlate(item_state)
        .exists()
    )


def _says(dialect: str, key: str, value: str) -> ColumnElement[bool]:
    """Return the condition that a metadata document, a flat object of texts, has key: value.

    A quote inside a JSON text is escaped, so `{"key": "value"` or `, "key": "value"` with bare
    quotes stands nowhere but where the pair itself does; no JSON path has to be made of a name.
    """
    find = func.strpos if dialect == "postgresql" else func.instr
    pair = f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
    return or_(*(find(item_metadata.c.doc, lead + pair) > 0 for lead in ("{", ", ")))
