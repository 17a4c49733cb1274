"""The command line: documents it prints, sentences it fails with, exit codes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command on a workspace of this test's own."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Give a folder of two classes with three images each."""
    root = tmp_path / "photos"
    for c, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (40, 30), (80 * c, 40 * i, 90)).save(root / name / f"{i}.png")
    return root


def doc(result: tuple[int, str, str]) -> dict:
    """Return the one JSON document a command printed."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def test_init_import_export_round_trip(run: Run, photos: Path, tmp_path: Path) -> None:
    """Class folders go in as labels and come out as a table that names the same."""
    made = doc(run("init", "pets", "--classes-from", str(photos), "--json"))
    assert made["classes"] == ["cat", "dog"]
    first = doc(run("import", "pets", str(photos), "--as", "labels", "--json"))
    assert (first["items"], first["labels"], first["refused"]) == (6, 6, [])
    again = doc(run("import", "pets", str(photos), "--as", "labels", "--json"))
    assert (again["items"], again["labels"], again["unchanged"]) == (0, 0, 6)
    out = tmp_path / "out.csv"
    assert doc(run("export", "pets", str(out), "--json"))["rows"] == 6
    rows = list(csv.DictReader(out.open()))
    assert {(r["file"], r["label"]) for r in rows} == {
        (f"{c}/{i}.png", c) for c in ("cat", "dog") for i in range(3)
    }


def test_items_bring_no_labels(run: Run, photos: Path) -> None:
    """With --as items, class folders leave no label."""
    run("init", "pets", "--classes-from", str(photos))
    report = doc(
        run("import", "pets", str(photos), "--format", "folder", "--as", "items", "--json")
    )
    assert (report["items"], report["labels"]) == (6, 0)
    figures = doc(run("stats", "pets", "--json"))
    assert (figures["items"], figures["final"], figures["states"]) == (6, 0, {"open": 6})


def test_a_table_names_items_that_are_there(run: Run, photos: Path, tmp_path: Path) -> None:
    """A table elsewhere gives labels to items by their name; unknown names are refused by line."""
    run("init", "pets", "--classes-from", str(photos))
    run("import", "pets", str(photos), "--as", "items")
    table = tmp_path / "elsewhere" / "labels.csv"
    table.parent.mkdir()
    table.write_text("file,label\ncat/0.png,cat\ndog/9.png,dog\ndog/1.png,bird\n")
    report = doc(run("import", "pets", str(table), "--format", "csv", "--as", "labels", "--json"))
    assert report["labels"] == 1
    assert [(r["file"], r["line"]) for r in report["refused"]] == [
        ("labels.csv", 3),
        ("labels.csv", 4),
    ]


def test_votes_settle_and_resolve_changes_nothing(run: Run, photos: Path, tmp_path: Path) -> None:
    """Imported votes are settled by the policy; resolving again finds nothing to change."""
    run("init", "pets", "--classes-from", str(photos))
    run("import", "pets", str(photos), "--as", "items")
    table = tmp_path / "votes.csv"
    table.write_text(
        "file,label,annotator,seconds\ncat/0.png,cat,ann,2\ncat/0.png,cat,bob,3\n"
        "dog/0.png,dog,ann,2\ndog/0.png,cat,bob,4\n"
    )
    assert doc(run("import", "pets", str(table), "--as", "votes", "--json"))["votes"] == 4
    done = doc(run("resolve", "pets", "--json"))
    assert (done["changed"], done["states"]) == (0, {"agreed": 1, "open": 5})


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stats", "nothing"), 1, "error NOT_FOUND: "),
        (("import", "nothing", "/no/such/folder"), 1, "error NOT_FOUND: "),
        (("init", "Bad Name", "--classes", "a,b"), 1, "error INPUT: "),
        (("init", "empty"), 1, "error INPUT: "),
        (("user", "add", "ann", "--role", "king"), 1, "error INPUT: "),
        (("export", "nothing", "x.csv"), 1, "error NOT_FOUND: "),
        (("fly",), 2, "No such command"),
        (("stats",), 2, "Missing argument"),
        (("init", "x", "--task", "guess"), 2, "guess"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else None,
)
def test_failures_are_one_sentence_and_a_code(
    run: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    """A failure prints its code and sentence on standard error, never a traceback."""
    found, out, err = run(*words)
    assert found == code
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_training_needs_labels(run: Run, photos: Path) -> None:
    """Training without labels says how many are needed and how many there are."""
    run("init", "pets", "--classes-from", str(photos))
    run("import", "pets", str(photos), "--as", "items")
    code, _, err = run("train", "pets")
    assert code == 1
    assert "at least two classes, found 0" in err


def test_an_account_from_the_command_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is added with a role for one project; a short password is refused."""
    run("init", "pets", "--classes", "cat,dog")
    monkeypatch.setenv("TIEBREAK_PASSWORD", "short")
    assert run("user", "add", "ann")[0] == 1
    monkeypatch.setenv("TIEBREAK_PASSWORD", "a long enough password")
    assert doc(run("user", "add", "ann", "--role", "lead:pets", "--json"))["roles"] == [
        ["lead", "pets"]
    ]
    people = doc(run("user", "list", "--json"))["people"]
    assert [p["name"] for p in people if p["has_password"]] == ["ann"]


def test_a_mistyped_workspace_is_no_empty_one(run: Run, tmp_path: Path) -> None:
    """Looking at a workspace that is not there says so and makes none."""
    code, _, err = run("doctor", "--workspace", str(tmp_path / "typo"))
    assert code == 1
    assert "There is no workspace" in err
    assert not (tmp_path / "typo").exists()


def test_many_refusals_are_counted_by_reason(run: Run, photos: Path, tmp_path: Path) -> None:
    """A table with a thousand rows of one fault gives ten lines and a count."""
    run("init", "pets", "--classes-from", str(photos))
    run("import", "pets", str(photos), "--as", "items")
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n" + "cat/0.png,bird\n" * 1000)
    code, out, _ = run("import", "pets", str(table), "--as", "labels")
    assert code == 0
    assert len(out.splitlines()) < 20
    assert "Refused in all: 1,000" in out


def test_classes_come_from_a_table_too(run: Run, photos: Path, tmp_path: Path) -> None:
    """An annotation file gives the classes it uses."""
    table = tmp_path / "labels.csv"
    table.write_text("file,label\ncat/0.png,cat\ndog/1.png,dog\n")
    made = doc(run("init", "pets", "--classes-from", str(table), "--json"))
    assert made["classes"] == ["cat", "dog"]


def test_the_doctor_finds_a_lost_image(run: Run, photos: Path, tmp_path: Path) -> None:
    """A healthy workspace is well; one whose image file is gone is not, and says which."""
    run("init", "pets", "--classes-from", str(photos))
    run("import", "pets", str(photos), "--as", "items")
    assert doc(run("doctor", "--json"))["ok"]
    next((tmp_path / "workspace" / "images").rglob("*.png")).unlink()
    code, out, _ = run("doctor", "--json")
    assert code == 1
    assert [c["what"] for c in json.loads(out)["checks"] if not c["ok"]] == ["images"]


def test_it_runs_as_a_module_and_prints_no_traceback(tmp_path: Path) -> None:
    """`python -m core.cli` on a place that cannot be a workspace fails with a sentence."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = subprocess.run(
        [
            sys.executable, "-m", "core.cli", "init", "pets", "--classes", "cat,dog",
            "--workspace", str(blocked / "ws"),
        ],
        capture_output=True, text=True, check=False,
        env={**os.environ, "TIEBREAK_WORKSPACE": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error STORE_UNAVAILABLE: ")


def test_projects_of_every_shape_are_made(run: Run, tmp_path: Path) -> None:
    """With a skeleton, questions about regions and questions of several answers."""
    bones = tmp_path / "bones.json"
    bones.write_text('{"points": ["head", "hand"], "edges": [[0, 1]]}')
    about = ("--attribute", "severity=low,high", "--question", "tags=a,b", "--several", "tags")
    for task in ("boxes", "polygons", "masks"):
        made = doc(run("init", task, "--task", task, "--classes", "cat,dog", *about, "--json"))
        assert made["task"] == task
    words = ("init", "poses", "--task", "keypoints", "--classes", "cat", "--json")
    made = doc(run(*words, "--skeleton", str(bones)))
    assert made["task"] == "keypoints"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "keypoints", "--classes", "cat"), "needs the names of its points"),
        (("--task", "boxes", "--classes", "cat", "--several", "label"), "No question"),
        (("--classes", "cat", "--several", "tags"), "No question about the item is called tags"),
        (("--classes", "cat", "--attribute", "severity=low"), "regions are drawn"),
        (("--task", "keypoints", "--classes", "c", "--skeleton", "BAD"), "holds no skeleton"),
        (("--task", "keypoints", "--classes", "c", "--skeleton", "EDGE"), "joins points 0 and 7"),
        (("--task", "keypoints", "--classes", "c", "--skeleton", "GONE"), "holds no skeleton"),
    ],
)
def test_a_project_of_shapes_that_will_not_do_is_refused(
    run: Run, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """One sentence, nothing made."""
    (tmp_path / "BAD").write_text('{"points": 7}')
    (tmp_path / "EDGE").write_text('{"points": ["a", "b"], "edges": [[0, 7]]}')
    paths = ("BAD", "EDGE", "GONE")
    told = [str(tmp_path / w) if w in paths else w for w in words]
    code, _out, err = run("init", "shapes", *told)
    assert code == 1
    assert said in err


def test_an_export_to_no_folder_is_no_full_disk(run: Run, tmp_path: Path) -> None:
    """The code says that the name is wrong; a disk without space is told as that."""
    run("init", "pets", "--classes", "cat,dog")
    (tmp_path / "file").write_text("kept")
    code, _, err = run("export", "pets", str(tmp_path / "file" / "x.csv"))
    assert (code, err.startswith("error INPUT: "), "could not be written" in err) == (1, True, True)
    assert (tmp_path / "file").read_text() == "kept"
