"""What happened to an item, as a person may read it: predictions, votes, rulings, labels settled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Actor
from core.labels import Answer
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.services.talk.voices import voices
from core.services.visibility.blind import UNSETTLED, blind_items, sees_votes
from core.services.visibility.probes import (
    Probe,
    may_be_probed,
    own_words,
    probes_of,
    shown_state,
)
from core.store.tables import (
    annotation_log,
    decisions,
    final_labels,
    models,
    prediction_sets,
    predictions,
)

MOST_ROWS = 100
"""Of the history; the oldest go first."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that happened to an item.

    Attributes:
        kind: imported, prelabel; vote, skip, flag, withdraw; decide, discard, neutral, send-back;
            settled.
        who: A name, an alias or a model; empty where it is nobody's doing.
        what: A label, a count of regions, or a state; empty where there is none.
    """

    kind: str
    at: float
    who: str = ""
    mine: bool = False
    what: str = ""


def answer_words(project: ProjectView, answer: Answer) -> str:
    """Return an answer in a few words: the classes chosen, and how many regions of each class."""
    said = project.schema.translate(answer)
    words: list[str] = []
    for question in project.schema.questions:  # the first question first
        chosen = said.choices.get(question.key)
        words += [chosen] if chosen else said.multi.get(question.key, ())
    if said.regions or not words:
        counts = Counter(r.label for r in said.regions)
        words += [f"{n} × {label}" for label, n in sorted(counts.items())] or ["–"]
    return ", ".join(words)


def history_of(
    connection: Connection, project: ProjectView, actor: Actor, item: Row, now: float
) -> tuple[HistoryRow, ...]:
    """Return what happened to an item, oldest first."""
    rows = [HistoryRow("imported", item.at)]
    if not blind_items(connection, project, actor, [item.id], now):
        rows += _predicted(connection, project, actor, item.id)
    everything = sees_votes(connection, project, actor, item.id)
    probe = probes_of(connection, project, actor, [item.id]).get(item.id)
    if probe is not None and not everything:
        rows += _said_alone(connection, project, actor, probe)
        return tuple(sorted(rows, key=lambda r: r.at)[-MOST_ROWS:])
    rows += _said(connection, project, actor, item.id, everything)
    if everything:
        rows += _ruled(connection, project, actor, item.id)
        rows += _settled(connection, project, item.id)
    return tuple(sorted(rows, key=lambda r: r.at)[-MOST_ROWS:])


def _predicted(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int
) -> list[HistoryRow]:
    """Return what models said; to who may be handed gold the latest alone.

    A model says nothing of what it learnt from, so the list tells of an item what it served for.
    """
    query = (
        select(
            predictions.c.answer, prediction_sets.c.name, prediction_sets.c.at, models.c.backbone
        )
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .outerjoin(models, models.c.id == prediction_sets.c.model_id)
        .where(predictions.c.item_id == item_id)
        .order_by(predictions.c.seq)
    )
    rows = connection.execute(query).all()
    if may_be_probed(actor, project.id):
        rows = rows[-1:]
    return [
        HistoryRow(
            "prelabel",
            r.at,
            f"{r.name} · {r.backbone}" if r.backbone else r.name,
            what=answer_words(project, Answer.from_json(r.answer)),
        )
        for r in rows
    ]


def _said(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int, everything: bool
) -> list[HistoryRow]:
    query = select(annotation_log).where(annotation_log.c.item_id == item_id)
    if not everything:
        query = query.where(annotation_log.c.person_id == actor.person_id)
    names = voices(connection, project, actor, item_id)
    return [
        HistoryRow(
            r.kind,
            r.at,
            names[r.person_id],
            r.person_id == actor.person_id,
            answer_words(project, Answer.from_json(r.answer)) if r.answer else "",
        )
        for r in connection.execute(query.order_by(annotation_log.c.seq))
    ]


def _said_alone(
    connection: Connection, project: ProjectView, actor: Actor, probe: Probe
) -> list[HistoryRow]:
    """Return what is told of a planted item: own words, as of one nobody else answered yet."""
    state = shown_state(project, probe)
    name = "Reviewer 1" if state in UNSETTLED else actor.display_name
    rows = [
        HistoryRow(
            r.word,
            r.at,
            name,
            True,
            answer_words(project, Answer.from_json(r.answer)) if r.answer else "",
        )
        for r in own_words(connection, actor.person_id, probe.item_id)
    ]
    if probe.said == "vote" and state is not ItemState.OPEN:
        what = rows[-1].what if state.has_label else ""
        rows.append(HistoryRow("settled", rows[-1].at, state.value, what=what))
    return rows


def _ruled(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int
) -> list[HistoryRow]:
    rows = connection.execute(
        select(decisions).where(decisions.c.item_id == item_id).order_by(decisions.c.seq)
    ).all()
    names = voices(connection, project, actor, item_id, {r.person_id for r in rows})
    return [
        HistoryRow(
            r.kind,
            r.at,
            names[r.person_id],
            r.person_id == actor.person_id,
            answer_words(project, Answer.from_json(r.answer)) if r.answer else "",
        )
        for r in rows
    ]


def _settled(connection: Connection, project: ProjectView, item_id: int) -> list[HistoryRow]:
    rows = connection.execute(
        select(final_labels).where(final_labels.c.item_id == item_id).order_by(final_labels.c.seq)
    )
    found: list[HistoryRow] = []
    for row in rows:
        if row.state == ItemState.OPEN:
            continue
        words = answer_words(project, Answer.from_json(row.answer)) if row.answer else ""
        # A revote that settles on the same label is news to nobody.
        if not found or (found[-1].who, found[-1].what) != (row.state, words):
            found.append(HistoryRow("settled", row.at, row.state, what=words))
    return found
