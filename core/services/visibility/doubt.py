"""How sure a model seems of what it never said: the numbers of what is planted.

Nobody may tell such a number from those around it. A number which is always new gives itself away
where the others often coincide, and one which coincides does where no two others do; so it is as
common, and as fine, as a number drawn from the page is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import gcd
from random import Random

import numpy as np

MOST_DECIMALS = 8
"""A number with more decimals was computed, not written."""
MOST_FINER = 10**6
"""Steps so many times finer than others are not the ones a page's numbers were written on."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """What is shown of a tile in numbers, and what it is sorted by."""

    confidence: float | None
    doubt: float


def one_more(page: Sequence[Sureness], chance: Random) -> Sureness:
    """Return the numbers of one more tile for a page of at least one.

    A tile of the page is drawn. Where it alone has its confidence, the new tile alone has its own:
    between two neighbours of the page or just beyond the last, and on the page's steps (as many
    decimals, say). Where a confidence occurs n times, the new one makes another occur n times, or
    joins those which do. So the share of new tiles that are alone is that of the page's tiles.

    Only where no step is left, of as many decimals, does a new one coincide though its like did not.
    """
    often = Counter(s.confidence for s in page)
    times = often[chance.choice(page).confidence]
    fresh = _in_a_gap(page, chance) if times == 1 else None
    if fresh is not None:
        return fresh
    rarer = [s for s in page if often[s.confidence] == times - 1]
    alike = [s for s in page if often[s.confidence] == times] if times > 1 else page
    confidence = chance.choice(rarer or alike).confidence
    same = [s.doubt for s in page if s.confidence == confidence]
    return Sureness(confidence, _between(chance.choice(same), chance.choice(same), chance.random()))


def between(low: float, high: float, page: Sequence[float], chance: Random) -> float:
    """Return a number from low to high, all of the page's steps alike: as fine as the page's are."""
    scale = _scales(page)[0]
    first, last = scale.whole(low), scale.whole(high)
    return scale.number(chance.randrange(first, last + 1)) if first < last else low


def as_fine(number: float, page: Sequence[float]) -> float:
    """Return a number with as many digits as a page's have: decimal ones, or those of a float32."""
    decimals = max((-int(Decimal(repr(n)).as_tuple().exponent) for n in page), default=0)
    if decimals <= MOST_DECIMALS:
        return round(number, decimals)
    if all(float(np.float32(n)) == n for n in page):
        return float(np.float32(number))
    return number


def _in_a_gap(page: Sequence[Sureness], chance: Random) -> Sureness | None:
    """Return a confidence nobody has, in a gap that is drawn, or in the next one if it is wider.

    Gaps are drawn alike, so that few lie where few of the others do. None where the page has fewer
    than two numbers or no step is free.
    """
    doubts = {s.confidence: s.doubt for s in page if s.confidence is not None}
    numbers = sorted(doubts)
    if len(numbers) < 2:
        return None
    for scale in _scales(numbers):
        marks = [scale.whole(n) for n in numbers]
        for step in (gcd(*(b - a for a, b in pairwise(marks))), 1):
            for near, gap in _drawn(_gaps(marks, step, scale.per_one), chance):
                confidence = scale.number(chance.randrange(gap.start, gap.stop, gap.step))
                if confidence not in doubts:
                    low, high = numbers[near], numbers[near + 1]
                    part = (confidence - low) / (high - low)
                    return Sureness(confidence, _between(doubts[low], doubts[high], part))
    return None


@dataclass(frozen=True, slots=True)
class _Scale:
    """Steps between 0 and 1: decimal where a person or a file wrote numbers, binary from a model.

    Attributes:
        single: Whether a number has only the 24 digits of a float of 32 bits.
    """

    per_one: int
    decimal: bool
    single: bool = False

    def whole(self, number: float) -> int:
        return int(Fraction(repr(number) if self.decimal else number) * self.per_one)

    def number(self, whole: int) -> float:
        found = whole / self.per_one
        return float(np.float32(found)) if self.single else found


def _scales(numbers: Sequence[float]) -> list[_Scale]:
    """Return the scales all numbers lie on, the coarsest first."""
    decimals = max(-int(Decimal(repr(n)).as_tuple().exponent) for n in numbers)
    binary = max(n.as_integer_ratio()[1] for n in numbers)
    single = all(float(np.float32(n)) == n for n in numbers)
    both = [_Scale(10**decimals, True), _Scale(binary, False, single)]
    coarsest = min(s.per_one for s in both)
    # 0.4 lies on binary steps too, of 54 places: as fine a number would be the odd one out.
    alike = [s for s in both if s.per_one <= MOST_FINER * coarsest]
    return sorted(alike, key=lambda s: s.per_one)


def _gaps(marks: Sequence[int], step: int, most: int) -> list[tuple[int, range]]:
    """Return the free steps between neighbours and, as far again, beyond the first and the last.

    Each comes with the place of the lower of the two neighbours it is measured by.
    """
    first, last = marks[0], marks[-1]
    below = max(2 * first - marks[1], first % step)
    above = min(2 * last - marks[-2], most)
    gaps = [(i, range(a + step, b, step)) for i, (a, b) in enumerate(pairwise(marks))]
    gaps.insert(0, (0, range(below, first, step)))
    gaps.append((len(marks) - 2, range(last + step, above + 1, step)))
    return [(near, gap) for near, gap in gaps if gap]


def _drawn(gaps: list[tuple[int, range]], chance: Random) -> Iterator[tuple[int, range]]:
    """Yield gaps by chance: of one drawn and the next, each as likely as it is wide.

    Without the next, the narrowest gaps of a page would too often be beside a planted tile.
    """
    for i in chance.sample(range(len(gaps)), len(gaps)):
        both = gaps[i : i + 2]
        wide = [gap.stop - gap.start for _, gap in both]
        first = chance.randrange(sum(wide)) < wide[0]
        yield from both if first else both[::-1]


def _between(one: float, other: float, part: float) -> float:
    return one + (other - one) * part
