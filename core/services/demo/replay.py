"""Replaying simulated acts through the services, each at its own time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import select

from core.access import Actor
from core.errors import ConflictError, TiebreakError
from core.services.accounts.people import load_actor
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import item_names, item_state, people, projects
from data.work import SimulatedAct


def replay(
    ws: Workspace, slug: str, acts: Sequence[SimulatedAct], progress: Callable[[int, int], None]
) -> None:
    """Let the simulated people act through the services, each act at its own time."""
    items, shown = _items_by_name(ws, slug)
    actors = simulated_actors(ws)
    votes: dict[int, int] = {}
    for done, act in enumerate(acts, 1):
        item_id = items[act.file]
        key = str(uuid.uuid5(_ACTS, f"{slug}/{done}/{act.person}/{act.file}/{act.at}"))
        now = at_time(ws, act.at)
        try:
            if act.kind in ("vote", "skip", "flag"):
                _submit(now, actors[act.person], slug, key, item_id, act, shown.get(item_id))
                votes[item_id] = votes.get(item_id, 0) + (act.kind == "vote")
            else:
                ruling = Ruling(
                    key, item_id, act.kind, act.answer, act.reason, votes.get(item_id, 0)
                )
                decide(now, actors[act.person], slug, ruling)
        except TiebreakError as error:
            raise ConflictError(
                f"Simulated act {done} ({act.kind} by {act.person} on {act.file}) was refused: "
                f"{error.message}"
            ) from error
        progress(done, len(acts))


_ACTS = uuid.UUID("0b0f8a52-93c1-4d9e-8b0a-1d2f6f7b6a10")


def _submit(
    now: Workspace,
    actor: Actor,
    slug: str,
    key: str,
    item_id: int,
    act: SimulatedAct,
    prelabel_seq: int | None,
) -> None:
    submit(
        now,
        actor,
        slug,
        Submission(
            uuid=key,
            item_id=item_id,
            kind=act.kind,
            answer=act.answer,
            reason=act.reason,
            prelabel_seq=prelabel_seq,
            prelabel_shown=act.prelabel_shown,
            active_seconds=act.active_seconds,
            started_at=act.at - act.active_seconds,
        ),
    )


def _items_by_name(ws: Workspace, slug: str) -> tuple[dict[str, int], dict[int, int]]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_names.c.name, item_names.c.item_id, item_state.c.prediction_seq)
            .join(item_state, item_state.c.item_id == item_names.c.item_id)
            .join(projects, projects.c.id == item_state.c.project_id)
            .where(projects.c.slug == slug)
        ).all()
    shown = {r.item_id: r.prediction_seq for r in rows if r.prediction_seq is not None}
    return {r.name: r.item_id for r in rows}, shown


def simulated_actors(ws: Workspace) -> dict[str, Actor]:
    """Return the simulated people as actors, by name."""
    with ws.store.read() as connection:
        rows = connection.execute(
            select(people.c.id, people.c.name).where(people.c.simulated)
        ).all()
        return {r.name: load_actor(connection, r.id) for r in rows}


def at_time(ws: Workspace, seconds: float) -> Workspace:
    """Return the same workspace at another time."""
    return replace(ws, clock=lambda: seconds)
