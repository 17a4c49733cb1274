"""What the time saved is told from: time on settled items, and votes on items whose label is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analytics.replica import Replica

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settled:
    """Items that are settled, in order, and the active seconds people spent on each."""

    items: Ints
    seconds: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Live votes on items with a known label, one entry an item and whether the pre-label was shown."""

    items: Ints
    shown: NDArray[np.bool_]
    n: Ints
    correct: Ints


def time_on_settled(replica: Replica, project_id: int, states: Sequence[str]) -> Settled:
    """Return the time spent on each item that stands in one of some states.

    Raises:
        LimitExceeded: It took too long.
    """
    rows = replica.arrow("time_on_settled", {"project": project_id, "states": list(states)})
    return Settled(rows["item_id"].to_numpy(), rows["seconds"].to_numpy())


def votes_on_known(replica: Replica, project_id: int) -> Judged:
    """Return how many votes on items with a known label are right; of labels of one question.

    Raises:
        LimitExceeded: It took too long.
    """
    rows = replica.arrow("votes_on_known", {"project": project_id})
    return Judged(*(np.asarray(rows[c].to_numpy()) for c in ("item_id", "shown", "n", "correct")))
