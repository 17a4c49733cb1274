"""What the next minute of a person is worth: a new label, a second opinion, or a ruling. Pure.

Belief in what is known so far is ActiveLab's (Goh and Mueller 2023): it shrinks a model's and the
annotators' confidence towards an even split, so that labelled and unlabelled items can be compared.
An answer by somebody who is right with chance a, about something believed with q, the rest spread
evenly, lifts the expected chance of the best guess from q to max(q, a); so it removes max(0, a − q)
of an error. That sees one answer ahead: two that only together would change a label count nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

What = Literal["label", "second opinion", "adjudicate"]


@dataclass(frozen=True, slots=True)
class Open:
    """Items somebody could spend time on.

    Attributes:
        item_ids: int64, shape (n,).
        belief: How much what is known so far can be believed, 0 to 1, shape (n,).
        accuracy: How often the person who would be asked is right.
    """

    item_ids: np.ndarray
    belief: np.ndarray
    accuracy: float


@dataclass(frozen=True, slots=True)
class Minute:
    """One thing to do, and what it is worth.

    Attributes:
        item_id: About this item.
        what: To do.
        gain_per_second: Expected errors removed by a second of work.
        why: One plain sentence.
    """

    item_id: int
    what: What
    gain_per_second: float
    why: str


def belief_unlabelled(
    confidence: np.ndarray, model_weight: float, mean_weight: float, classes: int
) -> np.ndarray:
    """Return ActiveLab's score of unlabelled items: the model's confidence, shrunk.

    Args:
        confidence: The largest probability of each item, shape (n,).
        model_weight: Of the model, as CROWDLAB weighs it.
        mean_weight: Mean weight of the annotators.
        classes: How many there are.
    """
    total = model_weight + mean_weight
    return np.asarray((confidence * model_weight + mean_weight / classes) / total)


def belief_labelled(
    quality: np.ndarray,
    annotators_weight: np.ndarray,
    model_weight: float,
    mean_weight: float,
    classes: int,
) -> np.ndarray:
    """Return ActiveLab's score of labelled items: the quality of their consensus, shrunk.

    Args:
        quality: Of the consensus of each item, shape (n,).
        annotators_weight: Summed over those who answered each item, shape (n,).
        model_weight: Of the model, as CROWDLAB weighs it.
        mean_weight: Mean weight of the annotators.
        classes: How many there are.
    """
    known = annotators_weight + model_weight
    return np.asarray((quality * known + mean_weight / classes) / (known + mean_weight))


def next_minute(
    unlabelled: Open, labelled: Open, disputes: Open, seconds: Mapping[str, float], count: int
) -> list[Minute]:
    """Return what removes most expected errors by the second, best first; nothing worth nothing.

    Args:
        unlabelled: Items nobody has answered; believed as the model is.
        labelled: Settled items that another person could answer.
        disputes: Items that wait for a ruling; their accuracy is that of who would rule.
        seconds: What each of ``label``, ``second opinion`` and ``adjudicate`` takes.
        count: At most so many.
    """
    offers: list[tuple[What, Open]] = [
        ("label", unlabelled),
        ("second opinion", labelled),
        ("adjudicate", disputes),
    ]
    found = [m for what, some in offers for m in _worth(what, some, seconds[what], count)]
    return sorted(found, key=lambda m: (-m.gain_per_second, m.item_id, m.what))[:count]


def _worth(what: What, some: Open, seconds: float, count: int) -> list[Minute]:
    gain = np.maximum(some.accuracy - some.belief, 0.0) / max(seconds, 0.1)
    first = np.lexsort((some.item_ids, -gain))[:count]
    return [
        Minute(int(some.item_ids[i]), what, float(gain[i]), _why(what, some, int(i), seconds))
        for i in first
        if gain[i] > 0
    ]


def _why(what: What, some: Open, place: int, seconds: float) -> str:
    known = {
        "label": "the model's answer is believed",
        "second opinion": "the label it has is believed",
        "adjudicate": "the leading answer is believed",
    }[what]
    return (
        f"{known} with {some.belief[place]:.0%}, whoever is asked is right in {some.accuracy:.0%}"
        f" and takes {seconds:.0f} s."
    ).capitalize()
