"""Recall: take accepted labels back, and say which items and dataset versions they reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.datasets.lookup import find_items
from core.errors import InputError
from core.labels.state import ItemState
from core.services.certificates.events import event, reason_given, settle, unsettled
from core.services.certificates.views import certificate_row
from core.services.consensus.audit_watch import Scope, revoke_rows, standing_rows
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import acceptances, dataset_versions, final_labels, models, predictions

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ReachedVersion:
    """A dataset version that keeps labels of a scope, and the models trained on it."""

    id: int
    name: str
    items: int
    models: tuple[int, ...]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Recall:
    """Everything that labels of a scope reached.

    Attributes:
        item_ids: Items whose label is, or was, the model's on the certificate's word.
        revoked: How many were taken back by this call.
        versions: Dataset versions that keep such labels, newest first.
    """

    certificate_id: int
    scope: str
    item_ids: tuple[int, ...]
    revoked: int
    versions: tuple[ReachedVersion, ...]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Labels that were taken back at one time, by the audit or by a person, and what they reached.

    Attributes:
        reason: As it stands in the record.
        items: Number and name of each item concerned.
        versions: Dataset versions that keep such labels, newest first.
    """

    certificate_id: int
    reason: str
    at: float
    items: tuple[tuple[int, str], ...]
    versions: tuple[ReachedVersion, ...]


def revoke(
    ws: Workspace, actor: Actor, slug: str, certificate_id: int, scope: str, reason: str
) -> Recall:
    """Take back the labels of a scope and return everything they reached; again finds nothing more.

    Args:
        ws: The workspace.
        actor: Who may promote.
        slug: The project.
        certificate_id: On whose word they stand.
        scope: ``all``, ``class:<name>`` or ``slice:<column>=<value>``.
        reason: Why, in a few words.

    Raises:
        InputError: No reason was given, or the scope is unknown.
        NotFound: There is no such certificate.
        Forbidden: The actor may not promote here.
    """
    said = reason_given(reason)
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        row = certificate_row(connection, project, certificate_id)
        items = _take_back(connection, project, row, scope, said, ws.clock())
        touched = sorted({*items, *unsettled(connection, row.id)})
        append_audit(
            connection, ws.clock(), actor.name, "auto-acceptance revoked",
            f"certificate {row.id}", project.id,
            {"scope": scope, "items": len(items), "reason": said},
        )  # fmt: skip
    settle(ws, project, touched)
    with ws.store.read() as connection:
        return _recall(ws, connection, project, row, scope, len(items))


def affected(
    ws: Workspace, actor: Actor, slug: str, certificate_id: int, scope: str = "all"
) -> Recall:
    """Return everything that labels of a scope reached, without taking any back.

    Raises:
        InputError: The scope is unknown.
        NotFound: There is no such certificate.
        Forbidden: The actor may not promote here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        row = certificate_row(connection, project, certificate_id)
        return _recall(ws, connection, project, row, scope, 0)


def taken_back(ws: Workspace, actor: Actor, slug: str, most: int = 5) -> list[TakenBack]:
    """Return what was taken back, by the audit or by people, the newest first.

    Raises:
        Forbidden: The actor may not promote here.
    """
    found: dict[tuple[float, int, str], list[int]] = {}
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        rows = connection.execute(
            select(acceptances)
            .where(acceptances.c.project_id == project.id, acceptances.c.kind == "revoked")
            .order_by(acceptances.c.seq)
        )
        for row in rows:
            found.setdefault((row.at, row.certificate_id, row.reason), []).append(row.item_id)
        newest = list(found.items())[::-1][:most]
        return [
            TakenBack(
                number, reason, at, tuple(_named(connection, ids)),
                _reached(ws, connection, project, ids),
            )
            for (at, number, reason), ids in newest
        ]  # fmt: skip


def _named(connection: Connection, ids: Sequence[int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for start in range(0, len(ids), _CHUNK):
        names = names_of(connection, ids[start : start + _CHUNK])
        found += [(i, names[i][0]) for i in names]
    return sorted(found)


def _take_back(
    connection: Connection, project: ProjectView, row: Row, scope: str, reason: str, at: float
) -> list[int]:
    kind, _, value = scope.partition(":")
    if scope in ("all", row.scope):
        label = None
    elif kind == "class" and value:
        label = value
    elif kind == "slice" and "=" in value:
        return _take_back_slice(connection, row, value, reason, at)
    else:
        raise InputError(
            f"Unknown scope '{scope[:80]}'; expected 'all', 'class:<name>' or "
            "'slice:<column>=<value>'."
        )
    return revoke_rows(
        connection, project, Scope(row.id, scope, label, row.target, 1.0, 0), reason, at
    )


def _take_back_slice(
    connection: Connection, row: Row, pair: str, reason: str, at: float
) -> list[int]:
    standing = standing_rows(connection, row.id)
    inside = _in_slice(connection, [r.item_id for r in standing], pair)
    rows = [
        event(row, r.item_id, r.prediction_seq, "revoked", reason, at)
        for r in standing
        if r.item_id in inside
    ]
    if rows:
        connection.execute(acceptances.insert(), rows)
    return sorted(inside)


def _in_slice(connection: Connection, ids: Sequence[int], pair: str) -> set[int]:
    column, _, value = pair.partition("=")
    found: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        told = metadata_of(connection, ids[start : start + _CHUNK])
        found |= {i for i, doc in told.items() if doc.get(column) == value}
    return found


def _recall(
    ws: Workspace, connection: Connection, project: ProjectView, row: Row, scope: str, revoked: int
) -> Recall:
    ids = _ever_accepted(connection, row, scope)
    return Recall(row.id, scope, tuple(ids), revoked, _reached(ws, connection, project, ids))


def _ever_accepted(connection: Connection, row: Row, scope: str) -> list[int]:
    """Return the items of a scope that stood, at any time, as accepted on a certificate's word."""
    query = (
        select(acceptances.c.item_id)
        .join(predictions, predictions.c.seq == acceptances.c.prediction_seq)
        .where(acceptances.c.certificate_id == row.id, acceptances.c.kind == "accepted")
        .distinct()
    )
    kind, _, value = scope.partition(":")
    if kind == "class" and scope != row.scope:
        query = query.where(predictions.c.label == value)
    ids = list(connection.execute(query).scalars())
    if kind == "slice" and scope != row.scope:
        ids = list(_in_slice(connection, ids, value))
    return sorted(ids)


def _reached(
    ws: Workspace, connection: Connection, project: ProjectView, ids: Sequence[int]
) -> tuple[ReachedVersion, ...]:
    """Return the dataset versions that keep the model's word on any of the items."""
    if not ids:
        return ()
    by_model = _model_made(connection, ids)
    rows = connection.execute(
        select(dataset_versions)
        .where(dataset_versions.c.project_id == project.id)
        .order_by(dataset_versions.c.id.desc())
    ).all()
    found = []
    for version in rows:
        trained = tuple(
            connection.execute(
                select(models.c.id)
                .where(models.c.dataset_version_id == version.id)
                .order_by(models.c.id)
            ).scalars()
        )
        places = find_items(ws.root / version.folder, ids)
        if places is None:
            found.append(ReachedVersion(version.id, version.name, 0, trained, False))
            continue
        inside = sum(p.final_seq in by_model for p in places)
        if inside:
            found.append(ReachedVersion(version.id, version.name, inside, trained))
    return tuple(found)


def _model_made(connection: Connection, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(final_labels.c.seq).where(
                final_labels.c.item_id.in_(ids[start : start + _CHUNK]),
                final_labels.c.state == ItemState.AUTO_ACCEPTED.value,
            )
        )
        found.update(rows.scalars())
    return found
