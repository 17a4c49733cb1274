"""Agreement coefficients against published tables, the definition, and each other."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.consensus.agreement import (
    class_agreement,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    measure_agreement,
    percent_agreement,
    shared_labels,
)
from core.consensus.counts import count_labels
from core.consensus.pairwise import pairwise_matrix
from core.errors import InputError
from core.stats.intervals import UNDEFINED, wilson

# Krippendorff (2011), section C: four observers, twelve units, values missing (0).
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
# Fleiss (1971), as tabled in textbooks: ten subjects, fourteen raters, five categories.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip


def votes_of(table):
    """Return item, person and label of a table of observers by units, 0 missing."""
    person, item = np.nonzero(table)
    return item, person, table[person, item] - 1


def counted(table):
    item, _, label = votes_of(table)
    return count_labels(item, label)


def test_alpha_of_krippendorffs_own_example():
    """The paper gives 0.743 for nominal data with missing values."""
    e = krippendorff_alpha(counted(OBSERVERS))
    assert e.value == pytest.approx(0.743, abs=5e-4)
    assert (e.n, e.low < e.value < e.high) == (11, True)


def test_ac1_and_percent_of_gwets_example():
    """Gwet gives AC1 0.77544 and agreement 0.81818 for the same table."""
    assert gwet_ac1(counted(OBSERVERS)).value == pytest.approx(0.77544, abs=5e-6)
    assert percent_agreement(counted(OBSERVERS)).value == pytest.approx(0.81818, abs=5e-6)


def test_fleiss_kappa_of_his_table():
    """The published value is 0.210."""
    item = np.repeat(np.arange(10), 14)
    label = np.concatenate([np.repeat(np.arange(5), row) for row in FLEISS])
    e = fleiss_kappa(count_labels(item, label))
    assert (e.value, e.n) == (pytest.approx(0.210, abs=5e-4), 10)


def test_cohens_kappa_of_a_textbook_table():
    """20 and 15 on the diagonal, 5 and 10 off it, give 0.4."""
    a = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    b = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    e = cohen_kappa(a, b)
    assert (e.value, e.n) == (pytest.approx(0.4), 50)
    assert e.low < 0.4 < e.high


tables = st.tuples(st.integers(2, 4), st.integers(1, 7)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 3), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(np.array)
)


def alpha_by_definition(table):
    """Return alpha from the coincidences of every ordered pair of values, by the book."""
    pairs = [
        (c, k, 1 / (len(unit) - 1))
        for unit in ([int(v) for v in column if v] for column in table.T)
        if len(unit) >= 2
        for c, k in permutations(unit, 2)
    ]
    n = sum(w for *_, w in pairs)
    totals = {v: sum(w for c, _, w in pairs if c == v) for v in (1, 2, 3)}
    observed = sum(w for c, k, w in pairs if c != k)
    expected = sum(totals[c] * totals[k] for c, k in permutations(totals, 2))
    return 1 - (n - 1) * observed / expected if expected else None


@given(tables)
def test_alpha_equals_its_definition(table):
    """The closed form by counts equals the sum over all pairs, undefined where that is."""
    ours = krippendorff_alpha(counted(table), replicates=0).value
    theirs = alpha_by_definition(table)
    assert ours is None if theirs is None else ours == pytest.approx(theirs, abs=1e-9)


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_of_votes_and_names_change_nothing(table, random):
    """Shuffled votes on items with other numbers give the same figures and intervals."""
    item, _, label = votes_of(table)
    assume(len(item))
    order = random.sample(range(len(item)), len(item))
    name = np.array(random.sample(range(-500, 10**17, 10**13), 7))
    before = measure_agreement(item, label, 3, replicates=200)
    after = measure_agreement(name[item[order]], label[order], 3, replicates=200)
    assert after == before


@given(tables)
@settings(max_examples=60)
def test_renaming_classes_keeps_the_values(table):
    """Coefficients do not care which class is which."""
    item, _, label = votes_of(table)
    turned = measure_agreement(item, 2 - label, 3, replicates=0)
    plain = measure_agreement(item, label, 3, replicates=0)
    for name in ("percent", "alpha", "fleiss", "ac1"):
        ours, theirs = getattr(plain, name).value, getattr(turned, name).value
        assert ours == (theirs if theirs is None else pytest.approx(theirs, abs=1e-12))


@pytest.mark.parametrize("votes", [([], []), ([1, 2, 3], [0, 1, 0])], ids=["none", "single"])
def test_without_two_votes_on_an_item_nothing_is_defined(votes):
    """No votes, or one on each item, is not enough data."""
    a = measure_agreement(*votes)
    assert (a.percent, a.alpha, a.fleiss, a.ac1) == (UNDEFINED,) * 4


def test_one_class_only_leaves_chance_corrected_figures_undefined():
    """Where everybody always says the same there is agreement, but alpha is not 1."""
    a = measure_agreement([1, 1, 2, 2], [0, 0, 0, 0])
    assert (a.percent.value, a.percent.n) == (1, 2)
    for e in (a.alpha, a.fleiss, a.ac1):
        assert (e.value, e.low, e.n) == (None, None, 2)
    assert measure_agreement([1, 1, 2, 2], [0, 0, 0, 0], classes=2).ac1.value == 1


def test_perfect_agreement_on_few_items_is_not_certain():
    """Eight items agreed on give alpha 1 with a lower end well below it."""
    e = krippendorff_alpha(count_labels(np.repeat(np.arange(8), 2), np.repeat([0, 1] * 4, 2)))
    assert (e.value, e.high) == (1, 1)
    assert 0 < e.low < 0.6


def test_skew_collapses_kappa_but_not_ac1():
    """With 95 % of one class and rare slips kappa falls near 0 while AC1 stays high."""
    label = np.zeros((100, 2), dtype=int)
    label[:5, 0], label[5:10, 1] = 1, 1
    item = np.repeat(np.arange(100), 2)
    a = measure_agreement(item, label.ravel())
    assert a.percent.value == pytest.approx(0.9)
    assert a.fleiss.value < 0 < 0.85 < a.ac1.value


def test_bootstrap_interval_covers_the_alpha_of_the_source():
    """Over 100 samples the interval holds the alpha of a very large sample nearly always."""
    rng = np.random.default_rng(3)

    def sample(items):
        truth = rng.integers(0, 3, items)
        label = np.where(
            rng.random((items, 3)) < 0.7, truth[:, None], rng.integers(0, 3, (items, 3))
        )
        return count_labels(np.repeat(np.arange(items), 3), label.ravel())

    truth = krippendorff_alpha(sample(200_000), replicates=0).value
    held = 0
    for _ in range(100):
        e = krippendorff_alpha(sample(150), replicates=400)
        held += e.low <= truth <= e.high
    assert held >= 88


def test_fleiss_uses_the_items_with_the_commonest_number_of_votes():
    """Items with other numbers of votes are left out, and n says how many stayed."""
    item = np.r_[np.repeat(np.arange(5), 3), 9, 9]
    label = np.r_[np.tile([0, 0, 1], 5), 0, 1]
    assert fleiss_kappa(count_labels(item, label)).n == 5


def test_pairwise_matrix_equals_each_pair_alone():
    """Shared items, agreement and kappa of every two people equal the direct computation."""
    rng = np.random.default_rng(1)
    table = rng.integers(0, 4, (6, 60))
    item, person, label = votes_of(table)
    m = pairwise_matrix(item + 1000, person * 7, label)
    for i, a in enumerate(m.people):
        for j, b in enumerate(m.people):
            first, second = shared_labels(item, person * 7, label, a, b)
            assert m.shared[i, j] == len(first)
            assert m.agreed[i, j] == (first == second).sum()
            if i != j:
                assert m.kappa[i, j] == pytest.approx(cohen_kappa(first, second).value)
    assert m.agreement(0, 1).n == m.shared[0, 1]


def test_people_who_share_nothing_have_no_figure():
    """Without a common item agreement is not enough data and kappa nan."""
    m = pairwise_matrix([1, 2], [10, 11], [0, 0])
    assert m.agreement(0, 1) == UNDEFINED
    assert np.isnan(m.kappa[0, 1])
    assert cohen_kappa([], []) == UNDEFINED


@pytest.mark.parametrize(
    "votes",
    [([1, 2], [0], None), ([1], [-1], None), ([1], [3], 3)],
    ids=["length", "negative", "beyond"],
)
def test_bad_columns_are_refused(votes):
    """Columns of different length and codes out of range are refused."""
    with pytest.raises(InputError):
        count_labels(*votes)


@pytest.mark.parametrize(
    ("said", "items"),
    [([0, 0, 1], 6), ([0, 0, 0, 1, 2], 40), ([0, 1, 1, 1], 2)],
    ids=["three votes", "five votes", "two items"],
)
def test_items_all_split_alike_give_no_certain_interval(said, items):
    """Where every item has the same votes the ends are Wilson's of the mean share, not the value."""
    item = np.repeat(np.arange(items), len(said))
    a = measure_agreement(item, np.tile(said, items), 3)
    for e in (a.percent, a.alpha, a.fleiss, a.ac1):
        assert e.low < e.value < e.high
    sure = wilson(a.percent.value * items, items)
    assert (a.percent.low, a.percent.high) == pytest.approx((sure.low, sure.high), abs=1e-12)
    for c in class_agreement(count_labels(item, np.tile(said, items))):
        assert c.alpha.low < c.alpha.value < c.alpha.high
        assert c.positive.low < c.positive.high


def test_classes_that_change_do_not_narrow_the_interval_of_items_split_alike():
    """Two to one on every item, whatever the classes: the ends hold those of the shares too."""
    rng = np.random.default_rng(2)
    first = rng.integers(0, 5, 60)
    label = np.stack([first, first, (first + 1 + rng.integers(0, 4, 60)) % 5], axis=1)
    e = krippendorff_alpha(count_labels(np.repeat(np.arange(60), 3), label.ravel()))
    assert e.high - e.low > 0.25


def test_percent_counts_every_item_the_same():
    """One item with ten votes and one with two weigh the same: a mean over items, not over pairs."""
    item, label = [1] * 10 + [2, 2], [0] * 10 + [0, 1]
    assert measure_agreement(item, label).percent.value == 0.5
