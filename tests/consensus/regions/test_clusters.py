"""Which regions are one thing: pairs, clusters, and that no item takes minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.regions import alike as alike_module
from core.consensus.regions import consensus_of
from core.consensus.regions.alike import alike, box_ious
from core.consensus.regions.clusters import clusters_of, clusters_of_each
from core.consensus.regions.nearby import nearby
from core.consensus.regions.pairing import SAME_ATTRIBUTES, SAME_CLASS
from core.labels import Answer, Region
from core.labels.geometry import boxes_of, iou_matrix, likeness
from core.labels.shapes import keypoints_region, polygon_region
from tests.consensus.regions.crowd import boxes_at_random, drawn_by
from tests.consensus.strategies import box
from tests.consensus.test_fused_shapes import drawings_of

coordinates = st.integers(0, 12)
crowded = st.lists(
    st.lists(
        st.builds(
            lambda x, y, w, h, name: Region(name, x, y, x + w, y + h),
            coordinates,
            coordinates,
            st.integers(12, 20),
            st.integers(12, 20),
            st.sampled_from(["red", "white"]),
        ),
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


@given(crowded, st.sampled_from([0.2, 0.5, 0.8]))
def test_a_cluster_holds_one_of_a_person_and_only_what_is_alike(people, at_least) -> None:
    """Every two members pass the bound, every region is in just one cluster."""
    found = clusters_of(people, at_least, [1.0] * len(people))
    for cluster in found:
        assert len({m.person for m in cluster}) == len(cluster)
        for a, b in combinations(cluster, 2):
            assert likeness([a.region], [b.region])[0, 0] >= at_least - 1e-12
    drawn = sorted((i, r.box, r.label) for i, p in enumerate(people) for r in p)
    assert drawn == sorted((m.person, m.region.box, m.region.label) for c in found for m in c)


@given(crowded.filter(lambda p: len(p) > 1))
def test_of_two_people_the_pairs_are_the_best_there_are(people) -> None:
    """No other one-to-one pairing gains more: likeness, and more where class and attributes agree."""
    two = people[:2]
    gain = [[_gain(a, b) for b in two[1]] for a in two[0]]
    best = max(_gains(gain, frozenset(range(len(two[1])))))
    pairs = [c for c in clusters_of(two, 0.5, [1.0, 1.0]) if len(c) == 2]
    assert sum(_gain(a.region, b.region) for a, b in pairs) == pytest.approx(best)


def _gain(a: Region, b: Region) -> float:
    alike_by = float(likeness([a], [b])[0, 0])
    more = SAME_CLASS * (a.label == b.label) + SAME_ATTRIBUTES
    return alike_by + more if alike_by >= 0.5 else 0.0


def _gains(gain: Sequence[Sequence[float]], free: frozenset[int]) -> Iterator[float]:
    """Yield what each way to pair gains, one region after the other: every one there is."""
    if not gain:
        yield 0.0
        return
    yield from _gains(gain[1:], free)
    for i in free:
        if gain[0][i]:
            yield from (gain[0][i] + g for g in _gains(gain[1:], free - {i}))


def test_a_chain_is_cut_where_its_ends_are_not_alike() -> None:
    """Of three in a row the closer two are one thing, though the third is like the middle one."""
    people = [[box(0, 0)], [box(5, 0)], [box(11, 0)]]
    assert sorted(len(c) for c in clusters_of(people, 0.5, [1.0] * 3)) == [1, 2]


def test_neighbours_that_overlap_are_not_swapped() -> None:
    """Greedy pairing would leave the outer two alone."""
    one, other = [box(0, 0), box(6, 0)], [box(5, 0), box(11, 0)]
    assert [len(c) for c in clusters_of([one, other], 0.5, [1.0, 1.0])] == [2, 2]


@given(crowded)
def test_near_are_all_pairs_that_touch(people) -> None:
    """Of two people, each pair once; likeness is that of all labels."""
    regions = [r for p in people for r in p]
    person = np.array([i for i, p in enumerate(people) for _ in p], dtype=np.int64)
    boxes = boxes_of(regions)
    found = [(int(a), int(b)) for pair in nearby(boxes, person) for a, b in zip(*pair, strict=True)]
    table = iou_matrix(boxes, boxes)
    wanted = {
        (i, j)
        for i, j in combinations(range(len(regions)), 2)
        if person[i] != person[j] and table[i, j] > 0
    }
    assert wanted <= set(found)
    assert len(set(found)) == len(found)
    if found:
        a, b = np.array(found).T
        assert np.allclose(box_ious(boxes[a], boxes[b]), table[a, b])


@pytest.mark.parametrize(("kind", "off"), [("polygon", 0.03), ("keypoints", 1e-9), ("mask", 1e-9)])
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_likeness_is_that_of_all_labels(kind, off, data) -> None:
    """The same as of two regions alone; of polygons but for the grid."""
    people = data.draw(drawings_of(kind))
    regions = [r for p in people for r in p]
    person = np.array([i for i, p in enumerate(people) for _ in p], dtype=np.int64)
    table = likeness(regions, regions)
    found = alike(regions, person, 0.4)
    values = {
        (int(i), int(j)): v
        for i, j, v in zip(found.first, found.second, found.likeness, strict=True)
    }
    for i, j in combinations(range(len(regions)), 2):
        if person[i] != person[j] and table[i, j] >= 0.4 + off:
            assert values[i, j] == pytest.approx(table[i, j], abs=off)
    assert all(table[pair] >= 0.4 - off for pair in values)


def test_skeletons_whose_boxes_do_not_touch_may_be_one() -> None:
    """A single point, or points in a row, a little off."""
    single = [[keypoints_region("a", [(x, 50, 2), (0, 0, 0)])] for x in (50, 54)]
    row = [[keypoints_region("a", [(10, y, 2), (60, y, 2)])] for y in (50, 53)]
    assert [len(c) for c in clusters_of(single, 0.5, [1.0, 1.0])] == [2]
    assert [len(c) for c in clusters_of(row, 0.5, [1.0, 1.0])] == [2]


def test_ten_thousand_regions_are_fused_at_once() -> None:
    """Five people with two thousand each: seconds at most, and all found again."""
    rng = np.random.default_rng(2)
    truth = boxes_at_random(rng, 2000, 6000)
    answers = [drawn_by(truth, rng, 0.03) for _ in range(5)]
    started = time.process_time()
    found = consensus_of(answers)
    assert time.process_time() - started < 10
    assert len(found.regions) == 2000


def test_a_heap_on_one_spot_is_bounded(monkeypatch) -> None:
    """With more pairs than are looked at, equal heaps still pair one to one."""
    monkeypatch.setattr(alike_module, "MOST_PAIRS", 2_000)
    heap = Answer(regions=(box(0, 0),) * 100)
    found = consensus_of([heap] * 4)
    assert [r.people for r in found.regions] == [4] * 100
    assert found.label == heap.regions


@given(st.lists(crowded, max_size=5), st.sampled_from([0.2, 0.5, 0.9]))
@settings(max_examples=150, deadline=None)
def test_many_items_together_give_what_each_gives_alone(items, alike_at_least):
    """Items of a few boxes are compared in one go, and nothing comes out otherwise."""
    together = clusters_of_each(items, alike_at_least)
    assert together == [clusters_of(i, alike_at_least, [1.0] * len(i)) for i in items]


def test_crowded_items_and_other_shapes_stand_between_small_ones():
    """What is too much to compare together keeps its place."""
    rng = np.random.default_rng(4)
    truth = boxes_at_random(rng, 40)
    crowded = [drawn_by(truth, rng).regions for _ in range(3)]
    few = [drawn_by(truth[:3], rng).regions for _ in range(4)]
    ring = polygon_region("a", [(0, 0), (20, 0), (20, 20), (0, 20)])
    items = [few, crowded, [], [(ring,), (ring,)], [(), ()], few[:2]]
    alone = [clusters_of(i, 0.5, [1.0] * len(i)) for i in items]
    assert clusters_of_each(items, 0.5) == alone
    assert [len(found) for found in alone[2:5]] == [0, 1, 0]
