"""The adjudication page over every shape, attributes and questions with several answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.access import Role
from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.labels.compare import same_answer
from core.labels.schema import Task
from core.services.accounts.people import add_person, operator
from core.services.items.why import explain
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.ui import ruling
from tests.drawn import Drawn, make_drawn
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_adjudicate import named, unhurried
from tests.pages.test_review import elements

__all__ = ["unhurried"]


def disputed(house: House, folder: Path, task: Task) -> tuple[Drawn, int]:
    """Make a project with one item two people differ on: tags, and an attribute where drawn."""
    policy = Policy(on_disagreement=OnDisagreement.LEAD)
    drawn = make_drawn(house.ws, folder, task, images=1, policy=policy)
    (item_id,) = drawn.truth
    truth = drawn.truth[item_id]
    other = replace(truth, multi={"tags": ("food", "mineral", "plant")})
    if task.draws:
        changed = replace(truth.regions[0], attributes=(("severity", "high"),))
        other = replace(other, regions=(changed, *truth.regions[1:]))
    boss = operator(house.ws)
    house.people["ivo"] = add_person(house.ws, boss, "ivo", "Ivo", roles=[(Role.EXPERT, None)])
    for who, answer in (("ada", truth), ("ivo", other)):
        submit(
            house.ws, house.actor(who), drawn.slug, Submission(new_uuid(), item_id, "vote", answer)
        )
    return drawn, item_id


@pytest.mark.parametrize("task", Task)
def test_a_lead_takes_an_answer_whole(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: Task
) -> None:
    """Shapes, attributes and tags of the answer taken are those in force afterwards."""
    drawn, item_id = disputed(house, tmp_path, task)
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project=drawn.slug)
    assert not at.exception
    said = words(at).replace("\\", "")
    assert "Reviewer 1 and Reviewer 2 differ in: " in said
    assert "Tags (" in said
    if task.draws:
        assert "Severity of region 1 (low / high)" in said
    layers = elements(at, "tiebreak_votes")[0]["layers"]
    assert layers[1]["answer"]["multi"]["tags"] == ["food", "mineral", "plant"]
    at.button(key=named(at, "tb-take-W")).click().run()
    at.button(key=named(at, "tb-why-V")).click().run()
    assert "D needs an answer" not in words(at)
    at.button(key=named(at, "tb-rule-decide")).click().run()
    assert not at.exception
    found = explain(house.ws, house.actor("leo"), drawn.slug, item_id)
    truth = drawn.truth[item_id]
    assert found.answer.multi == {"tags": ("food", "mineral", "plant")}
    assert [r.points for r in found.answer.regions] == [r.points for r in truth.regions]
    assert [r.rle for r in found.answer.regions] == [r.rle for r in truth.regions]
    if task.draws:
        assert found.answer.regions[0].attributes == (("severity", "high"),)
    else:
        assert same_answer(found.answer, replace(truth, multi=found.answer.multi))


def test_a_lead_answers_a_question_of_several_classes(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Own choice of tags, or none of them; until one is made the ruling stays shut."""
    drawn, item_id = disputed(house, tmp_path, Task.CLASSIFICATION)
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project=drawn.slug)
    at.button(key=named(at, "tb-own-label") + "-0").click().run()
    at.button(key=named(at, "tb-why-V")).click().run()
    assert "D needs an answer to every question" in words(at)
    tags = at.multiselect[0]
    tags.select("plant").select("food").run()
    assert "D needs an answer" not in words(at)
    assert "food + plant" in at.button(key=named(at, "tb-rule-decide")).label
    at.button(key=named(at, "tb-rule-decide")).click().run()
    found = explain(house.ws, house.actor("leo"), drawn.slug, item_id).answer
    assert (found.choices, found.multi) == ({"label": "leaf"}, {"tags": ("food", "plant")})


@pytest.mark.parametrize("task", [t for t in Task if t.draws])
def test_the_canvas_opens_for_every_shape(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: Task
) -> None:
    """With what is asked of the picked region; an attribute changed there is in the ruling."""
    drawn, item_id = disputed(house, tmp_path, task)
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project=drawn.slug)
    at.button(key=named(at, "tb-take-Q")).click().run()
    at.button(key=named(at, "tb-edit")).click().run()
    assert not at.exception, at.exception
    at.button(key="tb-box-N").click().run()
    assert not at.exception
    asked = next(g for g in at.button_group if str(g.key).startswith("tb-about-severity"))
    asked.select("high").run() if hasattr(asked, "select") else asked.set_value(["high"]).run()
    at.button(key="tb-use").click().run()
    draft = at.session_state[ruling.DRAFT]
    truth = drawn.truth[item_id]
    assert draft.answer.multi == truth.multi
    assert draft.answer.regions[0].attributes == (("severity", "high"),)
    assert [r.points for r in draft.answer.regions] == [r.points for r in truth.regions]
