"""Agreement over any selection: class, pair, time, slice, guideline; sets, shapes, steps of a scale."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from core.access import Role
from core.analytics.asked import Filters
from core.clock import FakeClock, new_uuid
from core.consensus.agreement import krippendorff_alpha, shape_alpha, shape_class_agreement
from core.consensus.counts import count_labels
from core.consensus.policy import Policy
from core.labels import Answer, Region
from core.labels.schema import Skeleton, Task
from core.labels.shapes import keypoints_region, mask_region, polygon_region
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.analytics import agreement as kept
from core.services.analytics.agreement import agreement, differing_items, guidelines
from core.services.analytics.replicas import forget_replicas
from core.services.consensus.agreement import Scale, scales_of
from core.services.projects.project import NewProject, create_project
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_guideline
from tests.record import World, add_items, boxes, make_cast, make_world
from tests.worked import describe

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


def give(world: World, who: int, item: int, answer: Answer | str, **more: object) -> None:
    """Let an expert vote on an item."""
    said = Answer({"label": answer}) if isinstance(answer, str) else answer
    sent = Submission(new_uuid(), world.items[item], "vote", said, active_seconds=2, **more)
    submit(world.ws, world.cast.experts[who], world.slug, sent)


@dataclass(frozen=True)
class Voted:
    """Three people's votes on twelve items; the third comes on a later day, under a new guideline."""

    world: World
    said: dict[tuple[int, int], str]
    later: float

    def alpha(self, *people: int, items: tuple[int, ...] = tuple(range(12))) -> float | None:
        """Return alpha of these people's votes on these items, by the pure function."""
        rows = [
            (i, CLASSES.index(s)) for (p, i), s in self.said.items() if p in people and i in items
        ]
        return krippendorff_alpha(count_labels(*map(np.array, zip(*rows, strict=True)))).value


@pytest.fixture
def voted(sqlite_ws) -> Voted:
    clock = FakeClock()
    world = make_world(replace(sqlite_ws, clock=clock), n_items=12, policy=Policy(overlap=3))
    chance, said = random.Random(3), {}
    for who in range(3):
        if who == 2:
            clock.advance(86_400)
            later = clock()
            set_guideline(
                world.ws, world.cast.lead, world.slug, "An owl has a face.", "Owls were unclear."
            )
        for item in range(12):
            truth = CLASSES[item % 3]
            said[who, item] = truth if chance.random() < 0.7 else chance.choice(CLASSES)
            give(world, who, item, said[who, item])
    return Voted(world, said, later)


def asked(voted: Voted, filters: Filters | None = None):
    world = voted.world
    return agreement(world.ws, world.cast.manager, world.slug, filters)


def test_a_selection_looks_at_its_votes_only(voted: Voted):
    """Pair, time and guideline give what the pure function gives on the same votes."""
    names = [e.name for e in voted.world.cast.experts]
    assert asked(voted).view.labels.alpha.value == pytest.approx(voted.alpha(0, 1, 2))
    pair = asked(voted, Filters(people=(names[0], names[2])))
    assert pair.view.labels.alpha.value == pytest.approx(voted.alpha(0, 2))
    early = asked(voted, Filters(until=voted.later))
    assert early.view.labels.alpha.value == pytest.approx(voted.alpha(0, 1))
    first = asked(voted, Filters(guideline=1))
    assert first.view.labels.alpha.value == pytest.approx(voted.alpha(0, 1))
    boss = voted.world.cast.manager
    assert guidelines(voted.world.ws, boss, voted.world.slug) == {1: 24, 2: 12}
    second = asked(voted, Filters(guideline=2))
    assert second.view.labels.alpha == replace(second.view.labels.alpha, value=None, n=0)


def test_a_slice_and_a_class_choose_items(voted: Voted):
    """A slice is by metadata; a class takes the items that somebody called so."""
    world = voted.world
    describe(
        world.ws, world.project, {i: {"camera": "AB"[n % 2]} for n, i in enumerate(world.items)}
    )
    of_b = asked(voted, Filters(metadata={"camera": "B"}))
    odd = tuple(range(1, 12, 2))
    assert of_b.view.labels.alpha.value == pytest.approx(voted.alpha(0, 1, 2, items=odd))
    owls = tuple(sorted({i for (_, i), s in voted.said.items() if s == "owl"}))
    found = asked(voted, Filters(called="owl"))
    assert found.view.labels.alpha.n == len(owls)
    assert found.view.labels.alpha.value == pytest.approx(voted.alpha(0, 1, 2, items=owls))


def test_by_class_by_pair_and_by_person(voted: Voted):
    """Each figure counts what the votes say; names come with the numbers."""
    found = asked(voted)
    beside, ids = found.together, [e.person_id for e in voted.world.cast.experts[:3]]
    assert [c.name for c in beside.classes] == list(CLASSES)
    owls = sum(s == "owl" for s in voted.said.values())
    assert next(c for c in beside.classes if c.name == "owl").votes == owls
    assert sorted(beside.pairs.people) == sorted(ids)
    a, b = (beside.pairs.people.index(i) for i in ids[:2])
    same = sum(voted.said[0, i] == voted.said[1, i] for i in range(12))
    assert beside.pairs.agreement[a][b].value == pytest.approx(same / 12)
    assert beside.pairs.shared[a][b] == 12
    effects = dict(beside.effects)
    without = voted.alpha(0, 1)
    assert effects[ids[2]].value == pytest.approx(voted.alpha(0, 1, 2) - without)
    assert found.people[ids[0]][0] == voted.world.cast.experts[0].name


def test_items_two_people_differ_on_are_listed_and_withheld_from_voters(voted: Voted):
    """A manager sees every one with both answers; a lead none that is still open or in dispute."""
    world = voted.world
    names = [e.name for e in world.cast.experts]
    found = differing_items(world.ws, world.cast.manager, world.slug, names[0], names[1])
    expected = {
        (world.items[i], voted.said[0, i], voted.said[1, i])
        for i in range(12)
        if voted.said[0, i] != voted.said[1, i]
    }
    assert {(f.item_id, f.first_said, f.second_said) for f in found.items} == expected
    assert expected
    as_lead = differing_items(world.ws, world.cast.lead, world.slug, names[0], names[1])
    unsettled = {f.item_id for f in found.items if f.state in ("open", "dispute")}
    assert {f.item_id for f in as_lead.items}.isdisjoint(unsettled)
    assert as_lead.withheld == len(unsettled)
    assert as_lead.items or not expected - {e for e in expected if e[0] in unsettled}


def test_steps_of_a_scale_give_credit_to_near_answers(voted: Voted):
    """Ordinal alpha and AC2 come only where classes were said to be steps; names that are no numbers stay names."""
    world = voted.world
    found = agreement(world.ws, world.cast.manager, world.slug, scale=Scale.STEPS)
    assert scales_of(found.project) == (Scale.NAMES, Scale.STEPS)
    assert found.view.ordered.alpha.n == 12
    assert found.view.ordered.ac2.value is not None
    assert asked(voted).view.ordered is None
    wrong = agreement(world.ws, world.cast.manager, world.slug, scale=Scale.NUMBERS)
    assert wrong.view.ordered is None


def test_the_kept_answer_is_the_fresh_one(voted: Voted, monkeypatch):
    """Asking again computes nothing; one vote more computes anew."""
    first, computed = asked(voted), []
    real = kept.agreement_of
    monkeypatch.setattr(kept, "agreement_of", lambda *a, **k: computed.append(1) or real(*a, **k))
    assert asked(voted).view == first.view
    assert not computed
    more = add_items(voted.world.ws, voted.world.project, 1, first=12)
    give(replace(voted.world, items=more), 3, 0, "cat")
    assert asked(voted).view.votes == first.view.votes + 1
    assert computed


def test_regions_have_alpha_by_their_likeness(sqlite_ws):
    """Equal boxes agree perfectly, shifted ones less; a selection narrows them too."""
    world = make_world(sqlite_ws, n_items=6, task=Task.BOXES)
    for item in range(6):
        give(world, 0, item, boxes((0, 0, 20, 20), (30, 30, 60, 60)))
        shift = 0 if item < 5 else 2
        give(world, 1, item, boxes((shift, 0, 20 + shift, 20), (30, 30, 60, 60)))
    found = agreement(world.ws, world.cast.manager, world.slug)
    assert found.view.shapes.n == 6
    assert 0.8 < found.view.shapes.value < 1
    assert found.together.pairs.shared[0][1] == 6
    one = agreement(
        world.ws, world.cast.manager, world.slug, Filters(people=(world.cast.experts[0].name,))
    )
    assert one.view.shapes.n == 0
    assert one.view.votes == 6


def test_regions_have_figures_by_class_and_by_person(sqlite_ws):
    """Classes come in schema order, effects in numbers of people; each with n."""
    world = make_world(sqlite_ws, n_items=6, task=Task.BOXES, policy=Policy(overlap=3))
    red, white = Region("cat", 0, 0, 20, 20), Region("owl", 30, 30, 60, 60)
    for item in range(6):
        for who in range(3):
            drawn = (red,) if who == 2 and item % 2 else (red, white)
            give(world, who, item, Answer(regions=drawn))
    found = agreement(world.ws, world.cast.manager, world.slug).together
    assert [(c.name, c.votes) for c in found.classes] == [("cat", 18), ("owl", 15)]
    assert found.classes[0].positive.value == 1
    assert found.classes[1].positive.value == pytest.approx(1 - 6 / 30)
    assert found.classes[1].alpha.n == 6
    ids = [e.person_id for e in world.cast.experts[:3]]
    effects = dict(found.effects)
    assert sorted(effects) == sorted(ids)
    assert effects[ids[2]].value < 0 < effects[ids[0]].value


@pytest.mark.parametrize("task", [Task.POLYGONS, Task.KEYPOINTS, Task.MASKS])
def test_every_shape_has_figures_by_class_and_by_person(sqlite_ws, task):
    """Whatever is drawn has agreement by class and each person's effect."""
    points = Skeleton(("head", "tail")) if task is Task.KEYPOINTS else Skeleton()
    new = NewProject("drawn", task, CLASSES, skeleton=points, policy=Policy(overlap=3))
    project = create_project(sqlite_ws, operator(sqlite_ws), new)
    world = World(
        sqlite_ws, project, add_items(sqlite_ws, project, 5), make_cast(sqlite_ws, "drawn")
    )
    for item in range(5):
        for who in range(3):
            give(world, who, item, Answer(regions=(shape_of(task, 3 * who),)))
    found = agreement(world.ws, world.cast.manager, world.slug).together
    (only,) = found.classes
    assert only.name == "cat"
    assert -1 < only.alpha.value <= 1
    assert len(found.effects) == 3
    assert all(e.value is not None and e.n == 5 for _, e in found.effects)


def shape_of(task: Task, off: int) -> Region:
    """Return a square of the task's shape, moved to the right by so many pixels."""
    x1, x2 = 2 + off, 22 + off
    if task is Task.POLYGONS:
        return polygon_region("cat", [(x1, 4), (x2, 4), (x2, 24), (x1, 24)])
    if task is Task.KEYPOINTS:
        return keypoints_region("cat", [(x1, 4, 2), (x2, 24, 2)])
    pixels = np.zeros((64, 64), dtype=bool)
    pixels[4:24, x1:x2] = True
    return mask_region("cat", pixels)


def test_every_choice_of_votes_narrows_what_was_drawn(sqlite_ws):
    """Pair, time, guideline, slice, class and blind votes give the figures of their votes alone."""
    clock = FakeClock()
    world = make_world(
        replace(sqlite_ws, clock=clock), n_items=12, task=Task.BOXES,
        policy=Policy(overlap=3),
    )  # fmt: skip
    said: dict[tuple[int, int], Answer] = {}
    chance = random.Random(5)
    for who in range(3):
        if who == 2:
            clock.advance(86_400)
            later = clock()
            set_guideline(
                world.ws, world.cast.lead, world.slug, "White has no core.", "It was unclear."
            )
        for item in range(12):
            x, name = chance.choice((0, 2, 5)), "owl" if item % 3 < 2 else "cat"
            said[who, item] = Answer(regions=(Region(name, x, 0, x + 20, 20),))
            give(world, who, item, said[who, item])
    describe(
        world.ws, world.project, {i: {"camera": "AB"[n % 2]} for n, i in enumerate(world.items)}
    )
    everything, names = tuple(range(12)), [e.name for e in world.cast.experts]
    chosen = (
        (Filters(), (0, 1, 2), everything),
        (Filters(people=(names[0], names[2])), (0, 2), everything),
        (Filters(until=later), (0, 1), everything),
        (Filters(guideline=1), (0, 1), everything),
        (Filters(metadata={"camera": "B"}), (0, 1, 2), everything[1::2]),
        (Filters(called="owl"), (0, 1, 2), tuple(i for i in everything if i % 3 < 2)),
    )
    for filters, people, items in chosen:
        found = agreement(world.ws, world.cast.manager, world.slug, filters)
        drawn = [[said[p, i] for p in people] for i in items]
        assert found.view.shapes.value == pytest.approx(shape_alpha(drawn).value)
        parts = shape_class_agreement([[a.regions for a in item] for item in drawn])
        enough = len(items) >= 5
        told = {c.name: c.alpha.value for c in found.together.classes}
        assert told == {c.name: pytest.approx(c.alpha.value) if enough else None for c in parts}
        assert len(found.together.effects) == len(people)
    for nobody in (Filters(since=later + 1), Filters(guideline=2)):
        none = agreement(world.ws, world.cast.manager, world.slug, nobody)
        assert none.view.shapes.value is None
        assert none.together.classes == ()


def test_regions_are_compared_pair_by_pair(sqlite_ws):
    """The mean F1 of two people, and the items that lower it, least alike first."""
    world = make_world(sqlite_ws, n_items=6, task=Task.BOXES)
    both = ((0, 0, 20, 20), (30, 30, 60, 60))
    for item in range(6):
        give(world, 0, item, boxes(*both))
        give(world, 1, item, boxes(*(both[:1] if item == 4 else () if item == 2 else both)))
    boss, names = world.cast.manager, [e.name for e in world.cast.experts[:2]]
    pairs = agreement(world.ws, boss, world.slug).together.pairs
    assert pairs.agreement[0][1].value == pytest.approx((4 + 2 / 3) / 6)
    assert pairs.agreement[0][1] == pairs.agreement[1][0]
    found = differing_items(world.ws, boss, world.slug, names[1], names[0])
    assert [(d.item_id, d.first_said, d.second_said) for d in found.items] == [
        (world.items[2], "0", "2"), (world.items[4], "1", "2"),
    ]  # fmt: skip
    assert found.items[1].in_common == pytest.approx(2 / 3)


def test_questions_with_several_answers_have_alpha_of_sets(sqlite_ws):
    """A set that holds the other counts as half agreed; the label's own figures stand beside it."""
    op = operator(sqlite_ws)
    new = NewProject(
        "tags", Task.CLASSIFICATION, CLASSES, questions={"seen": ["eye", "ear", "tail"]},
        several=["seen"],
    )  # fmt: skip
    project = create_project(sqlite_ws, op, new)
    world = World(
        sqlite_ws, project, add_items(sqlite_ws, project, 8), make_cast(sqlite_ws, "tags")
    )
    for item in range(8):
        tags = ("eye",) if item % 2 else ("ear", "tail")
        other = (*tags, "tail") if item in (1, 3) else tags
        give(world, 0, item, Answer({"label": "cat"}, multi={"seen": tags}))
        give(world, 1, item, Answer({"label": "cat"}, multi={"seen": other}))
    (question,) = agreement(world.ws, world.cast.manager, "tags").view.questions
    assert question.several
    assert question.alpha.n == 8
    assert 0.5 < question.alpha.value < 1


def test_nobody_votes_yet(sqlite_ws):
    """No vote: nothing is a number, nothing is raised."""
    world = make_world(sqlite_ws, n_items=2)
    found = agreement(world.ws, world.cast.manager, world.slug)
    assert found.view.labels.alpha.value is None
    assert found.together.classes == ()
    assert found.together.pairs.people == ()


def test_who_may_not_see_figures_learns_nothing(sqlite_ws):
    """An expert is refused both."""
    world = make_world(sqlite_ws, n_items=2)
    stranger = actor_of(
        world.ws, add_person(world.ws, world.cast.operator, "nora", roles=[(Role.EXPERT, None)])
    )
    for ask in (
        lambda: agreement(world.ws, stranger, world.slug),
        lambda: differing_items(world.ws, stranger, world.slug, "nora", "nora"),
    ):
        with pytest.raises(Exception, match="may not"):
            ask()
