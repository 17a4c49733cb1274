"""Reviewing: leases, drafts, votes, skips, flags, taking back, and what is said when refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from core.access import ANONYMOUS, Role
from core.clock import FakeClock, new_uuid
from core.consensus.policy import Policy
from core.errors import (
    AlreadySubmitted,
    Forbidden,
    InputError,
    ItemClosed,
    LeaseLost,
    LimitExceeded,
    NotFound,
    NotSignedIn,
    StaleVersion,
    StoreUnavailable,
)
from core.labels import Answer
from core.labels.schema import Task
from core.server.decisions import item_json
from core.services.accounts.grants import revoke
from core.services.accounts.people import actor_of, operator
from core.services.review import drafts as keeping
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item, release_items, renew_leases
from core.services.review.recent import my_recent
from core.services.review.submission import Submission
from core.services.review.submitting import submit, submit_batch
from core.services.workspace import Workspace
from core.store.tables import annotation_log, drafts
from tests.record import (
    World,
    act,
    add_items,
    boxes,
    live_leases,
    live_votes,
    make_world,
    rule,
    say,
    state_of,
    vote,
)

Make = Callable[..., World]


def ids(view) -> list[int]:
    return [i.item_id for i in view.items]


def rows(world: World, table=annotation_log) -> int:
    with world.ws.store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def draft_of(world: World, actor, item_id: int) -> Answer | None:
    return open_item(world.ws, actor, world.slug, item_id).draft


# --- leases -----------------------------------------------------------------------------------


def test_a_claim_leases_as_many_as_asked_and_counts_the_rest(make: Make):
    """Ten waiting, four asked for: four come, six wait."""
    world = make(n_items=10)
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 4)
    assert (len(view.items), view.waiting, view.empty_reason) == (4, 6, "")
    assert set(live_leases(world.ws)) == set(ids(view))


def test_no_more_people_than_places(make: Make):
    """With two votes wanted, a third person is offered nothing while two hold the item."""
    world = make(n_items=3)
    one, two, three, _ = world.cast.experts
    assert len(ids(claim_items(world.ws, one, world.slug, 3))) == 3
    assert len(ids(claim_items(world.ws, two, world.slug, 3))) == 3
    view = claim_items(world.ws, three, world.slug, 3)
    assert ids(view) == []
    assert "being looked at by others" in view.empty_reason


def test_a_lease_runs_out_by_itself(make: Make, clock: FakeClock):
    """Nothing has to clean up: when the time is over the place is free."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    claim_items(world.ws, one, world.slug, 1)
    claim_items(world.ws, two, world.slug, 1)
    clock.advance(world.ws.settings.lease_seconds)
    assert ids(claim_items(world.ws, three, world.slug, 1)) == world.items


def test_renewing_prolongs_only_what_is_still_held(make: Make, clock: FakeClock):
    """A renewed lease lives on; one that ran out is not revived."""
    world = make(n_items=2)
    expert = world.cast.experts[0]
    claim_items(world.ws, expert, world.slug, 2)
    clock.advance(world.ws.settings.lease_seconds - 1)
    assert renew_leases(world.ws, expert, world.slug, world.items[:1]) == 1
    clock.advance(2)
    assert set(live_leases(world.ws)) == {world.items[0]}
    assert renew_leases(world.ws, expert, world.slug, world.items) == 1


def test_nobody_prolongs_or_releases_the_lease_of_another(make: Make):
    """Renewing or giving back somebody else's items does nothing."""
    world = make(n_items=2)
    one, two, *_ = world.cast.experts
    claim_items(world.ws, one, world.slug, 2)
    assert renew_leases(world.ws, two, world.slug, world.items) == 0
    release_items(world.ws, two, world.slug, world.items)
    assert len(live_leases(world.ws)) == 2
    release_items(world.ws, one, world.slug, world.items)
    assert live_leases(world.ws) == {}


def test_own_leases_come_back_first_and_excluded_ones_do_not(make: Make):
    """A reload shows what one holds; what the client has is renewed but not sent again."""
    world = make(n_items=6)
    expert = world.cast.experts[0]
    first = ids(claim_items(world.ws, expert, world.slug, 3))
    assert set(ids(claim_items(world.ws, expert, world.slug, 3))) == set(first)
    more = ids(claim_items(world.ws, expert, world.slug, 3, exclude=first))
    assert len(more) == 3
    assert not set(more) & set(first)


def test_nobody_hoards(world: World):
    """Neither claims nor permalinks give more leases than the cap (A15)."""
    more = add_items(world.ws, world.project, 140, first=100)
    expert = world.cast.experts[0]
    cap = world.ws.settings.lease_cap
    claim_items(world.ws, expert, world.slug, 1000)
    for item in more:
        open_item(world.ws, expert, world.slug, item)
    assert len(live_leases(world.ws)) == cap


def test_the_clock_going_back_gives_no_place_twice(make: Make, clock: FakeClock):
    """An hour back (F30): leases live longer, but no third person gets in."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    claim_items(world.ws, one, world.slug, 1)
    claim_items(world.ws, two, world.slug, 1)
    clock.advance(-3600)
    assert ids(claim_items(world.ws, three, world.slug, 1)) == []


def test_an_empty_project_says_who_fills_it(make: Make):
    """Why nothing is there is a sentence."""
    world = make(n_items=0)
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 5)
    assert "no items yet" in view.empty_reason


def test_an_unknown_order_is_refused(world: World):
    """An order is one of a few."""
    with pytest.raises(InputError, match="Unknown order"):
        claim_items(world.ws, world.cast.experts[0], world.slug, 1, order="1; drop table")


# --- voting -----------------------------------------------------------------------------------


def test_two_equal_votes_settle_an_item(make: Make):
    """Agreement gives the label, closes the item and ends the leases."""
    world = make(n_items=1)
    item = world.items[0]
    claim_items(world.ws, world.cast.experts[0], world.slug, 1)
    assert vote(world, world.cast.experts[0], item).status == "saved"
    assert state_of(world, item) == ("open", None, 1, 2)
    vote(world, world.cast.experts[1], item)
    assert state_of(world, item)[:3] == ("agreed", "cat", 2)
    assert live_leases(world.ws) == {}


def test_a_resend_changes_nothing(make: Make):
    """The same UUID again: the same receipt, no new row, even after the item was settled."""
    world = make(n_items=1)
    item, uuid = world.items[0], new_uuid()
    first = vote(world, world.cast.experts[0], item, uuid=uuid)
    before = rows(world)
    again = vote(world, world.cast.experts[0], item, uuid=uuid)
    assert (again.status, again.revision, rows(world)) == ("already-saved", first.revision, before)
    vote(world, world.cast.experts[1], item)
    before = rows(world)
    assert vote(world, world.cast.experts[0], item, "dog", uuid=uuid).status == "already-saved"
    assert rows(world) == before
    assert state_of(world, item)[1] == "cat"


def test_a_uuid_of_somebody_else_is_refused(world: World):
    """Replaying another person's submission gives nothing (A3)."""
    uuid = new_uuid()
    vote(world, world.cast.experts[0], world.items[0], uuid=uuid)
    with pytest.raises(InputError, match="belongs to another"):
        vote(world, world.cast.experts[1], world.items[0], uuid=uuid)


def test_two_tabs_give_one_vote(make: Make):
    """The second tab hears that an answer stands, and its own is kept as a draft (F27)."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    vote(world, expert, item, "cat")
    with pytest.raises(AlreadySubmitted, match="answered this item already"):
        vote(world, expert, item, "dog")
    assert live_votes(world.ws) == {item: {expert.person_id}}
    found = open_item(world.ws, expert, world.slug, item)
    assert (found.mine, found.draft) == (say("cat"), say("dog"))


def test_a_change_based_on_an_old_revision_is_refused(make: Make):
    """Changed in one tab, the other's change is stale and names both revisions."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    vote(world, expert, item, "cat")
    assert vote(world, expert, item, "dog", base=1).revision == 2
    with pytest.raises(StaleVersion, match=r"revision 1, now it is 2"):
        vote(world, expert, item, "owl", base=1)
    assert open_item(world.ws, expert, world.slug, item).mine == say("dog")


def test_a_late_vote_is_taken_where_a_place_is_free(make: Make, clock: FakeClock):
    """The lease ran out while drawing, but nobody came: the vote is welcome (F29)."""
    world = make(n_items=1)
    claim_items(world.ws, world.cast.experts[0], world.slug, 1)
    clock.advance(world.ws.settings.lease_seconds + 1)
    assert vote(world, world.cast.experts[0], world.items[0]).status == "saved"


def test_a_late_vote_without_a_place_is_kept_as_a_draft(make: Make, clock: FakeClock):
    """The lease ran out and others hold every place: refused in words, the work is kept (F29)."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    item = world.items[0]
    claim_items(world.ws, one, world.slug, 1)
    clock.advance(world.ws.settings.lease_seconds + 1)
    claim_items(world.ws, two, world.slug, 1)
    claim_items(world.ws, three, world.slug, 1)
    with pytest.raises(LeaseLost, match="kept as a draft"):
        vote(world, one, item, "owl")
    assert draft_of(world, one, item) == say("owl")
    assert live_votes(world.ws) == {}


def test_a_vote_on_a_settled_item_is_refused_and_kept_as_a_draft(make: Make):
    """Two agreed meanwhile: the third hears so, and loses nothing."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    item = world.items[0]
    vote(world, one, item)
    vote(world, two, item)
    with pytest.raises(ItemClosed, match="it is agreed"):
        vote(world, three, item, "dog")
    assert draft_of(world, three, item) == say("dog")
    assert len(live_votes(world.ws)[item]) == 2


@pytest.mark.parametrize("kind", ["skip", "flag"])
def test_a_place_given_up_is_not_taken_back_by_changing_the_answer(make: Make, kind: str):
    """Who skipped or flagged holds no place: a vote later needs a free one like anybody's."""
    world = make(n_items=1, policy=Policy(overlap=1, max_votes=1))
    one, two, *_ = world.cast.experts
    item = world.items[0]
    act(world, one, item, kind)
    if kind == "flag":
        rule(world, world.cast.lead, item, "send-back")
    vote(world, two, item)
    with pytest.raises(ItemClosed):
        vote(world, one, item, "dog", base=1)
    assert live_votes(world.ws) == {item: {two.person_id}}


def test_taking_back_a_skip_gives_no_place_that_others_hold(make: Make):
    """After a skip others took every place: undoing it adds no third lease."""
    world = make(n_items=1)
    one, two, three, _ = world.cast.experts
    item = world.items[0]
    act(world, one, item, "skip")
    claim_items(world.ws, two, world.slug, 1)
    claim_items(world.ws, three, world.slug, 1)
    act(world, one, item, "withdraw", base=1)
    assert live_leases(world.ws) == {item: {two.person_id, three.person_id}}


def test_undo_and_redo(make: Make):
    """A vote is taken back, the item is held again, and a fresh vote counts once."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    vote(world, expert, item, "cat")
    assert act(world, expert, item, "withdraw", base=1).revision == 2
    assert live_votes(world.ws) == {}
    assert live_leases(world.ws) == {item: {expert.person_id}}
    found = open_item(world.ws, expert, world.slug, item)
    assert (found.mine, found.mine_kind, found.revision) == (None, "withdraw", 2)
    assert vote(world, expert, item, "dog", base=2).revision == 3
    assert state_of(world, item) == ("open", None, 1, 2)
    with pytest.raises(StaleVersion, match="changed elsewhere"):
        act(world, expert, item, "withdraw", base=1)


def test_taking_back_reopens_a_settled_item(make: Make):
    """One of two agreeing votes goes: the item waits for a vote again."""
    world = make(n_items=1)
    item = world.items[0]
    vote(world, world.cast.experts[0], item)
    vote(world, world.cast.experts[1], item)
    act(world, world.cast.experts[1], item, "withdraw", base=1)
    assert state_of(world, item) == ("open", None, 1, 2)


def test_nothing_to_take_back_is_said(world: World):
    """Withdrawing without an answer is refused."""
    with pytest.raises(StaleVersion, match="no answer of yours"):
        act(world, world.cast.experts[0], world.items[0], "withdraw")


def test_a_skip_is_no_vote_and_the_item_does_not_come_back(make: Make):
    """A skipped item leaves one's own queue and keeps its places for others."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    claim_items(world.ws, expert, world.slug, 1)
    act(world, expert, item, "skip", reason="unsure")
    assert state_of(world, item) == ("open", None, 0, 2)
    view = claim_items(world.ws, expert, world.slug, 1)
    assert ids(view) == []
    assert "somebody else's vote" in view.empty_reason


def test_a_flag_needs_a_reason_and_calls_a_lead(make: Make):
    """A flag makes a dispute at once; without a reason it is refused."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    with pytest.raises(InputError, match="needs a reason"):
        submit(world.ws, expert, world.slug, Submission(new_uuid(), item, "flag"))
    act(world, expert, item, "flag", reason="two animals")
    assert state_of(world, item)[0] == "dispute"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "approve"}, "Unknown kind"),
        ({"uuid": "short"}, "UUID of its own"),
        ({"reason": "x" * 3000}, "3000 characters"),
        ({"answer": None}, "needs an answer"),
        ({"answer": Answer({"label": "unicorn"})}, "Unknown class 'unicorn'"),
        ({"answer": Answer({})}, "No answer yet to: label"),
        ({"answer": boxes((0, 0, 5, 5))}, "No answer yet|takes no boxes"),
        ({"prelabel_seq": 12345}, "Prediction 12345 is not one"),
    ],
    ids=["kind", "uuid", "reason", "none", "class", "empty", "boxes", "prelabel"],
)
def test_what_does_not_fit_is_refused_in_words(ws: Workspace, change: dict, words: str):
    """Nothing of a submission that does not fit is stored."""
    world = make_world(ws, n_items=1)
    sent = Submission(new_uuid(), world.items[0], "vote", say("cat"))
    with pytest.raises(InputError, match=words):
        submit(world.ws, world.cast.experts[0], world.slug, replace(sent, **change))
    assert rows(world) == 0


def test_times_that_make_no_sense_are_not_kept(world: World):
    """A negative, endless or undefined duration is stored as none or cut."""
    given = [(-5.0, 0.0), (float("nan"), 0.0), (float("inf"), 0.0), (1e9, 4 * 3600.0)]
    for (seconds, kept), item in zip(given, world.items, strict=False):
        sent = Submission(
            new_uuid(), item, "vote", say("cat"), active_seconds=seconds, started_at=float("nan")
        )
        submit(world.ws, world.cast.experts[0], world.slug, sent)
        with world.ws.store.read() as connection:
            row = connection.execute(
                select(annotation_log).where(annotation_log.c.item_id == item)
            ).one()
        assert (row.active_seconds, row.started_at) == (kept, None)


def test_one_bad_row_stops_no_other(make: Make):
    """A batch gives a receipt for each; the bad one says why."""
    world = make(n_items=3)
    good, bad = say("cat"), say("unicorn")
    sent = [
        Submission(f"uuid-{i}-{new_uuid()}", item, "vote", bad if i == 1 else good)
        for i, item in enumerate(world.items)
    ]
    receipts = submit_batch(world.ws, world.cast.experts[0], world.slug, sent)
    assert [r.status for r in receipts] == ["saved", "refused", "saved"]
    assert (receipts[1].code, receipts[1].uuid) == ("INPUT", sent[1].uuid)
    assert len(live_votes(world.ws)) == 2


def test_a_batch_of_nobody_or_of_a_disabled_account_is_refused_whole(world: World):
    """The client must keep everything, so this is an error and no receipt."""
    sent = [Submission(new_uuid(), world.items[0], "vote", say("cat"))]
    for actor in (ANONYMOUS, replace(world.cast.experts[0], active=False)):
        with pytest.raises(NotSignedIn):
            submit_batch(world.ws, actor, world.slug, sent)
    assert rows(world) == 0


def test_a_record_that_fails_in_the_middle_of_a_batch_is_an_error_not_a_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """A busy record must not make the client drop a vote; what was saved stays saved."""
    store, calls = type(world.ws.store), []
    write = store.write

    def failing(self):
        calls.append(1)
        if len(calls) == 2:
            raise StoreUnavailable("The record was busy.")
        return write(self)

    monkeypatch.setattr(store, "write", failing)
    sent = [Submission(new_uuid(), i, "vote", say("cat")) for i in world.items[:3]]
    with pytest.raises(StoreUnavailable):
        submit_batch(world.ws, world.cast.experts[0], world.slug, sent)
    monkeypatch.setattr(store, "write", write)
    receipts = submit_batch(world.ws, world.cast.experts[0], world.slug, sent)
    assert [r.status for r in receipts] == ["already-saved", "saved", "saved"]


def test_an_item_of_another_project_is_not_found(make: Make):
    """Changing the number in the address leads nowhere, and tells nothing (A1)."""
    world = make(n_items=1)
    other = make_world(world.ws, n_items=1, slug="plants")
    for item in (other.items[0], 10**12):
        with pytest.raises(NotFound, match=f"no item {item}"):
            vote(world, world.cast.experts[0], item)
        with pytest.raises(NotFound):
            open_item(world.ws, world.cast.experts[0], world.slug, item)
        with pytest.raises(NotFound):
            save_draft(world.ws, world.cast.experts[0], world.slug, item, say("cat"))


# --- drafts -----------------------------------------------------------------------------------


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


def test_recent_answers_are_ones_own(make: Make):
    """The list of latest answers holds nobody else's."""
    world = make(n_items=2)
    vote(world, world.cast.experts[0], world.items[0])
    vote(world, world.cast.experts[1], world.items[1])
    found = my_recent(world.ws, world.cast.experts[0], world.slug)
    assert [(r.item_id, r.kind, r.label) for r in found] == [(world.items[0], "vote", "cat")]


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
