"""What it takes to put a model in force: a reason, honest serving, two people where the rules say so."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from core.access import Role
from core.cli import main
from core.errors import ConflictError, InputError
from core.learning import preprocess
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.models import skew
from core.services.models.promotion import list_models, promote, promotion_standing, roll_back
from core.services.models.skew import check_serving
from core.services.projects.training_rules import TrainingRules, set_training_rules
from tests.pages.house import House
from tests.trained import SLUG


def in_force(house: House) -> int:
    return next(m.id for m in list_models(house.ws, house.actor("mia"), SLUG) if m.promoted)


def test_a_model_that_serves_as_trained_passes_and_is_put_in_force(trained: House) -> None:
    """The first model is in force; the second replaces it, and going back is written as such."""
    ws, mia = trained.ws, trained.actor("mia")
    assert in_force(trained) == 1
    found = check_serving(ws, mia, SLUG, 2)
    assert found.passed, found.sentence
    assert found.images == skew.SAMPLE
    assert found.cosine > 0.99
    assert promote(ws, mia, SLUG, 2, "better on red") == "promoted"
    assert roll_back(ws, mia, SLUG, "it was worse after all") == "rolled back"
    assert in_force(trained) == 1
    events = promotion_standing(ws, mia, SLUG).history
    assert [(e.what, e.model_id) for e in events] == [
        ("rolled back", 1), ("promoted", 2), ("promoted", 1),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="in force already"):
        promote(ws, mia, SLUG, 1, "again")
    with pytest.raises(InputError, match="needs a reason"):
        promote(ws, mia, SLUG, 2, " ")


def test_a_model_is_put_in_force_from_a_terminal(trained: House, monkeypatch, capsys) -> None:
    """The command does what the page does; without a reason it refuses in one sentence and changes nothing."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(trained.ws.root))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", "promote", SLUG, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    code, out, err = run("2")
    assert (code, out) == (1, "")
    assert "needs a reason" in err
    assert in_force(trained) == 1
    code, out, _ = run("2", "--reason", "better on red", "--json")
    assert (code, json.loads(out)) == (0, {"model": 2, "done": "promoted"})
    assert in_force(trained) == 2


def test_other_colours_in_serving_refuse_the_promotion(trained: House, monkeypatch) -> None:
    """A decoder that turns red and blue round is found, nothing is put in force, and it is kept."""
    ws, mia = trained.ws, trained.actor("mia")
    plain = preprocess._to_rgb
    from PIL import Image

    def turned(image: Image.Image) -> Image.Image:
        return Image.fromarray(np.asarray(plain(image))[..., ::-1].copy())

    monkeypatch.setattr(preprocess, "_to_rgb", turned)
    with pytest.raises(ConflictError, match="was not put in force") as refused:
        promote(ws, mia, SLUG, 2, "better")
    assert "than training did" in refused.value.message
    assert in_force(trained) == 1
    assert not promotion_standing(ws, mia, SLUG).checks[2].passed
    monkeypatch.undo()
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    assert promote(ws, mia, SLUG, 2, "the decoder is back") == "promoted"


def test_another_network_in_the_folder_refuses_the_promotion(trained: House) -> None:
    """Files changed on disk are said in words; the model in force stays."""
    ws, mia = trained.ws, trained.actor("mia")
    (path,) = ws.runs.glob(f"{SLUG}/*2/label/model.safetensors")
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    found = check_serving(ws, mia, SLUG, 2)
    assert not found.passed
    assert "cannot be served" in found.sentence
    with pytest.raises(ConflictError, match="not put in force"):
        promote(ws, mia, SLUG, 2, "better")


def test_two_people_where_the_rules_ask_for_them(trained: House) -> None:
    """One proposes, cannot decide it alone, another puts it in force; both are in the history."""
    ws, mia = trained.ws, trained.actor("mia")
    boss = operator(ws)
    max_ = actor_of(ws, add_person(ws, boss, "max", roles=[(Role.MANAGER, SLUG)]))
    set_training_rules(ws, mia, SLUG, TrainingRules(two_people=True), "four eyes")
    assert promote(ws, mia, SLUG, 2, "better") == "proposed"
    assert in_force(trained) == 1
    with pytest.raises(ConflictError, match="proposed model 2 yourself"):
        promote(ws, mia, SLUG, 2, "still better")
    waiting = promotion_standing(ws, max_, SLUG)
    assert waiting.two_people
    assert (waiting.proposal.model_id, waiting.proposal.mine) == (2, False)
    assert waiting.proposal.by == "Mia Manager"
    assert promote(ws, max_, SLUG, 2, "agreed") == "promoted"
    assert promotion_standing(ws, mia, SLUG).proposal is None
    assert in_force(trained) == 2
