"""All coefficients of one set of votes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from numpy.typing import ArrayLike

from core.consensus.agreement.fleiss import fleiss_kappa
from core.consensus.agreement.gwet import gwet_ac1
from core.consensus.agreement.krippendorff import krippendorff_alpha
from core.consensus.agreement.percent import percent_agreement
from core.consensus.counts import count_labels
from core.stats.bootstrap import Resampling
from core.stats.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Agreement:
    """The coefficients of one set of votes; show them together, for each misleads alone."""

    percent: Estimate
    alpha: Estimate
    fleiss: Estimate
    ac1: Estimate


def measure_agreement(
    item: ArrayLike, label: ArrayLike, classes: int | None = None, **how: Unpack[Resampling]
) -> Agreement:
    """Return every coefficient for any number of people.

    Args:
        item: Whole number of the item of each vote.
        label: Class code of each vote, from 0; each person votes once on an item.
        classes: How many classes the schema has; AC1 depends on it.
        **how: Seed, replicates and level.

    Raises:
        InputError: The arrays differ in length, or a code is out of range.
    """
    counts = count_labels(item, label, classes)
    return Agreement(
        percent_agreement(counts, **how),
        krippendorff_alpha(counts, **how),
        fleiss_kappa(counts, **how),
        gwet_ac1(counts, classes, **how),
    )
