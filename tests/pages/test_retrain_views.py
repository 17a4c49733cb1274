"""The retrain page's views with real models: comparing, deciding alone, what next, two people, the card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core.access import Role
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.items.lists import list_lists
from core.services.models import promotion
from core.services.models.promotion import list_models, promote
from core.services.projects.training_rules import TrainingRules, set_training_rules
from core.services.workspace import current_workspace
from core.store.tables import item_state, items
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.trained import SLUG, make_trained


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Train two models."""
    return make_trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def trained(
    trained_once: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """Give a workspace with both models, open as this process's own."""
    shutil.copytree(trained_once.ws.root, tmp_path / "workspace")
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    current_workspace.cache_clear()
    ws = current_workspace()
    yield replace(trained_once, ws=ws)
    ws.store.close()
    current_workspace.cache_clear()


def reopen(house: House) -> None:
    """Let half of the items for training be open, so that there is something to accept or label."""
    with house.ws.store.write() as connection:
        ids = connection.execute(
            select(items.c.id).where(items.c.project_id == 3, items.c.use == "train")
        ).scalars()
        some = sorted(ids)[::2]
        connection.execute(
            item_state.update()
            .where(item_state.c.item_id.in_(some))
            .values(state="open", final_seq=None)
        )


def button(at, label: str):
    return next(b for b in at.button if b.label == label)


def test_without_a_model_each_view_says_what_is_missing(house: House, monkeypatch) -> None:
    """Empty states are designed: what is so, and what to do next."""
    for view, said in (
        ("compare", "Two models are needed"),
        ("certificate", "No model yet"),
        ("next", "No model yet"),
        ("simulate", "Nothing simulated yet"),
    ):
        at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves", view=view)
        assert not at.exception
        assert said in words(at)


def test_two_models_are_compared_in_pairs(trained: House, monkeypatch) -> None:
    """Accuracy of both, the paired difference, the test, classes and images are there."""
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG, view="compare")
    assert not at.exception
    text = words(at)
    for said in ("Model 2 is right", "Model 1 is right", "Difference, paired", "Exact McNemar test",
                 "By true class", "Images where they differ"):  # fmt: skip
        assert said in text
    assert "chance" in text
    at.selectbox(key="choice.first").select("1").run()
    assert "cannot be compared with itself" in words(at)


def test_a_promise_and_a_look_that_could_decide_nothing(trained: House, monkeypatch) -> None:
    """A promise needs a reason; where every item has a label no look is spent, and one sentence says so."""
    reopen(trained)
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG, view="certificate")
    button(at, "Promise").click().run()
    assert "needs a reason" in words(at)
    next(i for i in at.text_input if i.label == "Why (required)").input("to save time")
    button(at, "Promise").click().run()
    assert "At most 5.0 % of the accepted labels are wrong, with 90 % confidence" in words(at)
    at.button(key="certificate.look").click().run()
    assert not at.exception
    assert "Nothing is left that a model could decide" in words(at)
    assert "No look was taken yet" in words(at)


def test_two_people_put_a_model_in_force(trained: House, monkeypatch) -> None:
    """The first proposes and then sees nothing to press; the second finds it on top and decides."""
    ws, mia = trained.ws, trained.actor("mia")
    number = add_person(ws, operator(ws), "max", roles=[(Role.MANAGER, None)])
    house = replace(trained, people={**trained.people, "max": number})
    set_training_rules(ws, mia, SLUG, TrainingRules(two_people=True), "four eyes")
    at = Visit(house, monkeypatch, "mia").open("retrain", project=SLUG)
    at.text_input(key="retrain.promote.2.reason").input("better")
    button(at, "Propose it").click().run()
    assert "Mia Manager proposed model 2" in words(at)
    assert "Somebody else has to put it in force." in words(at)
    assert not [b for b in at.button if b.label in ("Propose it", "Put in force")]
    at = Visit(house, monkeypatch, "max").open("retrain", project=SLUG)
    assert "Look at it below" in words(at)
    at.text_input(key="retrain.promote.2.reason").input("agreed")
    button(at, "Put in force").click().run()
    assert [m.id for m in list_models(ws, mia, SLUG) if m.promoted] == [2]
    at.run()
    assert [b for b in at.button if b.label == "Roll back"]


def test_a_model_that_serves_otherwise_is_refused_on_the_page(trained: House, monkeypatch) -> None:
    """The refusal is one sentence, and the model in force stays."""
    (path,) = trained.ws.runs.glob(f"{SLUG}/*2/label/model.safetensors")
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG)
    at.text_input(key="retrain.promote.2.reason").input("better")
    button(at, "Put in force").click().run()
    assert "was not put in force" in words(at)
    assert [m.id for m in list_models(trained.ws, trained.actor("mia"), SLUG) if m.promoted] == [1]


def test_rolling_back_is_one_reason_away(trained: House, monkeypatch) -> None:
    """The former model is in force again and the ledger says so."""
    ws, mia = trained.ws, trained.actor("mia")
    promote(ws, mia, SLUG, 2, "better")
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG)
    next(i for i in at.text_input if i.label == "Why (required)").input("worse on red")
    button(at, "Roll back").click().run()
    assert [m.id for m in list_models(ws, mia, SLUG) if m.promoted] == [1]
    assert promotion.promotion_standing(ws, mia, SLUG).history[0].what == "rolled back"


def test_the_card_and_the_ledger_of_runs(trained: House, monkeypatch) -> None:
    """The card opens on request; every run is in the ledger."""
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG)
    assert "All runs" in words(at)
    assert "2 runs, newest first." in words(at)
    at.toggle(key="retrain.card.2").set_value(True).run()
    assert not at.exception
    text = words(at)
    assert "What to know before trusting it" in text
    assert "Judged on fewer than 30 labels" in text


def test_a_recipe_is_previewed_before_training(trained: House, monkeypatch) -> None:
    """Fine-tuning shows its recipe; the preview holds the project's own images, four times varied."""
    at = Visit(trained, monkeypatch, "mia").open("retrain", project=SLUG)
    at.segmented_control(key="retrain.mode").set_value("fine-tune").run()
    at.toggle(key="recipe.preview").set_value(True).run()
    assert not at.exception
    assert words(at).count("data:image/jpeg;base64,") == 4 * 5


def test_what_to_label_next_is_kept_as_a_list(trained: House, monkeypatch) -> None:
    """The chosen items become a list that can be reviewed."""
    reopen(trained)
    visit = Visit(trained, monkeypatch, "mia")
    at = visit.open("retrain", project=SLUG, view="next", by="next-minute")
    assert not at.exception
    at.selectbox(key="choice.by").select("margin").run()
    at.number_input(key="next.count").set_value(10).run()
    assert "10 of " in words(at)
    next(i for i in at.text_input if i.label == "Name of the list").input("doubts")
    button(at, "Keep").click().run()
    (kept,) = list_lists(trained.ws, trained.actor("mia"), SLUG)
    assert (kept.name, kept.items) == ("doubts", 10)
