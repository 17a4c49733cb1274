"""Risk against coverage, and what a threshold would mean: share automated, errors, hours, classes.

Only shown: looking at it spends nothing of what a campaign may err, and promises nothing. Free of torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.learning.refusals import count, percent, refusal
from core.learning.regions import Candidates, Cuts, Evidence, cuts, tested
from core.stats.certificate import Ladder
from core.stats.intervals import Estimate, wilson

POINTS = 400
_EVEN = Ladder()


@dataclass(frozen=True, slots=True)
class Costs:
    """What people's work costs.

    Attributes:
        seconds_per_item: Of active time, as measured in the project.
        wage_per_hour: In the currency named.
        currency: As people write it.
    """

    seconds_per_item: float
    wage_per_hour: float = 0.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """What is known of each region, the surest items first; arrays are as long as there are points.

    Attributes:
        cuts: The regions, at most 400.
        coverage: Share of all items in each.
        risk: Share found wrong of what was checked in each; NaN where nothing was.
        low: Lower end of its 95 % Wilson interval; NaN likewise.
        high: Upper end.
        area: Mean risk over the coverages where there is one (AURC); None where nothing was checked.
        groups: Names of the classes that the answers give.
        swept: Items of each class in each region that nobody labels, shape (points, classes).
    """

    cuts: Cuts
    coverage: np.ndarray
    risk: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: float | None
    groups: tuple[str, ...] = ()
    swept: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.int64))


@dataclass(frozen=True, slots=True)
class Scene:
    """What one target and one error level would mean.

    Attributes:
        certified: Whether a region passes; if not the other figures are of the region where the
            share found wrong is at most the target, which promises nothing.
        threshold: Least score accepted; None where nothing is.
        automated: Items that nobody would label.
        share: Of all items.
        risk: Share found wrong of those checked in the region, with its interval.
        expected_errors: Of those automated, by that share; None where nothing was checked.
        hours: People's hours not spent.
        money: What these would cost.
        currency: Of the money.
        classes: Name, items automated and items in all of each class, most automated first.
        sentence: What a person reads.
        needs: About how many more checked items would make a first look pass; None where it passes,
            or where no number would.
    """

    certified: bool
    threshold: float | None
    automated: int
    share: float
    risk: Estimate
    expected_errors: float | None
    hours: float
    money: float
    currency: str
    classes: tuple[tuple[str, int, int], ...]
    sentence: str
    needs: int | None = None


def risk_coverage(pool: Candidates, seen: Evidence, points: int = POINTS) -> RiskCoverage:
    """Return how the share of errors grows with the share of items accepted.

    Args:
        pool: All items with an answer; its groups are the classes to be counted.
        seen: Checked items among them, which the model never saw.
        points: How many regions, a multiple of the ladder's steps.

    Raises:
        InputError: Scores are not numbers, or an item occurs twice.
    """
    found = cuts(pool, seen, points)
    shares = [wilson(int(e), int(n)) for e, n in zip(found.errors, found.sampled, strict=True)]
    risk = _column([s.value for s in shares])
    known = risk[~np.isnan(risk)]
    names, swept = _swept(pool, seen, found)
    return RiskCoverage(
        cuts=found,
        coverage=found.size / max(1, found.total),
        risk=risk,
        low=_column([s.low for s in shares]),
        high=_column([s.high for s in shares]),
        area=float(known.mean()) if len(known) else None,
        groups=names,
        swept=swept,
    )


def theatre(
    curve: RiskCoverage, target: float, delta: float, costs: Costs, ladder: Ladder = _EVEN
) -> Scene:
    """Return what would follow from a target and an error level; the certificate's own regions count.

    Raises:
        InputError: The target or the level makes no sense.
    """
    steps = _on_ladder(curve.cuts, ladder)
    asked = _kept(curve.cuts, steps, ladder)
    levels = tested(asked, target, delta, ladder)
    passed = [k for k, level in zip(steps, levels, strict=True) if level is not None]
    if passed:
        return _scene(curve, passed[-1], True, target, costs, None)
    needs, _ = refusal(asked, "all", (target, delta, 1 - delta), ladder)
    low_enough = np.flatnonzero(np.nan_to_num(curve.risk, nan=1.0) <= target)
    best = int(low_enough[-1]) if len(low_enough) else None
    return _scene(curve, best, False, target, costs, needs)


def _scene(
    curve: RiskCoverage,
    k: int | None,
    certified: bool,
    target: float,
    costs: Costs,
    needs: int | None,
) -> Scene:
    if k is None:
        none = Estimate(None, None, None, 0)
        sentence = f"Nowhere are at most {percent(target)} of the checked items wrong."
        sentence += _more(needs)
        return Scene(False, None, 0, 0.0, none, None, 0.0, 0.0, costs.currency, (), sentence, needs)
    found = curve.cuts
    left, risk = int(found.left[k]), wilson(int(found.errors[k]), int(found.sampled[k]))
    hours = left * costs.seconds_per_item / 3600
    return Scene(
        certified=certified,
        threshold=float(found.threshold[k]),
        automated=left,
        share=left / max(1, found.total),
        risk=risk,
        expected_errors=None if risk.value is None else left * risk.value,
        hours=hours,
        money=hours * costs.wage_per_hour,
        currency=costs.currency,
        classes=_classes(curve, k),
        sentence=_sentence(certified, left, found.total, target)
        + ("" if certified else _more(needs)),
        needs=needs,
    )


def _sentence(certified: bool, left: int, total: int, target: float) -> str:
    if certified:
        return f"{count(left)} of {count(total)} items would be accepted."
    return (
        f"No promise of {percent(target)} can be given yet. {count(left)} items lie where at most "
        f"{percent(target)} of the checked ones were wrong: that is a guess and is not accepted."
    )


def _more(needs: int | None) -> str:
    if needs is None:
        return " More checked items would not help; a better model would."
    return f" Needs about {count(needs)} more checked item{'s' * (needs != 1)}."


def _classes(curve: RiskCoverage, k: int) -> tuple[tuple[str, int, int], ...]:
    if not curve.groups:
        return ()
    whole = curve.swept[-1]
    rows = zip(curve.groups, curve.swept[k].tolist(), whole.tolist(), strict=True)
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))


def _swept(pool: Candidates, seen: Evidence, found: Cuts) -> tuple[tuple[str, ...], np.ndarray]:
    if pool.group is None:
        return (), np.zeros((len(found.size), 0), np.int64)
    free = ~np.isin(pool.item_ids, seen.item_ids)
    if pool.trained is not None:
        free &= ~pool.trained
    names, group = np.unique(pool.group[free], return_inverse=True)
    first = np.searchsorted(-found.threshold, -np.asarray(pool.score, np.float64)[free])
    counts = np.zeros((len(found.size), len(names)), np.int64)
    inside = first < len(found.size)  # the last region holds everything
    np.add.at(counts, (first[inside], group[inside]), 1)
    return tuple(str(n) for n in names), counts.cumsum(0)


def _on_ladder(found: Cuts, ladder: Ladder) -> list[int]:
    """Return the curve's points that a look would test, each once."""
    every = max(1, POINTS // ladder.steps)
    asked = np.arange(1, ladder.steps + 1) * every
    return sorted(set(np.searchsorted(found.step, asked).clip(0, len(found.step) - 1).tolist()))


def _kept(found: Cuts, at: list[int], ladder: Ladder) -> Cuts:
    every = max(1, POINTS // ladder.steps)
    return Cuts(
        found.threshold[at], found.step[at] // every, found.size[at], found.trained[at],
        found.sampled[at], found.errors[at], found.total, found.checked,
    )  # fmt: skip


def _column(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values])
