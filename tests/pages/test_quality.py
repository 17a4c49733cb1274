"""The quality page: choices in the address, what is said beside each figure, its empty states."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.access import Role
from core.analytics.asked import Against, Basis
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import ItemClosed
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.projects.project import get_project
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.store.tables import item_state
from core.ui import comparison
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.record import add_items, boxes, say
from tests.worked import describe, know, predict


@pytest.fixture
def worked(house: House) -> House:
    """Give the house with predictions, gold, and a second person's votes."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    ids = list(range(1, 7))
    predict(house.ws, project, {i: "oak" if i < 6 else "maple" for i in ids}, 0.8)
    know(house.ws, project, dict(zip(ids, ["oak"] * 4 + ["birch"] * 2, strict=True)))
    for i in ids[:3]:
        sent = Submission(new_uuid(), i, "vote", say("oak"), active_seconds=2)
        submit(house.ws, house.actor("leo"), "leaves", sent)
    return house


def figure_values(at) -> str:
    return words(at).replace("\u00a0", " ")


def test_the_model_is_measured_against_what_says_most(worked: House, monkeypatch) -> None:
    """Gold has more than the labels in force, so it comes first; n and interval stand beside it."""
    at = Visit(worked, monkeypatch, "mia").open("quality", project="leaves")
    assert not at.exception
    assert at.selectbox(key="choice.against").value == "gold"
    text = figure_values(at)
    assert "66.7 %" in text
    assert "n = 6" in text
    assert "30.0 % – 90.3 %" in text
    assert "not enough data" in text  # birch: two items only


def test_choices_live_in_the_address(worked: House, monkeypatch) -> None:
    """A shared link opens on the same choice; changing one writes it; a wrong one is the default."""
    visit = Visit(worked, monkeypatch, "mia")
    at = visit.open("quality", project="leaves", whose="people", against="gold")
    assert at.selectbox(key="choice.whose").value == "people"
    assert "People are right" in words(at)
    at.selectbox(key="choice.whose").select("ada").run()
    assert at.query_params["whose"] == "ada"
    assert "Ada Expert is right" in words(at)
    at.selectbox(key="choice.whose").select("model").run()
    assert "whose" not in at.query_params
    at = Visit(worked, monkeypatch, "mia").open("quality", project="leaves", whose="<script>")
    assert at.selectbox(key="choice.whose").value == "model"
    assert not at.exception


def test_the_items_behind_a_mistake_are_listed(worked: House, monkeypatch) -> None:
    """The cell the address names is listed with links: a manager gets the picture, nothing to vote on."""
    at = Visit(worked, monkeypatch, "mia").open(
        "quality", project="leaves", against="gold", truth="birch", said="maple"
    )
    text = words(at)
    assert "birch, said to be maple" in text
    assert "/files/item/6?v=" in text
    assert "/review?" not in text
    at = Visit(worked, monkeypatch, "leo").open(
        "quality", project="leaves", against="gold", truth="birch", said="maple"
    )
    assert "1 more is not shown: you could still vote on it" in words(at)
    assert "/files/item/6?v=" not in words(at)


def test_what_is_behind_a_class_is_listed_below_its_chart(worked: House, monkeypatch) -> None:
    """A mark of the chart by class lists its mistakes, to a lead not those that wait for a ruling."""
    asked = {"project": "leaves", "against": "gold", "mark": "quality.classes~recall birch"}
    at = Visit(worked, monkeypatch, "mia").open("quality", **asked)
    assert not at.exception
    assert "Behind: truly birch, not recognised" in words(at)
    assert "maple, held against birch" in words(at)
    at = Visit(worked, monkeypatch, "leo").open("quality", **asked)
    assert "maple, held against birch" not in words(at)
    asked["mark"] = "quality.classes~precision maple"
    at = Visit(worked, monkeypatch, "mia").open("quality", **asked)
    assert "Behind: said to be maple, and wrong" in words(at)
    assert "maple, held against birch" in words(at)


def test_agreement_is_looked_at_over_a_slice(worked: House, monkeypatch) -> None:
    """The slices are offered beside the other choices of votes; the address keeps the one chosen."""
    project = get_project(worked.ws, worked.actor("mia"), "leaves")
    describe(worked.ws, project, {i: {"camera": "AB"[i % 2]} for i in range(1, 7)})
    at = Visit(worked, monkeypatch, "mia").open("quality", project="leaves", view="agree")
    offered = at.selectbox(key="choice.where")
    assert offered.options == ["All items", "camera is A", "camera is B"]
    offered.set_value("camera:B").run()
    assert not at.exception
    assert at.query_params["where"] in ("camera:B", ["camera:B"])
    assert "Only items where camera is B" in words(at)
    both = Visit(worked, monkeypatch, "mia").open(
        "quality", project="leaves", view="agree", where="camera:B|light"
    )
    assert both.selectbox(key="choice.where").value == "camera:B|light"


def test_a_filter_in_the_address_is_said_and_can_be_taken_out(worked: House, monkeypatch) -> None:
    """Items are narrowed by metadata, and the page says so."""
    at = Visit(worked, monkeypatch, "mia").open("quality", project="leaves", where="camera:C")
    assert "Only items where camera is C" in words(at)
    assert "Nothing independent to compare with" in words(at)
    at.button(key="where.clear").click().run()
    assert "where" not in at.query_params
    assert "Only items where" not in words(at)


def test_a_project_without_items_says_so(house: House, monkeypatch) -> None:
    """No chart of nothing: a sentence."""
    at = Visit(house, monkeypatch, "mia").open("quality", project="cells")
    assert "No items yet" in words(at)
    assert not at.exception


def test_labelled_items_are_said_to_be_no_random_sample() -> None:
    """Labels may be imported or reviewed: the note is true of both."""
    notes = comparison.notes(Basis.INDEPENDENT, 0, Against.FINAL, "people")
    assert notes == ["Labelled items only: which items got labels was not drawn at random."]


def test_fleiss_kappa_owns_up_to_what_it_leaves_out(house: House, monkeypatch) -> None:
    """Items with a third vote are missing from it, and the page says so beside it, else nothing."""
    boss = operator(house.ws)
    for name in ("ben", "cat", "dan"):
        house.people[name] = add_person(house.ws, boss, name, name, roles=[(Role.EXPERT, None)])

    def votes(item_id: int, who: str, label: str) -> None:
        base = open_item(house.ws, house.actor(who), "leaves", item_id).revision
        sent = Submission(new_uuid(), item_id, "vote", say(label), base_revision=base)
        submit(house.ws, house.actor(who), "leaves", sent)

    with house.ws.store.read() as connection:
        answered = select(item_state.c.item_id).where(item_state.c.votes > 0)
        agreed = list(connection.scalars(answered))  # by ada, both "oak"
    *fresh, last = [i for i in range(1, 7) if i not in agreed]
    for item_id in agreed:
        votes(item_id, "ben", "oak")
    for item_id in fresh:
        votes(item_id, "ben", "birch")
        votes(item_id, "cat", "birch")
    votes(last, "ben", "oak")
    votes(last, "cat", "maple")
    assert "it flatters" not in words(
        Visit(house, monkeypatch, "mia").open("quality", project="leaves", view="agree")
    )
    votes(last, "dan", "oak")
    text = words(Visit(house, monkeypatch, "mia").open("quality", project="leaves", view="agree"))
    assert (
        "Leaves out 1 item with another number of votes. A third vote comes where people differ"
        in text
    )


def test_an_expert_may_not_see_it(house: House, monkeypatch) -> None:
    """The page explains itself to whoever may not see figures."""
    at = Visit(house, monkeypatch, "ada").open("quality", project="leaves")
    assert "not part of your role" in words(at)


@pytest.fixture
def three(house: House) -> House:
    """Give the house with three people's votes on all six items, two of them differing on some."""
    boss = operator(house.ws)
    said = {"ben": ["oak"] * 6, "cat": ["oak"] * 3 + ["birch"] * 3, "dan": ["oak"] * 5 + ["maple"]}
    policy = replace(Policy(), overlap=4, max_votes=5)
    set_policy(house.ws, house.actor("leo"), "leaves", policy, "Many votes, to compare people.")
    for name, labels in said.items():
        house.people[name] = add_person(
            house.ws, boss, name, name.title(), roles=[(Role.EXPERT, None)]
        )
        for item, label in enumerate(labels, 1):
            sent = Submission(new_uuid(), item, "vote", say(label), active_seconds=2)
            submit(house.ws, house.actor(name), "leaves", sent)
    return house


def test_agreement_is_shown_by_class_pair_and_person(three: House, monkeypatch) -> None:
    """The matrix says who agrees with whom, and the pair that agrees least comes with its items."""
    at = Visit(three, monkeypatch, "mia").open("quality", project="leaves", view="agree")
    assert not at.exception
    text = words(at)
    assert "Agreement by class" in text
    assert "What each person does to alpha" in text
    assert "Ben and Cat differ" in text
    assert "in common: 50.0 %" in text
    assert "Compare people, not with the line" in text
    assert "By item: the share of an item" in text
    assert "Figures by pair therefore lie below figures by item" in text
    assert "oak / birch" in text


def test_a_pair_in_the_address_narrows_the_votes(three: House, monkeypatch) -> None:
    """Two people chosen: the coefficients are theirs alone, and so are the items; one alone is asked for a second."""
    at = Visit(three, monkeypatch, "mia").open("quality", project="leaves", one="ben", other="dan")
    text = figure_values(at)
    assert "Ben and Dan differ" in text
    assert "oak / maple" in text
    assert "83.3 %" in text
    at = Visit(three, monkeypatch, "mia").open("quality", project="leaves", one="ben")
    assert "Choose a second person" in words(at)


def test_items_a_lead_could_still_vote_on_are_withheld_from_the_pair(
    three: House, monkeypatch
) -> None:
    """The lead learns how many there are, never what was said of them."""
    text = words(Visit(three, monkeypatch, "leo").open("quality", project="leaves", view="agree"))
    assert "3 more are not shown: you could still vote on them" in text
    assert "oak / birch" not in text


def test_agreement_that_chance_alone_would_give_is_undefined(house: House, monkeypatch) -> None:
    """Everybody always said one class: no number is made up, and the page says why."""
    boss = operator(house.ws)
    house.people["ben"] = add_person(house.ws, boss, "ben", "Ben", roles=[(Role.EXPERT, None)])
    house.people["cat"] = add_person(house.ws, boss, "cat", "Cat", roles=[(Role.EXPERT, None)])
    for item in range(1, 7):
        for who in ("ben", "cat"):
            with suppress(ItemClosed):
                sent = Submission(new_uuid(), item, "vote", say("oak"), active_seconds=2)
                submit(house.ws, house.actor(who), "leaves", sent)
    text = words(Visit(house, monkeypatch, "mia").open("quality", project="leaves", view="agree"))
    assert "Undefined" in text
    assert "one answer was given throughout" in text


def test_regions_have_agreement_by_class_and_by_person(house: House, monkeypatch) -> None:
    """What people draw is told class by class, and what each person does to alpha beside it."""
    op = operator(house.ws)
    set_policy(house.ws, op, "cells", Policy(overlap=3), "three look at each")
    project = get_project(house.ws, op, "cells")
    people = [
        actor_of(house.ws, add_person(house.ws, op, name, roles=[(Role.EXPERT, "cells")]))
        for name in ("una", "ugo", "uli")
    ]
    for item in add_items(house.ws, project, 6):
        for n, person in enumerate(people):
            edges = [(4 + 2 * n, 4, 30, 30), (34, 34, 60, 60)][: 1 if n == 2 else 2]
            answer = boxes(*edges, label="neutrophil")
            sent = Submission(new_uuid(), item, "vote", answer, active_seconds=2)
            submit(house.ws, person, "cells", sent)
    at = Visit(house, monkeypatch, "mia").open("quality", project="cells", view="agree")
    assert not at.exception
    text = figure_values(at)
    assert "Where one person draws a region, how often another draws one alike" in text
    assert "Others draw it too" in text
    assert "What each person does to alpha" in text
    assert "It takes three people on the same items" not in text
    at = Visit(house, monkeypatch, "mia").open("quality", project="cells", whose="people")
    assert not at.exception
    text = words(at)
    assert "Image by image" in text
    assert "neutrophil, not drawn" in text  # the square of the third person's missing box


VIEWS = ("right", "agree", "model", "work", "labels")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_is_missing_where_little_was_done(
    house: House, monkeypatch, view
) -> None:
    """One annotator, no gold, no prediction, one guideline: each view opens and says so."""
    at = Visit(house, monkeypatch, "mia").open("quality", project="leaves", view=view)
    assert not at.exception
    assert "ot enough data" in words(at)


def test_the_model_is_set_beside_people_and_its_own_confidence(worked: House, monkeypatch) -> None:
    """Six predictions are too few for calibration, which says how many it takes."""
    at = Visit(worked, monkeypatch, "mia").open(
        "quality", project="leaves", view="model", against="gold"
    )
    text = words(at)
    assert not at.exception
    assert "Calibration needs 30 predictions" in text
    assert "Model, people and consensus on the same items" in text


def test_rework_is_told_by_class_and_person(worked: House, monkeypatch) -> None:
    """First votes, in the chart's words and in the table."""
    at = Visit(worked, monkeypatch, "mia").open("quality", project="leaves", view="work")
    text = figure_values(at)
    assert "Overturned by a lead" in text
    assert "No gold has been answered yet." in text
    assert "Nobody has done any of this here yet." in text  # no pre-label was shown


def test_one_condition_of_several_can_be_taken_out(worked: House, monkeypatch) -> None:
    """Each condition is a chip; its cross leaves the others in the address, hostile names as text."""
    at = Visit(worked, monkeypatch, "mia").open(
        "quality", project="leaves", where="camera:C|%2Ablur%2A:%3Ab%3A"
    )
    assert at.button(key="where.drop.1").label == "\\*blur\\* is \\:b\\:"
    at.button(key="where.drop.1").click().run()
    assert at.query_params["where"] in ("camera:C", ["camera:C"])
    assert not at.exception


def test_a_link_to_a_pair_lets_one_go_on_to_how_right_they_are(house: House, monkeypatch) -> None:
    """It opens on agreement, and the choice of another view counts, the first one too."""
    at = Visit(house, monkeypatch, "mia").open("quality", project="leaves", one="ada")
    assert at.segmented_control(key="quality.view").value == "agree"
    at.segmented_control(key="quality.view").set_value("right").run()
    assert at.query_params["view"] == "right"
    assert at.segmented_control(key="quality.view").value == "right"
    assert not at.exception
