"""Wawa, worker agreement with aggregate: majority, skills by agreement with it, majority by skill.

Source: Appen (Figure Eight), "Calculating worker agreement with aggregate (Wawa)", 2016; as in
crowd-kit's `Wawa`.
"""

from __future__ import annotations

import numpy as np

from core.consensus.truth.majority import agreement, majority, weighted_majority
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Votes


def wawa(votes: Votes, *, gold: Ints | None = None) -> Truth:
    """Return the class with the most weight, a worker's weight being their agreement with majority.

    A majority is replaced by gold where known. Ties as in majority.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    first = majority(votes, gold=gold)
    weight = np.nan_to_num(agreement(votes, first.label), nan=0.0)
    return weighted_majority(votes, weight, gold=gold)
