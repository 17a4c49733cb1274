"""How far people agree with each other in a project: on labels, on further questions, on regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from core.analytics.asked import Filters
from core.analytics.replica import Replica
from core.analytics.votes import VoteTable, vote_table
from core.consensus.agreement import (
    Agreement,
    gwet_ac2,
    interval_alpha,
    krippendorff_alpha,
    measure_agreement,
    ordinal_alpha,
    set_alpha,
    shape_alpha,
)
from core.consensus.box_agreement import box_agreement
from core.consensus.counts import Floats, count_labels
from core.labels.schema import Question
from core.services.consensus.answers import Answers, read_answers
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate

FEWEST_ITEMS = 5
"""Items with two or more votes below which agreement is not shown."""

MOST_DRAWN_ITEMS = 1000
"""Items whose regions are paired person by person; beyond, a fixed random sample of so many."""

MOST_ANSWERED_ITEMS = 4000
"""Items whose further questions are read; beyond, a fixed random sample of so many."""


class Scale(StrEnum):
    """What the classes are to each other."""

    NAMES = "names"
    """Nothing: two are the same or not."""
    STEPS = "steps"
    """Steps of a scale, in the order of the schema."""
    NUMBERS = "numbers"
    """Numbers, as their names say."""


@dataclass(frozen=True, slots=True)
class OrderedAgreement:
    """Agreement that gives credit to answers close by: alpha, and Gwet's AC2 (squared distance)."""

    alpha: Estimate
    ac2: Estimate


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """How far people agree on one question beside the label.

    Attributes:
        title: The question.
        several: Whether it takes several answers; then alpha is that of sets (MASI distance).
    """

    title: str
    several: bool
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class AgreementView:
    """How far people agree; n of every estimate counts items with two or more votes.

    Attributes:
        votes: Live votes looked at, also those alone on their item.
        people: Who gave them.
        labels: The coefficients of the label; None where it is drawn or takes several answers.
        blind: The same from votes given without seeing the pre-label: only these are
            independent of the model. None where `labels` is.
        boxes: Mean F1 of two people's regions, None for labels.
        sampled: Whether `boxes`, `shapes` and `questions` rest on a random sample of the items.
        shapes: Alpha of regions, 1 less their likeness apart; None for labels.
        questions: Of each question that is not the label, or is one with several answers.
        ordered: Where the classes were said to be steps or numbers.
    """

    votes: int
    people: int | None
    labels: Agreement | None
    blind: Agreement | None
    boxes: Estimate | None
    sampled: bool = False
    shapes: Estimate | None = None
    questions: tuple[QuestionAgreement, ...] = ()
    ordered: OrderedAgreement | None = None


def agreement_of(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    filters: Filters,
    fewest: int = FEWEST_ITEMS,
    scale: Scale = Scale.NAMES,
    votes: VoteTable | None = None,
) -> AgreementView:
    """Return how far the people of a project agree; the caller has asked the gate.

    Args:
        ws: The workspace.
        replica: Caught up.
        project: The project.
        filters: Which votes.
        fewest: Items below which there is no figure.
        scale: What the classes are to each other.
        votes: The votes under the filter where they are at hand.

    Raises:
        NotFound: A name in the filter is nobody's.
        LimitExceeded: It took too long.
    """
    if project.task.draws:
        drawn = read_answers(ws, replica, project, filters, MOST_DRAWN_ITEMS)
        return agreement_of_regions(project, drawn, fewest)
    further = _further(project)
    answers = read_answers(ws, replica, project, filters, MOST_ANSWERED_ITEMS) if further else None
    questions = () if answers is None else _questions(answers, further, fewest)
    sampled = answers is not None and answers.sampled
    if answers is not None and project.schema.main.several:
        return AgreementView(
            answers.votes, answers.people, None, None, None, sampled, None, questions
        )
    table = votes or vote_table(replica, project.id, filters)
    return AgreementView(
        len(table.item_id),
        len(np.unique(table.person_id)),
        _measured(project, table, fewest),
        _measured(project, table.blind(), fewest),
        None,
        sampled,
        None,
        questions,
        _ordered(project, table, scale, fewest),
    )


def scales_of(project: ProjectView) -> tuple[Scale, ...]:
    """Return what the classes of a project can be to each other."""
    if project.task.draws or project.schema.main.several or len(project.schema.classes) < 3:
        return (Scale.NAMES,)
    if _as_numbers(project.schema.classes) is None:
        return (Scale.NAMES, Scale.STEPS)
    return (Scale.NAMES, Scale.STEPS, Scale.NUMBERS)


def _measured(project: ProjectView, table: VoteTable, fewest: int) -> Agreement:
    found = measure_agreement(table.item_id, table.label, _class_count(project, table))
    return Agreement(*(enough(e, fewest) for e in _parts(found)))


def _parts(found: Agreement) -> tuple[Estimate, ...]:
    return (found.percent, found.alpha, found.fleiss, found.ac1)


def _class_count(project: ProjectView, table: VoteTable) -> int:
    """Return how many classes could be said; classes dropped from the schema count while said."""
    return len(set(project.schema.classes) | set(table.names))


def enough(estimate: Estimate, fewest: int) -> Estimate:
    """Return the estimate, without its value where it rests on too little."""
    return estimate if estimate.n >= fewest else replace(UNDEFINED, n=estimate.n)


def _ordered(
    project: ProjectView, table: VoteTable, scale: Scale, fewest: int
) -> OrderedAgreement | None:
    """Return agreement on an ordered scale; votes for classes that are not on it are left out."""
    if scale not in scales_of(project)[1:]:
        return None
    names = project.schema.classes
    place = {name: i for i, name in enumerate(names)}
    code = np.array([place.get(name, -1) for name in table.names], dtype=np.int64)
    label = code[table.label] if len(table.names) else table.label
    counts = count_labels(table.item_id[label >= 0], label[label >= 0], len(names))
    numbers = _as_numbers(names) if scale is Scale.NUMBERS else None
    alpha = ordinal_alpha(counts) if numbers is None else interval_alpha(counts, numbers)
    return OrderedAgreement(enough(alpha, fewest), enough(gwet_ac2(counts), fewest))


def _as_numbers(names: Sequence[str]) -> Floats | None:
    try:
        found = np.array([float(name) for name in names])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _questions(
    answers: Answers, asked: Sequence[Question], fewest: int
) -> tuple[QuestionAgreement, ...]:
    return tuple(
        QuestionAgreement(q.title, q.several, enough(_question(answers, q), fewest)) for q in asked
    )


def _question(answers: Answers, question: Question) -> Estimate:
    """Return alpha of one question, over the votes that answer it."""
    said = [a.said(question.key) for a in answers.said]
    known = [i for i, s in enumerate(said) if s is not None]
    sets = [{s} if isinstance(s := said[i], str) else set(s or ()) for i in known]
    names = sorted({name for one in sets for name in one})
    code = {name: i for i, name in enumerate(names)}
    items = answers.item_id[known]
    if question.several:
        return set_alpha(items, [[code[n] for n in one] for one in sets])
    labels = np.array([code[n] for one in sets for n in one], dtype=np.int64)
    return krippendorff_alpha(count_labels(items, labels))


def _further(project: ProjectView) -> list[Question]:
    return [q for q in project.schema.questions if q.several or q is not project.schema.main]


def further_by_newest(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    filters: Filters,
    fewest: int = FEWEST_ITEMS,
) -> tuple[QuestionAgreement, ...]:
    """Return agreement on the further questions, on the items whose newest vote is of the filter's time.

    The caller has asked the gate.

    Raises:
        NotFound: A name in the filter is nobody's.
        LimitExceeded: It took too long.
    """
    further = _further(project)
    if not further:
        return ()
    answers = read_answers(ws, replica, project, filters, MOST_ANSWERED_ITEMS, by_newest=True)
    return _questions(answers, further, fewest)


def agreement_of_regions(
    project: ProjectView, answers: Answers, fewest: int = FEWEST_ITEMS
) -> AgreementView:
    """Return how far people agree on the regions they drew."""
    by_item, alike = answers.by_item(), project.policy.iou_at_least
    return AgreementView(
        votes=answers.votes,
        people=answers.people,
        labels=None,
        blind=None,
        boxes=enough(box_agreement(by_item, alike), fewest),
        sampled=answers.sampled,
        shapes=enough(shape_alpha(by_item, alike), fewest),
        questions=_questions(answers, project.schema.item_questions, fewest),
    )
