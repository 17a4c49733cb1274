"""One analytics replica per process and workspace, brought up to date before it is read."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from core.access import Action, Actor
from core.analytics.people import people_seen
from core.analytics.replica import Replica
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import people, person_revisions

_lock = threading.Lock()
_replicas: dict[tuple[Path, str], Replica] = {}


def replica_of(ws: Workspace) -> Replica:
    """Return this process's replica of a workspace's record, holding all that was committed.

    Raises:
        StoreUnavailable: The record cannot be reached.
        StoreCorrupt: The record is damaged.
        LimitExceeded: The record is larger than the memory analytics may use.
    """
    key = (ws.root, ws.store.url.render_as_string(hide_password=True))
    with _lock:
        if key not in _replicas:
            _replicas[key] = Replica(ws.store, seconds=ws.settings.query_seconds)
        replica = _replicas[key]
    replica.catch_up()  # outside our lock: it has its own, and another workspace need not wait
    return replica


def forget_replicas() -> None:
    """Close every replica of this process; the next question makes a new one."""
    with _lock:
        for replica in _replicas.values():
            replica.close()
        _replicas.clear()


atexit.register(forget_replicas)  # an open copy makes DuckDB complain about leaks at exit


def open_figures(
    ws: Workspace, actor: Actor, slug: str, *, counted: bool = False
) -> tuple[ProjectView, Replica]:
    """Ask the gate, then return the project and the replica its figures come from.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        counted: Whether its items are counted in the record; a page asks this for each of its parts.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=counted)
    return project, replica_of(ws)


def display_names(ws: Workspace, names: Sequence[str]) -> dict[str, str]:
    """Return names with what others read for them, in the order of the latter."""
    with ws.store.read() as connection:
        rows = connection.execute(
            select(people.c.name, person_revisions.c.display_name)
            .join(person_revisions, person_revisions.c.person_id == people.c.id)
            .where(people.c.name.in_(names))
            .order_by(person_revisions.c.seq)
        )
        found = {r.name: r.display_name or r.name for r in rows}  # later revisions overwrite
    return dict(sorted(found.items(), key=lambda pair: (pair[1].casefold(), pair[0])))


def voters(ws: Workspace, replica: Replica, project: ProjectView) -> dict[str, str]:
    """Return everybody who said something in a project: name to display name."""
    return display_names(ws, people_seen(replica, project.id))


def people_who_voted(ws: Workspace, actor: Actor, slug: str) -> dict[str, str]:
    """Return everybody who said something in a project, by display name: name to display name.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    project, replica = open_figures(ws, actor, slug)
    return voters(ws, replica, project)
