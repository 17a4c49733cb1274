"""Places of gold and repeats: the share is exact, the place is chance, the count goes down by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queue.slots import BLOCK, GOLD, REAL, REPEAT, mix_of, still_to_come

KEY = b"a secret of thirty-two bytes or so"


def test_every_hundred_holds_its_share_and_no_two_look_alike():
    """Of every hundred places the shares are exact, in an order of its own."""
    mix = mix_of(KEY, 0.1, 0.05)
    blocks = [[mix.kind(b * BLOCK + i) for i in range(BLOCK)] for b in range(20)]
    assert all((b.count(GOLD), b.count(REPEAT)) == (10, 5) for b in blocks)
    assert len({tuple(b) for b in blocks}) == 20


def test_another_person_has_other_places():
    """Two people's gold comes at different places, so talking to each other tells nothing."""
    a, b = mix_of(KEY, 0.1, 0), mix_of(KEY + b"!", 0.1, 0)
    assert [a.kind(i) for i in range(BLOCK)] != [b.kind(i) for i in range(BLOCK)]


@pytest.mark.parametrize(("share", "planted"), [(0.0, 0), (0.001, 1), (0.5, 50)])
def test_a_share_above_nothing_plants_something(share: float, planted: int):
    """The smallest share plants one in a hundred, none plants none."""
    mix = mix_of(KEY, share, 0)
    assert sum(mix.kind(i) == GOLD for i in range(BLOCK)) == planted


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, 350),
    real=st.integers(0, 260),
    gold=st.sampled_from([0.0, 0.03, 0.1, 0.5]),
    repeat=st.sampled_from([0.0, 0.02, 0.2]),
)
def test_what_is_to_come_is_what_comes(place: int, real: int, gold: float, repeat: float):
    """The count is that of a walk through the places, and goes down by one with each of them."""
    mix = mix_of(KEY, gold, repeat)
    at, left, walked = place, real, 0
    while left:
        assert (
            still_to_come(mix, at, left, 999, 999).total
            == still_to_come(mix, place, real, 999, 999).total - walked
        )
        left -= mix.kind(at) == REAL
        at, walked = at + 1, walked + 1
    assert walked == still_to_come(mix, place, real, 999, 999).total


def test_no_more_are_counted_than_there_are():
    """With two gold items left, two are counted, however many places are theirs."""
    assert still_to_come(mix_of(KEY, 0.5, 0), 0, 100, 2, 0).total == 102
    assert still_to_come(mix_of(KEY, 0.5, 0), 0, 0, 2, 0).total == 0
