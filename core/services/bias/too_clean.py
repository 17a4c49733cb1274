"""The too-clean detector: can a classifier tell a project's pictures from those of the field?

Where it can, a model trained on the one will meet something else in the other. What they are told
by, the pictures that say it most plainly, and how many field pictures to add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.access import Actor
from core.analytics.cells import Floats
from core.errors import InputError
from core.intake.measures import NAMES
from core.services.bias.kept import Kept
from core.services.bias.measured import measures_stamp
from core.services.bias.reference_sets import (
    Pictures,
    ReferenceAsk,
    TwoSets,
    embedded_stamp,
    measures_of,
    pictures_to_show,
    same_pictures,
    two_sets,
    vectors_of,
)
from core.services.workspace import Workspace
from core.stats.distribution_tests import Larger, larger
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg
from core.stats.told_apart import ranked, told_apart

FIELD_SHARE = 0.2
"""Share of field-like pictures a training set is to reach, unless told."""

SURE = 0.05
TELLING = 12


class Basis(StrEnum):
    """What the classifier looked at."""

    EMBEDDINGS = "embeddings"
    MEASURES = "measured properties"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Tell:
    """A measured property, and how well it alone tells both sets apart.

    Attributes:
        above: How often a field picture has more of it than one of the project; 0.5 tells nothing.
        medians: Of the project and of the field.
    """

    name: str
    above: Estimate
    p: float | None
    adjusted_p: float | None
    medians: tuple[float, float]

    @property
    def strength(self) -> float:
        """Return how far from a coin it is, 0 to 0.5."""
        return 0.0 if self.above.value is None else abs(self.above.value - 0.5)


@dataclass(frozen=True, slots=True)
class FramesToAdd:
    """How many field pictures bring the share of field-like ones in the project to a target.

    A picture is field-like where the classifier, with both sets as frequent, takes it for one of the
    field. With m pictures drawn from the field at random (count + m × share of the field) divided
    by (n + m) is the share reached.

    Attributes:
        target: The share wanted.
        here, there: Share of field-like pictures in the project and in the field.
        frames: How many to add; its ends follow from those of both shares. Without a value where the
            field itself has no such share.
        at_hand: How many the reference holds.
    """

    target: float
    here: Estimate
    there: Estimate
    frames: Estimate
    at_hand: int


@dataclass(frozen=True, slots=True)
class TooCleanView:
    """Whether both sets can be told apart.

    Attributes:
        basis: What was looked at.
        auc: In how many of a hundred pairs the field's picture is recognised; out of fold.
        p: Of "not at all".
        tells: The measured properties, the most telling first.
        frames: None where both cannot be told apart.
        here_n, there_n: Pictures looked at.
    """

    sets: TwoSets
    basis: Basis
    auc: Estimate
    p: float | None
    tells: tuple[Tell, ...]
    frames: FramesToAdd | None
    here_n: int
    there_n: int

    @property
    def is_told(self) -> bool:
        """Return whether they surely can be told apart."""
        low = self.auc.low
        return self.p is not None and self.p < SURE and low is not None and low > 0.5


def too_clean(
    ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk, target: float = FIELD_SHARE
) -> TooCleanView:
    """Return whether a project's pictures can be told from those of a reference, and by what.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        asked: What is compared with what.
        target: Share of field-like pictures wanted in the project, between 0 and 1.

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: No reference is named, no item has that value, or the share makes no sense.
    """
    if not (math.isfinite(target) and 0 < target < 1):
        raise InputError(
            f"The share of field-like pictures lies between 0 and 1, found {target:g}.",
            "0.2 is usual.",
        )
    sets = two_sets(ws, actor, slug, asked)
    told = _told(ws, sets)
    view = TooCleanView(
        sets, told.basis, told.larger.auc, told.larger.p, told.tells, None, len(told.here),
        len(told.there),
    )  # fmt: skip
    if not view.is_told:
        return view
    return TooCleanView(
        sets, told.basis, told.larger.auc, told.larger.p, told.tells, _frames(told, sets, target),
        len(told.here), len(told.there),
    )  # fmt: skip


def telling_pictures(
    ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk, of_reference: bool = True
) -> Pictures:
    """Return the pictures that a classifier is surest about, the surest first.

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: No reference is named, or no item has that value.
    """
    sets = two_sets(ws, actor, slug, asked)
    told = _told(ws, sets)
    side = sets.there if of_reference else sets.here
    score = told.score_there if of_reference else 1 - told.score_here
    places = told.there if of_reference else told.here
    order = np.lexsort((places, -score))
    ids = side.ids[places[order]].tolist()
    notes = {i: f"{s * 100:.0f} %" for i, s in zip(ids, score[order].tolist(), strict=True)}
    return pictures_to_show(ws, actor, side.project, ids, notes, TELLING)


# --- the classifier -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """What the classifier found; `here` and `there` are places in the sets' pictures."""

    basis: Basis
    larger: Larger
    tells: tuple[Tell, ...]
    here: np.ndarray
    there: np.ndarray
    score_here: Floats
    score_there: Floats


_kept: Kept[_Told] = Kept(6)


def _told(ws: Workspace, sets: TwoSets) -> _Told:
    """Return what the classifier found; the same question is put once."""
    return _kept.get(
        (ws.root, *sets.key, measures_stamp(ws), embedded_stamp(ws, sets)),
        lambda: _classified(ws, sets),
    )


def _classified(ws: Workspace, sets: TwoSets) -> _Told:
    rows = measures_of(ws, sets)
    tells = _tells(rows, sets)
    basis, features, places = _features(ws, sets, rows)
    there = places >= len(sets.here)
    enough = min(int(there.sum()), int((~there).sum())) >= sets.asked.fewest
    if not sets.is_enough or not enough or not features.shape[1]:
        none = np.zeros(0, dtype=np.int64)
        nothing = Larger(Estimate(None, None, None, len(places)), None)
        return _Told(Basis.NOTHING, nothing, tells, none, none, np.zeros(0), np.zeros(0))
    same = same_pictures(sets.hashes)[places]
    found = told_apart(features[~there], features[there], same[~there], same[there])
    return _Told(
        basis, found.larger, tells, places[~there], places[there] - len(sets.here), found.score_a,
        found.score_b,
    )  # fmt: skip


def _features(ws: Workspace, sets: TwoSets, rows: Floats) -> tuple[Basis, Floats, np.ndarray]:
    """Return what is looked at, of which of both sides' pictures."""
    vectors = vectors_of(ws, sets)
    if vectors is not None:
        return Basis.EMBEDDINGS, vectors.rows.astype(np.float64), vectors.places
    places = np.flatnonzero(np.isfinite(rows[:, 0])) if len(rows) else np.zeros(0, np.int64)
    return Basis.MEASURES, ranked(rows[places]), places


def _tells(rows: Floats, sets: TwoSets) -> tuple[Tell, ...]:
    """Return the measured properties of which both sides have enough, the most telling first."""
    found: list[tuple[str, Larger, tuple[float, float]]] = []
    for i, name in enumerate(NAMES):
        known = np.isfinite(rows[:, i])
        first, second = rows[known & ~sets.is_there, i], rows[known & sets.is_there, i]
        varies = len(np.unique(rows[known, i])) > 1
        if varies and min(len(first), len(second)) >= sets.asked.fewest:
            medians = float(np.median(first)), float(np.median(second))
            found.append((name, larger(first, second), medians))
    ps = benjamini_hochberg([f.p for _, f, _ in found])
    tells = [
        Tell(name, f.auc, f.p, p, medians) for (name, f, medians), p in zip(found, ps, strict=True)
    ]
    return tuple(sorted(tells, key=lambda t: (-t.strength, t.name)))


def _frames(told: _Told, sets: TwoSets, target: float) -> FramesToAdd:
    n = len(told.score_here)
    here = wilson(int((told.score_here >= 0.5).sum()), n)
    there = wilson(int((told.score_there >= 0.5).sum()), len(told.score_there))
    total = len(sets.here)

    def frames(share: float | None, of_field: float | None) -> float | None:
        if share is None or of_field is None or of_field <= target:
            return None
        return float(max(0, math.ceil(total * (target - share) / (of_field - target))))

    value = frames(here.value, there.value)
    low, high = frames(here.high, there.high), frames(here.low, there.low)
    if value is None:
        low = high = None
    return FramesToAdd(target, here, there, Estimate(value, low, high, n), len(sets.there))
