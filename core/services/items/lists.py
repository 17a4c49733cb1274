"""Hand-picked lists of items: a lead makes them, everybody's queue can be narrowed to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.errors import ConflictError, InputError, NotFound
from core.labels.schema import has_visible
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import item_list_rows, item_lists, items

MOST_NAME = 100
MOST_ITEMS = 50_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ItemList:
    """A hand-picked list and how many items it has."""

    id: int
    name: str
    items: int
    at: float


def make_list(
    ws: Workspace, actor: Actor, slug: str, name: str, item_ids: Sequence[int]
) -> ItemList:
    """Keep a list of items under a name; the order given is kept, what comes twice counts once.

    Raises:
        InputError: There is no name, there are no items, or one is not this project's.
        ConflictError: A list has this name already.
        Forbidden: The actor does not steer this project.
    """
    name, ids = name.strip(), list(dict.fromkeys(item_ids))
    if not has_visible(name) or len(name) > MOST_NAME:
        raise InputError(
            f"A list needs a name of 1 to {MOST_NAME} characters.", "Name it for what it holds."
        )
    if not 1 <= len(ids) <= MOST_ITEMS:
        raise InputError(
            f"A list holds 1 to {MOST_ITEMS:,} items, found {len(ids):,}.", "Choose fewer, or some."
        )
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.STEER, counted=False)
        _check_items(connection, project, ids)
        taken = select(item_lists.c.id).where(
            item_lists.c.project_id == project.id, item_lists.c.name == name
        )
        if connection.execute(taken).first():
            raise ConflictError(f"There is a list '{name}' already.", "Choose another name.")
        now = ws.clock()
        row = {"project_id": project.id, "name": name, "by_id": actor.person_id, "at": now}
        list_id = int(
            connection.execute(item_lists.insert().returning(item_lists.c.id), row).scalar_one()
        )
        connection.execute(
            item_list_rows.insert(),
            [{"list_id": list_id, "item_id": i, "place": n} for n, i in enumerate(ids)],
        )
        append_audit(
            connection, now, actor.name, "list made", name, project.id,
            {"list": list_id, "items": len(ids)},
        )  # fmt: skip
    return ItemList(list_id, name, len(ids), now)


def list_lists(ws: Workspace, actor: Actor, slug: str) -> list[ItemList]:
    """Return a project's lists, the newest first.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_PROJECT, counted=False)
        rows = connection.execute(
            select(item_lists, func.count(item_list_rows.c.seq).label("n"))
            .join(item_list_rows, item_list_rows.c.list_id == item_lists.c.id)
            .where(item_lists.c.project_id == project.id)
            .group_by(*item_lists.c)
            .order_by(item_lists.c.id.desc())
        ).all()
    return [ItemList(r.id, r.name, r.n, r.at) for r in rows]


def one_list(connection: Connection, project: ProjectView, list_id: int) -> ItemList:
    """Return a list of this project within the caller's transaction.

    Raises:
        NotFound: The project has no such list.
    """
    name = list_in(connection, project, list_id)
    at = connection.execute(select(item_lists.c.at).where(item_lists.c.id == list_id)).scalar_one()
    rows = select(func.count()).where(item_list_rows.c.list_id == list_id)
    return ItemList(list_id, name, connection.execute(rows).scalar_one(), float(at))


def list_in(connection: Connection, project: ProjectView, list_id: int) -> str:
    """Return the name of a list of this project within the caller's transaction.

    Raises:
        NotFound: The project has no such list.
    """
    found = connection.execute(
        select(item_lists.c.name).where(
            item_lists.c.id == list_id, item_lists.c.project_id == project.id
        )
    ).scalar()
    if found is None:
        raise NotFound(
            f"There is no list {list_id} in '{project.slug}'.", "Choose one of its lists."
        )
    return str(found)


def _check_items(connection: Connection, project: ProjectView, ids: list[int]) -> None:
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        # The project is compared here: SQLite would read all of it by its index instead of these.
        found = connection.execute(
            select(items.c.id, items.c.project_id).where(items.c.id.in_(chunk))
        )
        known = {r.id for r in found if r.project_id == project.id}
        if strange := [i for i in chunk if i not in known]:
            raise InputError(
                f"There is no item {strange[0]} in '{project.slug}'; no list was made.",
                "Choose items of this project.",
            )
