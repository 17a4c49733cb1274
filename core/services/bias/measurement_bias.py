"""Measurement bias: what a camera does and what a person does, told apart where they come mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc

from core.access import Actor
from core.analytics.asked import Basis
from core.analytics.cells import Ints, compare, count
from core.analytics.columns import Kind, SliceColumn
from core.analytics.slice_facts import CLASS, PERSON, Metric
from core.errors import InputError
from core.services.bias.kept import Kept
from core.services.bias.slice_ask import SliceAsk
from core.services.bias.slice_prepare import Prepared, prepare
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import Estimate
from core.stats.mixed import Fitted, fit_crossed, separate, variance_shares
from core.stats.multiple import Standing, benjamini_hochberg, rank_where_separate

FALSE_DISCOVERY = 0.05
FEWEST_STATEMENTS = 100
"""Statements below which nothing is told apart."""


MOST = "most"
"""Asks for the column along which the figure differs most."""
DEVICES = frozenset({"camera", "device", "scanner", "sensor", "instrument", "microscope", "lens"})
"""What a column may be called that tells what pictures were taken with."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One camera (or other value), or one person.

    Attributes:
        name: The value; None for items that have none.
        n: Statements.
        raw: Right more often than with all others, as a share; as it comes.
        own: The same with all other factors held as they are over all statements.
        adjusted_p: Of "there is no difference of its own", for all effects of this view.
        standing: Among the people; None where intervals do not separate or for a value.
        is_sure: Whether there surely is a difference of its own.
    """

    name: str | None
    n: int
    raw: Estimate
    own: Estimate
    adjusted_p: float
    standing: Standing | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Part:
    """How much of what makes statements right or wrong is due to a factor.

    Attributes:
        name: The column; "person", "class", or "" for what is left: the item itself, and chance.
        share: Of the variance of the log odds; n counts values (or statements, for the rest).
    """

    name: str
    share: Estimate


@dataclass(frozen=True, slots=True)
class MeasurementView:
    """What belongs to a column and what to people.

    Attributes:
        asked: As it was settled.
        column: The column told apart; "" where there is none.
        columns: Those that can be chosen.
        statements: How many the model rests on.
        values: Values of the column, the one that harms most first.
        people: The people; empty where only a model is looked at.
        parts: Of the variance.
        suppressed: Values and people not shown, because too few statements are theirs.
        basis, left_out: What the figures rest on; None where no truth is involved.
        names: Person to display name.
    """

    project: ProjectView
    asked: SliceAsk
    column: str
    columns: tuple[str, ...]
    statements: int
    values: tuple[Effect, ...]
    people: tuple[Effect, ...]
    parts: tuple[Part, ...]
    suppressed: int
    basis: Basis | None
    left_out: int
    names: dict[str, str]

    @property
    def is_enough(self) -> bool:
        """Return whether there is enough data to tell anything apart."""
        return bool(self.values)


@dataclass(frozen=True, slots=True)
class _Factor:
    """A factor of the model: a level a statement, and the column it comes from."""

    column: SliceColumn
    levels: Ints
    size: int


@dataclass(frozen=True, slots=True)
class _Told:
    fitted: Fitted
    factors: tuple[_Factor, ...]


_told: Kept[_Told | None] = Kept(8)


def measurement_bias(
    ws: Workspace, actor: Actor, slug: str, asked: SliceAsk | None = None, column: str = ""
) -> MeasurementView:
    """Return what each value of an item's column, and each person, does by itself.

    A logistic model with the column's values as fixed effects, persons and true classes as crossed
    random ones (`core.stats.mixed`); items are drawn whole.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        asked: The figure, whose and against what; only shares can be told apart.
        column: Of items; `MOST` for the one along which the figure differs most; "" for what pictures
            were taken with, where a column is called so, else as `MOST`.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The figure is none of shares, or something is unknown.
        LimitExceeded: It took too long.
    """
    ready = prepare(ws, actor, slug, asked or SliceAsk())
    if Metric(ready.asked.metric) is Metric.TIME:
        raise InputError(
            "Only shares can be told apart this way, not times.",
            "Choose accuracy, recall, agreement or one of the rates.",
        )
    free = [c for c in ready.columns if c.of_items and c.kind is not Kind.LOOKS]
    chosen = _column(ready, free, column)
    told = None
    if chosen is not None and len(ready.said.item) >= FEWEST_STATEMENTS:
        question = (
            ws.root, ready.project.id, ready.replica.edition, ready.unmeasured,
            ready.project.schema_version, repr(ready.asked), chosen.name,
        )  # fmt: skip
        told = _told.get(question, lambda: _tell(ready, chosen))
    return _view(ready, free, chosen, told)


def _column(ready: Prepared, free: Sequence[SliceColumn], name: str) -> SliceColumn | None:
    """Return the column asked for, or the camera's, or the one least probably without effect.

    Raises:
        InputError: There is no such column.
    """
    if not name:
        taken_with = [c for c in free if c.name.casefold() in DEVICES and c.kind is Kind.METADATA]
        if taken_with:
            return min(taken_with, key=lambda c: _chance(ready, c))
    elif name != MOST:
        found = next((c for c in free if c.name == name), None)
        if found is None:
            known = ", ".join(c.name for c in free) or "none at all"
            raise InputError(
                f"There is no column '{name[:80]}' of items.", f"There are: {known[:600]}."
            )
        return found
    own = [c for c in free if c.kind is Kind.METADATA and c.family == c.name]
    return min(own or free, key=lambda c: _chance(ready, c), default=None)


def _chance(ready: Prepared, column: SliceColumn) -> float:
    """Return how probably chance alone makes a figure differ so much along a column."""
    facts, codes, size = ready.said.facts, column.codes[ready.place], len(column.values)
    inside = codes >= 0
    n = np.bincount(codes[inside], facts.weight[inside], minlength=size)
    hits = np.bincount(codes[inside], facts.total[inside], minlength=size)
    used = n > 0
    if used.sum() < 2:
        return 2.0
    share = float(hits.sum() / n.sum())
    apart = float((n[used] * (hits[used] / n[used] - share) ** 2).sum())
    return float(chdtrc(used.sum() - 1, apart / max(share * (1 - share), 1e-9)))


# --- the model --------------------------------------------------------------------------------


def _tell(ready: Prepared, chosen: SliceColumn) -> _Told | None:
    named = {c.name: i for i, c in enumerate(ready.columns)}
    first = _factor(chosen, chosen.codes[ready.place])
    factors = [first]
    if PERSON in named and ready.said.facts.people >= 2:
        factors.append(_factor(ready.columns[named[PERSON]], ready.codes[named[PERSON]]))
    if CLASS in named:
        factors.append(_factor(ready.columns[named[CLASS]], ready.codes[named[CLASS]]))
    if first.size < 2:
        return None
    cluster = np.unique(ready.place, return_inverse=True)[1].astype(np.int64)
    fitted = fit_crossed(
        [f.levels for f in factors], [f.size for f in factors], ready.said.facts.weight,
        ready.said.facts.total, cluster,
    )  # fmt: skip
    return _Told(fitted, tuple(factors))


def _factor(column: SliceColumn, codes: Any) -> _Factor:
    """Return a factor; what has no value of its own is one level more, which nobody is shown."""
    size, levels = len(column.values), codes.astype(np.int64)
    if (levels < 0).any():
        levels, size = np.where(levels < 0, size, levels), size + 1
    return _Factor(column, levels, size)


# --- the view ---------------------------------------------------------------------------------


def _view(
    ready: Prepared,
    free: Sequence[SliceColumn],
    chosen: SliceColumn | None,
    told: _Told | None,
) -> MeasurementView:
    values: list[Effect] = []
    people: list[Effect] = []
    parts: tuple[Part, ...] = ()
    suppressed = 0
    if told is not None:
        by_factor = [
            _effects(ready, told, i)
            for i, f in enumerate(told.factors)
            if i == 0 or f.column.name == PERSON
        ]
        values = by_factor[0][0]
        people = by_factor[1][0] if len(by_factor) > 1 else []
        suppressed = sum(s for _, s in by_factor)
        values, people = _adjusted(values, people)
        parts = _parts(told)
    worse = 1.0 if ready.said.facts.lower_is_better else -1.0
    return MeasurementView(
        ready.project,
        ready.asked,
        chosen.name if chosen else "",
        tuple(c.name for c in free),
        len(ready.said.item),
        tuple(sorted(values, key=lambda e: -worse * (e.own.value or 0.0))),
        tuple(
            sorted(people, key=lambda e: ready.people.get(e.name or "", e.name or "").casefold())
        ),
        parts,
        suppressed,
        ready.said.basis,
        ready.said.left_out,
        dict(ready.people),
    )


def _effects(ready: Prepared, told: _Told, factor: int) -> tuple[list[Effect], int]:
    """Return the effects that may be shown, and how many others have statements."""
    made = told.factors[factor]
    own = separate(told.fitted, factor)
    counted = count(ready.said.facts, [made.levels.astype(np.int32)], [made.size], 0)
    compared = compare(ready.said.facts, counted)
    at = {int(code): i for i, code in enumerate(counted.first_code)}
    found, hidden = [], 0
    for code, value in enumerate(made.column.values):
        place = at.get(code)
        n = own[code].gap.n
        if place is None or n < ready.asked.fewest:
            hidden += n > 0
            continue
        raw = Estimate(
            float(compared.gap[place]),
            max(-1.0, float(compared.gap_low[place])),
            min(1.0, float(compared.gap_high[place])),
            n,
        )
        found.append(Effect(value.name, n, raw, own[code].gap, own[code].p, None, False))
    return found, hidden


def _adjusted(
    values: Sequence[Effect], people: Sequence[Effect]
) -> tuple[list[Effect], list[Effect]]:
    """Return effects with p adjusted for all of them, and people ranked where they separate."""
    every = [*values, *people]
    ps = benjamini_hochberg([e.adjusted_p for e in every])
    ranks: list[Standing | None] = [None] * len(values)
    ranks += rank_where_separate([e.own for e in people])
    settled = [
        Effect(e.name, e.n, e.raw, e.own, p or 0.0, rank, (p or 0.0) < FALSE_DISCOVERY)
        for e, p, rank in zip(every, ps, ranks, strict=True)
    ]
    return settled[: len(values)], settled[len(values) :]


def _parts(told: _Told) -> tuple[Part, ...]:
    shares, rest = variance_shares(told.fitted)
    named = [Part(f.column.name, s) for f, s in zip(told.factors, shares, strict=True)]
    return (*named, Part("", rest))
