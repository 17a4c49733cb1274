"""Values out of JSON that a browser sent: the right kind, finite, of a reasonable size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from core.errors import InputError
from core.services.review.submission import Receipt

R = TypeVar("R")


def text(sent: dict[str, Any], name: str) -> str:
    """Return a text, empty where there is none.

    Raises:
        InputError: It is something else.
    """
    value = sent.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"'{name}' is a text, found {str(value)[:40]!r}.")
    return value


def whole(value: object, name: str) -> int:
    """Return a whole number that fits the record; JSON's true and 1.5 are none.

    Raises:
        InputError: It is none.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise InputError(f"'{name}' is a whole number, found {str(value)[:40]!r}.")
    return value


def real(value: Any, name: str) -> float:
    """Return a finite number.

    Raises:
        InputError: It is none.
    """
    try:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if plain and math.isfinite(found := float(value)):
            return found
    except OverflowError:
        pass
    raise InputError(f"'{name}' is a number, found {str(value)[:40]!r}.")


def rows(sent: dict[str, Any], name: str, most: int) -> list[Any]:
    """Return a list of at most so many values.

    Raises:
        InputError: It is none, or too long.
    """
    found = sent.get(name)
    if not isinstance(found, list) or len(found) > most:
        raise InputError(f"'{name}' is a list of at most {most}.")
    return found


def row(sent: object, what: str, made: Callable[[dict[str, Any], str, int], R]) -> R | Receipt:
    """Return what a row of a batch says, or the receipt that refuses it: one stops no other.

    Args:
        sent: The row.
        what: What it is, to begin a sentence with.
        made: Reads it, given its UUID and the number of its item.
    """
    uuid, item_id = "", 0
    try:
        if not isinstance(sent, dict):
            raise InputError(f"{what} is a JSON object.")
        uuid, item_id = text(sent, "uuid"), whole(sent.get("item_id"), "item_id")
        return made(sent, uuid, item_id)
    except InputError as error:
        return Receipt(uuid, item_id, "refused", error.code, error.message, error.advice)
