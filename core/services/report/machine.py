"""The sections about the model and what it saves, its certificate, and the frozen versions."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from core.services.certificates.savings import measured_savings
from core.services.certificates.views import list_certificates
from core.services.models.datasets import list_versions
from core.services.models.promotion import list_models, promotion_standing
from core.services.report.asked import Asked
from core.services.report.parts import COUNT, POINTS, Row, Section, count
from core.stats.intervals import Estimate

SECONDS = "s"


def saving(asked: Asked) -> Section:
    """Return the measured saving of people's time beside the claim, as of today."""
    found = measured_savings(asked.ws, asked.actor, asked.slug)
    rows = (
        Row("Time of people saved, measured", Estimate(found.saving, found.low, found.high, found.n)),
        Row(
            "Active seconds of an item from scratch",
            Estimate(found.seconds_from_scratch, None, None, found.n), None, SECONDS,
        ),
        Row(
            "Active seconds of a settled item with help",
            # Where it is not told, it is for want of items from scratch to hold it against.
            Estimate(
                found.seconds_with_help, None, None,
                found.n if found.seconds_with_help is None else found.settled,
            ), None, SECONDS,
        ),
        Row("Right with help less right from scratch", found.accuracy, None, POINTS),
    )  # fmt: skip
    return Section("saving", "Measured saving", rows, (found.sentence,))


def model(asked: Asked) -> Section:
    """Return the model in force, its newest certificate, and what happened to models in the week."""
    title, week = "Model and certificate", asked.week
    models = list_models(asked.ws, asked.actor, asked.slug)
    current = next((m for m in models if m.promoted), None)
    notes = ["No model is in force."]
    if current is not None:
        notes = [
            f"Model {current.id} ({current.backbone}, {current.mode}) is in force; it learnt from "
            f"{current.dataset_version}."
        ]
        if current.stale_because:
            notes.append(current.stale_because)
    newest = next(iter(list_certificates(asked.ws, asked.actor, asked.slug)), None)
    if newest is None:
        notes.append("No certificate was asked for.")
    else:
        notes.append(
            f"Newest certificate ({newest.outcome}, {_when(newest.at, week.tz)}): {newest.sentence}"
        )
    trained = sum(week.since <= m.at < week.until for m in models)
    rows = (Row("Models trained in the week", count(trained), None, COUNT, True),)
    lines = tuple(
        (_when(e.at, week.tz), f"{e.model_id}", e.what, e.reason)
        for e in promotion_standing(asked.ws, asked.actor, asked.slug).history
        if week.since <= e.at < week.until
    )
    return Section("model", title, rows, tuple(notes), ("when", "model", "what", "why"), lines)


def versions(asked: Asked) -> Section:
    """Return the dataset versions frozen in the week."""
    week = asked.week
    frozen = list_versions(asked.ws, asked.actor, asked.slug)
    found = [v for v in frozen if week.since <= v.at < week.until]
    notes = () if found else ("No dataset version was frozen in this week.",)
    lines = tuple((v.name, f"{v.n_items:,}", v.hash[:16], _when(v.at, week.tz)) for v in found)
    return Section(
        "versions",
        "Dataset versions frozen",
        (),
        notes,
        ("version", "labels", "hash", "when"),
        lines,
    )


def _when(at: float, tz: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(tz)):%Y-%m-%d %H:%M}"
