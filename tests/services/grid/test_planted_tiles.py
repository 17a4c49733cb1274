"""Tiles known to be wrong among the others: nobody can tell them, and nothing of them is a vote."""

from __future__ import annotations

import pytest

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.labels import Answer, Region
from core.labels.schema import Task
from core.queue.plan import QueuePlan
from core.services.grid.tiles import Unit
from core.services.grid.votes import decide_tiles
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.leases import release_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.services.workspace import Workspace
from core.store.tables import gold_answers
from tests.record import add_items, live_leases, make_world, say, state_of
from tests.services.grid.paging import (
    all_votes,
    confirm,
    decision,
    page_of,
    planted_world,
    predict,
    probes,
)


def test_planted_tiles_look_like_all_others(ws: Workspace):
    """At least one on a page of 24, none of its fields tells it apart, and it is not leased."""
    world = planted_world(ws)
    who, known = world.cast.experts[0], set(world.items[-6:])
    page = page_of(world, who, count=24)
    assert len(page.units) == 24
    planted = [u for u in page.units if u.item_id in known]
    assert 1 <= len(planted) <= 2
    assert not known & set(live_leases(ws))
    for unit in planted:
        [tile] = unit.tiles
        assert (tile.label, unit.revision, len(unit.token)) == ("cat", 0, 24)
        assert tile.confidence is not None
    assert page.units == tuple(sorted(page.units, key=lambda u: (u.doubt, u.item_id)))


@pytest.mark.parametrize("waiting", [3, 9, 24, 51])
def test_the_figure_beside_a_page_does_not_tell_what_was_planted(
    sqlite_ws: Workspace, waiting: int
):
    """Every page of a whole class is smaller than the figure, as one without planted tiles is."""
    world = planted_world(sqlite_ws, waiting)
    plan = QueuePlan(known_wrong_share=0.5)
    set_queue_plan(sqlite_ws, world.cast.lead, world.slug, plan, "half of them")
    for who in (world.cast.experts[0], world.cast.lead):
        page = page_of(world, who, count=100)
        [told] = [c.waiting for c in page.classes if c.name == "cat"]
        assert told % 10 == 0
        assert waiting <= len(page.units) < told <= waiting + 20
        hold_nothing = [u.item_id for u in page.units]
        release_items(sqlite_ws, who, world.slug, hold_nothing)


def test_what_is_done_with_a_planted_tile_is_no_vote(ws: Workspace):
    """Noticed or overlooked goes to its own table; receipts read like any other's."""
    world = planted_world(ws)
    who, known = world.cast.experts[0], set(world.items[-6:])
    before = {i: state_of(world, i) for i in known}
    page = page_of(world, who, count=24)
    planted = [u.item_id for u in page.units if u.item_id in known]
    receipts = confirm(world, who, page)
    assert {(r.status, r.code, r.message, r.revision) for r in receipts} == {("saved", "", "", 1)}
    assert probes(world) == [(i, "cat", "dog", False) for i in sorted(planted)] or {
        p[0] for p in probes(world)
    } == set(planted)
    assert not {r.item_id for r in all_votes(world) if r.person_id == who.person_id} & known
    assert {i: state_of(world, i) for i in known} == before
    rate = page_of(world, who).attention
    assert (rate.value, rate.n) == (0.0, len(planted))


def test_a_caught_planted_tile_counts_once_whatever_comes_after(ws: Workspace):
    """Resent, taken back and confirmed: the first word on a page stays."""
    world = planted_world(ws)
    who, known = world.cast.experts[0], set(world.items[-6:])
    page = page_of(world, who, count=24)
    planted = next(u for u in page.units if u.item_id in known)
    caught = decision(page, planted, marks={0: ""})
    other = next(u for u in page.units if u.item_id not in known)
    pair = decide_tiles(ws, who, world.slug, [caught, decision(page, other, marks={0: ""})])
    assert [(r.status, r.revision) for r in pair] == [("saved", 0)] * 2
    later = decision(page, planted)
    back = decision(page, planted, kind="withdraw", base_revision=1)
    assert [r.status for r in decide_tiles(ws, who, world.slug, [caught, later, back])] == ["saved"] * 3  # fmt: skip
    assert probes(world) == [(planted.item_id, "cat", "dog", True)]
    again = page_of(world, who, count=24, left_out=[u.item_id for u in page.units])
    assert planted.item_id not in {u.item_id for u in again.units}


@pytest.mark.parametrize("overlap", [1, 2])
def test_a_planted_tile_answers_every_later_word_as_a_real_one_does(
    sqlite_ws: Workspace, overlap: int
):
    """Resent, confirmed twice, taken back twice, based on nothing: receipt by receipt the same."""
    world = planted_world(sqlite_ws)
    if overlap == 1:
        policy = Policy(overlap=1, max_votes=1)
        set_policy(sqlite_ws, world.cast.lead, world.slug, policy, "one is enough")
    who, known = world.cast.experts[0], set(world.items[-6:])
    page = page_of(world, who, count=24)
    planted = next(u for u in page.units if u.item_id in known)
    real = next(u for u in page.units if u.item_id not in known)
    steps = [
        {"kind": "withdraw", "base_revision": 1}, {"marks": {0: "cow"}}, {}, {}, {"marks": {0: "dog"}},
        {"marks": {0: ""}}, {"base_revision": 7}, {"base_revision": 1, "marks": {0: "dog"}},
        {"kind": "withdraw", "base_revision": 1}, {"kind": "withdraw", "base_revision": 2},
        {"kind": "withdraw", "base_revision": 3}, {}, {}, {"uuid": "short"},
    ]  # fmt: skip

    def told(unit: Unit) -> list[tuple[str, str, str, int]]:
        found = []
        for step in steps:
            sent = decision(page, unit, **step)
            for r in [*decide_tiles(sqlite_ws, who, world.slug, [sent, sent])]:
                found.append((r.status, r.code, r.message, r.revision))
        return found

    assert told(planted) == told(real)
    assert len(probes(world)) == 1


def test_evaluate_items_and_own_votes_are_never_planted(sqlite_ws: Workspace):
    """Neither may be shown under a label known to be wrong."""
    world = make_world(sqlite_ws, n_items=30, n_experts=2)
    spared = add_items(sqlite_ws, world.project, 4, use="evaluate", first=100)
    predict(world, dict.fromkeys([*world.items, *spared], ("cat", 0.5)))
    with sqlite_ws.store.write() as connection:
        rows = [
            {"project_id": world.project.id, "item_id": i, "label": "dog", "answer": say("dog").to_json(), "at": 1.0}
            for i in [*spared, world.items[0]]
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)
    who = world.cast.experts[0]
    submit(sqlite_ws, who, world.slug, Submission(new_uuid(), world.items[0], "vote", say("dog")))
    page = page_of(world, who, count=34)
    confirm(world, who, page)
    assert probes(world) == []
    other = world.cast.experts[1]
    confirm(world, other, page_of(world, other, count=34))
    assert [p[0] for p in probes(world)] == [world.items[0]]


def test_a_lead_can_turn_planting_off(ws: Workspace):
    """A share of 0 plants nothing."""
    world = planted_world(ws)
    plan = QueuePlan(known_wrong_share=0.0)
    set_queue_plan(ws, world.cast.lead, world.slug, plan, "no tests this week")
    page = page_of(world, world.cast.experts[0], count=36)
    assert not {u.item_id for u in page.units} & set(world.items[-6:])


def test_a_planted_box_is_one_of_another_class(sqlite_ws: Workspace):
    """Of a settled item with boxes one is shown as the page's class; catching it is noted."""
    world = make_world(sqlite_ws, n_items=26, n_experts=3, task=Task.BOXES)
    said = Answer({}, (Region("cat", 5, 5, 25, 25, 0.6),))
    with sqlite_ws.store.write() as connection:
        rows = [Prediction(i, said, 0.5) for i in world.items]
        store_predictions(connection, world.project, rows, "model", 1.0)
    known = world.items[-1]
    truth = Answer({}, (Region("dog", 5, 5, 25, 25),))
    for who in world.cast.experts[1:]:
        submit(sqlite_ws, who, world.slug, Submission(new_uuid(), known, "vote", truth))
    who = world.cast.experts[0]
    page = page_of(world, who, count=26)
    unit = next(u for u in page.units if u.item_id == known)
    assert [(t.label, t.confidence) for t in unit.tiles] == [("cat", 0.6)]
    decide_tiles(sqlite_ws, who, world.slug, [decision(page, unit, marks={0: "dog"})])
    assert probes(world) == [(known, "cat", "dog", True)]
