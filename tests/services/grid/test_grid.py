"""The grid: pages of one predicted class, marks and votes, and who may give them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from core.clock import FakeClock, new_uuid
from core.errors import Forbidden
from core.labels import Answer
from core.labels.schema import LabelClass, LabelSchema, Question, Task
from core.queue.plan import QueuePlan
from core.services.accounts.people import operator
from core.services.grid import candidates, waiting
from core.services.grid.page import grid_page, hold_tiles
from core.services.grid.votes import decide_tiles
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import NewProject, create_project
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.claiming import claim_items
from core.services.workspace import Workspace
from tests.record import World, add_items, live_leases, live_votes, make_cast, make_world
from tests.services.grid.paging import (
    Make,
    all_votes,
    boxes_world,
    confirm,
    decision,
    page_of,
    predict,
)


def test_a_page_holds_one_class_most_doubtful_first(make: Make):
    """Only items predicted so, lowest margin first, and leased to whoever asked."""
    world = make(n_items=6)
    a, b, c, d, e, f = world.items
    predict(world, {a: ("cat", 0.9), b: ("dog", 0.2), c: ("cat", 0.3), d: ("cat", 0.6),
                    e: ("owl", 0.1), f: ("dog", 0.5)})  # fmt: skip
    who = world.cast.experts[0]
    page = page_of(world, who)
    assert [u.item_id for u in page.units] == [c, d, a]
    assert [t.label for u in page.units for t in u.tiles] == ["cat"] * 3
    assert live_leases(world.ws) == {i: {who.person_id} for i in (a, c, d)}


def test_without_a_class_the_classes_come_with_their_counts(world: World):
    """Most waiting first, told in tens; nothing is leased by looking."""
    a, b, c, d, e, _ = world.items
    predict(world, {a: ("cat", 0.9), b: ("dog", 0.2), c: ("dog", 0.3), d: ("dog", 0.6), e: ("cat", 0.1)})  # fmt: skip
    page = grid_page(world.ws, world.cast.experts[0], world.slug)
    told = {c.name: c.waiting for c in page.classes}
    assert told.pop("owl") == 0
    assert told.keys() == {"dog", "cat"}
    assert set(told.values()) <= {10, 20}
    assert [c.waiting for c in page.classes] == sorted((*told.values(), 0), reverse=True)
    with world.ws.store.read() as connection:
        who = world.cast.experts[0]
        exact = waiting.waiting_by_class(connection, world.project, who)
    assert exact == {"dog": 3, "cat": 2}
    assert page.units == ()
    assert live_leases(world.ws) == {}


def test_two_people_never_get_the_last_place(make: Make):
    """Two votes are wanted: the third person finds nothing, and is told why."""
    world = make(n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    one, two, three, _ = world.cast.experts
    assert len(page_of(world, one).units) == len(page_of(world, two).units) == 3
    empty = page_of(world, three)
    assert empty.units == ()
    assert "others right now" in empty.empty_reason


def test_what_one_has_answered_or_holds_elsewhere(world: World):
    """Answered items never come; items held already do, unless the client leaves them out."""
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    page = page_of(world, who)
    confirm(world, who, page, {})
    assert page_of(world, who).units == ()
    other = world.cast.experts[1]
    first = page_of(world, other, count=2)
    assert {u.item_id for u in page_of(world, other, count=2).units} == {
        u.item_id for u in first.units
    }
    ids = [u.item_id for u in first.units]
    more = page_of(world, other, count=2, left_out=ids)
    assert not {u.item_id for u in more.units} & set(ids)


def test_blind_items_stay_out_of_the_grid(world: World):
    """A grid shows what the model says, so whom it must not be shown to does not see the item."""
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(blind_share=1.0), "test")
    page = page_of(world, world.cast.experts[0])
    assert page.units == ()
    assert "without the model's word" in page.empty_reason


def test_nobody_holds_more_than_the_cap(sqlite_ws: Workspace):
    """Pages stop at the lease cap."""
    world = make_world(sqlite_ws, n_items=150)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who, cap = world.cast.experts[0], sqlite_ws.settings.lease_cap
    first = page_of(world, who, count=100)
    second = page_of(world, who, count=100, left_out=[u.item_id for u in first.units])
    assert (len(first.units), len(second.units)) == (100, cap - 100)


def test_an_unknown_or_retired_class_is_a_sentence(world: World):
    """The address may name anything."""
    assert "no class 'cow'" in page_of(world, world.cast.experts[0], "cow").empty_reason


def test_renamed_classes_are_found_under_every_name(sqlite_ws: Workspace):
    """A prediction made before a rename counts for today's class; a retired one is not confirmed."""
    main = Question("label", "Species", (
        LabelClass(0, "lynx", "#111111", "1", former=("cat",)), LabelClass(1, "dog", "#222222", "2"),
        LabelClass(2, "owl", "#333333", "3", retired=True),
    ))  # fmt: skip
    new = NewProject("zoo", Task.CLASSIFICATION, schema=LabelSchema(Task.CLASSIFICATION, (main,)))
    project = create_project(sqlite_ws, operator(sqlite_ws), new)
    world = World(sqlite_ws, project, add_items(sqlite_ws, project, 2), make_cast(sqlite_ws, "zoo"))
    predict(world, {world.items[0]: ("cat", 0.5), world.items[1]: ("owl", 0.5)})
    who = world.cast.experts[0]
    page = page_of(world, who, "lynx")
    assert [t.label for u in page.units for t in u.tiles] == ["lynx"]
    assert confirm(world, who, page)[0].status == "saved"
    assert "retired" in page_of(world, who, "owl").empty_reason


def test_confirm_reassign_and_leave_for_the_deck(make: Make):
    """Unmarked: the class shown. Marked with a class: that one. Marked only: no vote, kept in hand."""
    world = make(n_items=4)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    page = page_of(world, who)
    a, b, c, d = (u.item_id for u in page.units)
    receipts = confirm(world, who, page, {b: "dog", c: ""})
    assert [r.status for r in receipts] == ["saved"] * 4
    rows = {r.item_id: r for r in all_votes(world)}
    assert {i: r.label for i, r in rows.items()} == {a: "cat", b: "dog", d: "cat"}
    assert {(r.via, r.prelabel_shown, r.active_seconds) for r in rows.values()} == {("grid", True, 0.5)}  # fmt: skip
    assert all(r.prediction_seq for r in rows.values())
    assert live_leases(world.ws) == {c: {who.person_id}}
    deck = claim_items(world.ws, who, world.slug, 1)
    assert [i.item_id for i in deck.items] == [c]


def test_a_resend_adds_nothing_and_a_second_confirm_is_refused(make: Make):
    """The same UUIDs are acknowledged again; new ones for the same items are told they stand."""
    world = make(n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    page = page_of(world, who)
    sent = [decision(page, u) for u in page.units]
    decide_tiles(world.ws, who, world.slug, sent)
    again = decide_tiles(world.ws, who, world.slug, sent)
    assert {r.status for r in again} == {"already-saved"}
    double = confirm(world, who, page)
    assert {(r.status, bool(r.message)) for r in double} == {("refused", True)}
    assert len(all_votes(world)) == 3
    assert all(len(people) == 1 for people in live_votes(world.ws).values())


def test_a_page_is_taken_back_and_confirmed_again(make: Make):
    """Withdrawals free the places; the same tiles can then be decided anew."""
    world = make(n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    page = page_of(world, who)
    confirm(world, who, page)
    back = [decision(page, u, kind="withdraw", base_revision=1) for u in page.units]
    assert [r.revision for r in decide_tiles(world.ws, who, world.slug, back)] == [2] * 3
    assert live_votes(world.ws) == {}
    anew = [decision(page, u, base_revision=2, marks={0: "dog"}) for u in page.units]
    assert [r.status for r in decide_tiles(world.ws, who, world.slug, anew)] == ["saved"] * 3
    assert {r.label for r in all_votes(world) if r.revision == 3} == {"dog"}


def test_an_expired_lease_refuses_its_tile_alone(make: Make, clock: FakeClock):
    """Others took the places of one item meanwhile: that tile is refused, the rest is saved."""
    world = make(n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    one, two, three, _ = world.cast.experts
    page = page_of(world, one)
    clock.advance(world.ws.settings.lease_seconds + 1)
    taken = page_of(world, two, count=1).units[0].item_id
    page_of(world, three, count=1)
    receipts = {r.item_id: r for r in confirm(world, one, page)}
    assert receipts.pop(taken).code == "lease-lost" or taken not in receipts
    assert {r.status for r in receipts.values()} == {"saved"}


def test_holding_brings_lapsed_leases_back(make: Make, clock: FakeClock):
    """A page that was left alone takes its places back where they are still free."""
    world = make(n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    ids = [u.item_id for u in page_of(world, who).units]
    clock.advance(world.ws.settings.lease_seconds + 1)
    assert live_leases(world.ws) == {}
    assert hold_tiles(world.ws, who, world.slug, ids) == 3
    assert set(live_leases(world.ws)) == set(ids)


@pytest.mark.parametrize("forged", ["item", "token", "seq", "class", "person", "page"])
def test_forged_tiles_are_refused(world: World, forged: str):
    """What was not shown to this person on this page cannot be decided by it."""
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who, other = world.cast.experts[:2]
    page = page_of(world, who, count=2)
    good = decision(page, page.units[0])
    outside = next(i for i in world.items if i not in {u.item_id for u in page.units})
    change = {
        "item": {"item_id": outside}, "token": {"token": "0" * 24}, "seq": {"seq": good.seq + 1},
        "class": {"shown": "dog"}, "page": {"page": new_uuid()}, "person": {},
    }[forged]  # fmt: skip
    actor = other if forged == "person" else who
    [receipt] = decide_tiles(world.ws, actor, world.slug, [replace(good, **change)])
    assert (receipt.status, receipt.message) == (
        "refused", "This tile is not one of a page you were given.",
    )  # fmt: skip
    assert all_votes(world) == []


def test_another_projects_tiles_are_refused(sqlite_ws: Workspace):
    """A tile of one project cannot be confirmed in another."""
    pets, wild = make_world(sqlite_ws), make_world(sqlite_ws, slug="wild")
    predict(pets, dict.fromkeys(pets.items, ("cat", 0.5)))
    lead = replace(pets.cast.lead, roles=pets.cast.lead.roles | wild.cast.lead.roles)
    page = page_of(pets, lead)
    [receipt] = decide_tiles(sqlite_ws, lead, "wild", [decision(page, page.units[0])])
    assert receipt.status == "refused"


def test_a_class_that_does_not_exist_is_refused(world: World):
    """A reassignment names a class of the schema."""
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who = world.cast.experts[0]
    page = page_of(world, who, count=1)
    [receipt] = confirm(world, who, page, {page.units[0].item_id: "cow"})
    assert receipt.status == "refused"
    assert "cow" in receipt.message


def test_who_may_not_vote_gets_no_grid(world: World):
    """Managers look at figures; nobody gets nothing."""
    with pytest.raises(Forbidden):
        page_of(world, world.cast.manager)
    with pytest.raises(Forbidden):
        decide_tiles(world.ws, world.cast.manager, world.slug, [])


def test_other_answers_come_from_the_pre_label_only_on_request(sqlite_ws: Workspace):
    """Without the person's word such a tile is refused; with it the vote holds both answers."""
    new = NewProject(
        "pets", Task.CLASSIFICATION, ("cat", "dog"), questions={"mood": ("calm", "wild")}
    )
    project = create_project(sqlite_ws, operator(sqlite_ws), new)
    world = World(
        sqlite_ws, project, add_items(sqlite_ws, project, 1), make_cast(sqlite_ws, "pets")
    )
    both = Answer({"label": "cat", "mood": "wild"})
    with sqlite_ws.store.write() as connection:
        rows = [Prediction(world.items[0], both, 0.5, 0.1)]
        store_predictions(connection, project, rows, "model", 1.0)
    who = world.cast.experts[0]
    page = page_of(world, who)
    assert page.others
    assert page.units[0].also == ("wild",)
    [refused] = decide_tiles(sqlite_ws, who, "pets", [decision(page, page.units[0])])
    assert "asks more" in refused.message
    sent = decision(page, page.units[0], others=True, marks={0: "dog"})
    assert decide_tiles(sqlite_ws, who, "pets", [sent])[0].status == "saved"
    [vote] = all_votes(world)
    assert Answer.from_json(vote.answer).choices == {"label": "dog", "mood": "wild"}


def test_boxes_are_tiles_and_items_are_votes(sqlite_ws: Workspace):
    """Every box of an item is on the page, also those of another class; one vote an item."""
    world = boxes_world(sqlite_ws)
    who = world.cast.experts[0]
    page = page_of(world, who)
    assert [[t.label for t in u.tiles] for u in page.units] == [["cat", "dog"], ["cat", "cat"]]
    assert all(t.image.startswith("/files/crop/") for u in page.units for t in u.tiles)
    mixed, cats = page.units
    sent = [decision(page, mixed, marks={1: "owl"}), decision(page, cats, marks={0: ""})]
    assert [r.status for r in decide_tiles(sqlite_ws, who, world.slug, sent)] == ["saved"] * 2
    [vote] = all_votes(world)
    regions = Answer.from_json(vote.answer).regions
    assert [(r.label, r.confidence) for r in regions] == [("cat", None), ("owl", None)]
    assert set(live_leases(sqlite_ws)) == {cats.item_id}
    counts = grid_page(sqlite_ws, world.cast.experts[1], world.slug).classes
    assert {c.name: c.waiting > 0 for c in counts} == {"cat": True, "dog": True, "owl": False}
    with sqlite_ws.store.read() as connection:
        exact = waiting.waiting_by_class(connection, world.project, world.cast.experts[1])
    assert exact == {"cat": 3, "dog": 1}


def test_a_box_that_is_not_there_cannot_be_marked(sqlite_ws: Workspace):
    """An index beyond the boxes is refused, not stored."""
    world = boxes_world(sqlite_ws)
    who = world.cast.experts[0]
    page = page_of(world, who)
    [receipt] = decide_tiles(sqlite_ws, who, world.slug, [decision(page, page.units[0], marks={7: "cat"})])  # fmt: skip
    assert receipt.status == "refused"


def test_counts_leave_out_what_one_has_answered_and_take_back_what_was_withdrawn(world: World):
    """The count is of all open items less one's own standing answers."""
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    who, other = world.cast.experts[:2]
    page = page_of(world, who)
    confirm(world, who, page)
    unit = page.units[0]
    decide_tiles(
        world.ws, who, world.slug, [decision(page, unit, kind="withdraw", base_revision=1)]
    )
    with world.ws.store.read() as connection:
        counts = [waiting.waiting_by_class(connection, world.project, p) for p in (who, other)]
    assert counts == [{"cat": 1}, {"cat": len(world.items)}]


def test_a_page_is_read_from_the_index_of_its_class(sqlite_ws: Workspace):
    """The plan of the reading names the index and sorts nothing."""
    world = make_world(sqlite_ws, n_items=3)
    predict(world, dict.fromkeys(world.items, ("cat", 0.5)))
    plans: list[str] = []
    with sqlite_ws.store.read() as connection:

        def explain(_c, cursor, statement, parameters, *_):
            if "item_state.predicted = " in statement:
                rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
                plans.extend(str(r[3]) for r in rows)

        event.listen(connection, "before_cursor_execute", explain)
        candidates.find(connection, world.project, world.cast.experts[0], "cat", ())
    assert any("item_state_predicted" in p for p in plans)
    assert not any("TEMP B-TREE FOR ORDER BY" in p for p in plans)
