"""Gathering the evidence of items: everything people, files and models said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Select, Table, func, select

from core.consensus.settle import Decision, DecisionKind, Evidence, Vote
from core.labels import Answer, LabelSchema
from core.services.consensus.draws import drawn_items
from core.store.tables import (
    acceptances,
    annotation_log,
    decisions,
    imported_labels,
    predictions,
)

UNSURE = "unsure"
"""The reason of a skip that asks for an expert, and the queue in which experts answer."""


@dataclass(slots=True)
class Gathered:
    """Everything said of one item, with the numbers of the rows it stands in.

    Attributes:
        unsure_since: The newest live skip for being unsure; 0 where there is none.
        confirmed_at: Up to here an expert, or a lead's ruling, has answered for it.
        accepted: The prediction a certificate stands for, while it is not taken back.
        drawn: It was drawn by chance for a purpose and waits at a place that says nothing of it.
    """

    votes: list[tuple[int, Vote]] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    decision: tuple[int, Decision] | None = None
    imported: tuple[int, Answer] | None = None
    accepted: tuple[int, Answer] | None = None
    drawn: bool = False
    prediction_seq: int | None = None
    confidence: float | None = None
    predicted: Answer | None = None
    typicality: float | None = None
    unsure_since: int = 0
    confirmed_at: int = 0
    ever_flagged: bool = False
    extra_votes: int = 0

    def evidence(self) -> Evidence:
        """Return what the policy looks at."""
        return Evidence(
            votes=tuple(v for _, v in self.votes),
            decision=self.decision[1] if self.decision else None,
            imported=self.imported[1] if self.imported else None,
            accepted=self.accepted[1] if self.accepted else None,
            flagged=bool(self.flags),
            extra_votes=self.extra_votes,
        )


def gather(connection: Connection, ids: Sequence[int], schema: LabelSchema) -> dict[int, Gathered]:
    """Return everything said of these items (at most a few hundred), in the names of `schema`."""
    found = {i: Gathered() for i in ids}
    for row in live_annotations(connection, ids):
        if row.kind == "vote":
            vote = Vote(str(row.person_id), schema.translate(Answer.from_json(row.answer)))
            found[row.item_id].votes.append((row.seq, vote))
            if row.queue == UNSURE:
                found[row.item_id].confirmed_at = row.seq
        elif row.kind == "flag":
            found[row.item_id].flags.append(row.seq)
            found[row.item_id].ever_flagged = True
        elif row.kind == "skip" and row.reason == UNSURE:
            found[row.item_id].unsure_since = row.seq
    for row in latest_of(connection, imported_labels, ids):
        found[row.item_id].imported = (row.seq, schema.translate(Answer.from_json(row.answer)))
    for row in latest_of(connection, predictions, ids):
        found[row.item_id].prediction_seq = row.seq
        found[row.item_id].confidence = row.confidence
        found[row.item_id].typicality = row.typicality
        found[row.item_id].predicted = schema.translate(Answer.from_json(row.answer))
    for item_id, seq, answer in accepted_answers(connection, ids):
        found[item_id].accepted = (seq, schema.translate(answer))
    for item_id in drawn_items(connection, ids):
        found[item_id].drawn = True
    _gather_decisions(connection, ids, found, schema)
    return found


def accepted_answers(connection: Connection, ids: Sequence[int]) -> list[tuple[int, int, Answer]]:
    """Return item, number of the prediction and its answer, of those standing as auto-accepted."""
    standing = [r for r in latest_of(connection, acceptances, ids) if r.kind == "accepted"]
    if not standing:
        return []
    said = connection.execute(
        select(predictions.c.seq, predictions.c.answer).where(
            predictions.c.seq.in_([r.prediction_seq for r in standing])
        )
    )
    answers = {r.seq: _unscored(Answer.from_json(r.answer)) for r in said}
    return [(r.item_id, r.prediction_seq, answers[r.prediction_seq]) for r in standing]


def _unscored(answer: Answer) -> Answer:
    """Return an answer as a label: how sure a model was of a region is no part of it."""
    if not answer.regions:
        return answer
    return replace(answer, regions=tuple(replace(r, confidence=None) for r in answer.regions))


def live_annotations(connection: Connection, ids: Sequence[int]) -> list:
    """Return the newest revision of each person on each of these items, oldest first."""
    newest = (
        select(func.max(annotation_log.c.seq))
        .where(annotation_log.c.item_id.in_(ids))
        .group_by(annotation_log.c.item_id, annotation_log.c.person_id)
    )
    return list(
        connection.execute(
            select(annotation_log)
            .where(annotation_log.c.seq.in_(newest))
            .order_by(annotation_log.c.seq)
        ).all()
    )


def _gather_decisions(
    connection: Connection, ids: Sequence[int], found: dict[int, Gathered], schema: LabelSchema
) -> None:
    query = select(decisions).where(decisions.c.item_id.in_(ids)).order_by(decisions.c.seq)
    for row in connection.execute(query):
        mine = found[row.item_id]
        kind = DecisionKind(row.kind)
        answer = schema.translate(Answer.from_json(row.answer)) if row.answer else None
        mine.decision = (row.seq, Decision(kind, answer, str(row.person_id), row.votes_seen))
        mine.extra_votes = row.extra_votes
        # Flags the lead could see are answered by what the lead did. Numbers decide, not clocks.
        mine.flags = [f for f in mine.flags if f > row.annotation_seq]
        mine.confirmed_at = max(mine.confirmed_at, row.annotation_seq)


def latest_of(connection: Connection, table: Table, ids: Sequence[int]) -> list:
    """Return the newest row of each of these items."""
    newest: Select = (
        select(func.max(table.c.seq)).where(table.c.item_id.in_(ids)).group_by(table.c.item_id)
    )
    return list(connection.execute(select(table).where(table.c.seq.in_(newest))).all())
