"""How right people are: gold by class, against the target, asked twice; own numbers a day late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.access import Actor
from core.clock import FakeClock, new_uuid
from core.consensus.skill import Accuracy
from core.errors import Forbidden, NotFound
from core.queue.plan import QueuePlan
from core.services.analytics.home import home
from core.services.analytics.people_quality import everybodys_quality, person_quality
from core.services.analytics.people_work import everybodys_work
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.admission import pause_person, standing_events
from core.services.review.claiming import claim_items
from core.store.tables import gold_answers, probe_leases, probe_votes
from tests.record import World, say, vote

Make = Callable[..., World]
DAY = 86_400


def gold(world: World, truth: dict[int, str]) -> None:
    with world.ws.store.write() as connection:
        rows = [
            {"project_id": world.project.id, "item_id": i, "label": label,
             "answer": say(label).to_json(), "batch_id": None, "at": world.ws.clock()}
            for i, label in truth.items()
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)


def answer_gold(world: World, actor: Actor, said: dict[int, str]) -> None:
    """Hand items out as mixed-in gold, and answer them."""
    now = world.ws.clock()
    with world.ws.store.write() as connection:
        for item in said:
            row = {"item_id": item, "person_id": actor.person_id, "project_id": world.project.id,
                   "kind": "gold", "purpose": "mix", "since": now, "expires_at": now + 600}  # fmt: skip
            connection.execute(probe_leases.insert(), row)
    for item, label in said.items():
        vote(world, actor, item, label)


@pytest.fixture
def tested(make: Make) -> World:
    """Give a project in which an expert was right on 3 of 4 cats and 1 of 2 dogs."""
    world = make(n_items=8)
    truth = dict(zip(world.items, ["cat"] * 4 + ["dog"] * 2, strict=False))
    gold(world, truth)
    said = ["cat", "cat", "cat", "dog", "dog", "owl"]
    answer_gold(world, world.cast.experts[0], dict(zip(world.items, said, strict=False)))
    return world


def test_gold_by_class_and_overall(tested: World):
    """Means and intervals are the posteriors of the counts, class by class."""
    me = tested.cast.experts[0]
    found = person_quality(tested.ws, tested.cast.lead, tested.slug, me.person_id)
    assert dict(found.gold) == {
        "cat": Accuracy(3, 4).estimate(),
        "dog": Accuracy(1, 2).estimate(),
    }
    assert found.overall == Accuracy(4, 6).estimate()
    assert found.p_below_target == pytest.approx(Accuracy(4, 6).below(0.8))
    assert (found.standing, found.retest.value) == ("", None)


def test_own_numbers_end_with_yesterday(tested: World, clock: FakeClock):
    """A person's own figure does not move with an answer of today, so it tells no gold."""
    me = tested.cast.experts[0]
    before = person_quality(tested.ws, me, tested.slug, me.person_id)
    assert before.overall.n == 0
    assert before.p_below_target is None
    clock.advance(DAY)
    assert person_quality(tested.ws, me, tested.slug, me.person_id).overall.n == 6


def test_a_changed_gold_judges_anew(tested: World):
    """Where the gold was wrong, the person was right all along."""
    me = tested.cast.experts[0]
    gold(tested, {tested.items[3]: "dog"})
    found = person_quality(tested.ws, tested.cast.lead, tested.slug, me.person_id)
    assert found.overall == Accuracy(5, 6).estimate()
    assert found.gold["dog"].n == 3


def test_asked_twice(make: Make, clock: FakeClock):
    """Test and retest are compared with the person's own vote, with an interval."""
    world = make(n_items=8)
    me, now = world.cast.experts[0], clock()
    for item in world.items:
        vote(world, me, item, "cat" if item % 2 else "dog")
    with world.ws.store.write() as connection:
        for n, item in enumerate(world.items):
            label = "owl" if n == 0 else "cat" if item % 2 else "dog"
            row = {"uuid": new_uuid(), "project_id": world.project.id, "item_id": item,
                   "person_id": me.person_id, "revision": 1, "kind": "repeat", "purpose": "mix",
                   "word": "vote", "label": label, "answer": say(label).to_json(), "reason": "",
                   "schema_version": 1, "guideline_version": 1, "prelabel_shown": False, "at": now}  # fmt: skip
            connection.execute(probe_votes.insert(), row)
    found = person_quality(world.ws, world.cast.lead, world.slug, me.person_id)
    assert (found.retest.value, found.retest.n) == (7 / 8, 8)
    assert found.retest.low < 7 / 8 < found.retest.high
    assert 0.5 < found.retest_kappa.value < 1


def test_who_may_see_whose(tested: World):
    """Experts see their own alone; leads everybody's, by name, with their standing."""
    me, other = tested.cast.experts[:2]
    with pytest.raises(Forbidden):
        person_quality(tested.ws, other, tested.slug, me.person_id)
    with pytest.raises(Forbidden):
        person_quality(tested.ws, other, tested.slug, 99_999)
    with pytest.raises(Forbidden):
        everybodys_quality(tested.ws, me, tested.slug)
    with pytest.raises(NotFound):
        person_quality(tested.ws, tested.cast.lead, tested.slug, 99_999)
    pause_person(tested.ws, tested.cast.lead, tested.slug, other.person_id, "on leave")
    found = everybodys_quality(tested.ws, tested.cast.manager, tested.slug)
    assert [q.name for q in found] == sorted((q.name for q in found), key=str.casefold)
    of_other = next(q for q in found if q.person_id == other.person_id)
    assert (of_other.standing, of_other.reason) == ("paused", "on leave")
    works = everybodys_work(tested.ws, tested.cast.manager, tested.slug)
    assert {me.person_id, other.person_id} <= {w.person_id for w in works}  # neither has a vote


def test_reading_figures_pauses_who_fell_short(make: Make):
    """Who answered badly and asks for nothing more is paused before a lead reads of it, once."""
    world = make(n_items=20, n_experts=3)
    gold(world, dict.fromkeys(world.items, "cat"))
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(gold_share=0.3), "to know")
    me, other = world.cast.experts[:2]
    answer_gold(world, me, dict.fromkeys(world.items[:12], "dog"))
    answer_gold(world, other, dict.fromkeys(world.items[:12], "cat"))
    own = person_quality(world.ws, me, world.slug, me.person_id)
    assert own.standing == ""  # one's own figures tell nothing of today, and pause nobody
    assert home(world.ws, world.cast.lead).projects[0].stopped == 1
    found = everybodys_quality(world.ws, world.cast.lead, world.slug)
    assert {q.person_id: q.standing for q in found if q.overall.n} == {
        me.person_id: "paused",
        other.person_id: "",
    }
    (event,) = standing_events(world.ws, world.cast.lead, world.slug)
    assert (event.person_id, event.what, event.by) == (me.person_id, "paused", "")
    assert claim_items(world.ws, me, world.slug, 1).items == ()


def test_one_persons_figures_pause_too(make: Make):
    """Looking at one person alone finds them paused, with the reason."""
    world = make(n_items=20)
    gold(world, dict.fromkeys(world.items, "cat"))
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(gold_share=0.3), "to know")
    me = world.cast.experts[0]
    answer_gold(world, me, dict.fromkeys(world.items[:12], "dog"))
    found = person_quality(world.ws, world.cast.lead, world.slug, me.person_id)
    assert found.standing == "paused"
    assert "0 of 12" in found.reason


def test_somebody_in_onboarding(make: Make):
    """After the first onboarding answer a person stands in onboarding."""
    world = make(n_items=8)
    gold(world, dict.fromkeys(world.items[:5], "cat"))
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(onboarding=3), "begin so")
    me = world.cast.experts[0]
    first = claim_items(world.ws, me, world.slug, 1).items[0]
    vote(world, me, first.item_id)
    found = person_quality(world.ws, world.cast.lead, world.slug, me.person_id)
    assert (found.standing, found.overall.n, found.p_below_target) == ("onboarding", 1, None)
    with world.ws.store.read() as connection:
        assert connection.execute(select(probe_votes.c.purpose)).scalars().all() == ["onboarding"]
