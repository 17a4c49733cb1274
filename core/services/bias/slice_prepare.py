"""What the slices of a figure are made from: prepared once, asked often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.access import Actor
from core.analytics.cells import Ints, wilson_ends
from core.analytics.columns import SliceColumn
from core.analytics.medians import median_of
from core.analytics.replica import Replica
from core.analytics.slice_facts import Metric, Question, Statements, statements_of
from core.services.analytics.replicas import open_figures, voters
from core.services.bias.kept import Kept
from core.services.bias.measured import measures_stamp
from core.services.bias.slice_ask import SliceAsk, settled
from core.services.bias.slice_columns import ItemColumns, item_columns, items_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import Estimate


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


MOST_READY = 8
_ready: Kept[Prepared] = Kept(MOST_READY)
_of_items: Kept[ItemColumns] = Kept(MOST_READY)


def prepare(ws: Workspace, actor: Actor, slug: str, asked: SliceAsk) -> Prepared:
    """Return what a figure's slices are made from; the same question is prepared once.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The figure, the reference, the class or the time zone is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    asked = settled(ws, project, replica, asked)
    question = (*_stamp(ws, project, replica), repr(replace(asked, by=())))
    made = _ready.get(question, lambda: _prepared(ws, project, replica, asked))
    return replace(made, asked=asked, project=project)


def columns_of_items(
    ws: Workspace, project: ProjectView, replica: Replica, items: Ints, fewest: int
) -> ItemColumns:
    """Return everything the items can be grouped by; the caller has asked the gate.

    Args:
        ws: The workspace.
        project: The project.
        replica: Where its figures come from.
        items: Numbers of its items, ascending.
        fewest: Items below which a value of text is not looked at.
    """
    return _of_items.get(
        (*_stamp(ws, project, replica), fewest),
        lambda: item_columns(ws, project, replica, items, fewest),
    )


def _stamp(ws: Workspace, project: ProjectView, replica: Replica) -> tuple[object, ...]:
    """Return what changes as soon as an answer kept from before may be another."""
    return (ws.root, project.id, replica.edition, measures_stamp(ws), project.schema_version)


def _prepared(ws: Workspace, project: ProjectView, replica: Replica, asked: SliceAsk) -> Prepared:
    said = statements_of(
        replica,
        project.id,
        Question(
            Metric(asked.metric), asked.of_class, asked.whose, asked.against, asked.filters,
            asked.tz, project.task.draws, project.policy.iou_at_least,
        ),
    )  # fmt: skip
    items = items_of(replica, project.id)
    place = np.searchsorted(items, said.item)
    of_items = columns_of_items(ws, project, replica, items, asked.fewest)
    columns = (*said.columns, *of_items.columns)
    codes = tuple(c.codes[place] if c.of_items else c.codes for c in columns)
    return Prepared(
        project, replica, asked, items, said, place, columns, codes, of_items.notes,
        of_items.unmeasured, voters(ws, replica, project),
    )  # fmt: skip


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
