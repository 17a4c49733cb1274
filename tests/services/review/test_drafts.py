"""Drafts: kept, restored, their owners' alone; a spoilt one keeps nobody from the queue."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from core.access import Role
from core.clock import new_uuid
from core.errors import Forbidden, InputError, LimitExceeded, NotFound
from core.labels import Answer
from core.labels.schema import Task
from core.server.decisions import item_json
from core.services.accounts.grants import revoke
from core.services.accounts.people import actor_of, operator
from core.services.review import drafts as keeping
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import drafts
from tests.record import World, boxes, say, vote
from tests.services.review.looking import Make, draft_of, rows


def test_a_draft_is_kept_restored_and_ended_by_the_vote(make: Make):
    """One draft a person and item; incomplete work is welcome; submitting ends it."""
    world = make(n_items=1, task=Task.BOXES)
    expert, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, expert, world.slug, item, boxes((1, 1, 9, 9)))
    saved_at = save_draft(world.ws, expert, world.slug, item, boxes((2, 2, 8, 8)))
    found = open_item(world.ws, expert, world.slug, item)
    assert (found.draft, found.draft_saved_at) == (boxes((2, 2, 8, 8)), saved_at)
    sent = Submission(new_uuid(), item, "vote", boxes((2, 2, 8, 8)))
    submit(world.ws, expert, world.slug, sent)
    assert draft_of(world, expert, item) is None


def test_a_draft_is_its_owners_alone(make: Make):
    """Nobody else, lead and admin included, is shown a draft (A5)."""
    world = make(n_items=1)
    save_draft(world.ws, world.cast.experts[0], world.slug, world.items[0], say("owl"))
    for other in (world.cast.experts[1], world.cast.lead, world.cast.manager, world.cast.admin):
        assert draft_of(world, other, world.items[0]) is None


def test_a_refused_answer_leaves_the_draft(make: Make):
    """An answer that does not fit changes nothing of what was kept before."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, expert, world.slug, item, say("owl"))
    with pytest.raises(InputError):
        vote(world, expert, item, "unicorn")
    assert draft_of(world, expert, item) == say("owl")


SPOILT = {
    '{"choices": {}, "regions": [{"label": "cat", "box": [NaN, 1, 2, 3]}, %s]}': 1,
    '{"choices": {}, "regions": [{"label": "cat", "box": [0, 0, Infinity, 1]}, %s]}': 1,
    '{"choices": {}, "regions": [{"label": "cat", "shape": "star", "box": [1, 1, 5, 5]}, %s, 7]}': 2,
    '{"choices": {"forged": "x"}, "multi": {"cat": [5], "also": ["dog"]}, "regions": [%s]}': 3,
}


@pytest.mark.parametrize("doc", SPOILT)
def test_a_spoilt_draft_keeps_nobody_from_the_queue(make: Make, doc: str):
    """What is good of it is there, what is not is counted, and the reply is JSON (F31, F41)."""
    world = make(n_items=2, task=Task.BOXES)
    expert, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, expert, world.slug, item, boxes((1, 1, 9, 9)))
    with world.ws.store.ephemeral() as connection:
        good = json.dumps({"label": "cat", "box": [1, 1, 9, 9]})
        connection.execute(update(drafts).values(doc=doc % good))
    found = open_item(world.ws, expert, world.slug, item)
    assert (found.draft, found.draft_dropped) == (boxes((1, 1, 9, 9)), SPOILT[doc])
    assert len(claim_items(world.ws, expert, world.slug, 2).items) == 2
    assert json.dumps(item_json(found), allow_nan=False)


@pytest.mark.parametrize("doc", ["", "{no", "[1]", "5", '{"regions": 5}', "[" * 100_000])
def test_of_a_draft_with_nothing_good_nothing_is_shown_but_that(make: Make, doc: str):
    """The pre-label and one's own answer come back in its place, with the count of what is lost."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, expert, world.slug, item, say("owl"))
    with world.ws.store.ephemeral() as connection:
        connection.execute(update(drafts).values(doc=doc))
    found = open_item(world.ws, expert, world.slug, item)
    assert (found.draft, found.draft_saved_at, found.draft_dropped) == (None, None, 1)


def test_a_draft_outlives_the_role(world: World):
    """Losing the role stops the next action; the draft stays in the record (F33)."""
    expert, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, expert, world.slug, item, say("owl"))
    revoke(world.ws, operator(world.ws), expert.person_id, Role.EXPERT, world.slug)
    with pytest.raises((Forbidden, NotFound)):
        vote(world, actor_of(world.ws, expert.person_id), item)
    assert rows(world, drafts) == 1


def test_nobody_fills_the_disk_with_drafts(make: Make, monkeypatch: pytest.MonkeyPatch):
    """A14: beyond a bound no further draft is kept, in words; those there can still be changed."""
    world = make(n_items=3)
    monkeypatch.setattr(keeping, "MAX_DRAFTS", 2)
    ann = world.cast.experts[0]
    for item in world.items[:2]:
        save_draft(world.ws, ann, world.slug, item, Answer({"label": "cat"}))
    with pytest.raises(LimitExceeded, match="at most 2 are kept"):
        save_draft(world.ws, ann, world.slug, world.items[2], Answer({"label": "cat"}))
    save_draft(world.ws, ann, world.slug, world.items[0], Answer({"label": "dog"}))
    kept = open_item(world.ws, ann, world.slug, world.items[0]).draft
    assert kept == Answer({"label": "dog"})
