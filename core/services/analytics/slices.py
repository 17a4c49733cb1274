"""Slices: any figure by anything items and statements can be grouped by, for page and command line."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.access import Actor
from core.analytics.asked import ALL, MODEL, PEOPLE, Against, Basis, Filters
from core.analytics.cells import Ints, wilson_ends
from core.analytics.columns import Kind, SliceColumn
from core.analytics.finder import Column, Found, find
from core.analytics.medians import median_gap, median_of
from core.analytics.replica import Replica
from core.analytics.slice_facts import (
    COMPARED,
    EVERYBODY,
    Metric,
    Question,
    Statements,
    statements_of,
)
from core.errors import InputError
from core.intake.measures import NAMES
from core.services.analytics.measured import measures_stamp
from core.services.analytics.quality import rightness
from core.services.analytics.replicas import open_figures, voters
from core.services.analytics.slice_columns import item_columns, items_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import Estimate

FALSE_DISCOVERY = 0.05
"""Adjusted p from which a difference is no longer called one."""

FEWEST, MARGIN = 20, 0.05
"""Statements below which a slice is not looked at, and by how much it must be worse."""

MOST_ROWS = 300
"""Slices given at most, from the top; all that were tested count in the adjustment."""

_REFERENCES = (Against.FINAL, Against.GOLD, Against.ADJUDICATED)

Condition = tuple[str, str | None]
"""A column and the value members have there; None: they have none."""


@dataclass(frozen=True, slots=True)
class SliceAsk:
    """What is asked.

    Attributes:
        metric: One of `Metric`.
        of_class: The class, for recall.
        whose: "everybody", "model", "people" or a person's name; "" for everybody, where one of
            model and people has too little to compare for the other. Only where a truth is involved.
        against: The reference; "" for the one that leaves most to compare.
        by: Names of columns, and then of these and their pairs alone; empty for everything.
        filters: Which statements and items to look at.
        fewest: Statements below which a slice is left out; never below the setting `smallest_group`.
        margin: By how much a slice must be worse, as a share (time: of the seconds).
        tz: Time zone of hours, weekdays and weeks.
    """

    metric: str = Metric.ACCURACY.value
    of_class: str = ""
    whose: str = ""
    against: str = ""
    by: tuple[str, ...] = ()
    filters: Filters = ALL
    fewest: int = FEWEST
    margin: float = MARGIN
    tz: str = "UTC"


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice against the rest.

    Attributes:
        conditions: What members have in common: one column, or two together.
        items: Items inside.
        inside, rest: The figure of members and of all others; n counts statements (boxes, pairs).
        gap: Members minus others.
        p: Of "there is no difference"; `adjusted_p` for all slices tested.
        shrunken: The figure drawn towards that of all slices, with its 95 % interval.
        probability: That the slice is worse than the rest by more than the margin.
        loss: How many statements more than elsewhere are to be expected wrong beyond the margin
            (seconds, where time is measured).
        explained_by: The slice above whose members make this one worse; empty where it stands
            for itself.
        is_behind: Whether it is surely worse, after adjusting.
        is_sure: Whether it surely differs.
    """

    conditions: tuple[Condition, ...]
    items: int
    inside: Estimate
    rest: Estimate
    gap: Estimate
    p: float
    adjusted_p: float
    shrunken: Estimate
    probability: float
    loss: float
    explained_by: tuple[Condition, ...]
    is_sure: bool
    is_behind: bool


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column one can choose; whether all its values are of items, not of single statements."""

    name: str
    kind: str
    values: int
    of_items: bool


@dataclass(frozen=True, slots=True)
class SlicesView:
    """Every slice looked at, the dearest first; what another one explains comes last.

    Attributes:
        asked: With whose, against and the smallest n as they were settled.
        overall: The figure of all statements.
        rows: At most `MOST_ROWS`.
        tested: How many slices were compared; p is adjusted for all of them.
        pruned: Of them pairs that add nothing to one of their parts; not among the rows.
        suppressed: Values of columns left out because fewer than `asked.fewest` statements have them.
        columns: What can be chosen.
        notes: What a reader should know of columns that were cut short or left out.
        basis, left_out: What the figures rest on; None where no truth is involved.
        unmeasured: Images whose properties were not measured yet.
        people: Name to display name.
    """

    project: ProjectView
    asked: SliceAsk
    overall: Estimate
    rows: tuple[SliceRow, ...]
    tested: int
    pruned: int
    suppressed: int
    columns: tuple[ColumnView, ...]
    notes: tuple[str, ...]
    basis: Basis | None
    left_out: int
    unmeasured: int
    people: Mapping[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> SliceRow | None:
        """Return the dearest slice that is surely behind, if any is."""
        return next((r for r in self.rows if r.is_behind and not r.explained_by), None)


def slices_of(ws: Workspace, actor: Actor, slug: str, asked: SliceAsk | None = None) -> SlicesView:
    """Return a figure by slices, members against all others, ranked by expected loss.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The figure, the reference, the class, a column or the time zone is unknown.
        LimitExceeded: It took too long.
    """
    ready = prepare(ws, actor, slug, asked or SliceAsk())
    chosen = _chosen(ready.columns, ready.asked.by)
    columns = [ready.columns[i] for i in chosen]
    found = find(
        ready.said.facts,
        [
            Column(ready.codes[i], len(ready.columns[i].values), ready.columns[i].family)
            for i in chosen
        ],
        None,
        ready.asked.fewest,
        ready.asked.margin,
    )
    return SlicesView(
        ready.project,
        ready.asked,
        ready.overall(),
        tuple(
            _row(ready, columns, [ready.codes[i] for i in chosen], found, i)
            for i in found.order[:MOST_ROWS].tolist()
        ),
        len(found.counted),
        int(found.pruned.sum()),
        sum(ready.suppressed(i) for i in chosen),
        tuple(ColumnView(c.name, c.kind.value, len(c.values), c.of_items) for c in ready.columns),
        ready.notes,
        ready.said.basis,
        ready.said.left_out,
        ready.unmeasured,
        ready.people,
    )


def needs_measures(by: Sequence[str]) -> bool:
    """Return whether these columns, or everything, take images to be measured."""
    return not by or any(name in NAMES for name in by)


# --- what is prepared once and asked often ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a figure's slices are made from.

    Attributes:
        items: Numbers of the project's items, ascending.
        said: The statements.
        place: Position in `items` of each statement's item.
        columns: All columns, of items and of statements.
        codes: The same, one code a statement.
    """

    project: ProjectView
    replica: Replica
    asked: SliceAsk
    items: Ints
    said: Statements
    place: Ints
    columns: tuple[SliceColumn, ...]
    codes: tuple[Any, ...]
    notes: tuple[str, ...]
    unmeasured: int
    people: Mapping[str, str]

    def overall(self) -> Estimate:
        """Return the figure of all statements with a plain interval."""
        everything = np.ones(len(self.said.item), dtype=np.bool_)
        return figure_of(self.said, everything, self.asked.fewest)

    def suppressed(self, column: int) -> int:
        """Return how many values of a column have statements, but too few to be shown."""
        codes, size = self.codes[column], len(self.columns[column].values)
        n = np.bincount(codes[codes >= 0], self.said.facts.weight[codes >= 0], minlength=size)
        return int(((n > 0) & (n < self.asked.fewest)).sum())


_lock = threading.Lock()
_ready: OrderedDict[object, Prepared] = OrderedDict()
MOST_READY = 8


def prepare(ws: Workspace, actor: Actor, slug: str, asked: SliceAsk) -> Prepared:
    """Return what a figure's slices are made from; the same question is prepared once.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The figure, the reference, the class or the time zone is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    settled = _settled(ws, project, replica, asked)
    kept = replace(settled, by=())
    key = (
        ws.root,
        project.id,
        replica.edition,
        measures_stamp(ws),
        project.schema_version,
        repr(kept),
    )
    with _lock:
        if key in _ready:
            _ready.move_to_end(key)
            return replace(_ready[key], asked=settled, project=project)
    made = _prepared(ws, project, replica, settled)
    with _lock:
        _ready[key] = made
        while len(_ready) > MOST_READY:
            _ready.popitem(last=False)
    return made


def _prepared(ws: Workspace, project: ProjectView, replica: Replica, asked: SliceAsk) -> Prepared:
    metric = Metric(asked.metric)
    said = statements_of(
        replica,
        project.id,
        Question(
            metric, asked.of_class, asked.whose, asked.against, asked.filters, asked.tz,
            project.task.draws, project.policy.iou_at_least,
        ),
    )  # fmt: skip
    items = items_of(replica, project.id)
    place = np.searchsorted(items, said.item)
    of_items = item_columns(ws, project, replica, items, asked.fewest)
    columns = (*said.columns, *of_items.columns)
    codes = tuple(c.codes[place] if c.of_items else c.codes for c in columns)
    return Prepared(
        project, replica, asked, items, said, place, columns, codes, of_items.notes,
        of_items.unmeasured, voters(ws, replica, project),
    )  # fmt: skip


def _settled(ws: Workspace, project: ProjectView, replica: Replica, asked: SliceAsk) -> SliceAsk:
    """Return what is asked with everything left open filled in, and checked."""
    try:
        metric = Metric(asked.metric)
    except ValueError as error:
        raise InputError(
            f"There is no figure '{asked.metric[:40]}' to compare by.",
            f"Choose one of {', '.join(m.value for m in Metric)}; of recall name the class.",
        ) from error
    if metric is Metric.RECALL and asked.of_class not in project.schema.classes:
        raise InputError(
            f"There is no class '{asked.of_class[:80]}' to take the recall of.",
            "Choose one of the project's classes.",
        )
    if not (math.isfinite(asked.margin) and 0 <= asked.margin < 1):
        raise InputError(f"The margin lies between 0 and 1, found {asked.margin:g}.")
    asked = replace(asked, fewest=max(asked.fewest, ws.settings.smallest_group, 2))
    if metric not in COMPARED:
        return replace(asked, whose=PEOPLE, against="")
    if metric is Metric.CERTIFICATE:
        return replace(asked, whose=MODEL, against=asked.against or Against.FINAL.value)
    whose, against = _most(replica, project, asked)
    return replace(asked, whose=whose, against=against)


def _most(replica: Replica, project: ProjectView, asked: SliceAsk) -> tuple[str, str]:
    """Return whose word and which reference leave most to compare, as far as that is left open."""
    speakers = (asked.whose,) if asked.whose not in ("", EVERYBODY) else (MODEL, PEOPLE)
    references = (asked.against,) if asked.against else tuple(r.value for r in _REFERENCES)
    if asked.whose and asked.against:
        return asked.whose, asked.against

    def independent(whose: str, against: str) -> int:
        found = rightness(replica, project, whose, against)
        return 0 if found.basis is Basis.REVIEWED else found.overall.n

    n = {a: [independent(w, a) for w in speakers] for a in references}
    against = max(references, key=lambda a: sum(n[a]))
    if asked.whose:
        return asked.whose, against
    if min(n[against]) >= asked.fewest and not project.task.draws:
        return EVERYBODY, against
    return speakers[int(np.argmax(n[against]))], against


def _chosen(columns: Sequence[SliceColumn], by: Sequence[str]) -> list[int]:
    """Return which columns were asked for; a date's name stands for all that was made of it.

    Raises:
        InputError: There is no such column.
    """
    if not by:
        return list(range(len(columns)))
    found: list[int] = []
    for name in dict.fromkeys(by):
        hits = [i for i, c in enumerate(columns) if c.name == name] or [
            i for i, c in enumerate(columns) if c.family == name and c.kind is Kind.METADATA
        ]
        if not hits:
            known = ", ".join(c.name for c in columns) or "none at all"
            raise InputError(
                f"There is no column '{name[:80]}' to compare by.", f"There are: {known[:600]}."
            )
        found += hits
    return list(dict.fromkeys(found))


# --- a row ------------------------------------------------------------------------------------


def _row(
    ready: Prepared, columns: Sequence[SliceColumn], codes: Sequence[Any], found: Found, i: int
) -> SliceRow:
    counted, compared, time = found.counted, found.compared, ready.said.seconds is not None
    inside = _inside(codes, found, i)
    n, rest_n = round(float(counted.n[i])), round(float(compared.rest_n[i]))
    worse = bool(compared.gap[i] > 0) == ready.said.facts.lower_is_better
    sure = bool(found.adjusted[i] < FALSE_DISCOVERY)
    believed, spread = float(found.believed.mean[i]), 1.96 * float(found.believed.deviation[i])
    shrunken = Estimate(believed, believed - spread, believed + spread, n)
    if ready.said.seconds is not None:
        here = median_of(ready.said.seconds[inside], float(compared.design[i]))
        rest = median_of(ready.said.seconds[~inside])
        gap = median_gap(here, rest)
        shrunken = _exponential(shrunken)
    else:
        here = Estimate(*_three(compared.value[i], compared.low[i], compared.high[i]), n)
        rest = _rest(compared.rest[i], compared.rest_variance[i], rest_n)
        gap = Estimate(
            *_three(compared.gap[i], max(-1, compared.gap_low[i]), min(1, compared.gap_high[i])),
            n + rest_n,
        )
        shrunken = replace(
            shrunken, low=max(0.0, believed - spread), high=min(1.0, believed + spread)
        )
    cause = int(found.explained[i])
    seconds = (rest.value or 0.0) if time else 1.0
    return SliceRow(
        _conditions(columns, found, i),
        len(np.unique(ready.place[inside])),
        here,
        rest,
        gap,
        float(compared.p[i]),
        float(found.adjusted[i]),
        shrunken,
        float(found.probability[i]),
        float(found.loss[i]) * seconds,
        _conditions(columns, found, cause) if cause >= 0 else (),
        sure,
        sure and worse,
    )


def _inside(codes: Sequence[Any], found: Found, i: int) -> Any:
    counted = found.counted
    inside = codes[int(counted.first[i])] == counted.first_code[i]
    if counted.second[i] >= 0:
        inside = inside & (codes[int(counted.second[i])] == counted.second_code[i])
    return inside


def _conditions(columns: Sequence[SliceColumn], found: Found, i: int) -> tuple[Condition, ...]:
    counted = found.counted
    pairs = ((counted.first[i], counted.first_code[i]), (counted.second[i], counted.second_code[i]))
    return tuple(
        (columns[int(c)].name, columns[int(c)].values[int(v)].name) for c, v in pairs if c >= 0
    )


def _three(value: float, low: float, high: float) -> tuple[float, float, float]:
    return float(value), float(low), float(high)


def _rest(value: float, variance: float, n: int) -> Estimate:
    half = 1.96 * math.sqrt(max(float(variance), 0.0))
    return Estimate(float(value), max(0.0, float(value) - half), min(1.0, float(value) + half), n)


def _exponential(e: Estimate) -> Estimate:
    """Return seconds for their logarithms."""
    value, low, high = (None if v is None else math.exp(v) for v in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n)


def figure_of(said: Statements, inside: Any, fewest: int) -> Estimate:
    """Return the figure of some statements; without a value where they are too few."""
    weight = said.facts.weight[inside].sum()
    n = round(float(weight))
    if weight < max(fewest, 1):
        return Estimate(None, None, None, n)
    if said.seconds is not None:
        return median_of(said.seconds[inside])
    share = float(said.facts.total[inside].sum() / weight)
    low, high = wilson_ends(np.array([share]), np.array([weight]))
    return Estimate(share, float(low[0]), float(high[0]), n)
