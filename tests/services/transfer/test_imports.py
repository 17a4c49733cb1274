"""Imports change nothing when they run again, and what they bring goes where it belongs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from core.errors import Forbidden, InputError, NotFound
from core.labels.operations import Merge, Rename
from core.labels.schema import Task
from core.services.accounts.people import list_people, operator
from core.services.projects.project import GuidelineExample, NewProject, create_project
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item
from core.services.steering.rules import set_guideline
from core.services.steering.schemas import edit_schema
from core.services.transfer.exports import export_data
from core.services.transfer.import_report import list_batches
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.store.audit import verify_audit
from core.store.tables import (
    APPEND_ONLY,
    annotation_log,
    audit,
    batches,
    gold_answers,
    imported_labels,
    items,
    predictions,
)
from tests.record import World, draw_folder, make_world, say, state_of, vote

Make = Callable[..., World]
LABELS = ["cat", "dog", "owl", "cat"]


def table(path: Path, header: list[str], *rows: list[object]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def bring(world: World, path: Path, what: str = "items", **options):
    boss = operator(world.ws)
    return import_data(world.ws, boss, world.slug, path, ImportOptions(what=what, **options))


def counts(world: World) -> dict[str, int]:
    """Return the rows of every append-only table but those that note that an import ran."""
    with world.ws.store.read() as connection:
        return {
            t.name: connection.execute(select(func.count()).select_from(t)).scalar_one()
            for t in APPEND_ONLY
            if t not in (batches, audit)
        }


def ids_of(world: World) -> list[int]:
    with world.ws.store.read() as connection:
        return list(connection.execute(select(items.c.id).order_by(items.c.id)).scalars())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give four images."""
    return draw_folder(tmp_path / "images", 4)


@pytest.fixture
def filled(make: Make, folder: Path) -> World:
    """Give a project with the four images in it."""
    world = make(n_items=0)
    assert bring(world, folder).items == 4
    return world


@pytest.mark.parametrize(
    ("what", "header", "count"),
    [
        ("labels", ["file", "label"], "labels"),
        ("gold", ["file", "label"], "gold"),
        ("predictions", ["file", "label", "confidence"], "predictions"),
        ("votes", ["file", "annotator", "label"], "votes"),
    ],
)
def test_running_an_import_again_changes_nothing(
    filled: World, folder: Path, what: str, header: list[str], count: str
):
    """The second run reports no news and adds no row to any table."""
    middle = {"annotator": "zoe", "confidence": 0.75}
    rows = [
        [f"{n:03d}.png", *[label if h == "label" else middle[h] for h in header[1:]]]
        for n, label in enumerate(LABELS)
    ]
    source = table(folder / "said.csv", header, *rows)
    assert getattr(bring(filled, source, what), count) == 4
    before = counts(filled)
    again = bring(filled, source, what)
    assert (getattr(again, count), again.items, again.refused) == (0, 0, ())
    assert counts(filled) == before
    with filled.ws.store.read() as connection:
        verify_audit(connection)
    assert [b.what for b in list_batches(filled.ws, operator(filled.ws), filled.slug)][:2] == [
        what,
        what,
    ]


def test_images_again_under_other_names_make_no_second_item(filled: World, tmp_path: Path):
    """The same bytes are one item, whichever name they come under."""
    other = draw_folder(tmp_path / "again", 4)
    for path in other.iterdir():
        path.rename(path.with_name(f"copy-{path.name}"))
    report = bring(filled, other)
    assert (report.items, report.duplicates) == (0, 4)
    assert len(ids_of(filled)) == 4


def test_imported_labels_settle_and_votes_overrule(filled: World, folder: Path):
    """A trusted label stands until the votes the policy asks for are in."""
    source = table(folder / "l.csv", ["file", "label"], ["000.png", "owl"])
    bring(filled, source, "labels")
    item = ids_of(filled)[0]
    assert state_of(filled, item)[:2] == ("imported", "owl")
    votes = table(
        folder / "v.csv",
        ["file", "annotator", "label"],
        ["000.png", "ann", "cat"],
        ["000.png", "bob", "cat"],
    )
    assert bring(filled, votes, "votes").annotators == ("ann", "bob")
    assert state_of(filled, item)[:3] == ("agreed", "cat", 2)


def test_imported_annotators_cannot_sign_in_and_are_reused(filled: World, folder: Path):
    """People who come with votes have no password and no role, and are made once."""
    for n in range(2):
        votes = table(
            folder / f"v{n}.csv", ["file", "annotator", "label"], [f"00{n}.png", "zoe", "cat"]
        )
        bring(filled, votes, "votes")
    [zoe] = [p for p in list_people(filled.ws, operator(filled.ws)) if p.name == "zoe"]
    assert (zoe.kind, zoe.has_password, zoe.roles) == ("annotator", False, ())


def test_of_one_annotators_votes_on_an_item_the_last_counts(filled: World, folder: Path):
    """One live vote a person and item, also when a file holds two."""
    votes = table(
        folder / "v.csv",
        ["file", "annotator", "label"],
        ["000.png", "zoe", "cat"],
        ["000.png", "zoe", "dog"],
    )
    bring(filled, votes, "votes")
    with filled.ws.store.read() as connection:
        rows = connection.execute(select(annotation_log.c.label, annotation_log.c.revision)).all()
    assert [tuple(r) for r in rows] == [("dog", 1)]


def test_predictions_order_the_queue_and_are_shown(filled: World, folder: Path):
    """The least certain item comes first, with its pre-label."""
    rows = [[f"{n:03d}.png", "cat", c] for n, c in enumerate([0.9, 0.4, 0.8, 0.6])]
    source = table(folder / "p.csv", ["file", "label", "confidence"], *rows)
    bring(filled, source, "predictions", name="v0")
    view = claim_items(filled.ws, filled.cast.experts[0], filled.slug, 4)
    assert [i.prelabel.confidence for i in view.items] == [0.4, 0.6, 0.8, 0.9]
    assert {i.prelabel.source for i in view.items} == {"v0"}
    assert view.items[0].prelabel.answer == say("cat")


def test_a_prediction_of_another_item_is_no_prelabel_of_this_one(filled: World, folder: Path):
    """A forged number of a prediction is refused; the right one is kept with the vote."""
    from core.clock import new_uuid
    from core.services.review.submission import Submission
    from core.services.review.submitting import submit

    rows = [[f"{n:03d}.png", "cat", 0.5] for n in range(4)]
    bring(filled, table(folder / "p.csv", ["file", "label", "confidence"], *rows), "predictions")
    one, two = ids_of(filled)[:2]
    expert = filled.cast.experts[0]
    right = open_item(filled.ws, expert, filled.slug, one).prelabel.seq
    wrong = open_item(filled.ws, expert, filled.slug, two).prelabel.seq
    sent = Submission(new_uuid(), one, "vote", say("cat"), prelabel_seq=wrong)
    with pytest.raises(InputError, match="is not one of item"):
        submit(filled.ws, expert, filled.slug, sent)
    sent = Submission(new_uuid(), one, "vote", say("cat"), prelabel_seq=right)
    assert submit(filled.ws, expert, filled.slug, sent).status == "saved"
    with filled.ws.store.read() as connection:
        kept = connection.execute(select(annotation_log.c.prediction_seq)).scalar_one()
        assert connection.execute(select(func.count()).select_from(predictions)).scalar_one() == 4
    assert kept == right


def test_rows_that_do_not_fit_are_named_and_stop_no_other(filled: World, folder: Path):
    """Unknown image, unknown class: refused with file and line; the good row is stored."""
    source = table(
        folder / "l.csv",
        ["file", "label"],
        ["000.png", "cat"],
        ["nothere.png", "cat"],
        ["001.png", "unicorn"],
    )
    report = bring(filled, source, "labels")
    assert report.labels == 1
    assert [r.line for r in report.refused] == [3, 4]
    with filled.ws.store.read() as connection:
        stored = connection.execute(select(func.count()).select_from(imported_labels)).scalar_one()
    assert stored == 1


@pytest.mark.parametrize("what", ["labels", "votes", "gold", "predictions"])
def test_a_former_class_name_is_taken_as_todays(filled: World, folder: Path, what: str):
    """Renamed and merged classes count under what they are called now; the report says so once."""
    boss = operator(filled.ws)
    edit_schema(
        filled.ws, boss, filled.slug,
        [Rename("label", 0, "feline"), Merge("label", 2, 1)], "clearer", 1,
    )  # fmt: skip
    rows = [[f"{n:03d}.png", "zoe", label] for n, label in enumerate(["cat", "owl", "dog", "cat"])]
    report = bring(filled, table(folder / "old.csv", ["file", "annotator", "label"], *rows), what)
    assert (getattr(report, what), report.refused) == (4, ())
    assert report.notes == (
        "2 rows used 'cat', now 'feline'.",
        "1 row used 'owl', now 'dog'.",
    )
    stored = {"labels": imported_labels, "votes": annotation_log, "gold": gold_answers}
    with filled.ws.store.read() as connection:
        where = stored.get(what, predictions)
        kept = list(connection.execute(select(where.c.label).order_by(where.c.seq)).scalars())
    assert kept == ["feline", "dog", "dog", "feline"]


def test_a_former_class_name_of_a_region_is_taken_as_todays(sqlite_ws, tmp_path):
    """A box under a renamed class comes in under its new name, and is counted."""
    world = make_world(sqlite_ws, n_items=0, task=Task.BOXES)
    folder = draw_folder(tmp_path / "images", 1)
    edit_schema(sqlite_ws, operator(sqlite_ws), world.slug, [Rename("label", 0, "lynx")], "x", 1)
    header = ["file", "label", "x1", "y1", "x2", "y2"]
    source = table(
        folder / "b.csv", header, ["000.png", "cat", 1, 1, 5, 5], ["000.png", "cat", 6, 6, 9, 9]
    )
    bring(world, folder)
    report = bring(world, source, "labels")
    assert (report.labels, report.regions) == (1, 2)
    assert report.notes == ("2 rows used 'cat', now 'lynx'.",)


def test_a_guideline_example_cannot_become_gold(filled: World, folder: Path):
    """What people were shown is no test of them: the row is refused with a sentence."""
    ids = ids_of(filled)
    boss = operator(filled.ws)
    example = [GuidelineExample(ids[0], True, "typical")]
    set_guideline(filled.ws, boss, filled.slug, "Look.", "first", example)
    set_guideline(filled.ws, boss, filled.slug, "Look.", "without it", [])
    rows = [[f"{n:03d}.png", "cat"] for n in range(2)]
    report = bring(filled, table(folder / "g.csv", ["file", "label"], *rows), "gold")
    assert (report.gold, len(report.refused)) == (1, 1)
    assert report.refused[0].line == 2
    assert "example in guideline version 2" in report.refused[0].reason
    with filled.ws.store.read() as connection:
        assert list(connection.execute(select(gold_answers.c.item_id)).scalars()) == [ids[1]]


def test_an_import_never_touches_what_people_said(filled: World, folder: Path):
    """Predictions and labels leave votes, and the label they agreed on, as they are."""
    item = ids_of(filled)[0]
    for expert in filled.cast.experts[:2]:
        vote(filled, expert, item, "dog")
    source = table(folder / "l.csv", ["file", "label"], ["000.png", "cat"])
    bring(filled, source, "labels")
    bring(filled, source, "predictions")
    assert state_of(filled, item)[:3] == ("agreed", "dog", 2)


def test_who_may_import_from_where(filled: World, folder: Path):
    """A person at the pages cannot read any folder of the server; a missing one is named."""
    with pytest.raises(Forbidden):
        import_data(filled.ws, filled.cast.lead, filled.slug, folder)
    with pytest.raises((NotFound, InputError)):
        bring(filled, folder / "nowhere")
    with pytest.raises(InputError, match="Unknown kind"):
        bring(filled, folder, "everything")


def test_what_is_said_of_a_refused_image_reaches_no_other(sqlite_ws, tmp_path):
    """A table beside an image whose name is taken does not label the image that has the name."""
    ws, me = sqlite_ws, operator(sqlite_ws)
    create_project(ws, me, NewProject("p", Task.CLASSIFICATION, ("a", "b")))
    for folder, colour, label in (("one", "red", "a"), ("two", "blue", "b")):
        root = tmp_path / folder
        root.mkdir()
        Image.new("RGB", (20, 20), colour).save(root / "x.png")
        (root / "t.csv").write_text(f"file,label\nx.png,{label}\n")
    assert import_data(ws, me, "p", tmp_path / "one" / "t.csv", ImportOptions("labels")).labels == 1
    second = import_data(ws, me, "p", tmp_path / "two" / "t.csv", ImportOptions("labels"))
    assert second.labels == 0
    assert len(second.refused) == 2
    rows = export_data(ws, me, "p").files
    assert b"x.png,a" in next(iter(rows.values()))


def test_images_only_asks_nothing_of_their_folders(sqlite_ws, tmp_path):
    """Folders that are no classes of the project are no fault when only images are wanted."""
    ws, me = sqlite_ws, operator(sqlite_ws)
    create_project(ws, me, NewProject("p", Task.CLASSIFICATION, ("a", "b")))
    (tmp_path / "src" / "elm").mkdir(parents=True)
    (tmp_path / "src" / "oak").mkdir(parents=True)
    Image.new("RGB", (20, 20), "red").save(tmp_path / "src" / "elm" / "1.png")
    Image.new("RGB", (20, 20), "blue").save(tmp_path / "src" / "oak" / "1.png")
    report = import_data(ws, me, "p", tmp_path / "src", ImportOptions("items"))
    assert (report.items, report.labels, report.refused) == (2, 0, ())


def test_an_image_without_required_metadata_is_refused(sqlite_ws, tmp_path):
    """A project may demand columns (O44): an image whose table leaves one empty stays out."""
    ws, me = sqlite_ws, operator(sqlite_ws)
    create_project(
        ws, me, NewProject("p", Task.CLASSIFICATION, ("a", "b"), required_metadata=("camera",))
    )
    root = tmp_path / "src"
    root.mkdir()
    for name, colour in (("1.png", "red"), ("2.png", "blue")):
        Image.new("RGB", (20, 20), colour).save(root / name)
    table = root / "t.csv"
    table.write_text("file,label,camera\n1.png,a,C\n2.png,b,\n")
    report = import_data(ws, me, "p", table, ImportOptions("labels"))
    assert (report.items, report.labels) == (1, 1)
    assert [r.file for r in report.refused if "camera" in r.reason] == ["2.png"]
    bare = import_data(ws, me, "p", root, ImportOptions("items", format="folder"))
    assert (bare.items, bare.unchanged) == (0, 1)
    assert [r.file for r in bare.refused] == ["2.png"]
