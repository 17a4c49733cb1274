"""Steering classes: versions, migrated labels, previews, history."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import insert, select

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import Forbidden, InputError, StaleVersion
from core.labels import Answer, Region
from core.labels.operations import AddClass, Merge, Recolour, Rename, Retire
from core.labels.schema import Task
from core.services.consensus.resolve import resolve
from core.services.items.why import explain
from core.services.models.datasets import labels_in_force
from core.services.projects.project import GuidelineExample, get_project, load_project
from core.services.projects.queue_plans import new_plan, set_queue_plan
from core.services.review.disputes import get_dispute
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.history import project_history
from core.services.steering.rules import set_guideline, set_policy
from core.services.steering.schemas import edit_schema, preview_edit
from core.services.transfer.exports import export_data
from core.store.tables import annotation_log, audit, imported_labels, schema_events, schemas
from tests.record import World, boxes, make_world, rule, say, state_of, vote
from tests.services.steering.editing import both, edit, label_of_final


def test_an_edit_is_one_version_with_its_events_reason_and_audit(make):
    """Several operations make one version; each leaves an event; nothing is overwritten."""
    world = make()
    now = edit(world, Rename("label", 0, "feline"), AddClass("label", "fox"), reason="clearer")
    assert (now.schema_version, now.schema.main.open_names) == (2, ("feline", "dog", "owl", "fox"))
    with world.ws.store.read() as connection:
        events = connection.execute(select(schema_events).order_by(schema_events.c.seq)).all()
        kept = connection.execute(select(schemas.c.version, schemas.c.reason)).all()
        last = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert [(e.schema_version, e.kind, e.before, e.after) for e in events] == [
        (2, "rename", "cat", "feline"), (2, "add", "", "fox"),
    ]  # fmt: skip
    assert {e.by_id for e in events} == {world.cast.lead.person_id}
    assert [tuple(r) for r in kept] == [(1, "first version"), (2, "clearer")]
    assert last.action == "schema edited"


def test_who_edits_an_old_version_is_refused_and_nothing_changes(world: World):
    """Somebody else published meanwhile: a sentence, no version, no event."""
    edit(world, Rename("label", 0, "feline"))
    with pytest.raises(StaleVersion, match="Version 2 of the classes was put in force"):
        edit(world, Retire("label", 1), base=1)
    assert get_project(world.ws, world.cast.lead, world.slug).schema_version == 2


def test_a_version_needs_a_reason_and_a_change(world: World):
    """Nothing changed makes no version; no reason makes none either; experts may not."""
    assert edit(world, Rename("label", 0, "cat")).schema_version == 1
    with pytest.raises(InputError, match="needs a reason"):
        edit(world, Retire("label", 0), reason=" ")
    with pytest.raises(Forbidden):
        edit_schema(world.ws, world.cast.experts[0], world.slug, [Retire("label", 0)], "x", 1)


def test_one_bad_operation_stops_the_whole_edit(world: World):
    """All or nothing: the good half is not done."""
    with pytest.raises(InputError):
        edit(world, Rename("label", 0, "feline"), Merge("label", 1, 1))
    assert get_project(world.ws, world.cast.lead, world.slug).schema_version == 1


def test_a_rename_carries_every_label_along(make):
    """The label in force, votes, exports and the why speak today's name; the vote row is untouched."""
    world = make()
    both(world, world.items[0], "cat", "cat")
    edit(world, Rename("label", 0, "feline"))
    assert state_of(world, world.items[0])[:2] == ("agreed", "feline")
    assert label_of_final(world, world.items[0]) == ("feline", 2)
    with world.ws.store.read() as connection:
        assert set(connection.execute(select(annotation_log.c.label)).scalars()) == {"cat"}
        frozen = labels_in_force(connection, load_project(connection, world.slug))
    assert [(f.label, json.loads(f.answer)["choices"]) for f in frozen] == [
        ("feline", {"label": "feline"})
    ]
    for what in ("labels", "votes"):
        body = export_data(world.ws, world.cast.lead, world.slug, what).files
        text = b"".join(body.values()).decode()
        assert "feline" in text
        assert ",cat" not in text
    why = explain(world.ws, world.cast.lead, world.slug, world.items[0])
    assert any("said feline (as 'cat')" in s for s in why.sentences)
    assert my_recent(world.ws, world.cast.experts[0], world.slug)[0].label == "feline"
    mine = open_item(world.ws, world.cast.experts[0], world.slug, world.items[0]).mine
    assert mine == say("feline")


def test_merging_two_classes_settles_the_disputes_between_them(make):
    """cat against dog is no difference any more; cat against owl still is."""
    world = make(policy=Policy(on_disagreement=OnDisagreement.LEAD))
    both(world, world.items[0], "cat", "dog")
    both(world, world.items[1], "cat", "owl")
    assert state_of(world, world.items[0])[0] == "dispute"
    edit(world, Merge("label", 0, 1))
    assert state_of(world, world.items[0])[:2] == ("agreed", "dog")
    assert state_of(world, world.items[1])[0] == "dispute"
    seen = get_dispute(world.ws, world.cast.lead, world.slug, world.items[1])
    assert {v.answer.choices["label"] for v in seen.votes} == {"dog", "owl"}


def test_imported_labels_and_rulings_migrate_too(make):
    """Whatever a label rests on is read in today's names."""
    world = make(policy=Policy(on_disagreement=OnDisagreement.LEAD))
    both(world, world.items[0], "cat", "owl")
    rule(world, world.cast.lead, world.items[0], label="cat")
    with world.ws.store.write() as connection:
        connection.execute(
            insert(imported_labels),
            {"project_id": world.project.id, "item_id": world.items[1], "label": "cat",
             "answer": say("cat").to_json(), "batch_id": None, "at": 1.0},
        )  # fmt: skip
    edit(world, Merge("label", 0, 1))
    assert state_of(world, world.items[0])[:2] == ("adjudicated", "dog")
    assert state_of(world, world.items[1])[:2] == ("imported", "dog")


def test_a_retired_class_keeps_its_labels(make):
    """Nothing of what was said goes away."""
    world = make()
    both(world, world.items[0], "cat", "cat")
    edit(world, Retire("label", 0))
    assert state_of(world, world.items[0])[:2] == ("agreed", "cat")


def test_boxes_migrate_with_their_classes(sqlite_ws):
    """Two people's boxes of merged classes are the same boxes."""
    world = make_world(
        sqlite_ws, task=Task.BOXES, policy=Policy(on_disagreement=OnDisagreement.LEAD)
    )
    for actor, label in zip(world.cast.experts[:2], ("cat", "dog"), strict=True):
        submit(
            world.ws, actor, world.slug,
            Submission(new_uuid(), world.items[0], "vote", boxes((1, 1, 20, 20), label=label)),
        )  # fmt: skip
    assert state_of(world, world.items[0])[0] == "dispute"
    edit(world, Merge("label", 1, 0), AddClass("label", "fox"))
    assert state_of(world, world.items[0])[0] == "agreed"
    with world.ws.store.read() as connection:
        (row,) = labels_in_force(connection, load_project(connection, world.slug))
    assert Answer.from_json(row.answer).regions == (Region("cat", 1, 1, 20, 20),)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_labels_are_the_same_whenever_the_classes_were_edited(sqlite_ws, order):
    """Votes before or after, in whatever order: the same labels, and a full resolve finds nothing."""
    world = make_world(sqlite_ws, policy=Policy(overlap=3))
    said = [("cat", "dog", "owl"), ("cat", "cat", "dog"), ("owl", "dog", "dog")]
    steps = [(actor, n) for n in order for actor in (world.cast.experts[n],)]
    for turn, (actor, n) in enumerate(steps):
        for item, labels in zip(world.items, said, strict=False):
            vote(world, actor, item, labels[n])
        if turn == order[0]:
            edit(world, Merge("label", 0, 1), Rename("label", 1, "pet"))
    found = [state_of(world, i)[:2] for i in world.items[:3]]
    assert found == [("agreed", "pet")] * 3
    again = resolve(world.ws, world.cast.lead, world.slug)
    assert again.changed == 0
    assert [state_of(world, i)[:2] for i in world.items[:3]] == found


def test_the_preview_counts_labels_that_keep_and_that_move(make):
    """Renaming keeps, merging moves; votes are counted beside; nothing is done."""
    world = make()
    for item, pair in zip(
        world.items, [("cat", "cat"), ("cat", "cat"), ("dog", "dog"), ("dog", "owl")], strict=False
    ):
        both(world, item, *pair)
    seen = preview_edit(
        world.ws, world.cast.lead, world.slug, [Rename("label", 0, "x"), Merge("label", 1, 2)]
    )
    assert (seen.kept, seen.moved, seen.votes_moved) == (2, 1, 3)
    assert [e.kind for e in seen.events] == ["rename", "merge"]
    assert get_project(world.ws, world.cast.lead, world.slug).schema_version == 1


def test_the_history_says_who_changed_what_when_and_why(make):
    """Schema, policy, guideline and queue plan in one list, the newest first, each with its difference."""
    world = make()
    world.ws.clock.advance(10)  # type: ignore[attr-defined]
    edit(world, Merge("label", 0, 1), Recolour("label", 2, "#010203"), reason="same animal")
    world.ws.clock.advance(10)  # type: ignore[attr-defined]
    set_policy(world.ws, world.cast.lead, world.slug, replace(Policy(), overlap=3), "safer")
    world.ws.clock.advance(10)  # type: ignore[attr-defined]
    example = [GuidelineExample(world.items[0], False, "blurred")]
    set_guideline(world.ws, world.cast.lead, world.slug, "Look.\nAgain.", "first words", example)
    world.ws.clock.advance(10)  # type: ignore[attr-defined]
    plan = new_plan("random", 0.1, 0.04, [("class", "", "dog", 2)])
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "measure")
    found = project_history(world.ws, world.cast.lead, world.slug)
    newest = {e.what: e for e in reversed(found)}
    assert [e.what for e in found[:4]] == ["queue", "guideline", "policy", "schema"]
    assert newest["queue"].changes == (
        "what comes first: least-confident → random", "share of blind items: 0.0 → 0.1",
        "+ Before all others (+2): items predicted 'dog'",
    )  # fmt: skip
    assert newest["schema"].changes == (
        "Label: merged 'cat' into 'dog'", "Label: 'owl' got the colour #010203 instead of #228833",
    )  # fmt: skip
    assert newest["policy"].changes == ("votes an item needs: 2 → 3",)
    assert newest["guideline"].changes[-3:] == (
        "+Look.", "+Again.", f"+ bad example, item {world.items[0]}: blurred",
    )  # fmt: skip
    assert {e.reason for e in newest.values()} == {"same animal", "safer", "first words", "measure"}
    assert newest["policy"].by == world.cast.lead.display_name
