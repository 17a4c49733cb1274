"""The weekly report: what changed in a project, asked of the same services as the pages."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, select

from core.access import Actor
from core.analytics.metadata import metadata_columns, metadata_values
from core.analytics.progress import progress
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.errors import InputError, one_of
from core.services.analytics.bias import MOST_VALUES
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.report import labels, machine, money, work
from core.services.report.asked import Asked
from core.services.report.parts import Report, Section
from core.services.report.weeks import week_named, week_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log, audit, decisions


def weekly_report(
    ws: Workspace,
    actor: Actor,
    slug: str,
    week: str = "",
    tz: str = "UTC",
    metadata: Mapping[str, str | None] | None = None,
    names: bool = False,
) -> Report:
    """Return one week of a project, each figure beside that of the week before.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        week: As in "2026-W46"; the newest one with work in it by default.
        tz: Time zone the days of the week begin in.
        metadata: Column to the value items must have, None for items without one.
        names: Whether people are named, where enough of them were at work.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        InputError: The week, the time zone, or a column or value asked for is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug, counted=True)
    zone, only = checked_zone(tz), dict(metadata or {})
    _require_known(replica, project, only)
    chosen = week_named(week, zone) if week else week_of(_last_work(ws, project), zone)
    votes, audited = _sequence(ws, project)
    asked = Asked(ws, actor, project, replica, chosen, only, names)
    return Report(
        project.slug, project.title, project.simulated, chosen, ws.clock(), votes, audited,
        ws.clock() >= chosen.until, only, _sections(asked),
    )  # fmt: skip


def _require_known(replica: Replica, project: ProjectView, only: Mapping[str, str | None]) -> None:
    """Refuse a filter that names nothing: a report of no items would pass for a quiet week.

    Raises:
        InputError: No item has the column, or none of its few values is the one asked for.
    """
    if not only:
        return
    columns = [c.name for c in metadata_columns(replica, project.id)]
    values = metadata_values(replica, project.id, MOST_VALUES)
    for column, value in only.items():
        if column not in columns:
            raise InputError(
                f"No item of '{project.slug}' has the metadata column '{column[:80]}', so there is "
                "nothing to report.",
                one_of(columns, "There are none: leave the filter out."),
            )
        if value is not None and column in values and value not in values[column]:
            raise InputError(
                f"No item of '{project.slug}' has '{value[:80]}' in '{column}', so there is nothing "
                "to report.",
                one_of(values[column]),
            )


def _sections(asked: Asked) -> tuple[Section, ...]:
    week = asked.week
    now, before = work.work_of(asked, week), work.work_of(asked, week.before)
    return (
        work.work(now, before, week),
        work.standing(progress(asked.replica, asked.project.id, week.tz), week),
        labels.people_right(asked),
        labels.model_right(asked),
        labels.agreement_section(asked),
        labels.suspicious(asked),
        labels.worst_slices(asked),
        money.cost(asked),
        machine.saving(asked),
        machine.model(asked),
        machine.versions(asked),
        work.people(now.people, asked.names),
    )


def _last_work(ws: Workspace, project: ProjectView) -> float:
    """Return when somebody last voted or decided, the present where nobody did.

    What a clock that ran ahead dated in the future is passed over: its week would be the newest for years.
    """
    now = ws.clock()
    with ws.store.read() as connection:
        found = [
            connection.execute(
                select(func.max(table.c.at)).where(
                    table.c.project_id == project.id, table.c.at <= now, *more
                )
            ).scalar()
            for table, more in ((annotation_log, _HERE), (decisions, ()))
        ]
    return max((float(at) for at in found if at is not None), default=now)


_HERE: tuple[ColumnElement[bool], ...] = (annotation_log.c.batch_id.is_(None),)
"""Votes given here: those that came with files are no work of a week."""


def _sequence(ws: Workspace, project: ProjectView) -> tuple[int, int]:
    """Return the last vote of the project and the last audit record, by sequence number."""
    with ws.store.read() as connection:
        votes = connection.execute(
            select(func.max(annotation_log.c.seq)).where(annotation_log.c.project_id == project.id)
        ).scalar()
        audited = connection.execute(select(func.max(audit.c.seq))).scalar()
    return int(votes or 0), int(audited or 0)
