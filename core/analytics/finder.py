"""The slice finder: every value of every column and of every two columns, ranked by what it costs.

A slice's true figure is believed by a prior fitted to all slices (`core.stats.shrinkage`); slices
are ranked by the loss to be expected, how far they fall short of the rest by more than a margin,
times how much lies in them. A pair stands only where it is worse than what is left of both its
parts, else a part alone explains it. And what is worse only because of statements that belong to a
slice ranked above it is listed as part of that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtr

from core.analytics.cells import (
    Codes,
    Compared,
    Counted,
    Facts,
    Floats,
    Ints,
    compare,
    count,
    joined,
    unit_variance,
)
from core.stats.multiple import benjamini_hochberg
from core.stats.shrinkage import (
    Believed,
    believe_means,
    believe_shares,
    fit_beta,
    fit_normal,
    shortfall,
)

ADDS = 1.0
"""By how many standard errors a pair must be worse than what is left of each part (one-sided 16 %).

Of the pairs with a column that alone is bad, 83 to 87 % then fall away (100 draws each, nobody or 3 to 40 people who
differ); at 1.28 89 %, but there projects of a few hundred answers leave what two conditions do together to one of its
parts.
"""

MOST_EXPLAINED = 80
"""So many slices, from the top, are looked at for whether one above explains them."""

LEFT_OVER = 0.5
"""Up to this share of its expected loss a slice counts as explained by those above it."""

OWN_SHARE = 0.4
"""From this share of a part's loss on a pair may stand above the part it explains."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the finder reads it.

    Attributes:
        codes: Value of each statement, from 0; -1 where it is in no slice.
        size: How many values there are.
        family: Columns of one family, day and hour of one date say, are not paired.
    """

    codes: Codes
    size: int
    family: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All slices tested, arrays of one length in the order they were counted in.

    Attributes:
        counted, compared: The sums and the comparison.
        adjusted: p adjusted for all slices tested (Benjamini and Hochberg 1995).
        believed: The figure drawn towards that of all slices.
        probability: That the slice is worse than the rest by more than the margin.
        loss: Expected: how much worse than that, times the weight inside.
        pruned: Pairs that add nothing to one of their parts.
        order: Slices from the largest loss to the smallest, pruned ones left out; what others
            explain comes after all that stands for itself, what is hardly worse at the end.
        explained: For each slice the slice above that explains it, or -1.
    """

    counted: Counted
    compared: Compared
    adjusted: Floats
    believed: Believed
    probability: Floats
    loss: Floats
    pruned: np.ndarray
    order: Ints
    explained: Ints


def find(
    facts: Facts,
    columns: Sequence[Column],
    pairs: Sequence[tuple[int, int]] | None = None,
    fewest: int = 20,
    margin: float = 0.05,
) -> Found:
    """Return every slice of the columns and of their pairs, ranked by expected loss.

    Args:
        facts: What is measured, one entry a statement.
        columns: What statements can be grouped by.
        pairs: Which two columns to look at together; None for every two of different families.
        fewest: Weight below which a slice is left out, inside or outside.
        margin: A slice is worse only if it is so by more than this.
    """
    codes, sizes = [c.codes for c in columns], [c.size for c in columns]
    wanted = all_pairs(columns) if pairs is None else pairs
    parts = [count(facts, codes, sizes, i, fewest=fewest) for i in range(len(columns))]
    parts += [count(facts, codes, sizes, i, j, fewest=fewest) for i, j in wanted]
    counted = joined(parts)
    compared = compare(facts, counted)
    # Ties are broken by what was counted first: Benjamini and Hochberg asks for no order.
    adjusted = np.array(benjamini_hochberg(compared.p.tolist()), dtype=np.float64)
    believed, probability, loss = _believed(facts, counted, compared, margin)
    pruned = _adds_nothing(facts, counted, compared)
    ranked = np.lexsort((compared.p, -loss))
    ranked = ranked[~pruned[ranked]]
    apart = _worse(facts) * compared.gap
    asked = ranked[apart[ranked] > margin]
    explained = _explained(facts, columns, counted, compared, loss, asked, margin)
    # First what is probably worse by the margin, then what was seen to be, both where they stand
    # for themselves; then what these explain. A large slice that is hardly worse has a loss from
    # its uncertainty alone and comes last.
    alone = np.where(probability > 0.5, 0, np.where(apart > margin, 1, 3))
    tier = np.where(explained >= 0, 2, alone)
    order = ranked[np.argsort(tier[ranked], kind="stable")]
    return Found(counted, compared, adjusted, believed, probability, loss, pruned, order, explained)


def all_pairs(columns: Sequence[Column]) -> list[tuple[int, int]]:
    """Return every two columns that are not of one family."""
    return [
        (i, j)
        for i, j in combinations(range(len(columns)), 2)
        if not columns[i].family or columns[i].family != columns[j].family
    ]


def _believed(
    facts: Facts, counted: Counted, compared: Compared, margin: float
) -> tuple[Believed, Floats, Floats]:
    """Return each slice's posterior, how probably it falls short, and its expected loss.

    The same people are inside and outside, so what one of them errs more everywhere makes the slice no less known
    beside the others: only what each departs from the difference by does. A slice is drawn to all by that.
    """
    unit = unit_variance(facts.shares, compared.value, counted.n, counted.squares)
    variance = np.maximum(np.maximum(unit, counted.across), 1e-12)
    if facts.shares:
        plain = compared.value * (1 - compared.value) / counted.n
        n = counted.n * np.minimum(1.0, np.where(plain > 0, plain / variance, 1.0))
        hits = compared.value * n
        believed = believe_shares(hits, n, fit_beta(hits, n))
    else:
        believed = believe_means(compared.value, variance, fit_normal(compared.value, variance))
    rest = Believed(compared.rest, np.sqrt(compared.rest_variance))
    probability, short = (
        shortfall(rest, believed, margin)
        if facts.lower_is_better
        else shortfall(believed, rest, margin)
    )
    return believed, probability, short * counted.n


def _worse(facts: Facts) -> float:
    return 1.0 if facts.lower_is_better else -1.0


def _adds_nothing(facts: Facts, counted: Counted, compared: Compared) -> np.ndarray:
    """Return which pairs are no worse than what is left of one of their parts without them."""
    parents = {
        (int(c), int(v)): i
        for i, (c, v, second) in enumerate(
            zip(counted.first, counted.first_code, counted.second, strict=True)
        )
        if second < 0
    }
    pruned = np.zeros(len(counted), dtype=np.bool_)
    is_pair = counted.second >= 0
    for side, (column, code) in enumerate(
        ((counted.first, counted.first_code), (counted.second, counted.second_code))
    ):
        at = np.array(
            [parents.get((int(c), int(v)), -1) for c, v in zip(column, code, strict=True)],
            dtype=np.int64,
        )
        # A part too large to have a rest of its own holds nearly everything: nothing to compare.
        asked = np.flatnonzero(is_pair & (at >= 0))
        pruned[asked] |= ~_adds(facts, counted, compared, asked, at[asked], side)
    return pruned


def _adds(
    facts: Facts, counted: Counted, compared: Compared, pair: Ints, part: Ints, side: int
) -> np.ndarray:
    """Return whether each pair is surely worse than the rest of its first (0) or second (1) part."""
    n = counted.n[part] - counted.n[pair]
    left = np.maximum(n, 1e-12)
    figure = (counted.total[part] - counted.total[pair]) / left
    value, squares = compared.value[pair], counted.squares
    inside = unit_variance(facts.shares, value, counted.n[pair], squares[:, pair])
    beside = unit_variance(facts.shares, figure, left, squares[:, part] - squares[:, pair])
    if facts.shares:
        beside = np.maximum(beside, 0.25 / (left + 2) / left)
    spread = np.sqrt(np.maximum(inside + beside, counted.apart[side, pair]))
    z = _worse(facts) * (value - figure) / np.maximum(spread, 1e-12)
    return np.asarray((n >= 1) & (z > ADDS))


def _explained(
    facts: Facts,
    columns: Sequence[Column],
    counted: Counted,
    compared: Compared,
    loss: Floats,
    ranked: Ints,
    margin: float,
) -> Ints:
    """Return for each slice which one above it explains it, or -1; only the top is looked at."""
    explained = np.full(len(counted), -1, dtype=np.int64)
    top = [i for i in ranked[:MOST_EXPLAINED].tolist() if loss[i] > 1e-9]
    inside = {i: members(columns, counted, i) for i in top}

    def is_left(i: int, without: list[int]) -> bool:
        others = [inside[k] for k in without]
        left = _left_over(facts, inside[i], others, compared.rest[i], margin)
        return bool(left >= LEFT_OVER * loss[i])

    # What two conditions do together is not laid to one of them, however large that one is.
    for i in (k for k in top if counted.second[k] < 0):
        pairs = [k for k in top if loss[k] >= OWN_SHARE * loss[i] and _is_part(counted, i, k)]
        cause = next((k for k in pairs if not is_left(i, [k])), -1)
        explained[i] = cause
    above: list[int] = []
    for i in top:
        if explained[i] >= 0:
            continue
        overlap = [int((inside[i] & inside[k]).sum()) for k in above]
        if any(overlap) and not is_left(i, above):
            explained[i] = above[int(np.argmax(overlap))]
        else:
            above.append(i)
    return explained


def _is_part(counted: Counted, single: int, pair: int) -> bool:
    """Return whether a pair's members are some of those of a slice of one column."""
    ends = (
        (counted.first[pair], counted.first_code[pair]),
        (counted.second[pair], counted.second_code[pair]),
    )
    return bool(
        counted.second[pair] >= 0 and (counted.first[single], counted.first_code[single]) in ends
    )


def _left_over(
    facts: Facts, inside: np.ndarray, above: list[np.ndarray], rest: float, margin: float
) -> float:
    """Return the loss that remains of a slice without the statements of those above it."""
    alone = inside & ~np.logical_or.reduce(above)
    weight = float(facts.weight[alone].sum())
    if weight <= 0:
        return 0.0
    figure = float(facts.total[alone].sum()) / weight
    worse = _worse(facts) * (figure - rest) - margin
    deviation = (
        np.sqrt(0.25 / weight)
        if facts.shares
        else float(np.std(facts.total[alone])) / np.sqrt(weight)
    )
    # What chance alone would leave is not left over.
    return max(0.0, worse) * weight * float(ndtr(worse / max(deviation, 1e-12)))


def members(columns: Sequence[Column], counted: Counted, i: int) -> np.ndarray:
    """Return which statements are inside a slice."""
    inside = columns[int(counted.first[i])].codes == counted.first_code[i]
    if counted.second[i] >= 0:
        inside = inside & (columns[int(counted.second[i])].codes == counted.second_code[i])
    return np.asarray(inside)
