"""How far a vote can be trusted: how often its author was right when saying the same before.

Answers to gold are the better evidence and count where there are enough of them. Else what the items a
person voted on were settled as is told; that leans towards them, their own vote being part of it, so
the words say which of the two it is.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, select

from core.labels import Answer
from core.labels.geometry import match_regions
from core.labels.schema import Question
from core.labels.state import ItemState
from core.services.consensus.fits import Fit
from core.services.consensus.inference import fit_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats import Estimate, wilson
from core.store.tables import annotation_log, final_labels, item_state, probe_votes

ENOUGH_GOLD = 5
MOST_ANSWERS = 2_000
MOST_DRAWN = 60
"""Items with regions that are compared: as many as tell enough, since each holds several."""
KEPT_SECONDS = 60.0
_SETTLED = tuple(s.value for s in (ItemState.AGREED, ItemState.ADJUDICATED, ItemState.IMPORTED))


@dataclass(frozen=True, slots=True)
class VoteWeight:
    """How often somebody was right with what they say here.

    Attributes:
        source: "gold", "settled", or empty where there is no record.
        label: The class it is about; empty for all of them.
        right: How many of `share.n` answers were right.
        share: That as a share with its 95 % interval.
        weight: How likely the project-wide fit holds this vote for right; None without a fit.
    """

    source: str
    label: str
    right: int
    share: Estimate
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class _Record:
    """How many answers of each class somebody gave, and how many were right; "" for all."""

    said: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)


_kept: weakref.WeakKeyDictionary[Engine, dict[tuple[int, int, int], tuple[float, _Record]]] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


def weights_of(
    ws: Workspace, connection: Connection, project: ProjectView, votes: Mapping[int, Answer]
) -> dict[int, VoteWeight]:
    """Return the weight of each person's vote on one item.

    Args:
        ws: In whose cache the fit lies.
        connection: The caller's transaction, who has asked the gate.
        project: Where.
        votes: Person to what they say of the item.
    """
    fit = fit_of(ws, connection, project)
    main = project.schema.main
    return {
        person: _weight(
            answer.choices.get(main.key, ""),
            _gold(connection, project, person),
            _settled(connection, project, person, ws.clock()),
            None if fit is None else trust(fit, main, person, answer),
        )
        for person, answer in votes.items()
    }


def trust(fit: Fit, question: Question, person: int, answer: Answer) -> float | None:
    """Return P(the class is the truth | this person says so), by Bayes from what the fit learnt.

    Where it learnt no table of mistakes, the person's expected share of right votes; None for
    somebody it never met.
    """
    said, place = answer.choices.get(question.key), fit.place(person)
    asked = fit.questions.get(question.key)
    if asked is None or place < 0 or said is None:
        return fit.accuracy(person)
    table = asked.parts[0].confusion
    if table is None or asked.several or said not in asked.classes:
        return fit.accuracy(person, question.key)
    column = asked.classes.index(said)
    joint = asked.parts[0].prior * table[place, :, column]
    total = float(joint.sum())
    return float(joint[column]) / total if total > 0 else None


def _weight(label: str, gold: _Record, settled: _Record, weight: float | None) -> VoteWeight:
    for source, record, least in (("gold", gold, ENOUGH_GOLD), ("settled", settled, 1)):
        for name in dict.fromkeys((label, "")):
            if record.said[name] >= least:
                right = record.right[name]
                return VoteWeight(source, name, right, wilson(right, record.said[name]), weight)
    return VoteWeight("", label, 0, wilson(0, 0), weight)


def _gold(connection: Connection, project: ProjectView, person: int) -> _Record:
    rows = connection.execute(
        select(probe_votes.c.item_id, probe_votes.c.label, probe_votes.c.right)
        .where(
            probe_votes.c.project_id == project.id,
            probe_votes.c.person_id == person,
            probe_votes.c.kind == "gold",
        )
        .order_by(probe_votes.c.seq)
    )
    newest = {r.item_id: r for r in rows}  # what was taken back or skipped says nothing
    told = [r for r in newest.values() if r.right is not None]
    today = project.schema.main.today
    return _counted([(today(r.label) if r.label else "", int(r.right), 1) for r in told])


def _settled(connection: Connection, project: ProjectView, person: int, now: float) -> _Record:
    """Return the same of the settled items somebody voted on last; at most a minute old."""
    name = (project.id, project.schema_version, person)
    with _lock:
        kept = _kept.setdefault(connection.engine, {})
        at, record = kept.get(name, (float("-inf"), _Record()))
    if 0 <= now - at < KEPT_SECONDS:
        return record
    compare = _drawn if project.schema.task.draws else _chosen
    record = _counted(compare(connection, project, person))
    with _lock:
        if len(kept) > 10_000:
            kept.clear()
        kept[name] = (now, record)
    return record


def _counted(told: Sequence[tuple[str, int, int]]) -> _Record:
    record = _Record()
    for label, right, n in told:
        for name in {label, ""}:
            record.said[name] += n
            record.right[name] += right
    return record


def _chosen(
    connection: Connection, project: ProjectView, person: int
) -> list[tuple[str, int, int]]:
    today = project.schema.main.today
    rows = connection.execute(
        select(
            annotation_log.c.item_id, annotation_log.c.kind, annotation_log.c.label,
            item_state.c.label.label("settled"),
        )
        .join(item_state, item_state.c.item_id == annotation_log.c.item_id)
        .where(
            annotation_log.c.person_id == person, annotation_log.c.project_id == project.id,
            item_state.c.state.in_(_SETTLED),
        )
        .order_by(annotation_log.c.seq.desc())
        .limit(MOST_ANSWERS)
    ).all()  # fmt: skip
    newest = {r.item_id: r for r in reversed(rows)}
    return [
        (today(r.label), int(today(r.label) == r.settled), 1)
        for r in newest.values()
        if r.kind == "vote" and r.label and r.settled
    ]


def _drawn(connection: Connection, project: ProjectView, person: int) -> list[tuple[str, int, int]]:
    """Return each class drawn, how many of its regions stand in the label in force, and how many."""
    rows = connection.execute(
        select(
            annotation_log.c.item_id, annotation_log.c.kind, annotation_log.c.answer,
            final_labels.c.answer.label("settled"),
        )
        .join(item_state, item_state.c.item_id == annotation_log.c.item_id)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            annotation_log.c.person_id == person, annotation_log.c.project_id == project.id,
            item_state.c.state.in_(_SETTLED),
        )
        .order_by(annotation_log.c.seq.desc())
        .limit(MOST_DRAWN)
    ).all()  # fmt: skip
    newest = {r.item_id: r for r in reversed(rows)}
    told: list[tuple[str, int, int]] = []
    for row in newest.values():
        if row.kind != "vote" or not row.answer or not row.settled:
            continue
        mine = project.schema.translate(Answer.from_json(row.answer)).regions
        final = project.schema.translate(Answer.from_json(row.settled)).regions
        stand = {i for i, _j, _iou in match_regions(mine, final, project.policy.iou_at_least)}
        told += [(r.label, int(i in stand), 1) for i, r in enumerate(mine)]
    return told
