"""The use cases behind the figure pages: gate, home, stats, quality, cases, throughput."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date

import pytest

from core.access import Role
from core.analytics.asked import Basis, Filters
from core.clock import FakeClock, new_uuid
from core.errors import Forbidden, InputError, NotFound
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of
from core.services.analytics import figures
from core.services.analytics.replicas import forget_replicas, replica_of
from core.services.review.claiming import claim_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from tests.record import World, boxes, make_world, rule, say, vote
from tests.worked import describe, know, predict, vote_all

CAT, DOG, OWL = "cat", "dog", "owl"


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


def near(value: object, expected: float) -> bool:
    return value == pytest.approx(expected, abs=1e-9)


# --- the gate ---------------------------------------------------------------------------------

ASKED = {
    "stats": lambda w, a: figures.stats(w.ws, a, w.slug),
    "quality": lambda w, a: figures.quality(w.ws, a, w.slug),
    "agreement": lambda w, a: figures.agreement(w.ws, a, w.slug),
    "differing items": lambda w, a: figures.differing_items(
        w.ws, a, w.slug, w.cast.experts[0].name, w.cast.experts[1].name
    ),
    "cases": lambda w, a: figures.cases(w.ws, a, w.slug, CAT, DOG),
    "best reference": lambda w, a: figures.best_reference(w.ws, a, w.slug),
    "people": lambda w, a: figures.people_who_voted(w.ws, a, w.slug),
    "throughput": lambda w, a: figures.throughput(w.ws, a, w.slug),
    "slices": lambda w, a: figures.slice_values(w.ws, a, w.slug),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_every_figure_asks_the_gate_first(world: World, ask):
    """An expert is refused, somebody of another project does not even learn that it exists."""
    elsewhere = make_world(world.ws, n_items=1, slug="cars")
    with pytest.raises(Forbidden):
        ask(world, world.cast.experts[0])
    with pytest.raises(NotFound):
        ask(world, elsewhere.cast.manager)
    assert ask(world, world.cast.manager) is not None


def test_slices_are_the_values_that_group_items(world: World):
    """A column whose every item has the same value, or too many, is no slice."""
    rows = {i: {"camera": "AB"[n % 2], "site": "one"} for n, i in enumerate(world.items)}
    describe(world.ws, world.project, rows)
    assert dict(figures.slice_values(world.ws, world.cast.lead, world.slug)) == {
        "camera": ("A", "B")
    }


# --- home -------------------------------------------------------------------------------------


def test_home_says_what_waits_for_me_and_how_long_it_takes(world: World):
    """Six items, two voted on at 10 and 20 s: four wait, which is a minute at my own pace."""
    me = world.cast.experts[0]
    vote_all(world, 0, [CAT], seconds=10)
    vote_all(World(world.ws, world.project, world.items[1:], world.cast), 0, [DOG], seconds=20)
    (row,) = figures.home(world.ws, me).projects
    assert (row.my_waiting, row.my_done_today, row.my_votes, row.n_items) == (4, 2, 2, 6)
    assert near(row.eta_hours, 4 * 15 / 3600)
    assert dict(row.counts) == {"open": 6}


def test_what_i_hold_already_still_waits_for_me(world: World):
    """Claiming an item does not make it vanish from what is left to do."""
    me = world.cast.experts[0]
    claim_items(world.ws, me, world.slug, 5)
    (row,) = figures.home(world.ws, me).projects
    assert row.my_waiting == 6
    assert row.eta_hours is None  # no vote of mine yet to go by


def test_home_of_a_manager_has_no_queue_but_the_disputes(world: World):
    """Whoever does not vote has nothing waiting; a flagged item is a dispute to all."""
    flag = Submission(new_uuid(), world.items[0], "flag", reason="look at this")
    submit(world.ws, world.cast.experts[0], world.slug, flag)
    (row,) = figures.home(world.ws, world.cast.manager).projects
    assert (row.my_waiting, row.disputes) == (0, 1)


def test_today_begins_at_the_readers_midnight(world: World, clock: FakeClock):
    """A vote of 20:26 UTC is yesterday's six hours later in UTC, but today's in Seoul."""
    vote_all(world, 0, [CAT])
    clock.advance(6 * 3600)
    me = world.cast.experts[0]
    assert figures.home(world.ws, me).projects[0].my_done_today == 0
    assert figures.home(world.ws, me, "Asia/Seoul").projects[0].my_done_today == 1
    with pytest.raises(InputError, match="time zone"):
        figures.home(world.ws, me, "Mars/Olympus")


# --- stats ------------------------------------------------------------------------------------


def test_stats_of_nothing_are_null_not_nan(sqlite_ws):
    """A project without items gives a document that strict JSON takes."""
    world = make_world(sqlite_ws, n_items=0)
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    text = json.dumps(doc, allow_nan=False)
    assert (doc["items"], doc["votes"], doc["final"], doc["per_class"]) == (0, 0, 0, [])
    assert json.loads(text)["agreement"]["alpha"] is None


def test_stats_measure_the_model_against_labels_that_do_not_rest_on_it(world: World):
    """Blind votes agree on four items; the model said three of them; labels seen with it are left out."""
    predict(
        world.ws, world.project, dict(zip(world.items, [CAT, CAT, DOG, OWL, CAT], strict=False))
    )
    for who in (0, 1):
        vote_all(world, who, [CAT, CAT, DOG, DOG])
    seen = World(world.ws, world.project, world.items[4:5], world.cast)
    for who in (0, 1):
        vote_all(seen, who, [CAT], shown=True)
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert (doc["items"], doc["votes"], doc["final"]) == (6, 10, 5)
    assert (doc["whose"], doc["against"], doc["left_out"]) == ("model", "final", 1)
    by_class = {r["class"]: (r["n"], r["accuracy"]) for r in doc["per_class"]}
    assert by_class == {CAT: (2, 1.0), DOG: (2, 0.5)}
    assert near(doc["overall"]["accuracy"], 0.75)
    assert near(doc["agreement"]["percent"], 1.0)
    assert doc["agreement"]["n"] == 5


def test_stats_without_a_model_are_of_people_against_the_lead_or_gold(world: World):
    """Nothing predicted: gold is the reference until a lead has decided something."""
    vote_all(world, 0, [CAT] * 6)
    know(world.ws, world.project, {world.items[0]: CAT, world.items[1]: DOG})
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert (doc["whose"], doc["against"], doc["overall"]["n"]) == ("people", "gold", 2)
    vote(world, world.cast.experts[1], world.items[0], DOG)
    vote(world, world.cast.experts[2], world.items[0], OWL)
    rule(world, world.cast.lead, world.items[0], label=CAT)
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert (doc["against"], doc["overall"]["n"]) == ("adjudicated", 3)
    assert near(doc["overall"]["accuracy"], 1 / 3)


def test_both_kinds_of_record_give_the_same_stats(make):
    """The document is the same whether the record is SQLite or PostgreSQL."""
    world = make(n_items=5)
    know(world.ws, world.project, dict.fromkeys(world.items, CAT))
    vote_all(world, 0, [CAT, CAT, CAT, DOG, OWL])
    vote_all(world, 1, [CAT, CAT, CAT, CAT, OWL])
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert doc["states"] == {"agreed": 4, "open": 1}
    assert near(doc["overall"]["accuracy"], 0.7)
    assert near(doc["agreement"]["percent"], 0.8)


def test_stats_of_boxes_give_recall_precision_and_f1(sqlite_ws):
    """Of two true boxes one is found and one extra box drawn; two people share one box of two."""
    world = make_world(sqlite_ws, n_items=2, task=Task.BOXES)
    one, two = (0.0, 0.0, 20.0, 20.0), (30.0, 30.0, 50.0, 50.0)
    for who, drawn in ((0, boxes(one, two)), (1, boxes(one))):
        sent = Submission(new_uuid(), world.items[0], "vote", drawn)
        submit(world.ws, world.cast.experts[who], world.slug, sent)
    doc = figures.stats(world.ws, world.cast.manager, world.slug)
    assert near(doc["agreement"]["box_f1"], 2 * 1 / 3)
    assert doc["agreement"]["alpha"] is None
    json.dumps(doc, allow_nan=False)


# --- quality ----------------------------------------------------------------------------------


def test_quality_counts_by_true_class_in_schema_order(world: World):
    """Against gold, people are right by class; too few statements give no value but their n."""
    know(world.ws, world.project, dict(zip(world.items, [DOG] * 5 + [CAT], strict=True)))
    vote_all(world, 0, [DOG, DOG, CAT, DOG, DOG, CAT])
    view = figures.quality(world.ws, world.cast.manager, world.slug, "people", "gold")
    assert [c.name for c in view.right.classes] == [CAT, DOG]
    cat, dog = view.right.classes
    assert (cat.n, cat.is_enough, cat.estimate.value) == (1, False, None)
    assert (dog.n, dog.correct) == (5, 4)
    assert near(dog.estimate.value, 0.8)
    assert {(c.truth, c.said): c.n for c in view.confusion.cells} == {
        (DOG, DOG): 4, (DOG, CAT): 1, (CAT, CAT): 1,
    }  # fmt: skip
    assert view.people == {world.cast.experts[0].name: world.cast.experts[0].display_name}


def test_a_filter_by_metadata_narrows_the_figures(world: World):
    """Only items of one camera are looked at; an unknown name of a person is said."""
    know(world.ws, world.project, dict.fromkeys(world.items, CAT))
    describe(
        world.ws, world.project, {i: {"camera": "AB"[n % 2]} for n, i in enumerate(world.items)}
    )
    vote_all(world, 0, [CAT, DOG] * 3)
    boss = world.cast.manager
    of_b = Filters(metadata={"camera": "B"})
    view = figures.quality(world.ws, boss, world.slug, "people", "gold", of_b)
    assert (view.right.overall.n, view.right.overall.correct) == (3, 0)
    with pytest.raises(NotFound, match="nobody"):
        figures.quality(world.ws, boss, world.slug, "nobody.there")


def test_the_reference_that_says_most_comes_first(world: World):
    """Labels that all rest on the pre-label count for nothing; gold then says more."""
    predict(world.ws, world.project, dict.fromkeys(world.items, CAT))
    assert figures.best_reference(world.ws, world.cast.manager, world.slug) == "final"
    for who in (0, 1):
        vote_all(world, who, [CAT] * 3, shown=True)
    know(world.ws, world.project, {world.items[0]: CAT})
    assert figures.best_reference(world.ws, world.cast.manager, world.slug) == "gold"
    view = figures.quality(world.ws, world.cast.manager, world.slug)
    assert view.right.basis is Basis.REVIEWED


def test_agreement_needs_a_handful_of_items(sqlite_ws):
    """Four shared items are not enough data, five are; blind votes are measured alone."""
    world = make_world(sqlite_ws, n_items=8)
    vote_all(world, 0, [CAT, DOG, CAT, DOG])
    vote_all(world, 1, [CAT, DOG, CAT, CAT], shown=True)
    boss = world.cast.manager
    found = figures.agreement(world.ws, boss, world.slug).view
    assert found.labels is not None
    assert found.labels.percent.value is None
    assert (found.labels.percent.n, found.votes, found.people) == (4, 8, 2)
    rest = World(world.ws, world.project, world.items[4:5], world.cast)
    vote_all(rest, 0, [DOG])
    vote_all(rest, 1, [DOG])
    found = figures.agreement(world.ws, boss, world.slug).view
    assert found.labels is not None
    assert near(found.labels.percent.value, 0.8)
    assert found.blind is not None
    assert found.blind.percent.n == 1


# --- the items behind a cell ------------------------------------------------------------------


def test_a_cell_names_its_items_surest_first(world: World):
    """The model's cases come with its confidence and the item's picture."""
    know(world.ws, world.project, dict.fromkeys(world.items[:3], CAT))
    predict(world.ws, world.project, {world.items[0]: DOG}, sure=0.4)
    predict(world.ws, world.project, {world.items[1]: DOG}, sure=0.9)
    predict(world.ws, world.project, {world.items[2]: CAT})
    found = figures.cases(world.ws, world.cast.manager, world.slug, CAT, DOG, against="gold")
    assert [c.item_id for c in found.cases] == [world.items[1], world.items[0]]
    assert found.cases[0].confidence == 0.9
    assert found.cases[0].name == "00001.png"
    assert found.cases[0].image.startswith(f"/files/item/{world.items[1]}?v=")


def test_a_lead_does_not_learn_gold_before_voting(world: World):
    """An open gold item is withheld from whoever could vote on it, and shown to a manager."""
    know(world.ws, world.project, {world.items[0]: CAT})
    vote_all(world, 0, [DOG])
    ask = ("people", "gold")
    lead = figures.cases(world.ws, world.cast.lead, world.slug, CAT, DOG, *ask)
    assert (lead.cases, lead.withheld) == ((), 1)
    boss = figures.cases(world.ws, world.cast.manager, world.slug, CAT, DOG, *ask)
    assert [c.who for c in boss.cases] == [world.cast.experts[0].display_name]
    vote(world, world.cast.experts[1], world.items[0], DOG)  # settled: nobody can vote any more
    assert len(figures.cases(world.ws, world.cast.lead, world.slug, CAT, DOG, *ask).cases) == 2


# --- throughput -------------------------------------------------------------------------------


def test_throughput_counts_by_person_and_day_of_the_readers_zone(sqlite_ws, clock: FakeClock):
    """Nine votes of 1 to 9 s: the median is 5 s; the day is the one the clock shows in Seoul."""
    world = make_world(sqlite_ws, n_items=9)
    me = world.cast.experts[0]
    for n, item_id in enumerate(world.items, 1):
        sent = Submission(new_uuid(), item_id, "vote", say(CAT), active_seconds=float(n))
        submit(world.ws, me, world.slug, sent)
    boss = world.cast.manager
    view = figures.throughput(world.ws, boss, world.slug, tz="Asia/Seoul")
    (person,) = view.people
    assert (person.votes, person.days, person.active_seconds) == (9, 1, 45)
    assert (person.seconds.value, person.seconds.n) == (5, 9)
    # 0.98 * sqrt(9) is 2.94 places either side of the middle.
    assert (person.seconds.low, person.seconds.high) == (1, 9)
    assert {d.day for d in view.days} == {date(2026, 5, 29)}
    assert {d.day for d in figures.throughput(world.ws, boss, world.slug).days} == {
        date(2026, 5, 28)
    }
    assert sum(b.n for b in view.bins) == 9
    assert all(b.low < b.high for b in view.bins)


def test_throughput_of_a_time_without_work_is_empty(world: World, clock: FakeClock):
    """What lies before the time looked at is not counted, whoever did it."""
    vote_all(world, 0, [CAT] * 6)
    later = Filters(since=clock() + 1)
    view = figures.throughput(world.ws, world.cast.manager, world.slug, later)
    assert (view.days, view.people, view.bins) == ((), (), ())


# --- the replica ------------------------------------------------------------------------------


def test_threads_share_one_replica_that_keeps_up(world: World):
    """Ten threads get the same copy; a vote is seen by the next question."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(replica_of(world.ws))) for _ in range(10)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({id(r) for r in found}) == 1
    assert len(found) == 10
    boss = world.cast.manager
    assert figures.stats(world.ws, boss, world.slug)["votes"] == 0
    vote_all(world, 0, [CAT])
    assert figures.agreement(world.ws, boss, world.slug).view.votes == 1


def test_names_shown_are_display_names(world: World):
    """People are offered by the name others read."""
    boss = world.cast.operator
    who = add_person(world.ws, boss, "zoe", "Zoë Ziegler", None, [(Role.EXPERT, world.slug)])
    vote(world, actor_of(world.ws, who), world.items[0])
    assert figures.people_who_voted(world.ws, boss, world.slug) == {"zoe": "Zoë Ziegler"}
