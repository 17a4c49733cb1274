"""Versions from end to end: frozen with splits, told apart, traced, exported with a receipt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from core.consensus.policy import Policy
from core.datasets import freeze as freezing
from core.datasets.freeze import LABELS, MANIFEST, read_version
from core.datasets.splits import SplitPlan
from core.errors import InputError, NotFound, StoreCorrupt
from core.formats import ExportRecord
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import LabelClass, Question, Task
from core.services.models.datasets import freeze_labels, list_versions
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.versions.differing import diff_versions
from core.services.versions.exporting import export_version, past_exports, write_version
from core.services.versions.files import dropped
from core.services.versions.lineage import label_lineage
from core.services.versions.receipts import check_files
from core.services.versions.snapshot import snapshot
from core.services.versions.stored import StoredVersion
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import item_metadata
from tests.record import World, add_items, boxes, make_world, rule, vote

FAR = SplitPlan(near=False)
RATIOS = (("train", 0.5), ("test", 0.5))


def label(world: World, items: list[int], name: str = "cat") -> None:
    for item in items:
        for expert in world.cast.experts[:2]:
            vote(world, expert, item, name)


def tell(world: World, item: int, **metadata: str) -> None:
    row = {"project_id": world.project.id, "item_id": item, "doc": json.dumps(metadata), "at": 1.0}
    with world.ws.store.write() as connection:
        connection.execute(item_metadata.insert(), row)


def test_a_version_says_who_how_and_by_which_rules(world: World):
    """Every row has its people, reason, policy and guideline; the manifest its splits."""
    label(world, world.items)
    rule(world, world.cast.lead, world.items[0], "decide", "dog")
    made = snapshot(world.ws, world.cast.lead, world.slug, "first", FAR)
    rows = read_version(made.folder, made.hash)
    assert rows[0].who == ("lead.pets",)
    assert rows[1].who == ("expert0.pets", "expert1.pets")
    assert {r.reason for r in rows} == {"decided", "all-agree"}
    assert {(r.policy_version, r.guideline_version, r.split) for r in rows} == {(1, 1, "train")}
    assert made.splits == {"train": 6}
    assert made.by == "lead.pets"


def test_a_version_of_the_first_edition_is_read_and_keeps_its_hash(world: World):
    """Ten columns and no edition in the manifest: as those frozen before."""
    label(world, world.items)
    made = freeze_labels(world.ws, world.cast.lead, world.slug, "old")
    rows = read_version(made.folder, made.hash)
    table = pq.read_table(made.folder / LABELS).select(list(freezing._FIRST))
    pq.write_table(table, made.folder / LABELS)
    old = {"project": "pets", "classes": ["cat"], "task": "classification", "hash": made.hash,
           "rows": freezing.rows_hash(rows, 1), "n_items": 6}  # fmt: skip
    (made.folder / MANIFEST).write_text(json.dumps(old))
    first = read_version(made.folder, made.hash)
    assert [r.final_seq for r in first] == [r.final_seq for r in rows]
    assert freezing.version_hash(first) == made.hash


def test_the_same_plan_gives_the_same_version_and_names_never_move(world: World):
    """Twice the same is one; other splits or labels under the name are refused."""
    label(world, world.items)
    plan = replace(FAR, ratios=RATIOS)
    lead = world.cast.lead
    first = snapshot(world.ws, lead, world.slug, "v1", plan)
    assert snapshot(world.ws, lead, world.slug, "v1", plan) == first
    with pytest.raises(InputError, match="already names other"):
        snapshot(world.ws, lead, world.slug, "v1", replace(plan, seed=1))
    assert freeze_labels(world.ws, lead, world.slug).name == "v1"  # training takes what is there
    again = snapshot(world.ws, lead, world.slug, "another", plan)
    assert (again.name, again.was_there, first.was_there) == ("v1", True, False)
    assert [v.name for v in list_versions(world.ws, lead, world.slug)] == ["v1"]


def test_groups_of_a_column_stay_together(world: World):
    """Three senders with two images each are never torn; a column nobody has is refused."""
    label(world, world.items)
    for n, item in enumerate(world.items):
        tell(world, item, sender=f"s{n // 2}")
    plan = replace(FAR, ratios=RATIOS, group_by="sender")
    made = snapshot(world.ws, world.cast.lead, world.slug, "v1", plan)
    rows = read_version(made.folder, made.hash)
    assert len({(r.group, r.split) for r in rows}) == 3
    with pytest.raises(InputError, match="metadata column 'patient'"):
        snapshot(world.ws, world.cast.lead, world.slug, "v2", replace(plan, group_by="patient"))


def test_a_plan_that_leaves_a_split_empty_freezes_nothing(world: World):
    """One group with an item drawn for evaluating takes all out of train; leaving it out helps."""
    every = world.items + add_items(world.ws, world.project, 1, "evaluate", 100)
    label(world, every)
    for item in every:
        tell(world, item, camera="a")
    plan = replace(FAR, ratios=RATIOS, group_by="camera")
    with pytest.raises(
        InputError, match=r"'train' would be empty: 6 labels .* nothing was frozen"
    ) as told:
        snapshot(world.ws, world.cast.lead, world.slug, "v1", plan)
    assert "--leave-out" in told.value.advice
    assert list_versions(world.ws, world.cast.lead, world.slug) == []
    whole = replace(plan, ratios=(("train", 1.0),), leave_out=True)
    assert snapshot(world.ws, world.cast.lead, world.slug, "v1", whole).splits == {"train": 6}


def test_a_version_changed_on_disk_is_refused_though_its_manifest_agrees(world: World):
    """Whoever rewrites file and manifest alike is still told by the record."""
    label(world, world.items)
    made = snapshot(world.ws, world.cast.lead, world.slug, "v1", FAR)
    rows = [replace(r, who=("mallory",)) for r in read_version(made.folder)]
    pq.write_table(freezing.table_of(rows), made.folder / LABELS)
    manifest = json.loads((made.folder / MANIFEST).read_text())
    told = json.dumps({**manifest, "rows": freezing.rows_hash(rows)})
    (made.folder / MANIFEST).write_text(told)
    with pytest.raises(StoreCorrupt, match="not what the record says"):
        diff_versions(world.ws, world.cast.lead, world.slug, "v1", "v1")


def test_classes_rewritten_in_the_manifest_reach_no_export(world: World):
    """The order of classes has no hash in the folder: what the record kept of it counts."""
    label(world, world.items)
    made = snapshot(world.ws, world.cast.lead, world.slug, "v1", FAR)
    manifest = json.loads((made.folder / MANIFEST).read_text())
    asked = ("v1", "csv")
    before = export_version(world.ws, world.cast.lead, world.slug, *asked).receipt.classes
    for schema in ({"task": "boxes"}, {"x": 1}, [], None):
        (made.folder / MANIFEST).write_text(json.dumps({**manifest, "schema": schema}))
        found = export_version(world.ws, world.cast.lead, world.slug, *asked).receipt
        assert (found.passed, found.classes) == (True, before)


def test_a_diff_tells_what_changed_and_why(world: World):
    """Added by votes, decided otherwise, overturned, discarded; by class and by slice."""
    lead, items = world.cast.lead, world.items
    for n, item in enumerate(items):
        tell(world, item, light="sun" if n < 3 else "dusk")
    label(world, items[:4])
    snapshot(world.ws, lead, world.slug, "v1", FAR)
    rule(world, lead, items[0], "decide", "dog")
    rule(world, lead, items[1], "discard")
    label(world, items[4:5], "owl")
    snapshot(world.ws, lead, world.slug, "v2", FAR)
    found = diff_versions(world.ws, lead, world.slug, "v1", "v2", "light")
    told = {(c.kind, c.item_id, c.cause, c.before, c.after) for c in found.changes}
    assert told == {
        ("added", items[4], "new votes", None, "owl"),
        ("removed", items[1], "discarded", "cat", None),
        ("changed", items[0], "a lead's decision", "cat", "dog"),
    }
    assert found.same == 2
    cats = next(t for t in found.classes if t.name == "cat")
    assert (cats.before, cats.after, cats.removed, cats.relabelled, cats.rate.n) == (4, 2, 1, 1, 3)
    sun = next(t for t in found.slices if t.name == "sun")
    assert (sun.before, sun.after, sun.added, sun.removed, sun.relabelled) == (3, 2, 0, 1, 1)
    with pytest.raises(NotFound, match="no dataset version 'v9'"):
        diff_versions(world.ws, lead, world.slug, "v1", "v9")


def test_a_label_is_traced_to_its_votes_and_versions(world: World):
    """From the label to who said what under which guideline, and to what keeps it."""
    label(world, world.items[:2])
    snapshot(world.ws, world.cast.lead, world.slug, "v1", FAR)
    found = label_lineage(world.ws, world.cast.lead, world.slug, world.items[0])
    last = found.labels[-1]
    assert [(e.kind, e.by, e.said) for e in last.evidence] == [
        ("vote", "expert0.pets", "cat"),
        ("vote", "expert1.pets", "cat"),
    ]
    assert [v.name for v in found.versions] == ["v1"]
    vote(world, world.cast.experts[0], world.items[3])
    hidden = label_lineage(world.ws, world.cast.lead, world.slug, world.items[3])
    assert hidden.withheld
    assert hidden.labels == ()


def test_a_frozen_label_is_told_to_a_manager_though_its_item_is_open_since(world: World):
    """Whoever cannot vote reads what the frozen label rests on; a lead still could."""
    item = world.items[0]
    label(world, [item])
    snapshot(world.ws, world.cast.lead, world.slug, "v1", FAR)
    frozen = label_lineage(world.ws, world.cast.lead, world.slug, item)
    vote(world, world.cast.experts[0], item, "dog", base=1)
    found = label_lineage(world.ws, world.cast.manager, world.slug, item)
    assert (found.state, found.withheld) == ("open", False)
    assert found.labels[0] == frozen.labels[0]
    assert [v.final_seq for v in found.versions] == [found.labels[0].final_seq]
    assert label_lineage(world.ws, world.cast.lead, world.slug, item).withheld


def test_an_item_is_named_by_its_number_or_its_name(world: World):
    """Both lead to the same lineage; what is neither is refused by name."""
    label(world, world.items[:2])
    with world.ws.store.read() as connection:
        name = names_of(connection, [world.items[1]])[world.items[1]][0]
    by_name = label_lineage(world.ws, world.cast.lead, world.slug, f" {name} ")
    assert by_name.item_id == world.items[1]
    assert by_name == label_lineage(world.ws, world.cast.lead, world.slug, str(world.items[1]))
    for strange in ("nobody.png", "9" * 30, "", "²"):
        with pytest.raises(NotFound, match="There is no item"):
            label_lineage(world.ws, world.cast.lead, world.slug, strange)


@pytest.fixture
def drawn(sqlite_ws: Workspace) -> World:
    """Give a project of boxes, each item with two."""
    world = make_world(sqlite_ws, n_items=4, task=Task.BOXES, policy=Policy(overlap=1))
    for n, item in enumerate(world.items):
        found = boxes((1.5, 2.25, 20 + n, 30), (5, 6, 7, 8))
        submit(world.ws, world.cast.experts[0], world.slug,
               Submission(f"00000000-0000-4000-8000-{n:012d}", item, "vote", found))  # fmt: skip
    return world


@pytest.mark.parametrize("format", ["coco", "yolo", "voc", "csv"])
def test_every_format_comes_back_as_it_left(drawn: World, tmp_path: Path, format: str):
    """Boxes, classes, numbers and splits survive the files; the receipt is kept in the record."""
    lead = drawn.cast.lead
    snapshot(drawn.ws, lead, drawn.slug, "v1", replace(FAR, ratios=RATIOS))
    made = write_version(drawn.ws, lead, drawn.slug, "v1", format, tmp_path / "out")
    assert [c for c in made.receipt.checks if not c.passed] == []
    assert set(made.receipt.counts) == {"train", "test"}
    doc = json.loads((tmp_path / "out" / "receipt.json").read_text())
    assert doc["passed"]
    assert {"sha256", "bytes"} <= set(next(iter(doc["files"].values())))
    assert past_exports(drawn.ws, lead, drawn.slug)[0].receipt["passed"]
    assert export_version(drawn.ws, lead, drawn.slug, "v1", format).receipt.passed


def test_a_wrong_conversion_of_the_lectures_kind_is_caught_and_named():
    """Its box on 980 by 551 px, written unscaled or by the wrong sides, and its XML without ymax."""
    schema = LabelSchema.from_json(
        '{"task":"boxes","questions":[{"key":"label","title":"l","classes":'
        '[{"id":0,"name":"plate","colour":"#000000","key":"1"}]}]}'
    )
    answer = Answer(regions=(Region("plate", 330, 321, 744, 386),))
    record = ExportRecord("images/car.jpg", ("images/car.jpg",), 980, 551, answer)
    names = {"classes.txt": b"plate\n"}

    def told(line: str) -> tuple[bool, dict]:
        files = {**names, "labels/car.txt": line.encode()}
        receipt = check_files([record], {}, files, "yolo", schema)
        return receipt.passed, dict(receipt.mistakes)

    assert told("0 0.547959 0.641561 0.422449 0.117967") == (True, {})
    assert told("0 537 353.5 414 65") == (False, {"not normalised": 1})
    swapped = f"0 {537 / 980:.6f} {321 / 551:.6f} {414 / 980:.6f} 0.0"
    assert told(swapped)[1] == {"ymax taken from ymin": 1}
    assert told("0 0.487296 0.360714 0.375681 0.066327") == (
        False,
        {"another image's size": 1},
    ) or told("0 0.974592 0.360714 0.751361 0.066327")[1] == {"width and height swapped": 1}
    xml = (
        "<annotation><filename>car.jpg</filename><size><width>980</width><height>551</height>"
        "</size><object><name>plate</name><bndbox><xmin>330</xmin><ymin>321</ymin><xmax>744</xmax>"
        "<ymin>386</ymin></bndbox></object></annotation>"
    )
    receipt = check_files([record], {}, {"car.xml": xml.encode(), **names}, "voc", schema)
    assert not receipt.passed
    said = " ".join(e for c in receipt.checks for e in c.examples)
    assert "<ymax> is missing" in said
    assert "<ymin> is given twice" in said


def test_an_empty_project_and_odd_requests_are_refused(world: World, tmp_path: Path):
    """No labels, no such version, no such format: a sentence each, and nothing is written."""
    lead = world.cast.lead
    with pytest.raises(InputError, match="no final labels yet"):
        snapshot(world.ws, lead, world.slug)
    with pytest.raises(NotFound, match="no dataset version"):
        write_version(world.ws, lead, world.slug, "v1", "csv", tmp_path / "out.csv")
    label(world, world.items[:1])
    snapshot(world.ws, lead, world.slug, "v1", FAR)
    with pytest.raises(InputError, match="Unknown format"):
        write_version(world.ws, lead, world.slug, "v1", "parquet", tmp_path / "out")
    with pytest.raises(InputError, match="has classes of whole images"):
        write_version(world.ws, lead, world.slug, "v1", "yolo", tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []
    made = write_version(world.ws, lead, world.slug, "v1", "csv", tmp_path / "out.csv")
    assert made.receipt.passed
    assert (tmp_path / "out.csv.receipt.json").exists()


def test_receipts_and_manifests_cannot_be_changed(world: World):
    """The record refuses, as with everything that was said."""
    label(world, world.items[:1])
    snapshot(world.ws, world.cast.lead, world.slug, "v1", FAR)
    with pytest.raises(Exception, match="append-only"), world.ws.store.write() as connection:
        connection.execute(text("UPDATE version_manifests SET doc = '{}'"))


def test_items_that_judge_are_never_in_train(world: World):
    """Evaluate and certify items, whatever the shares asked for."""
    extra = add_items(world.ws, world.project, 3, "evaluate", 100)
    extra += add_items(world.ws, world.project, 3, "certify", 200)
    label(world, world.items + extra)
    plan = replace(FAR, ratios=(("train", 0.9), ("test", 0.1)))
    made = snapshot(world.ws, world.cast.lead, world.slug, "v1", plan)
    rows = read_version(made.folder, made.hash)
    assert {r.use for r in rows if r.split == "train"} == {"train"}
    told = made.manifest["splits"]
    assert isinstance(told, dict)
    assert told["most_off"] > 0.3  # nine of twelve were wanted, six may be


def test_answers_a_format_leaves_out_are_counted():
    """Class folders carry the class alone; a table carries every question."""
    light = Question(
        "light",
        "In what light?",
        (LabelClass(0, "sun", "#111111"), LabelClass(1, "dusk", "#222222")),
    )
    schema = LabelSchema(
        Task.CLASSIFICATION,
        (Question("label", "Which?", (LabelClass(0, "cat", "#111111"),)), light),
    )
    answers = [
        {"label": "cat", "light": "sun"},
        {"label": "cat", "light": "dusk"},
        {"label": "cat"},
    ]
    records = [ExportRecord(f"{n}.png", answer=Answer(a)) for n, a in enumerate(answers)]
    stored = StoredVersion(1, "v1", "", Path(), 0.0, (), schema, {})
    assert dropped(stored, "folder", records) == ("2 answers to 'In what light?'",)
    assert dropped(stored, "table", records) == ()
