"""One ruling on many disputes: each item checked, nothing twice, nothing half understood."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import ConflictError, Forbidden, InputError, NotFound
from core.labels import Answer
from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.items.why import explain
from core.services.projects.project import NewProject, create_project
from core.services.review.bulk import bulk_rule
from core.services.review.disputes import get_dispute
from core.services.review.many import BulkReceipt
from core.services.review.overturn import overturn
from core.services.review.rulings import RulingFilter, rulings
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import audit, decisions
from tests.record import World, add_items, make_cast, make_project, rule, say, state_of, vote

Make = Callable[..., World]
TO_LEAD = Policy(on_disagreement=OnDisagreement.LEAD)


@pytest.fixture
def disputed(make: Make) -> World:
    """Give a project whose three items all have a cat against a dog."""
    world = make(n_items=3, policy=TO_LEAD)
    for item_id in world.items:
        vote(world, world.cast.experts[0], item_id, "cat")
        vote(world, world.cast.experts[1], item_id, "dog")
    return world


def looked(world: World) -> list[tuple[int, int]]:
    """Return the items as the lead sees them now."""
    lead = world.cast.lead
    return [(i, get_dispute(world.ws, lead, world.slug, i).newest_seq) for i in world.items]


def settle_all(world: World, chosen: list | None = None, **changes) -> BulkReceipt:
    """Rule that all are cats."""
    asked = {
        "actor": world.cast.lead, "kind": "decide", "answer": say("cat"), "reason": "ears",
        "uuid": new_uuid(), **changes,
    }  # fmt: skip
    return bulk_rule(
        world.ws, asked["actor"], world.slug, looked(world) if chosen is None else chosen,
        asked["kind"], asked["answer"], asked["reason"], asked["uuid"],
    )  # fmt: skip


def count_decisions(world: World) -> int:
    with world.ws.store.read() as connection:
        return connection.execute(select(func.count()).select_from(decisions)).scalar_one()


def test_all_are_settled_each_by_a_decision_of_its_own(disputed: World):
    """Every item has its decision with the reason, and one line of the audit tells of them all."""
    told = settle_all(disputed)
    assert told.saved == tuple(disputed.items)
    assert {state_of(disputed, i)[:2] for i in disputed.items} == {("adjudicated", "cat")}
    found = rulings(disputed.ws, disputed.cast.lead, disputed.slug, RulingFilter(bulk=told.uuid))
    assert {r.item_id for r in found.rows} == set(disputed.items)
    assert {r.reason for r in found.rows} == {"ears"}
    with disputed.ws.store.read() as connection:
        said = connection.execute(select(audit.c.action, audit.c.subject)).tuples().all()
    assert ("ruled in bulk: decide", "3 items") in said


def test_what_changed_meanwhile_is_left_out_and_told(disputed: World):
    """A vote changed, an item settled by another lead: the others are decided."""
    chosen = looked(disputed)
    first, second, third = disputed.items
    vote(disputed, disputed.cast.experts[0], first, "owl", base=1)
    rule(disputed, disputed.cast.lead2, second, "discard")
    told = settle_all(disputed, chosen)
    assert told.saved == (third,)
    because = {o.item_id: o.because for o in told.left_out}
    assert "changed or flagged" in because[first]
    assert "in dispute no more" in because[second]
    assert state_of(disputed, second)[0] == "discarded"


def test_sent_again_it_changes_nothing(disputed: World):
    """The same UUID is acknowledged; another lead's use of it is refused."""
    chosen, uuid = looked(disputed), new_uuid()
    settle_all(disputed, chosen[:2], uuid=uuid)
    again = settle_all(disputed, chosen, uuid=uuid)
    assert (again.already, again.saved) == (tuple(disputed.items[:2]), (disputed.items[2],))
    assert count_decisions(disputed) == 3
    with pytest.raises(ConflictError, match="belongs to another"):
        settle_all(disputed, chosen, uuid=uuid, actor=disputed.cast.lead2)


def test_a_lead_who_voted_settles_only_the_others(make: Make):
    """An item one voted on is left to another lead."""
    world = make(n_items=2, policy=TO_LEAD)
    mine, other = world.items
    for item_id, who in ((mine, world.cast.lead), (other, world.cast.experts[0])):
        vote(world, who, item_id, "cat")
        vote(world, world.cast.experts[1], item_id, "dog")
    told = settle_all(world)
    assert told.saved == (other,)
    assert "You voted on this item" in told.left_out[0].because


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": " "}, "needs a reason"),
        ({"uuid": "not one"}, "UUID of its own"),
        ({"uuid": "x:1"}, "UUID of its own"),
        ({"kind": "guess"}, "Unknown kind"),
        ({"answer": None}, "needs the label"),
        ({"answer": say("unicorn")}, "Unknown class"),
        ({"chosen": []}, "No items"),
        ({"chosen": [(n, 1) for n in range(501)]}, "501 items are too many"),
    ],
    ids=["reason", "uuid", "colon", "kind", "no answer", "class", "none", "501"],
)
def test_bad_input_decides_nothing(disputed: World, changes: dict, words: str):
    """Each refusal says what was wrong, before any item is ruled on."""
    with pytest.raises(InputError, match=words):
        settle_all(disputed, **changes)
    assert count_decisions(disputed) == 0


def test_items_of_another_project_are_refused(disputed: World):
    """One strange item and nothing is decided."""
    other = make_project(disputed.ws, "plants", TO_LEAD)
    (strange,) = add_items(disputed.ws, other, 1)
    with pytest.raises(NotFound, match="nothing was decided"):
        settle_all(disputed, [*looked(disputed), (strange, 0)])
    assert count_decisions(disputed) == 0


def test_further_questions_keep_what_most_votes_say(ws):
    """The species is ruled on; the condition stays as the votes have it, or the item is left out."""
    new = NewProject(
        "leaves", Task.CLASSIFICATION, ("oak", "elm"), policy=TO_LEAD,
        questions={"condition": ("dry", "wet")},
    )  # fmt: skip
    project = create_project(ws, operator(ws), new)
    world = World(ws, project, add_items(ws, project, 2), make_cast(ws, "leaves"))
    agreed, open_one = world.items
    for item_id, conditions in ((agreed, ("wet", "wet")), (open_one, ("wet", "dry"))):
        for who, species, condition in zip(
            world.cast.experts, ("oak", "elm"), conditions, strict=False
        ):
            answer = Answer({"label": species, "condition": condition})
            submit(ws, who, world.slug, Submission(new_uuid(), item_id, "vote", answer))
    told = settle_all(world, answer=Answer({"label": "elm"}))
    assert told.saved == (agreed,)
    assert "other questions" in told.left_out[0].because
    (made,) = rulings(ws, world.cast.lead, world.slug).rows
    assert made.label == "elm"
    assert get_dispute(ws, world.cast.lead, world.slug, agreed).item.state == "adjudicated"
    dry = Answer({"condition": "dry"})
    back = overturn(
        ws, world.cast.lead, world.slug, [(agreed, made.seq)], "decide", dry, "no", new_uuid()
    )
    assert back.saved == (agreed,)
    why = explain(ws, world.cast.lead, world.slug, agreed)
    assert why.answer == Answer({"label": "elm", "condition": "dry"})


def test_an_expert_settles_nothing(disputed: World):
    """Only leads."""
    with pytest.raises(Forbidden):
        settle_all(disputed, actor=disputed.cast.experts[2])


def test_it_is_taken_back_by_overturning_each(disputed: World):
    """Sent back, the items are open again and ask for one more vote; both decisions stay."""
    told = settle_all(disputed)
    lead = disputed.cast.lead
    made = rulings(disputed.ws, lead, disputed.slug, RulingFilter(bulk=told.uuid)).rows
    back = overturn(
        disputed.ws, lead, disputed.slug, [(r.item_id, r.seq) for r in made], "send-back", None,
        "too hasty", new_uuid(),
    )  # fmt: skip
    assert back.saved == tuple(disputed.items)
    assert {state_of(disputed, i)[0] for i in disputed.items} == {"open"}
    assert count_decisions(disputed) == 6
