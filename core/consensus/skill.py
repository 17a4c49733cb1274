"""How often a person is right, from answers whose truth is known: Beta posteriors. Pure.

The prior is Jeffreys', Beta(1/2, 1/2): it weighs as much as one answer, so that a person with
three answers is neither judged by them alone nor hidden behind a belief of ours; its equal-tailed
interval covers well at every n (Brown, Cai and DasGupta 2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import betainc, betaincinv

from core.errors import InputError
from core.stats.intervals import Estimate

PRIOR = 0.5
SURE = 0.95
"""A person is paused where it is more probable than this that they fall short of the target.

Looked at after each of 200 answers with a target of 80 %, who is right 90 % of the time is ever
paused in 0.5 % of cases, who is right exactly 80 % in 27 %, and who is right 70 % in 98 %.
"""
LEAST_ANSWERS = 10
"""Nobody is judged on fewer answers of known truth."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A Beta posterior of how often somebody is right.

    Attributes:
        right: Answers that were right.
        n: Answers of known truth.
    """

    right: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.n:
            raise InputError(f"{self.right} right answers of {self.n} are impossible.")

    @property
    def mean(self) -> float:
        """Return the posterior mean; 0.5 where nothing is known."""
        return (self.right + PRIOR) / (self.n + 2 * PRIOR)

    def below(self, target: float) -> float:
        """Return the probability that the accuracy lies below a target."""
        wrong = self.n - self.right
        return float(betainc(self.right + PRIOR, wrong + PRIOR, min(max(target, 0.0), 1.0)))

    def estimate(self, level: float = 0.95) -> Estimate:
        """Return mean and equal-tailed interval; undefined without an answer."""
        if not self.n:
            return Estimate(None, None, None, 0)
        tail, wrong = (1 - level) / 2, self.n - self.right
        low, high = (
            float(betaincinv(self.right + PRIOR, wrong + PRIOR, p)) for p in (tail, 1 - tail)
        )
        return Estimate(self.mean, low, high, self.n)

    def falls_short(self, target: float) -> bool:
        """Return whether enough answers make it almost sure that the target is missed."""
        return self.n >= LEAST_ANSWERS and self.below(target) > SURE


def accuracy(marks: Sequence[bool]) -> Accuracy:
    """Return the posterior of right and wrong answers; their order does not matter."""
    return Accuracy(sum(marks), len(marks))


def by_class(marks: Sequence[tuple[str, bool]]) -> Mapping[str, Accuracy]:
    """Return the posterior for each true class, the classes in order of their names."""
    found: dict[str, list[bool]] = {}
    for name, right in marks:
        found.setdefault(name, []).append(right)
    return {name: accuracy(found[name]) for name in sorted(found)}
