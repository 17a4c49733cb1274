"""First-pass acceptance, rejection and rework, by person and by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.access import Actor
from core.analytics.asked import ALL, Basis, Filters, filter_values
from core.analytics.figures import FEWEST, Figure, accuracy_figures
from core.analytics.replica import Replica
from core.analytics.rightness import Accuracy, ClassFigure
from core.analytics.tally import Tally
from core.services.analytics.behind import names_by_number
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate: in all, by class and by person.

    Attributes:
        overall: Its interval draws whole persons again where there are several.
        classes: By class, in schema order.
        people: By display name; a figure's name is what others read.
    """

    overall: Figure
    classes: tuple[Figure, ...]
    people: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """What becomes of pre-labels and of first votes.

    Attributes:
        accepted: Of first words on an item with its pre-label shown, votes that left it unchanged; by
            class of the pre-label.
        rejected: Of the same, votes that say something else.
        passed: Of the same, skips and flags.
        rework: Of first votes, those their person later changed or took back, or a lead overturned; by
            class voted for. Classification only.
        revised, overturned: The two parts of rework; a vote may be in both.
    """

    accepted: Rate
    rejected: Rate
    passed: Rate
    rework: Rate
    revised: Rate
    overturned: Rate


def rates(ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None) -> Rates:
    """Return acceptance, rejection and rework; imported votes are no work done here.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return rates_of(ws, replica, project, filters or ALL)


def rates_of(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    filters: Filters = ALL,
    fewest: int = FEWEST,
) -> Rates:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = filter_values(replica, project.id, filters)
    firsts = [
        {**r, "changed": r["n"] - r["kept"] - r["passed"]}
        for r in replica.query("first_words", values)
    ]
    votes = replica.query("rework", values)
    who = {r["who"] for r in (*firsts, *votes)}
    names = {i: shown for i, (_, shown) in names_by_number(ws, sorted(who)).items()}
    order = {name: i for i, name in enumerate(project.schema.classes)}

    def rate(rows: Sequence[Mapping[str, Any]], column: str) -> Rate:
        return _rate(rows, column, names, order, fewest)

    return Rates(
        rate(firsts, "kept"), rate(firsts, "changed"), rate(firsts, "passed"),
        rate(votes, "reworked"), rate(votes, "revised"), rate(votes, "overturned"),
    )  # fmt: skip


def _rate(
    rows: Sequence[Mapping[str, Any]],
    column: str,
    names: Mapping[int, str],
    order: Mapping[str, int],
    fewest: int,
) -> Rate:
    by_class: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        if r["label"] is not None:
            by_class[r["label"]].append(r)
    known = sorted(by_class, key=lambda c: (order.get(c, len(order)), c))
    classes = _figures([_counted(c, by_class[c], column) for c in known], (), fewest)[1]
    whole = _counted("", rows, column)
    overall = _figures([whole], whole.by_person, fewest)[0]
    single = [
        ClassFigure(names.get(t.person_id, str(t.person_id)), t.n, t.correct, (t,))
        for t in whole.by_person
    ]
    people = sorted(_figures(single, (), fewest)[1], key=lambda f: f.name.casefold())
    return Rate(overall, classes, tuple(people))


def _counted(name: str, rows: Sequence[Mapping[str, Any]], column: str) -> ClassFigure:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for r in rows:
        sums[r["who"]][0] += int(r["n"])
        sums[r["who"]][1] += int(r[column])
    people = tuple(Tally(who, n, hit) for who, (n, hit) in sorted(sums.items()))
    return ClassFigure(name, sum(t.n for t in people), sum(t.correct for t in people), people)


def _figures(
    counted: Sequence[ClassFigure], people: tuple[Tally, ...], fewest: int
) -> tuple[Figure, tuple[Figure, ...]]:
    found = accuracy_figures(Accuracy(Basis.INDEPENDENT, 0, tuple(counted), people), fewest)
    return found.overall, found.classes
