"""Where the figures are worse than elsewhere: every slice against the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from core.access import Actor
from core.analytics.asked import ALL, MODEL, PEOPLE, Against, Basis, Filters
from core.analytics.figures import Figure, SliceFigure, adjusted, raw_slice_figures
from core.analytics.questions import MetadataColumn, metadata_columns, metadata_values
from core.analytics.replica import Replica
from core.analytics.slices import Grouping, SliceRow, Slices, slices
from core.errors import InputError
from core.services.analytics.quality import rightness
from core.services.analytics.replicas import open_figures, voters
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

FALSE_DISCOVERY = 0.05
"""Adjusted p from which a difference is no longer called one."""

MOST_VALUES = 50
"""A text column with more values than this names items rather than groups them."""

MOST_PAIRED_VALUES, MOST_PAIRED_COLUMNS, MOST_PAIRED_ITEMS = 8, 5, 100_000
"""Bounds on looking at two columns together: one question for every value of every pair."""

Condition = tuple[str, str | None]
"""A column and the value members have there; None: they have none."""


@dataclass(frozen=True, slots=True)
class BiasRow:
    """One slice against the rest.

    Attributes:
        conditions: What members have in common: one column, or two together.
    """

    conditions: tuple[Condition, ...]
    figure: SliceFigure

    @property
    def is_listed(self) -> bool:
        """Return whether members can be asked for by value: metadata, and no bin."""
        known = all(column not in tuple(Grouping) for column, _ in self.conditions)
        return known and self.figure.row.low is None

    @property
    def is_sure(self) -> bool:
        """Return whether the difference stands after adjusting for all slices looked at."""
        return self.figure.p is not None and self.figure.p < FALSE_DISCOVERY

    @property
    def is_behind(self) -> bool:
        """Return whether the slice is surely worse than the rest."""
        return self.is_sure and self.figure.gap.value is not None and self.figure.gap.value < 0


@dataclass(frozen=True, slots=True)
class BiasView:
    """Every slice looked at, surest difference first.

    Attributes:
        columns: What could be looked at: metadata columns, and "class" and "person".
        rows: All slices of what was asked for; p is adjusted for all of them together.
        skipped: Columns left out because nearly every item has a value of its own.
        worst: The slice that is behind the rest on the strongest evidence, if any surely is.
    """

    project: ProjectView
    whose: str
    against: str
    basis: Basis
    left_out: int
    overall: Figure
    columns: tuple[str, ...]
    rows: tuple[BiasRow, ...]
    skipped: tuple[str, ...]
    worst: BiasRow | None
    people: Mapping[str, str]


def bias(
    ws: Workspace,
    actor: Actor,
    slug: str,
    whose: str = MODEL,
    against: str = Against.FINAL,
    by: str | None = None,
    filters: Filters | None = None,
) -> BiasView:
    """Return accuracy by slice, members against all others.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        whose: "model", "people" or a person's name.
        against: "final", "adjudicated", "gold" or "evaluate".
        by: A metadata column, "class" or "person"; None for all of them.
        filters: Which statements and items to look at.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The project draws regions, or the reference or the column is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    if project.task.draws:
        raise InputError(
            f"Slices of {project.task.value} are not compared yet.",
            "See recall and precision by class instead.",
        )
    chosen = filters or ALL
    columns, skipped = _columns(metadata_columns(replica, project.id), whose)
    if by is not None and by not in columns:
        raise InputError(f"There is no column '{by}' to compare by.", "Choose one from the list.")
    asked = _Asked(replica, project, whose, str(against), chosen)
    rows = _compared(asked, columns if by is None else (by,), pairs=by is None)
    right = rightness(replica, project, whose, against, chosen)
    return BiasView(
        project=project,
        whose=whose,
        against=str(against),
        basis=right.basis,
        left_out=right.left_out,
        overall=right.overall,
        columns=columns,
        rows=rows,
        skipped=skipped,
        worst=worst_of(rows),
        people=voters(ws, replica, project),
    )


def columns_to_compare(
    ws: Workspace, actor: Actor, slug: str, whose: str = MODEL
) -> tuple[str, ...]:
    """Return what `bias` can compare by: "class", "person" for people, and metadata columns.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    project, replica = open_figures(ws, actor, slug)
    return _columns(metadata_columns(replica, project.id), whose)[0]


def slice_values(ws: Workspace, actor: Actor, slug: str) -> Mapping[str, tuple[str, ...]]:
    """Return the values of every metadata column whose values group items, by name.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    project, replica = open_figures(ws, actor, slug)
    return metadata_values(replica, project.id, MOST_VALUES)


def worst_of(rows: Sequence[BiasRow]) -> BiasRow | None:
    """Return the slice that is behind the rest on the strongest evidence; rows are surest first."""
    return next((r for r in rows if r.is_behind), None)


def _columns(
    found: Sequence[MetadataColumn], whose: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns worth comparing by, and those whose values name single items."""
    usable = [c.name for c in found if 1 < c.values <= MOST_VALUES or _is_numeric(c)]
    skipped = [c.name for c in found if c.values > 1 and c.name not in usable]
    groupings = [Grouping.CLASS.value] + ([Grouping.PERSON.value] if whose == "people" else [])
    return tuple(groupings + usable), tuple(skipped)


def _is_numeric(column: MetadataColumn) -> bool:
    return column.values > 1 and column.numbers == column.items


@dataclass(frozen=True, slots=True)
class _Asked:
    """One comparison, to be made slice by slice."""

    replica: Replica
    project: ProjectView
    whose: str
    against: str
    filters: Filters

    def slices(self, column: str, inside: Condition | None = None) -> Slices:
        """Return the slices of a column, of all items or of those that meet a condition."""
        filters = self.filters
        if inside is not None:
            filters = replace(filters, metadata={**filters.metadata, inside[0]: inside[1]})
        named = Grouping(column) if column in tuple(Grouping) else column
        return slices(self.replica, self.project.id, named, self.whose, self.against, filters)


def _compared(asked: _Asked, columns: Sequence[str], pairs: bool) -> tuple[BiasRow, ...]:
    """Return every slice, p adjusted for all of them together, surest first."""
    found = {column: asked.slices(column) for column in columns}
    rows = []
    for column, one in found.items():
        if len(one.rows) > 1:
            rows += [BiasRow(((column, f.row.value),), f) for f in raw_slice_figures(one)]
    # A pair's rest is counted from the totals, which say nothing of single people.
    if pairs and asked.whose != PEOPLE and asked.project.n_items <= MOST_PAIRED_ITEMS:
        rows += _paired(asked, found)
    rows.sort(key=_evidence)  # before adjusting, which makes ties
    figures = adjusted([r.figure for r in rows])
    return tuple(BiasRow(r.conditions, f) for r, f in zip(rows, figures, strict=True))


def _paired(asked: _Asked, found: Mapping[str, Slices]) -> list[BiasRow]:
    """Return the slices of every two columns with few values; only those with enough members."""
    few = [
        c
        for c, one in found.items()
        if c not in tuple(Grouping)
        and 1 < len(one.rows) <= MOST_PAIRED_VALUES
        and all(r.low is None for r in one.rows)
    ][:MOST_PAIRED_COLUMNS]
    rows = []
    for first, second in combinations(few, 2):
        for outer in found[first].rows:
            part = asked.slices(second, (first, outer.value))
            if part.basis is found[first].basis:
                both = replace(part, rows=tuple(_against_all(r, outer) for r in part.rows))
                rows += [
                    BiasRow(((first, outer.value), (second, f.row.value)), f)
                    for f in raw_slice_figures(both)
                    if f.gap.value is not None
                ]
    return rows


def _against_all(row: SliceRow, outer: SliceRow) -> SliceRow:
    """Return a slice of a slice against everything that is not in it."""
    n, correct = outer.n + outer.rest_n, outer.correct + outer.rest_correct
    return replace(row, rest_n=n - row.n, rest_correct=correct - row.correct, by_person=())


def _evidence(row: BiasRow) -> tuple[bool, float, float, str]:
    gap = row.figure.gap.value
    return (row.figure.p is None, row.figure.p or 0.0, gap or 0.0, str(row.conditions))
