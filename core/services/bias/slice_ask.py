"""What slices are asked: the figure, whose, against what, by which columns; and how that is settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.analytics.asked import ALL, MODEL, PEOPLE, Against, Basis, Filters
from core.analytics.columns import Kind, SliceColumn
from core.analytics.replica import Replica
from core.analytics.slice_facts import COMPARED, EVERYBODY, Metric
from core.errors import InputError
from core.intake.measures import NAMES
from core.services.analytics.quality import rightness
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

FEWEST, MARGIN = 20, 0.05
"""Statements below which a slice is not looked at, and by how much it must be worse."""

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


def needs_measures(by: Sequence[str]) -> bool:
    """Return whether these columns, or everything, take images to be measured."""
    return not by or any(name in NAMES for name in by)


def settled(ws: Workspace, project: ProjectView, replica: Replica, asked: SliceAsk) -> SliceAsk:
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


def chosen_columns(columns: Sequence[SliceColumn], by: Sequence[str]) -> list[int]:
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
