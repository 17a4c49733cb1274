"""The disputes by cause: what is shown, settled at once, put into the guideline, overturned."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.labels import Answer
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.models.datasets import freeze_labels
from core.services.projects.project import NewProject, create_project, get_project
from core.services.review.bulk import bulk_rule
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.ruling import Ruling, decide
from core.services.review.rulings import RulingFilter, rulings
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.store.tables import items
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_adjudicate import dispute, disputed
from tests.record import add_items
from tests.services.items.test_about import along, train


def visit(house: House, monkeypatch: pytest.MonkeyPatch, who: str = "leo") -> AppTest:
    """Open the page by cause."""
    at = Visit(house, monkeypatch, who).open("adjudicate", project="leaves", view="causes")
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    """Press the first button whose label begins so."""
    found = next(b for b in at.button if b.label.startswith(label))
    at = found.click().run()
    assert not at.exception
    return at


def camps(house: House) -> None:
    """Let two people call the same four leaves birch and maple, again and again."""
    op = operator(house.ws)
    ids = add_person(house.ws, op, "bob", roles=[(Role.EXPERT, "leaves")])
    ada, bob, leo = house.actor("ada"), actor_of(house.ws, ids), house.actor("leo")
    to_lead = Policy(on_disagreement=OnDisagreement.LEAD)
    set_policy(house.ws, leo, "leaves", to_lead, "to see every difference")
    for item in claim_items(house.ws, ada, "leaves", 4).items:
        for who, label in ((ada, "birch"), (bob, "maple")):
            answer = Answer({"label": label})
            vote = Submission(new_uuid(), item.item_id, "vote", answer, active_seconds=5)
            submit(house.ws, who, "leaves", vote)


def test_nothing_in_dispute_is_a_state(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says when something would come, and that nothing was ruled on."""
    said = words(visit(house, monkeypatch))
    assert "No item is in dispute" in said
    assert "No ruling was found" in said


def test_causes_come_with_evidence_and_no_names(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two flags that call the guideline unclear are one gap; nobody is named."""
    disputed(house)
    said = words(visit(house, monkeypatch))
    assert "2 open disputes" in said
    assert "Guideline gap" in said
    assert "The guideline was called unclear in 1 flag" in said
    assert "Ada" not in said


def test_many_are_settled_after_confirmation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens before the reason is given and the button in the dialog pressed."""
    disputed(house)
    leo = house.actor("leo")
    at = press(visit(house, monkeypatch), "Settle all 2…")
    assert "Each of the 2 items gets a decision of its own" in words(at)
    at = press(at, "Settle 2 disputes")
    assert "A decision needs a reason" in words(at)
    assert rulings(house.ws, leo, "leaves").total == 0
    field = next(t for t in at.text_input if t.label.startswith("Reason ("))
    field.set_value("The guideline says so").run()
    at = press(at, "Settle 2 disputes")
    assert rulings(house.ws, leo, "leaves").total == 2
    assert {r.reason for r in rulings(house.ws, leo, "leaves").rows} == {"The guideline says so"}


def test_a_ruling_on_many_is_taken_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it at once, from any of its rows: the items wait for one more vote."""
    ids = disputed(house)
    leo = house.actor("leo")
    seen = [(i, get_dispute(house.ws, leo, "leaves", i).newest_seq) for i in ids]
    bulk_rule(house.ws, leo, "leaves", seen, "discard", None, "no leaves", new_uuid())
    at = press(visit(house, monkeypatch), "All of these…")
    assert "All were ruled on at once" in words(at)
    next(t for t in at.text_input if t.label.startswith("Reason (")).set_value("Too hasty").run()
    press(at, "Overturn 2 rulings")
    asked = RulingFilter(in_force=True)
    assert {r.kind for r in rulings(house.ws, leo, "leaves", asked).rows} == {"send-back"}


def test_a_ruling_is_overturned_from_the_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one stays in the record, the new one counts."""
    first, _second = disputed(house)
    leo = house.actor("leo")
    seen = get_dispute(house.ws, leo, "leaves", first)
    answer = Answer({"label": "birch"})
    decide(
        house.ws,
        leo,
        "leaves",
        Ruling(new_uuid(), first, "decide", answer, "Clear", seen.votes_seen),
    )
    freeze_labels(house.ws, leo, "leaves")
    at = visit(house, monkeypatch)
    assert "birch" in words(at)
    at = press(at, "Overturn…")
    said = words(at)
    assert "Reason then: Clear" in said
    assert "Dataset versions that hold this item" in said
    next(t for t in at.text_input if t.label.startswith("Reason (")).set_value("Not so").run()
    at = press(at, "Overturn 1 ruling")
    assert "keep an old label of these items:</b> training-1 (1)" in words(at)
    rows = rulings(house.ws, leo, "leaves").rows
    assert [(r.kind, r.in_force) for r in rows] == [("send-back", True), ("decide", False)]


def test_a_clause_goes_into_the_guideline(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is added at the end, with the reason, as a version of its own."""
    camps(house)
    before = get_project(house.ws, house.actor("leo"), "leaves")
    at = press(visit(house, monkeypatch), "Add to the guideline…")
    press(at, "Publish")
    after = get_project(house.ws, house.actor("leo"), "leaves")
    assert after.guideline_version == before.guideline_version + 1
    assert after.guideline.startswith(before.guideline)
    assert "birch or maple?" in after.guideline or "maple or birch?" in after.guideline


def test_the_dispute_alone_tells_its_cause(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the ruling stands the same cause, with its evidence in sentences."""
    disputed(house)
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project="leaves")
    told = dispute(at)["autopsy"]
    assert told["kind"] == "Guideline gap"
    assert told["evidence"][0].endswith("(n\u00a0=\u00a01)")


def test_an_expert_is_told_it_is_not_theirs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only leads adjudicate, whatever the view."""
    assert "not part of your role" in words(visit(house, monkeypatch, "ada"))


def test_the_item_page_names_what_used_its_label(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lead sees the version that keeps the old label; an expert sees no versions."""
    first, _second = disputed(house)
    leo = house.actor("leo")
    seen = get_dispute(house.ws, leo, "leaves", first)
    for label in ("birch", "oak"):
        answer = Answer({"label": label})
        made = Ruling(new_uuid(), first, "decide", answer, "Clear", seen.votes_seen)
        decide(house.ws, leo, "leaves", made)
        if label == "birch":
            freeze_labels(house.ws, leo, "leaves")
    said = words(Visit(house, monkeypatch, "leo").open("items", project="leaves", item=str(first)))
    assert "birch" in said
    assert "not the label in force" in said
    other = Visit(house, monkeypatch, "ada").open("items", project="leaves", item=str(first))
    assert "Dataset versions" not in words(other)


def test_sets_of_classes_are_offered_and_what_is_not_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where several classes may be given, the two sets in question; for others one opens each."""
    sets(house, Answer(multi={"tags": ("dry", "torn")}), Answer(multi={"tags": ()}))
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project="tags", view="causes")
    at = press(at, "Settle all 3…")
    ruling = next(s for s in at.selectbox if s.label == "Ruling")
    assert set(ruling.options[:2]) == {"dry + torn", "none of them"}
    assert "wet" not in ruling.options
    assert "for any other, open each" in words(at)


def sets(house: House, *said: Answer) -> None:
    """Let as many people differ in the classes they give three items of a project of its own."""
    op = operator(house.ws)
    schema = LabelSchema(
        Task.CLASSIFICATION, (make_question("tags", "Seen", ["wet", "dry", "torn"], several=True),)
    )
    new = NewProject(
        "tags",
        Task.CLASSIFICATION,
        schema=schema,
        policy=Policy(on_disagreement=OnDisagreement.LEAD),
    )
    items = add_items(house.ws, create_project(house.ws, op, new), 3)
    for n, answer in enumerate(said):
        person = add_person(house.ws, op, f"tagger{n}", roles=[(Role.EXPERT, "tags")])
        for item_id in items:
            vote = Submission(new_uuid(), item_id, "vote", answer, active_seconds=5)
            submit(house.ws, actor_of(house.ws, person), "tags", vote)


def test_the_dialog_shows_how_far_apart_the_images_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With embeddings the images least like the others stand in it; without them nothing is said."""
    camps(house)
    opened = press(visit(house, monkeypatch), "Settle all 4")
    assert "least like the others" not in words(opened)
    project = get_project(house.ws, house.actor("leo"), "leaves")
    with house.ws.store.read() as connection:
        found = connection.execute(
            select(items.c.id).where(items.c.project_id == project.id).order_by(items.c.id)
        )
        ids = list(found.scalars())
    vectors = dict(zip(ids, along(*(0.02 * n for n in range(len(ids)))), strict=True))
    lead = SimpleNamespace(person_id=house.people["leo"])
    train(SimpleNamespace(ws=house.ws, project=project, cast=SimpleNamespace(lead=lead)), vectors)
    said = words(press(visit(house, monkeypatch), "Settle all 4"))
    assert "The images least like the others" in said
    assert said.split("least like the others")[1].count("tb-thumb") >= 4
