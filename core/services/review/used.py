"""What used the labels an item had: dataset versions, and the models trained on them.

A version and a model keep the label they were made with; a ruling that is overturned does not reach them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.datasets.lookup import find_items
from core.errors import NotFound
from core.labels import Answer
from core.services.items.why import said_briefly
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import dataset_versions, final_labels, items, model_events, models


@dataclass(frozen=True, slots=True)
class UsedLabel:
    """A label an item had or has; `until` is None for the one in force."""

    final_seq: int
    decision_seq: int | None
    state: str
    label: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model trained on a version; `promoted` whether it was ever put in force."""

    id: int
    backbone: str
    at: float
    promoted: bool


@dataclass(frozen=True, slots=True)
class UsedVersion:
    """A dataset version that keeps the item, with which label, and the models trained on it.

    Attributes:
        use: train, certify or evaluate.
        in_force: Whether the label it keeps is the one in force.
        readable: Whether its file could be read; else nothing is known of label and use.
    """

    id: int
    name: str
    at: float
    label: str
    use: str
    final_seq: int
    in_force: bool
    models: tuple[UsedModel, ...]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Used:
    """The labels of an item, oldest first, and every dataset version that keeps it."""

    item_id: int
    labels: tuple[UsedLabel, ...]
    versions: tuple[UsedVersion, ...]

    @property
    def outdated(self) -> tuple[UsedVersion, ...]:
        """Return the versions that keep another label than the one in force."""
        return tuple(v for v in self.versions if not v.in_force)


def what_used(ws: Workspace, actor: Actor, slug: str, item_id: int) -> Used:
    """Return the labels an item had, and the dataset versions and models that used each.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see dataset versions.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        known = select(items.c.id).where(items.c.id == item_id, items.c.project_id == project.id)
        if connection.execute(known).first() is None:
            raise NotFound(f"There is no item {item_id} in '{slug}'.")
        labels = _labels(connection, project, item_id)
        newest = labels[-1].final_seq if labels else 0
        versions = _versions(ws, connection, project, item_id, newest)
    return Used(item_id, labels, versions)


def _labels(connection: Connection, project: ProjectView, item_id: int) -> tuple[UsedLabel, ...]:
    rows = connection.execute(
        select(final_labels).where(final_labels.c.item_id == item_id).order_by(final_labels.c.seq)
    ).all()
    ends = [*(r.at for r in rows[1:]), None][: len(rows)]
    schema = project.schema
    return tuple(
        UsedLabel(
            r.seq,
            json.loads(r.evidence).get("decision"),
            r.state,
            said_briefly(schema, schema.translate(Answer.from_json(r.answer))) if r.answer else "",
            r.at,
            end,
        )
        for r, end in zip(rows, ends, strict=True)
    )


def _versions(
    ws: Workspace, connection: Connection, project: ProjectView, item_id: int, newest: int
) -> tuple[UsedVersion, ...]:
    trained = _trained(connection, project)
    rows = connection.execute(
        select(dataset_versions)
        .where(dataset_versions.c.project_id == project.id)
        .order_by(dataset_versions.c.id.desc())
    ).all()
    found = []
    for row in rows:
        places = find_items(ws.root / row.folder, [item_id])
        mine = trained.get(row.id, ())
        if places is None:
            found.append(UsedVersion(row.id, row.name, row.at, "", "", 0, True, mine, False))
        found += [
            UsedVersion(
                row.id, row.name, row.at, p.label or "", p.use, p.final_seq,
                p.final_seq == newest, mine,
            )
            for p in places or ()
        ]  # fmt: skip
    return tuple(found)


def _trained(connection: Connection, project: ProjectView) -> dict[int, tuple[UsedModel, ...]]:
    promoted = set(
        connection.execute(
            select(model_events.c.model_id).where(
                model_events.c.project_id == project.id, model_events.c.what == "promoted"
            )
        ).scalars()
    )
    rows = connection.execute(
        select(models).where(models.c.project_id == project.id).order_by(models.c.id)
    )
    found: dict[int, tuple[UsedModel, ...]] = {}
    for r in rows:
        made = UsedModel(r.id, r.backbone, r.at, r.id in promoted)
        found[r.dataset_version_id] = (*found.get(r.dataset_version_id, ()), made)
    return found


def outdated_by(
    ws: Workspace, connection: Connection, project: ProjectView, ids: Sequence[int]
) -> tuple[tuple[tuple[str, int], ...], tuple[UsedModel, ...]]:
    """Return versions that keep another label than the one in force of some items, and their models.

    Args:
        ws: The workspace.
        connection: The caller's transaction.
        project: The project.
        ids: The items, at most a few hundred.

    Returns:
        Each version's name with how many of the items, newest first; and the models.
    """
    if not ids:
        return (), ()
    newest = dict(
        connection.execute(
            select(final_labels.c.item_id, func.max(final_labels.c.seq))
            .where(final_labels.c.item_id.in_(ids))
            .group_by(final_labels.c.item_id)
        )
        .tuples()
        .all()
    )
    trained = _trained(connection, project)
    versions: list[tuple[str, int]] = []
    made: list[UsedModel] = []
    rows = connection.execute(
        select(dataset_versions)
        .where(dataset_versions.c.project_id == project.id)
        .order_by(dataset_versions.c.id.desc())
    ).all()
    for row in rows:
        places = find_items(ws.root / row.folder, ids) or ()
        old = sum(p.final_seq != newest.get(p.item_id) for p in places)
        if old:
            versions.append((row.name, old))
            made += trained.get(row.id, ())
    return tuple(versions), tuple(made)
