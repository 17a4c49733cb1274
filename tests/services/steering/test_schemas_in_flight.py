"""Classes edited while people work: votes, drafts and what their authors saw."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.clock import new_uuid
from core.errors import InputError
from core.labels.operations import AddQuestion, Merge, Rename, Restore, Retire, Retitle
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_guideline
from core.store.tables import annotation_log, drafts
from tests.record import World, say, vote
from tests.services.steering.editing import edit


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
