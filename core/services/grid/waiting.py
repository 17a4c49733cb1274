"""How many open items, or regions of them, wait in the grid of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Select, func, select

from core.access import Actor
from core.labels import Answer
from core.labels.state import ItemState
from core.services.grid.candidates import LOOKED_AT, later_revision, open_to
from core.services.grid.tiles import seal
from core.services.projects.project import ProjectView
from core.services.visibility.blind import countable
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_state, predictions

COUNTED = 20_000
"""Most items counted one by one, where some of them may not be."""

STEP = 10


def told_waiting(ws: Workspace, project: ProjectView, person_id: int, name: str, n: int) -> int:
    """Return up to how many tiles a person is told to wait of a class: a multiple of ten above n.

    The exact number beside a page's tiles would tell how many of them were planted. Where the
    tens begin is drawn for each person and class, so that a figure seen to fall tells no more.
    """
    if n <= 0:
        return 0
    drawn = 1 + int(seal(ws, "waiting", project.id, person_id, name), 16) % STEP
    return -(-(n + drawn) // STEP) * STEP


def waiting_by_class(
    connection: Connection, project: ProjectView, actor: Actor
) -> Mapping[str, int]:
    """Return for how many open items (of regions: how many regions) each class was predicted.

    What the person may be blind to is not counted: the difference of two counts would tell.
    """
    told = countable(connection, project, actor)
    if project.schema.draws:
        return _waiting_regions(connection, project, actor.person_id, told)
    counts: Counter[str] = Counter()
    main, state = project.schema.main, item_state.c
    if told is not None:
        query = open_to(project, actor.person_id).add_columns(state.predicted)
        query = query.where(state.predicted.is_not(None)).order_by(state.priority).limit(COUNTED)
        for row in connection.execute(query):
            counts[main.today(row.predicted)] += told(row.item_id)
        return +counts
    # Two counts, of all and of one's own: looking at each item costs seconds where there are many.
    of_class = (
        select(state.predicted, func.count())
        .where(
            state.project_id == project.id,
            state.state == ItemState.OPEN.value,
            state.predicted.is_not(None),
        )
        .group_by(state.predicted)
    )
    own = of_class.where(state.item_id.in_(_answered_by(project, actor.person_id)))
    for label, n in connection.execute(of_class).tuples():
        counts[main.today(label)] += n
    for label, n in connection.execute(own).tuples():
        counts[main.today(label)] -= n
    return +counts


def _waiting_regions(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    told: Callable[[int], bool] | None,
) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    query = open_to(project, person_id).add_columns(predictions.c.answer)
    query = query.join(predictions, predictions.c.seq == item_state.c.prediction_seq)
    for row in connection.execute(query.order_by(item_state.c.priority).limit(LOOKED_AT)):
        if told is None or told(row.item_id):
            regions = project.schema.translate(Answer.from_json(row.answer)).regions
            counts.update(r.label for r in regions)
    return counts


def _answered_by(project: ProjectView, person_id: int) -> Select:
    """Select the items on which an answer of a person stands."""
    return select(annotation_log.c.item_id).where(
        annotation_log.c.project_id == project.id,
        annotation_log.c.person_id == person_id,
        annotation_log.c.kind != "withdraw",
        ~later_revision(),
    )
