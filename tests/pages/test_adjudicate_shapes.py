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
from core.server.rulings import read_ruling
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.items.why import explain
from core.services.projects.project import get_project
from core.services.review.ruling import decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.ui import box_editor, ruling
from tests.drawn import Drawn, make_drawn
from tests.pages.browser import Visit
from tests.pages.house import House
from tests.pages.test_review import elements


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
    """Shapes, attributes and tags as the page hands them out are those in force afterwards."""
    drawn, item_id = disputed(house, tmp_path, task)
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project=drawn.slug)
    assert not at.exception
    (data,) = elements(at, "tiebreak_dispute")
    shown = data["dispute"]
    assert any("Reviewer 1 and Reviewer 2 differ in: " in s for s in shown["sentences"])
    assert "Tags" in shown["differs"]
    if task.draws:
        assert any("Severity of region 1 (low / high)" in s for s in shown["sentences"])
    taken = shown["layers"][1]["answer"]
    assert taken["multi"]["tags"] == ["food", "mineral", "plant"]
    sent = {k: shown[k] for k in ("item_id", "votes_seen", "newest_seq", "decision_seen")}
    sent |= {"uuid": new_uuid(), "kind": "decide", "answer": taken, "reason": "Clear"}
    decide(house.ws, house.actor("leo"), drawn.slug, read_ruling(sent))
    found = explain(house.ws, house.actor("leo"), drawn.slug, item_id)
    truth = drawn.truth[item_id]
    assert found.answer.multi == {"tags": ("food", "mineral", "plant")}
    assert [r.points for r in found.answer.regions] == [r.points for r in truth.regions]
    assert [r.rle for r in found.answer.regions] == [r.rle for r in truth.regions]
    if task.draws:
        assert found.answer.regions[0].attributes == (("severity", "high"),)
    else:
        assert same_answer(found.answer, replace(truth, multi=found.answer.multi))


@pytest.mark.parametrize("task", [t for t in Task if t.draws])
def test_the_canvas_opens_for_every_shape(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: Task
) -> None:
    """With what is asked of the picked region; what was changed there goes back to the ruling."""
    drawn, item_id = disputed(house, tmp_path, task)
    truth = drawn.truth[item_id]
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project=drawn.slug)
    schema = get_project(house.ws, house.actor("leo"), drawn.slug).schema
    (data,) = elements(at, "tiebreak_dispute")
    size = (data["width"], data["height"])
    at.session_state[ruling.CANVAS] = box_editor.start(
        item_id, size, truth.regions, schema, None, truth.choices, truth.multi
    )
    at.run()
    assert not at.exception, at.exception
    assert not elements(at, "tiebreak_dispute")
    at.button(key="tb-box-N").click().run()
    assert not at.exception
    asked = next(g for g in at.button_group if str(g.key).startswith("tb-about-severity"))
    asked.select("high").run() if hasattr(asked, "select") else asked.set_value(["high"]).run()
    at.button(key="tb-use").click().run()
    drawn_answer = at.session_state[ruling.EDITED].answer
    assert drawn_answer.multi == truth.multi
    assert drawn_answer.regions[0].attributes == (("severity", "high"),)
    assert [r.points for r in drawn_answer.regions] == [r.points for r in truth.regions]
    (data,) = elements(at, "tiebreak_dispute")
    assert data["dispute"]["edited"]["answer"] == drawn_answer.to_dict()
