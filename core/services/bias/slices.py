"""Slices: any figure by anything items and statements can be grouped by, for page and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.access import Actor
from core.analytics.asked import Basis
from core.analytics.finder import Column, find
from core.services.bias.slice_ask import SliceAsk, chosen_columns
from core.services.bias.slice_prepare import prepare
from core.services.bias.slice_rows import SliceRow, row_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import Estimate

MOST_ROWS = 300
"""Slices given at most, from the top; all that were tested count in the adjustment."""


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
    chosen = chosen_columns(ready.columns, ready.asked.by)
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
            row_of(ready, columns, [ready.codes[i] for i in chosen], found, i)
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
