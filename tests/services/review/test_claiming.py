"""The queue as a person meets it: orders, parts, plans, lists, the expert queue, and nothing left."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from core.access import Role
from core.consensus.policy import Policy
from core.errors import ConflictError, Forbidden, InputError, NotFound
from core.queue.filters import QueueFilter
from core.queue.plan import Boost, QueuePlan
from core.services.accounts.grants import grant
from core.services.accounts.people import actor_of
from core.services.consensus.resolve import resolve
from core.services.items.lists import list_lists, make_list
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import load_project
from core.services.projects.queue_plans import get_queue_plan, set_queue_plan
from core.services.review.claiming import QueueView, claim_items, read_part
from core.services.review.leases import release_items
from core.store.tables import item_metadata
from tests.record import (
    World,
    act,
    add_items,
    make_project,
    rule,
    say,
    state_of,
    vote,
)

Make = Callable[..., World]


def ids(view: QueueView) -> list[int]:
    return [i.item_id for i in view.items]


def predict(world: World, said: Sequence[tuple[int, str, float]], typical: dict | None = None):
    """Put a pre-label with a confidence in force on each item."""
    rows = [
        Prediction(i, say(label), sure, typicality=(typical or {}).get(i))
        for i, label, sure in said
    ]
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(connection, project, rows, "model 1", world.ws.clock())


def describe(world: World, item: int, **metadata: str) -> None:
    """Give an item metadata, as an import writes it."""
    with world.ws.store.write() as connection:
        connection.execute(
            item_metadata.insert(),
            {
                "project_id": world.project.id,
                "item_id": item,
                "doc": json.dumps(metadata, ensure_ascii=False, sort_keys=True),
                "batch_id": None,
                "at": world.ws.clock(),
            },
        )


def take(world: World, who: int = 0, count: int = 10, **asked) -> QueueView:
    """Claim as an expert, and give everything back."""
    actor = world.cast.experts[who]
    view = claim_items(world.ws, actor, world.slug, count, **asked)
    release_items(world.ws, actor, world.slug, ids(view))
    return view


# --- orders -----------------------------------------------------------------------------------


def test_most_disputed_comes_first_then_what_contradicts_the_model(make: Make):
    """Votes that differ, by entropy; then votes against the model; then the least confident."""
    world = make(n_items=5, policy=Policy(overlap=4, max_votes=5))
    a, b, c, d, e = world.items
    predict(world, [(a, "cat", 0.1), (b, "cat", 0.2), (c, "cat", 0.9), (d, "cat", 0.8),
                    (e, "cat", 0.7)])  # fmt: skip
    one, two, three, _ = world.cast.experts
    for person, label in ((one, "cat"), (two, "dog")):
        vote(world, person, d, label)
    for person, label in ((one, "cat"), (two, "cat"), (three, "dog")):
        vote(world, person, c, label)
    vote(world, one, e, "dog")
    assert ids(take(world, 3, order="most-disputed")) == [d, c, e, a, b]
    assert ids(take(world, 3)) == [a, b, e, d, c]


def test_the_most_representative_come_first_where_there_are_embeddings(make: Make):
    """By typicality; items without one follow, and a project without any says so."""
    world = make(n_items=4)
    a, b, c, d = world.items
    predict(world, [(a, "cat", 0.1), (b, "cat", 0.2), (c, "cat", 0.3)])
    bare = take(world, order="most-representative")
    assert ids(bare)[1:] == [a, b, c]  # the one no model has seen comes before them
    assert "No open item of this project has a model's embedding" in bare.notice
    predict(world, [(a, "cat", 0.1), (b, "cat", 0.2), (c, "cat", 0.3)], {b: 0.5, c: 1.0})
    told = take(world, order="most-representative")
    assert ids(told) == [c, b, d, a]
    assert told.notice == ""


def test_the_plans_order_counts_where_none_is_asked_for(make: Make):
    """A lead sets it; the address may still ask for another."""
    world = make(n_items=4)
    predict(world, [(i, "cat", 0.9 - n / 10) for n, i in enumerate(world.items)])
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan("oldest"), "in turn")
    view = take(world)
    assert (ids(view), view.order) == (world.items, "oldest")
    assert ids(take(world, order="least-confident")) == world.items[::-1]


def test_an_unknown_order_or_part_is_refused_in_words(make: Make):
    """Orders, classes, lists, slices and queues that are none give a sentence."""
    world = make(n_items=1)
    with pytest.raises(InputError, match="Unknown order 'by mood'"):
        take(world, order="by mood")
    with pytest.raises(InputError, match="no class 'unicorn'"):
        take(world, part=QueueFilter(predicted="unicorn"))
    with pytest.raises(NotFound, match="no list 77"):
        take(world, part=QueueFilter(list_id=77))
    for bad in (
        {"slice": "no colon"},
        {"slice": ":x"},
        {"slice": "key:"},
        {"slice": "k:\0"},
        {"list": "-1"},
        {"list": "１"},
        {"list": "9" * 30},
        {"queue": "gold"},
        {"class": "c" * 900},
    ):
        with pytest.raises(InputError):
            read_part(bad)


# --- parts ------------------------------------------------------------------------------------


def test_a_part_is_the_same_in_the_address_and_back():
    """Every filter survives the way through a page's address."""
    for part in (
        QueueFilter(),
        QueueFilter(predicted="cat & dog"),
        QueueFilter(slice_key="site: %1", slice_value="A:B"),
        QueueFilter(list_id=3, queue="flagged"),
    ):
        assert QueueFilter.from_query(part.to_query()) == part


@pytest.mark.parametrize("order", ["least-confident", "random", "most-disputed"])
def test_only_what_was_asked_for_comes(make: Make, order: str):
    """A class, a slice, a list, and two of them together."""
    world = make(n_items=6)
    a, b, c, d, e, _ = world.items
    predict(world, [(a, "cat", 0.5), (b, "cat", 0.4), (c, "dog", 0.3), (d, "dog", 0.2)])
    describe(world, a, site="B")
    describe(world, a, site="A", note='}, {"site": "C"')
    describe(world, c, site="A")
    describe(world, e, site="B")
    made = make_list(world.ws, world.cast.lead, world.slug, "look again", [e, b])
    for part, expected in (
        (QueueFilter(predicted="cat"), {a, b}),
        (QueueFilter(slice_key="site", slice_value="A"), {a, c}),
        (QueueFilter(slice_key="site", slice_value="C"), set()),
        (QueueFilter(list_id=made.id), {b, e}),
        (QueueFilter(predicted="cat", slice_key="site", slice_value="A"), {a}),
    ):
        view = take(world, order=order, part=part)
        assert set(ids(view)) == expected, part
        assert view.waiting == 0
    describe(world, b, site="A")  # what is remembered of a slice follows what is added
    part = QueueFilter(slice_key="site", slice_value="A")
    assert set(ids(take(world, order=order, part=part))) == {a, b, c}


def test_held_items_of_another_part_are_not_handed_out(make: Make):
    """What one holds comes back only where it belongs to what is asked for."""
    world = make(n_items=4)
    a, b, c, d = world.items
    predict(world, [(a, "cat", 0.1), (b, "dog", 0.2), (c, "cat", 0.3), (d, "dog", 0.4)])
    me = world.cast.experts[0]
    assert ids(claim_items(world.ws, me, world.slug, 2)) == [a, b]
    got = claim_items(world.ws, me, world.slug, 5, part=QueueFilter(predicted="cat"))
    assert ids(got) == [a, c]


def test_a_class_does_not_tell_what_the_model_says_of_a_blind_item(make: Make):
    """Items one is to see without a pre-label never come as "predicted cat"."""
    world = make(n_items=4)
    predict(world, [(i, "cat", 0.5) for i in world.items])
    plan = QueuePlan(blind_share=1.0)
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "measure the pull")
    assert ids(take(world, part=QueueFilter(predicted="cat"))) == []
    assert len(ids(take(world))) == 4


# --- the plan ---------------------------------------------------------------------------------


def test_a_boost_comes_before_the_order_and_the_strongest_counts(make: Make):
    """By class, slice, list and single items; forward and back; for what comes later too."""
    world = make(n_items=6)
    ws, lead = world.ws, world.cast.lead
    a, b, c, d, e, f = world.items
    predict(world, [(i, "cat", n / 10) for n, i in enumerate(world.items, 1)])
    describe(world, f, site="A")
    made = make_list(ws, lead, world.slug, "late", [a, b])
    boosts = (
        Boost("slice", "site", "A", 2),
        Boost("list", "", str(made.id), -3),
        Boost("items", "", f"{b},{d}", 4),
    )
    set_queue_plan(ws, lead, world.slug, QueuePlan(boosts=boosts), "first things first")
    assert ids(take(world)) == [b, d, f, c, e, a]
    resolve(ws, lead, world.slug)
    assert ids(take(world)) == [b, d, f, c, e, a]
    plan = QueuePlan(boosts=(Boost("class", "", "dog", 5),))
    set_queue_plan(ws, lead, world.slug, plan, "dogs")
    assert ids(take(world)) == world.items
    predict(world, [(e, "dog", 0.99)])
    assert ids(take(world))[0] == e


def test_a_plan_is_a_version_with_a_reason_and_its_boosts_must_exist(make: Make):
    """No reason, a strange class, list or item, or no right: nothing changes."""
    world = make(n_items=2)
    other = make_project(world.ws, "plants")
    strange = add_items(world.ws, other, 1)[0]
    ws, lead, slug = world.ws, world.cast.lead, world.slug
    with pytest.raises(InputError, match="needs a reason"):
        set_queue_plan(ws, lead, slug, QueuePlan("random"), " ")
    for boost, words in (
        (Boost("class", "", "unicorn", 1), "class 'unicorn'"),
        (Boost("list", "", "12345", 1), "list 12345"),
        (Boost("items", "", str(strange), 1), f"item {strange}"),
    ):
        with pytest.raises(InputError, match=words):
            set_queue_plan(ws, lead, slug, QueuePlan(boosts=(boost,)), "why not")
    with pytest.raises(Forbidden):
        set_queue_plan(ws, world.cast.experts[0], slug, QueuePlan("random"), "I like it")
    assert get_queue_plan(ws, lead, slug).version == 0
    assert set_queue_plan(ws, lead, slug, QueuePlan("random"), "fair").version == 1
    assert set_queue_plan(ws, lead, slug, QueuePlan("random"), "again").version == 1
    assert get_queue_plan(ws, world.cast.experts[0], slug).reason == "fair"


# --- lists ------------------------------------------------------------------------------------


def test_lists_are_named_checked_and_counted(make: Make):
    """Names once, items of this project alone, by who steers it."""
    world = make(n_items=3)
    ws, lead, slug = world.ws, world.cast.lead, world.slug
    strange = add_items(ws, make_project(ws, "plants"), 1)[0]
    made = make_list(ws, lead, slug, " hard ones ", [*world.items, world.items[0]])
    assert (made.name, made.items) == ("hard ones", 3)
    for name, items, error in (
        ("hard ones", world.items, ConflictError),
        ("", world.items, InputError),
        ("x" * 101, world.items, InputError),
        ("none", [], InputError),
        ("forged", [10**9], InputError),
        ("theirs", [world.items[0], strange], InputError),
    ):
        with pytest.raises(error):
            make_list(ws, lead, slug, name, items)
    with pytest.raises(Forbidden):
        make_list(ws, world.cast.experts[0], slug, "mine", world.items)
    assert [one.name for one in list_lists(ws, world.cast.experts[0], slug)] == ["hard ones"]


def test_a_queue_of_a_list_says_which_one(make: Make):
    """Its name and how many items it has, so that few waiting ones need no guessing."""
    world = make(n_items=3)
    made = make_list(world.ws, world.cast.lead, world.slug, "hard ones", world.items[:2])
    part = QueueFilter(list_id=made.id)
    found = claim_items(world.ws, world.cast.experts[0], world.slug, part=part).list
    assert found == made
    assert claim_items(world.ws, world.cast.experts[0], world.slug).list is None


def test_a_list_of_another_project_is_none_here(make: Make):
    """Its number gives neither its items nor its name."""
    world = make(n_items=1)
    project = make_project(world.ws, "plants")
    theirs = add_items(world.ws, project, 2)
    grant(world.ws, world.cast.operator, world.cast.lead.person_id, Role.LEAD, "plants")
    lead = actor_of(world.ws, world.cast.lead.person_id)
    made = make_list(world.ws, lead, "plants", "theirs", theirs)
    with pytest.raises(NotFound, match=f"no list {made.id}"):
        take(world, part=QueueFilter(list_id=made.id))


# --- the expert queue -------------------------------------------------------------------------

UNSURE = QueueFilter(queue="unsure")


def test_what_somebody_was_unsure_of_waits_for_an_expert(make: Make):
    """A skip for being unsure opens the queue; a plain vote leaves it there, an expert's clears."""
    world = make(n_items=2, policy=Policy(overlap=3, max_votes=3))
    item = world.items[0]
    one, two, three, _ = world.cast.experts
    act(world, one, item, "skip", reason="unsure")
    act(world, one, world.items[1], "skip", reason="other")
    vote(world, two, item, "cat")  # from the main queue: nobody confirmed anything
    view = claim_items(world.ws, three, world.slug, 5, part=UNSURE)
    assert ids(view) == [item]
    vote(world, three, item, "cat")
    left = take(world, 3, part=UNSURE)
    assert ids(left) == []
    assert "There is nothing that somebody was unsure of" in left.empty_reason


def test_an_experts_vote_clears_only_while_it_stands(make: Make):
    """Taken back, the item waits for an expert again, and so it does after a full resolve."""
    world = make(n_items=1, policy=Policy(overlap=3, max_votes=3))
    item = world.items[0]
    one, two, *_ = world.cast.experts
    act(world, one, item, "skip", reason="unsure")
    claim_items(world.ws, two, world.slug, 1, part=UNSURE)
    vote(world, two, item, "cat")
    assert ids(take(world, 2, part=UNSURE)) == []
    act(world, two, item, "withdraw", base=1)
    resolve(world.ws, world.cast.lead, world.slug)
    assert ids(take(world, 2, part=UNSURE)) == [item]


@pytest.mark.parametrize("how", ["vote", "ruling"])
def test_a_lead_clears_it_from_anywhere(make: Make, how: str):
    """A lead's vote, or a ruling that sends the item back, answers the doubt."""
    world = make(n_items=1, policy=Policy(overlap=3, max_votes=3))
    item = world.items[0]
    act(world, world.cast.experts[0], item, "skip", reason="unsure")
    if how == "vote":
        vote(world, world.cast.lead, item, "cat")
    else:
        rule(world, world.cast.lead, item, "send-back")
    assert state_of(world, item)[0] == "open"
    assert ids(take(world, 1, part=UNSURE)) == []
    act(world, world.cast.experts[1], item, "skip", reason="unsure")
    assert ids(take(world, 2, part=UNSURE)) == [item]


def test_a_flagged_item_comes_back_flagged_when_a_lead_sends_it_back(make: Make):
    """While the lead has it nobody votes, and the reason says so."""
    world = make(n_items=2)
    item, part = world.items[0], QueueFilter(queue="flagged")
    act(world, world.cast.experts[0], item, "flag", reason="two animals")
    view = take(world, 1, part=part)
    assert ids(view) == []
    assert "1 wait for a lead" in view.empty_reason
    rule(world, world.cast.lead, item, "send-back")
    assert ids(take(world, 1, part=part)) == [item]


# --- nothing left -----------------------------------------------------------------------------


def test_nothing_left_says_why_for_a_part(make: Make):
    """Answered by oneself, settled, or never there: each its own sentence."""
    world = make(n_items=3, policy=Policy(overlap=2))
    a, b, c = world.items
    predict(world, [(a, "cat", 0.1), (b, "dog", 0.2), (c, "dog", 0.3)])
    one, two, *_ = world.cast.experts
    vote(world, one, a)
    mine = take(world, part=QueueFilter(predicted="cat"))
    assert "answered every item predicted 'cat' that has a place" in mine.empty_reason
    vote(world, two, a)
    done = take(world, part=QueueFilter(predicted="cat"))
    assert done.empty_reason == "All 1 items predicted 'cat' have their votes."
    none = take(world, part=QueueFilter(predicted="owl"))
    assert none.empty_reason == "There is nothing predicted 'owl' in this project."


def test_nothing_left_names_ones_other_projects_with_waiting_items(make: Make):
    """Only where one may vote and something waits, the most waiting first."""
    world = make(n_items=1, n_experts=1)
    ws, me = world.ws, world.cast.experts[0]
    for slug, count, role in (("plants", 2, Role.EXPERT), ("cells", 3, Role.EXPERT),
                              ("empty", 0, Role.EXPERT), ("watched", 4, Role.MANAGER),
                              ("theirs", 5, None)):  # fmt: skip
        add_items(ws, make_project(ws, slug), count)
        if role is not None:
            grant(ws, world.cast.operator, me.person_id, role, slug)
    me = actor_of(ws, me.person_id)
    assert claim_items(ws, me, world.slug, 1).elsewhere == ()
    release_items(ws, me, world.slug, world.items)
    vote(world, me, world.items[0])
    view = claim_items(ws, me, world.slug, 1)
    assert [(e.slug, e.waiting) for e in view.elsewhere] == [("cells", 3), ("plants", 2)]
