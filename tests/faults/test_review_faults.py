"""Faults while reviewing: F31, F32, F34, F35, a full disk on submit, clocks that jump (F30)."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.access import Actor
from core.clock import FakeClock, new_uuid
from core.errors import InputError, ItemClosed, StorageError
from core.labels import Answer
from core.labels.operations import AddQuestion, Merge, Operation, Rename, Retire
from core.services.projects.project import get_project
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.submission import Receipt, Submission
from core.services.review.submitting import submit, submit_batch
from core.services.steering.schemas import edit_schema
from core.services.workspace import open_workspace
from core.store.tables import annotation_log
from tests.pages.conftest import furnished, house
from tests.pages.house import House
from tests.processes import ended, pipe, start
from tests.record import World, live_votes, make_world, rule, say, vote
from tests.server.conftest import SAME_SITE, Enter, client, enter

__all__ = ["client", "enter", "furnished", "house"]


def edit(world: World, *operations: Operation) -> None:
    """Change the classes as the lead who looks at the version in force."""
    now = get_project(world.ws, world.cast.lead, world.slug).schema_version
    edit_schema(world.ws, world.cast.lead, world.slug, operations, "meanwhile", now)


def drafted(world: World, who: Actor, item: int) -> Answer | None:
    """Return the draft a person finds on opening an item."""
    return open_item(world.ws, who, world.slug, item).draft


# --- F34: the classes change while somebody decides -------------------------------------------


def test_a_vote_under_a_former_name_counts_as_todays(make):
    """F34: renamed and merged meanwhile: what was in the outbox is saved in today's names."""
    world = make()
    who, (first, second, *_) = world.cast.experts[0], world.items
    claim_items(world.ws, who, world.slug)
    edit(world, Rename("label", 0, "feline"), Merge("label", 1, 2))
    assert vote(world, who, first, "cat").status == "saved"
    assert vote(world, who, second, "dog").status == "saved"
    said = [open_item(world.ws, who, world.slug, i).mine for i in (first, second)]
    assert [a and a.choices for a in said] == [{"label": "feline"}, {"label": "owl"}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Retire("label", 0), "retired"),
        (AddQuestion("colour", "Which colour?", ("red", "blue")), "No answer yet to: colour"),
    ],
    ids=["retired", "question added"],
)
def test_a_vote_that_no_longer_fits_is_kept_as_a_draft(make, change: Operation, words: str):
    """F34: refused in words; the answer comes back with the item, nothing else of the batch is held up."""
    world = make()
    who, (first, second, *_) = world.cast.experts[0], world.items
    claim_items(world.ws, who, world.slug)
    edit(world, change)
    sent = [
        Submission(new_uuid(), first, "vote", say("cat"), schema_version=1),
        Submission(new_uuid(), second, "skip", reason="unsure"),
    ]
    refused, saved = submit_batch(world.ws, who, world.slug, sent)
    assert (refused.status, saved.status) == ("refused", "saved")
    assert words in refused.message
    assert refused.advice
    assert drafted(world, who, first) == say("cat")
    assert live_votes(world.ws) == {}


def test_a_draft_of_a_class_renamed_meanwhile_is_given_in_todays_name(make):
    """F34, B108: an older draft opens, translated; of a class merged away too."""
    world = make()
    who, (first, second, *_) = world.cast.experts[0], world.items
    save_draft(world.ws, who, world.slug, first, say("cat"))
    save_draft(world.ws, who, world.slug, second, say("dog"))
    edit(world, Rename("label", 0, "feline"), Merge("label", 1, 2))
    assert drafted(world, who, first) == say("feline")
    assert drafted(world, who, second) == say("owl")


def test_an_item_discarded_during_the_edit_takes_no_vote_and_loses_no_work(make):
    """F34: a lead discarded it: ItemClosed, the answer is the person's draft, and it opens still."""
    world = make()
    late, item = world.cast.experts[2], world.items[0]
    claim_items(world.ws, late, world.slug, 1)
    for who, label in zip(world.cast.experts, ("cat", "dog"), strict=False):
        vote(world, who, item, label)
    rule(world, world.cast.lead, item, "discard")
    with pytest.raises(ItemClosed):
        submit(world.ws, late, world.slug, Submission(new_uuid(), item, "vote", say("owl")))
    found = open_item(world.ws, late, world.slug, item)
    assert (found.draft, found.can_vote) == (say("owl"), False)
    assert found.notice


# --- F35, F26: more than one effect of one key ------------------------------------------------


def test_ten_clicks_a_second_have_one_effect_per_key(make):
    """F35: one decision sent ten times at once is one vote with one receipt; ten decisions are ten."""
    world = make(n_items=10)
    who = world.cast.experts[0]
    claim_items(world.ws, who, world.slug, 10)
    once = Submission(new_uuid(), world.items[0], "vote", say("cat"))
    others = [Submission(new_uuid(), i, "vote", say("dog")) for i in world.items[1:]]

    def send(sent: Submission) -> Receipt:
        return submit_batch(world.ws, who, world.slug, [sent])[0]

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(send, [once] * 10 + others))
    assert sorted(r.status for r in receipts[:10]) == ["already-saved"] * 9 + ["saved"]
    assert {r.status for r in receipts[10:]} == {"saved"}
    assert len(live_votes(world.ws)) == 10


def test_ten_answers_at_once_to_one_item_leave_one(make):
    """F35, F27: the others hear that it stands; the last of them is a draft, none is half there."""
    world = make()
    who, item = world.cast.experts[0], world.items[0]
    sent = [Submission(new_uuid(), item, "vote", say(n)) for n in ("cat", "dog", "owl") * 3]
    with ThreadPoolExecutor(8) as pool:
        receipts = [
            r for [r] in pool.map(lambda s: submit_batch(world.ws, who, world.slug, [s]), sent)
        ]
    assert sorted({r.status for r in receipts}) == ["refused", "saved"]
    assert [r.status for r in receipts].count("saved") == 1
    assert {r.code for r in receipts if r.status == "refused"} == {"ALREADY_SUBMITTED"}
    assert live_votes(world.ws) == {item: {who.person_id}}
    assert drafted(world, who, item) is not None


# --- F31: the browser is gone -----------------------------------------------------------------


def test_a_draft_outlives_browser_process_and_a_nights_sleep(world: World, clock: FakeClock):
    """F31: nothing is said goodbye to; the next day another process gives item and draft back."""
    who, item = world.cast.experts[0], world.items[0]
    open_item(world.ws, who, world.slug, item)
    save_draft(world.ws, who, world.slug, item, say("owl"))
    clock.now += 86_400
    again = open_workspace(world.ws.root, clock)  # the first was never closed
    try:
        found = open_item(again, who, world.slug, item)
        assert (found.draft, found.can_vote) == (say("owl"), True)
        [receipt] = submit_batch(
            again, who, world.slug, [Submission(new_uuid(), item, "vote", found.draft)]
        )
        assert receipt.status == "saved"
        assert open_item(again, who, world.slug, item).draft is None
    finally:
        again.store.close()


def test_a_vote_keeps_its_place_whatever_the_clock_does(make, clock: FakeClock):
    """F30: the clock jumps back an hour, forward a day: of two answers the later one stands."""
    world = make()
    who, item = world.cast.experts[0], world.items[0]
    vote(world, who, item, "cat")
    clock.now -= 3600
    vote(world, who, item, "dog", base=1)
    clock.now += 86_400
    found = open_item(world.ws, who, world.slug, item)
    assert (found.mine, found.revision) == (say("dog"), 2)
    vote(world, world.cast.experts[1], item, "dog")
    assert open_item(world.ws, who, world.slug, item).state == "agreed"


def test_times_a_browser_invents_spoil_no_figure(make):
    """F30: a browser whose clock is mad: the decision is saved, its time at work stays within reason."""
    world = make()
    who = world.cast.experts[0]
    for item, started, active in zip(
        world.items, (1e300, -5.0, 0.0, 4e10), (1e300, -1.0, float("nan"), 7.0), strict=False
    ):
        sent = Submission(
            new_uuid(), item, "vote", say("cat"), started_at=started, active_seconds=active
        )
        assert submit(world.ws, who, world.slug, sent).status == "saved"
    with world.ws.store.read() as connection:
        longest = connection.execute(select(func.max(annotation_log.c.active_seconds))).scalar_one()
        starts = connection.execute(select(annotation_log.c.started_at)).scalars().all()
    assert longest <= 4 * 3600
    assert all(s is None or s <= world.ws.clock() for s in starts)


# --- F32: somebody else in the same tab -------------------------------------------------------


GETS = ("queue/leaves?count=2", "open/leaves/1", "about/leaves/1", "grid/leaves?classes=1")
POSTS = (
    "draft/leaves",
    "release/leaves",
    "renew/leaves",
    "comment/leaves",
    "grid/leaves",
    "grid/leaves/hold",
)


def test_a_page_of_another_person_gets_and_gives_nothing(enter: Enter, house: House):
    """F32: every route of the deck and the grid refuses a page that speaks for somebody else."""
    browser = enter("leo")
    theirs = {"Tiebreak-Person": str(house.people["ada"])}
    for path in GETS:
        reply = browser.get(f"/files/{path}", headers=theirs)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "OTHER_PERSON"), path
    for path in POSTS:
        reply = browser.post(f"/files/{path}", json={}, headers={**SAME_SITE, **theirs})
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "OTHER_PERSON"), path


def test_who_signs_in_next_sees_no_draft_of_the_one_before(enter: Enter, house: House):
    """F32: same browser, same item, other person: a fresh start, and one's own draft on return."""
    browser = enter("leo")
    item = browser.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    sent = {"item_id": item, "answer": {"choices": {"label": "birch"}}, "base_revision": 0}
    assert browser.post("/files/draft/leaves", json=sent, headers=SAME_SITE).status_code == 200
    assert enter("ada").get(f"/files/open/leaves/{item}").json()["item"]["draft"] is None
    mine = enter("leo").get(f"/files/open/leaves/{item}").json()["item"]["draft"]
    assert mine["choices"] == {"label": "birch"}


# --- F9, F10: the disk is full ----------------------------------------------------------------


def _vote_until_full(root: Path, person: Actor, slug: str, items: list[int], out: object) -> None:
    """Vote while the largest file allowed is a little larger than the log; tell what came of it."""
    ws = open_workspace(root)
    size = (root / "tiebreak.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 60_000, resource.RLIM_INFINITY))
    acknowledged, told = [], ""
    for item in items:
        sent = [Submission(f"full-{item:08d}", item, "vote", say("cat"))]
        try:
            receipts = submit_batch(ws, person, slug, sent)
            acknowledged += [r.item_id for r in receipts if r.status == "saved"]
        except StorageError as error:
            told = str(error)
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = submit_batch(
        ws, person, slug, [Submission(f"full-{item:08d}", item, "vote", say("cat"))]
    )
    out.send((acknowledged, told, again[0].status))  # type: ignore[attr-defined]


def test_a_full_disk_costs_no_vote_and_is_told(sqlite_ws):
    """F9, F10: what was acknowledged is there, what was not is refused in words and sent again later."""
    world = make_world(sqlite_ws, n_items=120)
    who = world.cast.experts[0]
    save_draft(world.ws, who, world.slug, world.items[-1], say("owl"))
    receiving, sending = pipe()
    process = start(_vote_until_full, world.ws.root, who, world.slug, world.items[:-1], sending)
    assert receiving.poll(100)
    acknowledged, told, again = receiving.recv()
    assert ended(process) == 0
    assert told, "the disk never filled"
    assert "was not saved" in told
    assert again == "saved"
    found = live_votes(world.ws)
    assert {i for i, people in found.items() if who.person_id in people} >= set(acknowledged)
    assert len(found) == len(acknowledged) + 1
    assert drafted(world, who, world.items[-1]) == say("owl")


def test_a_bad_answer_never_replaces_a_good_draft(make):
    """F34: a refused answer that cannot even be a draft leaves the one that was kept."""
    world = make()
    who, item = world.cast.experts[0], world.items[0]
    save_draft(world.ws, who, world.slug, item, say("owl"))
    with pytest.raises(InputError):
        submit(world.ws, who, world.slug, Submission(new_uuid(), item, "vote", say("unicorn")))
    assert drafted(world, who, item) == say("owl")


# --- taking back after others went on ---------------------------------------------------------


def test_taking_back_after_others_voted_opens_the_item_again(make):
    """The other vote stands, the place is one's own again, a second withdrawal is told so."""
    world = make()
    (who, other), item = world.cast.experts[:2], world.items[0]
    vote(world, who, item)
    vote(world, other, item)
    assert open_item(world.ws, who, world.slug, item).state == "agreed"
    back = [Submission(new_uuid(), item, "withdraw", base_revision=n) for n in (1, 2)]
    receipts = submit_batch(world.ws, who, world.slug, back)
    assert [(r.status, r.code) for r in receipts] == [("saved", ""), ("refused", "STALE_VERSION")]
    found = open_item(world.ws, who, world.slug, item)
    assert (found.state, found.can_vote, found.mine) == ("open", True, None)
    assert live_votes(world.ws) == {item: {other.person_id}}


def test_taking_back_after_a_ruling_is_refused_in_words(make):
    """A lead has decided meanwhile: the vote is evidence now and stays."""
    world = make()
    who, item = world.cast.experts[0], world.items[0]
    for person, label in zip(world.cast.experts, ("cat", "dog", "owl"), strict=False):
        if open_item(world.ws, person, world.slug, item).can_vote:
            vote(world, person, item, label)
    rule(world, world.cast.lead, item)
    back = Submission(new_uuid(), item, "withdraw", base_revision=1)
    [receipt] = submit_batch(world.ws, who, world.slug, [back])
    assert (receipt.status, receipt.code) == ("refused", "ITEM_CLOSED")
    assert "draft" not in receipt.message  # there is none, so none is promised
    assert open_item(world.ws, who, world.slug, item).mine == say("cat")
