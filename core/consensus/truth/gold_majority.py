"""Gold majority: skills from the tasks whose answer is known, then majority by skill.

Source: as crowd-kit's `GoldMajorityVote`; the skills are posterior means of a Beta distribution, as for
gold questions in Ipeirotis, Provost and Wang, "Quality management on Amazon Mechanical Turk", HCOMP 2010.
"""

from __future__ import annotations

import numpy as np

from core.consensus.truth.majority import settle
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Reals, Votes, known

PRIOR_VOTES = 4.0


def gold_majority(
    votes: Votes, *, gold: Ints | None = None, prior_votes: float = PRIOR_VOTES
) -> Truth:
    """Return the class with the most skill behind it.

    A worker without votes on gold has the skill of all who have; without any gold all count alike.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown.
        prior_votes: Votes on gold each worker is taken to have cast besides, as right as all together.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    sure = known(votes, gold)
    skill = gold_skill(votes, sure, prior_votes)
    return settle(votes, sure, skill)


def gold_skill(votes: Votes, gold: Ints, prior_votes: float = PRIOR_VOTES) -> Reals:
    """Return each worker's share of right answers on gold, drawn towards that of all workers."""
    asked = gold[votes.task] >= 0
    right = asked & (gold[votes.task] == votes.label)
    seen = np.bincount(votes.worker[asked], minlength=votes.workers)
    hit = np.bincount(votes.worker[right], minlength=votes.workers)
    mean = (hit.sum() + 1) / (seen.sum() + 2)
    return np.asarray((hit + prior_votes * mean) / (seen + prior_votes))
