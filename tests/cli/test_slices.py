"""``tiebreak slices``: the document, the table and what it says when it cannot."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.cli import main
from core.services.analytics.replicas import forget_replicas
from core.services.workspace import open_workspace
from tests.record import make_world
from tests.worked import describe, know, predict

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Give a function that runs a command on a workspace whose model fails under camera C at dusk."""
    ws = open_workspace(tmp_path / "workspace")
    world = make_world(ws, n_items=240)
    where = {
        i: {"camera": "ABC"[n % 3], "light": ("sun", "dusk")[n // 3 % 2]}
        for n, i in enumerate(world.items)
    }
    know(ws, world.project, dict.fromkeys(world.items, "cat"))
    describe(ws, world.project, where)
    bad = {"camera": "C", "light": "dusk"}
    predict(ws, world.project, {
        i: "dog" if (doc == bad and i % 4) or i % 20 == 0 else "cat" for i, doc in where.items()
    })  # fmt: skip
    ws.store.close()
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", "slices", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield call
    forget_replicas()


def test_the_planted_bias_is_the_first_row_of_one_document(run: Run) -> None:
    """Every row has what the issue asks for; the planted pair leads, measured or not."""
    code, out, err = run("pets", "--by", "camera,light", "--metric", "accuracy", "--json")
    assert code == 0, err
    rows = json.loads(out)["slices"]
    assert rows[0]["slice"] == "camera=C, light=dusk"
    wanted = {"slice", "n", "value", "low", "high", "gap", "adjusted_p", "shrunken"}
    assert all(wanted <= row.keys() for row in rows)
    assert rows[0]["adjusted_p"] < 0.001
    assert rows[0]["low"] < rows[0]["value"] < rows[0]["high"]
    assert rows[0]["value"] < rows[0]["shrunken"]
    code, out, err = run("pets", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["slices"][0]["slice"] == "camera=C, light=dusk"
    assert found["unmeasured"] == 240  # their files are not there; said, and no error


def test_people_read_a_table(run: Run) -> None:
    """Without --json there is a line a slice, with n, interval and adjusted p."""
    code, out, _ = run("pets", "--by", "camera,light")
    assert code == 0
    assert "accuracy, model against gold" in out
    assert out.splitlines()[2].startswith("camera=C, light=dusk")
    assert "<0.001" in out
    tested, pruned = (
        int(re.search(p, out)[1]) for p in (r"(\d+) slices compared", r"(\d+) of the \d+ comp")
    )
    assert pruned > 0
    rows = sum(
        "adj" not in line and re.match(r"(camera|light)=", line) is not None
        for line in out.splitlines()
    )
    assert rows + pruned == tested, "what is compared is printed, or said to be left out"
    _, out, _ = run("pets", "--by", "camera,light", "--top", "1")
    assert f"… and {rows - 1} more" in out


def test_what_is_unknown_is_said_in_one_sentence(run: Run) -> None:
    """A column, a figure or a project that is not there ends with 1 and a sentence."""
    for words, said in (
        (("pets", "--by", "weather"), "no column 'weather'"),
        (("pets", "--metric", "beauty"), "no figure 'beauty'"),
        (("pigs",), "pigs"),
    ):
        code, out, err = run(*words)
        assert (code, out) == (1, "")
        assert err.startswith("error ")
        assert said in err
