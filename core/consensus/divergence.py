"""How far apart the answers to one item are, so that people see the most disputed first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from core.labels.answer import Answer
from core.labels.compare import same_answer

AGAINST_MODEL = 0.001
"""What a model that everybody contradicts adds: less than any difference between people."""


def divergence(votes: Sequence[Answer], model: Answer | None, iou_at_least: float) -> float:
    """Return the entropy of the votes, 0 to 1, plus a little for votes against the model.

    Equal answers are grouped, each with the first it equals; the entropy of the groups' shares
    is divided by the greatest possible for so many votes.
    """
    if not votes:
        return 0.0
    groups: list[list[Answer]] = []
    for vote in votes:
        home = next((g for g in groups if same_answer(g[0], vote, iou_at_least)), None)
        if home is None:
            groups.append([vote])
        else:
            home.append(vote)
    n = len(votes)
    against = 0.0
    if model is not None:
        against = sum(not same_answer(model, v, iou_at_least) for v in votes) / n
    if len(groups) == 1:
        return AGAINST_MODEL * against
    entropy = -sum(len(g) / n * log(len(g) / n) for g in groups) / log(n)
    return round(entropy, 9) + AGAINST_MODEL * against
