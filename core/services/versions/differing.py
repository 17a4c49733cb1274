"""What changed between two versions and why, by class and by slice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.datasets.diff import Change, Kind, Now, Tally, changes, class_counts, tallied
from core.datasets.freeze import FrozenLabel
from core.errors import InputError
from core.labels import Answer
from core.services.items.why import said_briefly
from core.services.projects.project import ProjectView, project_for
from core.services.versions.pace import Told, silent
from core.services.versions.stored import StoredVersion, stored_version
from core.services.workspace import Workspace
from core.store.tables import final_labels

__all__ = ["ChangeView", "Difference", "Tally", "diff_versions"]

CHUNK = 500


@dataclass(frozen=True, slots=True)
class ChangeView:
    """An item that differs, for people.

    Attributes:
        before, after: What is said of it, in words; None where the version does not have it.
        classes_before, classes_after: The classes said.
    """

    item_id: int
    content_hash: str
    name: str
    kind: str
    cause: str
    before: str | None
    after: str | None
    split_before: str
    split_after: str
    who: tuple[str, ...]
    classes_before: tuple[str, ...] = ()
    classes_after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """How two versions differ.

    Attributes:
        same: Items with the same label and split in both.
        kinds: added, removed, changed and moved to how many.
        causes: Why, to how many.
        column: The metadata column the slices are of; empty where none was asked for.
        columns: Those that could be asked for.
    """

    one: str
    other: str
    n_before: int
    n_after: int
    same: int
    kinds: dict[str, int]
    causes: dict[str, int]
    classes: tuple[Tally, ...]
    column: str
    slices: tuple[Tally, ...]
    columns: tuple[str, ...]
    changes: tuple[ChangeView, ...]


def diff_versions(
    ws: Workspace,
    actor: Actor,
    slug: str,
    one: str,
    other: str,
    by: str = "",
    told: Told = silent,
) -> Difference:
    """Return what was added, removed and changed from one version to another, and why.

    Args:
        by: A metadata column to tell slices by.
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        NotFound: There is no such version.
        StoreCorrupt: One of them was changed on disk.
        InputError: No item has such a column.
        Forbidden: The actor may not see versions here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        told("reading the older version", 0, 3, None)
        old = stored_version(ws, connection, project, one)
        told("reading the newer version", 1, 3, None)
        new = stored_version(ws, connection, project, other)
        stand = _standing(connection, old.rows, new.rows)
    told("comparing", 2, 3, None)
    found = changes(old.rows, new.rows, lambda r: stand.get(r.item_id), project.schema.translate)
    columns = sorted({k for r in (*old.rows, *new.rows) for k in json.loads(r.metadata)})
    if by and by not in columns:
        raise InputError(
            f"No item of these versions has the metadata column '{by[:80]}'.",
            f"Choose one of {', '.join(columns[:20])}." if columns else "Leave it out.",
        )
    kinds = Counter(str(c.kind) for c in found)
    kept = {r.content_hash for r in new.rows}
    both = sum(r.content_hash in kept for r in old.rows)
    return Difference(
        one, other, len(old.rows), len(new.rows),
        both - kinds[Kind.CHANGED] - kinds[Kind.MOVED],
        {str(k): kinds[k] for k in Kind},
        dict(Counter(str(c.cause) for c in found).most_common()),
        tallied(old.rows, new.rows, found, lambda r: class_counts(r).items()),
        by,
        tallied(old.rows, new.rows, found, _slices(by)) if by else (),
        tuple(columns),
        tuple(_view(project, old, new, c) for c in found),
    )  # fmt: skip


def _slices(column: str) -> Callable[[FrozenLabel], list[tuple[str, int]]]:
    def of(row: FrozenLabel) -> list[tuple[str, int]]:
        return [(str(json.loads(row.metadata).get(column) or ""), 1)]

    return of


def _standing(
    connection: Connection, old: Sequence[FrozenLabel], new: Sequence[FrozenLabel]
) -> dict[int, Now]:
    """Return where the items stood that left, when the newer version was frozen."""
    kept = {r.item_id for r in new}
    newest = max((r.final_seq for r in new), default=0)
    gone = [r for r in old if r.item_id not in kept]
    found: dict[int, Now] = {}
    for start in range(0, len(gone), CHUNK):
        chunk = gone[start : start + CHUNK]
        since = {r.item_id: r.final_seq for r in chunk}
        query = (
            select(final_labels)
            .where(final_labels.c.item_id.in_(list(since)))
            .order_by(final_labels.c.seq)
        )
        for row in connection.execute(query):
            first = row.item_id not in found
            if row.seq > since[row.item_id] and (first or row.seq <= newest):
                found[row.item_id] = Now(row.state, row.evidence)
    return found


def _view(
    project: ProjectView, old: StoredVersion, new: StoredVersion, change: Change
) -> ChangeView:
    row = change.row
    return ChangeView(
        row.item_id, row.content_hash, row.name, str(change.kind), str(change.cause),
        _said(old, change.before), _said(new, change.after),
        change.before.split if change.before else "", change.after.split if change.after else "",
        row.who, _classes(change.before), _classes(change.after),
    )  # fmt: skip


def _classes(row: FrozenLabel | None) -> tuple[str, ...]:
    return tuple(sorted(class_counts(row))) if row else ()


def _said(version: StoredVersion, row: FrozenLabel | None) -> str | None:
    return said_briefly(version.schema, Answer.from_json(row.answer)) if row else None
