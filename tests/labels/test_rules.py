"""Rules in a guideline: what is read, what is refused and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.intake.measures import NAMES
from core.labels.rules import (
    MOST_RULES,
    OBJECT,
    PICTURE,
    About,
    read_rules,
    rule_line,
    with_rule,
)


def of(*lines: str) -> str:
    return "# Leaves\n\n```rules\n" + "\n".join(lines) + "\n```\n\nbrightness at least 3\n"


def test_properties_are_those_that_are_measured():
    """A rule can be about everything that is measured of a picture, and nothing else."""
    assert PICTURE == NAMES


@pytest.mark.parametrize(
    ("line", "about", "subject", "low", "high", "label"),
    [
        ("brightness between 40 and 220", About.PICTURE, "brightness", 40, 220, ""),
        ("- sharpness at least 60", About.PICTURE, "sharpness", 60, None, ""),
        ("Width at least 640 px", About.PICTURE, "width", 640, None, ""),
        ("object size between 1 % and 60%", About.OBJECT, "object size", 0.01, 0.6, ""),
        ("for Leaf: object pixels at least 24", About.OBJECT, "object pixels", 24, None, "Leaf"),
        ("for a: b: object aspect at most 2", About.OBJECT, "object aspect", None, 2, "a: b"),
        ("metadata angle between -30 and 30", About.METADATA, "angle", -30, 30, ""),
        (
            "metadata Horizontal angle at most 30 °",
            About.METADATA,
            "Horizontal angle",
            None,
            30,
            "",
        ),
    ],
)
def test_rules_are_read(line, about, subject, low, high, label):
    """Each form gives its limits in the unit that is measured."""
    found = read_rules(of(line))
    assert not found.refused
    (rule,) = found.rules
    assert (rule.about, rule.subject, rule.low, rule.high, rule.label) == (
        about, subject, low, high, label,
    )  # fmt: skip
    assert rule.line == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("brigthness at least 3", "'brigthness' cannot be measured"),
        ("brightness over 4", "expected 'PROPERTY between A and B'"),
        ("brightness at least NaN", "expected a number, such as 40, found 'NaN'"),
        ("brightness at least 1e999", "found '1e999'"),
        ("brightness between 9 and 3", "nothing lies between 9 and 3"),
        ("object size at least 4", "expected a share with %"),
        ("brightness at least 4 %", "expected a number"),
        ("for Leaf: brightness at least 3", "belongs before a rule about objects"),
        ("=cmd|' /C calc'!A0", "expected 'PROPERTY"),
        ("<script>at least 3", "expected 'PROPERTY"),
        ("x" * 5000, "it has 5000 letters"),
    ],
)
def test_a_bad_line_is_refused_in_a_sentence_and_the_good_ones_count(line, why):
    """The line's number, what was found and what was expected; the rest is kept."""
    found = read_rules(of("width at least 640", line, "tint at most -3"))
    assert [r.subject for r in found.rules] == ["width", "tint"]
    (bad,) = found.refused
    assert bad.line == 5
    assert bad.why.startswith("Line 5 of the guideline is no rule: ")
    assert why in bad.why


def test_only_blocks_of_rules_are_read():
    """Other code, comments and empty lines are no rules; a block nobody closes ends with the text."""
    text = "```python\nx at least 3\n```\n~~~rules\n# light\n\ntint at most 3"
    assert [r.subject for r in read_rules(text).rules] == ["tint"]
    assert read_rules("").rules == ()
    many = read_rules(of(*["width at least 1"] * (MOST_RULES + 2)))
    assert len(many.rules) == MOST_RULES
    assert len(many.refused) == 1


def test_limits_include_their_ends():
    """What is exactly at the limit is allowed."""
    (rule,) = read_rules(of("brightness between 40 and 220")).rules
    assert [rule.allows(v) for v in (39.9, 40, 220, 220.1)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("subject", "low", "high"),
    [("brightness", 40.0, None), ("object size", 0.01, 0.6), ("metadata angle", None, -3.5)],
)
def test_a_written_rule_is_read_again(subject, low, high):
    """A proposed rule goes into the first block, or into one of its own, and comes back."""
    line = rule_line(subject, low, high)
    for text in ("", "# Leaves\n", of("width at least 640")):
        rules = read_rules(with_rule(text, line)).rules
        assert any((r.low, r.high, r.text) == (low, high, line) for r in rules)
        assert not read_rules(with_rule(text, line)).refused


@pytest.mark.parametrize("name", [*PICTURE, *OBJECT, "metadata COLUMN"])
def test_what_a_rule_can_be_about_is_written_down(name):
    """The page about rules names every property."""
    page = Path(__file__).resolve().parents[2] / "docs" / "guideline-rules.md"
    assert f"`{name}`" in page.read_text()
