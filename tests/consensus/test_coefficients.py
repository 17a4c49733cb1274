"""Coefficients beyond the nominal ones, against published values and their definitions."""

from __future__ import annotations

from itertools import permutations
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.agreement import (
    alpha_sums,
    class_agreement,
    cohen_kappa,
    gwet_ac1,
    gwet_ac2,
    interval_alpha,
    krippendorff_alpha,
    ordinal_alpha,
    set_alpha,
    vitality,
)
from core.consensus.agreement.sets import SetDistance
from core.consensus.agreement.weights import Weights
from core.consensus.counts import count_labels
from core.errors import InputError, LimitExceeded
from core.stats.intervals import UNDEFINED
from tests.consensus.test_agreement import OBSERVERS, counted, tables, votes_of

SCALE = np.array([1.0, 2.5, 7.0, 7.5, 20.0])


def by_definition(units, distance):
    """Return alpha from every ordered pair of values, within units and over all, by the book."""
    units = [u for u in units if len(u) >= 2]
    n = sum(map(len, units))
    observed = sum(distance(a, b) / (len(u) - 1) for u in units for a, b in permutations(u, 2))
    values = [v for u in units for v in u]
    expected = sum(distance(a, b) for a, b in permutations(values, 2))
    return 1 - (n - 1) * observed / expected if expected else None


def units_of(table):
    """Return the codes said of each unit, of a table in which 0 is missing."""
    return [[int(v) - 1 for v in column if v] for column in table.T]


def ordinal_distance(units):
    """Return Krippendorff's ordinal metric of these values, by his sum over the ranks between."""
    kept = [v for u in units if len(u) >= 2 for v in u]
    often = np.bincount(kept, minlength=10)

    def distance(a, b):
        low, high = sorted((a, b))
        return float(often[low : high + 1].sum() - (often[low] + often[high]) / 2) ** 2

    return distance


def same(ours, theirs):
    """Hold a value against its definition to 1e-9, undefined included."""
    if theirs is None:
        assert ours.value is None
    else:
        assert ours.value == pytest.approx(theirs, abs=1e-9)


def test_krippendorffs_own_table_on_every_scale():
    """His table of 2011 gives 0.743 nominal, 0.815 ordinal and 0.849 interval."""
    counts = counted(OBSERVERS)
    assert krippendorff_alpha(counts).value == pytest.approx(0.743, abs=5e-4)
    assert ordinal_alpha(counts).value == pytest.approx(0.815, abs=5e-4)
    e = interval_alpha(counts, [1, 2, 3, 4, 5])
    assert (e.value, e.n) == (pytest.approx(0.849, abs=5e-4), 11)
    assert e.low < e.value < e.high


@given(tables)
def test_ordinal_and_interval_alpha_equal_their_definitions(table):
    """The forms by counts equal the sums over all pairs of values."""
    units, counts = units_of(table), counted(table)
    same(ordinal_alpha(counts, replicates=0), by_definition(units, ordinal_distance(units)))
    values = SCALE[: counts.classes]
    squares = by_definition(units, lambda a, b: (SCALE[a] - SCALE[b]) ** 2)
    same(interval_alpha(counts, values, replicates=0), squares)


@given(tables)
@settings(max_examples=60)
def test_nominal_alpha_is_the_same_with_and_without_an_interval(table):
    """The path without an interval gives the value of the other."""
    quick = krippendorff_alpha(counted(table), replicates=0)
    full = krippendorff_alpha(counted(table), replicates=200)
    assert quick.n == full.n
    same(quick, full.value)


sets = st.lists(st.frozensets(st.integers(0, 3), max_size=3), min_size=1, max_size=4)


def masi(a, b):
    """Return Passonneau's distance of two sets."""
    if a == b:
        return 0.0
    share = len(a & b) / len(a | b)
    return 1 - share * (0 if not a & b else 2 / 3 if a < b or b < a else 1 / 3)


def jaccard(a, b):
    """Return one minus what is shared of all."""
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


@given(st.lists(sets, min_size=1, max_size=6))
@pytest.mark.parametrize(("name", "distance"), [("masi", masi), ("jaccard", jaccard)])
def test_alpha_of_sets_equals_its_definition(name, distance, units):
    """Sets of answers, the empty one too, give the sum over all pairs."""
    item = [i for i, unit in enumerate(units) for _ in unit]
    said = [s for unit in units for s in unit]
    same(set_alpha(item, said, SetDistance(name), replicates=0), by_definition(units, distance))


def test_a_flood_of_different_sets_is_refused_in_a_sentence():
    """More than 2,000 distinct sets are not compared each with each."""
    said = [(i, i + 1) for i in range(2001)]
    with pytest.raises(LimitExceeded, match="2,001 different sets"):
        set_alpha(range(2001), said)


def ac2_by_definition(units, k, weight):
    """Return AC2 from pairs of votes, after Gwet (2014)."""
    units = [u for u in units if u]
    paired = [u for u in units if len(u) >= 2]
    if not paired:
        return None
    agreed = np.mean([np.mean([weight(a, b) for a, b in permutations(u, 2)]) for u in paired])
    share = np.mean([[u.count(c) / len(u) for c in range(k)] for u in units], axis=0)
    total = sum(weight(a, b) for a in range(k) for b in range(k))
    chance = total / (k * (k - 1)) * float((share * (1 - share)).sum())
    return (agreed - chance) / (1 - chance)


@given(tables)
@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        (Weights.IDENTITY, lambda a, b: float(a == b)),
        (Weights.LINEAR, lambda a, b: 1 - abs(a - b) / 2),
        (Weights.QUADRATIC, lambda a, b: 1 - (a - b) ** 2 / 4),
        (Weights.ORDINAL, lambda a, b: 1 - abs(a - b) * (abs(a - b) + 1) / 6),
    ],
)
def test_ac2_equals_its_definition(kind, weight, table):
    """AC2 by counts equals the mean over pairs of votes, under all its weights."""
    item, _, label = votes_of(table)
    counts = count_labels(item, label, 3)
    ours = gwet_ac2(counts, kind, replicates=0)
    same(ours, ac2_by_definition(units_of(table), 3, weight))
    if kind is Weights.IDENTITY:
        same(ours, gwet_ac1(counts, 3, replicates=0).value)


labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12)


@given(labels)
@pytest.mark.parametrize(("kind", "power"), [(Weights.LINEAR, 1), (Weights.QUADRATIC, 2)])
def test_weighted_kappa_equals_its_definition(kind, power, labels):
    """1 - sum(w o) / sum(w e) over all pairs of classes."""
    a, b = np.array(labels).T
    observed = np.mean(np.abs(a - b) ** power)
    expected = np.mean(np.abs(a[:, None] - b[None, :]) ** power)
    ours = cohen_kappa(a, b, kind, 4, replicates=0)
    same(ours, 1 - observed / expected if expected else None)


def test_weighted_kappa_of_cohens_table():
    """The two raters of a 3 by 3 textbook table: linear weights worked by hand."""
    cells = [[20, 5, 0], [5, 15, 5], [0, 5, 20]]
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(cells[i][j])]
    a, b = np.array(pairs).T
    assert cohen_kappa(a, b, Weights.LINEAR).value == pytest.approx(1 - (20 / 75) / (8 / 9))


@given(tables)
def test_class_agreement_equals_its_definitions(table):
    """Alpha of one class against the rest, and the share of other votes that say it too."""
    item, _, label = votes_of(table)
    found = class_agreement(count_labels(item, label, 3), replicates=0)
    units = units_of(table)
    for c in range(3):
        binary = [[int(v == c) for v in u] for u in units]
        same(found[c].alpha, by_definition(binary, lambda a, b: float(a != b)))
        kept = [u for u in units if len(u) >= 2]
        said = sum(u.count(c) for u in kept)
        again = sum(u.count(c) * (u.count(c) - 1) / (len(u) - 1) for u in kept)
        same(found[c].positive, again / said if said else None)
        assert found[c].votes == said


def test_class_agreement_has_intervals():
    """A class people mix up has a lower alpha than one they know, with ends around it."""
    rng = np.random.default_rng(2)
    truth = np.repeat(rng.integers(0, 3, 300), 3)
    swap = (truth > 0) & (rng.random(900) < 0.3)
    found = class_agreement(
        count_labels(np.repeat(np.arange(300), 3), np.where(swap, 3 - truth, truth))
    )
    assert found[0].alpha.value == 1
    assert found[0].alpha.low < 1
    for c in found[1:]:
        assert c.alpha.low < c.alpha.value < c.alpha.high < 0.9
        assert c.positive.low < c.positive.value < c.positive.high


@given(tables)
def test_vitality_equals_alpha_less_alpha_without_the_person(table):
    """Leaving out by sums equals leaving out the votes."""
    item, person, label = votes_of(table)
    if not len(item):
        assert vitality(item, person, label) == []
        return
    base = krippendorff_alpha(count_labels(item, label), replicates=0)
    for found in vitality(item, person, label):
        rest = person != found.person
        other = krippendorff_alpha(count_labels(item[rest], label[rest]), replicates=0)
        undefined = base.value is None or other.value is None
        same(found.effect, None if undefined else base.value - other.value)


def test_vitality_finds_the_one_who_guesses_and_its_interval_matches_the_bootstrap():
    """Among five people one guesses: the effect is below 0, its ends those of drawing items again."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, 400)
    said = np.where(rng.random((5, 400)) < 0.85, truth, rng.integers(0, 3, (5, 400)))
    said[4] = rng.integers(0, 3, 400)
    table = np.where(rng.random((5, 400)) < 0.8, said + 1, 0)
    found = vitality(*votes_of(table))[4].effect
    assert found.high < 0

    def effect(columns):
        drawn = table[:, columns]
        with_all, without = (
            krippendorff_alpha(counted(t), replicates=0).value for t in (drawn, drawn[:4])
        )
        return with_all - without

    again = [effect(rng.integers(0, 400, 400)) for _ in range(300)]
    assert found.low == pytest.approx(
        np.quantile(again, 0.025), abs=0.25 * (found.high - found.low)
    )
    assert found.high == pytest.approx(
        np.quantile(again, 0.975), abs=0.25 * (found.high - found.low)
    )


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_order_of_votes_and_names_of_people_change_nothing(table, random):
    """Shuffled votes of people with other numbers give the same figures and intervals."""
    item, person, label = votes_of(table)
    order = random.sample(range(len(item)), len(item))
    name = np.array(random.sample(range(1000), 4))
    named = name[person]
    counts = [count_labels(i, c, 3) for i, c in ((item, label), (item[order], label[order]))]
    for measure in (ordinal_alpha, gwet_ac2, class_agreement):
        before, after = (measure(c, replicates=200) for c in counts)
        assert before == after
    first = {name[v.person]: v.effect for v in vitality(item, person, label)}
    second = {v.person: v.effect for v in vitality(item[order], named[order], label[order])}
    assert first == second


def test_without_two_votes_nothing_is_defined():
    """One vote on each item is not enough for any coefficient."""
    counts = count_labels([1, 2, 3], [0, 1, 2])
    assert ordinal_alpha(counts) == interval_alpha(counts, [1, 2, 3]) == UNDEFINED
    assert gwet_ac2(counts).value is None
    assert set_alpha([1, 2], [(0,), (1,)]) == UNDEFINED
    assert all(c.alpha.value is None for c in class_agreement(counts))
    assert all(v.effect.value is None for v in vitality([1, 2, 3], [0, 0, 1], [0, 1, 2]))


def test_everybody_says_the_same_so_chance_is_undefined():
    """With one class only no disagreement can be expected: None, not 1 and not nan."""
    counts = count_labels([1, 1, 2, 2], [2, 2, 2, 2], 3)
    assert ordinal_alpha(counts).value is None
    assert interval_alpha(counts, [0.1, 0.2, 0.3]).value is None
    assert set_alpha([1, 1], [(1, 2), (2, 1)]).value is None
    assert class_agreement(counts)[2].alpha.value is None
    assert class_agreement(counts)[2].positive.value == 1


def test_many_free_values_need_no_table_of_values_by_values():
    """Interval alpha of 100,000 different numbers equals the definition on a sample's scale."""
    rng = np.random.default_rng(1)
    true = rng.normal(1e6, 3, 50_000)
    said = np.round(true[:, None] + rng.normal(0, 1, (50_000, 2)), 6)
    values, code = np.unique(said, return_inverse=True)
    counts = count_labels(np.repeat(np.arange(50_000), 2), code.ravel(), len(values))
    e = interval_alpha(counts, values, replicates=0)
    within = np.mean((said[:, 0] - said[:, 1]) ** 2)
    assert e.value == pytest.approx(1 - within / (2 * said.var(ddof=1)), abs=1e-9)


@pytest.mark.parametrize("values", [[1, 2], [1, 2, float("nan")]])
def test_a_class_without_a_finite_number_is_refused(values):
    """Interval alpha wants one finite number for each class."""
    with pytest.raises(InputError):
        interval_alpha(count_labels([1, 1], [0, 2]), values)


def test_ties_everywhere_are_worse_than_chance():
    """Two people who never agree give a negative alpha, with an interval."""
    e = ordinal_alpha(count_labels(np.repeat(np.arange(30), 2), np.tile([0, 1], 30)))
    assert e.value < 0
    assert e.low <= e.value <= e.high


def test_effects_of_thousands_of_people_on_a_thousand_classes_take_seconds():
    """5,000 people, 1,000 classes, 100,000 votes: no person costs a pass over all pairs of classes."""
    rng = np.random.default_rng(0)
    item = np.repeat(np.arange(20_000), 5)
    person = (rng.integers(0, 5000, 20_000)[:, None] + np.arange(5) * 977).ravel() % 5000
    label = np.where(rng.random(100_000) < 0.7, item % 1000, rng.integers(0, 1000, 100_000))
    began = process_time()
    found = vitality(item, person, label)
    assert process_time() - began < 6
    assert len(found) == 5000
    one = found[17]
    rest = person != one.person
    base, other = (
        krippendorff_alpha(count_labels(i, c), replicates=0).value
        for i, c in ((item, label), (item[rest], label[rest]))
    )
    assert one.effect.value == pytest.approx(base - other, abs=1e-9)
    assert one.effect.low < one.effect.value < one.effect.high


def test_effects_are_the_same_with_few_and_with_many_classes(monkeypatch):
    """Beyond the classes whose inner products are kept the figures are those of the other way."""
    rng = np.random.default_rng(4)
    item, person = (
        np.repeat(np.arange(300), 4),
        rng.permuted(np.tile(np.arange(9), (300, 1)), axis=1),
    )
    votes = item, person[:, :4].ravel(), (item % 6 + (rng.random(1200) < 0.3)) % 6
    few = vitality(*votes)
    monkeypatch.setattr(alpha_sums, "MOST_CLASSES_SQUARED", 1)
    monkeypatch.setattr(alpha_sums, "MOST_LAID_OUT", 0)
    for a, b in zip(few, vitality(*votes), strict=True):
        same_ends = pytest.approx((a.effect.low, a.effect.value, a.effect.high), abs=1e-12)
        assert (b.effect.low, b.effect.value, b.effect.high) == same_ends
