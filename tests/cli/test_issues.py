"""``tiebreak issues``: one document, a list for people, its filters and what it says when it cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from core.cli import main
from core.consensus.policy import Policy
from core.services.workspace import open_workspace
from tests.record import CLASSES, make_world, vote
from tests.services.issues.test_issues import WRONG, N, embed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    """Give a workspace of labelled items, one of them wrong, and the number of that one."""
    folder = tmp_path_factory.mktemp("issues-cli") / "workspace"
    ws = open_workspace(folder)
    world = make_world(ws, N, policy=Policy(overlap=1))
    for n, item in enumerate(world.items):
        vote(world, world.cast.experts[0], item, CLASSES[(n + (n == WRONG)) % 3])
    embed(world)
    ws.store.close()
    return str(folder), world.items[WRONG]


@pytest.fixture
def run(
    place: tuple[str, int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Give a function that runs the command there."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", place[0])

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", "issues", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_one_document_has_every_suspicion_with_its_reason(run: Run, place: tuple[str, int]) -> None:
    """The wrong label leads; every row has what the issue asks for, and counts say of how many."""
    code, out, err = run("pets", "--json")
    assert (code, err) == (0, "")
    doc = json.loads(out)
    first = doc["issues"][0]
    assert (first["item"], first["kind"]) == (place[1], "label")
    assert {"file", "label", "suggested", "score", "reason", "others", "state"} <= first.keys()
    assert all(0 <= row["score"] <= 1 and row["reason"] for row in doc["issues"])
    assert doc["total"] == len(doc["issues"]) == sum(doc["kinds"].values())
    assert (doc["n"], doc["images"]) == (N, N)
    assert "out of fold" in doc["probabilities"]


def test_people_read_a_list_and_may_ask_for_less(run: Run) -> None:
    """A line a suspicion; by kind, by class, and at most so many."""
    code, out, _ = run("pets")
    assert code == 0
    assert f"on {N} labelled items of {N}" in out
    _, out, _ = run("pets", "--kind", "duplicate", "--json")
    rows = json.loads(out)["issues"]
    assert [(r["kind"], len(r["others"])) for r in rows] == [("duplicate", 1)]
    _, out, _ = run("pets", "--limit", "1", "--json")
    doc = json.loads(out)
    assert len(doc["issues"]) == 1 <= doc["total"]
    _, out, _ = run("pets", "--label", "no such class", "--json")
    assert json.loads(out)["issues"] == []


def test_what_is_printed_and_what_is_left_add_up(run: Run) -> None:
    """With a limit the rest is counted from the rows printed; the count of wrong ones has its interval."""
    total = json.loads(run("pets", "--json")[1])["total"]
    assert total > 1
    _, out, _ = run("pets", "--limit", "1")
    assert f"… and {total - 1} more" in out
    assert "more;" not in run("pets")[1]
    _, out, _ = run("pets", "--json")
    doc = json.loads(out)
    assert doc["labelled"] == doc["n"] == N
    assert doc["expected_wrong_low"] < doc["expected_wrong"] < doc["expected_wrong_high"]


@pytest.mark.parametrize(
    ("words", "code"), [(("nowhere",), 1), (("pets", "--kind", "mood"), 2), (("pets", "--limit", "0"), 2)]
)  # fmt: skip
def test_what_cannot_be_asked_is_said(run: Run, words: tuple[str, ...], code: int) -> None:
    """An unknown project ends with 1 and a sentence, wrong usage with 2; nothing on stdout."""
    found, out, err = run(*words, "--json")
    assert (found, out) == (code, "")
    assert err
    assert "Traceback" not in err
