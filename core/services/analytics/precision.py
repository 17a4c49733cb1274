"""Recall, precision and F1 of each class, against any reference; of drawn ones by bounding box."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Actor
from core.analytics import per_class
from core.analytics.asked import ALL, MODEL, Against, Basis, Filters
from core.analytics.boxes import box_accuracy
from core.analytics.figures import FEWEST, Figure, box_figures, f1_figure
from core.analytics.per_class import ClassScores, Scores
from core.analytics.replica import Replica
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, wilson

REFERENCES = (Against.FINAL, Against.ADJUDICATED, Against.GOLD)


@dataclass(frozen=True, slots=True)
class ScoresView:
    """How right somebody is by class.

    Attributes:
        whose: "model", "people" or a person's name.
        against: The reference.
        scores: By class, in schema order; a class of the schema never seen has no value.
    """

    project: ProjectView
    whose: str
    against: str
    scores: Scores


def scores(
    ws: Workspace,
    actor: Actor,
    slug: str,
    whose: str = MODEL,
    against: str = Against.FINAL,
    filters: Filters | None = None,
) -> ScoresView:
    """Return recall, precision and F1 of every class of the schema.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    found = scores_of(replica, project, whose, against, filters or ALL)
    return ScoresView(project, whose, str(against), found)


def scores_of(
    replica: Replica,
    project: ProjectView,
    whose: str,
    against: str,
    filters: Filters = ALL,
    fewest: int = FEWEST,
) -> Scores:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    found = (
        _of_regions(replica, project, whose, against, filters, fewest)
        if project.task.draws
        else per_class.class_scores(replica, project.id, whose, against, filters, fewest)
    )
    names = list(project.schema.classes)
    known = {c.name: c for c in found.classes}
    rows = [known.pop(name) if name in known else _unseen(name) for name in names]
    return Scores(found.basis, found.left_out, found.overall, (*rows, *known.values()))


def _unseen(name: str) -> ClassScores:
    nothing = Figure(name, 0, 0, UNDEFINED)
    return ClassScores(name, nothing, nothing, UNDEFINED)


def _of_regions(
    replica: Replica, project: ProjectView, whose: str, against: str, filters: Filters, fewest: int
) -> Scores:
    drawn = box_accuracy(
        replica, project.id, whose, against, filters, project.policy.iou_at_least
    )  # fmt: skip
    rows = tuple(
        ClassScores(c.name, *box_figures(c, fewest), f1_figure(c, fewest).estimate)
        for c in drawn.classes
    )
    n, right = drawn.answers, drawn.right_items
    overall = wilson(right, n) if n >= fewest else UNDEFINED
    return Scores(drawn.basis, drawn.left_out, Figure("", n, right, overall), rows)


def every_reference(
    replica: Replica, project: ProjectView, whose: str, fewest: int = FEWEST
) -> dict[str, Scores]:
    """Return the same against labels in force, decided ones and gold; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    return {a.value: scores_of(replica, project, whose, a.value, ALL, fewest) for a in REFERENCES}


def is_flattering(scores: Scores) -> bool:
    """Return whether every reference rests on the very statement it is compared with."""
    return scores.basis is Basis.REVIEWED
