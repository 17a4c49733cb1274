"""Who may vote on what: skills and conflicts of interest, from the queue to the ruling."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.consensus.policy import OnDisagreement, Policy, SkillKind, SkillRule
from core.errors import Forbidden, InputError, ItemClosed, NotFound
from core.queue import waiting
from core.queue.barred import Barred
from core.queue.filters import QueueFilter
from core.services.accounts.skills import grant_skill, revoke_skill, skills_held, skills_of
from core.services.models.prelabels import Prediction, store_predictions
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.leases import open_item
from core.services.steering.rules import set_policy
from core.store.tables import item_metadata
from tests.record import World, rule, say, state_of, vote

OWLS = SkillRule(SkillKind.CLASS, "", "owl", "birds")
NIGHT = SkillRule(SkillKind.SLICE, "light", "night", "dark")


def steer(world: World, **fields: object) -> None:
    """Put a policy with these rules in force."""
    set_policy(world.ws, world.cast.lead, world.slug, replace(Policy(), **fields), "rules")


def describe(world: World, item: int, **columns: str) -> None:
    """Give an item metadata."""
    with world.ws.store.write() as connection:
        row = {
            "project_id": world.project.id, "item_id": item, "batch_id": None,
            "doc": json.dumps(columns), "at": world.ws.clock(),
        }  # fmt: skip
        connection.execute(item_metadata.insert(), row)


def predict(world: World, *labels: str) -> None:
    """Let the model say a class of each item."""
    rows = [Prediction(i, say(label), 0.5) for i, label in zip(world.items, labels, strict=True)]
    with world.ws.store.write() as connection:
        store_predictions(connection, world.project, rows, "model", world.ws.clock())


def claimed(world: World, who: int) -> list[int]:
    """Return the items a person's queue gives."""
    view = claim_items(world.ws, world.cast.experts[who], world.slug, 10)
    return sorted(i.item_id for i in view.items)


def test_a_class_goes_to_who_holds_its_skill(make):
    """Without the skill owls stay away; with it they come; taken back they go again."""
    world = make(n_items=3)
    predict(world, "owl", "cat", "dog")
    steer(world, skills=(OWLS,))
    lead, expert = world.cast.lead, world.cast.experts[0]
    assert claimed(world, 0) == world.items[1:]
    grant_skill(world.ws, lead, world.slug, expert.person_id, "birds")
    assert claimed(world, 0) == world.items
    revoke_skill(world.ws, lead, world.slug, expert.person_id, "birds")
    assert claimed(world, 0) == world.items[1:]


def test_a_slice_goes_to_who_holds_its_skill(make):
    """The rule looks at the metadata in force, not at what they once were."""
    world = make(n_items=3)
    describe(world, world.items[0], light="night")
    describe(world, world.items[1], light="night")
    describe(world, world.items[1], light="day")
    steer(world, skills=(NIGHT,))
    assert claimed(world, 0) == world.items[1:]


def test_who_is_named_neither_votes_nor_rules(make):
    """The photographer's queue leaves their picture out, and a lead who took it may not rule on it."""
    world = make(n_items=2)
    expert, lead = world.cast.experts[0], world.cast.lead
    describe(world, world.items[0], photographer=expert.name)
    describe(world, world.items[1], photographer=lead.name)
    steer(world, conflict_column="photographer", on_disagreement=OnDisagreement.LEAD)
    assert claimed(world, 0) == [world.items[1]]
    assert claimed(world, 1) == world.items
    for i, label in ((0, "cat"), (1, "dog")):
        vote(world, world.cast.experts[i], world.items[1], label)
    assert state_of(world, world.items[1])[0] == "dispute"
    seen = get_dispute(world.ws, lead, world.slug, world.items[1])
    assert (seen.may_decide, "names you" in seen.may_not_because) == (False, True)
    with pytest.raises(Forbidden, match="names you"):
        rule(world, lead, world.items[1])
    assert rule(world, world.cast.lead2, world.items[1]).status == "saved"


@pytest.mark.parametrize("rules", [{"skills": (NIGHT,)}, {"conflict_column": "by"}], ids=str)
def test_a_permalink_does_not_get_around_it(make, rules):
    """Opened by its address the item is not leased, a vote is refused in a sentence, the work kept."""
    world = make(n_items=1)
    expert, item = world.cast.experts[0], world.items[0]
    describe(world, item, light="night", by=expert.name)
    steer(world, **rules)
    opened = open_item(world.ws, expert, world.slug, item)
    assert opened.lease_expires_at is None
    assert opened.can_vote is False
    with pytest.raises(ItemClosed) as refused:
        vote(world, expert, item)
    assert refused.value.message.endswith(".")
    assert open_item(world.ws, expert, world.slug, item).draft == say("cat")
    assert state_of(world, item)[2] == 0


def test_what_waits_is_counted_exactly_beside_what_is_kept_away(make, monkeypatch):
    """However many they are, the count is of all a person may vote on, less what they hold or answered."""
    monkeypatch.setattr(waiting, "EXACT_BELOW", 3)
    monkeypatch.setattr(waiting, "MOST_COUNTED", 5)
    world = make(n_items=20)
    predict(world, *["owl", "cat", "dog", "cat"] * 5)
    for item in world.items[:6]:
        describe(world, item, light="night")
    steer(world, skills=(OWLS, NIGHT))
    allowed = [i for n, i in enumerate(world.items) if n % 4 and n >= 6]
    first, other = world.cast.experts[:2]

    def count(who):
        part = QueueFilter(barred=Barred(classes=("owl",), slices=(("light", "night"),)))
        with world.ws.store.read() as connection:
            return waiting.WaitingCounts().count(
                connection, world.project.id, who.person_id, world.ws.clock(), part
            )

    assert count(first) == len(allowed) == 11
    vote(world, first, allowed[0])
    assert [i.item_id for i in claim_items(world.ws, first, world.slug, 2).items]
    assert (count(first), count(other)) == (8, 11)


def test_nothing_left_says_what_is_kept_away(make):
    """An empty queue names the rule, and other people's queues are not touched by it."""
    world = make(n_items=1)
    describe(world, world.items[0], light="night")
    steer(world, skills=(NIGHT,))
    view = claim_items(world.ws, world.cast.experts[0], world.slug, 5)
    assert (view.items, view.waiting) == ((), 0)
    assert "skill you do not hold" in view.empty_reason
    grant_skill(world.ws, world.cast.lead, world.slug, world.cast.experts[1].person_id, "dark")
    assert claimed(world, 1) == world.items


def test_a_name_that_looks_like_another_bars_nobody(make):
    """Only the whole value of the column itself counts, quotes and all."""
    world = make(n_items=3)
    name = world.cast.experts[0].name
    describe(world, world.items[0], by=f"{name}2", note=f'"by": "{name}"')
    describe(world, world.items[1], author=name)
    describe(world, world.items[2], by=name)
    steer(world, conflict_column="by")
    assert claimed(world, 0) == world.items[:2]


def test_skills_are_granted_by_who_steers(make):
    """Experts may not grant, strangers hold nothing, a name needs letters, and all of it is told."""
    world = make(n_items=1)
    lead, expert = world.cast.lead, world.cast.experts[0]
    with pytest.raises(Forbidden):
        grant_skill(world.ws, expert, world.slug, expert.person_id, "birds")
    with pytest.raises(NotFound):
        grant_skill(world.ws, lead, world.slug, 10**6, "birds")
    for name in ("", "  ", "x" * 201, "a\nb"):
        with pytest.raises(InputError):
            grant_skill(world.ws, lead, world.slug, expert.person_id, name)
    grant_skill(world.ws, lead, world.slug, expert.person_id, " birds ")
    grant_skill(world.ws, lead, world.slug, expert.person_id, "birds")
    assert skills_of(world.ws, lead, world.slug) == {expert.person_id: ("birds",)}
    with world.ws.store.read() as connection:
        assert skills_held(connection, world.project.id, expert.person_id) == {"birds"}
