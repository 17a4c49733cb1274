"""What must hold whatever was read: a result, or a refusal that a person can be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.errors import InputError

Result = TypeVar("Result")


def outcome(read: Callable[[], Result]) -> Result | None:
    """Return what reading gives; None where it was refused, in words. Any other error comes through."""
    try:
        return read()
    except InputError as error:
        refused = error
    assert says_what(refused.message), refused
    return None


def says_what(sentence: str) -> bool:
    """Tell whether a refusal is something to show: not empty, no book, no half letters."""
    return 10 < len(sentence) < 2000 and sentence.encode().decode() == sentence
