"""What a minute of people is worth: a new label, a second opinion, or a ruling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from sqlalchemy import Connection, Row, select

from core.labels import Answer
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning.minute import Open, belief_labelled, belief_unlabelled, next_minute
from core.learning.values import Predictions
from core.services.projects.project import ProjectView
from core.store.tables import annotation_log

DEFAULT_SECONDS = 5.0
RULING = 3.0
"""A ruling takes so many times as long as a vote, while nothing else is known."""
PEOPLE = 0.95
"""How often a person is right, while too few votes tell."""
NOT_YET = (ItemState.OPEN.value, ItemState.AUTO_ACCEPTED.value)
"""States in which no person's label stands."""
_VOTES = 5000
_BEST = 0.995


@dataclass(frozen=True, slots=True)
class Offer:
    """One item to look at, before its name and picture are looked up.

    Attributes:
        what: ``label``, ``second opinion`` or ``adjudicate``.
        by_chance: Whether it comes from the random part.
        why: A sentence where there is one.
    """

    item_id: int
    what: str
    by_chance: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Votes:
    """Newest answers by item, and the active seconds of the newest votes."""

    by_item: Mapping[int, Sequence[str]]
    seconds: float


def votes_of(connection: Connection, project: ProjectView, question: Question) -> Votes:
    """Return what people said last of each item, and how long it takes them."""
    rows = connection.execute(
        select(
            annotation_log.c.item_id, annotation_log.c.person_id, annotation_log.c.kind,
            annotation_log.c.answer, annotation_log.c.active_seconds,
        )
        .where(annotation_log.c.project_id == project.id)
        .order_by(annotation_log.c.seq)
    ).all()  # fmt: skip
    newest = {(r.item_id, r.person_id): r for r in rows}
    found: dict[int, list[str]] = {}
    for r in newest.values():
        if r.kind == "vote" and r.answer:
            answer = project.schema.translate(Answer.from_json(r.answer))
            if (said := answer.choices.get(question.key)) is not None:
                found.setdefault(r.item_id, []).append(said)
    took = [float(r.active_seconds) for r in rows[-_VOTES:] if r.active_seconds]
    return Votes(found, fmean(took) if took else DEFAULT_SECONDS)


def by_the_minute(
    project: ProjectView,
    question: Question,
    said: Predictions,
    known: Mapping[int, Row],
    votes: Votes,
    free: np.ndarray,
    count: int,
    drawn: Sequence[int],
) -> tuple[list[Offer], int]:
    """Choose between a new label, a second opinion and a ruling, by expected errors a second.

    Args:
        known: The items for training.
        free: Rows of what the model said that nobody has labelled.
        count: How many to choose, those drawn among them.
        drawn: Items drawn by chance; they come last, to be labelled.

    Returns:
        What was chosen, in order, and how many there were to choose from.
    """
    place = {int(i): n for n, i in enumerate(said.item_ids)}
    people, classes = _accuracy_of_people(votes), max(2, len(said.classes))
    labels = {i: label for i, r in known.items() if (label := _label(project, question, r))}
    weight, model = _weights(said, place, labels, people)
    settled = [i for i in labels if i in place]
    disputed = [i for i, r in known.items() if r.state == ItemState.DISPUTE and i in place]

    def belief(ids: Sequence[int]) -> np.ndarray:
        quality = [_quality(said, place[i], votes.by_item.get(i, ()), labels.get(i), people, weight, model)
                   for i in ids]  # fmt: skip
        given = np.array([weight * max(1, len(votes.by_item.get(i, ()))) for i in ids])
        return belief_labelled(np.array(quality), given, model, weight, classes)

    # An item someone has begun on is in the queue already.
    chance = set(drawn)
    fresh = [int(i) for i in said.item_ids[free] if int(i) not in votes.by_item and i not in chance]
    sure = said.confidence[[place[i] for i in fresh]]
    offers = next_minute(
        Open(np.array(fresh, np.int64), belief_unlabelled(sure, model, weight, classes), people),
        Open(np.array(settled, np.int64), belief(settled), people),
        Open(np.array(disputed, np.int64), belief(disputed), 1 - (1 - people) / 2),
        {"label": votes.seconds, "second opinion": votes.seconds, "adjudicate": RULING * votes.seconds},
        count - len(drawn),
    )  # fmt: skip
    chosen = [Offer(m.item_id, str(m.what), False, m.why) for m in offers]
    chosen += [Offer(i, "label", True) for i in drawn]
    pool = len(drawn) + len(fresh) + len(settled) + len(disputed)
    return chosen, pool


def _label(project: ProjectView, question: Question, row: Row) -> str | None:
    if row.answer is None or row.state in NOT_YET:
        return None
    return project.schema.translate(Answer.from_json(row.answer)).choices.get(question.key)


def _accuracy_of_people(votes: Votes) -> float:
    """Return how often one person's vote is right, told by how often two agree."""
    pairs = [(v[0], v[1]) for v in votes.by_item.values() if len(v) > 1]
    if len(pairs) < 30:
        return PEOPLE
    agree = sum(a == b for a, b in pairs) / len(pairs)
    return float(min(_BEST, max(0.5, agree**0.5)))  # both right; two alike mistakes are rare


def _weights(
    said: Predictions, place: Mapping[int, int], labels: Mapping[int, str], people: float
) -> tuple[float, float]:
    """Return the weight of a person and of the model: how far each beats always saying one class."""
    top = said.top1
    judged = [(top[place[i]], label) for i, label in labels.items() if i in place]
    counts: dict[str, int] = {}
    for _said, label in judged:
        counts[label] = counts.get(label, 0) + 1
    base = max(counts.values(), default=0) / max(1, len(judged))
    base = min(base, 0.99)
    right = sum(a == b for a, b in judged) / max(1, len(judged))
    return max(0.05, 1 - (1 - people) / (1 - base)), max(0.05, 1 - (1 - right) / (1 - base))


def _quality(
    said: Predictions,
    row: int,
    votes: Sequence[str],
    label: str | None,
    people: float,
    weight: float,
    model: float,
) -> float:
    """Return how far model and votes bear a label out (CROWDLAB), the best one where there is none."""
    heard = list(votes) or ([label] if label else [])
    if label is None:
        label = max(sorted(set(heard)), key=heard.count, default=said.classes[0])
    column = said.classes.index(label) if label in said.classes else None
    machine = float(said.probabilities[row, column]) if column is not None else 0.0
    rest = (1 - people) / max(1, len(said.classes) - 1)
    spoken = sum(weight * (people if v == label else rest) for v in heard)
    return (model * machine + spoken) / (model + weight * len(heard))
