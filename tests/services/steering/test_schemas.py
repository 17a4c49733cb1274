"""Steering classes and guideline: versions, migrated labels, stale models, examples, history."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import insert, select

from core.access import Actor
from core.analytics.questions import confusion, per_class_accuracy, person_table, vote_table
from core.analytics.replica import Replica
from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import Forbidden, InputError, StaleVersion
from core.labels import Answer, Region
from core.labels.operations import (
    AddClass,
    AddQuestion,
    Merge,
    Recolour,
    Rename,
    Restore,
    Retire,
    Retitle,
)
from core.labels.schema import Task
from core.services.consensus.resolve import resolve
from core.services.items.why import explain
from core.services.models.datasets import labels_in_force
from core.services.models.prelabels import Prediction, store_predictions
from core.services.models.promotion import list_models
from core.services.projects.project import GuidelineExample, ProjectView, get_project, load_project
from core.services.projects.queue_plans import get_queue_plan, new_plan, set_queue_plan
from core.services.review.disputes import get_dispute
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.history import project_history
from core.services.steering.rules import example_of, set_guideline, set_policy
from core.services.steering.schemas import edit_schema, preview_edit
from core.services.transfer.exports import export_data
from core.store.tables import (
    annotation_log,
    audit,
    dataset_versions,
    drafts,
    final_labels,
    gold_answers,
    imported_labels,
    item_state,
    models,
    schema_events,
    schemas,
)
from tests.record import World, add_items, boxes, make_world, rule, say, state_of, vote


def edit(world: World, *operations, base: int | None = None, reason: str = "why") -> ProjectView:
    """Edit the classes as the lead who looks at the version in force."""
    now = get_project(world.ws, world.cast.lead, world.slug).schema_version
    return edit_schema(
        world.ws, world.cast.lead, world.slug, operations, reason, now if base is None else base
    )


def both(world: World, item: int, first: str, second: str) -> None:
    """Let two people vote on an item."""
    vote(world, world.cast.experts[0], item, first)
    vote(world, world.cast.experts[1], item, second)


def label_of_final(world: World, item: int) -> tuple[str | None, int]:
    with world.ws.store.read() as connection:
        row = connection.execute(
            select(final_labels).where(final_labels.c.item_id == item)
            .order_by(final_labels.c.seq.desc())
        ).first()  # fmt: skip
    return row.label, row.schema_version


# --- one version ------------------------------------------------------------------------------


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


# --- labels migrate ---------------------------------------------------------------------------


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


# --- work in flight ---------------------------------------------------------------------------


def test_a_vote_made_under_an_old_name_counts_under_the_new(world: World):
    """Renamed or merged meanwhile: it is taken and means today's class."""
    edit(world, Rename("label", 0, "feline"), Merge("label", 1, 2))
    assert vote(world, world.cast.experts[0], world.items[0], "cat").status == "saved"
    assert vote(world, world.cast.experts[0], world.items[1], "dog").status == "saved"
    assert my_recent(world.ws, world.cast.experts[0], world.slug)[0].label == "owl"


def test_a_vote_for_a_class_retired_meanwhile_is_refused_and_kept_as_a_draft(make):
    """The sentence says so, the answer is the draft, and another class can be sent."""
    world = make()
    actor, item = world.cast.experts[0], world.items[0]
    open_item(world.ws, actor, world.slug, item)
    edit(world, Retire("label", 0))
    with pytest.raises(InputError, match="'cat' was retired and can no longer be chosen"):
        vote(world, actor, item, "cat")
    assert open_item(world.ws, actor, world.slug, item).draft == say("cat")
    assert vote(world, actor, item, "dog").status == "saved"


def test_a_vote_without_the_answer_to_a_question_asked_meanwhile_is_kept(world: World):
    """What was answered stays in the draft; only the new question is open."""
    actor, item = world.cast.experts[0], world.items[0]
    edit(world, AddQuestion("sex", "Sex", ("f", "m")))
    with pytest.raises(InputError, match="No answer yet to: sex"):
        vote(world, actor, item, "cat")
    assert open_item(world.ws, actor, world.slug, item).draft == say("cat")


def test_a_draft_survives_every_edit(world: World):
    """Renamed, merged or retired: the draft is there, in today's names."""
    actor, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, actor, world.slug, item, say("cat"))
    edit(world, Rename("label", 0, "feline"))
    assert open_item(world.ws, actor, world.slug, item).draft == say("feline")
    edit(world, Retire("label", 0))
    assert open_item(world.ws, actor, world.slug, item).draft == say("feline")
    edit(world, Restore("label", 0), Merge("label", 0, 2))
    assert open_item(world.ws, actor, world.slug, item).draft == say("owl")
    with world.ws.store.read() as connection:
        assert connection.execute(select(drafts.c.doc)).scalar() == say("cat").to_json()


@pytest.mark.parametrize(
    ("told", "kept"), [(None, 3), (1, 1), (2, 2), (3, 3), (99, 3), (0, 1), (-5, 1)]
)
def test_an_annotation_knows_the_versions_its_author_saw(world: World, told, kept):
    """What the deck held, never newer than what is in force."""
    for text in ("one", "two"):
        set_guideline(world.ws, world.cast.lead, world.slug, text, "clearer")
        edit(world, Retitle("label", text))
    sent = Submission(
        new_uuid(), world.items[0], "vote", say("cat"), schema_version=told, guideline_version=told
    )
    submit(world.ws, world.cast.experts[0], world.slug, sent)
    with world.ws.store.read() as connection:
        row = connection.execute(select(annotation_log)).one()
    assert (row.schema_version, row.guideline_version) == (kept, kept)


# --- figures ----------------------------------------------------------------------------------


def furnish_figures(world: World) -> None:
    """Write predictions and gold beside the votes, so that every figure has something to say."""
    said = ["cat", "dog", "owl", "cat", "dog", "owl"]
    with world.ws.store.write() as connection:
        store_predictions(
            connection, load_project(connection, world.slug),
            [Prediction(i, say(s), 0.6) for i, s in zip(world.items, said, strict=True)], "m", 1.0,
        )  # fmt: skip
        connection.execute(
            insert(gold_answers),
            [{"project_id": world.project.id, "item_id": i, "label": "cat",
              "answer": say("cat").to_json(), "batch_id": None, "at": 1.0}
             for i in world.items],
        )  # fmt: skip
    for item, pair in zip(
        world.items, [("cat", "cat"), ("dog", "dog"), ("cat", "dog"), ("owl", "owl"),
                      ("cat", "cat"), ("dog", "cat")], strict=True,
    ):  # fmt: skip
        both(world, item, *pair)


def figures(replica: Replica, project: int) -> dict[str, object]:
    """Return the figures that compare labels, the classes themselves left out."""
    replica.catch_up()
    found: dict[str, object] = {}
    for whose in ("model", "people"):
        for against in ("final", "gold"):
            of = per_class_accuracy(replica, project, whose, against).classes
            found[f"{whose}/{against}"] = sorted((r.n, r.correct) for r in of)
            cells = confusion(replica, project, whose, against).cells
            found[f"{whose}/{against}/cells"] = sorted((c.truth == c.said, c.n) for c in cells)
    people = person_table(replica, project)
    found["people"] = [(p.person, p.votes, p.gold_n, p.gold_correct) for p in people]
    table = vote_table(replica, project)
    found["votes"] = sorted(zip(table.item_id.tolist(), table.person_id.tolist(), strict=True))
    return found


@pytest.mark.parametrize("fresh", [True, False], ids=["rebuilt", "caught-up"])
def test_a_rename_changes_no_figure(make, fresh):
    """Accuracy, confusion, gold and agreement are those of before, whether copied anew or not."""
    world = make()
    furnish_figures(world)
    replica = Replica(world.ws.store)
    before = figures(replica, world.project.id)
    edit(world, Rename("label", 0, "feline"), Rename("label", 1, "hound"))
    if fresh:
        replica.rebuild()
    after = figures(replica, world.project.id)
    names = {c.truth for c in confusion(replica, world.project.id, "people", "final").cells}
    replica.close()
    assert after == before
    assert names <= {"feline", "hound", "owl"}


def test_a_merge_counts_both_classes_as_one(make):
    """What differed only by the two classes is right now; everything else is as it was."""
    world = make()
    furnish_figures(world)
    replica = Replica(world.ws.store)
    replica.catch_up()
    edit(world, Merge("label", 1, 0))
    edit(world, Rename("label", 0, "pet"))
    replica.catch_up()
    table = vote_table(replica, world.project.id)
    rows = {r.name: (r.n, r.correct) for r in
            per_class_accuracy(replica, world.project.id, "model", "gold").classes}  # fmt: skip
    people = {p.person: (p.gold_n, p.gold_correct) for p in person_table(replica, world.project.id)}
    replica.close()
    assert table.names == ("owl", "pet")
    assert rows == {"pet": (6, 4)}
    assert set(people.values()) == {(6, 5)}


# --- what it touches --------------------------------------------------------------------------


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


# --- models -----------------------------------------------------------------------------------


def add_model(world: World, schema_version: int) -> None:
    """Register a model as if it had been trained under a schema version."""
    from core.jobs.rows import create_job

    with world.ws.store.write() as connection:
        job = create_job(connection, world.project.id, "train", {}, world.cast.lead.person_id, 1.0)
        version = connection.execute(
            dataset_versions.insert().returning(dataset_versions.c.id),
            {"project_id": world.project.id, "name": f"v{job}", "hash": "h", "folder": "f",
             "n_items": 1, "by_id": world.cast.lead.person_id, "at": 1.0},
        ).scalar_one()  # fmt: skip
        connection.execute(
            models.insert(),
            {"project_id": world.project.id, "job_id": job, "dataset_version_id": version,
             "backbone": "tiny", "folder": "f", "report": "{}",
             "schema_version": schema_version, "at": 1.0},
        )  # fmt: skip


def test_models_trained_before_a_class_came_or_went_are_stale(world: World):
    """A rename makes none stale; adding, retiring and merging do, and the sentence says what."""
    add_model(world, 1)
    edit(world, Rename("label", 0, "feline"), Recolour("label", 1, "#000000"))
    (model,) = list_models(world.ws, world.cast.lead, world.slug)
    assert not model.stale
    edit(world, AddClass("label", "fox"), Merge("label", 1, 0))
    add_model(world, 3)
    new, old = list_models(world.ws, world.cast.lead, world.slug)
    assert not new.stale
    assert "schema version 1 then, 3 now" in old.stale_because
    assert "'dog' was merged into 'feline'; 'fox' was added" in old.stale_because


def test_predictions_of_an_older_model_are_read_in_todays_names(world: World):
    """The pre-label on screen and the class in the queue follow the rename."""
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[0], say("cat"), 0.4)], "m", 1
        )
    edit(world, Rename("label", 0, "feline"))
    seen = open_item(world.ws, world.cast.experts[0], world.slug, world.items[0]).prelabel
    assert seen is not None
    assert (seen.label, seen.answer) == ("feline", say("feline"))
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[1], say("cat"), 0.4)], "m", 1
        )
    seen = open_item(world.ws, world.cast.experts[0], world.slug, world.items[1]).prelabel
    assert seen is not None
    assert seen.label == "feline"


def test_a_boost_of_a_class_follows_its_name(world: World):
    """What a lead moved forward stays in front under the new name, and the plan reads so."""
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[5], say("cat"), 0.9)], "m", 1
        )
    plan = new_plan("least-confident", 0.0, 0.0, [("class", "", "cat", 5)])
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "cats first")
    edit(world, Merge("label", 0, 1))
    edit(world, Rename("label", 1, "pet"))
    now = get_queue_plan(world.ws, world.cast.lead, world.slug).plan
    assert [b.value for b in now.boosts] == ["pet"]
    with world.ws.store.read() as connection:
        row = connection.execute(
            select(item_state).where(item_state.c.item_id == world.items[5])
        ).one()
    assert (row.predicted, row.boost) == ("pet", 5)


# --- guideline --------------------------------------------------------------------------------


def test_examples_belong_to_a_guideline_version(make):
    """They are read back with name and picture; a new text keeps them; the same changes nothing."""
    world = make()
    chosen = [
        GuidelineExample(world.items[1], True, "sharp"),
        GuidelineExample(world.items[0], False, ""),
    ]
    now = set_guideline(world.ws, world.cast.lead, world.slug, "Look.", "first", chosen)
    assert [(e.item_id, e.good, e.note, e.name) for e in now.guideline_examples] == [
        (world.items[1], True, "sharp", "00001.png"), (world.items[0], False, "", "00000.png"),
    ]  # fmt: skip
    assert now.guideline_examples[0].image.startswith(f"/files/item/{world.items[1]}?v=")
    later = set_guideline(world.ws, world.cast.lead, world.slug, "Look twice.", "clearer")
    assert (later.guideline_version, later.guideline_examples) == (3, now.guideline_examples)
    same = set_guideline(world.ws, world.cast.lead, world.slug, "Look twice.", "again", chosen)
    assert same.guideline_version == 3


def test_what_may_not_be_an_example_is_refused(world: World):
    """Items of other projects, of evaluation, and gold: their answers are to be found out."""
    other = make_world(world.ws, n_items=1, slug="plants")
    (evaluate,) = add_items(world.ws, world.project, 1, use="evaluate", first=50)
    with world.ws.store.write() as connection:
        connection.execute(
            insert(gold_answers),
            {"project_id": world.project.id, "item_id": world.items[2], "label": "cat",
             "answer": say("cat").to_json(), "batch_id": None, "at": 1.0},
        )  # fmt: skip

    def refused(*ids: int) -> str:
        with pytest.raises(InputError) as error:
            set_guideline(
                world.ws, world.cast.lead, world.slug, "x", "y",
                [GuidelineExample(i, True, "") for i in ids],
            )  # fmt: skip
        return str(error.value)

    assert f"no item {other.items[0]} in this project" in refused(other.items[0])
    assert "no item 123456" in refused(123456)
    assert "drawn for evaluation" in refused(evaluate)
    assert "gold item" in refused(world.items[2])
    assert "twice" in refused(world.items[0], world.items[0])
    assert "24 examples" in refused(*world.items, *range(900, 930))
    assert get_project(world.ws, world.cast.lead, world.slug).guideline_version == 1


def test_an_example_is_found_by_name_and_by_number(world: World):
    """As the Items page shows them; what is not there is said."""
    lead: Actor = world.cast.lead
    assert example_of(world.ws, lead, world.slug, " 00003.png ").item_id == world.items[3]
    assert example_of(world.ws, lead, world.slug, f"#{world.items[3]}").name == "00003.png"
    assert example_of(world.ws, lead, world.slug, "00003").item_id == world.items[3]
    with pytest.raises(InputError, match="There is no item '0000'") as many:
        example_of(world.ws, lead, world.slug, "0000")
    assert many.value.advice.count(".png") == 5
    for asked in ("nothing.png", "", "9" * 30, "²"):
        with pytest.raises(InputError, match="There is no item"):
            example_of(world.ws, lead, world.slug, asked)


# --- history ----------------------------------------------------------------------------------


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
