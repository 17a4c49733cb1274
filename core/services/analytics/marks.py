"""The items behind a mark of a chart, for a page that lists them below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Row

from core.access import Action, Actor, Resource, require
from core.analytics import marks
from core.analytics.asked import ALL, Filters
from core.analytics.boxes import box_cases, box_confusion
from core.analytics.marks import WORDS, Firsts, Marked, MarkedRows, Statement, Work
from core.analytics.replica import Replica
from core.labels.state import ItemState
from core.services.analytics.behind import is_withheld, names_by_number, rows_of
from core.services.analytics.gold import answers_to_gold
from core.services.analytics.replicas import open_figures
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import names_of
from core.services.workspace import Workspace

__all__ = [
    "WORDS",
    "Firsts",
    "MarkedItem",
    "MarkedItems",
    "Statement",
    "Work",
    "differing_behind",
    "firsts_behind",
    "gold_behind",
    "standing_behind",
    "statements_behind",
    "work_behind",
]

MOST_CELLS = 12
"""Cells of the confusion of regions that are looked into, the most frequent ones."""

Ask = Callable[[Replica, ProjectView], MarkedRows]


@dataclass(frozen=True, slots=True)
class MarkedItem:
    """An item behind a mark.

    Attributes:
        image: Path of the picture, below the base.
        who: Display name of whoever said it; empty for a model, or where only the item is meant.
        said, truth: Classes, where the mark is about them; else empty.
        seconds: Active time, where the mark is about that.
        confidence: The model's.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    who: str
    said: str
    truth: str
    seconds: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class MarkedItems:
    """The items behind a mark.

    Attributes:
        total: How many statements, or items, the mark has; `items` are the first of them.
        withheld: Of those looked at, not listed because the mark tells an answer and the actor could
            still vote on the item, or decide it. Where the mark tells none, such items are listed
            without what was said and by whom.
    """

    items: tuple[MarkedItem, ...]
    total: int
    withheld: int


def work_behind(
    ws: Workspace,
    actor: Actor,
    slug: str,
    work: Work,
    filters: Filters | None = None,
    tz: str = "UTC",
) -> MarkedItems:
    """Return the work behind a mark, slowest first.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    return _behind(
        ws,
        actor,
        slug,
        lambda r, p: marks.marked_work(r, p.id, work, filters or ALL, tz),
        tells=bool(work.said or work.agreement),
    )


def statements_behind(
    ws: Workspace, actor: Actor, slug: str, asked: Statement, filters: Filters | None = None
) -> MarkedItems:
    """Return the statements behind a mark, wrong ones first.

    Where regions are drawn: the items with a region of the class that is missed, mistaken, or in no truth.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    return _behind(
        ws, actor, slug, lambda r, p: _statements(r, p, asked, filters or ALL), tells=True
    )


def _statements(
    replica: Replica, project: ProjectView, asked: Statement, filters: Filters
) -> MarkedRows:
    if not project.task.draws:
        return marks.marked_statements(replica, project.id, asked, filters)
    how = (replica, project.id, asked.whose, asked.against)
    name, iou = asked.either or asked.truth or asked.said, project.policy.iou_at_least
    cells = [
        c
        for c in box_confusion(*how, filters, iou).cells
        if c.truth != c.said
        and (
            name in (c.truth, c.said)
            if asked.either
            else (c.truth == asked.truth or not asked.truth)
            and (c.said == asked.said or not asked.said)
        )
    ]
    found = [
        Marked(item, who, c.said or "", c.truth or "", None, None)
        for c in sorted(cells, key=lambda c: -c.n)[:MOST_CELLS]
        for item, who in box_cases(*how, c.truth, c.said, filters, iou)
    ]
    return MarkedRows(tuple(found[: marks.MOST_MARKED]), len(found))


def differing_behind(
    ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None, one: int | None = None
) -> MarkedItems:
    """Return items whose votes differ; the filter's times are those of an item's newest vote.

    Of `one` person, by number, those the person voted on.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        LimitExceeded: It took too long.
    """
    chosen = filters or ALL
    return _behind(
        ws, actor, slug, lambda r, p: marks.marked_differing(r, p.id, chosen, one, p.task.draws),
        tells=bool(chosen.called or chosen.people or one),
    )  # fmt: skip


def standing_behind(
    ws: Workspace,
    actor: Actor,
    slug: str,
    moment: float,
    states: Sequence[ItemState] = (ItemState.OPEN, ItemState.DISPUTE),
) -> MarkedItems:
    """Return items that stood in one of some states at a moment, by default those that waited.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    names = [s.value for s in states]
    return _behind(
        ws, actor, slug, lambda r, p: marks.marked_waiting(r, p.id, moment, names), tells=False
    )


def firsts_behind(
    ws: Workspace, actor: Actor, slug: str, what: Firsts, filters: Filters | None = None
) -> MarkedItems:
    """Return pre-labels that were changed, or first votes that were done again or overturned.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        LimitExceeded: It took too long.
    """
    return _behind(
        ws, actor, slug, lambda r, p: marks.marked_firsts(r, p.id, what, filters or ALL), tells=True
    )


def gold_behind(
    ws: Workspace, actor: Actor, slug: str, person_id: int, truth: str = ""
) -> MarkedItems:
    """Return a person's answers to gold, of one true class or of all, wrong ones first.

    Raises:
        Forbidden: The actor may not see figures here, or not which items are gold.
        NotFound: There is no such project for the actor.
    """

    def ask(_replica: Replica, project: ProjectView) -> MarkedRows:
        require(actor, Action.SEE_GOLD, Resource(project.id))
        found = answers_to_gold(ws, project, person_id, truth)
        return MarkedRows(found[: marks.MOST_MARKED], len(found))

    return _behind(ws, actor, slug, ask, tells=True)


def _behind(ws: Workspace, actor: Actor, slug: str, ask: Ask, *, tells: bool) -> MarkedItems:
    project, replica = open_figures(ws, actor, slug)
    found = ask(replica, project)
    rows = rows_of(ws, list(dict.fromkeys(m.item_id for m in found.rows)))
    shown, withheld = [], 0
    for m in found.rows:
        if not is_withheld(actor, project, rows[m.item_id].state):
            shown.append(m)
        elif tells:
            withheld += 1
        else:
            shown.append(replace(m, person_id=None, said="", truth="", confidence=None))
    return MarkedItems(_views(ws, shown, rows), found.total, withheld)


def _views(
    ws: Workspace, found: Sequence[Marked], rows: Mapping[int, Row]
) -> tuple[MarkedItem, ...]:
    with ws.store.read() as connection:
        names = names_of(connection, list(dict.fromkeys(m.item_id for m in found)))
    who = names_by_number(ws, sorted({m.person_id for m in found if m.person_id is not None}))
    return tuple(
        MarkedItem(
            m.item_id, names[m.item_id][0], image_path(m.item_id, rows[m.item_id].content_hash),
            ItemState(rows[m.item_id].state),
            who[m.person_id][1] if m.person_id is not None else "",
            m.said, m.truth, m.seconds, m.confidence,
        )
        for m in found
    )  # fmt: skip
