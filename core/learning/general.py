"""Ready-made ("general") models: which of their categories mean a project's classes, and asking them.

What they were taught stands in their weights' metadata: ImageNet's categories for classifiers,
COCO's for detectors. Importing this module does not import torch; asking does.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.labels.geometry import boxes_of, iou_matrix
from core.labels.region import Region
from core.learning.values import (
    ImageRef,
    OnProgress,
    ShouldStop,
    never_stop,
    no_progress,
)

LEAST_SCORE = 0.5
"""Boxes from this score on are proposed: rather there than not."""
_SAME = 0.55
"""Boxes of one class that overlap so much are one thing seen as two categories."""
_NO_CATEGORY = frozenset({"__background__", "n/a", "no person"})
_TOP = 5
_SHOWN = 4
_ADVICE = "A general model knows everyday things; teach one on your own labels with tiebreak train."

Meanings = Mapping[str, tuple[str, ...]]
"""The categories that mean each class."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a general model can say of a project's classes.

    Attributes:
        meanings: The categories that mean each covered class, in schema order.
        uncovered: Classes asked for that no category means.
    """

    meanings: Meanings
    uncovered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """What a classifier said in a project's classes.

    Attributes:
        item_ids: int64 (n,), images that could be read.
        probabilities: float32 (n, covered classes), summed over the categories of each; what is
            missing to one is the probability of "none of these".
        skipped: Why others could not be read.
    """

    item_ids: np.ndarray
    probabilities: np.ndarray
    skipped: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One image's likeliest class, the probability, its lead over the next best, and the ranking."""

    label: str
    confidence: float
    margin: float
    top: tuple[tuple[str, float], ...]


def coverage(
    classes: Sequence[str],
    categories: Sequence[str],
    given: Meanings | None = None,
    only: Sequence[str] = (),
) -> Coverage:
    """Return which categories mean which classes: of equal name, and as given.

    Case, spaces and underscores make no difference. A category given to a class means no other.

    Args:
        classes: All classes of the project.
        categories: All the model knows.
        given: Class to categories, beside those of equal name.
        only: The classes wanted; none named: all.

    Raises:
        InputError: A name is unknown, a category is given twice, or no class is covered.
    """
    known = {c: _folded(c) for c in categories if c.lower() not in _NO_CATEGORY}
    wanted = [_class(name, classes) for name in only] or list(classes)
    pairs = _pairs(given or {}, classes, known)
    taken = {c for found in pairs.values() for c in found}
    meanings: dict[str, tuple[str, ...]] = {}
    for name in (c for c in classes if c in wanted):
        equal = [c for c, fold in known.items() if fold == _folded(name) and c not in taken]
        if found := (*equal, *pairs.get(name, ())):
            meanings[name] = found
    uncovered = tuple(c for c in classes if c in wanted and c not in meanings)
    if not meanings:
        raise InputError(
            f"The model has no category of the name of any class asked for "
            f"({_listed(uncovered)}); nothing was changed.",
            f'Name categories with --as "class=category|category". {_ADVICE}',
        )
    return Coverage(meanings, uncovered)


def read_pairs(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return class to categories from texts such as ``dog=Chihuahua|golden retriever``.

    Raises:
        InputError: A text is of another kind.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        categories = tuple(c.strip() for c in rest.split("|") if c.strip())
        if not name.strip() or not categories:
            raise InputError(
                f"'{text}' does not say which categories mean a class; nothing was changed.",
                'Write --as "dog=Chihuahua|golden retriever".',
            )
        found[name.strip()] = (*found.get(name.strip(), ()), *categories)
    return found


def verdicts(sums: Sums, classes: Sequence[str]) -> dict[int, Verdict]:
    """Return what is proposed for each image; none where "none of these" is likelier than any class."""
    found = {}
    for item_id, row in zip(sums.item_ids.tolist(), sums.probabilities, strict=True):
        order = np.argsort(-row, kind="stable")
        none = max(0.0, 1.0 - float(row.sum()))
        best = float(row[order[0]])
        if best >= none:
            second = float(row[order[1]]) if len(row) > 1 else 0.0
            top = tuple((classes[i], float(row[i])) for i in order[:_TOP])
            found[item_id] = Verdict(classes[order[0]], best, best - max(second, none), top)
    return found


def in_classes(regions: Sequence[Region], meanings: Meanings) -> tuple[Region, ...]:
    """Return the regions whose category means a class, by that class, each thing once, surest first."""
    classes = {c: name for name, categories in meanings.items() for c in categories}
    mine = [replace(r, label=classes[r.label]) for r in regions if r.label in classes]
    mine.sort(key=lambda r: -(r.confidence or 0.0))
    overlap = iou_matrix(boxes_of(mine), boxes_of(mine))
    kept: list[int] = []
    for i, region in enumerate(mine):
        if all(mine[k].label != region.label or overlap[i, k] < _SAME for k in kept):
            kept.append(i)
    return tuple(mine[i] for i in kept)


def said_of(name: str, meanings: Meanings, most: int = 160) -> str:
    """Name a general model and what its categories were taken for, in about so many characters."""
    parts = [f"{c} = {', '.join(found)}" for c, found in meanings.items()]
    text = "; ".join(parts)
    return f"general model {name} ({text if len(text) <= most else text[:most].rstrip() + ' …'})"


def general_categories(name: str, draws: bool) -> tuple[str, ...]:
    """Return what a ready-made model knows, as the metadata of its weights names it.

    Args:
        name: torchvision's name of a classifier or a detector.
        draws: Whether boxes are wanted, so a detector.

    Raises:
        InputError: There is no such model, or it says something else than what is wanted.
    """
    from core.learning.general_torch import categories_of

    return categories_of(name, draws)


def general_weights(name: str, offline: bool, weights: Path | None = None) -> Path:
    """Return the file with a ready-made model's weights: the one given, cached, or fetched now.

    Raises:
        InputError: There is none and none can be fetched.
        BadCheckpoint: The file given is damaged or for another network.
    """
    from core.learning.general_torch import weights_of

    return weights_of(name, offline, weights)


def ask_classifier(
    name: str,
    weights: Path,
    meanings: Meanings,
    images: Sequence[ImageRef],
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> Sums:
    """Return what a ready-made classifier says of the images in a project's classes.

    Raises:
        BadCheckpoint: The weights are damaged or for another network.
        StopRequested: ``should_stop`` said so.
    """
    from core.learning.general_torch import classified

    return classified(name, weights, meanings, images, progress, should_stop)


def ask_detector(
    name: str,
    weights: Path,
    meanings: Meanings,
    images: Sequence[ImageRef],
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> tuple[dict[int, tuple[Region, ...]], dict[int, str]]:
    """Return the boxes a ready-made detector sees, in a project's classes, and why images were skipped.

    Raises:
        BadCheckpoint: The weights are damaged or for another network.
        StopRequested: ``should_stop`` said so.
    """
    from core.learning.general_torch import detected

    found, skipped = detected(name, weights, images, progress, should_stop)
    return {i: in_classes(regions, meanings) for i, regions in found.items()}, skipped


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _class(name: str, classes: Sequence[str]) -> str:
    found = name if name in classes else next(
        (c for c in classes if _folded(c) == _folded(name)), None
    )  # fmt: skip
    if found is None:
        raise InputError(
            f"The project has no class '{name}'; nothing was changed.",
            f"Its classes are {_listed(classes)}.",
        )
    return found


def _pairs(given: Meanings, classes: Sequence[str], known: Mapping[str, str]) -> Meanings:
    pairs: dict[str, tuple[str, ...]] = {}
    owner: dict[str, str] = {}
    for said, texts in given.items():
        name = _class(said, classes)
        for category in (c for text in texts for c in _categories(text, known)):
            if owner.setdefault(category, name) != name:
                raise InputError(
                    f"Category '{category}' is given to '{owner[category]}' and to '{name}'; "
                    "nothing was changed.",
                    "Give it to one class.",
                )
            if category not in pairs.get(name, ()):
                pairs[name] = (*pairs.get(name, ()), category)
    return pairs


def _categories(text: str, known: Mapping[str, str]) -> list[str]:
    wanted = _folded(text)
    found = [c for c, fold in known.items() if fold == wanted]
    if not found:
        close = [c for c, fold in known.items() if f" {wanted} " in f" {fold} "]
        close += [c for f in difflib.get_close_matches(wanted, known.values(), _SHOWN)
                  for c, fold in known.items() if fold == f]  # fmt: skip
        near = _listed(list(dict.fromkeys(close)))
        raise InputError(
            f"The model has no category '{text}'; nothing was changed.",
            f"It has {near}." if near else _ADVICE,
        )
    return found
