"""Consensus region by region: what is there, what it is, who was right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.regions import Area, Dispute, Geometry, Middle, consensus_of
from core.errors import InputError
from core.labels import Answer, Region
from core.labels.schema import Task
from tests.consensus.regions.crowd import drawn_by
from tests.consensus.strategies import box, drawings
from tests.consensus.test_fused_shapes import drawings_of
from tests.drawn import SIZE, draw_images, schema_of

DRAWN = [t for t in Task if t.draws]


def answers_of(*people: tuple[Region, ...]) -> list[Answer]:
    """Return one answer per set of regions."""
    return [Answer(regions=p) for p in people]


@pytest.fixture(scope="module")
def truths(tmp_path_factory) -> dict[Task, list[Answer]]:
    """Give what is in some drawn images, by task."""
    folder = tmp_path_factory.mktemp("drawn")
    return {t: list(draw_images(folder / t, schema_of(t), 3).values()) for t in DRAWN}


@pytest.mark.parametrize("task", DRAWN)
@pytest.mark.parametrize("area", Area)
@pytest.mark.parametrize("middle", Middle)
def test_identical_answers_give_exactly_those_regions(truths, task, area, middle) -> None:
    """Whatever the shape and the way of fusing, with everybody behind every region."""
    for truth in truths[task]:
        how = Geometry(middle, area, area)
        found = consensus_of([truth] * 4, geometry=how, schema=schema_of(task))
        assert set(found.label) == set(truth.regions)
        assert {(r.people, r.of, r.probability) for r in found.regions} == {(4, 4, 1.0)}
        assert found.disputed == ()
        assert all(p.precision == p.recall == 1 for p in found.people)


@pytest.mark.parametrize("task", DRAWN)
def test_one_person_is_a_consensus_of_one(truths, task) -> None:
    """What one person drew comes out as it is, without a model's confidence."""
    truth = truths[task][2]
    sure = Answer(regions=tuple(replace(r, confidence=0.7) for r in truth.regions))
    found = consensus_of([sure])
    assert set(found.label) == set(truth.regions)
    assert [(r.by, r.of, r.probability) for r in found.regions] == [((0,), 1, 1.0)] * 3


@pytest.mark.parametrize("task", DRAWN)
def test_people_a_little_off_make_one_region_of_each_thing(truths, task) -> None:
    """Fit to be stored, with the class and the attributes of the truth."""
    schema = schema_of(task)
    truth = truths[task][2]
    rng = np.random.default_rng(5)
    found = consensus_of([drawn_by(truth.regions, rng, 0.03) for _ in range(5)], schema=schema)
    assert [r.people for r in found.regions] == [5, 5, 5]
    said = sorted((r.label, r.attributes) for r in found.label)
    assert said == sorted((r.label, r.attributes) for r in truth.regions)
    stored = schema.check(Answer(regions=found.label, multi=truth.multi), *SIZE)
    assert stored.regions == found.label


def test_nobody_drew_anything_is_a_consensus() -> None:
    """Nothing is there, and nobody was wrong."""
    found = consensus_of(answers_of((), (), ()))
    assert (found.regions, found.disputed) == ((), ())
    assert [(p.drew, p.wanted, p.precision, p.recall) for p in found.people] == [
        (0, 0, None, None)
    ] * 3
    assert consensus_of([]).people == ()


@pytest.mark.parametrize(
    ("who", "of", "quorum", "there"),
    [(1, 2, 0.5, True), (1, 3, 0.5, False), (2, 3, 0.5, True), (3, 5, 0.7, False), (4, 5, 0.7, True),
     (2, 5, 0.4, True), (7, 10, 0.7, True), (1, 3, 1 / 3, True), (2, 3, 1, False)],
)  # fmt: skip
def test_a_region_is_there_from_the_quorum_up(who, of, quorum, there) -> None:
    """Drawn by at least ceil(quorum × people); else it is in dispute and not in the label."""
    people = [(box(0, 0),)] * who + [()] * (of - who)
    found = consensus_of(answers_of(*people), quorum=quorum)
    assert bool(found.regions) is there
    (region,) = found.regions or found.refused
    assert (region.people, region.of, region.probability) == (who, of, pytest.approx(who / of))
    assert region.dispute is (None if there else Dispute.TOO_FEW)
    assert found.disputed == (() if there else (region,))


def test_an_outlier_is_left_out_and_does_not_spoil_the_others() -> None:
    """One person draws elsewhere: their box is in dispute, their record says so."""
    people = [(box(0, 0),), (box(1, 0),), (box(2, 0),), (box(60, 60),)]
    found = consensus_of(answers_of(*people))
    assert found.label == (box(1, 0),)
    assert [r.region for r in found.disputed] == [box(60, 60)]
    assert [p.precision for p in found.people] == [1, 1, 1, 0]
    assert [p.recall for p in found.people] == [1, 1, 1, 0]


def test_one_edge_far_off_does_not_move_the_median() -> None:
    """The mean it does."""
    people = [(box(0, 0),), (box(0, 0),), (Region("red", 0, 0, 32, 20),)]
    by_mean = consensus_of(answers_of(*people), geometry=Geometry(Middle.MEAN))
    assert consensus_of(answers_of(*people)).label == (box(0, 0),)
    assert by_mean.label == (Region("red", 0, 0, 24, 20),)


def test_the_class_is_that_of_most() -> None:
    """A box two call red and one white is one red box, shares told."""
    people = [(box(0, 0),), (box(1, 0, label="white"),), (box(2, 0),)]
    (region,) = consensus_of(answers_of(*people)).regions
    assert region.region == box(1, 0)
    assert region.classes == (("red", pytest.approx(2 / 3)), ("white", pytest.approx(1 / 3)))
    assert (region.people, region.dispute) == (3, None)
    assert [p.right for p in consensus_of(answers_of(*people)).people] == [1, 0, 1]


CELLS = schema_of(Task.BOXES)


def test_a_tied_class_goes_to_the_one_more_common_in_the_item_and_is_disputed() -> None:
    """Then to the first in schema order, whatever the alphabet says."""
    leaf, stone = box(0, 0, label="leaf"), box(0, 0, label="stone")
    other = box(80, 0, label="stone")
    found = consensus_of(answers_of((leaf,), (stone,)), schema=CELLS)
    assert found.label == (leaf,)
    assert found.disputed == found.regions
    assert found.regions[0].dispute is Dispute.CLASS_TIE
    assert consensus_of(answers_of((leaf, other), (stone, other)), schema=CELLS).label == (stone, other)  # fmt: skip
    fruit, leaf_first = box(0, 0, label="fruit"), CELLS.classes.index("leaf")
    assert leaf_first < CELLS.classes.index("fruit")
    assert consensus_of(answers_of((leaf,), (fruit,)), schema=CELLS).label == (leaf,)
    assert consensus_of(answers_of((leaf,), (fruit,))).label == (fruit,)


def test_attributes_are_voted_on_one_by_one() -> None:
    """People who agree on nothing whole agree on each; ties fall in schema order."""

    def said(**told: str) -> tuple[Region, ...]:
        return (replace(box(0, 0, label="leaf"), attributes=tuple(sorted(told.items()))),)

    people = answers_of(said(a="x", b="p"), said(a="x", b="q"), said(a="y", b="q"))
    assert consensus_of(people).label == said(a="x", b="q")
    even = answers_of(said(severity="high"), said(severity="low"))
    assert consensus_of(even).label == said(severity="high")
    assert consensus_of(even, schema=CELLS).label == said(severity="low")


def test_two_classes_on_one_spot_stay_two_things() -> None:
    """Each is paired with its like."""
    first = (box(0, 0), box(2, 0, label="white"))
    second = (box(4, 0, label="white"), box(2, 0))
    found = consensus_of(answers_of(first, second))
    assert [(r.region.label, r.region.x1, r.people) for r in found.regions] == [
        ("red", 1, 2),
        ("white", 3, 2),
    ]


def test_weights_decide_existence_class_and_place() -> None:
    """An expert outweighs two: their box is there, their class holds, theirs is the middle."""
    people = [(box(0, 0),), (box(6, 0, label="white"),), (box(6, 0, label="white"), box(90, 0))]
    found = consensus_of(answers_of(*people), weights=[5, 1, 1])
    assert found.label == (box(0, 0),)
    assert found.regions[0].classes == (("red", pytest.approx(5 / 7)), ("white", pytest.approx(2 / 7)))  # fmt: skip
    assert found.refused[0].probability == pytest.approx(1 / 7)
    mean = consensus_of(answers_of(*people), weights=[5, 1, 1], geometry=Geometry(Middle.MEAN))
    assert mean.label[0].x1 == pytest.approx(12 / 7)
    assert consensus_of(answers_of(*people)).label == (box(6, 0, label="white"),)


def test_who_counts_nothing_changes_nothing() -> None:
    """A person of weight 0 has no say, and still a record."""
    people = [(box(0, 0),), (box(1, 0),), (box(6, 0, label="white"), box(80, 0))]
    found = consensus_of(answers_of(*people), weights=[1, 1, 0])
    assert found.label == (box(0.5, 0),)
    assert found.regions[0].probability == 1
    assert found.refused[0].probability == 0
    assert (found.people[2].kept, found.people[2].right) == (1, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"quorum": 0}, {"quorum": 1.1}, {"iou_at_least": 0}, {"iou_at_least": float("nan")},
     {"weights": [1]}, {"weights": [0, 0]}, {"weights": [1, -1]}, {"weights": [1, float("inf")]}],
    ids=str,
)  # fmt: skip
def test_what_is_no_bound_and_no_weight_is_refused(wrong) -> None:
    """In a plain sentence."""
    with pytest.raises(InputError, match=r"found"):
        consensus_of(answers_of((box(0, 0),), ()), **wrong)


def _same_for_any_order(people, random, weights, how) -> None:
    answers = answers_of(*people)
    before = consensus_of(answers, weights=weights, geometry=how)
    order = random.sample(range(len(people)), len(people))
    again = consensus_of(
        [Answer(regions=tuple(random.sample(people[i], len(people[i])))) for i in order],
        weights=weights and [weights[i] for i in order],
        geometry=how,
    )
    assert again.label == before.label
    assert [(r.region, r.probability, r.classes) for r in again.disputed] == [
        (r.region, r.probability, r.classes) for r in before.disputed
    ]
    renumbered = [tuple(sorted(order[i] for i in r.by)) for r in again.regions]
    records = [again.people[order.index(i)] for i in range(len(order))]
    # People who drew the very same may stand for each other.
    if len(set(map(frozenset, people))) == len(people):
        assert renumbered == [r.by for r in before.regions]
        assert records == list(before.people)


@settings(max_examples=60)
@given(drawings(), st.randoms(use_true_random=False), st.data())
def test_the_order_of_people_and_boxes_changes_nothing(people, random, data) -> None:
    """Nor does it with weights."""
    some = st.lists(st.sampled_from([0.5, 1.0, 2.5]), min_size=len(people), max_size=len(people))
    weights = data.draw(st.none() | some)
    _same_for_any_order(people, random, weights, Geometry(data.draw(st.sampled_from(Middle))))


@pytest.mark.parametrize("kind", ["polygon", "keypoints", "mask"])
@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.data())
def test_the_order_of_people_and_shapes_changes_nothing(kind, random, data) -> None:
    """For polygons, keypoints and masks, by vote and by STAPLE."""
    area = data.draw(st.sampled_from(Area))
    _same_for_any_order(data.draw(drawings_of(kind)), random, None, Geometry(Middle.MEDIAN, area, area))  # fmt: skip
