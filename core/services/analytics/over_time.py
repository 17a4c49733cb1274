"""How far people agree, week by week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from core.access import Actor
from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.figures import FEWEST
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.consensus.agreement import krippendorff_alpha, percent_agreement
from core.consensus.counts import count_labels
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate


@dataclass(frozen=True, slots=True)
class Week:
    """Agreement on the items whose newest vote is of one week.

    Attributes:
        begins: Its Monday, in the time zone asked for.
        alpha: Krippendorff's, with its interval over items; n counts items with two votes or more.
        percent: The share of an item's pairs of votes that say the same, mean over items.
    """

    begins: date
    alpha: Estimate
    percent: Estimate


def agreement_weeks(
    ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None, tz: str = "UTC"
) -> tuple[Week, ...]:
    """Return agreement by week; none for regions and labels of several classes.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return weeks_of(replica, project, filters or ALL, tz)


def weeks_are_drawn(project: ProjectView) -> bool:
    """Return whether agreement is told by week: labels of one class are, regions and sets are not."""
    return not (project.task.draws or project.schema.main.several)


def weeks_of(
    replica: Replica,
    project: ProjectView,
    filters: Filters = ALL,
    tz: str = "UTC",
    fewest: int = FEWEST,
) -> tuple[Week, ...]:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    if not weeks_are_drawn(project):
        return ()
    values = {**filter_values(replica, project.id, filters), "tz": checked_zone(tz)}
    return once(
        replica, project.id, ("agreement_weeks", tz, told(filters), fewest),
        lambda: _weeks(replica.query("agreement_weeks", values), fewest),
    )  # fmt: skip


def _weeks(rows: Sequence[Mapping[str, Any]], fewest: int) -> tuple[Week, ...]:
    by_week: dict[date, list[tuple[Sequence[str], int]]] = defaultdict(list)
    for r in rows:
        by_week[r["week"]].append((r["said"], int(r["items"])))
    said = {label for part in by_week.values() for labels, _ in part for label in labels}
    code = {name: i for i, name in enumerate(sorted(said))}
    return tuple(_week(begins, part, code, fewest) for begins, part in sorted(by_week.items()))


def _week(
    begins: date,
    rows: Sequence[tuple[Sequence[str], int]],
    code: Mapping[str, int],
    fewest: int,
) -> Week:
    n = sum(items for _, items in rows)
    if n < fewest:
        little = replace(UNDEFINED, n=n)
        return Week(begins, little, little)
    item, label, first = [], [], 0
    for labels, items in rows:
        item.append(np.repeat(np.arange(first, first + items), len(labels)))
        label.append(np.tile([code[name] for name in labels], items))
        first += items
    counts = count_labels(np.concatenate(item), np.concatenate(label), len(code))
    return Week(begins, krippendorff_alpha(counts), percent_agreement(counts))
