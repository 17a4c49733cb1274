"""The items behind a slice, and the bounty: which of them to label for a surer figure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import select

from core.access import Action, Actor
from core.analytics.cells import Ints
from core.analytics.columns import SliceColumn
from core.analytics.slice_facts import CLASS, Metric
from core.errors import ConflictError, InputError, one_of
from core.labels.state import ItemState
from core.queue.plan import MOST_BOOST, MOST_BOOSTS, Boost, BoostKind
from core.services.analytics.behind import is_withheld, rows_of
from core.services.bias.slice_ask import Condition, SliceAsk
from core.services.bias.slice_prepare import Prepared, figure_of, prepare
from core.services.items.lists import MOST_NAME, make_list
from core.services.pictures.images import image_path
from core.services.projects.project import project_for
from core.services.projects.queue_plans import get_queue_plan, set_queue_plan
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.stats.intervals import Estimate
from core.stats.sample_size import half_width, more_needed
from core.store.tables import item_state

MOST_ITEMS = 60
SHARES = frozenset({Metric.ACCURACY, Metric.RECALL, Metric.AGREEMENT, Metric.CERTIFICATE})
"""Figures whose interval more labels make narrower in a way that can be counted beforehand."""


@dataclass(frozen=True, slots=True)
class SliceItem:
    """An item behind a slice.

    Attributes:
        image: Path of the picture, below the base.
        wrong: How many of its statements were wrong (time: how many seconds it took at most).
        n: How many statements there are.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    wrong: float
    n: float


@dataclass(frozen=True, slots=True)
class SliceItems:
    """Items behind a slice, the worst first.

    Attributes:
        figure: The slice's own figure with a plain interval.
        total: Items the slice has statements on.
        withheld: Items not listed because the actor could still vote on, or decide, them.
    """

    items: tuple[SliceItem, ...]
    figure: Estimate
    total: int
    withheld: int


@dataclass(frozen=True, slots=True)
class Bounty:
    """What it takes to bring a slice's interval under a width.

    Attributes:
        half: Half the interval's width now, as a share; None where there is no figure yet.
        target: Half the width wanted.
        needed: Items to be labelled; 0 where it is narrow enough.
        waiting: Open items of the slice.
        reached: Half the width once `needed`, or all that wait if they are fewer, are labelled.
    """

    half: float | None
    target: float
    needed: int
    waiting: int
    reached: float

    @property
    def offered(self) -> int:
        """Return how many items a queue would hold."""
        return min(self.needed, self.waiting)


@dataclass(frozen=True, slots=True)
class BountyQueue:
    """The queue that was made: a list at the head of the plan in force."""

    list_id: int
    name: str
    items: int
    plan_version: int


def slice_items(
    ws: Workspace, actor: Actor, slug: str, asked: SliceAsk, conditions: Sequence[Condition]
) -> SliceItems:
    """Return the items behind a slice, the worst first.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The slice, or something of the question, is unknown.
        LimitExceeded: It took too long.
    """
    ready = prepare(ws, actor, slug, asked)
    inside = _statements(ready, conditions)
    ids, place = np.unique(ready.said.item[inside], return_inverse=True)
    wrong, n = _worst(ready, inside, place, len(ids))
    order = np.lexsort((ids, -wrong))
    chosen = [int(i) for i in order if wrong[i] > 0][: 4 * MOST_ITEMS]
    rows = rows_of(ws, ids[chosen].tolist())
    free = [i for i in chosen if not is_withheld(actor, ready.project, rows[int(ids[i])].state)]
    shown = free[:MOST_ITEMS]
    with ws.store.read() as connection:
        names = names_of(connection, ids[shown].tolist())
    found = tuple(
        SliceItem(
            row.id, names[row.id][0], image_path(row.id, row.content_hash), ItemState(row.state),
            float(wrong[i]), float(n[i]),
        )
        for i in shown
        if (row := rows[int(ids[i])])
    )  # fmt: skip
    return SliceItems(
        found, figure_of(ready.said, inside, ready.asked.fewest), len(ids), len(chosen) - len(free)
    )


def _statements(ready: Prepared, conditions: Sequence[Condition]) -> Any:
    """Return which statements are inside a slice.

    Raises:
        InputError: There is no such column or value.
    """
    inside = np.ones(len(ready.said.item), dtype=np.bool_)
    for column, codes in _found(ready, conditions):
        inside &= ready.codes[column] == codes
    return inside


def _found(ready: Prepared, conditions: Sequence[Condition]) -> list[tuple[int, int]]:
    names = {c.name: i for i, c in enumerate(ready.columns)}
    found = []
    for name, value in conditions:
        column = names.get(name)
        codes = [] if column is None else _codes(ready.columns[column], value)
        if column is None or not codes:
            said = "not known" if value is None else repr(value[:80])
            raise InputError(
                f"There is no slice where '{name[:80]}' is {said}: what was measured or said since "
                "may have moved it.",
                one_of(names if column is None else _values(ready.columns[column])),
            )
        found.append((column, codes[0]))
    if not found:
        raise InputError("A slice needs a column and a value.", one_of(names))
    return found


def _values(column: SliceColumn) -> list[str]:
    return ["not known" if v.name is None else v.name for v in column.values]


def _codes(column: SliceColumn, value: str | None) -> list[int]:
    return [i for i, v in enumerate(column.values) if v.name == value]


def _worst(ready: Prepared, inside: Any, place: Ints, size: int) -> tuple[Any, Any]:
    """Return how much is wrong on each item, and of how much."""
    facts = ready.said.facts
    weight, total = facts.weight[inside], facts.total[inside]
    n = np.bincount(place, weights=weight, minlength=size)
    if ready.said.seconds is not None:
        longest = np.zeros(size)
        np.maximum.at(longest, place, ready.said.seconds[inside])
        return longest, n
    bad = total if facts.lower_is_better else weight - total
    return np.bincount(place, weights=bad, minlength=size), n


# --- the bounty -------------------------------------------------------------------------------


def slice_bounty(
    ws: Workspace,
    actor: Actor,
    slug: str,
    asked: SliceAsk,
    conditions: Sequence[Condition],
    points: float,
) -> Bounty:
    """Return how many more items of a slice to label to bring its interval under so many points.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        asked: What was asked.
        conditions: What members of the slice have in common; of items, not of single statements.
        points: Half the interval's width wanted, in percentage points.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: The slice cannot be filled by labelling, or something of the question is unknown.
        LimitExceeded: It took too long.
    """
    return _bounty(ws, prepare(ws, actor, slug, asked), conditions, points)[0]


def make_bounty(
    ws: Workspace,
    actor: Actor,
    slug: str,
    asked: SliceAsk,
    conditions: Sequence[Condition],
    points: float,
) -> BountyQueue:
    """Put the items of a bounty, drawn at random, at the head of everybody's queue.

    Raises:
        Forbidden: The actor may not see figures here, or does not steer this project.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: Nothing is needed or nothing waits, or the slice cannot be filled by labelling.
        LimitExceeded: It took too long.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.STEER, counted=False)
    ready = prepare(ws, actor, slug, asked)
    bounty, waiting = _bounty(ws, ready, conditions, points)
    if not bounty.offered:
        raise InputError(
            "Nothing was queued: the interval is narrow enough, or no open item is in this slice.",
            "Ask for fewer points, or import more such images.",
        )
    # By chance, so that what is labelled stands for the slice and not for its easy end.
    drawn = random.Random(f"{slug}/{conditions}/{len(waiting)}").sample(waiting, bounty.offered)
    reason = f"Slice bounty: {len(drawn)} more of {_in_words(conditions)}"
    return queue_first(ws, actor, slug, bounty_name(conditions), drawn, reason)


def bounty_name(conditions: Sequence[Condition]) -> str:
    """Return what the list of a slice's bounty is called, in whatever order its conditions come."""
    return f"Bounty: {_in_words(conditions)}"


def _in_words(conditions: Sequence[Condition]) -> str:
    told = sorted(f"{c} {'not known' if v is None else v}" for c, v in conditions)
    return " and ".join(told)


def queue_first(
    ws: Workspace, actor: Actor, slug: str, name: str, ids: Sequence[int], reason: str
) -> BountyQueue:
    """Put these items at the head of everybody's queue, as a list of that name.

    Raises:
        Forbidden: The actor does not steer this project.
        NotFound: There is no such project for the actor, or no such item in it.
        InputError: The plan has as many boosts as it takes; nothing was queued.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.STEER, counted=False)
    before = get_queue_plan(ws, actor, slug)
    if len(before.plan.boosts) >= MOST_BOOSTS:
        raise InputError(
            f"The queue plan has {MOST_BOOSTS} boosts already; nothing was queued.",
            "Remove one in the settings.",
        )
    made = _named_list(ws, actor, slug, name, ids)
    plan = replace(
        before.plan,
        boosts=(*before.plan.boosts, Boost(BoostKind.LIST.value, "", str(made[0]), MOST_BOOST)),
    )
    after = set_queue_plan(ws, actor, slug, plan, reason[:200])
    return BountyQueue(made[0], made[1], len(ids), after.version)


def _bounty(
    ws: Workspace, ready: Prepared, conditions: Sequence[Condition], points: float
) -> tuple[Bounty, list[int]]:
    if Metric(ready.asked.metric) not in SHARES:
        raise InputError(
            "A bounty narrows a share, not a time or a rate of work.",
            one_of(sorted(m.value for m in SHARES)),
        )
    if not (math.isfinite(points) and 0 < points < 50):
        raise InputError(f"Points lie between 0 and 50, found {points:g}.", "3 or 5 is usual.")
    inside = _statements(ready, conditions)
    waiting = _waiting(ws, ready, conditions)
    facts = ready.said.facts
    n, total = float(facts.weight[inside].sum()), float(facts.total[inside].sum())
    labelled = len(np.unique(ready.said.item[inside]))
    each = n / labelled if labelled else 1.0
    target = points / 100
    # Another image of the slice could come in any day, so no count of those here makes it surer.
    items = math.ceil(more_needed(total, n, target) / each)
    seen = n + each * min(items, len(waiting))
    reached = half_width((total / n if n else 0.5) * seen, seen)
    half = half_width(total, n) if n else None
    return Bounty(half, target, items, len(waiting), reached), waiting


def _waiting(ws: Workspace, ready: Prepared, conditions: Sequence[Condition]) -> list[int]:
    """Return the open items of a slice that no statement counted here is on, ascending.

    Raises:
        InputError: The slice is one of people, time or the like.
    """
    member = np.ones(len(ready.items), dtype=np.bool_)
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.state, item_state.c.predicted).where(
                item_state.c.project_id == ready.project.id
            )
        ).all()
    predicted: Mapping[int, str | None] = {r.item_id: r.predicted for r in rows}
    for column, code in _found(ready, conditions):
        found = ready.columns[column]
        if found.of_items:
            member &= found.codes == code
        elif found.name == CLASS:
            wanted = found.values[code].name
            member &= np.array([predicted.get(i) == wanted for i in ready.items.tolist()])
        else:
            raise InputError(
                f"Labelling cannot fill a slice by {found.name}: it belongs to the statement, not to "
                "the image.",
                "Choose a slice of images.",
            )
    open_ = {r.item_id for r in rows if r.state == ItemState.OPEN.value}
    counted = set(np.unique(ready.said.item).tolist())
    return [i for i in ready.items[member].tolist() if i in open_ and i not in counted]


def _named_list(
    ws: Workspace, actor: Actor, slug: str, name: str, ids: Sequence[int]
) -> tuple[int, str]:
    """Keep a list under a name nothing has yet, and return its number and name."""
    for number in range(1, 100):
        ending = f" ({number})" if number > 1 else ""
        called = name[: MOST_NAME - len(ending)] + ending
        try:
            made = make_list(ws, actor, slug, called, ids)
        except ConflictError:
            continue
        return made.id, made.name
    raise ConflictError(f"There are many lists called '{name[:60]}' already.", "Name one yourself.")
