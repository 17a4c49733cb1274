"""prelabel --general from a terminal: what it says, and the sentences it refuses with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.access import Actor
from core.cli import main, models
from core.jobs.rows import Job
from core.services.models.general import GeneralOptions, queue_general
from core.services.models.worker import run_job
from core.services.workspace import Workspace
from tests.rigged import NAME, weights_that_see_people

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command on a project of two plain photos, in this process."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")

    def here(ws: Workspace, me: Actor, slug: str, name: str, options: GeneralOptions) -> Job:
        job = queue_general(ws, me, slug, name, options)
        run_job(ws, job.id)
        return job

    monkeypatch.setattr(models, "start_general", here)  # starts no process

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    (tmp_path / "photos").mkdir()
    for n in range(2):
        Image.new("RGB", (90, 60 + n), (90, 120, 60)).save(tmp_path / "photos" / f"{n}.png")
    assert call("init", "site", "--task", "boxes", "--classes", "worker,crane")[0] == 0
    assert call("import", "site", str(tmp_path / "photos"), "--as", "items")[0] == 0
    return call


def test_it_says_what_was_proposed_and_what_is_covered(run: Run, tmp_path: Path) -> None:
    """Counts, the mapping and the classes left out, in words and as one document; again adds nothing."""
    told = ("--general", NAME, "--as", "worker=person", "--weights")
    words = ("prelabel", "site", *told, str(weights_that_see_people(tmp_path)))
    code, out, err = run(*words)
    assert code == 0, err
    assert f"{NAME} looked at 2 items nobody has started and pre-labelled 2." in out
    assert "Covered: worker (person)." in out
    assert "Not covered: crane; name categories with --as." in out
    code, out, err = run(*words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["items"], found["unchanged"]) == (0, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--count", "5"), "are for a general model"),
        (("--general", NAME, "--model", "1"), "name two models"),
        (("--general", NAME, "--as", "worker"), "does not say which categories mean a class"),
        (("--general", NAME), "teach one on your own labels with tiebreak train"),
        (("--general", NAME, "--as", "worker=person"), "No weights of"),
        (("--general", "mobilenet_v2"), "this project needs a detector"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, options: tuple[str, ...], words: str) -> None:
    """One sentence, exit code 1."""
    code, out, err = run("prelabel", "site", *options)
    assert (code, out) == (1, "")
    assert words in " ".join(err.split())
