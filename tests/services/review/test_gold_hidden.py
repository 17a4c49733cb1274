"""What a person could find out of gold beside answering it: looked up, reloaded, counted, avoided."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import select

from core.access import Actor, Role
from core.consensus.policy import Policy, SkillKind, SkillRule
from core.datasets.freeze import FrozenLabel
from core.labels.state import ItemState
from core.queue.filters import QueueFilter
from core.queue.plan import QueuePlan
from core.services.accounts.grants import grant
from core.services.accounts.people import actor_of
from core.services.items.about import about_item
from core.services.items.search import ItemSearch, find_items, look_at
from core.services.items.why import explain
from core.services.models.gold_kept import gold_kept_out
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.claiming import claim_items
from core.services.review.gold_pool import gold_pool
from core.services.review.leases import open_item
from core.services.steering.rules import set_policy
from core.services.workspace import Workspace
from core.store.tables import probe_leases, probe_votes
from tests.record import CLASSES, World, act, make_world, say, vote
from tests.worked import know

Make = Callable[..., World]


@pytest.fixture(autouse=True)
def same_places(ws: Workspace) -> None:
    """Give the workspace the same secret each time, so that gold comes at the same places."""
    (ws.root / "secret").write_bytes(b"the same in each of these tests!")


def settled_gold(make: Make, gold: int = 8, share: float = 0.3, n_items: int = 40) -> World:
    """Make a project in which one vote settles an item, with gold that somebody settled."""
    world = make(n_items=n_items, policy=Policy(overlap=1))
    for item in world.items[:gold]:
        vote(world, world.cast.experts[3], item)
    know(world.ws, world.project, dict.fromkeys(world.items[:gold], "cat"))
    plan(world, gold_share=share)
    return world


def plan(world: World, **fields: object) -> None:
    """Put a queue plan in force."""
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(**fields), "for a test")  # type: ignore[arg-type]


def predict(world: World, ids: Sequence[int], name: str) -> None:
    """Let a model say something of items: each class in turn, ever surer."""
    rows = [
        Prediction(i, say(CLASSES[n % 3]), round(0.34 + n / 200, 4), 0.1) for n, i in enumerate(ids)
    ]
    with world.ws.store.write() as connection:
        store_predictions(connection, world.project, rows, name, world.ws.clock())


def planted(world: World, actor: Actor) -> set[int]:
    """Return what a person has in hand that is planted."""
    query = select(probe_leases.c.item_id).where(
        probe_leases.c.person_id == actor.person_id, probe_leases.c.expires_at > world.ws.clock()
    )
    with world.ws.store.read() as connection:
        return set(connection.execute(query).scalars())


def take(world: World, actor: Actor, count: int = 14, **part: object) -> list[int]:
    """Return what a person is handed."""
    asked = QueueFilter(**part) if part else None  # type: ignore[arg-type]
    view = claim_items(world.ws, actor, world.slug, count, part=asked)
    return [i.item_id for i in view.items]


def test_looked_up_beforehand_settled_gold_is_open(make: Make):
    """By search, number, history and reason it is as open as any; who steers sees it as it is."""
    world = settled_gold(make)
    actor, lead, item = world.cast.experts[0], world.cast.lead, world.items[0]
    found = {f.item_id: (f.state, f.label) for f in find_items(world.ws, actor, world.slug)}
    assert found[item] == found[world.items[30]] == (ItemState.OPEN, None)
    agreed = ItemSearch(states=frozenset({ItemState.AGREED}), label="cat")
    assert not find_items(world.ws, actor, world.slug, agreed)
    assert len(find_items(world.ws, lead, world.slug, agreed)) == 8
    for one in (item, world.items[30]):
        why = explain(world.ws, actor, world.slug, one)
        assert (why.state, why.label) == (ItemState.OPEN, None)
        assert why.sentences == ("It has 0 of 1 votes; nothing is settled yet.",)
        about = about_item(world.ws, actor, world.slug, one)
        assert [h.kind for h in about.history] == ["imported"]
        seen = look_at(world.ws, actor, world.slug, one)
        assert (seen.state, seen.can_vote, seen.notice) == (ItemState.OPEN, True, "")
    assert explain(world.ws, lead, world.slug, item).label == "cat"
    assert not planted(world, actor)


def test_gold_opened_by_its_number_is_answered_as_gold(make: Make):
    """Opened and answered it is like any other, and the answer is no vote."""
    world = settled_gold(make)
    actor, item = world.cast.experts[0], world.items[0]
    assert open_item(world.ws, actor, world.slug, item).lease_expires_at is not None
    assert planted(world, actor) == {item}
    assert vote(world, actor, item, "dog").status == "saved"
    with world.ws.store.read() as connection:
        said = connection.execute(select(probe_votes)).all()
    assert [(p.item_id, p.right, p.kind) for p in said] == [(item, False, "gold")]


def test_what_the_policy_keeps_from_a_person_stays_kept(make: Make):
    """Gold for people with a skill is not opened by who lacks it."""
    world = settled_gold(make)
    actor, item = world.cast.experts[0], world.items[0]
    predict(world, world.items, "model 1")
    rules = (SkillRule(SkillKind.CLASS, "", "cat", "cats"),)
    set_policy(world.ws, world.cast.lead, world.slug, Policy(overlap=1, skills=rules), "for a test")
    assert not look_at(world.ws, actor, world.slug, item).can_vote
    open_item(world.ws, actor, world.slug, item)
    assert not planted(world, actor)


def test_a_reload_moves_nothing(make: Make):
    """In a row sorted by how sure the model is, planted items fit, and come back where they were."""
    world = settled_gold(make, share=0.5)
    predict(world, [*world.items[8:], *world.items[:8]], "model 1")
    actor = world.cast.experts[0]
    first = claim_items(world.ws, actor, world.slug, 14).items
    assert planted(world, actor)
    again = claim_items(world.ws, actor, world.slug, 14).items
    assert [i.item_id for i in first] == [i.item_id for i in again]
    sure = [i.prelabel.confidence for i in first if i.prelabel]
    assert sure == sorted(sure)
    assert len(sure) == 14
    assert all(c == round(c, 4) for c in sure)
    after = {i.item_id: i.prelabel for i in first}
    for item in planted(world, actor):
        vote(world, actor, item)
        assert look_at(world.ws, actor, world.slug, item).prelabel == after[item]
        act(world, actor, item, "withdraw", base=1)
        assert look_at(world.ws, actor, world.slug, item).prelabel == after[item]


def test_gold_is_planted_only_beside_items_it_is_like(make: Make):
    """Without a pre-label of the newest run gold would stand out: it waits, and the lead is told."""
    world = settled_gold(make, share=0.5)
    predict(world, world.items[8:], "model 1")
    actor, lead = world.cast.experts[0], world.cast.lead
    assert len(take(world, actor)) == 14
    assert not planted(world, actor)
    pool = gold_pool(world.ws, lead, world.slug)
    assert (pool.asked, pool.total, pool.unlike, pool.used_up) == (True, 8, 8, ())
    predict(world, world.items, "model 2")
    assert gold_pool(world.ws, lead, world.slug).unlike == 0
    take(world, world.cast.experts[1])
    assert planted(world, world.cast.experts[1])


def test_a_class_alone_does_not_avoid_gold(make: Make):
    """Where a class is asked for, gold of which the model says it is planted, and only that."""
    world = settled_gold(make, gold=12, share=0.5, n_items=60)
    predict(world, world.items, "model 1")
    actor = world.cast.experts[0]
    ids = take(world, actor, 10, predicted="dog")
    assert planted(world, actor)
    shown = claim_items(world.ws, actor, world.slug, 10, part=QueueFilter(predicted="dog")).items
    assert [i.item_id for i in shown] == ids
    assert {i.prelabel.label for i in shown if i.prelabel} == {"dog"}


def test_the_expert_queue_does_not_avoid_gold(make: Make):
    """Gold comes among what somebody was unsure of, and what came elsewhere stays out of it."""
    world = make_unsure(make)
    actor = world.cast.experts[0]
    take(world, actor, 10)
    before = planted(world, actor)
    assert before
    ids = take(world, actor, 10, queue="unsure")
    assert planted(world, actor) - before
    assert not before & set(ids)
    assert take(world, actor, 20, queue="unsure")[: len(ids)] == ids


def make_unsure(make: Make) -> World:
    """Make a project with gold, of whose other items somebody was unsure of a dozen."""
    world = make(n_items=70, policy=Policy(overlap=2))
    know(world.ws, world.project, dict.fromkeys(world.items[:20], "cat"))
    for item in world.items[40:60]:
        act(world, world.cast.experts[3], item, "skip", reason="unsure")
    plan(world, gold_share=0.5)
    return world


def test_elsewhere_counts_as_the_other_project_does(make: Make, ws: Workspace):
    """What is said to wait in another project is what it says itself, gold included."""
    world = settled_gold(make)
    other = make_world(ws, slug="birds", n_items=0)
    actor = world.cast.experts[0]
    grant(ws, world.cast.operator, actor.person_id, Role.EXPERT, "birds")
    actor = actor_of(ws, actor.person_id)
    view = claim_items(ws, actor, other.slug, 5)
    there = claim_items(ws, actor, world.slug, 1)
    assert [e.waiting for e in view.elsewhere] == [there.waiting + 1]
    assert there.waiting + 1 > 32


def test_who_has_met_all_gold_is_named_to_the_lead(make: Make):
    """Nobody is handed the same gold twice; with none left the lead reads for whom."""
    world = settled_gold(make, gold=2, share=0.5, n_items=60)
    actor, lead = world.cast.experts[0], world.cast.lead
    for item in world.items[:2]:
        open_item(world.ws, actor, world.slug, item)
        vote(world, actor, item)
    take(world, actor)
    assert not planted(world, actor)
    names = gold_pool(world.ws, lead, world.slug).used_up
    assert set(names) == {world.cast.experts[3].display_name, actor.display_name}


def test_a_model_does_not_learn_from_some_gold(make: Make):
    """While gold is planted, at most a fifth of each class is kept from the model; else nothing."""
    world = settled_gold(make, gold=20)
    frozen = [
        FrozenLabel(i, "", "", "cat" if n % 2 else "dog", "{}", "train", "agreed", 1, 1, n)
        for n, i in enumerate(world.items)
    ]
    with world.ws.store.read() as connection:
        kept = gold_kept_out(connection, world.project, frozen)
        again = gold_kept_out(connection, world.project, frozen[::-1])
    assert kept == again
    assert len(kept) == 8
    assert kept < set(world.items[:20])
    plan(world, gold_share=0.0)
    with world.ws.store.read() as connection:
        assert not gold_kept_out(connection, world.project, frozen)
