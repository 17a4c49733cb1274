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
    """Freeze the final labels in force with splits; the same labels and plan give the version there is.

    Args:
        name: The next number by default; one that names other labels or splits is refused, and one
            for labels that have a name is not used.
        plan: How to split; by use, look-alikes together, by default.
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        InputError: Nothing has a final label, the plan cannot be done or leaves a split empty, or
            the name is taken.
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
    _require_filled(found, plan)
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


def _require_filled(found: Splits, plan: SplitPlan) -> None:
    """Pass if every split that was asked for has an item.

    Raises:
        InputError: One has none.
    """
    empty = [f"'{s.split}'" for s in found.shares if not s.n]
    if not plan.ratios or not empty:
        return
    held = found.held_back and not plan.leave_out
    why = (
        f": {found.held_back:,} labels that could be learnt from share a group with an item drawn for "
        "certifying or evaluating and follow it out of train"
        if held and "'train'" in empty
        else f": there are {len(found.of):,} labels in {_how_many(found)}"
    )
    raise InputError(
        f"{' and '.join(empty)} would be empty{why}; nothing was frozen.",
        "Leave the held-out items out of all splits instead ('--leave-out'), or group by another column."
        if held
        else "Ask for fewer splits, or group by a column with more values.",
    )


def _how_many(found: Splits) -> str:
    several = f"{found.groups:,} group{'s' if found.groups != 1 else ''} of more than one"
    return f"{several}, the largest of {found.largest:,}" if found.groups else "no groups"


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
