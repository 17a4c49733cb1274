"""Bringing data in, taking it out, freezing it."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import InputError
from core.services.accounts.people import operator
from core.services.models.datasets import list_versions
from core.services.transfer.import_report import list_batches
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.ui import background
from core.ui.transfer import keep_uploads, meant, zipped
from tests.pages.browser import Visit, words
from tests.pages.house import House


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page as the manager sees it."""
    return Visit(house, monkeypatch, "mia").open("datasets", project="leaves")


def _import(at: AppTest, path: Path) -> AppTest:
    at.text_input(key="datasets.path").input(str(path))
    at.button(key="datasets.go").click().run()
    until = time.monotonic() + 20
    while "Importing" in words(at) and time.monotonic() < until:
        time.sleep(0.1)
        at.run()
    return at


def test_an_import_reports_what_went_in_and_what_did_not(page: AppTest, house: House) -> None:
    """The report counts new items and lists each refusal with its file and reason."""
    source = house.ws.root / "incoming" / "more"
    source.mkdir(parents=True)
    for file in house.source.glob("*.png"):
        (source / f"again_{file.name}").write_bytes(file.read_bytes())
    (source / "broken.jpg").write_bytes(b"not an image")
    said = words(_import(page, source))
    assert not page.exception
    assert "Import finished" in said
    assert "broken.jpg" in said
    assert "Same picture again" in said
    page.button(key="datasets.again").click().run()
    assert "What do you bring?" in words(page)
    assert list_batches(house.ws, house.actor("mia"), "leaves")[0].by == "mia"


def test_a_source_that_is_not_there_is_said(page: AppTest, tmp_path: Path) -> None:
    """A wrong path shows a sentence, and one can try again."""
    said = words(_import(page, tmp_path / "nowhere"))
    assert not page.exception
    assert "nowhere" in said
    assert page.button(key="datasets.again")


def test_nothing_chosen_starts_nothing(page: AppTest) -> None:
    """An empty path is refused before anything runs."""
    page.button(key="datasets.go").click().run()
    assert "Nothing is chosen yet" in words(page)


def test_labels_leave_as_a_zip(page: AppTest, house: House) -> None:
    """Preparing an export offers its download with the number of rows."""
    page.selectbox(key="export.what").select("votes").run()
    page.button(key="export.go").click().run()
    assert not page.exception
    assert page.get("download_button")
    assert "Rows" in words(page)


def test_a_classification_project_offers_no_box_formats(page: AppTest) -> None:
    """Only formats that can carry the project's task can be chosen."""
    assert page.selectbox(key="export.format").options == ["CSV table", "COCO"]


def _frozen(at: AppTest) -> AppTest:
    """Press Freeze and wait for it as a reader would."""
    at.button(key="versions.go").click().run()
    until = time.monotonic() + 20
    while "it goes on" in words(at) and time.monotonic() < until:
        at.run()
    return at


def test_labels_are_frozen_into_a_version(page: AppTest, house: House) -> None:
    """Without labels freezing says why not; with some it makes a version that is listed."""
    _frozen(page)
    assert "no final labels yet" in words(page)
    table = house.source / "labels.csv"
    table.write_text("file,label\nleaf0.png,oak\nleaf1.png,maple\n")
    import_data(house.ws, operator(house.ws), "leaves", table, ImportOptions(what="labels"))
    table.unlink()
    _frozen(page)
    versions = list_versions(house.ws, house.actor("mia"), "leaves")
    assert [v.n_items for v in versions] == [2]
    assert versions[0].hash[:16] in words(page)


# --- files on their way -----------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    name: str
    data: bytes = b"x"

    def getbuffer(self) -> memoryview:
        return memoryview(self.data)


@pytest.mark.parametrize("name", ["../../up.csv", "..\\up.csv", "/etc/up.csv", "..", "", "a\x00b"])
def test_an_upload_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    """Whatever name the browser gives, the file lands in the fresh folder and nowhere else."""
    folder = keep_uploads(tmp_path / "cache", [_File(name), _File("two.csv")])
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) == 2
    assert all(p.parent == folder for p in written)


def test_one_upload_means_that_file_and_several_their_folder(tmp_path: Path) -> None:
    """A single archive is what is imported; several files are a folder."""
    one = keep_uploads(tmp_path, [_File("set.zip")])
    assert meant(one).name == "set.zip"
    several = keep_uploads(tmp_path, [_File("a.png"), _File("b.png")])
    assert meant(several) == several


def test_the_same_files_give_the_same_archive() -> None:
    """Two exports of the same labels are equal byte for byte."""
    files = {"b.csv": b"2", "a/b.xml": b"1"}
    first = zipped(files)
    assert first == zipped(dict(reversed(files.items())))
    assert zipfile.ZipFile(io.BytesIO(first)).namelist() == ["a/b.xml", "b.csv"]


# --- work in the background -------------------------------------------------------------------


def test_background_work_tells_how_far_it_is_and_how_it_ended() -> None:
    """Progress is readable while it runs; the result or our error stands at the end."""
    go = threading.Event()

    def do(work: background.Work[int]) -> int:
        work.report("reading", 3, 10, 1.5)
        go.wait(10)
        return 7

    work = background.start(do)
    while not work.total:
        time.sleep(0.01)
    assert (work.phase, work.done, work.total, work.over.is_set()) == ("reading", 3, 10, False)
    go.set()
    assert work.over.wait(10)
    assert (work.result, work.error) == (7, None)


@pytest.mark.parametrize("error", [InputError("Not this."), ZeroDivisionError("secret")])
def test_background_work_that_fails_says_so(error: Exception) -> None:
    """An error of the tree is kept; any other becomes a sentence without its details."""

    def do(_work: background.Work[int]) -> int:
        raise error

    work = background.start(do)
    assert work.over.wait(10)
    assert work.error is not None
    assert "secret" not in str(work.error)


# --- versions ---------------------------------------------------------------------------------


@pytest.fixture
def two_versions(house: House) -> House:
    """Give two versions that differ by one label."""
    from core.datasets.splits import SplitPlan
    from core.services.versions.snapshot import snapshot

    table = house.source / "labels.csv"
    for n, rows in enumerate(("leaf0.png,oak\n", "leaf0.png,maple\nleaf1.png,oak\n"), 1):
        table.write_text(f"file,label\n{rows}")
        import_data(house.ws, operator(house.ws), "leaves", table, ImportOptions(what="labels"))
        snapshot(house.ws, house.actor("mia"), "leaves", f"v{n}", SplitPlan(near=False))
    table.unlink()
    return house


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("diff", ("Relabelled", "Imported", "maple")),
        ("export", ("read back as anybody",)),
        ("lineage", ("Where does a label come from?",)),
        ("list", ("Frozen so far", "v2")),
    ],
)
def test_each_view_of_the_versions_has_an_address(
    two_versions: House, monkeypatch: pytest.MonkeyPatch, view: str, said: tuple[str, ...]
) -> None:
    """What is looked at stands in the address, and each view draws without an error."""
    at = Visit(two_versions, monkeypatch, "mia").open("datasets", project="leaves", versions=view)
    assert not at.exception
    for text in said:
        assert text in words(at)


def test_what_a_bar_stands_for_is_listed_below_it(
    two_versions: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class and a kind in the address leave their items; the rest of the page stays as it was."""
    asked = {"project": "leaves", "versions": "diff", "changed": "changed", "of": "oak"}
    at = Visit(two_versions, monkeypatch, "mia").open("datasets", **asked)
    assert not at.exception
    said = words(at)
    assert "leaf0.png" in said
    assert "leaf1.png" not in said
    assert at.button(key="versions.every")
    asked["of"] = "<b>nothing</b>"
    odd = Visit(two_versions, monkeypatch, "mia").open("datasets", **asked)
    assert not odd.exception
    assert "leaf0.png" not in words(odd)


def test_a_version_leaves_with_its_receipt(
    two_versions: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing one out shows each check in words, offers the files, and keeps the receipt."""
    at = Visit(two_versions, monkeypatch, "mia").open(
        "datasets", project="leaves", versions="export", format="coco"
    )
    at.button(key="versions.export").click().run()
    until = time.monotonic() + 20
    while "it goes on" in words(at) and time.monotonic() < until:
        at.run()
    assert not at.exception
    said = words(at)
    for text in ("The files hold what the version holds", "Class order", "Receipts"):
        assert text in said


def test_more_images_than_a_browser_is_handed_come_by_a_command(
    two_versions: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Class folders of a large version are not begun on the page: the command that writes them is there."""
    from core.ui.versions import export

    monkeypatch.setattr(export, "MOST_HANDED_OUT", 1)
    ask = {"project": "leaves", "versions": "export", "version": "v2"}
    at = Visit(two_versions, monkeypatch, "mia").open("datasets", format="folder", **ask)
    assert not at.exception
    assert "tiebreak export leaves FOLDER --version v2 --format folder" in at.code[0].value
    assert "versions.export" not in {b.key for b in at.button}
    table = Visit(two_versions, monkeypatch, "mia").open("datasets", format="csv", **ask)
    assert table.button(key="versions.export")


def test_reading_versions_tells_how_far_it_is(
    two_versions: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While two versions are read the page shows a bar and no figures, and then the difference."""
    from core.ui.versions import diff, work

    go = threading.Event()

    def slow(*asked: object) -> object:
        asked[-1]("reading the older version", 1, 3, 12.0)  # type: ignore[operator]
        assert go.wait(20)
        return read(*asked)  # type: ignore[arg-type]

    read = diff.diff_versions
    monkeypatch.setattr(diff, "diff_versions", slow)
    monkeypatch.setattr(work, "PATIENCE_SECONDS", 0.05)
    at = Visit(two_versions, monkeypatch, "mia").open("datasets", project="leaves", versions="diff")
    assert not at.exception
    assert "it goes on" in words(at)
    assert "Relabelled" not in words(at)
    go.set()
    until = time.monotonic() + 20
    while "it goes on" in words(at) and time.monotonic() < until:
        at.run()
    assert not at.exception
    assert "Relabelled" in words(at)
