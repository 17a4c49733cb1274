"""Votes under a selection, for agreement: which there are, and where two people differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analytics.asked import ALL, Filters, filter_values, person_ids
from core.analytics.replica import Replica

MOST_DIFFERING = 200


@dataclass(frozen=True, slots=True)
class VoteRows:
    """Live votes as arrays of one length, ordered by item and person.

    Attributes:
        item_id: Of each vote.
        person_id: Of each vote.
        seq: Of each vote in the record.
    """

    item_id: NDArray[np.int64]
    person_id: NDArray[np.int64]
    seq: NDArray[np.int64]


def vote_rows(replica: Replica, project_id: int, filters: Filters = ALL) -> VoteRows:
    """Return the live votes under a filter, whatever they say.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    table = replica.arrow("selected_votes", filter_values(replica, project_id, filters))
    return VoteRows(*(table[c].to_numpy() for c in ("item_id", "person_id", "seq")))


def guidelines_voted(replica: Replica, project_id: int) -> Mapping[int, int]:
    """Return the versions of the guideline live votes were given under, and how many votes each.

    Raises:
        LimitExceeded: It took too long.
    """
    rows = replica.query("guidelines_voted", {"project": project_id})
    return {int(r["version"]): int(r["votes"]) for r in rows}


@dataclass(frozen=True, slots=True)
class Differing:
    """An item two people call differently.

    Attributes:
        first_said, second_said: Classes; how many regions where they are drawn.
        in_common: F1 of their regions; None for classes.
    """

    item_id: int
    first_said: str
    second_said: str
    in_common: float | None = None


def differing(
    replica: Replica,
    project_id: int,
    first: str,
    second: str,
    filters: Filters = ALL,
    most: int = MOST_DIFFERING,
) -> tuple[Differing, ...]:
    """Return the items two people call differently, newest first; `filters.people` is not looked at.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    one, other = person_ids(replica, [first, second])
    values = filter_values(replica, project_id, filters)
    asked = {**values, "first": one, "second": other, "most": most}
    return tuple(Differing(**row) for row in replica.query("differing", asked))
