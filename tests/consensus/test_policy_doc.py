"""The policy file is documented as it is read: every field, its values and default, and an example."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

import pytest

from core.consensus.policy import ALGORITHMS, Policy, SkillKind
from core.errors import InputError

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "consensus.md").read_text()
TABLE = {
    row[0]: row[1:]
    for row in re.findall(r"^\| `(\w+)` \| (.+?) \| `(.+?)` \| (.+?) \|$", TEXT, re.MULTILINE)
}
KINDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text"}


def test_the_example_is_a_policy() -> None:
    """Whoever copies it gets what it says."""
    (example,) = re.findall(r"```json\n(.+?)```", TEXT, re.DOTALL)
    policy, named = Policy().with_fields(example)
    assert named == tuple(json.loads(example))
    assert policy.skills[0].skill == "botany"


@pytest.mark.parametrize("field", fields(Policy), ids=lambda f: f.name)
def test_every_field_has_its_row(field) -> None:
    """The row says the kind or all choices, and the default."""
    values, default, says = TABLE[field.name]
    assert says
    assert json.loads(default) == json.loads(json.dumps(field.default))
    if isinstance(field.default, StrEnum):
        assert re.findall(r"`(.+?)`", values) == [c.value for c in type(field.default)]
    elif field.name == "skills":
        assert "at most 100 rules" in values
    elif field.name == "algorithm":
        assert set(re.findall(r"`(.+?)`", values)) < set(ALGORITHMS)
    else:
        assert values.startswith(KINDS[type(field.default)])


def test_no_row_tells_of_a_field_there_is_not() -> None:
    """The table ends where the fields do, and names the kinds of rules."""
    assert TABLE.keys() == {f.name for f in fields(Policy)}
    assert all(f"`{kind}`: items" in TEXT for kind in SkillKind)


@pytest.mark.parametrize("name", [n for n, v in TABLE.items() if " to 99" in v[0]])
def test_bounds_are_those_the_table_tells(name: str) -> None:
    """99 is taken and 100 is not."""
    assert Policy().with_fields(json.dumps({"max_votes": 99, name: 99}))
    with pytest.raises(InputError):
        Policy().with_fields(json.dumps({"max_votes": 99, "stop": "lead", name: 100}))
