"""Policy replay: what other policies would make of the votes a project has, beside the one in force.

Nothing is written. All of it comes from one snapshot of the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.consensus.policy import Policy
from core.consensus.replay import NO_LABEL, Fit, replay_all, replay_from_start
from core.consensus.replay_figures import UNKNOWN, Course, changed, figures, moves
from core.consensus.replay_rules import Beliefs
from core.errors import InputError
from core.services.consensus.replay_fits import Beside, fit_of
from core.services.consensus.replay_items import (
    balance_of,
    look_item_by_item,
    main_classes,
)
from core.services.consensus.replay_record import (
    Items,
    Read,
    Told,
    in_arrays,
    read_items,
    read_record,
)
from core.services.consensus.replay_views import Column, Example, Move, Replay
from core.services.consensus.vote_columns import read_word
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.tables import item_names

MOST_OTHERS = 4
EXAMPLES = 20
MOST_MOVES = 30


def replay(
    ws: Workspace,
    actor: Actor,
    slug: str,
    policies: Sequence[Policy],
    told: Told | None = None,
) -> Replay:
    """Return what up to four policies would make of the recorded votes, beside the one in force.

    Gold is a reference, and teaches about people what it teaches a resolve: gold of evaluate items
    nothing.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        policies: The other policies.
        told: Hears how far it is, and may raise to stop it: nothing is ever half done.

    Raises:
        InputError: There are more than four others.
        Forbidden: The actor does not steer this project.
    """
    if len(policies) > MOST_OTHERS:
        raise InputError(
            f"At most {MOST_OTHERS} policies are held beside the one in force, "
            f"found {len(policies)}.",
            "Take some away and compare again.",
        )
    hear = told or _quiet
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        everyone = (project.policy, *policies)
        plain = in_arrays(project)
        make = _in_arrays if plain else _item_by_item
        sheet = make(connection, project, everyone, hear)
        columns = _columns(connection, project, actor, sheet, everyone)
    return Replay(
        columns,
        sheet.classes,
        sheet.items,
        sheet.voted,
        len(sheet.seconds),
        sheet.gold,
        sheet.sampled,
        project.policy_version,
        ws.clock(),
    )


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Hear nothing."""


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Policies over a project's items, whichever way they were settled.

    Attributes:
        courses: One a policy, over the same items.
        places: Where each of these items stands among the project's.
        balance: Labels of each class, by the number of the course.
        name: What a label's number is called.
    """

    courses: tuple[Course, ...]
    found: Items
    places: NDArray[np.intp]
    classes: tuple[str, ...]
    balance: tuple[tuple[int, ...], ...]
    name: Callable[[int], str | None]
    seconds: NDArray[np.float64]
    voted: int
    gold: int
    sampled: bool

    @property
    def items(self) -> int:
        """Return how many items were looked at."""
        return len(self.places)


# --- one question, one answer -----------------------------------------------------------------


def _in_arrays(
    connection: Connection, project: ProjectView, policies: Sequence[Policy], told: Told
) -> _Sheet:
    read = read_record(connection, project, told)
    record, courses = read.record, []
    for number, policy in enumerate(policies):
        told("replaying policies", number, len(policies))
        fit = fit_of(record, policy, _beside(connection, project, policy, read))
        courses.append(_course(read, policy, _heard(fit, told, number, len(policies))))
    told("replaying policies", len(policies), len(policies))
    names = read.classes
    return _Sheet(
        courses=tuple(courses),
        found=read.items,
        places=np.arange(record.tasks),
        classes=names,
        balance=tuple(_balance(c, record.classes) for c in courses),
        name=lambda code: None if code == NO_LABEL else names[code],
        seconds=record.seconds,
        voted=int((record.counts > 0).sum()),
        gold=int((read.gold != NO_LABEL).sum()),
        sampled=False,
    )


def _heard(fit: Fit | None, told: Told, number: int, total: int) -> Fit | None:
    """Return a fit that says so before each run: the moment at which it can be stopped."""
    if fit is None:
        return None
    run = fit

    def heard(rows: NDArray[np.intp]) -> Beliefs:
        told("weighing votes", number, total)
        return run(rows)

    return heard


def _beside(
    connection: Connection, project: ProjectView, policy: Policy, read: Read
) -> Beside | None:
    if not policy.fits_project:
        return None
    word = read_word(connection, project, read.items.ids) if policy.model_votes else None
    teaches = np.where(read.items.evaluate, NO_LABEL, read.gold).astype(np.int32)
    return Beside(teaches, read.shown, word)


def _course(read: Read, policy: Policy, fit: Fit | None) -> Course:
    record = read.record
    now, start = replay_all(record, policy, fit), replay_from_start(record, policy, fit)
    used = np.asarray(record.rank < start.used[record.task])
    return Course(now, start, _right(now.label, read.gold), _right(start.label, read.gold), used)


def _right(label: NDArray[np.int32], gold: NDArray[np.int32]) -> NDArray[np.int8]:
    known = (gold != NO_LABEL) & (label != NO_LABEL)
    return np.where(known, label == gold, UNKNOWN).astype(np.int8)


def _balance(course: Course, classes: int) -> tuple[int, ...]:
    label = course.now.label
    return tuple(np.bincount(label[label != NO_LABEL], minlength=classes).tolist())


# --- everything else --------------------------------------------------------------------------


def _item_by_item(
    connection: Connection, project: ProjectView, policies: Sequence[Policy], told: Told
) -> _Sheet:
    found = read_items(connection, project)
    looked = look_item_by_item(connection, project, found, policies, told)
    counts = [balance_of(looked.answers, c.now.label, project.schema) for c in looked.courses]
    names = _names(project.schema.main.names, counts)

    def name(code: int) -> str | None:
        if code == NO_LABEL:
            return None
        said = main_classes(looked.answers[code], project.schema)
        if project.schema.draws:
            said = tuple(f"{n} × {name}" for name, n in sorted(Counter(said).items()))
        return ", ".join(said) or "–"

    return _Sheet(
        courses=looked.courses,
        found=found,
        places=looked.places,
        classes=names,
        balance=tuple(tuple(c[n] for n in names) for c in counts),
        name=name,
        seconds=looked.seconds,
        voted=looked.voted,
        gold=looked.gold,
        sampled=looked.sampled,
    )


def _names(known: Sequence[str], counts: Sequence[Counter[str]]) -> tuple[str, ...]:
    further = {name for c in counts for name in c} - set(known)
    return (*known, *sorted(further))


# --- columns ----------------------------------------------------------------------------------


def _columns(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    sheet: _Sheet,
    policies: Sequence[Policy],
) -> tuple[Column, ...]:
    here = Resource(project.id)
    judges = can(actor, Action.VOTE, here) or can(actor, Action.ADJUDICATE, here)
    hidden = sheet.found.unsettled[sheet.places] & judges
    force = sheet.courses[0]
    made = []
    for policy, course, balance in zip(policies, sheet.courses, sheet.balance, strict=True):
        rows = np.flatnonzero(changed(force.now, course.now))
        told = moves(force.now, course.now)
        made.append(
            Column(
                policy,
                figures(course, force, sheet.seconds, sheet.voted, balance),
                _moves(told, sheet.name) if not project.schema.draws else (),
                _examples(connection, sheet, force, course, rows[~hidden[rows]]),
                int(hidden[rows].sum()),
            )
        )
    return tuple(made)


def _moves(
    told: Sequence[tuple[int, int, int]], name: Callable[[int], str | None]
) -> tuple[Move, ...]:
    summed: Counter[tuple[str | None, str | None]] = Counter()
    for before, after, n in told:
        summed[name(before), name(after)] += n
    return tuple(Move(*pair, n) for pair, n in summed.most_common(MOST_MOVES))


def _examples(
    connection: Connection,
    sheet: _Sheet,
    force: Course,
    course: Course,
    rows: NDArray[np.intp],
) -> tuple[Example, ...]:
    if not len(rows):
        return ()
    # Spread over the project instead of its oldest items alone.
    spread = rows[np.unique(np.linspace(0, len(rows) - 1, EXAMPLES).astype(int))]
    ids = [int(i) for i in sheet.found.ids[sheet.places[spread]]]
    names = _item_names(connection, ids)
    return tuple(
        Example(
            item,
            names.get(item, f"#{item}"),
            sheet.name(int(force.now.label[row])),
            sheet.name(int(course.now.label[row])),
        )
        for item, row in zip(ids, spread.tolist(), strict=True)
    )


def _item_names(connection: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    query = (
        select(item_names.c.item_id, func.min(item_names.c.name).label("name"))
        .where(item_names.c.item_id.in_(ids))
        .group_by(item_names.c.item_id)
    )
    return {r.item_id: r.name for r in connection.execute(query)}
