"""What part of a queue somebody asks for, as it stands in the address of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, TextClause, text

from core.errors import InputError
from core.queue.barred import NOTHING_BARRED, Barred
from core.queue.boosts import in_list, in_slice
from core.store.tables import item_state

QUEUES = ("unsure", "flagged")
"""The queues beside the main one: what waits for an expert, and what somebody flagged."""

MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """A part of a project's queue; empty fields leave nothing out.

    Attributes:
        predicted: Items of which the model says this class.
        slice_key: A metadata column, with `slice_value` the value it must have.
        list_id: A hand-picked list.
        queue: `unsure`: items somebody was unsure of, for experts. `flagged`: items somebody
            flagged and a lead sent back.
        barred: What is kept from the person who asks; no address names it.
    """

    predicted: str = ""
    slice_key: str = ""
    slice_value: str = ""
    list_id: int = 0
    queue: str = ""
    barred: Barred = NOTHING_BARRED

    def __bool__(self) -> bool:
        return self != QueueFilter()

    def to_query(self) -> dict[str, str]:
        """Return the query parameters that `from_query` reads; empty fields are left out."""
        found = {"class": self.predicted, "queue": self.queue}
        if self.slice_key:
            found["slice"] = f"{quote(self.slice_key, safe=' ')}:{self.slice_value}"
        if self.list_id:
            found["list"] = str(self.list_id)
        return {k: v for k, v in found.items() if v}

    @staticmethod
    def from_query(asked: Mapping[str, str]) -> QueueFilter:
        """Return the filter that the parameters class, slice, list and queue ask for.

        Raises:
            InputError: One of them cannot be read.
        """
        key, value = _read_slice(asked.get("slice", ""))
        queue = asked.get("queue", "")
        if queue and queue not in QUEUES:
            raise InputError(
                f"There is no queue '{queue[:40]}'; expected one of {list(QUEUES)}.",
                "Choose one from the list.",
            )
        predicted = asked.get("class", "")
        if len(predicted) > MOST_TEXT:
            raise InputError("The class in the address is too long to be one.", "Choose a class.")
        return QueueFilter(predicted, key, value, _read_list(asked.get("list", "")), queue)

    def conditions(self, dialect: str) -> list[ColumnElement[bool] | TextClause]:
        """Return what it asks of an item's row in `item_state`."""
        found: list[ColumnElement[bool] | TextClause] = []
        if self.predicted:
            found.append(item_state.c.predicted == self.predicted)
        if self.slice_key:
            found.append(in_slice(dialect, self.slice_key, self.slice_value))
        if self.list_id:
            found.append(in_list(self.list_id))
        if self.queue:
            # A literal: the index over such items serves only a statement that says so itself.
            found.append(text(f"item_state.{self.queue} = 1"))
        return [*found, *self.barred.conditions(dialect)]


def _read_slice(text: str) -> tuple[str, str]:
    if not text:
        return "", ""
    key, colon, value = text.partition(":")
    if not colon or not key.strip() or not value or len(text) > 2 * MOST_TEXT or "\0" in text:
        raise InputError(
            f"A slice reads column:value, found '{text[:80]}'.", "Choose a column and a value."
        )
    return unquote(key), value


def _read_list(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise InputError(
            f"A list is named by its number, found '{text[:40]}'.", "Choose one from the list."
        )
    return int(text)
