"""Which disputes a lead asks for, as it stands in the address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from core.errors import InputError

MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class DisputeFilter:
    """A part of a project's disputes; empty fields leave nothing out.

    Attributes:
        pair: Two classes, in alphabetical order, that people said of the same thing; see
            `core.consensus.value.Doubt`.
        person: Number of a person who voted on or flagged the item.
        slice_key: A metadata column, with `slice_value` the value it must have.
        reason: Why it is disputed: a code of `core.consensus.settle.Reason`.
        flagged: Only what somebody flagged.
    """

    pair: tuple[str, str] | None = None
    person: int = 0
    slice_key: str = ""
    slice_value: str = ""
    reason: str = ""
    flagged: bool = False

    def __bool__(self) -> bool:
        return self != DisputeFilter()

    @property
    def parts(self) -> tuple[str, ...]:
        """Return which of pair, person, slice, reason and flagged are asked for."""
        asked = {
            "pair": self.pair is not None,
            "person": bool(self.person),
            "slice": bool(self.slice_key),
            "reason": bool(self.reason),
            "flagged": self.flagged,
        }
        return tuple(name for name, on in asked.items() if on)

    def without(self, part: str) -> DisputeFilter:
        """Return the filter less one of its parts."""
        if part == "slice":
            return replace(self, slice_key="", slice_value="")
        return replace(self, **{part: getattr(DisputeFilter(), part)})

    def to_query(self) -> dict[str, str]:
        """Return the query parameters that `from_query` reads; empty fields are left out."""
        found = {"reason": self.reason, "flagged": "1" if self.flagged else ""}
        if self.pair is not None:
            found["pair"] = _joined(*self.pair)
        if self.person:
            found["person"] = str(self.person)
        if self.slice_key:
            found["slice"] = _joined(self.slice_key, self.slice_value)
        return {k: v for k, v in found.items() if v}

    @staticmethod
    def from_query(asked: Mapping[str, str]) -> DisputeFilter:
        """Return the filter that the parameters pair, person, slice, reason and flagged ask for.

        Raises:
            InputError: One of them cannot be read.
        """
        pair = _pair(asked.get("pair", ""), "A pair of classes reads class:class")
        part = _pair(asked.get("slice", ""), "A slice reads column:value")
        if part is not None and not all(p.strip() for p in part):
            raise InputError("A slice names a column and a value.", "Choose them from the list.")
        return DisputeFilter(
            pair=None if pair is None else (min(pair), max(pair)),
            person=_number(asked.get("person", "")),
            slice_key=part[0] if part else "",
            slice_value=part[1] if part else "",
            reason=asked.get("reason", "")[:MOST_TEXT],
            flagged=asked.get("flagged", "") == "1",
        )


def _joined(one: str, other: str) -> str:
    return f"{quote(one, safe=' ')}:{other}"


def _pair(text: str, form: str) -> tuple[str, str] | None:
    if not text:
        return None
    one, colon, other = text.partition(":")
    if not colon or len(text) > 2 * MOST_TEXT or "\0" in text:
        raise InputError(f"{form}, found '{text[:80]}'.", "Choose one from the list.")
    return unquote(one), other


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise InputError(
            f"A person is named by their number, found '{text[:40]}'.", "Choose one from the list."
        )
    return int(text)
