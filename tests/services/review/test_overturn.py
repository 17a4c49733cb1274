"""Overturning: the old decision stays, the new one counts, and what used the old label is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.clock import new_uuid
from core.errors import Forbidden, InputError, NotFound
from core.jobs.rows import create_job
from core.services.models.datasets import freeze_labels
from core.services.review.overturn import Overturned, overturn
from core.services.review.rulings import RulingFilter, rulings
from core.services.review.used import what_used
from core.store.tables import models
from tests.record import World, add_items, make_project, rule, say, state_of

Make = Callable[..., World]


@pytest.fixture
def ruled(make: Make) -> World:
    """Give a project whose first two items a lead ruled to be cats."""
    world = make(n_items=3)
    for item_id in world.items[:2]:
        rule(world, world.cast.lead, item_id, "decide", "cat", reason=f"whiskers of {item_id}")
    return world


def newest(world: World) -> dict[int, int]:
    """Return the ruling in force on each item."""
    asked = RulingFilter(in_force=True)
    found = rulings(world.ws, world.cast.lead, world.slug, asked)
    return {r.item_id: r.seq for r in found.rows}


def to_dogs(world: World, ids: list[int], **changes) -> Overturned:
    """Overturn the rulings on items: dogs they are."""
    seqs = newest(world)
    asked = {
        "chosen": [(i, seqs.get(i, 0)) for i in ids], "answer": say("dog"), "reason": "tails",
        "uuid": new_uuid(), "actor": world.cast.lead2, "kind": "decide", **changes,
    }  # fmt: skip
    return overturn(
        world.ws, asked["actor"], world.slug, asked["chosen"], asked["kind"], asked["answer"],
        asked["reason"], asked["uuid"],
    )  # fmt: skip


def train_on(world: World, version_id: int) -> None:
    """Write down a model trained on a dataset version."""
    with world.ws.store.write() as connection:
        by = world.cast.admin.person_id
        job = create_job(connection, world.project.id, "train", {}, by, 1.0)
        row = {
            "project_id": world.project.id, "job_id": job, "dataset_version_id": version_id,
            "backbone": "resnet18", "folder": "runs/1", "report": "{}", "at": 5.0,
        }  # fmt: skip
        connection.execute(models.insert(), row)


def test_the_old_stays_and_the_new_counts(ruled: World):
    """Both decisions are listed, one of them in force."""
    item = ruled.items[0]
    assert to_dogs(ruled, [item]).saved == (item,)
    assert state_of(ruled, item)[:2] == ("adjudicated", "dog")
    found = rulings(ruled.ws, ruled.cast.lead, ruled.slug).rows
    mine = [(r.label, r.in_force) for r in found if r.item_id == item]
    assert mine == [("dog", True), ("cat", False)]


def test_versions_and_models_that_used_the_old_label_are_named(ruled: World):
    """The version frozen before keeps the cat; the model trained on it is told as well."""
    item = ruled.items[0]
    version = freeze_labels(ruled.ws, ruled.cast.lead, ruled.slug)
    train_on(ruled, version.id)
    before = what_used(ruled.ws, ruled.cast.lead, ruled.slug, item)
    assert [(v.name, v.label, v.in_force) for v in before.versions] == [("training-1", "cat", True)]
    told = to_dogs(ruled, [item])
    assert told.versions == (("training-1", 1),)
    assert [m.backbone for m in told.models] == ["resnet18"]
    used = what_used(ruled.ws, ruled.cast.lead, ruled.slug, item)
    assert [(x.label, x.until is None) for x in used.labels] == [("cat", False), ("dog", True)]
    assert [(v.name, v.label) for v in used.outdated] == [("training-1", "cat")]
    assert [m.backbone for m in used.outdated[0].models] == ["resnet18"]
    assert what_used(ruled.ws, ruled.cast.lead, ruled.slug, ruled.items[1]).outdated == ()


def test_a_version_that_cannot_be_read_is_named_all_the_same(ruled: World):
    """A damaged file hides nothing: the version is listed as unreadable."""
    version = freeze_labels(ruled.ws, ruled.cast.lead, ruled.slug)
    (version.folder / "labels.parquet").write_bytes(b"broken")
    used = what_used(ruled.ws, ruled.cast.lead, ruled.slug, ruled.items[0])
    assert [(v.name, v.readable) for v in used.versions] == [("training-1", False)]


def test_what_was_ruled_otherwise_meanwhile_is_left_out(ruled: World):
    """The lead saw an older ruling; and an item nobody ruled on, or sent back, has none."""
    first, second, third = ruled.items
    seqs = newest(ruled)
    rule(ruled, ruled.cast.lead, first, "discard")
    rule(ruled, ruled.cast.lead, second, "send-back")
    told = to_dogs(
        ruled, [], chosen=[(first, seqs[first]), (second, newest(ruled)[second]), (third, 0)]
    )
    assert told.saved == ()
    because = {o.item_id: o.because for o in told.left_out}
    assert "otherwise meanwhile" in because[first]
    assert "sent back" in because[second]
    assert "otherwise meanwhile" in because[third]


def test_sent_again_it_changes_nothing(ruled: World):
    """The same UUID twice: one new decision."""
    item, uuid = ruled.items[0], new_uuid()
    chosen = [(item, newest(ruled)[item])]
    to_dogs(ruled, [], chosen=chosen, uuid=uuid)
    again = to_dogs(ruled, [], chosen=chosen, uuid=uuid)
    assert (again.saved, again.already) == ((), (item,))
    assert rulings(ruled.ws, ruled.cast.lead, ruled.slug).total == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "needs a reason"),
        ({"uuid": "7"}, "UUID of its own"),
        ({"chosen": []}, "No items"),
        ({"chosen": [(n, 1) for n in range(501)]}, "501 items"),
    ],
    ids=["reason", "uuid", "none", "501"],
)
def test_bad_input_overturns_nothing(ruled: World, changes: dict, words: str):
    """Each refusal says what was wrong."""
    with pytest.raises(InputError, match=words):
        to_dogs(ruled, ruled.items[:1], **changes)
    assert rulings(ruled.ws, ruled.cast.lead, ruled.slug).total == 2


def test_another_projects_items_and_people_are_refused(ruled: World):
    """Neither overturned nor looked up."""
    other = make_project(ruled.ws, "plants")
    (strange,) = add_items(ruled.ws, other, 1)
    with pytest.raises(NotFound):
        to_dogs(ruled, [], chosen=[(strange, 1)])
    with pytest.raises(NotFound):
        what_used(ruled.ws, ruled.cast.lead, ruled.slug, strange)
    with pytest.raises(Forbidden):
        to_dogs(ruled, ruled.items[:1], actor=ruled.cast.experts[0])
    with pytest.raises(Forbidden):
        what_used(ruled.ws, ruled.cast.experts[0], ruled.slug, ruled.items[0])


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (RulingFilter(kind="decide"), 2),
        (RulingFilter(kind="discard"), 0),
        (RulingFilter(label="cat"), 2),
        (RulingFilter(text="whiskers of"), 2),
        (RulingFilter(text="00001"), 1),
        (RulingFilter(text="100%_"), 0),
        (RulingFilter(bulk="nothing"), 0),
    ],
    ids=["kind", "other kind", "label", "reason", "name", "wildcards", "bulk"],
)
def test_rulings_are_found(ruled: World, asked: RulingFilter, count: int):
    """By kind, class, lead, words of the reason, the item's name."""
    assert rulings(ruled.ws, ruled.cast.lead, ruled.slug, asked).total == count


def test_rulings_come_in_pages(ruled: World):
    """The newest first; a page out of range is empty, an impossible one refused."""
    lead, slug = ruled.cast.lead, ruled.slug
    first = rulings(ruled.ws, lead, slug, count=1)
    assert (first.total, [r.item_id for r in first.rows]) == (2, [ruled.items[1]])
    assert rulings(ruled.ws, lead, slug, start=9).rows == ()
    with pytest.raises(InputError):
        rulings(ruled.ws, lead, slug, start=-1)
