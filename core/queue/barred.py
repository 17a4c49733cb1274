"""What a person may not vote on, as conditions on an item's row: by class, by slice, by name.

Which these are is for the services to say; where there are none a claim asks nothing more than before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, or_, select

from core.queue.boosts import in_slice
from core.store.tables import item_state, predictions


@dataclass(frozen=True, slots=True)
class Barred:
    """Items kept from a person; empty keeps nothing.

    Attributes:
        classes: Items the model takes for one of these, by the first question.
        answers: Items of which the model says this (question, class), by another question.
        slices: Items whose metadata have this (column, value).
    """

    classes: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    slices: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.classes or self.answers or self.slices)

    def conditions(self, dialect: str) -> list[ColumnElement[bool]]:
        """Return what holds of an item's row in `item_state` that is not kept from the person."""
        found: list[ColumnElement[bool]] = []
        if self.classes:
            predicted = item_state.c.predicted
            found.append(or_(predicted.is_(None), predicted.not_in(self.classes)))
        found += [~_answered(dialect, key, value) for key, value in self.answers]
        found += [~in_slice(dialect, key, value) for key, value in self.slices]
        return found


NOTHING_BARRED = Barred()


def barred_items(connection: Connection, barred: Barred, ids: Sequence[int]) -> frozenset[int]:
    """Return which of these items (at most a few hundred) are kept from the person."""
    if not barred or not ids:
        return frozenset()
    allowed = connection.execute(
        select(item_state.c.item_id).where(
            item_state.c.item_id.in_(ids), *barred.conditions(connection.dialect.name)
        )
    ).scalars()
    return frozenset(ids) - frozenset(allowed)


def _answered(dialect: str, key: str, value: str) -> ColumnElement[bool]:
    """Return the condition that the model's answer has key: value; canonical JSON has no blanks."""
    find = func.strpos if dialect == "postgresql" else func.instr
    pair = f"{json.dumps(key, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"
    return (
        select(predictions.c.seq)
        .where(
            predictions.c.seq == item_state.c.prediction_seq,
            find(predictions.c.answer, pair) > 0,
        )
        .correlate(item_state)
        .exists()
    )
