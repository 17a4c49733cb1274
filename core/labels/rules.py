"""Rules written into a guideline: what a picture, or a region in it, must measure.

They stand in the guideline's own text, in a block fenced by three backticks and the word ``rules``,
a line each, so that they are versioned with it and read by those who label:

    ```rules
    brightness between 40 and 220
    width at least 640
    metadata angle between -30 and 30
    for Leaf: object size between 1 % and 60 %
    object pixels at least 24
    ```

What cannot be read is refused line by line; the others count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

PICTURE = (
    "brightness", "contrast", "sharpness", "warmth", "tint", "width", "height", "megapixels", "aspect",
)  # fmt: skip
"""Measured properties of a picture a rule may be about; see `core.intake.measures`."""

OBJECT = ("object size", "object pixels", "object aspect")
"""Of a region: its share of the picture's area (how near it was), its shorter side in pixels, its
width over its height; other shapes by the box around them."""

METADATA = "metadata"
MOST_RULES, MOST_LETTERS = 100, 200

_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*(\S*)\s*$")
_LINE = re.compile(
    r"^(?:for\s+(?P<label>.+)\s*:\s+)?(?P<subject>.+?)\s+"
    r"(?:(?P<between>between)\s+(?P<low>\S+(?:\s*%)?)\s+and\s+(?P<high>\S+(?:\s*\S+)?)"
    r"|at\s+(?P<side>least|most)\s+(?P<limit>\S+(?:\s*\S+)?))$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^([-+]?\d+(?:\.\d+)?)\s*(%|px|pixels|°|degrees|m|cm|mm)?$", re.IGNORECASE)


class About(StrEnum):
    """What a rule measures."""

    PICTURE = "picture"
    OBJECT = "object"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        line: Its line in the guideline, from 1.
        text: As it is written.
        subject: The property, "object size" and the like, or the metadata column.
        low, high: Limits that are still allowed; shares as fractions; None where there is none.
        label: The class it is for; empty for all.
    """

    line: int
    text: str
    about: About
    subject: str
    low: float | None
    high: float | None
    label: str = ""

    def allows(self, value: float) -> bool:
        """Return whether a value that was measured is within the limits."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class BadRule:
    """A line that is no rule, and why: line, what was found, what was expected."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a guideline, and the lines that are none."""

    rules: tuple[Rule, ...]
    refused: tuple[BadRule, ...]


def read_rules(guideline: str) -> Rules:
    """Return the rules in a guideline; a line that cannot be read is refused and the others kept."""
    rules: list[Rule] = []
    refused: list[BadRule] = []
    for number, line in _lines(guideline):
        text = line.strip().removeprefix("- ").removeprefix("* ").strip()
        if not text or text.startswith("#"):
            continue
        if len(rules) == MOST_RULES:
            refused.append(
                _bad(number, text, f"at most {MOST_RULES} rules are read, this is one more")
            )
            break
        found = _read(number, text)
        if isinstance(found, Rule):
            rules.append(found)
        else:
            refused.append(found)
    return Rules(tuple(rules), tuple(refused))


def rule_line(subject: str, low: float | None, high: float | None) -> str:
    """Return a rule as it is written: the inverse of reading one without a class."""
    if low is not None and high is not None:
        return f"{subject} between {_written(subject, low)} and {_written(subject, high)}"
    if low is not None:
        return f"{subject} at least {_written(subject, low)}"
    return f"{subject} at most {_written(subject, high or 0.0)}"


def with_rule(guideline: str, line: str) -> str:
    """Return the guideline with one more rule, in its first block of rules or in a new one."""
    lines = guideline.split("\n")
    for i, text in enumerate(lines):
        opened = _FENCE.match(text)
        if opened and opened[2].lower() == "rules":
            return "\n".join([*lines[: i + 1], line, *lines[i + 1 :]])
    return f"{guideline.rstrip()}\n\n```rules\n{line}\n```\n".lstrip("\n")


def _lines(guideline: str) -> Iterator[tuple[int, str]]:
    """Yield the lines within blocks of rules; a block nobody closes ends with the text."""
    fence, is_rules = "", False
    for number, line in enumerate(guideline.splitlines(), 1):
        found = _FENCE.match(line)
        if not fence and found:
            fence, is_rules = found[1], found[2].lower() == "rules"
        elif fence and found and not found[2] and found[1].startswith(fence):
            fence = ""
        elif fence and is_rules:
            yield number, line


def _read(number: int, text: str) -> Rule | BadRule:
    if len(text) > MOST_LETTERS:
        return _bad(number, text, f"it has {len(text)} letters, at most {MOST_LETTERS} are read")
    found = _LINE.match(text)
    if found is None:
        return _bad(
            number, text,
            "expected 'PROPERTY between A and B', 'PROPERTY at least A' or 'PROPERTY at most A'",
        )  # fmt: skip
    about, subject = _subject(found["subject"])
    if about is None:
        return _bad(
            number, text,
            f"'{subject[:40]}' cannot be measured; expected one of {', '.join((*PICTURE, *OBJECT))}, "
            "or 'metadata COLUMN'",
        )  # fmt: skip
    label = (found["label"] or "").strip()
    if label and about is not About.OBJECT:
        return _bad(number, text, f"'for {label[:40]}:' belongs before a rule about objects alone")
    texts = (found["low"], found["high"]) if found["between"] else (found["limit"],)
    limits = [_limit(t, subject) for t in texts]
    for said, limit in zip(texts, limits, strict=True):
        if limit is None:
            return _bad(number, text, f"expected {_expected(subject)}, found '{said[:40]}'")
    return _limited(number, text, about, subject, label, limits, found["side"])


def _limited(
    number: int, text: str, about: About, subject: str, label: str, limits: list[float | None],
    side: str | None,
) -> Rule | BadRule:  # fmt: skip
    if side is None:
        low, high = limits
        if low is not None and high is not None and low > high:
            return _bad(number, text, f"nothing lies between {low:g} and {high:g}; turn them round")
    else:
        low, high = (limits[0], None) if side.lower() == "least" else (None, limits[0])
    return Rule(number, text, about, subject, low, high, label)


def _subject(text: str) -> tuple[About | None, str]:
    words = " ".join(text.split())
    known = words.lower()
    if known in PICTURE:
        return About.PICTURE, known
    if known in OBJECT:
        return About.OBJECT, known
    if known.startswith(f"{METADATA} "):
        return About.METADATA, words[len(METADATA) + 1 :]
    return None, words


def _limit(text: str, subject: str) -> float | None:
    """Return a limit in the unit values are measured in; None where it is no number."""
    found = _NUMBER.match(text.strip())
    if found is None:
        return None
    value, unit = float(found[1]), (found[2] or "").lower()
    if subject == "object size":
        return value / 100 if unit == "%" and math.isfinite(value) else None
    return value if unit != "%" and math.isfinite(value) else None


def _expected(subject: str) -> str:
    return "a share with %, such as 1 %" if subject == "object size" else "a number, such as 40"


def _written(subject: str, value: float) -> str:
    return f"{value * 100:.3g} %" if subject == "object size" else f"{_plain(value)}"


def _plain(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _bad(number: int, text: str, why: str) -> BadRule:
    return BadRule(
        number, text, f"Line {number} of the guideline is no rule: {why}. The others count."
    )
