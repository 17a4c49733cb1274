"""How people do on gold mixed into the queue or given at onboarding, by person and class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, func, select

from core.access import Actor
from core.analytics.asked import Basis
from core.analytics.figures import FEWEST, Figure, accuracy_figures
from core.analytics.marks import Marked
from core.analytics.rightness import Accuracy as Counted
from core.analytics.rightness import ClassFigure
from core.analytics.tally import Tally
from core.consensus.skill import Accuracy
from core.labels import Answer
from core.services.analytics.behind import names_by_number
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.review.probe_answers import is_right
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED
from core.store.tables import gold_answers, probe_votes

Told = tuple[int, tuple[str, ...], bool]
"""Who answered, the true classes, and whether rightly."""


@dataclass(frozen=True, slots=True)
class GoldResults:
    """Answers to gold, the newest of each person and item.

    Attributes:
        items: Gold items there are.
        overall: Answers right; its interval draws whole persons again where there are several.
        classes: By true class, in schema order.
        people: By display name; a figure's name is what others read. The posterior mean, as `people_quality`
            tells it of each.
    """

    items: int
    overall: Figure
    classes: tuple[Figure, ...]
    people: tuple[Figure, ...]


def gold_results(ws: Workspace, actor: Actor, slug: str) -> GoldResults:
    """Return how right people are on gold they did not know for gold.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    project, _replica = open_figures(ws, actor, slug)
    return gold_results_of(ws, project)


def gold_results_of(ws: Workspace, project: ProjectView, fewest: int = FEWEST) -> GoldResults:
    """Return the same; the caller has asked the gate."""
    with ws.store.read() as connection:
        golds = _newest(connection, project)
        told = _told(connection, project, golds)
    order = {name: i for i, name in enumerate(project.schema.classes)}
    classes = sorted(
        {c for _, true, _ in told for c in true}, key=lambda c: (order.get(c, len(order)), c)
    )
    counted = [_counted(c, [t for t in told if c in t[1]]) for c in classes]
    whole = _counted("", told)
    names = {i: shown for i, (_, shown) in
             names_by_number(ws, [t.person_id for t in whole.by_person]).items()}  # fmt: skip
    each = [ClassFigure(names[t.person_id], t.n, t.correct, (t,)) for t in whole.by_person]
    people = sorted((_of_person(c, fewest) for c in each), key=lambda f: f.name.casefold())
    return GoldResults(
        len(golds), _figures([whole], fewest)[0], _figures(counted, fewest), tuple(people)
    )


def _newest(connection: Connection, project: ProjectView) -> dict[int, Row]:
    newest = (
        select(func.max(gold_answers.c.seq))
        .where(gold_answers.c.project_id == project.id)
        .group_by(gold_answers.c.item_id)
    )
    rows = connection.execute(select(gold_answers).where(gold_answers.c.seq.in_(newest)))
    return {r.item_id: r for r in rows}


def _told(connection: Connection, project: ProjectView, golds: dict[int, Row]) -> list[Told]:
    return [
        (r.person_id, _classes(project, golds[r.item_id]), _right(project, r, golds[r.item_id]))
        for r in _newest_votes(connection, project)
        if r.word == "vote" and r.item_id in golds
    ]


def _newest_votes(connection: Connection, project: ProjectView) -> list[Row]:
    """Return what each person said last of each gold item they were handed."""
    query = (
        select(probe_votes)
        .where(probe_votes.c.project_id == project.id, probe_votes.c.kind == "gold")
        .order_by(probe_votes.c.seq)
    )
    return list({(r.person_id, r.item_id): r for r in connection.execute(query)}.values())


def _right(project: ProjectView, said: Row, gold: Row) -> bool:
    """Return whether an answer is right by the gold in force: where that changed, judged anew."""
    if said.gold_seq == gold.seq:
        return bool(said.right)
    return is_right(project, Answer.from_json(said.answer), Answer.from_json(gold.answer))


def _classes(project: ProjectView, gold: Row) -> tuple[str, ...]:
    return _said_in(project, Answer.from_json(gold.answer))


def _said_in(project: ProjectView, answer: Answer) -> tuple[str, ...]:
    told = project.schema.translate(answer)
    if project.schema.draws:
        return tuple(sorted({r.label for r in told.regions}))
    said = told.said(project.schema.main.key)
    return (said,) if isinstance(said, str) else tuple(sorted(said or ()))


def answers_to_gold(
    ws: Workspace, project: ProjectView, person_id: int, truth: str = ""
) -> tuple[Marked, ...]:
    """Return a person's newest answer to each gold item, of a true class or of all, wrong ones first.

    The caller has asked the gate: who is told this knows the items for gold.
    """
    with ws.store.read() as connection:
        golds = _newest(connection, project)
        rows = [r for r in _newest_votes(connection, project) if r.person_id == person_id]
    found = []
    for r in rows:
        if r.word != "vote" or r.item_id not in golds:
            continue
        gold = golds[r.item_id]
        true = _classes(project, gold)
        if truth and truth not in true:
            continue
        said = _said_in(project, Answer.from_json(r.answer))
        mark = Marked(r.item_id, None, ", ".join(said), ", ".join(true), r.active_seconds, None)
        found.append((_right(project, r, gold), mark))
    return tuple(m for _right_, m in sorted(found, key=lambda f: (f[0], f[1].item_id)))


def _of_person(counted: ClassFigure, fewest: int) -> Figure:
    """Return one person's figure by the same posterior as on the page Team."""
    told = Accuracy(counted.correct, counted.n).estimate()
    return Figure(
        counted.name, counted.n, counted.correct,
        told if counted.n >= fewest else replace(UNDEFINED, n=counted.n),
    )  # fmt: skip


def _counted(name: str, told: Sequence[Told]) -> ClassFigure:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for person, _, right in told:
        sums[person][0] += 1
        sums[person][1] += right
    people = tuple(Tally(who, n, hit) for who, (n, hit) in sorted(sums.items()))
    return ClassFigure(name, sum(t.n for t in people), sum(t.correct for t in people), people)


def _figures(counted: Sequence[ClassFigure], fewest: int) -> tuple[Figure, ...]:
    return accuracy_figures(Counted(Basis.INDEPENDENT, 0, tuple(counted)), fewest).classes
