"""The numbers under planted tiles: alone or not, as coarse or fine, wherever the others are so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from core.labels import Answer, Region
from core.services.grid.candidates import least_sure
from core.services.grid.known import lend_doubt
from core.services.grid.tiles import Candidate
from core.services.visibility.doubt import Sureness, as_fine, between, one_more

SEEDS = st.integers(0, 2**64)


def single(number: float) -> float:
    """What a model which reckons in 32 bits says."""
    return float(np.float32(number))


SOURCES: dict[str, Callable[[Random], float]] = {
    "one decimal": lambda r: r.randrange(11) / 10,
    "two decimals": lambda r: r.randrange(101) / 100,
    "four decimals": lambda r: round(0.9 + 0.1 * r.random(), 4),
    "all it has": lambda r: r.random(),
    "32 bits": lambda r: single(1 - r.random() ** 3),
    "tiny": lambda r: 10 ** -r.uniform(1, 30),
    "two heaps": lambda r: round(r.choice((0.2, 0.9)) + r.random() / 100, 4),
    "dense": lambda r: round(0.42 + r.randrange(100) / 1000, 3),
    "dense at the top": lambda r: round(1 - r.randrange(100) / 1000, 3),
    "in steps": lambda r: r.randrange(100) * 71 / 10_000,
}


@st.composite
def pages(draw: st.DrawFn, unique: bool = False, most: int = 90) -> list[Sureness]:
    """A page by one model: fine or coarse, dense or sparse, with margins or without, some unsure."""
    source = SOURCES[draw(st.sampled_from(sorted(SOURCES)))]
    size, chance = draw(st.integers(2, most)), Random(draw(SEEDS))
    said: list[float | None] = [source(chance) for _ in range(size)]
    if unique:
        said = [*dict.fromkeys(said)]
        assume(len(said) > 1)
    else:
        said += [None] * draw(st.integers(0, 5))
    margins = draw(st.booleans())
    return [Sureness(s, chance.random() if margins else s or 0.0) for s in said]


def real(page: Sequence[Sureness]) -> list[Candidate]:
    """The tiles of such a page, as the queue gives them."""
    cat = Answer({"label": "cat"})
    return [Candidate(n, n, cat, s.confidence, s.doubt) for n, s in enumerate(page)]


def planted(count: int, answer: Answer | None = None) -> list[Candidate]:
    """Tiles of which the model never said what they are shown as."""
    shown = answer or Answer({"label": "cat"})
    return [Candidate(1000 + n, 1, shown, None, 0.0, "wrong:0") for n in range(count)]


def decimals(number: float) -> int:
    """How many a person would count, of 1e-05 too."""
    return max(0, -int(Decimal(repr(number)).as_tuple().exponent))


def binary(number: float) -> int:
    """How many of the smallest binary step it lies on make 1."""
    return number.as_integer_ratio()[1]


@settings(max_examples=200, deadline=None)
@given(page=pages(unique=True), count=st.integers(1, 10), seed=SEEDS)
def test_among_numbers_of_their_own_each_planted_one_has_its_own(
    page: list[Sureness], count: int, seed: int
) -> None:
    """Wherever no two real ones coincide no two of the page do, while a step from 0 to 1 is free."""
    numbers = [s.confidence for s in page if s.confidence is not None]
    lent = lend_doubt(planted(count), real(page), Random(seed))
    shown = [c.confidence for c in lent]
    assert all(c is not None and 0 <= c <= 1 for c in shown)
    if 10 ** max(map(decimals, numbers)) + 1 >= len(page) + count:
        assert len({*numbers, *shown}) == len(page) + count


@example(page=[Sureness(n, n) for n in (0.9, 0.4, 0.5, 1.0, 0.8)], count=7, seed=1)
@settings(max_examples=200, deadline=None)
@given(page=pages(), count=st.integers(1, 10), seed=SEEDS)
def test_a_planted_number_is_no_finer_than_the_others(
    page: list[Sureness], count: int, seed: int
) -> None:
    """It has no more decimals than the others, or no more binary places; nor is it the only one."""
    numbers = [s.confidence for s in page if s.confidence is not None]
    for one in lend_doubt(planted(count), real(page), Random(seed)):
        if one.confidence is None:
            assert len(numbers) < len(page)
        else:
            assert any(of(one.confidence) <= max(map(of, numbers)) for of in (decimals, binary))


@settings(max_examples=100, deadline=None)
@given(size=st.integers(2, 90), count=st.integers(1, 10), seed=SEEDS)
def test_among_numbers_of_32_bits_a_planted_one_has_32(size: int, count: int, seed: int) -> None:
    """A number with more of them would be no model's."""
    chance = Random(seed)
    page = [Sureness(SOURCES["32 bits"](chance), 0.0) for _ in range(size)]
    lent = [c.confidence for c in lend_doubt(planted(count), real(page), chance)]
    assert [n is not None and single(n) == n for n in lent] == [True] * count


@settings(max_examples=150, deadline=None)
@given(page=pages(), times=st.integers(2, 4), count=st.integers(1, 10), seed=SEEDS)
def test_where_nothing_is_alone_nothing_planted_is(
    page: list[Sureness], times: int, count: int, seed: int
) -> None:
    """A number nobody shares would be the odd one out."""
    crowd = page * times
    known = {s.confidence for s in crowd}
    lent = lend_doubt(planted(count), real(crowd), Random(seed))
    assert {c.confidence for c in lent} <= known


@settings(max_examples=150, deadline=None)
@given(page=pages(), count=st.integers(1, 10), seed=SEEDS)
def test_a_planted_tile_lies_where_its_number_says(
    page: list[Sureness], count: int, seed: int
) -> None:
    """The page is sorted by doubt: without margins that is the confidence, of the planted too."""
    plain = [Sureness(s.confidence, s.confidence or 0.0) for s in page]
    for one in lend_doubt(planted(count), real(plain), Random(seed)):
        assert one.doubt == pytest.approx(one.confidence or 0.0, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(page=pages(unique=True, most=40), seed=SEEDS)
def test_planted_boxes_have_their_own_numbers_and_lie_by_the_least(
    page: list[Sureness], seed: int
) -> None:
    """Of three boxes each gets its own, and the image comes where its least sure box puts it."""
    numbers = [s.confidence for s in page if s.confidence is not None]
    boxes = [Answer({}, (Region("cat", 0, 0, 9, 9, n),)) for n in numbers]
    there = [Candidate(n, n, b, None, least_sure(b.regions, None)) for n, b in enumerate(boxes)]
    truth = Answer({}, tuple(Region("dog", n, 0, 9 + n, 9) for n in range(3)))
    [one] = lend_doubt(planted(1, truth), there, Random(seed))
    told = [r.confidence for r in one.answer.regions]
    if 10 ** max(map(decimals, numbers)) + 1 >= len(numbers) + 3:
        assert len({*numbers, *told}) == len(numbers) + 3
    assert one.doubt == min(n for n in told if n is not None)
    assert [replace(r, confidence=None) for r in one.answer.regions] == list(truth.regions)


# --- what somebody who looks for it could guess -----------------------------------------------


def of_two_decimals(chance: Random) -> float:
    """Many coincide, many do not."""
    return round(chance.betavariate(2, 1.5), 2)


def of_votes(chance: Random) -> float:
    """A share of twenty trees of a forest."""
    return round(chance.betavariate(6, 2) * 20) / 20


def of_a_network(chance: Random) -> float:
    """Most near 1, some near one half, and 32 bits of each."""
    return single(
        chance.betavariate(40, 2) if chance.random() < 0.7 else 0.5 + chance.random() / 50
    )


def all_equal(chance: Random) -> float:
    """A file that says the same of everything."""
    return 0.9


def of_heaps(chance: Random) -> float:
    """Two far from each other: a number between them would lie by itself."""
    return round(chance.choice((0.2, 0.9)) + chance.random() / 100, 4)


def guesses(page: list[float]) -> dict[str, set[float]]:
    """Return what rules by which the odd one out may be told point at, of a page's numbers."""
    often, fine = Counter(page), {n: decimals(n) for n in page}
    order = sorted(often)
    gaps = sorted(pairwise(order), key=lambda p: p[1] - p[0])
    rare, common = min(often.values()), max(often.values())
    return {
        "alone": {n for n in often if often[n] == 1},
        "twice": {n for n in often if often[n] == 2},
        "more often": {n for n in often if often[n] > 2},
        "the rarest": {n for n in often if often[n] == rare},
        "the commonest": {n for n in often if often[n] == common},
        "first or last": {order[0], order[-1]},
        "beside a wide gap": {n for gap in gaps[-3:] for n in gap},
        "beside a narrow gap": {n for gap in gaps[:3] for n in gap},
        "the loneliest": {max(order, key=lambda n: _room(order, n))},
        "coarse": {n for n in often if fine[n] < max(fine.values())},
    }


def _room(order: list[float], number: float) -> float:
    return min((abs(n - number) for n in order if n != number), default=1.0)


TILES, TRIALS = 60, 600


@pytest.mark.parametrize("source", [of_two_decimals, of_votes, of_a_network, all_equal, of_heaps])
def test_no_rule_finds_a_planted_tile_better_than_chance(source: Callable[[Random], float]) -> None:
    """Pointing at a tile of which a rule holds is right no oftener than pointing at any other."""
    right: Counter[str] = Counter()
    for seed in range(TRIALS):
        chance = Random(seed)
        page = [source(chance) for _ in range(TILES - 1)]
        one = one_more([Sureness(n, n) for n in page], chance).confidence
        assert one is not None
        for rule, marked in guesses([*page, one]).items():
            held = sum(n in marked for n in (*page, one))
            right[rule] += (one in marked) / held if held else 1 / TILES
    # By chance 10 of 600. A number between two heaps is lonely, and real ones never lie there: 27.
    assert {rule: n for rule, n in right.items() if n > 30} == {}


def test_a_number_between_two_is_as_fine_as_the_page():
    """Of four decimals where the page has four, a float32 where a model wrote, within its bounds."""
    chance = Random(3)
    written = [0.3412, 0.35, 0.3611]
    found = [between(0.3412, 0.35, written, chance) for _ in range(50)]
    assert all(0.3412 <= n <= 0.35 and round(n, 4) == n for n in found)
    assert len(set(found)) > 20
    computed = [float(np.float32(n)) for n in (0.34123456, 0.35123457, 0.36123458)]
    lent = [between(computed[0], computed[1], computed, chance) for _ in range(50)]
    assert all(float(np.float32(n)) == n for n in lent)
    assert not set(lent) & set(computed)
    assert between(0.5, 0.5, [0.5], chance) == 0.5


def test_digits_are_those_of_the_page():
    """A number is rounded to the decimals others have, or to what a float32 holds."""
    assert as_fine(0.123456789, [0.25, 0.125]) == 0.123
    computed = [float(np.float32(1 / 3))]
    assert as_fine(1 / 7, computed) == float(np.float32(1 / 7))
    assert as_fine(1 / 7, [1 / 3]) == 1 / 7
