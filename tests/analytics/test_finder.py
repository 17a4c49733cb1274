"""The slice finder, held to plain Python on the same numbers and to planted biases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.analytics.cells import Facts, compare, count
from core.analytics.finder import Column, find
from core.stats.proportions import compare_proportions

SIZES = (3, 4, 5)


def _columns(n: int, seed: int, sizes: tuple[int, ...] = SIZES) -> list[Column]:
    rng = np.random.default_rng(seed)
    return [Column(rng.integers(-1, k, n).astype(np.int32), k) for k in sizes]


def _shares(right: np.ndarray, who: np.ndarray | None = None) -> Facts:
    return Facts(np.ones(len(right)), right.astype(float), who, True, False)


def test_every_slice_of_one_and_two_columns_is_counted_as_plain_python_counts():
    """Inside and outside, right and in all, of each value and each two values."""
    columns = _columns(400, 1)
    right = np.random.default_rng(2).random(400) < 0.7
    found = find(_shares(right), columns, fewest=5).counted
    seen = {}
    for i in range(len(found)):
        key = tuple(
            int(v)
            for v in (found.first[i], found.first_code[i], found.second[i], found.second_code[i])
        )
        seen[key] = (found.n[i], found.total[i])
    expected = {}
    for c, column in enumerate(columns):
        for v in range(column.size):
            inside = [bool(r) for r, k in zip(right, column.codes, strict=True) if k == v]
            expected[c, v, -1, -1] = (len(inside), sum(inside))
    for (a, first), (b, second) in itertools.combinations(enumerate(columns), 2):
        for v, w in itertools.product(range(first.size), range(second.size)):
            inside = [
                bool(r)
                for r, k, m in zip(right, first.codes, second.codes, strict=True)
                if k == v and m == w
            ]
            expected[a, v, b, w] = (len(inside), sum(inside))
    assert seen == {k: v for k, v in expected.items() if 5 <= v[0] <= 395}


def test_a_share_s_gap_interval_and_p_are_those_of_two_proportions():
    """A model's single statements give Newcombe's interval and the test of `compare_proportions`."""
    columns = _columns(600, 3, (4,))
    right = np.random.default_rng(4).random(600) < np.where(columns[0].codes == 2, 0.5, 0.9)
    facts = _shares(right)
    found = count(facts, [columns[0].codes], [4], 0)
    got = compare(facts, found)
    for i in range(len(found)):
        n, hits = int(found.n[i]), int(found.total[i])
        plain = compare_proportions(hits, n, int(right.sum()) - hits, 600 - n)
        assert got.gap[i] == pytest.approx(plain.difference.value)
        assert got.gap_low[i] == pytest.approx(plain.difference.low)
        assert got.gap_high[i] == pytest.approx(plain.difference.high)
        assert got.p[i] == pytest.approx(plain.p, rel=1e-6)


def test_people_who_differ_widen_the_interval():
    """The same counts from five people who differ much are less sure than from one model."""
    rng = np.random.default_rng(5)
    who = np.repeat(np.arange(5), 80)
    inside = np.tile([0, 1], 200).astype(np.int32)
    right = rng.random(400) < np.where(inside == 1, np.array([0.2, 0.95, 0.9, 0.3, 0.9])[who], 0.9)
    column = [Column(inside, 2)]
    alone = find(_shares(right), column)
    among = find(_shares(right, who), column)
    assert (
        among.compared.gap_high - among.compared.gap_low
        > alone.compared.gap_high - alone.compared.gap_low
    ).all()
    assert (among.compared.p > alone.compared.p).all()


def test_a_planted_pair_comes_first_and_its_parts_are_explained_by_it():
    """Only the pair is bad: it leads, and what it makes of its parts is told as its doing."""
    columns = _columns(6000, 6, (3, 4, 6, 8))
    bad = (columns[0].codes == 2) & (columns[1].codes == 1)
    right = np.random.default_rng(7).random(6000) < np.where(bad, 0.6, 0.9)
    found = find(_shares(right), columns)
    top = int(found.order[0])
    at = found.counted
    assert (at.first[top], at.first_code[top], at.second[top], at.second_code[top]) == (0, 2, 1, 1)
    parts = [
        i
        for i in range(len(at))
        if at.second[i] < 0 and (at.first[i], at.first_code[i]) in {(0, 2), (1, 1)}
    ]
    assert [int(found.explained[i]) for i in parts] == [top, top]
    assert found.adjusted[top] < 1e-6
    assert found.probability[top] > 0.999


def test_a_pair_that_a_part_explains_is_pruned():
    """Where one column alone is bad it comes first, and few pairs with it stand: a quarter at most."""
    columns, pruned = _columns(5000, 8, (3, 4, 5)), []
    for seed in range(9, 29):
        chance = np.where(columns[0].codes == 1, 0.6, 0.9)
        found = find(_shares(np.random.default_rng(seed).random(5000) < chance), columns)
        at, top = found.counted, int(found.order[0])
        inside = (at.second >= 0) & (at.first == 0) & (at.first_code == 1)
        pruned.append(found.pruned[inside].mean())
        if seed == 9:
            assert (at.first[top], at.first_code[top], at.second[top]) == (0, 1, -1)
    assert np.mean(pruned) > 0.75


def _people(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return who said each statement, and by how much that person is worse than the others."""
    who = np.random.default_rng(seed).integers(0, 5, n)
    return who, np.array([0.0, 0.0, 0.05, 0.05, 0.5])[who]


def test_what_people_depart_by_from_a_pair_s_difference_is_as_plain_python_sums_it():
    """For each pair and each of its parts: each person's pull on the one figure less that on the other."""
    columns, (who, worse) = _columns(400, 31, (3, 4)), _people(400, 32)
    right = np.random.default_rng(33).random(400) < 0.9 - worse
    found = count(_shares(right, who), [c.codes for c in columns], [3, 4], 0, 1)
    one, two = (c.codes for c in columns)

    def pulls(chosen: np.ndarray) -> np.ndarray:
        figure = right[chosen].mean()
        return np.array(
            [(right[chosen & (who == p)] - figure).sum() / chosen.sum() for p in range(5)]
        )

    for i in range(len(found)):
        inside = (one == found.first_code[i]) & (two == found.second_code[i])
        for side, part in enumerate((one == found.first_code[i], two == found.second_code[i])):
            apart = 5 / 4 * ((pulls(inside) - pulls(part & ~inside)) ** 2).sum()
            assert found.apart[side, i] == pytest.approx(apart, abs=1e-12)
    assert (found.apart > 0).all()


def test_people_who_differ_much_do_not_hide_what_two_conditions_do_together():
    """One of five is right half as often, everywhere alike: the pair all are worse under still comes first."""
    first = 0
    for seed in range(20):
        columns, (who, worse) = _columns(2500, 40 + seed, (3, 3)), _people(2500, 60 + seed)
        bad = (columns[0].codes == 1) & (columns[1].codes == 2)
        chance = 0.9 - worse - 0.2 * bad
        right = np.random.default_rng(80 + seed).random(2500) < chance
        found = find(_shares(right, who), columns)
        at, top = found.counted, int(found.order[0])
        named = at.first[top], at.first_code[top], at.second[top], at.second_code[top]
        first += named == (0, 1, 1, 2)
    assert first >= 18


def test_without_any_bias_nothing_is_found():
    """Of two hundred slices of pure chance at most a few pass the adjusted level in ten draws."""
    hits = 0
    for seed in range(10):
        columns = _columns(2000, 100 + seed, (4, 5, 6))
        right = np.random.default_rng(seed).random(2000) < 0.8
        hits += int((find(_shares(right), columns).adjusted < 0.05).any())
    assert hits <= 2


def test_lower_can_be_the_better_figure():
    """Of times and rates of rework the slice with the higher figure is the one that costs."""
    column = Column((np.arange(400) % 2).astype(np.int32), 2)
    slow = np.log(np.where(column.codes == 1, 9.0, 6.0)) + np.random.default_rng(0).normal(
        0, 0.3, 400
    )
    found = find(Facts(np.ones(400), slow, None, False, True), [column])
    top = int(found.order[0])
    assert found.counted.first_code[top] == 1
    assert found.loss[top] > 100 * 0.3
    assert found.adjusted[top] < 1e-6


def test_nothing_to_group_by_is_no_error():
    """No column, no statement, one value for all: an empty answer."""
    nothing = _shares(np.zeros(0))
    assert not len(find(nothing, []).order)
    same = Column(np.zeros(50, np.int32), 1)
    assert not len(find(_shares(np.ones(50)), [same]).order)
    assert not len(find(nothing, [Column(np.zeros(0, np.int32), 3)]).order)
    all_right = find(_shares(np.ones(100)), [Column((np.arange(100) % 2).astype(np.int32), 2)])
    assert (all_right.compared.p == 1).all()
