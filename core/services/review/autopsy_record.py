"""The votes of a project as columns, question by question, for the autopsy of its disputes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.consensus.autopsy_pairs import NONE, Cases, Record, Skills
from core.consensus.settle import REGIONS
from core.consensus.shape_dispute import SAME, Difference, shape_votes
from core.labels import Answer
from core.labels import Question as Asked
from core.labels.state import ItemState
from core.learning.neighbours import Neighbourhood
from core.services.consensus.fits import Fit
from core.services.projects.project import ProjectView
from core.services.review.autopsy_beside import Ints, labelled, model_view, near_labels, no_model
from core.store.tables import (
    annotation_log,
    final_labels,
    item_state,
    probe_votes,
)

NO_ANSWER = "no answer"
NONE_OF_THEM = "none of them"
_AND = " + "
UNCLEAR = "guideline-unclear"
LEAST_CHANCE = 1e-3
"""Of a mistake: no vote rules an answer out."""
MOST_CELLS = 20_000_000
"""Entries of people's tables of mistakes; of more, votes are weighed by how often people are right."""
MOST_DRAWN = 2_000
"""Items with shapes, besides the disputes, that are compared: the newest."""


@dataclass(frozen=True, eq=False)
class VoteColumns:
    """The live votes of a project, one a person and item, and the open flags.

    Attributes:
        item_id, person_id: Of each vote.
        answer: Place of each vote's answer in `answers`.
        answers: The different answers, in today's names.
        seconds: nan where unknown.
        unclear: Flags by item that call the guideline unclear.
    """

    item_id: Ints
    person_id: Ints
    answer: Ints
    answers: tuple[Answer, ...]
    seconds: NDArray[np.float64]
    unclear: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Question:
    """One question as the autopsy takes it, and what its numbers stand for.

    Attributes:
        names: Of the answers, by number.
        ids: Items by number, ascending.
        cases: The disputes in the order of `Cases`.
        difference: Of each dispute, what shapes differ in.
        settled: What settled items were settled on, by a lead or by people who agree.
    """

    key: str
    names: tuple[str, ...]
    ids: Ints
    record: Record
    cases: Cases
    difference: Mapping[int, Difference | None]
    settled: Mapping[int, str]


def read_votes(connection: Connection, project: ProjectView) -> VoteColumns:
    """Return the live votes of a project."""
    log = annotation_log.c
    query = select(
        log.item_id, log.person_id, log.kind, log.reason, log.answer, log.active_seconds
    ).where(log.project_id == project.id)
    live = {(r[0], r[1]): r for r in connection.execute(query.order_by(log.seq))}
    place: dict[str, int] = {}
    votes = [r for r in live.values() if r[2] == "vote"]
    codes = [place.setdefault(r[4], len(place)) for r in votes]
    unclear: dict[int, int] = {}
    for row in live.values():
        if row[2] == "flag" and row[3].startswith(UNCLEAR):
            unclear[row[0]] = unclear.get(row[0], 0) + 1
    return VoteColumns(
        np.array([r[0] for r in votes], dtype=np.int64),
        np.array([r[1] for r in votes], dtype=np.int64),
        np.array(codes, dtype=np.int64),
        tuple(project.schema.translate(Answer.from_json(text)) for text in place),
        np.array([r[5] if r[5] else np.nan for r in votes], dtype=np.float64),
        unclear,
    )


def questions_of(
    project: ProjectView, votes: VoteColumns, differs: Mapping[int, tuple[str, ...]]
) -> dict[str, list[int]]:
    """Return which disputes each question is asked about: the one their votes leave most open."""
    keys = [REGIONS] if project.schema.draws else []
    keys += [q.key for q in project.schema.item_questions]
    said: dict[int, set[int]] = {i: set() for i in differs}
    among = np.isin(votes.item_id, np.fromiter(differs, np.int64, len(differs)))
    for item_id, code in zip(
        votes.item_id[among].tolist(), votes.answer[among].tolist(), strict=True
    ):
        said[item_id].add(code)
    found: dict[str, list[int]] = {}
    for item_id in sorted(differs):
        told = differs[item_id] or _differing(project, votes, said[item_id], keys)
        found.setdefault(told[0] if told else keys[0], []).append(item_id)
    return found


def _differing(
    project: ProjectView, votes: VoteColumns, codes: set[int], keys: Sequence[str]
) -> tuple[str, ...]:
    """Return the first question in which some answers are not the same."""
    answers = [votes.answers[c] for c in sorted(codes)]
    for key in keys:
        if key != REGIONS and len({_told(a, key) for a in answers}) > 1:
            return (key,)
    return ()


def question(
    connection: Connection,
    project: ProjectView,
    votes: VoteColumns,
    key: str,
    disputes: Sequence[int],
    hood: Neighbourhood | None,
    fit: Fit | None,
) -> Question:
    """Return one question's votes and its disputes, ready for the autopsy."""
    if key == REGIONS:
        rows, said, difference = _drawn(project, votes, disputes)
        repeats: list[tuple[int, bool]] = []
    else:
        texts = np.array([_told(a, key) for a in votes.answers], dtype=object)
        rows, said, difference = np.arange(len(votes.item_id)), texts[votes.answer], {}
        repeats = _repeats(connection, project, votes, key)
    names = _names(project, key, said)
    place = {name: n for n, name in enumerate(names)}
    wanted = np.array(sorted(disputes), dtype=np.int64)
    repeats = [r for r in repeats if r[0] in set(disputes)]
    ids = np.unique(np.concatenate([votes.item_id[rows], wanted]))
    is_main = key == project.schema.main.key
    settled = _settled(connection, project, key) if key != REGIONS else {}
    coded = np.array([place.get(settled.get(int(i), ""), NONE) for i in ids], dtype=np.int64)
    people, person = np.unique(votes.person_id[rows], return_inverse=True)
    record = Record(
        np.searchsorted(ids, votes.item_id[rows]),
        person.astype(np.int64),
        np.array([place[s] for s in said], dtype=np.int64),
        votes.seconds[rows],
        len(ids),
        max(len(names), 1),
        coded,
        np.searchsorted(ids, np.array([r[0] for r in repeats], dtype=np.int64)),
        np.array([r[1] for r in repeats], dtype=np.bool_),
        place.get(SAME, NONE) if key == REGIONS else NONE,
        None if fit is None else _skills(fit, key, names, people.tolist()),
    )
    classes, shares = (
        model_view(connection, project, wanted, place) if is_main else no_model(len(wanted))
    )
    known = labelled(connection, project, place) if is_main else {}
    near = (
        near_labels(hood, wanted, known)
        if is_main and hood is not None
        else np.full((len(wanted), 0), NONE, dtype=np.int64)
    )
    unclear = np.array([votes.unclear.get(int(i), 0) for i in wanted], dtype=np.int64)
    cases = Cases(np.searchsorted(ids, wanted), classes, shares, near, unclear)
    agreed = {i: names[code] for i, code in known.items()}
    return Question(key, names, ids, record, cases, difference, {**agreed, **settled})


def _skills(fit: Fit, key: str, names: Sequence[str], people: Sequence[int]) -> Skills | None:
    """Return what a fit knows of these people; None where it has no tables for the question.

    Somebody it never met errs as all do on average; an answer it never met is any mistake.
    """
    asked, size = fit.questions.get(key), len(names)
    if asked is None or asked.several or len(people) * size * size > MOST_CELLS:
        return None
    learnt = asked.parts[0]
    if learnt.confusion is None or not learnt.votes.sum():
        return None
    usual = np.average(learnt.confusion, axis=0, weights=learnt.votes)
    known = [
        (n, asked.classes.index(name)) for n, name in enumerate(names) if name in asked.classes
    ]
    if not known:
        return None
    ours, theirs = (np.array(side, dtype=np.int64) for side in zip(*known, strict=True))
    table = np.full((len(people), size, size), LEAST_CHANCE, dtype=np.float32)
    for row, person in enumerate(people):
        at = fit.place(person)
        own = usual if at < 0 or learnt.votes[at] <= 0 else learnt.confusion[at]
        table[row][np.ix_(ours, ours)] = own[np.ix_(theirs, theirs)]
    prior = np.full(size, LEAST_CHANCE)
    prior[ours] = learnt.prior[theirs]
    return Skills(np.maximum(table, LEAST_CHANCE), np.maximum(prior, LEAST_CHANCE))


def _told(answer: Answer, key: str) -> str:
    said = answer.said(key)
    if said is None:
        return NO_ANSWER
    return said if isinstance(said, str) else _AND.join(sorted(said)) or NONE_OF_THEM


def answer_for(asked: Asked, told: str) -> Answer | None:
    """Return the answer to one question that is told so; None where no ruling can give it.

    A set of classes is read back from its words, so it is None too where a class's own name makes
    them mean two things.
    """
    names = asked.open_names
    if not asked.several:
        return Answer({asked.key: told}) if told in names else None
    parts = set() if told == NONE_OF_THEM else set(told.split(_AND))
    if not parts <= set(names) or any(_AND in n or n == NONE_OF_THEM for n in asked.names):
        return None
    return Answer({}, multi={asked.key: tuple(n for n in names if n in parts)})


def _names(project: ProjectView, key: str, said: NDArray[np.object_]) -> tuple[str, ...]:
    """Return the answers: the schema's own first, in its order, then what else was said."""
    known = next((q.names for q in project.schema.item_questions if q.key == key), ())
    return (*known, *sorted(set(said.tolist()).difference(known)))


def _drawn(
    project: ProjectView, votes: VoteColumns, disputes: Sequence[int]
) -> tuple[Ints, NDArray[np.object_], dict[int, Difference | None]]:
    """Return which votes on shapes are compared, what each says, and what each dispute is about."""
    order = np.lexsort((votes.person_id, votes.item_id))
    ids, start, count = np.unique(votes.item_id[order], return_index=True, return_counts=True)
    mine = np.isin(ids, np.asarray(disputes, dtype=np.int64))
    others = np.flatnonzero((count >= 2) & ~mine)[-MOST_DRAWN:]
    rows: list[int] = []
    said: list[str] = []
    difference: dict[int, Difference | None] = {}
    for at in sorted([*np.flatnonzero(mine).tolist(), *others.tolist()]):
        here = order[start[at] : start[at] + count[at]].tolist()
        told = shape_votes(
            [votes.answers[votes.answer[v]] for v in here], project.policy.iou_at_least
        )
        rows += here
        said += told.said
        difference[int(ids[at])] = told.difference
    return np.array(rows, dtype=np.int64), np.array(said, dtype=object), difference


def _repeats(
    connection: Connection, project: ProjectView, votes: VoteColumns, key: str
) -> list[tuple[int, bool]]:
    """Return of each silent repeat its item, and whether the person said what they had said."""
    log = probe_votes.c
    query = select(log.item_id, log.person_id, log.word, log.answer).where(
        log.project_id == project.id, log.kind == "repeat"
    )
    latest = {(r[0], r[1]): r for r in connection.execute(query.order_by(log.seq))}
    if not latest:
        return []
    pairs = zip(votes.item_id.tolist(), votes.person_id.tolist(), strict=True)
    first = dict(zip(pairs, votes.answer.tolist(), strict=True))
    translate = project.schema.translate
    return [
        (k[0], _told(translate(Answer.from_json(r[3])), key) == _told(votes.answers[first[k]], key))
        for k, r in latest.items()
        if r[2] == "vote" and r[3] and k in first
    ]


def _settled(connection: Connection, project: ProjectView, key: str) -> dict[int, str]:
    """Return what leads decided, by item."""
    query = (
        select(item_state.c.item_id, final_labels.c.answer)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state == ItemState.ADJUDICATED.value,
            final_labels.c.answer.is_not(None),
        )
    )
    return {
        r[0]: _told(project.schema.translate(Answer.from_json(r[1])), key)
        for r in connection.execute(query)
    }
