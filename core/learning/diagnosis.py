"""Why a model is not better: the likely causes, each with what speaks for it and what to do. Free of torch.

The bounds are round numbers of experience; a cause named here is a place to look, not a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from core.learning.recipes import IMBALANCED

CauseName = Literal["too few", "imbalance", "label errors", "domain gap", "task type", "network"]

GOOD = 0.95
"""From this accuracy on nothing is wrong that needs a cause."""
FEW = 20
"""Below so many training labels a class hardly shows itself."""
SUSPECTS = 0.03
"""Share of training labels that other labels speak against, from which errors are likely."""
APART = 0.7
"""Chance that an image to be judged lies further from what was learnt than a learnt one; 0.5: alike."""
LEAST = 30
"""Images needed to say anything of them."""
TORN = 0.25
"""Share of images on which two classes are both likely, from which one answer may be too few."""
LIKELY = 0.3


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause.

    Attributes:
        cause: Its name.
        evidence: What speaks for it, with numbers.
        advice: What to do.
        item_ids: Images worth a look, most suspicious first.
    """

    cause: CauseName
    evidence: str
    advice: str
    item_ids: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the cause as JSON-ready values."""
        return asdict(self)


def _none() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a model.

    Attributes:
        classes: In column order.
        accuracy: On labels it never learnt from; None if there are none.
        item_ids: Of the training labels, shape (n,).
        given: Their class numbers.
        said: What the model said of each before it had seen its label, shape (n, classes).
        judged: What it says of images it never learnt from, shape (m, classes).
        recall: Share right of each true class, NaN where unknown, shape (classes,).
        near_learnt: Likeness of each training image to the next training image, shape (n,).
        near_judged: Likeness of each other image to the next training image, shape (m,).
        taught: How many labels of each class were learnt from; empty: as many as are given.
        tuned: Whether the network itself was taught, not a head on it alone.
    """

    classes: Sequence[str]
    accuracy: float | None
    item_ids: np.ndarray
    given: np.ndarray
    said: np.ndarray
    judged: np.ndarray
    recall: np.ndarray
    near_learnt: np.ndarray = field(default_factory=_none)
    near_judged: np.ndarray = field(default_factory=_none)
    taught: Sequence[int] = ()
    tuned: bool = False


def diagnose(case: Case) -> tuple[Cause, ...]:
    """Return the likely causes, the most likely first; none where the model is right nearly always.

    Label errors are looked for at any accuracy: they spoil the evaluation too.
    """
    found = [_label_errors(case)]
    if case.accuracy is None or case.accuracy < GOOD:
        found += [_too_few(case), _imbalance(case), _domain_gap(case), _task_type(case)]
        if not any(found):
            found.append(_network(case))
    return tuple(c for c in found if c is not None)


def suspects(given: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return the rows whose label others speak against, most suspicious first.

    Confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70): a row counts as another class
    where that class's probability reaches what is usual among its own rows; of these, the ones
    whose given class is less likely still.

    Args:
        given: Class numbers, shape (n,).
        said: Probabilities by a model that had not seen the label, shape (n, classes).
    """
    if not len(given):
        return np.zeros(0, np.int64)
    rows = np.arange(len(given))
    own = said[rows, given]
    usual = np.full(said.shape[1], np.inf)
    for c in np.unique(given):
        usual[c] = own[given == c].mean()
    reached = np.where(said >= usual, said, -1.0)
    other = reached.argmax(1)
    against = (reached.max(1) > 0) & (other != given) & (own < reached.max(1))
    gap = said[rows, other] - own
    return np.asarray(rows[against][np.argsort(-gap[against], kind="stable")])


def _label_errors(case: Case) -> Cause | None:
    n = len(case.given)
    found = suspects(case.given, case.said) if n >= LEAST else np.zeros(0, np.int64)
    if len(found) < max(3, SUSPECTS * n):
        return None
    ids = tuple(int(i) for i in case.item_ids[found][:50])
    return Cause(
        "label errors",
        f"{len(found)} of {n} training labels are contradicted by what the others teach.",
        "Let people look at these images again before adding more.",
        ids,
    )


def _too_few(case: Case) -> Cause | None:
    counts = _counts(case)
    short = [c for c, n in zip(case.classes, counts, strict=True) if n < FEW]
    if len(short) * 2 <= len(case.classes):
        return None
    least = min(counts)
    return Cause(
        "too few",
        f"{len(short)} of {len(case.classes)} classes have fewer than {FEW} training labels; the "
        f"fewest have {least}.",
        f"Label about {sum(FEW - n for n in counts if n < FEW)} more images, these classes first.",
    )


def _imbalance(case: Case) -> Cause | None:
    counts = np.array(_counts(case), dtype=float)
    present = counts > 0
    known = present & ~np.isnan(case.recall)
    if present.sum() < 2 or counts[present].max() / counts[present].min() <= IMBALANCED:
        return None
    middle = float(np.median(counts[present]))
    rare, common = known & (counts < middle), known & (counts >= middle)
    if not rare.any() or not common.any():
        return None
    low, high = float(case.recall[rare].mean()), float(case.recall[common].mean())
    if high - low < 0.1:
        return None
    return Cause(
        "imbalance",
        f"Rare classes are right on {low:.0%}, common ones on {high:.0%}; the commonest has "
        f"{counts.max() / counts[present].min():.0f} times the labels of the rarest.",
        "Label more of the rare classes, or train with a balanced loss or over-sampling.",
    )


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the place of each value from the smallest, from 1; equal ones share the middle."""
    ordered = np.sort(values)
    first, past = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray((first + past + 1) / 2)


def _domain_gap(case: Case) -> Cause | None:
    if min(len(case.near_learnt), len(case.near_judged)) < LEAST:
        return None
    both = np.concatenate([case.near_learnt, case.near_judged])
    m = len(case.near_judged)
    ranks = _ranks(-both)[-m:]
    further = float((ranks.sum() - m * (m + 1) / 2) / (m * len(case.near_learnt)))
    if further < APART:
        return None
    return Cause(
        "domain gap",
        f"An image the model is judged by is further from what it learnt than another learnt one in "
        f"{further:.0%} of cases; alike would be 50 %.",
        "Label images drawn at random from all sources, not only the first ones.",
    )


def _task_type(case: Case) -> Cause | None:
    if len(case.judged) < LEAST or case.judged.shape[1] < 3:
        return None
    two = np.partition(case.judged, -2, axis=1)[:, -2]
    torn = float((two >= LIKELY).mean())
    if torn < TORN:
        return None
    return Cause(
        "task type",
        f"On {torn:.0%} of images two classes are both likely.",
        "If images really show several, let the question take several answers; if the two cannot be "
        "told apart, sharpen the guideline or merge them.",
    )


def _network(case: Case) -> Cause:
    if case.tuned:
        return Cause(
            "network",
            "Labels are enough and even, and the images are alike.",
            "Give it more minutes, choose a larger network, or label more of what it takes for another class.",
        )
    return Cause(
        "network",
        "Labels are enough, even and consistent, and the images are alike.",
        "Train the network itself (fine-tune) or choose a larger one.",
    )


def _counts(case: Case) -> list[int]:
    if case.taught:
        return list(case.taught)
    return [int(n) for n in np.bincount(case.given, minlength=len(case.classes))]
