"""simulate, certify and audit from a terminal: the documents they print and the sentences they refuse with."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.cli import main
from core.services.certificates.campaign import get_campaign, open_campaign
from core.services.certificates.evidence import in_arm
from core.services.consensus.draws import Arm
from core.services.models.promotion import record_promotion
from tests.services.certificates.planted import Planted, answer, plant, teach

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def doc(result: tuple[int, str, str]) -> dict:
    """Return the one JSON document a command printed."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def colours(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project of ninety plain images in two colours, and a table of what they are."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    monkeypatch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "1")
    chance, lines = random.Random(0), ["file,label"]
    for name, red in (("sky", 30), ("sun", 220)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(45):
            shade = (red + i % 20, chance.randrange(80, 140), 250 - red - i // 2)
            Image.new("RGB", (32, 32), shade).save(tmp_path / "photos" / name / f"{name}{i}.png")
            lines.append(f"{name}/{name}{i}.png,{name}")
    doc(run("init", "colours", "--classes-from", str(tmp_path / "photos"), "--json"))
    doc(run("import", "colours", str(tmp_path / "photos"), "--as", "items", "--json"))
    table = tmp_path / "truth.csv"
    table.write_text("\n".join([*lines, "gone.png,sky", "sky/sky0.png,moon"]))
    return table


def test_simulate_prints_what_a_team_would_have_saved(run: Run, colours: Path) -> None:
    """The whole loop runs on embeddings of the project's own images; bad lines are told by number."""
    found = doc(
        run(
            "simulate", "colours", "--truth", str(colours), "--target-error", "0.2",
            "--confidence", "0.8", "--seeds", "1", "--json",
        )
    )  # fmt: skip
    assert found["seeds"] == len(found["runs"]) == 1
    assert 88 <= found["n"] <= 90
    assert 0 < found["human_share"] <= 1
    assert 0 <= found["auto_error"] <= found["auto_error_max"] <= 1
    assert found["final_accuracy"] >= 0.8
    assert [w["way"] for w in found["table"]] == [
        "manual", "automatic", "point threshold", "certificate",
    ]  # fmt: skip
    assert found["table"][0]["human_share"] == 1.0
    assert found["spending"][0] == pytest.approx(0.1)
    assert sum(found["spending"]) <= 0.2
    assert found["n_refused"] == 2
    assert "'gone.png' is the name of no image" in found["refused"][0]["reason"]
    assert "'moon' is no class" in found["refused"][1]["reason"]


def test_simulate_asks_for_the_hardest_where_told(run: Run, colours: Path) -> None:
    """With so few images the promise cannot be made, and nobody breaks it; an unknown mode is named."""
    words = ("simulate", "colours", "--truth", str(colours), "--seeds", "1", "--json", "--mode")
    found = doc(run(*words, "hard-first"))
    assert found["mode"] == "hard-first"
    assert found["runs_over_target"] == 0
    assert found["runs"][0]["labelled"] == found["labels"] > 9
    code, _, err = run(*words, "guess")
    assert code == 1
    assert "mode is probe, hard-first, fine-tune, found 'guess'" in err


def test_simulate_needs_known_labels(run: Run, colours: Path) -> None:
    """Without a table and without labels it says what to bring; a table of others is refused."""
    code, _out, err = run("simulate", "colours", "--seeds", "1")
    assert code == 1
    assert "needs 50 images or more with known labels" in err
    colours.write_text("file,label\nx.png,cat\n")
    code, _out, err = run("simulate", "colours", "--truth", str(colours))
    assert code == 1
    assert "No line of truth.csv" in err
    code, _out, err = run("simulate", "colours", "--target-error", "0")
    assert code == 1
    assert "target error" in err


@pytest.fixture
def planted(sqlite_ws, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Give a project with a promoted model, in a workspace the commands open too."""
    made = plant(sqlite_ws)
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(sqlite_ws.root))
    answer(made, made.of_use("train")[:60])
    model = teach(made)
    with made.ws.store.write() as connection:  # no image lies behind it that could be served
        record_promotion(
            connection, made.world.project.id, model, "first", made.world.cast.lead, made.ws.clock()
        )
    return made


def test_certify_refuses_then_accepts_then_the_audit_shows(run: Run, planted: Planted) -> None:
    """A refusal is an outcome; with enough checked items the labels count, and the audit lists them."""
    first = doc(run("certify", "pets", "--target-error", "0.1", "--json"))
    assert (first["outcome"], first["accepted"]) == ("refused", 0)
    assert first["needs"] > 20
    assert "label about" in first["sentence"]
    with planted.ws.store.read() as connection:
        order = in_arm(connection, planted.world.project.id, Arm.CERTIFY)
    answer(planted, order[:150])
    done = doc(run("certify", "pets", "--accept", "--json"))  # the campaign in force
    assert (done["outcome"], done["look"]) == ("certified", 2)
    assert done["accepted_now"] == done["accepted"] > 200
    assert done["withheld"] > 0
    assert done["delta_left"] == pytest.approx(0.1 - first["delta_spent"] - done["delta_spent"])
    shown = doc(run("audit", "pets", "--draw", "5", "--json"))
    assert shown["drawn"] == 5
    assert shown["revoked"] == []
    assert shown["rows"][0]["standing"] == done["accepted"] - 5


def test_a_looser_target_is_told_to_be_a_new_campaign(run: Run, planted: Planted) -> None:
    """Raising the target after a look ends the old promise, and the command says so."""
    doc(run("certify", "pets", "--target-error", "0.02", "--json"))
    found = doc(run("certify", "pets", "--target-error", "0.05", "--json"))
    assert "raised from 2 % to 5 % after a look" in found["notice"]
    assert found["look"] == 1


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--count", "0", "'--count' is 1 or more"),
        ("--model", "99", "no model 99"),
        ("--confidence", "1", "confidence lies between"),
        ("--scope", "slices:nowhere", "metadata column 'nowhere'"),
        ("--target-error", "nan", "target error lies between"),
    ],
)
def test_what_is_refused_ends_no_promise(run: Run, planted: Planted, option, value, words) -> None:
    """Asked for together with a new target: one sentence, and the promise in force stands."""
    ws, lead = planted.ws, planted.world.cast.lead
    open_campaign(ws, lead, "pets", 0.02, 0.1, reason="first")
    asked = [] if option == "--target-error" else ["--target-error", "0.08"]
    code, _out, err = run("certify", "pets", *asked, option, value)
    assert code == 1
    assert words in err
    found = get_campaign(ws, lead, "pets")
    assert found is not None
    assert (found.target, found.looks) == (0.02, 0)


def test_certify_without_a_model_says_what_to_do(run: Run, sqlite_ws, monkeypatch) -> None:
    """No model, no traceback: one sentence and exit code 1."""
    plant(sqlite_ws, 30)
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(sqlite_ws.root))
    code, _out, err = run("certify", "pets")
    assert code == 1
    assert "no promoted model" in err
    code, out, _err = run("audit", "pets")
    assert code == 0
    assert "Nothing was accepted yet." in out
