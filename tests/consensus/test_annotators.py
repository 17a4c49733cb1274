"""Figures about people: never by their own vote."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consensus.annotators import accuracy_against, agreement_with_others
from core.errors import InputError
from core.stats.intervals import UNDEFINED, wilson

VOTES = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 6)), st.integers(0, 3), max_size=40
).map(lambda d: [(i, p, label) for (i, p), label in d.items()])


def by_hand(votes):
    """Return hits and comparisons of each person, vote by vote."""
    figures = {p: [0, 0] for _, p, _ in votes}
    for i, p, label in votes:
        others = Counter(c for j, q, c in votes if j == i and q != p).most_common()
        if others and (len(others) == 1 or others[0][1] > others[1][1]):
            figures[p][0] += others[0][0] == label
            figures[p][1] += 1
    return {p: wilson(*f) for p, f in figures.items()}


@given(VOTES)
def test_agreement_with_others_equals_counting_by_hand(votes):
    """Each vote is held against the commonest class of the others, ties and lone votes left out."""
    columns = [[v[k] for v in votes] for k in range(3)]
    assert {f.person: f.figure for f in agreement_with_others(*columns)} == by_hand(votes)


@given(VOTES, st.randoms(use_true_random=False))
def test_order_of_votes_and_names_of_classes_change_nothing(votes, random):
    """Shuffled votes with classes renamed give the same figures."""
    before = agreement_with_others(*([v[k] for v in votes] for k in range(3)))
    random.shuffle(votes)
    name = random.sample(range(50), 4)
    renamed = [(i, p, name[c]) for i, p, c in votes]
    assert agreement_with_others(*([v[k] for v in renamed] for k in range(3))) == before


def test_votes_that_made_the_reference_do_not_judge_their_author():
    """A vote in the label's own evidence is left out, and so is an item without a label."""
    figures = accuracy_against(
        person=[1, 1, 1, 2, 2],
        label=[0, 1, 1, 0, 0],
        reference=[0, 0, -1, 1, 0],
        own_evidence=[False, False, False, False, True],
    )
    assert [(f.person, f.figure) for f in figures] == [(1, wilson(1, 2)), (2, wilson(0, 1))]


def test_a_person_with_nothing_to_compare_is_listed_as_such():
    """Not enough data is a state, not an omission."""
    assert agreement_with_others([1], [7], [0])[0].figure == UNDEFINED


def test_a_weak_person_stands_out():
    """Of five people one who guesses is separated from the rest."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 300)
    label = np.where(rng.random((300, 5)) < 0.95, truth[:, None], rng.integers(0, 4, (300, 5)))
    label[:, 3] = rng.integers(0, 4, 300)
    item, person = np.divmod(np.arange(1500), 5)
    figures = agreement_with_others(item, person, label.ravel())
    assert figures[3].figure.high < 0.4 < 0.85 < min(f.figure.low for f in figures if f.person != 3)


def test_columns_of_different_length_are_refused():
    """Votes come as columns of one length."""
    with pytest.raises(InputError):
        agreement_with_others([1, 2], [1], [0, 0])
