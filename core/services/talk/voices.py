"""Who said something of an item, as others may read it: names, or aliases while names are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.services.consensus.resolve import live_annotations
from core.services.projects.project import ProjectView
from core.services.visibility.blind import UNSETTLED
from core.services.visibility.probes import probes_of
from core.store.tables import annotation_log, item_state, person_revisions


def voices(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    person_ids: Iterable[int] = (),
) -> Mapping[int, str]:
    """Return what to call everybody who answered an item, and these others.

    Until the item is settled those who answered it are "Reviewer 1" and so on, the same as in
    adjudication; only who may see others' votes anyway reads their names.
    """
    answered = _answered(connection, item_id)
    names = display_names(connection, {*answered, *person_ids})
    state = connection.execute(
        select(item_state.c.state).where(item_state.c.item_id == item_id)
    ).scalar_one()
    alone = bool(probes_of(connection, project, actor, [item_id]))
    if (state in UNSETTLED or alone) and not can(
        actor, Action.SEE_OTHERS_VOTES, Resource(project.id)
    ):
        names |= {p: f"Reviewer {n}" for n, p in enumerate(answered, 1)}
    return names


def display_names(connection: Connection, person_ids: Iterable[int]) -> dict[int, str]:
    """Return the name others read of each person."""
    newest = (
        select(func.max(person_revisions.c.seq))
        .where(person_revisions.c.person_id.in_(list(person_ids)))
        .group_by(person_revisions.c.person_id)
    )
    rows = connection.execute(
        select(person_revisions.c.person_id, person_revisions.c.display_name).where(
            person_revisions.c.seq.in_(newest)
        )
    )
    return dict(rows.tuples().all())


def _answered(connection: Connection, item_id: int) -> list[int]:
    """Return who answered an item; the order gives the aliases."""
    live = [r.person_id for r in live_annotations(connection, [item_id])]
    ever = connection.execute(
        select(annotation_log.c.person_id)
        .where(annotation_log.c.item_id == item_id)
        .order_by(annotation_log.c.seq)
    ).scalars()
    return list(dict.fromkeys([*live, *ever]))
