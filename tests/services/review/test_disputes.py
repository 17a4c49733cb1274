"""The list of disputes: its order, its filters, what is remembered; and what stands beside a vote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest
from sqlalchemy import insert

from core.consensus.policy import OnDisagreement, Policy
from core.errors import InputError
from core.queue.plan import Boost, QueuePlan
from core.services.consensus.inference import fit_project
from core.services.consensus.resolve import resolve
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.adjudication import disputes, list_disputes
from core.services.review.dispute_filter import DisputeFilter
from core.services.review.disputes import get_dispute
from core.services.review.vote_weights import trust
from core.store.tables import item_metadata
from tests.record import World, act, rule, say, vote
from tests.services.items.test_about import along, train

Make = Callable[..., World]
TO_LEAD = Policy(on_disagreement=OnDisagreement.LEAD)


def clash(world: World, item: int, one: str, other: str) -> None:
    """Let the first two experts say two things of an item."""
    vote(world, world.cast.experts[0], item, one)
    vote(world, world.cast.experts[1], item, other)


@pytest.fixture
def world(make: Make) -> World:
    """Give four disputes: three cat against dog, one dog against owl; six settled as cat."""
    found = make(n_items=10, policy=TO_LEAD)
    for item in found.items[:3]:
        clash(found, item, "cat", "dog")
    clash(found, found.items[3], "dog", "owl")
    for item in found.items[4:]:
        clash(found, item, "cat", "cat")
    return found


def listed(world: World, asked: DisputeFilter | None = None) -> list[int]:
    return [r.item_id for r in disputes(world.ws, world.cast.lead, world.slug, asked)]


def with_metadata(world: World, item: int, doc: str) -> None:
    row = {"project_id": world.project.id, "item_id": item, "doc": doc, "at": 1.0}
    with world.ws.store.write() as connection:
        connection.execute(insert(item_metadata), row)


def test_disputes_that_answer_others_come_first_and_a_flag_before_all(world: World) -> None:
    """Cat against dog is asked three times and dog is rare; then a flag on the other overtakes."""
    rows = disputes(world.ws, world.cast.lead, world.slug)
    assert {r.item_id for r in rows[:3]} == set(world.items[:3])
    assert rows[3].item_id == world.items[3]
    assert [r.value for r in rows] == sorted((r.value for r in rows), reverse=True)
    assert all(r.uncertainty == pytest.approx(1) for r in rows)
    act(world, world.cast.experts[2], world.items[3], "flag", reason="other: blurred")
    assert listed(world)[0] == world.items[3]


def test_a_boost_of_the_queue_plan_moves_a_dispute(world: World) -> None:
    """What a lead boosts is worth more, at once."""
    boosted = world.items[3]
    plan = QueuePlan(boosts=(Boost("items", "", str(boosted), 3),))
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "first")
    assert listed(world)[0] == boosted


def test_filters_narrow_and_say_what_empties_them(world: World) -> None:
    """By pair, person, reason and flag; together they leave what meets all."""
    owl = world.items[3]
    assert listed(world, DisputeFilter(pair=("dog", "owl"))) == [owl]
    assert len(listed(world, DisputeFilter(person=world.cast.experts[0].person_id))) == 4
    assert listed(world, DisputeFilter(person=world.cast.experts[3].person_id)) == []
    assert len(listed(world, DisputeFilter(reason="votes-differ"))) == 4
    assert listed(world, DisputeFilter(reason="flagged")) == []
    asked = DisputeFilter(pair=("dog", "owl"), flagged=True)
    found = list_disputes(world.ws, world.cast.lead, world.slug, asked)
    assert (found.rows, found.total) == ((), 4)
    assert found.less == {"pair": 0, "flagged": 1}


def test_a_slice_follows_the_newest_metadata(world: World) -> None:
    """What metadata says now counts, also after the list was read before."""
    one, other = world.items[:2]
    with_metadata(world, one, '{"site": "north"}')
    with_metadata(world, other, '{"site": "south"}')
    north = DisputeFilter(slice_key="site", slice_value="north")
    assert listed(world, north) == [one]
    with_metadata(world, other, '{"site": "north"}')
    assert set(listed(world, north)) == {one, other}
    choices = list_disputes(world.ws, world.cast.lead, world.slug).choices
    assert choices.columns == ()  # one value only narrows nothing
    assert choices.pairs[0] == (("cat", "dog"), 3)
    assert [n for _id, _name, n in choices.people] == [4, 4]


def test_what_is_remembered_follows_every_vote(world: World) -> None:
    """A changed vote, a ruling and a full resolve leave the list as if it were read afresh."""
    before = disputes(world.ws, world.cast.lead, world.slug)
    vote(world, world.cast.experts[1], world.items[0], "owl", base=1)
    row = next(
        r for r in disputes(world.ws, world.cast.lead, world.slug) if r.item_id == world.items[0]
    )
    assert row.pairs == (("cat", "owl"),)
    vote(world, world.cast.experts[1], world.items[0], "cat", base=2)
    assert world.items[0] not in listed(world)
    resolve(world.ws, world.cast.lead, world.slug)
    rest = disputes(world.ws, world.cast.lead, world.slug)
    assert {r.item_id for r in rest} == {r.item_id for r in before} - {world.items[0]}


@pytest.mark.parametrize(
    "asked",
    [
        DisputeFilter(),
        DisputeFilter(pair=("", "a: b"), reason="no-majority"),
        DisputeFilter(("cat", "dog"), 7, "site: a", "x:y", "flagged", True),
    ],
)
def test_a_filter_survives_its_address(asked: DisputeFilter) -> None:
    """Names with colons do too; each part can be taken away."""
    assert DisputeFilter.from_query(asked.to_query()) == asked
    for part in asked.parts:
        assert part not in asked.without(part).parts


@pytest.mark.parametrize(
    "query",
    [{"pair": "cat"}, {"person": "-1"}, {"person": "²"}, {"slice": ":x"}, {"slice": "site:"}],
)
def test_an_address_that_cannot_be_read_is_refused(query: dict[str, str]) -> None:
    """With a sentence, not a trace."""
    with pytest.raises(InputError):
        DisputeFilter.from_query(query)


def test_a_vote_is_told_by_how_often_its_author_was_right(world: World) -> None:
    """Six cats were settled as cat; of dogs there is no record, so all answers count."""
    one, other = get_dispute(world.ws, world.cast.lead, world.slug, world.items[0]).votes
    assert one.weight is not None
    assert other.weight is not None
    assert (one.weight.source, one.weight.label) == ("settled", "cat")
    assert (one.weight.right, one.weight.share.n) == (6, 6)
    assert (other.weight.label, other.weight.right, other.weight.share.n) == ("", 6, 6)
    assert one.weight.weight is None  # no fit yet


def test_a_fit_tells_how_likely_a_vote_is_right(world: World) -> None:
    """The one whose cats stand is believed more in a cat than in a dog nobody else sees."""
    with world.ws.store.read() as connection:
        fitted = fit_project(connection, world.project)
    assert fitted is not None
    main, (one, other, _, stranger) = world.project.schema.main, world.cast.experts
    sure = trust(fitted.fit, main, one.person_id, say("cat"))
    doubted = trust(fitted.fit, main, other.person_id, say("owl"))
    assert sure is not None
    assert doubted is not None
    assert 0 <= doubted < sure <= 1
    assert trust(fitted.fit, main, stranger.person_id, say("cat")) is None


def test_nobody_without_a_record_is_weighed(make: Make) -> None:
    """Where nothing is settled yet it says so, and no name stands in the view."""
    world = make(n_items=1, policy=TO_LEAD)
    clash(world, world.items[0], "cat", "dog")
    view = get_dispute(world.ws, world.cast.lead, world.slug, world.items[0])
    assert [v.weight.source for v in view.votes if v.weight] == ["", ""]
    assert view.similar is None
    assert "expert" not in str(asdict(view))


def test_settled_cases_like_it_come_with_the_reason_of_the_ruling(make: Make) -> None:
    """The nearest that people settled, a lead's words where a lead ruled; never another dispute."""
    world = make(n_items=4, policy=TO_LEAD)
    disputed, agreed, ruled, other = world.items
    for item in (disputed, ruled, other):
        clash(world, item, "cat", "dog")
    clash(world, agreed, "owl", "owl")
    rule(world, world.cast.lead, ruled, "decide", "dog")
    train(world, dict(zip(world.items, along(0, 0.5, 0.2, 0.1), strict=True)))
    similar = get_dispute(world.ws, world.cast.lead, world.slug, disputed).similar
    assert similar is not None
    assert [(s.item_id, s.label, s.state.value) for s in similar] == [
        (ruled, "dog", "adjudicated"),
        (agreed, "owl", "agreed"),
    ]
    assert similar[0].reason
    assert similar[1].reason == ""
