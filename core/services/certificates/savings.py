"""What the help of the model saved, measured: against items that people labelled from scratch.

A share of the items, drawn by a hash when the campaign was opened, is answered without a pre-label and
never accepted. What such an item costs is what every item would have cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from core.access import Actor
from core.analytics.kept import once
from core.analytics.progress import progress
from core.analytics.replica import Replica
from core.analytics.saved import time_on_settled, votes_on_known
from core.labels import Answer
from core.labels.state import LABELLED, ItemState
from core.services.analytics.replicas import open_figures
from core.services.certificates.evidence import in_arm
from core.services.consensus.draws import Arm
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.bootstrap import clustered_mean
from core.stats.intervals import UNDEFINED, Estimate
from core.stats.proportions import compare_proportions
from core.store.tables import annotation_log, final_labels, gold_answers, item_state

CLAIM = 0.70
ENOUGH = 30
_SETTLED = tuple(
    sorted(
        s.value for s in {*LABELLED, ItemState.NEUTRAL, ItemState.DISCARDED} - {ItemState.IMPORTED}
    )
)
"""How items stand that people's votes or the model settled; imported labels cost nobody here."""


@dataclass(frozen=True, slots=True)
class Savings:
    """What was saved, with its interval, beside what is claimed.

    Attributes:
        saving: Share of people's time saved; None where there is too little to tell.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Items labelled from scratch and timed.
        seconds_from_scratch: Mean active seconds of people for each of them.
        seconds_with_help: Mean active seconds of people for each settled item.
        settled: Items settled so far, by people or the model.
        claim: What is claimed at most.
        accuracy: With help less from scratch, against gold and rulings, with its interval.
        sentence: What a person reads.
    """

    saving: float | None
    low: float | None
    high: float | None
    n: int
    seconds_from_scratch: float | None
    seconds_with_help: float | None
    settled: int
    claim: float
    accuracy: Estimate
    sentence: str


def measured_savings(ws: Workspace, actor: Actor, slug: str, seed: int = 0) -> Savings:
    """Return what was saved so far.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    with ws.store.read() as connection:
        arm = frozenset(in_arm(connection, project.id, Arm.SCRATCH))
        if not arm:
            states = progress(replica, project.id).states
            return _too_few(0, sum(states.get(s, 0) for s in _SETTLED), UNDEFINED)
        return once(
            replica, project.id, ("savings", arm, project.schema_version, seed),
            lambda: _measured(connection, replica, project, arm, seed),
        )  # fmt: skip


def _measured(
    connection: Connection, replica: Replica, project: ProjectView, arm: frozenset[int], seed: int
) -> Savings:
    accuracy = _accuracy(connection, replica, project, arm)
    settled = time_on_settled(replica, project.id, _SETTLED)
    scratch = np.isin(settled.items, np.array(sorted(arm), dtype=np.int64))
    timed = np.flatnonzero(scratch & (settled.seconds > 0))
    n = len(settled.items)
    if len(timed) < ENOUGH:
        return _too_few(len(timed), n, accuracy)
    mean = clustered_mean(settled.items[timed], settled.seconds[timed], seed=seed)
    helped = float(settled.seconds.sum()) / n
    saving, low, high = (_saved(helped, s) for s in (mean.value, mean.low, mean.high))
    return Savings(
        saving, low, high, len(timed), mean.value, helped, n, CLAIM, accuracy,
        _sentence(saving, low, high, len(timed)),
    )  # fmt: skip


def _too_few(timed: int, settled: int, accuracy: Estimate) -> Savings:
    return Savings(
        None, None, None, timed, None, None, settled, CLAIM, accuracy,
        f"Not enough data: {timed} items were labelled from scratch and timed; {ENOUGH} are needed.",
    )  # fmt: skip


def _saved(helped: float, scratch: float | None) -> float | None:
    return None if not scratch else 1 - helped / scratch


def _sentence(saving: float | None, low: float | None, high: float | None, n: int) -> str:
    said = f"Measured saving {100 * (saving or 0):.0f} %"
    if low is not None and high is not None:
        said += f" (95 % interval {100 * low:.0f} % to {100 * high:.0f} %)"
    return f"{said}, from {n} items labelled from scratch. Claim: up to {100 * CLAIM:.0f} %."


def _accuracy(
    connection: Connection, replica: Replica, project: ProjectView, arm: frozenset[int]
) -> Estimate:
    """Return how much more often labels are right with help than from scratch."""
    if not project.task.draws and project.schema.questions == (project.schema.main,):
        right, n = _counted(replica, project, arm)
    else:
        right, n = _read(connection, project, arm)
    return compare_proportions(right[False], n[False], right[True], n[True]).difference


Counts = tuple[dict[bool, int], dict[bool, int]]
"""Right votes and all votes, by whether they were given from scratch."""


def _counted(replica: Replica, project: ProjectView, arm: frozenset[int]) -> Counts:
    """Count votes where the label is all there is to an answer."""
    found = votes_on_known(replica, project.id)
    scratch = np.isin(found.items, np.array(sorted(arm), dtype=np.int64))
    of = {True: scratch, False: ~scratch & found.shown}
    sums = [{k: int(c[m].sum()) for k, m in of.items()} for c in (found.correct, found.n)]
    return sums[0], sums[1]


def _read(connection: Connection, project: ProjectView, arm: frozenset[int]) -> Counts:
    """Count votes by their whole answers, regions and further questions included."""
    known = _known(connection, project)
    newest = (
        select(func.max(annotation_log.c.seq))
        .where(annotation_log.c.project_id == project.id)
        .group_by(annotation_log.c.item_id, annotation_log.c.person_id)
    )
    rows = connection.execute(
        select(annotation_log.c.item_id, annotation_log.c.answer, annotation_log.c.prelabel_shown)
        .where(annotation_log.c.seq.in_(newest), annotation_log.c.kind == "vote")
    )  # fmt: skip
    right, n = {True: 0, False: 0}, {True: 0, False: 0}
    for row in rows:
        scratch = row.item_id in arm
        if row.item_id not in known or not (scratch or row.prelabel_shown):
            continue
        said = project.schema.translate(Answer.from_json(row.answer))
        n[scratch] += 1
        right[scratch] += said == known[row.item_id]
    return right, n


def _known(connection: Connection, project: ProjectView) -> dict[int, Answer]:
    """Return the answers that are known: gold, else a lead's ruling."""
    translate = project.schema.translate
    ruled = connection.execute(
        select(item_state.c.item_id, final_labels.c.answer)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state == ItemState.ADJUDICATED.value,
            final_labels.c.answer.is_not(None),
        )
    )
    known = {r.item_id: translate(Answer.from_json(r.answer)) for r in ruled}
    gold = connection.execute(
        select(gold_answers.c.item_id, gold_answers.c.answer)
        .where(gold_answers.c.project_id == project.id)
        .order_by(gold_answers.c.seq)
    )
    for row in gold:
        if row.answer is not None:
            known[row.item_id] = translate(Answer.from_json(row.answer))
    return known
