"""How right people are: gold overall and by class, against the target, and when asked twice.

Pace, agreement with others and the pre-label's pull are in `people_work`. What a person sees of
their own ends with the last midnight (UTC): a figure that moved with each answer would tell
which item had been gold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, can
from core.consensus.agreement.cohen import cohen_kappa
from core.consensus.skill import accuracy, by_class
from core.errors import Forbidden, NotFound
from core.labels import Answer
from core.labels.compare import same_answer
from core.services.accounts.people import people_of
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.review.admission import latest_event, mixed_marks
from core.services.review.done_today import DAY_SECONDS
from core.services.review.falling_short import judge_everybody
from core.services.review.planting import ONBOARDING
from core.services.review.probe_answers import is_right
from core.services.talk.voices import display_names
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.store.tables import annotation_log, gold_answers, probe_votes


@dataclass(frozen=True, slots=True)
class PersonQuality:
    """How right one person is in a project; an estimate without a value rests on nothing.

    Attributes:
        name: What others read.
        gold: True class to posterior mean and interval of how often they are right on it.
        overall: The same over all gold, onboarding too.
        p_below_target: Probability that their accuracy on mixed-in gold, since a lead last
            resumed them, lies below the target; None without such an answer.
        target: The plan's.
        retest: How often they say the same when asked again, with its Wilson interval.
        retest_kappa: The same beyond chance, Cohen's kappa with a bootstrap interval; undefined
            where regions are drawn.
        standing: onboarding-passed, onboarding-failed, paused, resumed or onboarding; empty where
            there is nothing to say.
        reason: Why, as it was written down.
        until: Up to when answers count, seconds since the epoch: last midnight for oneself.
    """

    person_id: int
    name: str
    gold: Mapping[str, Estimate]
    overall: Estimate
    p_below_target: float | None
    target: float
    retest: Estimate
    retest_kappa: Estimate
    standing: str
    reason: str
    until: float


def person_quality(ws: Workspace, actor: Actor, slug: str, person_id: int) -> PersonQuality:
    """Return how right one person is: oneself, or anybody for who may see figures of people.

    Raises:
        Forbidden: The actor may see neither; whether such a person exists is not told.
        NotFound: There is no such person in the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN, counted=False)
    all_seen = can(actor, Action.SEE_FIGURES, Resource(project.id))
    if person_id != actor.person_id and not all_seen:
        raise Forbidden(
            "You may look at your own numbers only.", "Ask a lead about those of others."
        )
    if all_seen:
        judge_everybody(ws, project)
    with ws.store.read() as connection:
        now = ws.clock()
        until = None if all_seen else now - now % DAY_SECONDS
        found = _of(connection, project, [person_id], until, now)
        if not found:
            raise NotFound(f"There is no person {person_id} in '{slug}'.", "Reload the page.")
        return found[0]


def everybodys_quality(ws: Workspace, actor: Actor, slug: str) -> tuple[PersonQuality, ...]:
    """Return how right everybody is who has a role in a project or answered gold there, by name.

    Raises:
        Forbidden: The actor may not see figures of people here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
    judge_everybody(ws, project)
    with ws.store.read() as connection:
        said = {
            i
            for table in (annotation_log, probe_votes)
            for i in connection.execute(
                select(table.c.person_id).where(table.c.project_id == project.id).distinct()
            ).scalars()
        }
        members = {i for i, _, _ in people_of(connection, project.id)}
        found = _of(connection, project, sorted(said | members), None, ws.clock())
    return tuple(sorted(found, key=lambda q: (q.name.casefold(), q.person_id)))


def _of(
    connection: Connection,
    project: ProjectView,
    ids: Sequence[int],
    until: float | None,
    now: float,
) -> list[PersonQuality]:
    plan = plan_in_force(connection, project.id)
    truth = _golds(connection, project)
    names = display_names(connection, ids)
    return [
        _one(connection, project, i, names[i], truth, plan.target, plan.onboarding, until, now)
        for i in ids
        if i in names
    ]


def _one(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    name: str,
    truth: Mapping[int, Row],
    target: float,
    onboarding: int,
    until: float | None,
    now: float,
) -> PersonQuality:
    said = _words(connection, project, person_id, until)
    gold = [r for r in said if r.kind == "gold" and r.item_id in truth]
    marks = [(r, _right(project, r, truth[r.item_id])) for r in gold]
    classes = [(c, right) for r, right in marks for c in _classes(project, truth[r.item_id])]
    mixed = mixed_marks(connection, project, person_id, until)
    standing, reason = _standing(connection, project, person_id, bool(onboarding), gold)
    again = [r for r in said if r.kind == "repeat"]
    retest, kappa = _retest(connection, project, person_id, again)
    return PersonQuality(
        person_id,
        name,
        {c: a.estimate() for c, a in by_class(classes).items()},
        accuracy([right for _, right in marks]).estimate(),
        mixed.below(target) if mixed.n else None,
        target,
        retest,
        kappa,
        standing,
        reason,
        now if until is None else until,
    )


def _golds(connection: Connection, project: ProjectView) -> dict[int, Row]:
    newest = (
        select(func.max(gold_answers.c.seq))
        .where(gold_answers.c.project_id == project.id)
        .group_by(gold_answers.c.item_id)
    )
    rows = connection.execute(select(gold_answers).where(gold_answers.c.seq.in_(newest)))
    return {r.item_id: r for r in rows}


def _words(
    connection: Connection, project: ProjectView, person_id: int, until: float | None
) -> list[Row]:
    """Return a person's newest answer to each planted item, in the order of items."""
    query = select(probe_votes).where(
        probe_votes.c.project_id == project.id, probe_votes.c.person_id == person_id
    )
    if until is not None:
        query = query.where(probe_votes.c.at < until)
    newest = {r.item_id: r for r in connection.execute(query.order_by(probe_votes.c.seq))}
    return [newest[i] for i in sorted(newest) if newest[i].word == "vote"]


def _right(project: ProjectView, word: Row, gold: Row) -> bool:
    """Return whether an answer is right by the gold in force: where that changed, judged anew."""
    if word.gold_seq == gold.seq:
        return bool(word.right)
    return is_right(project, Answer.from_json(word.answer), Answer.from_json(gold.answer))


def _classes(project: ProjectView, gold: Row) -> list[str]:
    """Return the true classes of a gold item: of the main question, or of what is drawn."""
    truth = project.schema.translate(Answer.from_json(gold.answer))
    if project.schema.draws:
        return sorted({r.label for r in truth.regions})
    told = truth.said(project.schema.main.key)
    return [told] if isinstance(told, str) else sorted(told or ())


def _standing(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    onboarding: bool,
    gold: Sequence[Row],
) -> tuple[str, str]:
    last = latest_event(connection, project.id, person_id)
    if last is not None:
        return last.what, last.reason
    begun = onboarding and any(r.purpose == ONBOARDING for r in gold)
    return ("onboarding", "") if begun else ("", "")


def _retest(
    connection: Connection, project: ProjectView, person_id: int, again: Sequence[Row]
) -> tuple[Estimate, Estimate]:
    """Return how often the second answer is the first, and that beyond chance."""
    before = _votes(connection, person_id, [r.item_id for r in again])
    pairs = [
        (before[r.item_id], project.schema.translate(Answer.from_json(r.answer)))
        for r in again
        if r.item_id in before
    ]
    pairs = [(project.schema.translate(a), b) for a, b in pairs]
    if not pairs:
        return UNDEFINED, UNDEFINED
    same = sum(same_answer(a, b, project.policy.iou_at_least) for a, b in pairs)
    key = project.schema.main.key
    told = [(a.said(key), b.said(key)) for a, b in pairs]
    if project.schema.draws:
        return wilson(same, len(pairs)), UNDEFINED
    codes = {v: n for n, v in enumerate(sorted({str(v) for pair in told for v in pair}))}
    first, second = ([codes[str(pair[i])] for pair in told] for i in (0, 1))
    return wilson(same, len(pairs)), cohen_kappa(first, second)


def _votes(connection: Connection, person_id: int, ids: Sequence[int]) -> dict[int, Answer]:
    """Return a person's standing votes on some items."""
    found: dict[int, Answer] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(annotation_log.c.item_id, annotation_log.c.kind, annotation_log.c.answer)
            .where(
                annotation_log.c.person_id == person_id,
                annotation_log.c.item_id.in_(ids[start : start + 500]),
            )
            .order_by(annotation_log.c.revision)
        )
        newest = {r.item_id: r for r in rows}
        found |= {i: Answer.from_json(r.answer) for i, r in newest.items() if r.kind == "vote"}
    return found
