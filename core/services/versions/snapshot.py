"""Freezing the labels in force with splits that never leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from core.access import Action, Actor
from core.datasets.diff import class_counts
from core.datasets.freeze import FrozenLabel
from core.datasets.splits import Member, SplitPlan, Splits, checked_ratios, split
from core.errors import InputError
from core.services.models.datasets import (
    PEOPLE,
    VersionView,
    freeze_rows,
    labels_in_force,
    require_labels,
)
from core.services.projects.project import project_for
from core.services.versions.groups import Groups, groups_of
from core.services.versions.pace import Told, paced, silent
from core.services.workspace import Workspace

LONGEST_NAME = 80
"""Signs of a version's name at most: addresses and lists hold it."""


def snapshot(
    ws: Workspace,
    actor: Actor,
    slug: str,
    name: str = "",
    plan: SplitPlan | None = None,
    told: Told = silent,
) -> VersionView:
    """Freeze the final labels in force with splits; the same labels and plan give the same version.

    Args:
        name: The next number by default; one that names other labels or splits is refused.
        plan: How to split; by use, look-alikes together, by default.
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        InputError: Nothing has a final label, the plan cannot be done, or the name is taken.
        Forbidden: The actor may not freeze here.
    """
    plan = plan or SplitPlan()
    checked_ratios(plan.ratios)
    _require_name(name.strip())
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = labels_in_force(connection, project, paced("gathering the labels", told))
        require_labels(project, rows)
        groups = groups_of(ws, connection, rows, plan.group_by, plan.near, told)
    told("drawing the splits", 0, 0, None)
    found = split(_members(rows, groups), plan)
    placed = [r.placed(found.of[r.content_hash], groups.of.get(r.content_hash, "")) for r in rows]
    about = {"splits": _about(plan, found, groups, placed)}
    told("writing the version", 0, 0, None)
    return freeze_rows(ws, actor, project, placed, about, plan, name.strip(), PEOPLE)


def _require_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        shown = "".join(c if c.isprintable() else "\ufffd" for c in name[:LONGEST_NAME])
        raise InputError(
            f"A version's name has at most {LONGEST_NAME} signs that can be read, found {len(name)}: "
            f"'{shown}'; nothing was frozen.",
            "Choose a shorter name, such as 'v1'.",
        )


def _members(rows: Sequence[FrozenLabel], groups: Groups) -> list[Member]:
    return [
        Member(r.content_hash, r.use, groups.of.get(r.content_hash, ""), class_counts(r))
        for r in rows
    ]


def _about(
    plan: SplitPlan, found: Splits, groups: Groups, rows: Sequence[FrozenLabel]
) -> dict[str, object]:
    return {
        "group_by": plan.group_by,
        "near": plan.near,
        "ratios": dict(plan.ratios),
        "by_use": not plan.ratios,
        "seed": plan.seed,
        "leave_out": plan.leave_out,
        "counts": dict(sorted(Counter(r.split for r in rows if r.split).items())),
        "balance": [{**asdict(s), "off": s.off} for s in found.shares],
        "most_off": found.most_off,
        "groups": found.groups,
        "largest_group": found.largest,
        "look_alikes": groups.alike,
        "unreadable": groups.unreadable,
        "without_group_value": groups.without_value,
        "held_back": found.held_back,
        "left_out": found.left_out,
    }
