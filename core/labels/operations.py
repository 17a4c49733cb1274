"""What may be done to a label schema, as values, and the events that tell what was done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaEvent:
    """One thing that was done to a schema; texts are what was there before and after."""

    kind: str
    question: str
    class_id: int | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AddClass:
    """Add a class at the end; an empty colour takes the next of the palette."""

    question: str
    name: str
    colour: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a class another name; its number stays, so labels that have it follow."""

    question: str
    class_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Recolour:
    """Give a class another colour, ``#RRGGBB``."""

    question: str
    class_id: int
    colour: str


@dataclass(frozen=True, slots=True)
class Rekey:
    """Give classes other keys, all at once, so that two may change places."""

    question: str
    keys: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Retire:
    """Let a class be chosen no longer; labels that have it keep it."""

    question: str
    class_id: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Let a retired class be chosen again."""

    question: str
    class_id: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Let one class mean another from now on."""

    question: str
    class_id: int
    into: int


@dataclass(frozen=True, slots=True)
class AddQuestion:
    """Ask something more, of the item or of each region."""

    key: str
    title: str
    classes: tuple[str, ...]
    several: bool = False
    of_regions: bool = False


@dataclass(frozen=True, slots=True)
class Retitle:
    """Put a question in other words."""

    question: str
    title: str


Operation = AddClass | Rename | Recolour | Rekey | Retire | Restore | Merge | AddQuestion | Retitle
