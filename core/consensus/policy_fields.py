"""The parts of a policy that are more than a number, and reading them from JSON with every check."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import InputError

MOST_TEXT = 200_000
"""Characters of a policy document; the largest sensible one has some thousands."""
MOST_NAME = 200
MOST_RULES = 100
MOST_SHOWN = 3
"""Unknown fields that a refusal names."""
_FIELDS = "The fields are:"
_PARTS = ("kind", "key", "value", "skill")
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""A field's kind as a person would write it."""


class OnDisagreement(StrEnum):
    """What happens to an item whose votes differ."""

    THIRD_VOTE = "third-vote"
    """More people are asked, up to the policy's most votes; a strict majority settles it."""
    DISCARD = "discard"
    NEUTRAL = "neutral"
    LEAD = "lead"


class Stop(StrEnum):
    """When an item has votes enough; never before the overlap, never after the most votes."""

    COUNT = "count"
    """At the overlap; more only where votes differ."""
    LEAD = "lead"
    """Once the leading answer is so many votes ahead of the next."""
    POSTERIOR = "posterior"
    """Once an answer is probable enough."""


class RegionsBy(StrEnum):
    """How people's regions are compared."""

    WHOLE = "whole"
    """People who drew all the same regions agree, others do not."""
    EACH = "each"
    """Region by region: a quorum says which are there."""


class RegionGeometry(StrEnum):
    """How several people's outlines of one region become one, region by region."""

    MEDIAN = "median"
    MEAN = "mean"
    WEIGHTED = "weighted"
    """The mean, each person weighed by how often they are right."""


class SkillKind(StrEnum):
    """What a rule about skills looks at."""

    CLASS = "class"
    SLICE = "slice"


@dataclass(frozen=True, slots=True)
class SkillRule:
    """Items that only people with a skill vote on.

    Attributes:
        kind: Whether the model's class, or the metadata, says which items.
        key: The question asked, empty for the first; or the metadata column.
        value: The class as named today; or what the column says.
        skill: The skill a person must hold.

    Raises:
        InputError: A text is missing or too long.
    """

    kind: SkillKind
    key: str
    value: str
    skill: str

    def __post_init__(self) -> None:
        if self.kind not in set(SkillKind):
            raise InputError(
                f"A rule about skills is for a class or a slice, found {_short(self.kind)}."
            )
        needed = [self.value, self.skill, *([self.key] if self.kind == SkillKind.SLICE else [])]
        if not all(text.strip() for text in needed):
            raise InputError(
                "A rule about skills needs a skill and what it is for; one of them is empty."
            )
        checked_names(self.key, self.value, self.skill)


def checked_names(*names: str) -> None:
    """Check texts that name something.

    Raises:
        InputError: One is too long, or holds what nobody can see or write down.
    """
    for name in names:
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
            raise InputError(
                f"A name in a policy holds control characters: {_short(name)}.", "Write it anew."
            )
        if len(name) > MOST_NAME:
            raise InputError(
                f"A name in a policy has at most {MOST_NAME} characters, found {len(name)}: "
                f"{_short(name)}."
            )


def read_document(text: str, known: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of a policy document, each of the kind of its default.

    Args:
        text: JSON.
        known: Name of each field there is, and its default.

    Raises:
        InputError: The text is no policy, or a field is unknown, said twice or of another kind.
    """
    if len(text) > MOST_TEXT:
        raise InputError(f"A policy has at most {MOST_TEXT} characters, found {len(text)}.")
    try:
        doc = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as e:
        raise InputError(f"This text is not a policy: {_short(text)}.") from e
    if not isinstance(doc, dict):
        raise InputError(
            f"A policy is one JSON object of fields and values, found {_short(doc)}.",
            f"{_FIELDS} {', '.join(known)}.",
        )
    if unknown := [name for name in doc if name not in known]:
        raise InputError(
            f"A policy has no field named {_some(unknown)}.", f"{_FIELDS} {', '.join(known)}."
        )
    return {name: _read(name, known[name], value) for name, value in doc.items()}


def _some(names: list[str]) -> str:
    more = "" if len(names) <= MOST_SHOWN else f" and {len(names) - MOST_SHOWN} more"
    return ", ".join(map(_short, names[:MOST_SHOWN])) + more


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names are each said once: of two the writer meant one, and which is unknown.

    Raises:
        InputError: One is said twice.
    """
    doc = dict(pairs)
    if len(doc) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"The policy says {_short(twice)} more than once.", "Say each field once.")
    return doc


def _read(name: str, default: object, value: object) -> object:
    """Return the value of a policy's field, refusing what only looks like one (true for 1)."""
    kind = type(default)
    if isinstance(default, tuple):
        return _rules(value)
    if isinstance(default, StrEnum):
        choices = type(default)
        if isinstance(value, str) and value in set(choices):
            return choices(value)
        raise _refused(name, f"one of {', '.join(choices)}", value)
    if type(value) is kind:
        return value
    if kind is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    raise _refused(name, _KINDS[kind], value)


def _rules(value: object) -> tuple[SkillRule, ...]:
    if not isinstance(value, list) or len(value) > MOST_RULES:
        raise _refused("skills", f"a list of at most {MOST_RULES} rules", value)
    return tuple(_rule(row) for row in value)


def _rule(row: object) -> SkillRule:
    texts = isinstance(row, dict) and all(isinstance(v, str) for v in row.values())
    if not isinstance(row, dict) or row.keys() != set(_PARTS) or not texts:
        raise _refused("skills", f"rules with the texts {', '.join(_PARTS)}", row)
    if row["kind"] not in set(SkillKind):
        raise _refused("skills", f"rules of the kind {' or '.join(SkillKind)}", row["kind"])
    return SkillRule(**{**row, "kind": SkillKind(row["kind"])})


def _refused(name: str, expected: str, value: object) -> InputError:
    return InputError(
        f"The policy's field '{name}' must be {expected}, found {_short(value)}.",
        "docs/consensus.md lists every field with its values.",
    )


def _short(value: object) -> str:
    """Return a value as the file has it: true, null and "text" rather than Python's words."""
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value)
    except (RecursionError, ValueError, TypeError):
        return "something too deep or too long to show"
    return text if len(text) <= 100 else f"{text[:97]}..."
