"""The use cases behind the figure pages, and the counts of ``tiebreak stats``."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from core.access import Actor
from core.analytics.asked import ALL, MODEL, PEOPLE, Against
from core.analytics.figures import Figure
from core.analytics.progress import progress
from core.analytics.replica import Replica
from core.consensus.agreement import Agreement
from core.labels.state import LABELLED
from core.services.analytics.agreement import (
    DifferingItem,
    DifferingItems,
    SelectedAgreement,
    agreement,
    differing_items,
    guidelines,
)
from core.services.analytics.bias import slice_values
from core.services.analytics.home import HomeProject, HomeView, home
from core.services.analytics.precision import scores_of
from core.services.analytics.quality import (
    BoxClass,
    CasesView,
    CaseView,
    QualityView,
    best_reference,
    cases,
    has_items,
    quality,
    rightness,
)
from core.services.analytics.quality_doc import class_doc, quality_doc
from core.services.analytics.replicas import open_figures, people_who_voted
from core.services.analytics.throughput import PersonPace, ThroughputView, throughput
from core.services.consensus.agreement import AgreementView, agreement_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate
from core.store.tables import item_state, predictions

__all__ = [
    "AgreementView",
    "BoxClass",
    "CaseView",
    "CasesView",
    "DifferingItem",
    "DifferingItems",
    "HomeProject",
    "HomeView",
    "PersonPace",
    "QualityView",
    "SelectedAgreement",
    "ThroughputView",
    "agreement",
    "best_reference",
    "cases",
    "differing_items",
    "guidelines",
    "has_items",
    "home",
    "people_who_voted",
    "quality",
    "slice_values",
    "stats",
    "throughput",
]


def stats(ws: Workspace, actor: Actor, slug: str) -> dict[str, object]:
    """Return a project's figures as one document; what is undefined is None, never NaN.

    Per class: the model in force against the final labels; without any prediction, people
    against what a lead decided, else against gold. Every figure is given however small its n.
    What `quality_doc` adds has names that stay: references, calibration, agreement_weeks, three_ways,
    rates, gold, guideline_effect, label_noise, shapes.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    now = progress(replica, project.id)
    whose, against = _comparison(ws, replica, project)
    right = rightness(replica, project, whose, against, fewest=1)
    more = quality_doc(ws, replica, project, whose, against)
    scored = scores_of(replica, project, whose, against, fewest=1)
    scores = {c.name: class_doc(c) for c in scored.classes}
    return {
        "project": project.slug,
        "items": now.items,
        "votes": _live_votes(ws, project),
        "final": sum(n for state, n in now.states.items() if state in LABELLED),
        "states": dict(now.states),
        "whose": whose,
        "against": against,
        "basis": right.basis.value,
        "left_out": right.left_out,
        # What two regions are compared by; a polygon's, a mask's or keypoints' form counts for nothing.
        **({"compared_by": "bounding box"} if project.task.draws else {}),
        "overall": _proportion(right.overall),
        "per_class": [{"class": f.name, **_proportion(f), **scores[f.name]} for f in right.classes]
        + [{**_box_class(b), **scores[b.name]} for b in right.boxes],
        "agreement": agreement_doc(agreement_of(ws, replica, project, ALL, fewest=1)),
        **more,
    }


def _comparison(ws: Workspace, replica: Replica, project: ProjectView) -> tuple[str, str]:
    with ws.store.read() as connection:
        predicted = connection.execute(
            select(predictions.c.seq).where(predictions.c.project_id == project.id).limit(1)
        ).first()
    if predicted is not None:
        return MODEL, Against.FINAL.value
    decided = rightness(replica, project, PEOPLE, Against.ADJUDICATED).overall.n
    return PEOPLE, (Against.ADJUDICATED if decided else Against.GOLD).value


def _live_votes(ws: Workspace, project: ProjectView) -> int:
    with ws.store.read() as connection:
        return int(
            connection.execute(
                select(func.coalesce(func.sum(item_state.c.votes), 0)).where(
                    item_state.c.project_id == project.id
                )
            ).scalar_one()
        )


def _proportion(figure: Figure) -> dict[str, object]:
    return {"n": figure.n, "accuracy": figure.estimate.value, **_ends(figure.estimate)}


def _ends(estimate: Estimate) -> dict[str, float | None]:
    return {"low": estimate.low, "high": estimate.high}


def _box_class(found: BoxClass) -> dict[str, object]:
    """Return recall as the class's accuracy: how often its boxes are found."""
    return {"class": found.name, **_proportion(found.recall)}


def agreement_doc(view: AgreementView) -> Mapping[str, object]:
    """Return agreement as the command line prints it; low and high are alpha's, or the boxes' own."""
    if view.boxes is not None:
        shapes = view.shapes or UNDEFINED
        return {"shape_alpha": shapes.value,
                **{f"shape_alpha_{end}": v for end, v in _ends(shapes).items()},
                "box_f1": view.boxes.value, **_ends(view.boxes), "n": view.boxes.n, "votes": view.votes,
                "alpha": None, "percent": None, "fleiss_kappa": None, "ac1": None}  # fmt: skip
    found = view.labels or Agreement(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED)
    each = {"percent": found.percent, "fleiss_kappa": found.fleiss, "ac1": found.ac1}
    return {
        "alpha": found.alpha.value,
        **_ends(found.alpha),
        **{name: e.value for name, e in each.items()},
        **{f"{name}_{end}": v for name, e in each.items() for end, v in _ends(e).items()},
        "n": found.alpha.n,
        "votes": view.votes,
        "people": view.people,
    }
