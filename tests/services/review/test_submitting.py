"""Reviewing: votes, skips, flags, taking back, and what is said when refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.access import ANONYMOUS
from core.clock import FakeClock, new_uuid
from core.consensus.policy import Policy
from core.errors import (
    AlreadySubmitted,
    InputError,
    ItemClosed,
    LeaseLost,
    NotFound,
    NotSignedIn,
    StaleVersion,
    StoreUnavailable,
)
from core.labels import Answer
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.review.submission import Submission
from core.services.review.submitting import submit, submit_batch
from core.services.workspace import Workspace
from core.store.tables import annotation_log
from tests.record import (
    World,
    act,
    boxes,
    live_leases,
    live_votes,
    make_world,
    rule,
    say,
    state_of,
    vote,
)
from tests.services.review.looking import Make, draft_of, ids, rows


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


def test_recent_answers_are_ones_own(make: Make):
    """The list of latest answers holds nobody else's."""
    world = make(n_items=2)
    vote(world, world.cast.experts[0], world.items[0])
    vote(world, world.cast.experts[1], world.items[1])
    found = my_recent(world.ws, world.cast.experts[0], world.slug)
    assert [(r.item_id, r.kind, r.label) for r in found] == [(world.items[0], "vote", "cat")]
