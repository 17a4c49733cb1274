"""What a model may decide alone: scores and checked items in, a certificate or a refusal out.

The promise: among the labels accepted at most a target share differs from what people would say. It
holds with the stated confidence over the random draw of the checked items, if these were drawn from
the whole set before anything was labelled and the model never learnt from them. Items not drawn but
learnt from may be the typical ones, so what remains might be harder than what was drawn; hence they
count as part of each region and not as part of what is accepted, which can only lower the number
accepted. Free of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InputError
from core.learning.calibration import Reliability, reliability
from core.learning.curve import Costs, RiskCoverage, Scene, risk_coverage, theatre
from core.learning.refusals import count, learnt_from, percent, refusal, were, whole, within
from core.learning.regions import Candidates, Cuts, Evidence, allowed, cuts, placed, tested
from core.stats.certificate import Ladder, least_labels, upper_errors

_EVEN = Ladder()

__all__ = [
    "Candidates", "Certificate", "Costs", "Evidence", "Ladder", "Reliability", "RiskCoverage", "Scene",
    "certify", "certify_groups", "reliability", "risk_coverage", "riskiest", "theatre",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one look found.

    Attributes:
        target: Largest share of wrong labels among those accepted.
        delta: What the look may err.
        scope: ``all``, or a group.
        threshold: Least score accepted; None: refused.
        accepted: Item ids; empty: refused.
        region: Items with such a score, those checked and learnt from included.
        sampled: Items checked, in the region or, where refused, in the scope.
        errors: Of these, found wrong.
        bound: Upper bound of the share of wrong ones among those accepted, at the level at which the
            region was tested; at most the target.
        needs: About how many more items to check where that would help; None else.
        sentence: What a person reads.
    """

    target: float
    delta: float
    scope: str
    threshold: float | None
    accepted: np.ndarray
    region: int
    sampled: int
    errors: int
    bound: float | None
    needs: int | None
    sentence: str


def certify(
    pool: Candidates,
    seen: Evidence,
    target: float,
    delta: float,
    ladder: Ladder = _EVEN,
    confidence: float | None = None,
) -> Certificate:
    """Return the largest region whose labels may be accepted, or say why there is none.

    Region by region, from the surest items on, "more than the target are wrong among what is neither
    checked nor learnt from" is tested exactly, for draws without replacement, at levels that
    `fallback` hands on. What is counted as left is fixed before the draw is looked at: each region is
    granted three standard deviations more checked items than expected, and fails beyond, so that the
    hypotheses do not depend on the draw. Where no score could order equal ones, they stay together.

    Args:
        pool: Everything in scope that has an answer.
        seen: Checked items among it.
        target: Largest share of wrong labels accepted.
        delta: What this look may err.
        ladder: The regions.
        confidence: Of the whole campaign, for the sentence; 1 - delta if not given.

    Raises:
        InputError: Scores are not numbers, an item occurs twice, or the target makes no sense.
    """
    return _certified(pool, seen, (target, delta, confidence or 1 - delta), ladder, "all")


def certify_groups(
    pool: Candidates,
    seen: Evidence,
    target: float,
    delta: float,
    groups: Sequence[str],
    ladder: Ladder = _EVEN,
    confidence: float | None = None,
) -> list[Certificate]:
    """Return a certificate for each group; all hold together, for each spends its part of delta.

    Raises:
        InputError: As `certify`; or the items have no groups.
    """
    if pool.group is None:
        raise InputError("The items have no groups to certify one by one.")
    promise = (target, delta / max(1, len(groups)), confidence or 1 - delta)
    return [_certified(_only(pool, pool.group == g), seen, promise, ladder, g) for g in groups]


def riskiest(pool: Candidates, threshold: float, count: int = 20) -> np.ndarray:
    """Return the ids of the items that would just pass, least sure first; the lower id wins a tie."""
    passing = pool.score >= threshold
    if pool.trained is not None:
        passing &= ~pool.trained
    ids, score = pool.item_ids[passing], pool.score[passing]
    return np.asarray(ids[np.lexsort((ids, score))[:count]])


def _certified(
    pool: Candidates,
    seen: Evidence,
    promise: tuple[float, float, float],
    ladder: Ladder,
    scope: str,
) -> Certificate:
    target, delta, _ = promise
    least_labels(target, delta)  # refuses what makes no sense
    refused = Certificate(
        target, delta, scope, None, np.zeros(0, np.int64), 0, 0, 0, None, None, ""
    )
    if not len(pool.item_ids):
        return replace(refused, sentence=f"Nothing to certify: {whole(scope)} no items.")
    found = cuts(pool, seen, ladder.steps)
    refused = replace(refused, sampled=found.checked, errors=int(placed(pool, seen)[1].sum()))
    if learnt := learnt_from(pool, seen):
        return replace(refused, sentence=learnt)
    levels = tested(found, target, delta, ladder)
    passed = [k for k, level in enumerate(levels) if level is not None]
    if not passed:
        needs, sentence = refusal(found, scope, promise, ladder)
        return replace(refused, needs=needs, sentence=sentence)
    return _granted(pool, seen, found, passed[-1], levels[passed[-1]] or delta, refused)


def _granted(
    pool: Candidates, seen: Evidence, found: Cuts, k: int, level: float, empty: Certificate
) -> Certificate:
    threshold = float(found.threshold[k])
    free = (pool.score >= threshold) & ~np.isin(pool.item_ids, seen.item_ids)
    if pool.trained is not None:
        free &= ~pool.trained
    size, sampled, errors = int(found.size[k]), int(found.sampled[k]), int(found.errors[k])
    wrong = min(upper_errors(size, sampled, errors, level), allowed(found, k, empty.target))
    bound = (wrong - errors) / int(found.left[k])
    sentence = (
        f"{count(int(free.sum()))} of {count(found.total)} items{within(empty.scope)} may be "
        f"accepted: of {count(sampled)} checked among the surest {errors} {were(errors)} wrong, "
        f"so at most {percent(bound)} of those accepted are; {percent(empty.target)} was asked."
    )
    return replace(
        empty, threshold=threshold, accepted=np.sort(pool.item_ids[free]), region=size,
        sampled=sampled, errors=errors, bound=bound, sentence=sentence,
    )  # fmt: skip


def _only(pool: Candidates, kept: np.ndarray) -> Candidates:
    return Candidates(
        pool.item_ids[kept],
        pool.score[kept],
        None,
        None if pool.trained is None else pool.trained[kept],
    )
