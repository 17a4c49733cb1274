"""What the help of the model saved, measured: against items that people labelled from scratch.

A share of the items, drawn by a hash when the campaign was opened, is answered without a pre-label and
never accepted. What such an item costs is what every item would have cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.labels import Answer
from core.labels.state import LABELLED, ItemState
from core.services.certificates.evidence import in_arm
from core.services.consensus.draws import Arm
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.bootstrap import clustered_mean
from core.stats.intervals import Estimate
from core.stats.proportions import compare_proportions
from core.store.tables import annotation_log, final_labels, gold_answers, item_state

CLAIM = 0.70
ENOUGH = 30


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
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        arm = frozenset(in_arm(connection, project.id, Arm.SCRATCH))
        spent = _seconds(connection, project.id)
        settled = _settled(connection, project.id)
        accuracy = _accuracy(connection, project, arm)
    timed = sorted(i for i in arm & settled if spent.get(i, 0.0) > 0)
    if len(timed) < ENOUGH or not settled:
        return Savings(
            None, None, None, len(timed), None, None, len(settled), CLAIM, accuracy,
            f"Not enough data: {len(timed)} items were labelled from scratch and timed; {ENOUGH} "
            "are needed.",
        )  # fmt: skip
    mean = clustered_mean(np.array(timed), np.array([spent[i] for i in timed]), seed=seed)
    helped = sum(spent.get(i, 0.0) for i in settled) / len(settled)
    saving, low, high = (_saved(helped, s) for s in (mean.value, mean.low, mean.high))
    return Savings(
        saving, low, high, len(timed), mean.value, helped, len(settled), CLAIM, accuracy,
        _sentence(saving, low, high, len(timed)),
    )  # fmt: skip


def _saved(helped: float, scratch: float | None) -> float | None:
    return None if not scratch else 1 - helped / scratch


def _sentence(saving: float | None, low: float | None, high: float | None, n: int) -> str:
    said = f"Measured saving {100 * (saving or 0):.0f} %"
    if low is not None and high is not None:
        said += f" (95 % interval {100 * low:.0f} % to {100 * high:.0f} %)"
    return f"{said}, from {n} items labelled from scratch. Claim: up to {100 * CLAIM:.0f} %."


def _seconds(connection: Connection, project_id: int) -> dict[int, float]:
    """Return the active seconds people spent on each item."""
    rows = connection.execute(
        select(annotation_log.c.item_id, func.sum(annotation_log.c.active_seconds))
        .where(
            annotation_log.c.project_id == project_id,
            annotation_log.c.active_seconds > 0,
        )
        .group_by(annotation_log.c.item_id)
    )
    return {i: float(s) for i, s in rows.tuples()}


def _settled(connection: Connection, project_id: int) -> frozenset[int]:
    """Return the items settled by people's votes or the model; imported labels cost nobody here."""
    states = [s.value for s in (*LABELLED, ItemState.NEUTRAL, ItemState.DISCARDED)]
    states.remove(ItemState.IMPORTED.value)
    rows = connection.execute(
        select(item_state.c.item_id).where(
            item_state.c.project_id == project_id, item_state.c.state.in_(states)
        )
    )
    return frozenset(rows.scalars())


def _accuracy(connection: Connection, project: ProjectView, arm: frozenset[int]) -> Estimate:
    """Return how much more often labels are right with help than from scratch."""
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
    return compare_proportions(right[False], n[False], right[True], n[True]).difference


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
