"""How right a model or people are, by class, and the items behind each mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Row, select

from core.access import Action, Actor
from core.analytics import boxes, drill
from core.analytics import figures as shown
from core.analytics.asked import ALL, MODEL, Against, Basis, Filters
from core.analytics.drill import Case
from core.analytics.figures import FEWEST, Figure
from core.analytics.kept import once, told
from core.analytics.progress import Progress, progress
from core.analytics.replica import Replica
from core.analytics.rightness import Confusion, confusion, per_class_accuracy
from core.labels.state import ItemState
from core.services.analytics.behind import is_withheld, names_by_number, rows_of
from core.services.analytics.replicas import open_figures, voters
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, wilson
from core.store.tables import items


@dataclass(frozen=True, slots=True)
class BoxClass:
    """How well boxes of one class are found (recall) and how many drawn are right (precision)."""

    name: str
    recall: Figure
    precision: Figure


@dataclass(frozen=True, slots=True)
class Rightness:
    """How right somebody is.

    Attributes:
        basis: What the figures rest on.
        left_out: Pairs left out because the truth rests on the statement.
        overall: Statements right; for boxes, images with every true box found and none extra.
        classes: By true class, in schema order; empty for boxes.
        boxes: By class, in schema order; empty for classification.
    """

    basis: Basis
    left_out: int
    overall: Figure
    classes: tuple[Figure, ...]
    boxes: tuple[BoxClass, ...]


@dataclass(frozen=True, slots=True)
class QualityView:
    """How right somebody is, and what is mistaken for what.

    Attributes:
        whose: "model", "people" or a person's name.
        against: The reference.
        people: Name to display name of everybody who voted.
    """

    project: ProjectView
    whose: str
    against: str
    right: Rightness
    confusion: Confusion
    progress: Progress
    people: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CaseView:
    """An item behind a figure.

    Attributes:
        image: Path of the picture, below the base.
        who: Display name of whoever said it; empty for a model.
        confidence: The model's; None for people.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    who: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class CasesView:
    """Items behind one cell of the confusion.

    Attributes:
        withheld: Cases not listed because the actor could still vote on, or decide, the item.
    """

    cases: tuple[CaseView, ...]
    withheld: int


def quality(
    ws: Workspace,
    actor: Actor,
    slug: str,
    whose: str = MODEL,
    against: str = Against.FINAL,
    filters: Filters | None = None,
    tz: str = "UTC",
) -> QualityView:
    """Return how right somebody is, by class, with the confusion.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        whose: "model", "people" or a person's name.
        against: "final", "adjudicated", "gold" or "evaluate".
        filters: Which statements and items to look at.
        tz: Time zone of the days of the progress.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The reference or the time zone is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    chosen = filters or ALL
    right = rightness(replica, project, whose, against, chosen)
    if project.task.draws:
        iou = project.policy.iou_at_least
        taken = boxes.box_confusion(replica, project.id, whose, against, chosen, iou)
    else:
        taken = confusion(replica, project.id, whose, against, chosen)
    return QualityView(
        project=project,
        whose=whose,
        against=str(against),
        right=right,
        confusion=taken,
        progress=progress(replica, project.id, tz),
        people=voters(ws, replica, project),
    )


def has_items(ws: Workspace, actor: Actor, slug: str) -> bool:
    """Return whether there is anything in the project to have figures about.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        return connection.execute(
            select(items.c.id).where(items.c.project_id == project.id).limit(1)
        ).first() is not None  # fmt: skip


def rightness(
    replica: Replica,
    project: ProjectView,
    whose: str,
    against: str,
    filters: Filters = ALL,
    fewest: int = FEWEST,
) -> Rightness:
    """Return how right somebody is; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    order = {name: i for i, name in enumerate(project.schema.classes)}
    if project.task.draws:
        iou = project.policy.iou_at_least
        drawn = boxes.box_accuracy(replica, project.id, whose, against, filters, iou)
        rows = [BoxClass(c.name, *shown.box_figures(c, fewest)) for c in drawn.classes]
        rows.sort(key=lambda r: (order.get(r.name, len(order)), r.name))
        overall = _plain(drawn.answers, drawn.right_items, fewest)
        return Rightness(drawn.basis, drawn.left_out, overall, (), tuple(rows))
    found = once(
        replica, project.id, ("rightness", whose, str(against), told(filters), fewest),
        lambda: shown.accuracy_figures(
            per_class_accuracy(replica, project.id, whose, against, filters), fewest
        ),
    )  # fmt: skip
    classes = sorted(found.classes, key=lambda f: (order.get(f.name, len(order)), f.name))
    return Rightness(found.basis, found.left_out, found.overall, tuple(classes), ())


def _plain(n: int, right: int, fewest: int) -> Figure:
    return Figure("", n, right, wilson(right, n) if n >= fewest else replace(UNDEFINED, n=n))


def best_reference(ws: Workspace, actor: Actor, slug: str, whose: str = MODEL) -> str:
    """Return the reference that says most: labels in force, unless gold has more that are independent.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)

    def independent(against: Against) -> int:
        if project.task.draws:
            found = rightness(replica, project, whose, against)
            basis, n = found.basis, found.overall.n
        else:  # the counts alone: intervals take far longer
            counted = per_class_accuracy(replica, project.id, whose, against)
            basis, n = counted.basis, counted.n
        return 0 if basis is Basis.REVIEWED else n

    def best() -> str:
        return max((Against.FINAL, Against.GOLD, Against.ADJUDICATED), key=independent).value

    key = ("best_reference", whose, project.schema_version, project.policy.iou_at_least)
    return once(replica, project.id, key, best)


# --- the items behind a figure ----------------------------------------------------------------


def cases(
    ws: Workspace,
    actor: Actor,
    slug: str,
    truth: str,
    said: str,
    whose: str = MODEL,
    against: str = Against.FINAL,
    filters: Filters | None = None,
) -> CasesView:
    """Return the items truly of one class that were said to be another.

    Of regions: the items with such a region; an empty `truth` asks for regions drawn where none is,
    an empty `said` for true ones nobody drew.

    Items the actor could still vote on or decide are withheld: nobody sees an answer, or the
    known answer of gold, before giving their own.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    found = _found_cases(replica, project, (truth, said), whose, against, filters or ALL)
    rows = rows_of(ws, [c.item_id for c in found])
    shown_cases = [
        (case, row)
        for case in found
        if (row := rows[case.item_id]) and not is_withheld(actor, project, row.state)
    ]
    return CasesView(_views(ws, shown_cases), len(found) - len(shown_cases))


def _found_cases(
    replica: Replica,
    project: ProjectView,
    cell: tuple[str, str],
    whose: str,
    against: str,
    filters: Filters,
) -> Sequence[Case]:
    if not project.task.draws:
        return drill.cases(replica, project.id, whose, against, *cell, filters)
    truth, said = (side or None for side in cell)
    found = boxes.box_cases(
        replica, project.id, whose, against, truth, said, filters, project.policy.iou_at_least
    )
    return [Case(item, who, None) for item, who in found[: drill.MOST_CASES]]


def _views(ws: Workspace, found: Sequence[tuple[Case, Row]]) -> tuple[CaseView, ...]:
    with ws.store.read() as connection:
        names = names_of(connection, [row.id for _, row in found])
    who = names_by_number(ws, [c.person_id for c, _ in found if c.person_id is not None])
    return tuple(
        CaseView(
            row.id,
            names[row.id][0],
            image_path(row.id, row.content_hash),
            ItemState(row.state),
            who[case.person_id][1] if case.person_id is not None else "",
            case.confidence,
        )
        for case, row in found
    )
