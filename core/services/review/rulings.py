"""Rulings made before, in pages, and what they can be narrowed by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

from core.access import Action, Actor
from core.errors import InputError
from core.labels import Answer, LabelSchema
from core.services.accounts.people import latest_revisions
from core.services.items.why import said_briefly
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import decisions, item_names, items, people

PAGE = 50
MOST_PAGE = 500
"""As many as can be overturned at once."""


@dataclass(frozen=True, slots=True)
class RulingFilter:
    """Which rulings to list; empty fields leave nothing out.

    Attributes:
        kind: decide, discard, neutral or send-back.
        label: The class decided.
        by: Number of the lead.
        bulk: UUID of a ruling on many.
        text: Part of the reason, or of an item's name.
        in_force: Only those no later one overturned.
    """

    kind: str = ""
    label: str = ""
    by: int = 0
    bulk: str = ""
    text: str = ""
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class PastRuling:
    """A decision as the record keeps it.

    Attributes:
        label: What was decided, in words; empty where no label was.
        bulk: UUID of the ruling on many it was part of, else empty.
        in_force: Whether it is the newest on its item.
    """

    seq: int
    item_id: int
    name: str
    image: str
    kind: str
    label: str
    reason: str
    by_id: int
    by: str
    at: float
    bulk: str
    in_force: bool


@dataclass(frozen=True, slots=True)
class Rulings:
    """One page of the rulings asked for, the newest first, and how many there are."""

    rows: tuple[PastRuling, ...]
    total: int
    start: int


def rulings(
    ws: Workspace,
    actor: Actor,
    slug: str,
    asked: RulingFilter | None = None,
    start: int = 0,
    count: int = PAGE,
) -> Rulings:
    """Return rulings made before, the newest first.

    Raises:
        InputError: The page cannot be.
        Forbidden: The actor does not adjudicate here.
    """
    if start < 0 or not 1 <= count <= MOST_PAGE:
        raise InputError(f"A page begins at 0 or later and has 1 to {MOST_PAGE} rulings.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        query = _asked(project, asked or RulingFilter())
        total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        page = query.order_by(decisions.c.seq.desc()).offset(start).limit(count)
        rows = _past(connection, project, page)
    return Rulings(tuple(rows), total, start)


def _asked(project: ProjectView, asked: RulingFilter) -> Select:
    d = decisions.c
    query = select(d.seq).where(d.project_id == project.id)
    if asked.kind:
        query = query.where(d.kind == asked.kind)
    if asked.label:
        query = query.where(d.label == asked.label)
    if asked.by:
        query = query.where(d.person_id == asked.by)
    if asked.bulk:
        query = query.where(d.uuid.startswith(f"{asked.bulk}:", autoescape=True))
    if asked.text:
        named = select(item_names.c.item_id).where(
            item_names.c.project_id == project.id,
            item_names.c.name.icontains(asked.text, autoescape=True),
        )
        query = query.where(d.reason.icontains(asked.text, autoescape=True) | d.item_id.in_(named))
    if asked.in_force:
        query = query.where(d.seq.in_(_newest(project)))
    return query


def _newest(project: ProjectView) -> Select:
    return (
        select(func.max(decisions.c.seq))
        .where(decisions.c.project_id == project.id)
        .group_by(decisions.c.item_id)
    )


def _past(connection: Connection, project: ProjectView, page: Select) -> list[PastRuling]:
    seqs = list(connection.execute(page).scalars())
    rows = {
        r.seq: r
        for r in connection.execute(
            select(decisions, items.c.content_hash)
            .join(items, items.c.id == decisions.c.item_id)
            .where(decisions.c.seq.in_(seqs))
        )
    }
    ids = sorted({r.item_id for r in rows.values()})
    names, latest = names_of(connection, ids), _latest(connection, ids)
    leads = {r.person_id for r in rows.values()}
    known = connection.execute(latest_revisions().where(people.c.id.in_(leads)))
    called = {r.person_id: r.display_name for r in known}
    return [
        PastRuling(
            seq=seq,
            item_id=r.item_id,
            name=names[r.item_id][0],
            image=image_path(r.item_id, r.content_hash),
            kind=r.kind,
            label=_label(project.schema, r.answer),
            reason=r.reason,
            by_id=r.person_id,
            by=called.get(r.person_id, ""),
            at=r.at,
            bulk=r.uuid.partition(":")[0] if ":" in r.uuid else "",
            in_force=seq in latest,
        )
        for seq, r in ((s, rows[s]) for s in seqs)
    ]


def _latest(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return the numbers of the newest ruling on each item."""
    newest = select(func.max(decisions.c.seq)).where(decisions.c.item_id.in_(ids))
    return set(connection.execute(newest.group_by(decisions.c.item_id)).scalars())


def _label(schema: LabelSchema, answer: str | None) -> str:
    return said_briefly(schema, schema.translate(Answer.from_json(answer))) if answer else ""
