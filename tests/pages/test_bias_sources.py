"""The second view of the bias page: the reference, what is missing, the detector, sizes and rules."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.services.projects.project import get_project
from core.services.projects.queue_plans import get_queue_plan
from core.services.steering.rules import set_guideline
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.record import add_items
from tests.services.bias.test_selection import keep_measures
from tests.worked import describe


def ids_of(house: House) -> list[int]:
    project = get_project(house.ws, house.actor("mia"), "leaves")
    return add_items(house.ws, project, 100, first=100)


@pytest.fixture
def field(house: House) -> House:
    """Give a house whose field pictures are dark and at night, with rules in the guideline."""
    boss = house.actor("mia")
    project = get_project(house.ws, boss, "leaves")
    new = ids_of(house)
    describe(house.ws, project, {
        i: {"source": "field" if n < 30 else "web", "light": "night" if n < 25 else "day"}
        for n, i in enumerate(new)
    })  # fmt: skip
    total = get_project(house.ws, boss, "leaves").n_items
    light = np.full(total, 90.0) + np.arange(total) % 11
    light[-100:-70] -= 60
    keep_measures(house.ws, project, light)
    set_guideline(house.ws, boss, "leaves", "```rules\nbrightness at least 50\nfoo\n```", "rules")
    return house


def test_without_a_reference_it_asks_for_one(house: House, monkeypatch) -> None:
    """The view opens with the choice and the guideline's rules, and no figure."""
    at = Visit(house, monkeypatch, "mia").open("bias", project="leaves", view="origins")
    assert not at.exception
    text = words(at)
    assert "Choose pictures from where the model will work" in text
    assert "The guideline has no rules yet" in text
    contents = text.partition("<nav")[2].partition("</nav>")[0]
    anchors = re.findall(r"href='#([a-z-]+)'", contents)
    assert anchors[:3] == ["part-selection", "part-rules", "part-limits"]
    assert all(text.count(f"id='{a}'") == 1 for a in anchors)
    assert "No reference is chosen yet." in contents


def test_holes_detector_and_rules_are_told(field: House, monkeypatch) -> None:
    """What is missing in one sentence, how well both are told apart, what breaks a rule."""
    at = Visit(field, monkeypatch, "mia").open(
        "bias", project="leaves", view="origins", reference="source=field"
    )
    assert not at.exception
    text = words(at)
    assert "of the reference and" in text
    assert "more for an equal share" in text
    assert "light: night" in text
    assert "of 100 pairs the classifier knows" in text
    assert "What breaks: brightness at least 50" in text
    assert "Line 3 of the guideline is no rule" in text
    assert "Limits the record proposes" in text


@pytest.mark.parametrize(
    "address",
    [
        {"reference": "<script>=1"},
        {"reference": "no-such-project"},
        {"reference": "source=field", "column": "x", "value": "'", "rule": "99", "size": "-1"},
        {"reference": "source=field", "counted": "labelled", "field_share": "nan"},
    ],
)
def test_a_hostile_address_breaks_nothing(field: House, monkeypatch, address) -> None:
    """Unknown references, columns, values and rules are said or left to their default."""
    at = Visit(field, monkeypatch, "mia").open("bias", project="leaves", view="origins", **address)
    assert not at.exception
    assert "Selection bias" in words(at)


def test_drawn_projects_have_sizes(house: House, monkeypatch) -> None:
    """A box project without labels says so; a project of classes has no such panel."""
    at = Visit(house, monkeypatch, "mia").open("bias", project="cells", view="origins")
    assert not at.exception
    assert "Object sizes" in words(at)


def test_a_lead_puts_what_breaks_a_rule_first(field: House, monkeypatch) -> None:
    """One click makes a list of the open ones at the head of the queue plan."""
    at = Visit(field, monkeypatch, "mia").open("bias", project="leaves", view="origins", rule="2")
    at.button(key="bias.rules.first").click().run()
    assert not at.exception
    plan = get_queue_plan(field.ws, field.actor("mia"), "leaves").plan
    assert plan.boosts[-1].kind == "list"


def test_the_editor_says_which_lines_are_no_rules(field: House, monkeypatch) -> None:
    """Bad lines are named beside the text, with how many rules are measured."""
    text = words(Visit(field, monkeypatch, "mia").open("settings", project="leaves"))
    assert "1 rule is measured on the page Bias." in text
    assert "Line 3 of the guideline is no rule" in text
