"""Policy, guideline, classes, and what is one's own."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from core.consensus.policy import OnDisagreement, Stop
from core.labels import LabelSchema
from core.labels.editing import edited
from core.labels.operations import Rename
from core.labels.schema import Task, make_question
from core.services.projects.project import NewProject, create_project, get_project
from core.services.steering.schemas import edit_schema
from core.ui.schema_rows import operations_of, rows_of
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_review import elements


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page as the lead sees it."""
    return Visit(house, monkeypatch, "leo").open("settings", project="leaves")


def test_a_policy_is_previewed_and_put_in_force(page: AppTest, house: House) -> None:
    """The sentence changes with the fields; adopting needs a reason and makes a version."""
    page.selectbox(key="policy.leaves.1.rule").select(OnDisagreement.LEAD).run()
    assert "If any two differ, a lead decides." in words(page)
    button = next(b for b in page.button if b.label == "Put in force")
    button.click().run()
    assert "needs a reason" in words(page)
    page.text_input(key="policy.leaves.reason").input("too many third votes")
    next(b for b in page.button if b.label == "Put in force").click().run()
    project = get_project(house.ws, house.actor("leo"), "leaves")
    assert (project.policy_version, project.policy.on_disagreement) == (2, OnDisagreement.LEAD)


def test_the_most_votes_follow_those_an_item_needs(page: AppTest) -> None:
    """Asking for more votes than were allowed allows them; fewer than needed cannot be chosen."""
    most = "policy.leaves.1.max_votes"
    page.number_input(key="policy.leaves.1.overlap").set_value(5).run()
    assert page.number_input(key=most).value == 5
    page.number_input(key=most).set_value(2).run()
    assert not page.exception
    assert page.number_input(key=most).value == 5
    assert [b for b in page.button if b.label == "Put in force"]


def test_an_impossible_policy_is_said_not_raised(page: AppTest) -> None:
    """A lead that so few votes can never have shows a sentence and offers nothing to adopt."""
    page.selectbox(key="policy.leaves.1.stop").select(Stop.LEAD).run()
    page.number_input(key="policy.leaves.1.lead_of").set_value(9).run()
    assert not page.exception
    assert "no answer can be 9 votes ahead" in words(page)
    assert not [b for b in page.button if b.label == "Put in force"]


def test_a_guideline_gets_a_new_version(page: AppTest, house: House) -> None:
    """Publishing keeps the text; the preview is drawn by what draws it in the review deck."""
    page.text_area(key="guideline.leaves.1.text").input(
        "Look ![x](https://evil.example/p.png)"
    ).run()
    (preview,) = elements(page, "tiebreak_prose")
    assert preview["text"] == "Look ![x](https://evil.example/p.png)"
    assert preview["module"].endswith("/prose.js")
    assert "evil.example" not in words(page)
    page.text_input(key="guideline.leaves.1.reason").input("first words")
    page.button(key="guideline.publish").click().run()
    assert get_project(house.ws, house.actor("leo"), "leaves").guideline_version == 2


def test_an_expert_reads_but_does_not_steer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert sees the policy in words and the classes, and no field to change them."""
    at = Visit(house, monkeypatch, "ada").open("settings", project="leaves")
    assert "people vote on each item" in words(at)
    assert "maple" in words(at)
    assert not at.number_input
    assert not at.text_area


def test_two_different_passwords_change_nothing(page: AppTest) -> None:
    """A slip while typing does not lock a person out."""
    page.text_input(key="me.password.first").input("a new password")
    page.text_input(key="me.password.again").input("a mew password")
    next(b for b in page.button if b.label == "Change password").click().run()
    assert "differ" in words(page)


# --- classes ----------------------------------------------------------------------------------


def typed(at: AppTest, key: str, edits: dict | None = None, added: list | None = None) -> None:
    """Type into the table of classes as a browser does: rows and columns by name."""
    at.session_state[key] = {
        "edited_rows": edits or {}, "added_rows": added or [], "deleted_rows": [],
    }  # fmt: skip


TABLE = "schema.leaves.1.0.label.table"


def press(at: AppTest, label: str) -> AppTest:
    """Press the button that reads so."""
    return next(b for b in at.button if b.label == label).click().run()


def test_classes_are_renamed_retired_and_added_in_one_version(page: AppTest, house: House) -> None:
    """The preview says what happens and to how many labels; publishing makes one version."""
    assert "Nothing changed yet" in words(page)
    typed(page, TABLE, {0: {"name": "acer"}, 2: {"retired": True}}, [{"name": "elm", "key": "4"}])
    page.run()
    assert not page.exception
    for sentence in ("Rename “maple” to “acer”", "Retire “birch”", "Add “elm”", "keep their class"):
        assert sentence in words(page)
    page.text_input(key="schema.leaves.1.0.reason").input("clearer names")
    press(page, "Put in force")
    project = get_project(house.ws, house.actor("leo"), "leaves")
    assert project.schema_version == 2
    assert [(c.name, c.key) for c in project.schema.main.open_classes if c.name != "oak"] == [
        ("acer", "1"), ("elm", "4"),
    ]  # fmt: skip


def test_a_name_taken_is_said_and_nothing_can_be_published(page: AppTest, house: House) -> None:
    """One sentence, no button, and the table still holds what was typed."""
    typed(page, TABLE, {0: {"name": "oak"}})
    page.run()
    assert "has a class 'oak' already" in words(page).replace("\\", "")
    assert not [b for b in page.button if b.key and b.key.endswith(".adopt")]
    press(page, "Throw my changes away")
    assert "Nothing changed yet" in words(page)


def test_what_another_lead_published_meanwhile_does_not_wipe_the_edit(
    page: AppTest, house: House
) -> None:
    """The edit stays on screen, says that a version came in between, and can then be published."""
    typed(page, TABLE, {0: {"name": "acer"}})
    page.run()
    edit_schema(house.ws, house.actor("leo"), "leaves", [Rename("label", 1, "quercus")], "x", 1)
    page.text_input(key="schema.leaves.1.0.reason").input("why")
    press(page, "Put in force")
    assert "was put in force while you edited" in words(page)
    assert get_project(house.ws, house.actor("leo"), "leaves").schema_version == 2
    press(page, "Put in force")
    found = get_project(house.ws, house.actor("leo"), "leaves").schema.main.open_names
    assert found == ("acer", "quercus", "birch")


def test_a_question_is_added(page: AppTest, house: House) -> None:
    """What is to be asked joins the same version as all other changes."""
    page.text_input(key="schema.leaves.1.0.label.title").input("Species").run()
    form = [t for t in page.text_input if t.label in ("What is asked", "Key in exports")][-2:]
    form[0].input("Leaf is")
    form[1].input("health")
    next(t for t in page.text_area if t.label == "Classes, one a line").input("green\nbrown")
    press(page, "Add the question")
    assert "Ask “Leaf is: green, brown”" in words(page)
    page.text_input(key="schema.leaves.1.0.reason").input("why")
    press(page, "Put in force")
    asked = get_project(house.ws, house.actor("leo"), "leaves").schema.questions
    assert [(q.key, q.title) for q in asked] == [("label", "Species"), ("health", "Leaf is")]


def test_suggested_colours_are_previewed(page: AppTest) -> None:
    """One button; the classes get colours that every kind of eye tells apart."""
    page.button(key="schema.leaves.1.0.label.suggest").click().run()
    assert "Colour of “oak”" in words(page)
    press(page, "Keep the colours")
    assert "Nothing changed yet" in words(page)


def test_a_thousand_classes_can_be_edited(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page draws in time, and one rename among them is one operation."""
    names = [f"class {n:04d}" for n in range(1000)]
    new = NewProject("many", Task.CLASSIFICATION, names)
    create_project(house.ws, house.actor("kim"), new)
    at = Visit(house, monkeypatch, "kim").open("settings", project="many")
    typed(at, "schema.many.1.0.label.table", {999: {"name": "the last"}})
    at.run(timeout=20)
    assert not at.exception
    assert "Rename “class 0999” to “the last”" in words(at)


def pets() -> LabelSchema:
    return LabelSchema(Task.CLASSIFICATION, (make_question("label", "L", ["cat", "dog", "owl"]),))


def test_the_table_unedited_asks_for_nothing_and_edited_for_what_was_edited() -> None:
    """Keys may change places, a class retired gives its key to a new one, all in one go."""
    question = pets().main
    rows = rows_of(question)
    assert operations_of(question, rows) == []
    rows[0] |= {"key": "2", "colour": "#000000"}
    rows[1] |= {"key": "1", "name": "hound"}
    rows[2] |= {"retired": True}
    fresh = {"number": float("nan"), "name": "fox", "key": "3", "colour": None}
    after, _ = edited(pets(), operations_of(question, [*rows, fresh, {"name": None}]))
    assert [(c.name, c.key, c.retired) for c in after.main.classes] == [
        ("cat", "2", False), ("hound", "1", False), ("owl", "", True), ("fox", "3", False),
    ]  # fmt: skip
    assert after.main.classes[0].colour == "#000000"


def test_merging_and_restoring_come_from_the_table_too() -> None:
    """A class merged asks for nothing else; a tick taken away restores."""
    retired, _ = edited(pets(), operations_of(pets().main, [
        *rows_of(pets().main)[:2], {**rows_of(pets().main)[2], "retired": True}]))  # fmt: skip
    rows = rows_of(retired.main)
    rows[2] |= {"retired": False}
    rows[0] |= {"merge": "dog", "name": "ignored"}
    after, events = edited(retired, operations_of(retired.main, rows))
    assert [e.kind for e in events] == ["restore", "merge"]
    assert after.main.open_names == ("dog", "owl")


# --- guideline examples, history, new projects ------------------------------------------------


def test_a_question_added_closes_its_form_and_is_said(page: AppTest, house: House) -> None:
    """The form is empty again, what was added is named until it is published or taken back."""

    def field(label: str) -> TextInput:
        return next(t for t in page.text_input if t.label == label)

    titles = [t.label for t in page.text_input].count("What is asked")
    next(t for t in reversed(page.text_input) if t.label == "What is asked").input("Condition")
    field("Key in exports").input("condition")
    next(t for t in page.text_area if t.label == "Classes, one a line").input("fine\ntorn")
    press(page, "Add the question")
    assert not page.exception
    assert "Added to your changes: “Condition”" in info(page)
    assert [t.label for t in page.text_input].count("What is asked") == titles
    assert field("Key in exports").value == ""
    press(page, "Take the new questions back")
    assert "Added to your changes" not in info(page)


def info(at: AppTest) -> str:
    """Return what the notes on the page say, without Markdown's escapes."""
    return " ".join(i.value for i in at.info).replace("\\", "")


def test_an_example_is_added_and_published(page: AppTest, house: House) -> None:
    """Found by name, shown beside the text, part of the next version; a wrong name is said."""
    field = next(t for t in page.text_input if t.label == "Image to show as an example")
    field.input("leaf")
    page.button(key="guideline.leaves.1.take").click().run()
    assert "There is no item" in words(page)
    assert "leaf4.png" in words(page).replace("\\", "")
    kept = next(t for t in page.text_input if t.label == field.label)
    assert kept.value == "leaf"
    kept.input("leaf3")
    page.button(key="guideline.leaves.1.take").click().run()
    assert "tb-examples" in words(page)
    assert next(t for t in page.text_input if t.label == field.label).value == ""
    number = page.session_state["guideline.leaves.1.examples"][0].item_id
    page.text_input(key=f"guideline.leaves.1.example.{number}.note").input("lobes").run()
    page.text_input(key="guideline.leaves.1.reason").input("pictures")
    page.button(key="guideline.publish").click().run()
    (kept,) = get_project(house.ws, house.actor("leo"), "leaves").guideline_examples
    assert (kept.name, kept.good, kept.note) == ("leaf3.png", True, "lobes")


def test_the_history_is_there_for_everybody_in_the_project(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who, when, why and what, escaped."""
    edit_schema(
        house.ws, house.actor("leo"), "leaves", [Rename("label", 0, "<b>acer")], "tidy <i>", 1
    )
    at = Visit(house, monkeypatch, "ada").open("settings", project="leaves")
    assert "renamed &#x27;maple&#x27; to &#x27;&lt;b&gt;acer&#x27;" in words(at)
    assert "tidy &lt;i&gt;" in words(at)
    assert "Leo Lead" in words(at)


def test_a_project_is_made_from_a_template(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager chooses, edits the classes and makes it; a lead is not offered to."""
    at = Visit(house, monkeypatch, "mia").open("settings", project="leaves")
    at.selectbox(key="new.settings.template").select("defect").run()
    at.text_input(key="new.settings.title").input("Weld seams").run()
    at.text_area(key="new.settings.defect.label").input("pore\ncrack").run()
    at.button(key="new.settings.create").click().run()
    made = get_project(house.ws, house.actor("mia"), "weld-seams")
    assert (made.title, made.task, made.schema.main.names) == (
        "Weld seams", Task.BOXES, ("pore", "crack"),
    )  # fmt: skip
    assert made.schema.region_questions[0].key == "severity"
    assert made.required_metadata == ()
    lead = Visit(house, monkeypatch, "leo").open("settings", project="leaves")
    assert not [b for b in lead.button if b.key == "new.settings.create"]


def test_required_metadata_is_a_field_of_the_form(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty unless filled in; what the images often bring is only said."""
    at = Visit(house, monkeypatch, "mia").open("settings", project="leaves")
    assert at.text_input(key="new.settings.species.required").value == ""
    assert "often bring: location, date" in words(at)
    at.text_input(key="new.settings.title").input("Ferns").run()
    at.text_input(key="new.settings.species.required").input("site, day").run()
    at.button(key="new.settings.create").click().run()
    made = get_project(house.ws, house.actor("mia"), "ferns")
    assert made.required_metadata == ("site", "day")


def test_something_else_makes_a_skeleton(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is chosen, points are named in a field; two of one name cannot be made."""
    at = Visit(house, monkeypatch, "mia").open("settings", project="leaves")
    at.selectbox(key="new.settings.template").select("blank").run()
    at.selectbox(key="new.settings.task").select(Task.KEYPOINTS).run()
    at.text_input(key="new.settings.title").input("Fish").run()
    at.text_area(key="new.settings.points").input("tail\ntail").run()
    assert "same name" in words(at)
    assert at.button(key="new.settings.create").disabled
    at.text_area(key="new.settings.points").input("mouth\ntail").run()
    at.button(key="new.settings.create").click().run()
    made = get_project(house.ws, house.actor("mia"), "fish")
    assert (made.task, made.schema.skeleton.points) == (Task.KEYPOINTS, ("mouth", "tail"))


def test_a_taken_name_for_a_project_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form stays as it was filled in."""
    at = Visit(house, monkeypatch, "mia").open("home")
    at.button(key="home.new").click().run()
    at.text_input(key="new.home.title").input("Leaves").run()
    at.button(key="new.home.create").click().run()
    assert "There is a project" in words(at)
    assert at.text_input(key="new.home.title").value == "Leaves"
