"""Bounds that let labels stand unseen: exact ones for draws without replacement, tests in a fixed order.

Everything here errs on the side of refusing. Rounding is met with a slack of 1e-7, far above what the
logarithms of factorials lose on a million items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, betaincinv, gammaln

from core.errors import InputError

SLACK = 1e-7
CHANCE = 0.8  # of passing, with as many labels as `labels_needed` says
_MOST_LABELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Ladder:
    """The regions that one look tests, from the surest items to all of them.

    Attributes:
        starts: Shares of the items at which a walk starts.
        steps: Region number k holds the k/steps surest.
        weights: Share of the look's error level that each start brings; equal ones if empty.
    """

    starts: tuple[float, ...] = (0.4, 0.6, 0.75, 0.85)
    steps: int = 40
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.starts or not all(0 < s <= 1 for s in self.starts):
            raise InputError("A ladder starts at shares above 0 and up to 1.")
        if self.steps < 1:
            raise InputError(f"A ladder has at least one step, found {self.steps}.")
        if self.weights and len(self.weights) != len(self.starts):
            raise InputError("A ladder has a weight for each start, or none.")
        if any(w <= 0 for w in self.weights) or sum(self.weights) > 1 + SLACK:
            raise InputError("A ladder's weights are positive and sum to at most 1.")

    def by_step(self) -> list[float]:
        """Return the weight each step brings: 0 but where a walk starts."""
        brought = [0.0] * self.steps
        for start, weight in zip(self.starts, self.weights or self._equal(), strict=True):
            brought[max(1, round(start * self.steps)) - 1] += weight
        return brought

    def _equal(self) -> tuple[float, ...]:
        return (1 / len(self.starts),) * len(self.starts)


def at_most(errors: int, region: int, wrong: int, sampled: int) -> float:
    """Return the chance of so few errors in a draw without replacement from a region with `wrong`.

    Raises:
        InputError: The counts make no sense.
    """
    _check(region, sampled, errors)
    wrong = min(wrong, region)
    first, last = max(0, sampled - (region - wrong)), min(errors, sampled, wrong)
    if last < first:
        return 0.0
    if last == min(sampled, wrong):
        return 1.0
    e = np.arange(first, last + 1, dtype=np.float64)
    logs = _choose(wrong, e) + _choose(region - wrong, sampled - e) - _choose(region, sampled)
    return float(min(1.0, np.exp(logs).sum()))


def most_errors(region: int, sampled: int, wrong_allowed: int, delta: float) -> int:
    """Return the most errors in a draw that still show the region to hold no more than allowed.

    With at most so many errors among `sampled` items, drawn without replacement, "more than
    `wrong_allowed` of the region are wrong" is refuted at level `delta`. -1 where even none would not do.

    Raises:
        InputError: The counts or the level make no sense.
    """
    _check_level(delta)
    low, high = -1, sampled
    while low < high:  # the chance grows with the errors
        middle = (low + high + 1) // 2
        if region_p(region, sampled, middle, wrong_allowed) <= delta:
            low = middle
        else:
            high = middle - 1
    return low


def region_p(region: int, sampled: int, errors: int, wrong_allowed: int) -> float:
    """Return the p-value of "more than `wrong_allowed` of the region are wrong", exact."""
    if wrong_allowed >= region:
        return 0.0
    return min(1.0, at_most(errors, region, wrong_allowed + 1, sampled) * (1 + SLACK))


def upper_errors(region: int, sampled: int, errors: int, delta: float) -> int:
    """Return an upper bound on the wrong ones of a region, those found included.

    The test of each count is inverted, as Clopper and Pearson (1934) did for draws with replacement:
    the bound is the largest count under which so few errors have a chance above `delta`. So it is too
    low with a chance of at most `delta`, whatever the truth.

    Raises:
        InputError: The counts or the level make no sense.
    """
    _check_level(delta)
    _check(region, sampled, errors)
    low, high = errors, region - (sampled - errors)
    while low < high:  # the chance falls as the count grows
        middle = (low + high + 1) // 2
        if at_most(errors, region, middle, sampled) * (1 + SLACK) > delta:
            low = middle
        else:
            high = middle - 1
    return low


def upper_share(errors: int, n: int, delta: float) -> float:
    """Return the one-sided upper bound of a share (Clopper and Pearson 1934); 1 where n is 0.

    Raises:
        InputError: The counts or the level make no sense.
    """
    _check_level(delta)
    _check(n, n, errors)
    return 1.0 if errors >= n else float(betaincinv(errors + 1, n - errors, 1 - delta))


def least_labels(target: float, delta: float) -> int:
    """Return how many items, all found right, show that at most `target` of very many are wrong.

    Raises:
        InputError: The target or the level makes no sense.
    """
    _check_level(delta)
    _check_level(target)
    return math.ceil(math.log(delta) / math.log1p(-target) - SLACK)


def labels_needed(share: float, target: float, delta: float) -> int | None:
    """Return about how many checked items show that at most `target` are wrong, if `share` are.

    With so many, the test passes with a chance of four in five. None where no number in reach would do.

    Raises:
        InputError: The target or the level makes no sense.
    """
    low = least_labels(target, delta)
    if share >= target:
        return None
    high = low
    while not _likely(high, share, target, delta):
        low, high = high, 2 * high
        if high > _MOST_LABELS:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _likely(middle, share, target, delta) else (middle + 1, high)
    return high


def _likely(n: int, share: float, target: float, delta: float) -> bool:
    allowed = _most_of_many(n, target, delta)
    return allowed >= 0 and float(bdtr(allowed, n, share)) >= CHANCE


def _most_of_many(n: int, target: float, delta: float) -> int:
    low, high = -1, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bdtr(middle, n, target) <= delta else (low, middle - 1)
    return low


def spend(delta: float, look: int) -> float:
    """Return what look number `look` of a campaign may err: half at first, the rest over all others.

    Look k after the first spends (delta/2) · 6/(π² (k-1)²); as Σ 1/k² = π²/6, all looks there may
    ever be spend delta together, so the union bound holds however many follow and whatever decides that.

    Raises:
        InputError: There is no such look, or the level makes no sense.
    """
    _check_level(delta)
    if look < 1:
        raise InputError(f"Looks are counted from 1, found {look}.")
    return delta / 2 if look == 1 else delta / 2 * 6 / (math.pi * (look - 1)) ** 2


def fallback(
    p_values: Sequence[float], weights: Sequence[float], delta: float
) -> list[float | None]:
    """Test hypotheses in the order given; return the level at which each was refuted, None if not.

    Each is tested at its own share of `delta` and, if the one before was refuted, that one's level
    on top: the fallback procedure of Wiens (2003) and Wiens and Dmitrienko (2005). With all the weight
    at few places it is the fixed-sequence test with several starts of Angelopoulos et al., Learn then
    Test (arXiv 2110.01052). The chance that any true hypothesis is refuted is at most delta: up to the
    first such one, true ones before it were kept, so the levels at which true ones are met are made of
    weights that no two share.
    """
    levels: list[float | None] = []
    carried = 0.0
    for p, weight in zip(p_values, weights, strict=True):
        level = carried + delta * weight
        carried = level if level > 0 and p <= level else 0.0
        levels.append(carried or None)
    return levels


def _choose(n: int, k: np.ndarray | int) -> np.ndarray:
    return np.asarray(gammaln(n + 1.0) - gammaln(np.add(k, 1.0)) - gammaln(np.subtract(n + 1.0, k)))


def _check(region: int, sampled: int, errors: int) -> None:
    if not 0 <= errors <= sampled <= region:
        raise InputError(
            f"{errors} errors among {sampled} drawn from {region} items is impossible."
        )


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"A target or error level lies between 0 and 1, found {level:g}.")
