"""The figures of quality as one document, for ``tiebreak stats`` and the report; names are stable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from core.analytics.asked import Against
from core.analytics.figures import Figure
from core.analytics.per_class import ClassScores, Scores
from core.analytics.replica import Replica
from core.services.analytics.calibration import CalibrationView, calibration_of, overconfidence
from core.services.analytics.gold import GoldResults, gold_results_of
from core.services.analytics.guideline_effect import GuidelineEffect, effect_of
from core.services.analytics.noise import Method, NoiseView, noise_of
from core.services.analytics.over_time import Week, weeks_of
from core.services.analytics.precision import every_reference
from core.services.analytics.rates import Rate, Rates, rates_of
from core.services.analytics.shapes import ShapeClass, ShapesView, shapes_of
from core.services.analytics.three_ways import ThreeWays, three_ways_of
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate

Doc = dict[str, Any]


def quality_doc(
    ws: Workspace, replica: Replica, project: ProjectView, whose: str, against: str
) -> Doc:
    """Return every figure of quality, however small its n; the caller has asked the gate.

    Raises:
        LimitExceeded: It took too long.
    """
    shaped = shapes_of(replica, project, whose, against, fewest=1)
    found = every_reference(replica, project, whose, fewest=1)
    return {
        "references": {name: scores_doc(s) for name, s in found.items()},
        "calibration": calibration_doc(calibration_of(replica, project, Against.FINAL)),
        "agreement_weeks": [_week(w) for w in weeks_of(replica, project, fewest=1)],
        "three_ways": {
            a.value: _three(three_ways_of(replica, project, a, fewest=1))
            for a in (Against.GOLD, Against.ADJUDICATED)
        },
        "rates": rates_doc(rates_of(ws, replica, project, fewest=1)),
        "gold": _gold(gold_results_of(ws, project, fewest=1)),
        "guideline_effect": effect_doc(effect_of(ws, replica, project)),
        "label_noise": noise_doc(noise_of(ws, replica, project)),
        "shapes": _shapes(shaped),
    }


def estimate_doc(estimate: Estimate) -> Doc:
    """Return value, n and both ends; what is undefined is None."""
    return {
        "value": estimate.value, "n": estimate.n, "low": estimate.low, "high": estimate.high
    }  # fmt: skip


def class_doc(scores: ClassScores) -> Doc:
    """Return recall, precision and F1 of one class."""
    return {
        "recall": estimate_doc(scores.recall.estimate),
        "precision": estimate_doc(scores.precision.estimate),
        "f1": estimate_doc(scores.f1),
    }


def scores_doc(scores: Scores) -> Doc:
    """Return the scores against one reference."""
    return {
        "basis": scores.basis.value,
        "left_out": scores.left_out,
        "accuracy": estimate_doc(scores.overall.estimate),
        "per_class": [{"class": c.name, **class_doc(c)} for c in scores.classes],
    }


def calibration_doc(view: CalibrationView) -> Doc:
    """Return calibration error, what chance would show, and the bins."""
    found = view.reliability
    return {
        "against": view.against,
        "basis": view.basis.value,
        "left_out": view.left_out,
        "ece": estimate_doc(found.ece),
        "chance": found.chance,
        "overconfidence": overconfidence(view),
        "bins": [
            {"from": b.low, "to": b.high, "confidence": b.confidence, **estimate_doc(b.accuracy)}
            for b in found.bins
        ],
    }


def _week(week: Week) -> Doc:
    return {
        "week": week.begins.isoformat(),
        "alpha": estimate_doc(week.alpha),
        "percent": estimate_doc(week.percent),
    }


def _three(found: ThreeWays) -> Doc:
    names = ("model", "people", "consensus", "model_over_people", "consensus_over_people",
             "consensus_over_model")  # fmt: skip
    each = {name: estimate_doc(getattr(found, name)) for name in names}
    return {"items": found.items, **each, "p_consensus_over_model": found.p_consensus_over_model}


def _figure(key: str, figure: Figure) -> Doc:
    return {key: figure.name, **estimate_doc(figure.estimate), "n": figure.n}


def _rate(rate: Rate) -> Doc:
    return {
        **estimate_doc(rate.overall.estimate),
        "n": rate.overall.n,
        "per_class": [_figure("class", f) for f in rate.classes],
        "per_person": [_figure("person", f) for f in rate.people],
    }


def rates_doc(rates: Rates) -> Doc:
    """Return each rate in all, by class and by person."""
    return {f.name: _rate(getattr(rates, f.name)) for f in fields(rates)}


def _gold(found: GoldResults) -> Doc:
    return {"items": found.items, **_rate(Rate(found.overall, found.classes, found.people))}


def effect_doc(found: GuidelineEffect) -> Doc:
    """Return the version before and after, and the interrupted time series."""
    series = found.series
    estimates: Mapping[str, Estimate] = {
        "before": found.before, "after": found.after, "gap": found.gap,
        "level": series.level if series else UNDEFINED,
        "slope": series.slope if series else UNDEFINED,
        "trend_before": series.trend if series else UNDEFINED,
    }  # fmt: skip
    return {
        "outcome": found.outcome,
        "version": found.version,
        "changed": found.changed.isoformat() if found.changed else None,
        "days_before": series.before if series else 0,
        "days_after": series.after if series else 0,
        **{name: estimate_doc(e) for name, e in estimates.items()},
    }


def noise_doc(view: NoiseView) -> Doc:
    """Return the share of wrong labels by the best method, and by each."""
    best = UNDEFINED if view.best is None else view.of(view.best)
    return {
        "method": view.best,
        **estimate_doc(best),
        **{str(m): estimate_doc(view.of(m)) for m in Method},
        "single_vote": estimate_doc(view.single_vote),
    }


def _shapes(view: ShapesView) -> list[Doc]:
    names = [f.name for f in fields(ShapeClass) if f.name not in ("name", "images")]
    return [
        {"class": c.name, "images": c.images, **{n: estimate_doc(getattr(c, n)) for n in names}}
        for c in view.classes
    ]
