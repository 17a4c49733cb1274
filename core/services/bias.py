"""Where the figures are worse than elsewhere: every slice against the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.access import Actor
from core.analytics.asked import ALL, MODEL, Against, Basis, Filters
from core.analytics.figures import Figure, SliceFigure, adjusted, raw_slice_figures
from core.analytics.questions import MetadataColumn, metadata_columns
from core.analytics.replica import Replica
from core.analytics.slices import Grouping, slices
from core.errors import InputError
from core.labels.schema import Task
from core.services.projects import ProjectView
from core.services.quality import rightness
from core.services.replicas import open_figures, voters
from core.services.workspace import Workspace

FALSE_DISCOVERY = 0.05
"""Adjusted p from which a difference is no longer called one."""

MOST_VALUES = 50
"""A text column with more values than this names items rather than groups them."""


@dataclass(frozen=True, slots=True)
class BiasRow:
    """One slice against the rest, and the column it is of."""

    column: str
    figure: SliceFigure

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
        worst: The slice that is surely and furthest behind the rest, if any is.
        within: The same once more among the members of the worst slice, if any is.
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
    within: BiasRow | None
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
        InputError: The project has boxes, or the reference or the column is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    if project.task is Task.BOXES:
        raise InputError(
            "Slices of boxes are not compared yet.", "See recall and precision by class instead."
        )
    chosen = filters or ALL
    columns, skipped = _columns(metadata_columns(replica, project.id), whose)
    if by is not None and by not in columns:
        raise InputError(f"There is no column '{by}' to compare by.", "Choose one from the list.")
    wanted = columns if by is None else (by,)
    rows = _compared(replica, project, wanted, whose, against, chosen)
    worst = worst_of(rows)
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
        worst=worst,
        within=_within(replica, project, columns, whose, against, chosen, worst),
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


def worst_of(rows: Sequence[BiasRow]) -> BiasRow | None:
    """Return the slice that is behind by most even at the mild end of its interval."""
    behind = [r for r in rows if r.is_behind]
    return min(behind, key=_mild_end, default=None)


def _mild_end(row: BiasRow) -> float:
    high = row.figure.gap.high
    return 0.0 if high is None else high


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


def _compared(
    replica: Replica,
    project: ProjectView,
    columns: Sequence[str],
    whose: str,
    against: str,
    filters: Filters,
) -> tuple[BiasRow, ...]:
    rows = []
    for column in columns:
        asked = Grouping(column) if column in tuple(Grouping) else column
        found = slices(replica, project.id, asked, whose, against, filters)
        rows += [BiasRow(column, f) for f in raw_slice_figures(found) if len(found.rows) > 1]
    figures = adjusted([r.figure for r in rows])
    ready = [BiasRow(r.column, f) for r, f in zip(rows, figures, strict=True)]
    return tuple(sorted(ready, key=_evidence))


def _evidence(row: BiasRow) -> tuple[bool, float, float, str, str]:
    gap = row.figure.gap.value
    return (
        row.figure.p is None,
        row.figure.p or 0.0,
        gap if gap is not None else 0.0,
        row.column,
        row.figure.inside.name,
    )


def _within(
    replica: Replica,
    project: ProjectView,
    columns: Sequence[str],
    whose: str,
    against: str,
    filters: Filters,
    worst: BiasRow | None,
) -> BiasRow | None:
    """Return the worst slice among the members of a metadata slice, bins left aside."""
    if worst is None or worst.column in tuple(Grouping) or worst.figure.row.low is not None:
        return None
    inside = replace(filters, metadata={**filters.metadata, worst.column: worst.figure.row.value})
    others = [c for c in columns if c != worst.column and c not in tuple(Grouping)]
    return worst_of(_compared(replica, project, others, whose, against, inside))
