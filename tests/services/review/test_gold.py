"""Gold and repeats in the queue: unrecognisable, never votes, and what is made of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import func, select

from core.access import Actor
from core.clock import FakeClock, new_uuid
from core.consensus.policy import Policy
from core.errors import AlreadySubmitted, ConflictError, InputError, ReviewPaused
from core.labels.operations import Rename
from core.labels.schema import Task
from core.labels.state import ItemState
from core.queue.plan import QueuePlan
from core.server.decisions import item_json
from core.services.analytics.home import home
from core.services.consensus.resolve import resolve
from core.services.items.about import about_item
from core.services.items.search import ItemSearch, find_items
from core.services.projects.project import load_project
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.admission import (
    pause_person,
    resume_person,
    standing_events,
)
from core.services.review.claiming import QueueView, claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item, release_items, renew_leases
from core.services.review.recent import my_recent
from core.services.review.submission import Receipt, Submission
from core.services.review.submitting import submit
from core.services.steering.schemas import edit_schema
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    drafts,
    final_labels,
    gold_answers,
    item_state,
    leases,
    probe_leases,
    probe_votes,
    standings,
)
from tests.record import (
    World,
    act,
    add_items,
    boxes,
    live_leases,
    live_votes,
    rule,
    say,
    state_of,
    vote,
)

Make = Callable[..., World]


@pytest.fixture(autouse=True)
def same_places(ws: Workspace) -> None:
    """Give the workspace the same secret each time, so that gold comes at the same places."""
    (ws.root / "secret").write_bytes(b"the same in each of these tests!")


DAY = 86_400


def plan(world: World, **fields: object) -> None:
    """Put a queue plan in force."""
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(**fields), "for a test")  # type: ignore[arg-type]


def make_gold(world: World, ids: Sequence[int], label: str = "cat", answer: object = None) -> None:
    """Give items a gold answer, as an import writes it."""
    text = (answer or say(label)).to_json()  # type: ignore[attr-defined]
    with world.ws.store.write() as connection:
        rows = [
            {"project_id": world.project.id, "item_id": i, "label": label, "answer": text,
             "batch_id": None, "at": world.ws.clock()}
            for i in ids
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)


def take(world: World, actor: Actor, count: int = 10, **asked: object) -> QueueView:
    return claim_items(world.ws, actor, world.slug, count, **asked)  # type: ignore[arg-type]


def planted(world: World, actor: Actor) -> set[int]:
    """Return what a person has in hand that is planted."""
    query = select(probe_leases.c.item_id).where(
        probe_leases.c.person_id == actor.person_id, probe_leases.c.expires_at > world.ws.clock()
    )
    with world.ws.store.read() as connection:
        return set(connection.execute(query).scalars())


def probes(world: World, actor: Actor) -> list:
    query = select(probe_votes).where(probe_votes.c.person_id == actor.person_id)
    with world.ws.store.read() as connection:
        return list(connection.execute(query.order_by(probe_votes.c.seq)).all())


def count(world: World, table: object) -> int:
    with world.ws.store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def mixed(make: Make, n_items: int = 40, gold: int = 12, share: float = 0.4, **options: object):
    """Make a project in which much of what is handed out is gold, and hand some out."""
    world = make(n_items=n_items, **options)
    make_gold(world, world.items[:gold])
    plan(world, gold_share=share)
    return world


def in_hand(world: World, actor: Actor) -> tuple[QueueView, list[int], list[int]]:
    """Hand out a window; return it with its planted and its ordinary items."""
    view = take(world, actor)
    hidden = planted(world, actor)
    ids = [i.item_id for i in view.items]
    return view, [i for i in ids if i in hidden], [i for i in ids if i not in hidden]


# --- what is handed out -----------------------------------------------------------------------


def test_gold_looks_like_any_other_item(make: Make):
    """Every field of a gold item in hand has the value an ordinary item's has, but for the item."""
    world = mixed(make)
    view, gold, real = in_hand(world, world.cast.experts[0])
    assert gold
    assert real
    docs = {i.item_id: item_json(i) for i in view.items}
    of_item = {"item_id", "name", "image"}
    told = {json.dumps({k: v for k, v in d.items() if k not in of_item}, sort_keys=True, default=str)
            for d in docs.values()}  # fmt: skip
    assert len(told) == 1


def test_settled_gold_looks_open(make: Make):
    """A gold item that others settled long ago comes as one nobody answered."""
    world = mixed(make, gold=12, policy=Policy(overlap=1))
    for item in world.items[:12]:
        vote(world, world.cast.experts[1], item)
    view, gold, _ = in_hand(world, world.cast.experts[0])
    assert gold
    assert {i.state for i in view.items} == {ItemState.OPEN}
    assert all(i.can_vote and not i.notice for i in view.items)
    found = find_items(world.ws, world.cast.experts[0], world.slug, ItemSearch())
    told = {f.item_id: (f.state, f.label) for f in found}
    assert {told[i] for i in gold} == {(ItemState.OPEN, None)}
    history = about_item(world.ws, world.cast.experts[0], world.slug, gold[0]).history
    assert [h.kind for h in history] == ["imported"]


def test_the_share_is_kept_and_each_comes_once(make: Make):
    """Over a hundred places the share of gold is the plan's, and none comes twice."""
    world = make(n_items=140)
    make_gold(world, world.items[:30])
    plan(world, gold_share=0.2)
    actor, seen = world.cast.experts[0], []
    while len(seen) < 100:
        view = take(world, actor)
        for one in view.items:
            seen.append(one.item_id)
            vote(world, actor, one.item_id)
    answered = {p.item_id for p in probes(world, actor)}
    assert len(seen) == len(set(seen))
    assert sum(i in answered for i in seen[:100]) == 20


@pytest.mark.parametrize("order", ["random", "oldest", "most-disputed"])
def test_gold_comes_in_every_order(make: Make, order: str):
    """In the other orders gold is mixed in as well."""
    world = mixed(make)
    take(world, world.cast.experts[0], order=order)
    assert planted(world, world.cast.experts[0])


def test_the_count_goes_down_by_one_whatever_comes(make: Make):
    """What waits and what is done change alike with a gold item and with any other."""
    world = mixed(make, n_items=30, gold=10)
    actor = world.cast.experts[0]
    view = take(world, actor, 1)
    while view.items:
        before = (view.waiting, view.done_today)
        at_home = home(world.ws, actor).projects[0]
        assert at_home.my_waiting == view.waiting + 1
        assert at_home.my_done_today == view.done_today
        vote(world, actor, view.items[0].item_id)
        view = take(world, actor, 1)
        if view.items:
            assert (view.waiting, view.done_today) == (before[0] - 1, before[1] + 1)
    assert view.waiting == 0
    assert view.empty_reason
    assert any(p.kind == "gold" for p in probes(world, actor))


def test_evaluate_items_and_known_ones_are_never_planted(make: Make):
    """No gold of evaluation items, nor of items the person voted on or that are discarded."""
    world = make(n_items=30)
    kept = add_items(world.ws, world.project, 5, "evaluate", first=100)
    actor = world.cast.experts[0]
    vote(world, actor, world.items[0], "dog")
    rule(world, world.cast.lead, world.items[1], "discard")
    make_gold(world, [*kept, world.items[0], world.items[1]])
    plan(world, gold_share=0.5)
    view = take(world, actor)
    assert view.items
    assert not planted(world, actor)


def test_nothing_is_planted_for_a_lead(make: Make):
    """Who may see gold is not tested with it."""
    world = mixed(make)
    assert take(world, world.cast.lead).items
    assert not planted(world, world.cast.lead)


def test_all_gold_used_up_stalls_nothing(make: Make):
    """With the last gold answered the queue goes on to its end, and says so as always."""
    world = mixed(make, n_items=16, gold=2, share=0.5)
    actor, seen = world.cast.experts[0], 0
    while (view := take(world, actor)).items:
        for one in view.items:
            vote(world, actor, one.item_id)
            seen += 1
    assert seen == 16
    assert sum(p.kind == "gold" for p in probes(world, actor)) <= 2


def test_open_gold_leaves_enough_people_to_vote(make: Make):
    """Every item gets its votes though all of them are gold and planting takes its share."""
    world = mixed(make, n_items=10, gold=10, share=0.5, n_experts=3, policy=Policy(overlap=2))
    people = [*world.cast.experts, world.cast.lead, world.cast.lead2]
    for _ in range(6):
        for actor in people:
            for one in take(world, actor).items:
                vote(world, actor, one.item_id)
    assert {state_of(world, i)[0] for i in world.items} == {"agreed"}


def test_least_shown_gold_comes_first(make: Make):
    """What one person was shown comes to the next after what nobody was shown."""
    world = mixed(make, n_items=60, gold=20, n_experts=5)
    first, second = world.cast.experts[:2]
    _, a, _ = in_hand(world, first)
    _, b, _ = in_hand(world, second)
    assert a
    assert b
    assert not set(a) & set(b)


# --- answers ----------------------------------------------------------------------------------


def test_an_answer_to_gold_is_no_vote(make: Make):
    """It reaches neither the votes, nor a label, nor the item's places; the receipt is as ever."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, real = in_hand(world, actor)
    before = [state_of(world, i) for i in gold]
    finals = count(world, final_labels)
    planted_receipt = vote(world, actor, gold[0], "dog")
    assert [state_of(world, i) for i in gold] == before
    assert count(world, annotation_log) == 0
    assert count(world, final_labels) == finals
    real_receipt = vote(world, actor, real[0], "dog")
    assert replace(planted_receipt, uuid="", item_id=0) == replace(real_receipt, uuid="", item_id=0)
    assert [(p.item_id, p.right) for p in probes(world, actor)] == [(gold[0], False)]
    resolve(world.ws, world.cast.lead, world.slug)
    assert [state_of(world, i) for i in gold] == before


def test_afterwards_it_looks_like_any_other_answered_item(make: Make):
    """Opened later, shown in its history and among one's own answers, nothing sets it apart."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, real = in_hand(world, actor)
    for item in (gold[0], real[0]):
        vote(world, actor, item, "dog")
    told = []
    for item in (gold[0], real[0]):
        doc = item_json(open_item(world.ws, actor, world.slug, item))
        about = about_item(world.ws, actor, world.slug, item)
        rows = [replace(h, at=0.0) for h in about.history]
        recent = next(r for r in my_recent(world.ws, actor, world.slug) if r.item_id == item)
        told.append(({k: v for k, v in doc.items() if k not in ("item_id", "name", "image")}, rows,
                     about.threads, replace(recent, item_id=0, name="", at=0.0)))  # fmt: skip
    assert told[0] == told[1]


def test_with_one_vote_an_item_gold_is_settled_like_others(make: Make):
    """Where one vote settles an item, a gold item looks settled after its answer."""
    world = mixed(make, policy=Policy(overlap=1))
    actor = world.cast.experts[0]
    _, gold, real = in_hand(world, actor)
    told = []
    for item in (gold[0], real[0]):
        vote(world, actor, item, "owl")
        view = open_item(world.ws, actor, world.slug, item)
        history = about_item(world.ws, actor, world.slug, item).history
        told.append((view.state, view.can_vote, [(h.kind, h.who, h.what, h.mine) for h in history]))
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", ["skip", "flag"])
def test_skips_and_flags_of_gold_are_kept(make: Make, kind: str):
    """They are answered as for any other item, and count for nothing."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, real = in_hand(world, actor)
    receipts = [act(world, actor, i, kind) for i in (gold[0], real[0])]
    assert len({replace(r, uuid="", item_id=0) for r in receipts}) == 1
    views = [open_item(world.ws, actor, world.slug, i) for i in (gold[0], real[0])]
    assert views[0].mine_kind == views[1].mine_kind == kind
    assert views[0].state == views[1].state
    assert probes(world, actor)[0].right is None
    assert state_of(world, gold[0])[0] == "open"


def test_undo_revise_and_resend(make: Make):
    """Taken back, an item is in hand again; changed, the newer answer counts; a resend does nothing."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, _ = in_hand(world, actor)
    item, uuid = gold[0], new_uuid()
    assert vote(world, actor, item, "dog", uuid=uuid).revision == 1
    assert vote(world, actor, item, "dog", uuid=uuid).status == "already-saved"
    with pytest.raises(AlreadySubmitted):
        vote(world, actor, item, "owl")  # another tab
    assert act(world, actor, item, "withdraw", base=1).revision == 2
    assert item in planted(world, actor)
    assert open_item(world.ws, actor, world.slug, item).mine is None
    assert vote(world, actor, item, "cat", base=2).revision == 3
    assert vote(world, actor, item, "owl", base=3).revision == 4
    assert [(p.word, p.right) for p in probes(world, actor)] == [
        ("vote", False), ("withdraw", None), ("vote", True), ("vote", False),
    ]  # fmt: skip
    assert count(world, annotation_log) == 0


def test_leases_drafts_and_expiry(make: Make, clock: FakeClock):
    """A gold item is renewed, given back, drafted on and answered late like any other."""
    world = mixed(make)
    actor = world.cast.experts[0]
    view, gold, _ = in_hand(world, actor)
    ids = [i.item_id for i in view.items]
    assert renew_leases(world.ws, actor, world.slug, ids) == len(ids)
    save_draft(world.ws, actor, world.slug, gold[0], say("owl"))
    assert open_item(world.ws, actor, world.slug, gold[0]).draft == say("owl")
    assert {i.item_id for i in take(world, actor).items} == set(ids)  # a reload
    clock.advance(world.ws.settings.lease_seconds + 1)
    assert not planted(world, actor)
    assert vote(world, actor, gold[0]).status == "saved"
    assert len(probes(world, actor)) == 1
    release_items(world.ws, actor, world.slug, ids)
    assert not planted(world, actor)


def test_what_was_given_back_tells_no_more_than_what_is_held(make: Make):
    """Settled gold given back and opened again is open to its person, who could still vote on it."""
    world = mixed(make)
    actor = world.cast.experts[0]
    view, gold, _ = in_hand(world, actor)
    before = {i: open_item(world.ws, actor, world.slug, i).state for i in gold}
    release_items(world.ws, actor, world.slug, [i.item_id for i in view.items])
    assert not planted(world, actor)
    for item in gold:
        opened = open_item(world.ws, actor, world.slug, item)
        assert (opened.state, opened.can_vote) == (before[item], True)


def test_gold_takes_no_place(make: Make):
    """Live votes and leases never pass the overlap, whatever is planted on top."""
    world = mixed(make, n_items=12, gold=12, share=0.5, policy=Policy(overlap=1))
    for actor in world.cast.experts:
        take(world, actor)
    held, voted = live_leases(world.ws), live_votes(world.ws)
    assert all(len(held.get(i, ())) + len(voted.get(i, ())) <= 1 for i in world.items)


def test_two_tabs_and_two_people_at_once(make: Make):
    """Claims and answers that race leave one word an item, and nothing twice in hand."""
    world = mixed(make, n_items=40, gold=20, share=0.5, n_experts=3)
    people = [world.cast.experts[0], world.cast.experts[0], *world.cast.experts[1:]]
    trouble: list[BaseException] = []

    def work(actor: Actor) -> None:
        try:
            for _ in range(4):
                for one in take(world, actor, 5).items:
                    try:
                        vote(world, actor, one.item_id)
                    except ConflictError:
                        continue  # the other tab was first
        except BaseException as error:
            trouble.append(error)

    threads = [Thread(target=work, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not trouble
    for actor in world.cast.experts:
        words = [p.item_id for p in probes(world, actor)]
        assert len(words) == len(set(words))
        assert not set(words) & {
            i for i, who in live_votes(world.ws).items() if actor.person_id in who
        }
    held, voted = live_leases(world.ws), live_votes(world.ws)
    assert all(len(held.get(i, ())) + len(voted.get(i, ())) <= 2 for i in world.items)


def test_gold_changed_or_renamed_meanwhile(make: Make):
    """The answer is held against the gold in force then, in the names of that day."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, _ = in_hand(world, actor)
    make_gold(world, [gold[0]], "dog")
    vote(world, actor, gold[0], "dog")
    rename = Rename("label", 0, "kitten")
    edit_schema(world.ws, world.cast.lead, world.slug, [rename], "clearer", 1)
    vote(world, actor, gold[1], "kitten")
    assert [p.right for p in probes(world, actor)] == [True, True]


def test_shapes_are_right_by_overlap(make: Make):
    """A box near the gold's is right, one far off or of another class is not."""
    world = make(n_items=30, task=Task.BOXES)
    make_gold(world, world.items[:12], answer=boxes((10, 10, 40, 40)))
    plan(world, gold_share=0.5)
    actor = world.cast.experts[0]
    _, gold, _ = in_hand(world, actor)
    drawn = (boxes((11, 10, 41, 40)), boxes((0, 0, 9, 9)), boxes((10, 10, 40, 40), label="dog"))
    for item, answer in zip(gold, drawn, strict=False):
        submit(world.ws, actor, world.slug, Submission(new_uuid(), item, "vote", answer))
    assert [p.right for p in probes(world, actor)] == [True, False, False][: len(gold)]


def test_bad_answers_to_gold_are_refused_as_others_are(make: Make):
    """An unknown class is refused with the same words, and nothing is kept."""
    world = mixed(make)
    actor = world.cast.experts[0]
    _, gold, real = in_hand(world, actor)
    said = []
    for item in (gold[0], real[0]):
        with pytest.raises(InputError) as refused:
            vote(world, actor, item, "unicorn")
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert not probes(world, actor)


# --- onboarding -------------------------------------------------------------------------------


def onboard(world: World, actor: Actor, wrong: int = 0) -> list[Receipt]:
    """Answer all onboarding items, the first few of them wrongly."""
    receipts = []
    for n, one in enumerate(take(world, actor).items):
        receipts.append(vote(world, actor, one.item_id, "dog" if n < wrong else "cat"))
    return receipts


def test_a_new_expert_begins_with_gold_and_goes_on(make: Make):
    """So many gold items come first, then ordinary ones; an event says that it was passed."""
    world = make(n_items=30)
    make_gold(world, world.items[:8])
    plan(world, onboarding=5)
    actor = world.cast.experts[0]
    assert len(onboard(world, actor, wrong=1)) == 5
    view = take(world, actor)
    assert len(view.items) == 10
    assert not planted(world, actor)
    event = standing_events(world.ws, world.cast.lead, world.slug)[0]
    assert (event.what, event.by) == ("onboarding-passed", "")
    assert "4 of 5" in event.reason


def test_who_fails_hears_it_and_the_lead_is_told(make: Make):
    """Below the pass mark nothing more is handed out, until a lead resumes with a reason."""
    world = make(n_items=30)
    make_gold(world, world.items[:8])
    plan(world, onboarding=5)
    actor = world.cast.experts[0]
    onboard(world, actor, wrong=2)
    view = take(world, actor)
    assert not view.items
    assert "lead" in view.empty_reason
    assert home(world.ws, world.cast.lead).projects[0].stopped == 1
    assert home(world.ws, actor).projects[0].refusal == view.empty_reason
    with pytest.raises(InputError):
        resume_person(world.ws, world.cast.lead, world.slug, actor.person_id, " ")
    resume_person(world.ws, world.cast.lead, world.slug, actor.person_id, "we talked")
    assert take(world, actor).items
    assert home(world.ws, world.cast.lead).projects[0].stopped == 0


def test_feedback_only_where_the_project_gives_it(make: Make):
    """The right answer is told after an onboarding item with feedback on, and never else."""
    world = make(n_items=30)
    make_gold(world, world.items[:20])
    plan(world, onboarding=3, feedback=True, gold_share=0.5)
    actor = world.cast.experts[0]
    receipts = onboard(world, actor, wrong=0)
    assert {(r.right, r.truth) for r in receipts} == {(True, "cat")}
    take(world, actor)
    later = [vote(world, actor, i) for i in sorted(planted(world, actor))]
    assert later
    assert {(r.right, r.truth) for r in later} == {(None, "")}


def test_onboarding_with_less_gold_than_asked(make: Make):
    """With three gold items instead of five these decide; with none there is no onboarding."""
    world = make(n_items=30)
    plan(world, onboarding=5)
    actor = world.cast.experts[0]
    assert len(take(world, actor).items) == 10
    make_gold(world, world.items[20:23])
    other = world.cast.experts[1]
    assert len(onboard(world, other)) == 3
    assert len(take(world, other).items) == 10


def test_no_ordinary_vote_before_onboarding_is_over(make: Make):
    """A vote on another item, sent meanwhile, is refused and kept as a draft."""
    world = make(n_items=30)
    make_gold(world, world.items[:8])
    plan(world, onboarding=5)
    actor = world.cast.experts[0]
    take(world, actor)
    with pytest.raises(ReviewPaused):
        vote(world, actor, world.items[20])
    assert count(world, annotation_log) == 0
    assert count(world, drafts) == 1


# --- pausing ----------------------------------------------------------------------------------


def fall_short(world: World, actor: Actor) -> QueueView:
    """Answer everything wrongly until nothing more comes; return what is said then."""
    for _ in range(20):
        view = take(world, actor)
        if not view.items:
            break
        for one in view.items:
            vote(world, actor, one.item_id, "dog")
    return view


def test_who_falls_short_is_paused(make: Make):
    """With ten wrong answers the queue refuses, work in hand is kept, and the lead reads why."""
    world = mixed(make, n_items=80, gold=40, share=0.5, n_experts=6)
    actor = world.cast.experts[0]
    view = fall_short(world, actor)
    assert len(probes(world, actor)) >= 10
    with world.ws.store.read() as connection:
        mine = select(leases.c.item_id).where(leases.c.person_id == actor.person_id)
        assert not connection.execute(mine).scalars().all()
    assert view.empty_reason == "Reviewing is paused for you in this project; the lead knows."
    assert count(world, standings) == 1
    item = world.items[70]
    with pytest.raises(ReviewPaused):
        vote(world, actor, item)
    assert count(world, drafts) == 1
    event = standing_events(world.ws, world.cast.lead, world.slug)[0]
    assert (event.what, event.by, event.person_id) == ("paused", "", actor.person_id)
    resume_person(world.ws, world.cast.lead, world.slug, actor.person_id, "trained again")
    assert take(world, actor).items
    assert open_item(world.ws, actor, world.slug, item).draft == say("cat")


def test_a_lead_may_pause_by_hand(make: Make):
    """Paused, what was in hand goes back to the others; twice is refused."""
    world = make()
    actor, lead = world.cast.experts[0], world.cast.lead
    take(world, actor)
    pause_person(world.ws, lead, world.slug, actor.person_id, "on leave")
    assert not live_leases(world.ws)
    assert take(world, actor).items == ()
    with pytest.raises(ConflictError):
        pause_person(world.ws, lead, world.slug, actor.person_id, "again")


def test_onboarding_answers_do_not_pause(make: Make):
    """Only mixed-in gold counts for the pause: with few answers nobody is judged."""
    world = mixed(make, n_items=60, gold=30)
    actor = world.cast.experts[0]
    _, gold, _ = in_hand(world, actor)
    for item in gold:
        vote(world, actor, item, "dog")
    assert take(world, actor).items


# --- repeats ----------------------------------------------------------------------------------


def test_repeats_come_fresh_and_leave_the_vote_alone(make: Make, clock: FakeClock):
    """A day later some items come again without a trace; the answers are no votes."""
    world = make(n_items=60)
    actor = world.cast.experts[0]
    for item in world.items[:20]:
        vote(world, actor, item, "cat")
    plan(world, repeat_share=0.2)
    take(world, actor)
    assert not planted(world, actor)  # too early
    release_items(world.ws, actor, world.slug, world.items)
    clock.advance(DAY + 1)
    view, again, _ = in_hand(world, actor)
    while not again:
        for one in view.items:
            vote(world, actor, one.item_id)
        view, again, _ = in_hand(world, actor)
    shown = {i.item_id: i for i in view.items}[again[0]]
    assert (shown.mine, shown.revision, shown.mine_kind, shown.state) == (None, 0, "", "open")
    history = about_item(world.ws, actor, world.slug, again[0]).history
    assert [h.kind for h in history] == ["imported"]
    votes = live_votes(world.ws)
    assert vote(world, actor, again[0], "dog").revision == 1
    assert live_votes(world.ws) == votes
    with world.ws.store.read() as connection:
        said = connection.execute(
            select(annotation_log.c.label).where(annotation_log.c.item_id == again[0])
        ).scalars()
        assert list(said) == ["cat"]
    assert [(p.kind, p.right) for p in probes(world, actor)] == [("repeat", None)]


def test_the_project_stays_loadable_with_everything_set(make: Make):
    """A plan with all of it set is read back as it was written."""
    world = make()
    plan(world, gold_share=0.1, repeat_share=0.05, onboarding=20, pass_mark=0.9, target=0.7,
         feedback=True)  # fmt: skip
    with world.ws.store.read() as connection:
        assert load_project(connection, world.slug).id == world.project.id
        assert connection.execute(select(func.count()).select_from(item_state)).scalar() == 6
