"""Dataset versions: one hash for the same labels, refused when changed, whole or not at all (F38)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.datasets import freeze as freezing
from core.datasets.freeze import LABELS, MANIFEST, FrozenLabel, freeze, read_version, version_hash
from core.errors import DiskFull, InputError, StoreCorrupt
from core.services.models.datasets import freeze_labels, list_versions
from core.services.workspace import Workspace
from core.store.audit import verify_audit
from tests.processes import ended, start
from tests.record import World, add_items, make_world, rule, vote

ROWS = [
    FrozenLabel(
        n, f"{n:064d}", f"{n}.png", "cat", '{"choices":{"label":"cat"}}', "train", "agreed", 1, 1, n
    )
    for n in range(1, 6)
]


def label_all(world: World, label: str = "cat") -> None:
    for item in world.items:
        for expert in world.cast.experts[:2]:
            vote(world, expert, item, label)


def test_the_same_labels_have_the_same_hash_in_any_order():
    """Order, names, numbers of rows and policy versions do not count; answers and uses do."""
    digest = version_hash(ROWS)
    assert version_hash(ROWS[::-1]) == digest
    moved = [replace(r, item_id=r.item_id + 7, final_seq=99, policy_version=2) for r in ROWS]
    assert version_hash(moved) == digest
    for change in ({"answer": "{}"}, {"use": "evaluate"}, {"state": "imported"}):
        assert version_hash([replace(ROWS[0], **change), *ROWS[1:]]) != digest


def test_a_version_is_read_back_as_it_was_frozen(tmp_path: Path):
    """Rows come back equal, and freezing again leaves the files alone."""
    digest = freeze(ROWS, tmp_path / "v", {"project": "pets", "hash": "no"})
    before = (tmp_path / "v" / LABELS).stat().st_mtime_ns
    assert freeze(ROWS, tmp_path / "v", {"project": "pets"}) == digest == version_hash(ROWS)
    assert read_version(tmp_path / "v", digest) == ROWS
    assert (tmp_path / "v" / LABELS).stat().st_mtime_ns == before
    assert json.loads((tmp_path / "v" / MANIFEST).read_text())["hash"] == digest


def change_label(folder: Path) -> None:
    table = pq.read_table(folder / LABELS).to_pylist()
    table[0]["label"] = "dog"
    pq.write_table(freezing.pa.Table.from_pylist(table), folder / LABELS)


def change_item(folder: Path) -> None:
    table = pq.read_table(folder / LABELS).to_pylist()
    for row in table:
        row["item_id"] += 1
    pq.write_table(freezing.pa.Table.from_pylist(table), folder / LABELS)


def drop_row(folder: Path) -> None:
    table = pq.read_table(folder / LABELS).to_pylist()
    pq.write_table(freezing.pa.Table.from_pylist(table[1:]), folder / LABELS)


def cut(folder: Path) -> None:
    (folder / LABELS).write_bytes((folder / LABELS).read_bytes()[:200])


def lose_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def forge_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[]")


def nest_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"a":' * 100_000)


def spoil_the_end(folder: Path) -> None:
    data = bytearray((folder / LABELS).read_bytes())
    data[-10] ^= 1
    (folder / LABELS).write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [change_label, change_item, drop_row, cut, lose_manifest, forge_manifest, nest_manifest,
     spoil_the_end],
)  # fmt: skip
def test_a_changed_version_is_refused_and_can_be_frozen_anew(tmp_path: Path, harm):
    """The sentence names the version; freezing again sets the damaged one aside."""
    folder = tmp_path / "v"
    digest = freeze(ROWS, folder, {})
    harm(folder)
    with pytest.raises(StoreCorrupt, match="version v was changed on disk"):
        read_version(folder)
    with pytest.raises(StoreCorrupt, match=r"version 'v1' \(v\) was changed on disk") as told:
        read_version(folder, called="v1")
    assert all(sign not in str(told.value) for sign in ("\n", "Errno", str(tmp_path)))
    assert freeze(ROWS, folder, {}) == digest
    assert read_version(folder) == ROWS
    assert len(list(tmp_path.glob("v.damaged-*"))) == 1


def test_a_version_put_in_the_place_of_another_is_refused(tmp_path: Path):
    """Whole and sound, but not the one the record knows."""
    digest = freeze(ROWS, tmp_path / "a", {})
    freeze(ROWS[:2], tmp_path / "b", {})
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "a")
    read_version(tmp_path / "a")
    with pytest.raises(StoreCorrupt):
        read_version(tmp_path / "a", digest)


def freeze_and_die(folder: Path) -> None:
    """Freeze, killed when the files are written but not yet in place."""
    freezing._to_disk = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    freeze(ROWS, folder, {})


def test_a_killed_freeze_leaves_no_version(tmp_path: Path):
    """Nothing stands under the version's name, and the next freeze works and clears up later."""
    folder = tmp_path / "v"
    assert ended(start(freeze_and_die, folder)) == -signal.SIGKILL
    assert not folder.exists()
    [part] = tmp_path.glob("*.part")
    os.utime(part, (1, 1))
    freeze(ROWS, folder, {})
    assert read_version(folder) == ROWS
    assert [p.name for p in tmp_path.iterdir()] == ["v"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The error is named and no part of the version stays (F10)."""

    def full(*_: object) -> None:
        raise OSError(28, "Error writing bytes to file. Detail: [errno 28] No space")  # Arrow's

    monkeypatch.setattr(freezing.pq, "write_table", full)
    with pytest.raises(DiskFull, match="No space left on device; nothing is left behind"):
        freeze(ROWS, tmp_path / "v", {})
    assert list(tmp_path.iterdir()) == []


def test_freezing_twice_at_once_gives_one_version(ws: Workspace):
    """Eight threads freeze the same labels: one row, one folder, one hash (F38)."""
    world = make_world(ws, n_items=4)
    label_all(world)
    made, errors = [], []

    def go() -> None:
        try:
            made.append(freeze_labels(ws, world.cast.lead, world.slug))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len({(v.id, v.name, v.hash) for v in made}) == 1
    assert [p.name for p in (ws.versions / world.slug).iterdir()] == [made[0].folder.name]
    assert len(list_versions(ws, world.cast.lead, world.slug)) == 1


def test_a_version_never_changes_while_labels_do(ws: Workspace):
    """A new label makes a new version; the old one reads as before, and its name stays taken."""
    world = make_world(ws, n_items=3)
    label_all(world)
    first = freeze_labels(ws, world.cast.lead, world.slug, "first")
    before = read_version(first.folder, first.hash)
    rule(world, world.cast.lead, world.items[0], "decide", "dog")
    second = freeze_labels(ws, world.cast.lead, world.slug)
    assert second.hash != first.hash
    assert read_version(first.folder, first.hash) == before
    rule(world, world.cast.lead, world.items[0], "discard")
    with pytest.raises(InputError, match="already names other labels"):
        freeze_labels(ws, world.cast.lead, world.slug, "first")
    found = {v.name: v.hash for v in list_versions(ws, world.cast.lead, world.slug)}
    assert found == {"first": first.hash, "training-1": second.hash}
    with ws.store.read() as connection:
        verify_audit(connection)


def test_nothing_to_freeze_is_said(world: World):
    """Without a final label there is no version."""
    with pytest.raises(InputError, match="no final labels yet"):
        freeze_labels(world.ws, world.cast.lead, world.slug)


def test_only_items_for_training_are_examples_to_learn_from(world: World):
    """Each use keeps its items: what certifies or evaluates never comes as an example to train on."""
    from core.learning.values import ImageRef
    from core.services.models.train_job import held_out_items, training_request

    others = {
        use: add_items(world.ws, world.project, 3, use, first)
        for use, first in (("certify", 100), ("evaluate", 200))
    }
    everything = replace(world, items=world.items + others["certify"] + others["evaluate"])
    label_all(everything)
    version = freeze_labels(world.ws, world.cast.lead, world.slug)
    frozen = read_version(version.folder, version.hash)
    pool = {i: ImageRef(i, str(i), Path(f"{i}.png")) for i in everything.items}
    job = _job(world)
    held_out = held_out_items(world.ws, world.project)
    schema = world.project.schema
    request = training_request(world.ws, job, schema, schema.main, frozen, pool, held_out)
    by_use = {
        use: {e.image.item_id for e in request.examples if e.use == use}
        for use in ("train", "certify", "evaluate")
    }
    assert by_use == {"train": set(world.items), **{u: set(i) for u, i in others.items()}}
    assert request.held_out >= set(others["certify"]) | set(others["evaluate"])


def test_what_was_frozen_before_a_rename_or_merge_is_learnt_under_todays_names(world: World):
    """The version keeps its words and its hash; the examples made of it speak today's."""
    from core.labels.editing import edited
    from core.labels.operations import Merge, Rename
    from core.learning.values import ImageRef
    from core.services.models.train_job import training_request

    label_all(world)
    version = freeze_labels(world.ws, world.cast.lead, world.slug)
    frozen = read_version(version.folder, version.hash)
    pool = {i: ImageRef(i, str(i), Path(f"{i}.png")) for i in world.items}
    before = {f.label for f in frozen}
    schema, _ = edited(world.project.schema, [Merge("label", 1, 0), Rename("label", 0, "pet")])
    request = training_request(
        world.ws, _job(world), schema, schema.main, frozen, pool, frozenset()
    )
    assert {e.label for e in request.examples} == {schema.main.today(str(n)) for n in before}
    assert {e.label for e in request.examples} <= set(request.classes) == {"pet", "owl"}
    assert "pet" in {e.label for e in request.examples}


def _job(world: World):
    from core.jobs.rows import create_job, read_job, update_job

    with world.ws.store.write() as connection:
        config = {"backbone": "none", "seed": 0}
        by = world.cast.lead.person_id
        job_id = create_job(connection, world.project.id, "train", config, by, 1.0)
        update_job(connection, job_id, folder="runs/x")
        return read_job(connection, job_id)
