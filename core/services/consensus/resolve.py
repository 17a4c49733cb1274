"""From the record to labels: gather the evidence of items, settle each, note what changed.

Labels are derived; this is the one place that derives them. A vote resolves its own item in
the same transaction; ``resolve`` does all of them and must give the same. Where the policy's algorithm
fits the whole project, one vote's outcome rests on the last fit and is marked provisional; a full resolve fits anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.services.consensus.audit_watch import revoke_failing
from core.services.consensus.fits import fit_path, save_fit
from core.services.consensus.gathering import UNSURE, Gathered, gather, live_annotations
from core.services.consensus.inference import Fitted, fit_project
from core.services.consensus.outcomes import label_of, priority, settle_and_write
from core.services.consensus.settling import Settling, outcome_of, settling_of, whole_project
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, item_state, items

__all__ = [
    "UNSURE",
    "Gathered",
    "Resolved",
    "Settling",
    "gather",
    "label_of",
    "live_annotations",
    "outcome_of",
    "priority",
    "resolve",
    "resolve_all",
    "resolve_items",
    "whole_project",
]

CHUNK = 500
"""Items in one IN list; SQLite allows 32,766 variables, and shorter statements plan faster."""

WORTH_FITTING = 200
"""Votes from which a project settled by majority is fitted too, to tell how right people are."""

Told = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a full resolve did: items looked at, labels changed, items by state."""

    items: int
    changed: int
    states: dict[str, int]


def resolve(ws: Workspace, actor: Actor, slug: str, told: Told | None = None) -> Resolved:
    """Derive every label of a project anew and return what changed.

    Raises:
        Forbidden: The actor does not steer this project.
    """
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        changed = resolve_all(ws, connection, project, ws.clock(), told)
        append_audit(
            connection, ws.clock(), actor.name, "resolved", slug, project.id, {"changed": changed}
        )
        counted = connection.execute(
            select(item_state.c.state, func.count())
            .where(item_state.c.project_id == project.id)
            .group_by(item_state.c.state)
            .order_by(item_state.c.state)
        )
        states: dict[str, int] = {r[0]: r[1] for r in counted}
    return Resolved(sum(states.values()), changed, states)


def resolve_all(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    at: float,
    told: Told | None = None,
) -> int:
    """Fit the project anew and settle all its items within the caller's transaction.

    Returns:
        How many labels changed.
    """
    fitted = None
    policy = project.policy
    needed = policy.fits_project or policy.weighs_outlines
    if needed or _worth_fitting(connection, project):
        if told is not None:
            told("weighing votes", 0, 1)
        fitted = fit_project(connection, project)
    if fitted is not None:
        save_fit(fit_path(ws, project), fitted.fit)
    return resolve_items(connection, project, None, at, fitted=fitted, told=told)


def _worth_fitting(connection: Connection, project: ProjectView) -> bool:
    said = annotation_log.c
    some = select(said.seq).where(said.project_id == project.id, said.kind == "vote")
    return len(connection.execute(some.limit(WORTH_FITTING)).all()) == WORTH_FITTING


def resolve_items(
    connection: Connection,
    project: ProjectView,
    item_ids: Sequence[int] | None,
    at: float,
    *,
    ws: Workspace | None = None,
    fitted: Fitted | None = None,
    told: Told | None = None,
) -> int:
    """Settle these items (None: all) within the caller's transaction; return how many labels changed.

    Args:
        connection: In a record transaction.
        project: Whose items.
        item_ids: Which.
        at: Seconds since the epoch.
        ws: Where the last fit lies, for policies whose algorithm fits the whole project; without it,
            and without a fit, votes are counted.
        fitted: A fit of all the votes there are now; the outcome is then no longer provisional.
        told: Hears how many items are done.
    """
    work = settling_of(project, ws, fitted)
    changed = done = 0
    chunks = list(_chunks(connection, project.id, item_ids))
    total = sum(map(len, chunks))
    for chunk in chunks:
        changed += settle_and_write(connection, work, chunk, at)
        done += len(chunk)
        if told is not None:
            told("settling items", done, total)
    # What an answer showed of the audit: labels taken back are settled anew, by people.
    again = revoke_failing(connection, project, [i for chunk in chunks for i in chunk], at)
    for start in range(0, len(again), CHUNK):
        changed += settle_and_write(connection, work, again[start : start + CHUNK], at)
    return changed


def _chunks(
    connection: Connection, project_id: int, item_ids: Sequence[int] | None
) -> Iterable[list[int]]:
    ids = (
        list(item_ids)
        if item_ids is not None
        else list(
            connection.execute(
                select(items.c.id).where(items.c.project_id == project_id).order_by(items.c.id)
            ).scalars()
        )
    )
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
