"""Nonsense asked of the figures: by the terminal, by addresses, by metadata that is no text."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from core.services.analytics.replicas import forget_replicas
from core.services.workspace import open_workspace
from core.store.tables import item_metadata
from core.ui.zones import day_ends
from tests.pages.browser import Visit, words
from tests.pages.conftest import furnished, house
from tests.pages.house import House
from tests.record import make_world, vote

__all__ = ["furnished", "house"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Give a function that runs a command on six agreed items whose metadata is anything but text."""
    ws = open_workspace(tmp_path / "workspace")
    world = make_world(ws)
    for item in world.items:
        for expert in world.cast.experts[:2]:
            vote(world, expert, item)
    odd: list[Any] = [1, 2.5, True, None, ["a"], "=1+1"]
    rows = [
        {"project_id": world.project.id, "item_id": i, "batch_id": None, "at": ws.clock(),
         "doc": json.dumps({"odd": value, "=h": "\u202ex"})}
        for i, value in zip(world.items, odd, strict=True)
    ]  # fmt: skip
    with ws.store.write() as connection:
        connection.execute(item_metadata.insert(), rows)
    ws.store.close()
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "workspace"))

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield call
    forget_replicas()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ("snapshot", "pets", "--name", "x" * 3000),
            "at most 80 signs that can be read, found 3000",
        ),
        (("snapshot", "pets", "--name", "a\u202eb"), "found 3: 'a\ufffdb'; nothing was frozen"),
        (("snapshot", "pets", "--splits", "x" * 300 + "=1"), "letters and digits, at most 40"),
        (("snapshot", "pets", "--splits", "train=nan"), "add up to nan, expected 1"),
        (("report", "pets", "--json", "--tz", "localtime"), "no time zone 'localtime'"),
        (("report", "pets", "--json", "--tz", "right/UTC"), "no time zone 'right/UTC'"),
        (("report", "pets", "--json", "--tz", "Mars\nBase" * 400), "no time zone 'Mars BaseMars"),
        (("report", "pets", "--json", "--week", "2026-W99"), "'2026-W99' is no week"),
    ],
)
def test_nonsense_typed_is_one_sentence(run: Run, args: tuple[str, ...], says: str) -> None:
    """What, expected against found, and what to do; no fault of ours, nothing frozen."""
    code, out, err = run(*args)
    assert (code, out) == (1, "")
    assert says in err
    assert "UNEXPECTED" not in err
    assert len(err.splitlines()) == 1
    assert len(err) < 400


def test_metadata_that_is_no_text_leaves_with_its_version(run: Run, tmp_path: Path) -> None:
    """Numbers, lists and nothing at all are written as JSON has them; formulas are defused."""
    assert run("snapshot", "pets", "--name", "v1")[0] == 0
    table = tmp_path / "v1.csv"
    code, _, err = run("export", "pets", str(table), "--version", "v1", "--format", "csv")
    assert code == 0, err
    with table.open(newline="", encoding="utf-8") as file:
        told = {row["odd"] for row in csv.DictReader(file)}
    assert told == {"1", "2.5", "true", "null", '["a"]', "'=1+1"}


def test_a_report_that_cannot_be_finished_leaves_the_old_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up half way costs nothing that was there, and leaves nothing half done."""
    page = tmp_path / "report.html"
    page.write_text("last week's")

    def full(handle: int) -> None:
        os.ftruncate(handle, 9)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.services.transfer.places.os.fsync", full)
    code, _, err = run("report", "pets", "--out", str(page))
    assert code == 1
    assert "No space left on device" in err
    assert page.read_bytes() == b"last week's"
    assert [p.name for p in tmp_path.glob("report*")] == ["report.html"]


@pytest.mark.parametrize(
    ("page", "view", "mark"),
    [
        ("throughput", "done", "throughput.votes~9999-12-31 Ada Expert"),
        ("throughput", "done", "throughput.left~9999-12-31"),
        ("throughput", "pace", "throughput.bins~nan inf"),
        ("quality", "right", "quality.states~9999-12-31 agreed"),
    ],
)
def test_a_mark_nobody_drew_lists_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, page: str, view: str, mark: str
) -> None:
    """The address may name any day and any number; the page is drawn as if it named none."""
    at = Visit(house, monkeypatch, "mia").open(
        page, project="leaves", tz="UTC", view=view, mark=mark
    )
    assert not at.exception
    text = words(at)
    assert "went wrong on our side" not in text
    assert "Behind:" not in text


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
def test_the_calendar_has_ends(zone: str) -> None:
    """The first day has both; the last one has no day after it, and that is an answer too."""
    begins, ends = day_ends(date.min, zone)
    assert ends - begins == pytest.approx(86_400)
    with pytest.raises(ValueError, match="no day after 9999-12-31"):
        day_ends(date.max, zone)
