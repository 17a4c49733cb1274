"""Pauses that are due, written down before a lead reads figures of people.

A person's answers are looked at when they ask for items (`admission`), never while an answer is
taken in. Who stops asking would then show as far below the target and yet not paused; so whoever
reads figures of people has everybody looked at first, once for each new answer to gold.
"""

from __future__ import annotations

import threading
import weakref

from sqlalchemy import Connection, Engine, func, select

from core.queue.plan import QueuePlan
from core.services.accounts.people import load_actor
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import plan_in_force
from core.services.review.admission import judge, judged
from core.services.workspace import Workspace
from core.store.tables import probe_votes, standings

Stamp = tuple[QueuePlan, int | None, int | None]

_looked_at: weakref.WeakKeyDictionary[Engine, dict[int, Stamp]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def judge_everybody(ws: Workspace, project: ProjectView) -> None:
    """Write the pauses and onboarding results that people's answers to gold call for by now."""
    with ws.store.read() as connection:
        plan = plan_in_force(connection, project.id)
        if not (plan.gold_share or plan.onboarding):
            return
        engine, stamp = connection.engine, _stamp(connection, project, plan)
        with _lock:
            if _looked_at.get(engine, {}).get(project.id) == stamp:
                return
        people = [load_actor(connection, i) for i in _asked(connection, project)]
        due = [p for p in people if judged(ws, connection, project, p, plan)[1]]
    for person in due:
        judge(ws, project, person, plan)
    with _lock:
        _looked_at.setdefault(engine, {})[project.id] = stamp


def _stamp(connection: Connection, project: ProjectView, plan: QueuePlan) -> Stamp:
    answer, event = (
        connection.execute(
            select(func.max(table.c.seq)).where(table.c.project_id == project.id)
        ).scalar()
        for table in (probe_votes, standings)
    )
    return plan, answer, event


def _asked(connection: Connection, project: ProjectView) -> list[int]:
    """Return who answered gold in a project."""
    gold = probe_votes.c
    query = select(gold.person_id).where(gold.project_id == project.id, gold.kind == "gold")
    return sorted(connection.execute(query.distinct()).scalars())
