"""Suspicious images: the same picture twice, labelled otherwise or on both sides of a split; outliers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.learning.suspicious.alike import (
    MOST,
    MOST_EACH,
    Near,
    apart,
    near_duplicates,
    nearest,
    nearest_in_cells,
    outliers,
)
from core.services.issues.embedded import Embeddings
from core.services.issues.material import Looked
from core.services.issues.values import Finding, Kind

MOST_OF_A_KIND = 500
_IN_CELLS = (
    f"There are more than {MOST_EACH:,} images: near-duplicates and outliers were looked for among the "
    "images around each, not among all; a few may be missed."
)


def of_pictures(
    looked: list[Looked],
    at_hand: Embeddings,
    said: Sequence[str | None],
    score: np.ndarray,
    heard: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[list[Finding], list[str]]:
    """Return what is suspicious of the images themselves, and what could not be looked at.

    Args:
        looked: The items.
        at_hand: Their embeddings.
        said: Each item's label in words; None without one.
        score: How doubtful each label is, NaN where nobody knows.
        heard: Hears how many of how many images are done, where they are many.
    """
    rows = np.flatnonzero(at_hand.found)
    if len(rows) > MOST:
        return [], [
            f"Near-duplicates and outliers were not looked for: {len(rows):,} images are more than "
            f"the {MOST:,} that can be held against each other."
        ]
    if len(rows) <= MOST_EACH:
        near, notes = nearest(at_hand.vectors[rows]), []
    else:
        near, notes = nearest_in_cells(at_hand.vectors[rows], heard=heard), [_IN_CELLS]
    groups = [tuple(int(rows[r]) for r in g) for g in near_duplicates(near)]
    found = [
        *_conflicts(looked, groups, said, score),
        *_leaks(looked, groups, said),
        *_repeated(looked, groups, said),
        *_apart(looked, near, rows, said),
    ]
    return found, notes


def _conflicts(
    looked: list[Looked],
    groups: Sequence[tuple[int, ...]],
    said: Sequence[str | None],
    score: np.ndarray,
) -> list[Finding]:
    """Name of each group the item whose label is the most doubtful: at least one of them is wrong."""
    found = []
    for group in apart(groups, said)[:MOST_OF_A_KIND]:
        doubt = {r: float(score[r]) if np.isfinite(score[r]) else 0.5 for r in group}
        worst = max(group, key=lambda r: (doubt[r], -r))
        others = [r for r in group if said[r] != said[worst]]
        suggested = str(said[others[0]])
        found.append(
            Finding(
                looked[worst].id, Kind.CONFLICT, "", str(said[worst]), suggested,
                round(max(doubt[worst], 0.5), 4),
                f"Nearly the same picture is labelled {suggested} elsewhere, and this one "
                f"{said[worst]}: one of them is wrong.",
                looked[worst].final_seq, tuple(looked[r].id for r in others),
            )
        )  # fmt: skip
    return found


def _leaks(
    looked: list[Looked], groups: Sequence[tuple[int, ...]], said: Sequence[str | None]
) -> list[Finding]:
    """Name each item that judges or certifies and is nearly a training image."""
    found = []
    for group in groups:
        learnt = [r for r in group if looked[r].use == "train"]
        for r in group if learnt else ():
            if looked[r].use != "train":
                found.append(
                    Finding(
                        looked[r].id, Kind.LEAKAGE, "", said[r] or "", "", 1.0,
                        f"This image is kept to {looked[r].use}, but nearly the same picture is "
                        "there for training: figures on it flatter the model.",
                        looked[r].final_seq, tuple(looked[i].id for i in learnt),
                    )
                )  # fmt: skip
    return found[:MOST_OF_A_KIND]


def _repeated(
    looked: list[Looked], groups: Sequence[tuple[int, ...]], said: Sequence[str | None]
) -> list[Finding]:
    """Name the copies of a picture that say nothing new: same use, and no label that differs."""
    found = []
    for group in groups:
        if len({said[r] for r in group if said[r] is not None}) > 1:
            continue
        first, *rest = group
        for r in (i for i in rest if looked[i].use == looked[first].use):
            found.append(
                Finding(
                    looked[r].id, Kind.DUPLICATE, "", said[r] or "", "", 1.0,
                    "Nearly the same picture is in the project already: it costs a label and adds "
                    "little.",
                    looked[r].final_seq, (looked[first].id,),
                )
            )  # fmt: skip
    return found[:MOST_OF_A_KIND]


def _apart(
    looked: list[Looked], near: Near, rows: np.ndarray, said: Sequence[str | None]
) -> list[Finding]:
    found = []
    for one in outliers(near)[:MOST_OF_A_KIND]:
        r = int(rows[one.row])
        found.append(
            Finding(
                looked[r].id, Kind.OUTLIER, "", said[r] or "", "", round(1 - 1 / one.times, 4),
                f"Unlike all others: its nearest images lie {one.times:.1f} times as far away as usual.",
                looked[r].final_seq,
            )
        )  # fmt: skip
    return found
