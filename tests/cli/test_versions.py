"""``tiebreak snapshot``, ``diff`` and ``export --version``: from imported files to a receipt, as typed."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from core.cli import main
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.versions import exporting
from core.services.versions.exporting import past_exports
from core.services.workspace import Workspace, open_workspace

Run = Callable[..., tuple[int, str, str]]
TREES = ("Elm", "Oak")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command on a workspace with two imported projects."""
    ws = open_workspace(tmp_path / "workspace")
    _leaves(ws, tmp_path / "leaves")
    _cars(ws, tmp_path / "cars")
    ws.store.close()
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def _leaves(ws: Workspace, folder: Path) -> None:
    """Import eight pictures with two questions answered, and a site each."""
    questions = (
        make_question("species", "Which tree?", TREES),
        make_question("state", "In what state?", ("dry", "wet")),
    )
    schema = LabelSchema(Task.CLASSIFICATION, questions)
    create_project(ws, operator(ws), NewProject("leaves", Task.CLASSIFICATION, schema=schema))
    folder.mkdir()
    lines = ["file,label,state,site"]
    for n in range(8):
        Image.new("RGB", (24, 16), (n * 30, 200 - 20 * n, 90)).save(folder / f"{n}.png")
        lines.append(f"{n}.png,{TREES[n % 2]},{('dry', 'wet')[n % 3 % 2]},s{n // 2}")
    (folder / "labels.csv").write_text("\n".join(lines))
    import_data(ws, operator(ws), "leaves", folder, ImportOptions("labels"))


def _cars(ws: Workspace, folder: Path) -> None:
    """Import six pictures with a plate each, as the lecture's first file has it."""
    create_project(ws, operator(ws), NewProject("cars", Task.BOXES, ("car", "plate")))
    folder.mkdir()
    lines = ["file,label,x1,y1,x2,y2"]
    for n in range(6):
        Image.new("RGB", (980, 551), (n * 40, 60, 200 - n * 9)).save(folder / f"{n}.jpg")
        lines.append(f"{n}.jpg,plate,{330 + n},321,{744 + n},386")
    (folder / "labels.csv").write_text("\n".join(lines))
    import_data(ws, operator(ws), "cars", folder, ImportOptions("labels"))


def relabel(tmp_path: Path, rows: str) -> None:
    """Import other labels of images that are there."""
    ws = open_workspace(tmp_path / "workspace")
    table = tmp_path / "leaves" / "again.csv"
    table.write_text(f"file,label,state\n{rows}")
    import_data(ws, operator(ws), "leaves", table, ImportOptions("labels"))
    ws.store.close()


def test_what_the_issue_shows_runs_from_end_to_end(run: Run, tmp_path: Path) -> None:
    """Two snapshots, what differs between them and why, and a COCO export that passes its receipt."""
    code, out, err = run("snapshot", "leaves", "--name", "v1", "--json")
    assert (code, err) == (0, "")
    first = json.loads(out)
    assert (first["version"], first["items"], len(first["hash"])) == ("v1", 8, 64)
    assert sum(first["splits"]["counts"].values()) == 8
    relabel(tmp_path, "0.png,Oak,dry\n")
    assert run("snapshot", "leaves", "--name", "v2", "--json")[0] == 0
    code, out, err = run("diff", "leaves", "v1", "v2", "--by", "site", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["added"], told["removed"], told["changed"], told["same"]) == (0, 0, 1, 7)
    [change] = told["changes"]
    assert (change["name"], change["before"][:3], change["after"][:3]) == ("0.png", "Elm", "Oak")
    assert told["causes"] == {change["cause"]: 1}
    assert next(s for s in told["slices"] if s["name"] == "s0")["relabelled"] == 1
    out_folder = tmp_path / "out"
    code, out, err = run(
        "export", "leaves", "--version", "v1", "--format", "coco", out_folder, "--json"
    )
    assert (code, err) == (0, "")
    doc = json.loads(out)
    assert doc["receipt"]["passed"]
    assert doc["rows"] == 8
    kept = json.loads((out_folder / "receipt.json").read_text())
    assert kept["hash"] == first["hash"]
    assert kept["classes"]["read"] == list(TREES)


@pytest.mark.parametrize("format", ["csv", "coco", "folder"])
def test_classes_of_images_leave_in_every_format_that_has_a_place(
    run: Run, tmp_path: Path, format: str
) -> None:
    """Each is read back, passes, says what it does not carry, and names every file's hash."""
    run("snapshot", "leaves", "--name", "v1", "--splits", "train=0.5,test=0.5", "--no-near")
    code, out, _ = run("export", "leaves", tmp_path / "out", "--version", "v1", "--format", format)
    assert code == 0, out
    receipt = json.loads((tmp_path / "out" / "receipt.json").read_text())
    assert receipt["loss"]
    # Only class folders have no place for the answers to further questions.
    assert bool(receipt["dropped"]) == (format == "folder")
    left_out = f"; left out: {' and '.join(receipt['dropped'])}" if receipt["dropped"] else ""
    assert f"Receipt: passed{left_out}." in out
    on_disk = {
        p.relative_to(tmp_path / "out").as_posix()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    assert on_disk == {*receipt["files"], "receipt.json"}
    if format == "folder":
        images = {p for p in on_disk if p.endswith(".png")}
        assert {p.split("/")[1] for p in images} == set(TREES)
        assert len(images) == 8


@pytest.mark.parametrize("format", ["csv", "coco", "voc", "yolo"])
def test_boxes_leave_in_every_format_that_has_a_place(
    run: Run, tmp_path: Path, format: str
) -> None:
    """The lecture's box has the shares it should have, in YOLO's line and in the receipt."""
    run("snapshot", "cars", "--name", "v1", "--splits", "train=0.5,test=0.5", "--no-near")
    code, out, _ = run(
        "export", "cars", tmp_path / "out", "--version", "v1", "--format", format, "--json"
    )
    assert code == 0, out
    receipt = json.loads(out)["receipt"]
    names = {c["name"] for c in receipt["checks"]}
    assert {"items", "regions", "coordinates", "counts"} <= names
    assert ("class order" in names) == (format != "csv")  # a table numbers no classes
    assert {s: c["plate"] for s, c in receipt["counts"].items()} == {"test": 3, "train": 3}
    if format == "yolo":
        assert "normalisation" in names
        line = (tmp_path / "out" / "labels" / "0.txt").read_text()
        assert line == "1 0.547959 0.641561 0.422449 0.117967\n"


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("", ("--format", "coco"), "needs a place to go to"),
        ("  ", ("--version", "v1"), "needs a place to go to"),
        ("x.csv", ("--format", "coco"), "would be taken for csv, 'coco' was asked for"),
        ("x.json", ("--version", "v1"), "would be taken for coco, 'csv' was asked for"),
    ],
)
def test_an_export_to_nowhere_or_under_a_wrong_ending_writes_nothing(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    out: str,
    more: Sequence[str],
    said: str,
) -> None:
    """One sentence, and the folder one is in stays as it was."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    code, told, err = run("export", "cars", out, *more)
    assert (code, told) == (1, "")
    assert said in err
    assert not list(here.iterdir())


def test_only_what_is_copied_is_said_to_be(run: Run, tmp_path: Path) -> None:
    """A table names its images: no step of copying them, no sentence on numbers of classes."""
    run("snapshot", "leaves", "--name", "v1", "--no-near")
    code, out, err = run("export", "leaves", tmp_path / "x.csv", "--version", "v1")
    assert code == 0, err
    assert "copying images" not in err
    assert "Images are not copied" in out
    assert "same number on both sides" not in out
    _code, out, err = run(
        "export", "leaves", tmp_path / "y", "--version", "v1", "--format", "folder"
    )
    assert "copying images" in err
    assert "not copied" not in out


def test_who_misses_the_name_is_told_what_there_is(run: Run) -> None:
    """An unknown project or model names those that can be chosen."""
    _code, _out, err = run("diff", "nowhere", "v1", "v2")
    assert "Choose one of: cars, leaves." in err


def test_a_format_without_a_place_is_refused_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    """One sentence and what to take instead; no folder is left behind."""
    run("snapshot", "leaves", "--name", "v1", "--no-near")
    run("snapshot", "cars", "--name", "v1", "--no-near")
    for project, format in (("leaves", "voc"), ("leaves", "yolo"), ("cars", "folder")):
        code, out, err = run(
            "export", project, tmp_path / "x", "--version", "v1", "--format", format
        )
        assert (code, out) == (1, "")
        assert err.startswith("error ")
        assert len(err.splitlines()) == 1
    code, _, err = run("diff", "leaves", "v1", "v7", "--json")
    assert code == 1
    assert "no dataset version 'v7'" in err
    assert not (tmp_path / "x").exists()


def test_an_image_changed_on_disk_fails_its_receipt(run: Run, tmp_path: Path) -> None:
    """Class folders copy images: one that is no longer what was labelled is named, and exit is 1."""
    run("snapshot", "leaves", "--name", "v1", "--no-near")
    stored = sorted((tmp_path / "workspace" / "images").rglob("*.png"))[0]
    stored.write_bytes(stored.read_bytes() + b"x")
    code, out, _ = run(
        "export", "leaves", tmp_path / "out", "--version", "v1", "--format", "folder", "--json"
    )
    assert code == 1
    receipt = json.loads(out)["receipt"]
    assert [c["name"] for c in receipt["checks"] if not c["passed"]] == ["images"]


def test_a_version_changed_on_disk_is_named_and_refused(run: Run, tmp_path: Path) -> None:
    """Its Parquet file is cut: neither compared nor exported, in one sentence each."""
    _, out, _ = run("snapshot", "leaves", "--name", "v1", "--no-near", "--json")
    file = Path(json.loads(out)["folder"]) / "labels.parquet"
    file.write_bytes(file.read_bytes()[:-7])
    for words in (
        ("diff", "leaves", "v1", "v1"),
        ("export", "leaves", tmp_path / "x", "--version", "v1", "--format", "csv"),
    ):
        code, _, err = run(*words)
        assert code == 1
        assert "was changed on disk" in err


def test_a_table_of_a_version_can_be_imported_again(run: Run, tmp_path: Path) -> None:
    """Its columns say split, people and policy; hostile text in metadata starts no formula."""
    run("snapshot", "leaves", "--name", "v1", "--no-near")
    code, _, err = run(
        "export", "leaves", tmp_path / "v1.csv", "--version", "v1", "--format", "csv"
    )
    assert code == 0, err
    with (tmp_path / "v1.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {"split", "labelled_by", "policy_version", "content_hash", "site"} <= rows[0].keys()
    assert {r["label"] for r in rows} == set(TREES)
    assert (tmp_path / "v1.csv.receipt.json").exists()


def test_an_export_cut_short_leaves_no_folder_and_an_earlier_one_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up leaves nothing under a new name, and an earlier export as it was."""
    run("snapshot", "leaves", "--name", "v1", "--no-near")
    words = ("export", "leaves", "--version", "v1", "--format", "coco")
    assert run(*words, tmp_path / "old")[0] == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "_digests", full)
        for name in ("old", "new"):
            code, _, err = run(*words, tmp_path / name)
            assert code == 1
            assert "could not be written" in err
    assert not (tmp_path / "new").exists()
    assert {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir()} == before
    assert run(*words, tmp_path / "new")[0] == 0
    assert not (tmp_path / "new.part").exists()


def test_an_export_over_the_workspace_itself_is_refused(run: Run, tmp_path: Path) -> None:
    """The record is no place for an export, nor for a report: either would have replaced it."""
    record = tmp_path / "workspace" / "tiebreak.db"
    for words in (
        ("export", "leaves", record),
        ("export", "leaves", record, "--format", "coco"),
        ("report", "leaves", "--out", record),
    ):
        code, _, err = run(*words)
        assert (code, err.count("\n")) == (1, 1)
        assert "keeps its own files" in err
    assert record.read_bytes()[:6] == b"SQLite"


def test_an_export_takes_the_place_of_an_earlier_one_in_the_same_folder(
    run: Run, tmp_path: Path
) -> None:
    """No image stays in the split it was in before, where it would leak; files of others stay."""
    out = tmp_path / "out"
    for version, seed in (("v1", "1"), ("v2", "2")):
        run("snapshot", "leaves", "--name", version, "--splits", "train=0.5,test=0.5", "--no-near",
            "--seed", seed)  # fmt: skip
        words = ("export", "leaves", out, "--version", version, "--format", "folder")
        assert run(*words)[0] == 0
        (out / "mine.txt").write_text("mine")
    images = [p.name for p in out.rglob("*.png")]
    assert sorted(images) == [f"{n}.png" for n in range(8)]
    assert (out / "mine.txt").exists()
    named = json.loads((out / "receipt.json").read_text())["files"]
    assert all((out / path).is_file() for path in named)


@pytest.mark.parametrize("moved", [False, True])
def test_an_export_that_cannot_be_put_in_its_place_leaves_no_receipt(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    """Neither in the record nor beside it, whether the disk was full before or after the move."""

    def full(part: Path, out: Path) -> None:
        if moved:
            part.rename(out)
        raise OSError(28, "No space left on device")

    run("snapshot", "leaves", "--name", "v1")
    monkeypatch.setattr(exporting, "settle", full)
    code, _, err = run("export", "leaves", tmp_path / "out", "--version", "v1", "--format", "coco")
    assert (code, "error DISK_FULL" in err, "Traceback" in err) == (1, True, False)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("out")]
    ws = open_workspace(tmp_path / "workspace")
    assert past_exports(ws, operator(ws), "leaves") == []
    ws.store.close()
