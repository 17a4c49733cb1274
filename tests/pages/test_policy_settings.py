"""The policy tab: fields to a policy, columns beside the one in force, adopting and going back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy, SkillKind, SkillRule, Stop
from core.errors import InputError, NotFound
from core.labels import Answer
from core.services.projects.project import get_project
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.policy_versions import policy_versions, put_back
from core.services.steering.rules import set_policy
from core.stats.intervals import Estimate, wilson
from core.store.tables import annotation_log, gold_answers
from core.ui.policy_charts import Priced, class_balance, most_changed, votes_against_accuracy
from core.ui.policy_comparison import _gap
from core.ui.policy_editor import skills_of
from tests.pages.browser import Visit, words
from tests.pages.house import House

LEAD = Policy(on_disagreement=OnDisagreement.LEAD)
COLUMNS = "policy.leaves.columns"


@pytest.fixture
def voted(house: House) -> House:
    """Give the house once a second person has voted: on one item alike, on one otherwise."""
    for item, label in zip(voted_on(house), ("oak", "maple"), strict=True):
        sent = Submission(new_uuid(), item, "vote", Answer({"label": label}), active_seconds=6)
        submit(house.ws, house.actor("leo"), "leaves", sent)
    return house


def voted_on(house: House) -> list[int]:
    """Return the items somebody voted on."""
    with house.ws.store.read() as connection:
        found = connection.execute(select(annotation_log.c.item_id).distinct()).scalars()
        return sorted(found)


def opened(house: House, monkeypatch: pytest.MonkeyPatch, **state: object) -> AppTest:
    """Open the page as the lead, with something in the session already."""
    visit = Visit(house, monkeypatch, "leo")
    for name, value in state.items():
        visit.at.session_state[name.replace("__", ".")] = value
    return visit.open("settings", project="leaves")


def press(at: AppTest, label: str, nth: int = 0) -> AppTest:
    """Press the button that reads so."""
    return [b for b in at.button if b.label == label][nth].click().run()


def hold(at: AppTest, name: str = "") -> AppTest:
    """Hold the policy in the fields beside the one in force."""
    at.text_input(key="policy.leaves.name").input(name)
    return press(at, "What if? Try it on the recorded votes")


def version(house: House) -> tuple[int, Policy]:
    """Return the version and the policy in force."""
    project = get_project(house.ws, house.actor("leo"), "leaves")
    return project.policy_version, project.policy


def test_the_most_votes_follow_what_an_item_needs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking for five votes is no error where three were the most: the field shows five, too."""
    at = opened(house, monkeypatch)
    at.number_input(key="policy.leaves.1.overlap").set_value(5).run()
    assert at.number_input(key="policy.leaves.1.max_votes").value == 5
    assert "What you are about to put in force" in words(at)
    assert "found 3" not in words(at)
    at.number_input(key="policy.leaves.1.max_votes").set_value(8).run()
    assert at.number_input(key="policy.leaves.1.max_votes").value == 8
    assert "up to 8 votes" in words(at)


def test_a_gap_says_what_else_the_two_shares_count() -> None:
    """Over the items both label; those that only one labels are told beside it."""
    told = str(_gap(Estimate(-0.008, -0.03, 0.01, 130), 135, 138))
    assert "the 130 both label); 8 more it labels anew, 5 it labels no longer" in told
    assert "anew" not in str(_gap(Estimate(-0.008, -0.03, 0.01, 130), 130, 130))


def test_every_field_reaches_the_policy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence follows the fields; what is put in force is what they say."""
    at = opened(house, monkeypatch)
    at.selectbox(key="policy.leaves.1.stop").select(Stop.LEAD).run()
    at.selectbox(key="policy.leaves.1.method").select("dawid-skene").run()
    at.number_input(key="policy.leaves.1.max_votes").set_value(7)
    at.number_input(key="policy.leaves.1.lead_of").set_value(3)
    at.slider(key="policy.leaves.1.sure").set_value(90.0)
    at.toggle(key="policy.leaves.1.model").set_value(True)
    at.text_input(key="policy.leaves.1.conflict").input("photographer").run()
    assert not at.exception
    assert "until an answer is 3 votes ahead, up to 7 votes" in words(at)
    assert "photographer" in words(at)
    at.text_input(key="policy.leaves.reason").input("adaptive")
    press(at, "Put in force")
    assert version(house) == (
        2,
        Policy(
            stop=Stop.LEAD, algorithm="dawid-skene", max_votes=7, lead_of=3,
            posterior_at_least=0.9, model_votes=True, conflict_column="photographer",
        ),
    )  # fmt: skip


def test_policies_stand_side_by_side_and_one_is_put_in_force(
    voted: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two columns, their differences in words and numbers; adopting one needs a reason."""
    at = opened(voted, monkeypatch)
    assert "No other policy to compare yet" in words(at)
    at.selectbox(key="policy.leaves.1.rule").select(OnDisagreement.LEAD).run()
    hold(at, "Lead <b>")
    at.number_input(key="policy.leaves.1.overlap").set_value(1).run()
    hold(at)
    said = words(at)
    assert not at.exception
    for text in (
        "In force (version 1)", "Lead &lt;b&gt;", "What if 1", "4 votes on 2 items",
        "▼ −2", "Had it been in force from the start", "No gold yet", "no gold with a label",
        "When votes differ: <b>A lead decides</b>",
    ):  # fmt: skip
        assert text in said, text
    press(at, "Put in force", 1)
    assert "needs a reason" in words(at)
    at.text_input(key="policy.leaves.column.0.reason").input("compared")
    press(at, "Put in force", 1)
    assert version(voted) == (2, LEAD)
    assert "In force (version 2)" in words(at)
    assert "The same as in force" in words(at)


def test_an_earlier_version_comes_back_as_a_new_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is the old one, the number is new, and a reason is asked for."""
    set_policy(house.ws, house.actor("leo"), "leaves", LEAD, "try")
    at = opened(house, monkeypatch)
    assert "If any two differ, a lead decides." in words(at)
    press(at, "Put back in force")
    assert "needs a reason" in words(at)
    at.text_input(key="policy.leaves.2.back.reason").input("it was better")
    press(at, "Put back in force")
    assert version(house) == (3, Policy())
    found = policy_versions(house.ws, house.actor("leo"), "leaves")
    assert [(v.version, v.reason) for v in found][:2] == [(3, "it was better"), (2, "try")]


def test_an_earlier_version_can_be_held_beside(
    voted: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a column by its number, and goes again."""
    set_policy(voted.ws, voted.actor("leo"), "leaves", LEAD, "try")
    at = opened(voted, monkeypatch)
    press(at, "Try it on the recorded votes")
    assert [c[0] for c in at.session_state[COLUMNS]] == ["Version 1"]
    press(at, "Try it on the recorded votes")
    assert "holds the same policy" in words(at).replace("\\", "")
    press(at, "Take away")
    assert "No other policy to compare yet" in words(at)


def test_more_than_four_and_the_one_in_force_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fifth column is said to be too many; the four stay."""
    four = [(f"p{n}", replace(LEAD, overlap=n).to_json()) for n in range(2, 6)]
    at = opened(house, monkeypatch, policy__leaves__columns=four)
    at.number_input(key="policy.leaves.1.max_votes").set_value(9).run()
    hold(at)
    assert "Four policies are held" in words(at)
    assert len(at.session_state[COLUMNS]) == 4


@pytest.mark.parametrize(
    "hostile",
    [
        "no list",
        [("<script>", "{}"), ("b", '{"overlap": 9999}'), ("c", "{"), ("d",), None, 7],
        [("future", '{"overlap": 2, "telepathy": true}')],
        [(f"n{i}", replace(LEAD, overlap=1 + i).to_json()) for i in range(9)],
        {"a": 1},
    ],
)
def test_hostile_session_values_do_no_harm(
    house: House, monkeypatch: pytest.MonkeyPatch, hostile: object
) -> None:
    """What is no policy is left out, nothing is run as markup, at most four are shown."""
    at = opened(house, monkeypatch, policy__leaves__columns=hostile,
                policy__leaves__comparison="nonsense")  # fmt: skip
    assert not at.exception
    assert "<script>" not in words(at)
    assert len([b for b in at.button if b.label == "Take away"]) <= 4


def test_no_votes_yet_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project nobody voted in has nothing to replay."""
    at = Visit(house, monkeypatch, "leo")
    at.at.session_state["policy.cells.columns"] = [("a", LEAD.to_json())]
    page = at.open("settings", project="cells")
    assert not page.exception
    assert "No votes yet" in words(page)


def test_gold_and_a_price_show_in_the_table(voted: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracy comes with its interval and n, cost at the rate that was typed."""
    project = get_project(voted.ws, voted.actor("leo"), "leaves")
    with voted.ws.store.write() as connection:
        row = {"project_id": project.id, "item_id": voted_on(voted)[0], "label": "oak", "at": 1.0,
               "answer": Answer({"label": "oak"}).to_json()}  # fmt: skip
        connection.execute(gold_answers.insert(), row)
    at = opened(voted, monkeypatch, policy__leaves__columns=[("one", Policy(overlap=1).to_json())])
    at.number_input(key="policy.leaves.rate").set_value(3600.0).run()
    said = words(at)
    assert "n\u00a0=\u00a01" in said
    assert "18.00" in said  # 3 + 6 + 3 + 6 seconds at one a second
    assert "no gold with a label" not in said


def test_an_expert_sees_the_sentence_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fields, no columns, no versions."""
    at = Visit(house, monkeypatch, "ada").open("settings", project="leaves")
    assert "people vote on each item" in words(at)
    assert "What if" not in words(at)
    assert "Earlier versions" not in words(at)


def test_rules_about_skills_come_from_the_table() -> None:
    """Empty rows are none, a half-filled one is said, what is no text counts as empty."""
    row = {"kind": "metadata", "key": "site", "value": "B", "skill": "cells"}
    rows = [row, {"kind": None, "key": None, "value": float("nan"), "skill": ""}]
    assert skills_of(rows) == (SkillRule(SkillKind.SLICE, "site", "B", "cells"),)
    with pytest.raises(InputError, match="needs a skill"):
        skills_of([{"kind": "predicted class", "value": "oak"}])


def test_a_version_that_is_not_there_cannot_be_put_back(house: House) -> None:
    """One sentence; the policy in force stays."""
    with pytest.raises(NotFound, match="no version 9"):
        put_back(house.ws, house.actor("leo"), "leaves", 9, "why")
    assert version(house)[0] == 1


def test_charts_tell_policies_apart_without_colour() -> None:
    """Bars differ by hatch, points by symbol; classes shown are those that change most."""
    balance = [[5, 9, 0, 4], [5, 2, 0, 5]]
    assert most_changed(balance, 2) == [1, 3]
    assert most_changed([], 2) == []
    bars = class_balance(["a<b>", "b"], [("now", [1, 2]), ("then", [2, 1])])
    assert len({t.marker.pattern.shape for t in bars.data}) == 2
    assert bars.data[0].customdata[0] == "a&lt;b&gt;"
    points = [Priced(str(n), float(n), wilson(8 + n, 10)) for n in range(3)]
    drawn = votes_against_accuracy([*points, Priced("none", 1.0, wilson(0, 0))])
    assert len({t.marker.symbol for t in drawn.data}) == len(drawn.data) == 3
