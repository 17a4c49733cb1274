"""The team page: one's own numbers, everybody's for those who steer, and what a lead does about them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.services.accounts.skills import grant_skill, skills_of
from core.services.analytics.people_quality import everybodys_quality
from core.services.analytics.people_work import everybodys_work
from core.services.projects.project import get_project
from core.services.review.admission import pause_person
from core.store.tables import gold_answers, probe_votes
from core.ui.team.everyone import rows_of
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.record import say
from tests.worked import know


def answer_gold(house: House, who: str, right: int, wrong: int = 0) -> None:
    """Write a person's answers to gold items, as the queue would have."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    with house.ws.store.write() as connection:
        golds = list(connection.execute(gold_answers.select()))
        for n, gold in enumerate(golds[: right + wrong]):
            label = gold.label if n < right else "maple"
            row = {
                "uuid": f"{who}-{n}", "project_id": project.id, "item_id": gold.item_id,
                "person_id": house.people[who], "revision": 1, "kind": "gold", "purpose": "mix",
                "word": "vote", "label": label, "answer": say(label).to_json(), "reason": "",
                "right": n < right, "gold_seq": gold.seq, "schema_version": 1,
                "guideline_version": 1, "prelabel_shown": False, "active_seconds": 2.0, "at": 1.0,
            }  # fmt: skip
            connection.execute(probe_votes.insert(), row)


@pytest.fixture
def known(house: House) -> House:
    """Give the house with gold on all items: Ada answered six of them, five right."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    know(house.ws, project, dict.fromkeys(range(1, 7), "oak"))
    answer_gold(house, "ada", 5, 1)
    return house


def test_an_expert_sees_only_their_own(known: House, monkeypatch) -> None:
    """The page is called after them; nobody else's name, no form, whatever the address asks."""
    at = Visit(known, monkeypatch, "ada").open("team", project="leaves", person="leo")
    assert not at.exception
    text = words(at)
    assert "My numbers" in text
    assert "Right on planted gold" in text
    assert "78.6 %" in text  # (5 + 1/2) / (6 + 1)
    assert "n = 6" in text
    assert "last midnight" in text
    assert "Leo Lead" not in text.split("tb-who")[0]
    assert not at.button


def test_each_figure_says_until_when_it_counts(known: House, monkeypatch) -> None:
    """One's own up to last midnight, a lead's up to now: each n has its moment beside it."""
    mine = words(Visit(known, monkeypatch, "ada").open("team", project="leaves"))
    now = known.ws.clock()
    midnight, minute = (datetime.fromtimestamp(t, UTC) for t in (now - now % 86_400, now))
    assert f"n = 6 · until {midnight:%Y-%m-%d} 00:00" in mine
    at = Visit(known, monkeypatch, "mia").open("team", project="leaves", person="ada")
    theirs = words(at)
    assert f"n = 6 · until {minute:%Y-%m-%d}" in theirs
    assert f"until {midnight:%Y-%m-%d} 00:00" not in theirs or minute.hour == minute.minute == 0
    everybody = words(Visit(known, monkeypatch, "mia").open("team", project="leaves"))
    assert f"Every n counts until {minute:%Y-%m-%d}" in everybody


def test_a_lead_sees_everybody_with_intervals(known: House, monkeypatch) -> None:
    """Names lead to a person's numbers; who has no gold has no tier and no figure."""
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves")
    assert not at.exception
    text = words(at)
    assert "Ada Expert" in text
    assert "person=ada" in text
    assert "n = 6" in text
    assert "only where intervals lie apart" in text
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="ada")
    assert "Right on planted gold, by true class" in words(at)
    assert "Holds no skill" in words(at)


def test_nobody_answered_gold_yet(house: House, monkeypatch) -> None:
    """The empty state says what to do to who can do it, and to an expert nothing they cannot."""
    lead = words(Visit(house, monkeypatch, "leo").open("team", project="leaves"))
    assert "No answers to gold yet" in lead
    assert "datasets?project=leaves" in lead
    assert "settings?project=leaves&amp;tab=queue" in lead
    expert = words(Visit(house, monkeypatch, "ada").open("team", project="leaves"))
    assert "No answers to gold yet" in expert
    assert "datasets?" not in expert


def test_pausing_takes_a_reason_and_is_told(known: House, monkeypatch) -> None:
    """Without a reason nothing happens; with one the person is paused, reads why, and can be resumed."""
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="ada")
    number = known.people["ada"]
    at.button(key=f"team.standing.{number}.False.send").click().run()
    assert "needs a reason" in words(at)
    at.text_input(key=f"team.standing.{number}.False.reason").set_value("Too fast.")
    at.button(key=f"team.standing.{number}.False.send").click().run()
    assert not at.exception
    assert "Paused: Too fast." in words(at)
    own = words(Visit(known, monkeypatch, "ada").open("team", project="leaves"))
    assert "You are paused in this project: Too fast." in own
    listed = Visit(known, monkeypatch, "leo").open("team", project="leaves", show="stopped")
    assert "1 person." in words(listed)
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="ada")
    at.text_input(key=f"team.standing.{number}.True.reason").set_value("We talked.")
    at.button(key=f"team.standing.{number}.True.send").click().run()
    assert "Paused: Too fast." not in words(at)
    assert "We talked." in words(at)


def test_a_skill_is_taken_away(known: House, monkeypatch) -> None:
    """What somebody holds is listed and can be taken back."""
    number = known.people["ada"]
    grant_skill(known.ws, known.actor("leo"), "leaves", number, "bark")
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="ada")
    at.button(key=f"team.skills.{number}.revoke.bark").click().run()
    assert not at.exception
    assert skills_of(known.ws, known.actor("leo"), "leaves") == {}


def test_filters_and_order_live_in_the_address(known: House, monkeypatch) -> None:
    """A link opens on the same list; a filter nobody meets says so; a wrong value is the default."""
    visit = Visit(known, monkeypatch, "mia")
    at = visit.open("team", project="leaves", show="stopped", sort="seconds")
    assert at.selectbox(key="choice.sort").value == "seconds"
    assert "Nobody is like this" in words(at)
    at = Visit(known, monkeypatch, "mia").open("team", project="leaves", sort="by-salary")
    assert at.selectbox(key="choice.sort").value == "tier"
    assert not at.exception


def test_only_who_answered_gold_has_a_tier(known: House) -> None:
    """Who is known has a tier, who is not has none, and standing comes with it."""
    lead = known.actor("leo")
    pause_person(known.ws, lead, "leaves", known.people["ada"], "A look at the numbers.")
    rows = rows_of(
        everybodys_quality(known.ws, lead, "leaves"), everybodys_work(known.ws, lead, "leaves")
    )
    by_name = {r.work.person: r for r in rows}
    assert by_name["ada"].tier == 1
    assert by_name["leo"].tier is None
    assert by_name["ada"].quality.standing == "paused"


def test_any_named_skill_is_given_before_the_policy_asks_for_it(known: House, monkeypatch) -> None:
    """A lead names a skill nobody has yet; it is offered for others, and the policy editor tells of it."""
    number, leo = known.people["ada"], known.people["leo"]
    at = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="ada")
    assert "asks for no skill yet" in words(at)
    at.button(key=f"team.skills.{number}.give").click().run()
    assert "A skill is named by" in words(at)
    box = at.selectbox(key=f"team.skills.{number}.skill")
    box.options.append("bark")  # as a browser sends a new name; the test's box knows options only
    box.set_value("bark")
    at.button(key=f"team.skills.{number}.give").click().run()
    assert not at.exception
    assert skills_of(known.ws, known.actor("leo"), "leaves") == {number: ("bark",)}
    other = Visit(known, monkeypatch, "leo").open("team", project="leaves", person="leo")
    assert other.selectbox(key=f"team.skills.{leo}.skill").options == ["bark"]
    editor = Visit(known, monkeypatch, "leo").open("settings", project="leaves", tab="policy")
    assert "Skills people hold here: “bark”" in words(editor)


def test_a_dot_of_gold_lists_the_answers_behind_it(known: House, monkeypatch) -> None:
    """A manager's click lists as many answers as the dot counts, the wrong one first; an expert gets none."""
    mark = "team.gold~ada"
    text = words(Visit(known, monkeypatch, "mia").open("team", project="leaves", mark=mark))
    assert "Ada Expert, answers to gold" in text
    # Below both charts, where it has the whole width.
    assert text.index("answers to gold") > text.index("How far the pre-label pulls")
    assert "n = 6" in text.partition("answers to gold")[2]
    assert "maple, held against oak" in text
    own = words(
        Visit(known, monkeypatch, "ada").open("team", project="leaves", mark="team.classes~oak")
    )
    assert "held against" not in own
    assert "Behind:" not in own
