"""Nothing left: the sentence that says why a part of a queue has nothing for a person."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from core.labels.state import ItemState
from core.queue.barred import NOTHING_BARRED
from core.queue.choose import of_part
from core.queue.filters import QueueFilter
from core.queue.plan import Order
from core.services.consensus.resolve import UNSURE
from core.services.items.lists import list_in
from core.services.projects.project import ProjectView
from core.store.tables import item_state


def why_empty(
    connection: Connection, project: ProjectView, part: QueueFilter, countable: bool = True
) -> str:
    """Return the sentence that says why a part of a queue has nothing for a person.

    Args:
        connection: The caller's transaction.
        project: Where the items are.
        part: What was asked for.
        countable: Whether this person may know how many items the part has: see `blind.countable`.
    """
    if not countable:
        return (
            f"Nothing {_part_in_words(connection, project, part)} waits for you now; what you are "
            "to judge without the model's word is not offered by class."
        )
    barred, part = part.barred, replace(part, barred=NOTHING_BARRED)
    counts = _by_state(connection, project, part)
    total, open_items = sum(counts.values()), counts.get(ItemState.OPEN.value, 0)
    disputes = counts.get(ItemState.DISPUTE.value, 0)
    what = _part_in_words(connection, project, part)
    if total == 0:
        if part:
            return f"There is nothing {what} in this project."
        return "This project has no items yet. A lead or manager imports them under Datasets."
    if open_items == 0:
        tail = f" {disputes:,} wait for a lead." if disputes else ""
        subject = f"All {total:,} items {what}".rstrip()
        return f"{subject} have their votes.{tail}"
    every = f"every item {what} that has".replace("  ", " ")
    still = "items still wait" if open_items != 1 else "item still waits"
    looked = "are" if open_items != 1 else "is"
    kept = ""
    if barred:
        mine = _by_state(connection, project, replace(part, barred=barred))
        kept = _kept_from(open_items - mine.get(ItemState.OPEN.value, 0))
    return (
        f"You have answered {every} a place for you. {open_items:,} {still} "
        f"for somebody else's vote, or {looked} being looked at by others right now.{kept}"
    )


def _by_state(connection: Connection, project: ProjectView, part: QueueFilter) -> dict[str, int]:
    rows = connection.execute(
        select(item_state.c.state, func.count())
        .where(*of_part(connection, project.id, part, Order.LEAST_CONFIDENT))
        .group_by(item_state.c.state)
    )
    return {r[0]: r[1] for r in rows}


def _kept_from(count: int) -> str:
    """Return the sentence on open items that the policy keeps from a person."""
    if not count:
        return ""
    which = "is one" if count == 1 else f"are {count:,}"
    return (
        f" Among them {which} the policy keeps from you: for people with a skill you do not hold, "
        "or naming you."
    )


def _part_in_words(connection: Connection, project: ProjectView, part: QueueFilter) -> str:
    words = []
    if part.queue == UNSURE:
        words.append("that somebody was unsure of")
    elif part.queue:
        words.append("that somebody flagged")
    if part.predicted:
        words.append(f"predicted '{part.predicted}'")
    if part.slice_key:
        words.append(f"with {part.slice_key} '{part.slice_value}'")
    if part.list_id:
        words.append(f"in the list '{list_in(connection, project, part.list_id)}'")
    return " and ".join(words)
