"""`tiebreak resolve`: another policy from a file, tried out or put in force."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.cli import main

Run = Callable[..., tuple[int, str, str]]
SAID = {
    "0.png": ("cat", "cat", "cat"),
    "1.png": ("cat", "cat", "dog"),
    "2.png": ("dog", "dog", "dog"),
    "3.png": ("dog", "cat", "dog"),
}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command on a project with four items and three votes each."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(4):
        Image.new("RGB", (40, 30), (60, 40 * i, 90)).save(photos / f"{i}.png")
    table = tmp_path / "votes.csv"
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "label", "annotator"])
        rows.writerows(
            (f, label, f"p{i}") for f, said in SAID.items() for i, label in enumerate(said)
        )
    for words in (
        ("init", "pets", "--classes", "cat,dog"),
        ("import", "pets", str(photos), "--as", "items"),
        ("import", "pets", str(table), "--as", "votes"),
    ):
        assert call(*words)[0] == 0
    return call


def policy(tmp_path: Path, text: str) -> str:
    """Write a policy document and return its path."""
    path = tmp_path / "policy.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_dry_run_says_what_would_change_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    """Sending every difference to a lead puts two items before one; the labels stay as they are."""
    path = policy(tmp_path, '{"overlap": 3, "on_disagreement": "lead"}')
    code, out, err = run("resolve", "pets", "--policy", path, "--dry-run", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["items"], found["changed"], found["reopened"]) == (4, 2, 0)
    assert (found["new_disputes"], found["settled"]) == (2, 0)
    assert found["before"] == {"agreed": 4}
    assert found["after"] == {"agreed": 2, "dispute": 2}
    now = json.loads(run("resolve", "pets", "--json")[1])
    assert (now["changed"], now["states"]) == (0, {"agreed": 4})


def test_a_policy_is_put_in_force_with_a_reason(run: Run, tmp_path: Path) -> None:
    """Without a reason nothing changes; with one the labels are those the dry run told."""
    path = policy(tmp_path, '{"overlap": 3, "on_disagreement": "lead"}')
    code, _, err = run("resolve", "pets", "--policy", path)
    assert (code, "reason" in err) == (1, True)
    code, out, err = run("resolve", "pets", "--reason", "careful", "--json")
    flat = " ".join(err.replace("│", " ").split())
    assert (code, out, "name that with --policy" in flat) == (2, "", True)
    code, out, err = run("resolve", "pets", "--policy", path, "--reason", "careful", "--json")
    assert code == 0, err
    done = json.loads(out)
    assert (done["changed"], done["states"]) == (2, {"agreed": 2, "dispute": 2})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"overlop": 2}',
        '{"overlap": NaN}',
        '{"quorum": 1e999}',
        "[" * 50_000,
        "\x00",
        '{"overlap": 2, "overlap": 3}',
        '{"overlap": "two"}',
        '{"stop": "soon"}',
        '{"model_votes": 1}',
    ],
    ids=[
        "empty",
        "list",
        "unknown",
        "nan",
        "infinite",
        "deep",
        "nul",
        "twice",
        "text",
        "choice",
        "one",
    ],
)
def test_a_file_that_is_no_policy_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    """Plain words, none of Python's lists or names of types, and no traceback."""
    code, _, err = run("resolve", "pets", "--policy", policy(tmp_path, text), "--dry-run")
    assert code == 1
    assert err.startswith("error INPUT: ")
    assert not [w for w in ("Traceback", "['", " int", "bool", "str", "None") if w in err], err


def test_fields_left_out_stay_as_in_force(run: Run, tmp_path: Path) -> None:
    """An empty file changes nothing; each field named is told, with the policy all make together."""
    strict = policy(tmp_path, '{"overlap": 3, "on_disagreement": "lead"}')
    assert run("resolve", "pets", "--policy", strict, "--reason", "careful")[0] == 0
    nothing = policy(tmp_path, "{}")
    found = json.loads(run("resolve", "pets", "--policy", nothing, "--dry-run", "--json")[1])
    assert (found["changed"], found["policy"]["fields"], found["policy"]["changes"]) == (0, [], [])
    out = run("resolve", "pets", "--policy", nothing, "--reason", "why not")[1]
    assert "names no field" in out
    assert "without a new version" in out
    loose = policy(tmp_path, '{"on_disagreement": "third-vote"}')
    found = json.loads(run("resolve", "pets", "--policy", loose, "--dry-run", "--json")[1])
    told = found["policy"]
    assert (told["document"]["overlap"], told["kept_from_version"]) == (3, 2)
    assert told["fields"] == ["on_disagreement"]
    assert told["changes"] == ["when votes differ: lead → third-vote"]
    out = run("resolve", "pets", "--policy", loose, "--dry-run")[1]
    assert "Taken from the file: on_disagreement; all other fields as in the policy in force" in out
    assert "The policy: 3 people vote on each item." in out
    many = policy(tmp_path, '{"overlap": 5, "on_disagreement": "third-vote"}')
    code, _, err = run("resolve", "pets", "--policy", many, "--dry-run")
    assert (code, "What the file leaves out stays" in err) == (1, True)


def test_a_refusal_says_what_to_do_next(run: Run, tmp_path: Path) -> None:
    """A value of the wrong kind points to the table of fields, an unknown field names those there are."""
    for text, says in (
        ('{"overlap": "two"}', "docs/consensus.md"),
        ('{"x": 1}', "fields are: overlap,"),
    ):
        err = run("resolve", "pets", "--policy", policy(tmp_path, text), "--dry-run")[2]
        assert (says in err, "leaves out" in err) == (True, False)


def test_a_column_no_item_has_is_said(run: Run, tmp_path: Path) -> None:
    """A rule about who may vote that can touch nobody is told beside what the policy does."""
    table = tmp_path / "more.csv"
    table.write_text("file,by\n0.png,mia\n", encoding="utf-8")
    assert run("import", "pets", str(table), "--as", "items")[0] == 0
    for column, said in (("by", 0), ("photographer", 1), ("mia", 1)):
        path = policy(tmp_path, json.dumps({"conflict_column": column}))
        code, out, err = run("resolve", "pets", "--policy", path, "--dry-run", "--json")
        assert code == 0, err
        notes = json.loads(out)["policy"]["notes"]
        assert len(notes) == said
        assert all(f"metadata column '{column}'" in note for note in notes)


def test_a_folder_or_bytes_are_no_policy(run: Run, tmp_path: Path) -> None:
    """What cannot be read as text is refused by name."""
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{}")
    (tmp_path / "huge.json").write_bytes(b" " * 1_000_001)
    for name, says in (
        ("", "is a directory"),
        ("bytes.json", "cannot be read as text"),
        ("absent.json", "no such file"),
        ("huge.json", "larger than 1 MB"),
    ):
        code, out, err = run(
            "resolve", "pets", "--policy", str(tmp_path / name), "--dry-run", "--json"
        )
        assert (code, out, err.startswith("error INPUT: ")) == (1, "", True)
        assert says in err
