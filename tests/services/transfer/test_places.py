"""Places outside the workspace: whole or not at all, one writer at a time, never the workspace's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.errors import ConflictError, InputError
from core.services.transfer.places import outside, settle, staged, write_whole
from core.services.versions.former import clear, retire
from core.services.workspace import Workspace, open_workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Give an empty workspace in a folder of its own."""
    return open_workspace(tmp_path / "ws")


@pytest.mark.parametrize("place", ["", "tiebreak.db", "tiebreak.db-wal", "versions/p", "images"])
def test_what_the_workspace_keeps_is_never_written_over(ws: Workspace, tmp_path: Path, place: str):
    """Nor through a link to it; a folder of its own in there is nobody's."""
    with pytest.raises(InputError, match="keeps its own files"):
        outside(ws, ws.root / place)
    (tmp_path / "link").symlink_to(ws.root / place)
    with pytest.raises(InputError, match="keeps its own files"):
        outside(ws, tmp_path / "link")
    assert outside(ws, ws.root / "out") == ws.root / "out"


@pytest.mark.parametrize("place", ["a\0b", "a" * 300])
def test_what_is_no_path_is_refused_in_words(ws: Workspace, tmp_path: Path, place: str):
    """A name no disk takes is an input like any other."""
    with pytest.raises(InputError, match="nothing was written"):
        outside(ws, tmp_path / place)


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path):
    """A device or a pipe is not replaced by a file: `/dev/null` would be gone for everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, b"labels")
        assert os.read(reader, 100) == b"labels"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("there", [False, True])
def test_files_that_failed_half_way_leave_nothing(tmp_path: Path, there: bool):
    """A full disk stays no fuller than it was, and what lay there is as it was."""
    out = tmp_path / "out"
    if there:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="full"), staged(out) as part:  # noqa: PT012 - as a disk fails
        (part / "half.txt").write_text("half")
        raise OSError("full")
    left = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")]
    assert sorted(left) == (["out", "out/mine.txt"] if there else [])


def test_what_a_killed_process_left_is_not_taken_along(tmp_path: Path):
    """The next one empties it; a place somebody is writing to is refused."""
    (tmp_path / "out.part" / "deep").mkdir(parents=True)
    (tmp_path / "out.part" / "deep" / "old.txt").write_text("old")
    with staged(tmp_path / "out") as part:
        (part / "new.txt").write_text("new")
        with pytest.raises(ConflictError, match="just now"), staged(tmp_path / "out"):
            pass
        settle(part, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["new.txt"]
    assert not (tmp_path / "out.part").exists()


def test_a_receipt_that_lies_removes_nothing_of_others(tmp_path: Path):
    """Only files within the folder, and as the receipt has them, are an earlier export's."""
    out = tmp_path / "out"
    out.mkdir()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for place in (out / "ours", tmp_path / "elsewhere", out / "kept"):
        place.touch()
    (out / "changed").write_text("by hand")
    named = ("ours", "../elsewhere", "kept", "changed", "gone", "/etc/hostname")
    files = ", ".join(f'"{n}": {{"sha256": "{empty}"}}' for n in named)
    (out / "receipt.json").write_text(f'{{"files": {{{files}}}}}')
    retire(out)
    clear(out, {"kept"})
    assert sorted(p.name for p in out.iterdir()) == ["changed", "kept"]
    assert (tmp_path / "elsewhere").exists()
