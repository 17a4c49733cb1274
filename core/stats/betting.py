"""Watching a share of errors as checks come in, at any moment: tests by betting, intervals that always hold.

A bet is fair if the share is at the target and loses below it. So by Ville's inequality (1939) the stake
grows 1/level-fold with a chance of at most `level`, however long one watches and whenever one stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betainc, betaincinv, betaln, gammaln, xlog1py, xlogy

from core.errors import InputError

_POINTS = 64
_PRIOR = (1.0, 9.0)  # where the share may lie if it is above the target: low shares first


@dataclass(slots=True)
class RateTest:
    """Test whether more than a target share is wrong, one check at a time.

    The stake is spread over shares above the target by a Beta(1, 9) law cut there, at 64 points, and
    each part bets by the likelihood ratio of its share to the target: a mixture of Wald's tests. In a
    finite population drawn without replacement the share that is left if the target were just
    met takes the target's place at each draw, as in ALPHA (Stark 2022, arXiv 2201.02707).

    Attributes:
        target: Share of errors that is still accepted.
        level: Chance of a false alarm at any time.
        population: How many items are drawn from; None for very many.
        e: The stake now, from 1.
        peak: The most it ever was; it shows an excess from 1/level on.
        n: Checks so far.
        wrong: Errors among them.
    """

    target: float
    level: float
    population: int | None = None
    e: float = 1.0
    peak: float = 1.0
    n: int = 0
    wrong: int = 0
    _shares: np.ndarray = field(init=False, repr=False)
    _stakes: np.ndarray = field(init=False, repr=False)  # logarithms

    def __post_init__(self) -> None:
        if not (0 < self.target < 1 and 0 < self.level < 1):
            raise InputError("A target and a level lie between 0 and 1.")
        self._shares = _above(self.target)
        self._stakes = np.full(_POINTS, -np.log(_POINTS))

    @property
    def shown(self) -> bool:
        """Say whether the share of errors was shown to exceed the target."""
        return self.peak >= 1 / self.level

    def add(self, wrong: bool) -> bool:
        """Take one more check; return True once more than the target is shown to be wrong.

        Raises:
            InputError: More items were checked than there are.
        """
        if self.population is not None and self.n >= self.population:
            raise InputError(f"All {self.population} items were checked already.")
        self._stakes += _gain(wrong, self._left(self._shares), float(self._left(self.target)))
        self.n, self.wrong = self.n + 1, self.wrong + bool(wrong)
        top = self._stakes.max()
        self.e = float(np.exp(min(top, 700.0)) * np.exp(self._stakes - top).sum())
        self.peak = max(self.peak, self.e)
        return self.shown

    def _left(self, share: np.ndarray | float) -> np.ndarray:
        """Return the chance of an error in the next draw if this is the share of all."""
        if self.population is None:
            return np.asarray(share)
        left = (self.population * np.asarray(share) - self.wrong) / (self.population - self.n)
        return np.clip(left, 0.0, 1.0)


def _above(target: float) -> np.ndarray:
    """Return the points of equal weight of the prior, cut below the target."""
    below = betainc(*_PRIOR, target)
    parts = (np.arange(_POINTS) + 0.5) / _POINTS
    return np.asarray(betaincinv(*_PRIOR, below + (1 - below) * parts))


def _gain(wrong: bool, bet: np.ndarray, fair: float) -> np.ndarray:
    """Return the logarithm of what a stake on each share grows by."""
    bet = np.maximum(bet, fair)  # a bet below the target would win on few errors
    if fair >= 1:
        return np.zeros(len(bet))  # nothing can be an excess any more
    if wrong and fair <= 0:
        return np.full(len(bet), 700.0)  # more errors than the target allows in all
    bet = np.minimum(bet, 1 - 1e-9)
    return np.log(bet / fair) if wrong else np.log1p(-bet) - np.log1p(-fair)


def drift(wrong: Sequence[bool], target: float) -> float:
    """Return how much speaks for a rise above the target at some time before: a warning, no test.

    The sum of tests started at each check, an e-detector of the Shiryaev-Roberts kind (Shin,
    Ramdas and Rinaldo 2022, arXiv 2203.03532): if the share never rises, it takes at least x
    checks on average to reach x.
    """
    shares = _above(target)
    sums = np.zeros(_POINTS)
    for error in wrong:
        sums = (sums + 1) * np.exp(_gain(error, shares, target))
    return float(sums.mean())


def rate_interval(
    wrong: Sequence[bool], level: float, population: int | None = None
) -> tuple[float, float]:
    """Return an interval of the share of errors that holds at every moment with confidence `level`.

    Every share under which the data are not 1/(1 - level) times less likely than under a uniform
    mixture of all: the prior-posterior ratio of Waudby-Smith and Ramdas (NeurIPS 2020, arXiv
    2006.04347).

    Args:
        wrong: The checks so far, in random order.
        level: Two-sided confidence, as of the other intervals.
        population: How many items they were drawn from without replacement; None for very many.

    Raises:
        InputError: The level or the counts make no sense.
    """
    n, errors = len(wrong), int(np.sum(np.asarray(wrong, dtype=bool)))
    if not 0 < level < 1:
        raise InputError(f"A confidence level lies between 0 and 1, found {level:g}.")
    if population is not None and n > population:
        raise InputError(f"{n} checks of {population} items are impossible.")
    if n == 0:
        return 0.0, 1.0
    odds = -np.log1p(-level)
    if population is not None:
        return _of_some(errors, n, odds, population)
    return _of_many(errors, n, odds)


def _of_some(errors: int, n: int, odds: float, population: int) -> tuple[float, float]:
    count = np.arange(errors, population - (n - errors) + 1, dtype=np.float64)
    likely = (
        _choose(count, errors) + _choose(population - count, n - errors) - _choose(population, n)
    )
    # Of all counts 0 … N alike, n draws give each number of errors the chance 1/(n + 1).
    kept = count[likely + np.log(n + 1.0) >= -odds]
    return float(kept[0] / population), float(kept[-1] / population)


def _of_many(errors: int, n: int, odds: float) -> tuple[float, float]:
    even = betaln(errors + 1, n - errors + 1) - odds

    def kept(p: float) -> bool:
        return bool(xlogy(errors, p) + xlog1py(n - errors, -p) >= even)

    best = errors / n
    return _edge(best, 0.0, kept), _edge(best, 1.0, kept)


def _edge(inside: float, outside: float, kept: Callable[[float], bool]) -> float:
    """Return where an interval ends between a point in it and the end of all shares."""
    if kept(outside):
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)
    return outside


def _choose(n: np.ndarray | float, k: float) -> np.ndarray:
    return np.asarray(gammaln(np.add(n, 1.0)) - gammaln(k + 1.0) - gammaln(np.subtract(n, k) + 1.0))
