"""``tiebreak bias``: against a reference, the guideline's rules, and what it says when it cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.cli import main
from core.services.analytics.replicas import forget_replicas
from core.services.steering.rules import set_guideline
from core.services.workspace import open_workspace
from tests.record import make_world
from tests.services.bias.test_selection import keep_measures
from tests.worked import describe

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Give a function that runs the command on pictures of which forty are dark and at dusk."""
    ws = open_workspace(tmp_path / "workspace")
    world = make_world(ws, n_items=120)
    describe(ws, world.project, {
        i: {"light": "dusk" if n < 40 else "sun", "camera": "AB"[n % 2]}
        for n, i in enumerate(world.items)
    })  # fmt: skip
    keep_measures(ws, world.project, np.where(np.arange(120) < 40, 30.0, 90.0) + np.arange(120) % 7)
    text = "```rules\nbrightness at least 40\nlight over 9000\n```"
    set_guideline(ws, world.cast.lead, world.slug, text, "rules")
    ws.store.close()
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", "bias", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield call
    forget_replicas()


def test_dusk_is_told_as_darker(run: Run) -> None:
    """One document with selection, detector and sizes; brightness differs and camera does not."""
    code, out, err = run("pets", "--against", "light=dusk", "--json")
    assert code == 0, err
    doc = json.loads(out)
    columns = {c["column"]: c for c in doc["selection"]["columns"]}
    assert columns["brightness"]["differs"]
    assert columns["brightness"]["reference_median"] < columns["brightness"]["median"]
    assert not columns["camera"]["differs"]
    assert {"n", "value", "low", "high"} <= columns["camera"]["total_variation"].keys()
    assert doc["selection"]["holes"]
    assert doc["too_clean"]["told_apart"]
    assert doc["too_clean"]["tells"][0]["property"] == "brightness"
    assert doc["too_clean"]["frames_to_add"]["value"] > 0
    assert doc["sizes"]["classes"] == []
    code, out, _ = run("pets", "--against", "light=dusk")
    assert code == 0
    assert "more would give the same share" in out
    assert "A classifier on measured properties tells" in out


def test_rules_are_measured(run: Run) -> None:
    """Every rule with its count, share and interval; a line that is none is named."""
    code, out, err = run("pets", "--rules", "--json")
    assert code == 0, err
    doc = json.loads(out)
    (rule,) = doc["rules"]
    assert (rule["line"], rule["broken"], rule["measured"]) == (2, 40, 120)
    assert rule["share"]["low"] < 1 / 3 < rule["share"]["high"]
    assert len(rule["violations"]) == 40
    assert rule["violations"][0]["value"] < rule["violations"][0]["limit"] == 40
    assert doc["refused"][0]["line"] == 3
    code, out, _ = run("pets", "--rules")
    assert "line 2: brightness at least 40: 40 of 120 beyond, 33.3 %" in out


def test_measurement_and_confirmation_answer_without_data(run: Run) -> None:
    """Where nobody has said anything both say so, and their documents hold nothing made up."""
    code, out, err = run("pets", "--measurement", "--json")
    assert code == 0, err
    assert json.loads(out)["effects"] == []
    code, out, err = run("pets", "--confirmation", "--json")
    assert code == 0, err
    doc = json.loads(out)
    assert (doc["tested"], doc["groups"], doc["n"]) == (0, [], 0)
    for flag in ("--measurement", "--confirmation"):
        code, out, _ = run("pets", flag)
        assert code == 0
        assert "Not enough data" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Either name what to compare with"),
        (("--rules", "--against", "light=sun"), "Either name what to compare with"),
        (("--measurement", "--confirmation"), "Either name what to compare with"),
        (("--measurement", "--column", "weather"), "There are: camera, light"),
        (("--against", "light=mars"), "No item of 'pets' has light=mars"),
        (("--against", "nowhere"), "There is no project 'nowhere'"),
        (("--against", "light=dusk", "--share", "7"), "lies between 0 and 1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, words: tuple[str, ...], said: str) -> None:
    """Exit 1 and a plain sentence."""
    code, out, err = run("pets", *words)
    assert (code, out) == (1, "")
    assert said in err
