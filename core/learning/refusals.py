"""Why nothing may be accepted, in words, and about how many more checked items would help."""

from __future__ import annotations

import math

import numpy as np

from core.learning.regions import Candidates, Cuts, Evidence, allowed
from core.stats.certificate import Ladder, labels_needed, least_labels
from core.stats.intervals import wilson


def learnt_from(pool: Candidates, seen: Evidence) -> str:
    """Say that the model saw items it is checked by, if it did."""
    if pool.trained is None:
        return ""
    n = int(np.isin(seen.item_ids, pool.item_ids[pool.trained]).sum())
    return (
        f"This model was trained on certify items (n = {n}): it cannot be certified." if n else ""
    )


def refusal(
    found: Cuts, scope: str, promise: tuple[float, float, float], ladder: Ladder
) -> tuple[int | None, str]:
    """Return how many more checks would help, if any, and the sentence."""
    target, delta, confidence = promise
    one = "All scores are equal: there is nothing to order items by, so it is all or nothing. "
    prefix = one if len(found.size) == 1 and found.total > 1 else ""
    least = least_labels(target, delta)
    asked = f"{prefix}Cannot certify {_asked(scope, target, confidence)}"
    if found.checked < least:
        more = least - found.checked
        return more, (
            f"{asked}: {count(found.checked)} {_of_scope(scope)} checked, at least {least} are "
            f"needed even without a single error; label about {count(more)} more."
        )
    first = int(np.argmax(found.step >= max(1, round(min(ladder.starts) * ladder.steps))))
    shares = found.errors[first:] / np.maximum(found.sampled[first:], 1)
    if (shares >= target).all():
        return None, prefix + _never_sure(found, first, scope)
    level = delta * min(w for w in ladder.by_step() if w > 0)
    k, needs = _cheapest(found, first, target, level)
    told = (
        f"{asked}: of {count(int(found.sampled[k]))} checked items {found.errors[k]} "
        f"{were(int(found.errors[k]))} wrong where the model is surest."
    )
    if needs > (left := int(found.left[-1])):
        return None, (
            f"{told} Only {count(left)} item{'s' * (left != 1)}{within(scope)} "
            f"{'are' if left != 1 else 'is'} left without a label: labelling them takes less than "
            "checking enough."
        )
    labels = f"label{'s' * (needs != 1)}"
    return needs, f"{told} Needs about {count(needs)} more {labels}, or a better model."


def _never_sure(found: Cuts, k: int, scope: str) -> str:
    share = wilson(int(found.errors[k]), int(found.sampled[k]))
    if share.value is None or share.low is None or share.high is None:
        return f"No item{within(scope)} was checked where the model is surest; check some there."
    return (
        f"The model is never sure enough{within(scope)}: at the strictest setting "
        f"{percent(share.value)} would be wrong (95 % interval {percent(share.low)} to "
        f"{percent(share.high)}). More checked items will not help; train on more labels or "
        "fine-tune."
    )


def _cheapest(found: Cuts, first: int, target: float, level: float) -> tuple[int, int]:
    """Return the region that would pass with the fewest more labels, and how many in the scope."""
    best: tuple[int, int] | None = None
    for k in range(first, len(found.size)):
        n, errors, size = int(found.sampled[k]), int(found.errors[k]), int(found.size[k])
        within_reach = (
            max(0, allowed(found, k, target)) / size
        )  # less than the target: see `trained`
        if not n or not within_reach:
            continue
        needed = labels_needed((errors + 0.5) / (n + 1), within_reach, level)
        if needed is not None and needed < size:
            more = max(1, math.ceil(needed * found.checked / n) - found.checked)
            if best is None or more < best[1]:
                best = (k, more)
    # Too few to tell the share: as many again tell more.
    return best or (first, found.checked)


def percent(share: float) -> str:
    """Write a share as a person reads it."""
    return f"{100 * share:.3g} %"


def _asked(scope: str, target: float, confidence: float) -> str:
    if scope == "all":
        return f"{percent(target)} at {percent(confidence)} confidence"
    return named(scope)


def named(scope: str) -> str:
    """Name a class or a slice."""
    kind, _, name = scope.partition(":")
    return f"{kind} '{name}'" if name else f"'{scope}'"


def _of_scope(scope: str) -> str:
    return "items were" if scope == "all" else "of its items were"


def whole(scope: str) -> str:
    """Begin a sentence on what a scope holds."""
    return "there are" if scope == "all" else f"{named(scope)} has"


def within(scope: str) -> str:
    """Say of which scope, if not of all."""
    return "" if scope == "all" else f" of {named(scope)}"


def were(n: int) -> str:
    """Return the verb for so many."""
    return "was" if n == 1 else "were"


def count(n: int) -> str:
    """Write a count as a person reads it."""
    return f"{n:,}"
