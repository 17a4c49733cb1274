"""Blindness: who answers without the pre-label, and that nothing gives it, gold or votes away."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.access import Actor, Role
from core.analytics.asked import Against
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.labels import Answer
from core.queue.filters import QueueFilter
from core.queue.plan import QueuePlan
from core.server.decisions import item_json
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.analytics.quality import cases
from core.services.items.about import about_item
from core.services.items.search import look_at
from core.services.items.why import explain
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import load_project
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.leases import open_item, release_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.visibility.blind import blind_items, draw
from core.store.tables import annotation_log, gold_answers, item_state, prediction_sets
from tests.record import World, act, make_world, rule, say, vote

TOP = (("cat", 0.7), ("dog", 0.2), ("owl", 0.1))


def predict(world: World, ids: list[int], label: str = "cat", name: str = "model 1") -> None:
    """Put a pre-label in force on these items, each with a confidence of its own."""
    rows = [Prediction(i, say(label), 0.7 + i / 1000, 0.5, TOP) for i in ids]
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(connection, project, rows, name, world.ws.clock())


def blind_all(world: World, share: float = 1.0) -> None:
    """Ask for blind items from here on."""
    set_queue_plan(
        world.ws, world.cast.manager, world.slug, QueuePlan(blind_share=share), "measure anchoring"
    )


def noted(world: World, item_id: int) -> tuple[int | None, bool]:
    """Return what the newest answer on an item notes of the pre-label."""
    with world.ws.store.read() as connection:
        row = connection.execute(
            select(annotation_log)
            .where(annotation_log.c.item_id == item_id)
            .order_by(annotation_log.c.seq.desc())
        ).first()
    assert row is not None
    return row.prediction_seq, row.prelabel_shown


def in_force(world: World, item_id: int) -> int:
    """Return the number of the prediction in force."""
    with world.ws.store.read() as connection:
        seq = connection.execute(
            select(item_state.c.prediction_seq).where(item_state.c.item_id == item_id)
        ).scalar_one()
    assert seq is not None
    return seq


# --- the draw ---------------------------------------------------------------------------------


def test_the_draw_is_stable_uniform_and_ones_own() -> None:
    """The same question gives the same answer; people and items are drawn apart; half is half."""
    drawn = [draw("pets", i, 1) for i in range(4000)]
    assert drawn == [draw("pets", i, 1) for i in range(4000)]
    assert 0.47 < sum(d < 0.5 for d in drawn) / 4000 < 0.53
    other = [draw("pets", i, 2) for i in range(4000)]
    both = sum(a < 0.5 and b < 0.5 for a, b in zip(drawn, other, strict=True)) / 4000
    assert 0.22 < both < 0.28
    assert draw("plants", 1, 1) != draw("pets", 1, 1)


def test_a_share_of_the_items_comes_without_its_pre_label(make: Callable[..., World]) -> None:
    """About the share asked for is blind, the same items at every look, others for others."""
    world = make(n_items=60)
    predict(world, world.items)
    blind_all(world, 0.5)
    first, second = (
        {i for i in world.items if look_at(world.ws, person, world.slug, i).prelabel is None}
        for person in world.cast.experts[:2]
    )
    assert 15 <= len(first) <= 45
    assert first != second
    again = {
        i.item_id
        for i in claim_items(world.ws, world.cast.experts[0], world.slug, 10).items
        if i.prelabel is None
    }
    assert again <= first
    assert look_at(world.ws, world.cast.manager, world.slug, min(first)).prelabel is not None


# --- every way to an item ---------------------------------------------------------------------


def everything_seen(world: World, actor: Actor, item_id: int) -> str:
    """Return all a person can read of an item by any route of theirs, as text."""
    said = [
        item_json(open_item(world.ws, actor, world.slug, item_id)),
        item_json(look_at(world.ws, actor, world.slug, item_id)),
        [item_json(i) for i in claim_items(world.ws, actor, world.slug, 10).items],
        dataclasses.asdict(about_item(world.ws, actor, world.slug, item_id)),
        dataclasses.asdict(explain(world.ws, actor, world.slug, item_id)),
    ]
    if any(r is Role.LEAD for r, _ in actor.roles):
        said.append(item_json(get_dispute(world.ws, actor, world.slug, item_id).item))
        said.append([dataclasses.asdict(d) for d in disputes(world.ws, actor, world.slug)])
    return json.dumps(said, default=str)


@pytest.mark.parametrize("who", ["expert", "lead"])
def test_no_route_gives_the_pre_label_of_a_blind_item_away(world: World, who: str) -> None:
    """Queue, permalink, items page, about, why, adjudication: class, model and confidence are nowhere."""
    actor = world.cast.experts[0] if who == "expert" else world.cast.lead
    predict(world, world.items, label="owl", name="giveaway")
    shown = everything_seen(world, actor, world.items[0])
    assert "owl" in shown
    assert "giveaway" in shown  # so its absence below means something
    release_items(world.ws, actor, world.slug, world.items)  # what is in hand stays as it was
    blind_all(world)
    seen = everything_seen(world, actor, world.items[0])
    assert "owl" not in seen
    assert "giveaway" not in seen
    assert "0.7" not in seen


def test_figures_give_no_blind_item_away(world: World) -> None:
    """A lead who could still vote on an item does not find it among the model's mistakes."""
    predict(world, world.items, "cat")
    blind_all(world)
    with world.ws.store.write() as connection:
        rows = [
            {"project_id": world.project.id, "item_id": i, "label": "dog",
             "answer": say("dog").to_json(), "batch_id": None, "at": 1.0}
            for i in world.items[:2]
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)
    rule(world, world.cast.lead2, world.items[0], "decide", "dog")

    def listed(actor: Actor) -> list[int]:
        found = cases(world.ws, actor, world.slug, "dog", "cat", against=Against.GOLD)
        return [c.item_id for c in found.cases]

    assert sorted(listed(world.cast.manager)) == world.items[:2]
    assert listed(world.cast.lead) == world.items[:1]


def test_asking_for_a_class_tells_nothing_of_blind_items(world: World) -> None:
    """A queue of one predicted class leaves blind items out, those in hand too."""
    predict(world, world.items, "owl")
    actor = world.cast.experts[0]
    owls = QueueFilter(predicted="owl")
    assert len(claim_items(world.ws, actor, world.slug, 10, part=owls).items) == 6
    release_items(world.ws, actor, world.slug, world.items)
    blind_all(world)
    assert claim_items(world.ws, actor, world.slug, 10, part=owls).items == ()
    assert len(claim_items(world.ws, actor, world.slug, 10).items) == 6
    assert claim_items(world.ws, actor, world.slug, 10, part=owls).items == ()


def test_after_the_vote_the_pre_label_shows_and_after_undo_it_hides_again(world: World) -> None:
    """A vote that stands lifts blindness, a skip or a flag does not; taking back brings it back."""
    predict(world, world.items)
    blind_all(world)
    actor, item = world.cast.experts[0], world.items[0]

    def shown() -> bool:
        views = [f(world.ws, actor, world.slug, item) for f in (open_item, look_at)]
        assert len({v.prelabel is None for v in views}) == 1
        return views[0].prelabel is not None

    assert not shown()
    act(world, actor, item, "skip", reason="unsure")
    assert not shown()
    vote(world, actor, item, base=1)
    assert shown()
    act(world, actor, item, "withdraw", base=2)
    assert not shown()


def test_a_lead_sees_the_pre_label_of_a_dispute(world: World) -> None:
    """Who rules needs it and can no longer vote; experts stay blind meanwhile."""
    predict(world, world.items)
    blind_all(world)
    act(world, world.cast.experts[0], world.items[0], "flag")
    item = get_dispute(world.ws, world.cast.lead, world.slug, world.items[0]).item
    assert item.prelabel is not None
    expert = world.cast.experts[1]
    assert look_at(world.ws, expert, world.slug, world.items[0]).prelabel is None


def test_a_new_plan_takes_nothing_away_from_items_in_hand(world: World) -> None:
    """What was handed out with its pre-label keeps it, on screen and in the record."""
    predict(world, world.items)
    actor = world.cast.experts[0]
    item = claim_items(world.ws, actor, world.slug, 1).items[0]
    assert item.prelabel is not None
    world.ws.clock.advance(5)
    blind_all(world)
    again = open_item(world.ws, actor, world.slug, item.item_id)
    assert again.prelabel == item.prelabel
    seq = item.prelabel.seq
    sent = Submission(
        new_uuid(), item.item_id, "vote", say("cat"), prelabel_seq=seq, prelabel_shown=True
    )
    submit(world.ws, actor, world.slug, sent)
    assert noted(world, item.item_id) == (seq, True)


# --- what the record notes --------------------------------------------------------------------


def test_the_server_notes_which_prediction_was_in_force(make: Callable[..., World]) -> None:
    """The client knows nothing of a blind item's prediction; the record holds it, not shown."""
    world = make()
    predict(world, world.items)
    blind_all(world)
    actor = world.cast.experts[0]
    item = claim_items(world.ws, actor, world.slug, 1).items[0]
    expected = in_force(world, item.item_id)
    world.ws.clock.advance(5)
    predict(world, [item.item_id], "dog", "model 2")  # came after the hand-out
    vote(world, actor, item.item_id)
    assert noted(world, item.item_id) == (expected, False)


def test_a_vote_given_again_after_seeing_the_pre_label_is_not_blind(world: World) -> None:
    """Voted blind, looked, taken back, voted again: only the first answer counts as unaided."""
    predict(world, world.items)
    blind_all(world)
    actor, item = world.cast.experts[0], world.items[0]
    seq = in_force(world, item)
    vote(world, actor, item)
    assert noted(world, item) == (seq, False)
    assert look_at(world.ws, actor, world.slug, item).prelabel is not None
    act(world, actor, item, "withdraw", base=1)
    vote(world, actor, item, "dog", base=2)
    assert noted(world, item) == (seq, True)
    vote(world, actor, item, "owl", base=3)  # changed where it stands
    assert noted(world, item) == (seq, True)
    vote(world, world.cast.experts[1], item)  # somebody else never saw it
    assert noted(world, item) == (seq, False)


def test_a_client_that_claims_to_have_shown_it_is_corrected(world: World) -> None:
    """prelabel_shown of a blind item is what the server knows, whatever was sent."""
    predict(world, world.items)
    blind_all(world)
    actor, item = world.cast.experts[0], world.items[0]
    seq = in_force(world, item)
    sent = Submission(new_uuid(), item, "vote", say("cat"), prelabel_seq=seq, prelabel_shown=True)
    submit(world.ws, actor, world.slug, sent)
    assert noted(world, item) == (seq, False)


def test_without_blind_items_the_client_is_believed(world: World) -> None:
    """Nothing changes for a project that measures nothing."""
    predict(world, world.items)
    actor, item = world.cast.experts[0], world.items[0]
    seq = in_force(world, item)
    sent = Submission(new_uuid(), item, "vote", say("cat"), prelabel_seq=seq, prelabel_shown=True)
    submit(world.ws, actor, world.slug, sent)
    assert noted(world, item) == (seq, True)
    vote(world, world.cast.experts[1], item)
    assert noted(world, item) == (None, False)


# --- nothing tells ----------------------------------------------------------------------------


def test_gold_audit_blind_and_plain_items_look_alike(sqlite_ws) -> None:
    """Same keys, no value and no place in the queue that tells which is which."""
    world = make_world(sqlite_ws, n_items=8, policy=Policy())
    actor = world.cast.experts[0]
    gold, audit, unpredicted = world.items[0], world.items[1], world.items[7]
    order = [i.item_id for i in claim_items(world.ws, actor, world.slug, 10).items]
    predict(world, world.items[:7])
    ranked = [i.item_id for i in claim_items(world.ws, actor, world.slug, 10).items]
    with world.ws.store.write() as connection:
        connection.execute(
            gold_answers.insert(),
            {"project_id": world.project.id, "item_id": gold, "label": "dog",
             "answer": say("dog").to_json(), "batch_id": None, "at": 1.0},
        )  # fmt: skip
    blind_all(world, 0.5)
    release_items(world.ws, actor, world.slug, world.items)
    with world.ws.store.read() as connection:
        project = load_project(connection, world.slug)
        blind = blind_items(connection, project, actor, world.items)
    assert 0 < len(blind - {unpredicted}) < 7
    found = {i.item_id: i for i in claim_items(world.ws, actor, world.slug, 10).items}
    assert list(found) == ranked
    assert sorted(order) == sorted(ranked)
    docs = {i: item_json(v) for i, v in found.items()}
    assert len({tuple(d) for d in docs.values()}) == 1
    own = {"item_id", "name", "image", "prelabel"}
    plain = {i: {k: v for k, v in d.items() if k not in own} for i, d in docs.items()}
    assert all(d == plain[audit] for d in plain.values())
    for item_id, doc in docs.items():
        assert (doc["prelabel"] is None) == (item_id in blind or item_id == unpredicted)
        text = json.dumps(doc, default=str).lower()
        assert not any(word in text for word in ("gold", "audit", "blind", "probe"))
    keys = {tuple(d["prelabel"]) for d in docs.values() if d["prelabel"]}
    assert len(keys) == 1
    about = {i: dataclasses.asdict(about_item(world.ws, actor, world.slug, i)) for i in found}
    empty = [about[i] for i in (*(blind - {unpredicted}), unpredicted)]
    assert all([r["kind"] for r in a["history"]] == ["imported"] for a in empty)


def test_who_holds_another_role_too_is_blind_all_the_same(world: World) -> None:
    """A manager who also votes answers blind like any voter."""
    predict(world, world.items)
    blind_all(world)
    both = actor_of(
        world.ws,
        add_person(
            world.ws, operator(world.ws), "both",
            roles=[(Role.EXPERT, world.slug), (Role.MANAGER, world.slug)],
        ),
    )  # fmt: skip
    assert look_at(world.ws, both, world.slug, world.items[0]).prelabel is None
    assert look_at(world.ws, world.cast.manager, world.slug, world.items[0]).prelabel is not None


def test_five_likeliest_classes_come_with_the_pre_label(world: World) -> None:
    """What the model gave is what the deck gets; a set without probabilities gives none."""
    predict(world, world.items[:1])
    shown = look_at(world.ws, world.cast.experts[0], world.slug, world.items[0]).prelabel
    assert shown is not None
    assert (shown.top, shown.model) == (TOP, "model 1")
    rows = [Prediction(world.items[1], Answer({"label": "dog"}), 0.9)]
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(connection, project, rows, "from a file", 1.0)
        assert connection.execute(select(prediction_sets.c.id)).all()
    other = look_at(world.ws, world.cast.experts[0], world.slug, world.items[1]).prelabel
    assert other is not None
    assert (other.top, other.model) == ((), "from a file")
