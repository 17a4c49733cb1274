"""Tiles of the grid: how what was chosen looks, and the proof of what was shown to whom."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.labels import Answer
from core.services.pictures.crops import crop_path
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log, items

REAL = "real"


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid: an item, or one region of it.

    Attributes:
        index: Of the region within the answer that is shown; 0 for a whole item.
        image: Path of the picture without the app's base; ``&w=`` chooses a width.
        box: x1, y1, x2, y2 in pixels; None for a whole item.
    """

    index: int
    label: str
    confidence: float | None
    image: str
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What gets one vote: an item with its tiles. Nothing in it tells what was planted.

    Attributes:
        image: Path of the whole picture.
        seq: The prediction that is shown.
        token: Proof that this person was shown this on this page.
        also: What the model says of the project's other questions.
        doubt: Lowest first; what the page is sorted by.
    """

    item_id: int
    name: str
    image: str
    width: int
    height: int
    seq: int
    token: str
    revision: int
    tiles: tuple[Tile, ...]
    also: tuple[str, ...]
    doubt: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may come on the page, with what is shown of it.

    Attributes:
        answer: In today's names; of a planted item what is shown, not what is true.
        role: `REAL`, or which tile is known to be wrong.
    """

    item_id: int
    seq: int
    answer: Answer
    confidence: float | None
    doubt: float
    role: str = REAL

    def size(self, draws: bool) -> int:
        """Return how many tiles it makes."""
        return len(self.answer.regions) if draws else 1


def seal(ws: Workspace, *parts: object) -> str:
    """Return a keyed hash of what was shown to whom; a browser can neither make nor read it."""
    text = "\x1f".join(["grid", *map(str, parts)])
    return hmac.new(ws.secret(), text.encode(), hashlib.sha256).hexdigest()[:24]


def needs_others(project: ProjectView) -> bool:
    """Return whether a vote holds answers that a tile does not ask for."""
    schema = project.schema
    return bool(len(schema.item_questions) > (0 if schema.draws else 1) or schema.region_questions)


def units_of(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    person_id: int,
    page: str,
    shown: str,
    chosen: Sequence[Candidate],
) -> list[Unit]:
    """Return what the browser gets, most suspicious first."""
    ids = [c.item_id for c in chosen]
    rows = {
        r.id: r
        for r in connection.execute(
            # By their keys alone: with the project SQLite would walk the whole of it.
            select(items.c.id, items.c.width, items.c.height, items.c.content_hash).where(
                items.c.id.in_(ids)
            )
        )
    }
    names, revisions = names_of(connection, ids), _revisions(connection, person_id, ids)
    return [
        _unit(ws, project, c, rows[c.item_id], names[c.item_id][0],
              token_of(ws, page, person_id, c.item_id, c.seq, shown, c.role), revisions.get(c.item_id, 0))
        for c in sorted(chosen, key=lambda c: (c.doubt, c.item_id))
    ]  # fmt: skip


def token_of(
    ws: Workspace, page: str, person_id: int, item_id: int, seq: int, shown: str, role: str
) -> str:
    """Return the proof that a person was shown an item in a role on a page."""
    return seal(ws, page, person_id, item_id, seq, shown, role)


def _unit(
    ws: Workspace,
    project: ProjectView,
    chosen: Candidate,
    row: Row,
    name: str,
    token: str,
    revision: int,
) -> Unit:
    whole, key = image_path(row.id, row.content_hash), project.schema.main.key
    others = [q for q in project.schema.item_questions if q.key != key]
    return Unit(
        item_id=row.id,
        name=name,
        image=whole,
        width=row.width,
        height=row.height,
        seq=chosen.seq,
        token=token,
        revision=revision,
        tiles=_region_tiles(ws, chosen, row)
        if project.schema.draws
        else (Tile(0, chosen.answer.choices[key], chosen.confidence, whole),),
        also=tuple(_words(chosen.answer.said(q.key)) for q in others),
        doubt=chosen.doubt,
    )


def _region_tiles(ws: Workspace, chosen: Candidate, row: Row) -> tuple[Tile, ...]:
    return tuple(
        Tile(i, r.label, r.confidence, crop_path(ws, row.id, row.content_hash, r.box), r.box)
        for i, r in enumerate(chosen.answer.regions)
    )


def _words(said: str | tuple[str, ...] | None) -> str:
    return ", ".join(said) if isinstance(said, tuple) else said or ""


def _revisions(connection: Connection, person_id: int, ids: Sequence[int]) -> dict[int, int]:
    rows = connection.execute(
        select(annotation_log.c.item_id, func.max(annotation_log.c.revision))
        .where(annotation_log.c.item_id.in_(ids), annotation_log.c.person_id == person_id)
        .group_by(annotation_log.c.item_id)
    )
    return dict(rows.tuples().all())
