"""A model card: what a model is, was taught and judged by, may promise, and where it fails.

After Mitchell et al. 2019 (Model Cards for Model Reporting), filled in from the record alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import TiebreakError
from core.services.models.causes import Cause, causes_of
from core.services.models.promotion import EventView, promotion_standing
from core.services.models.skew import ServingCheck
from core.services.models.stored import asked_question, model_row
from core.services.projects.project import ProjectView, project_for
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace
from core.store.tables import campaigns, certificates, jobs

FEW = 30
"""Below so many evaluate labels a class's figure says little."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What one look at a certificate found of a model."""

    target: float
    confidence: float
    scope: str
    outcome: str
    sentence: str
    at: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything there is to know of a model before trusting it.

    Attributes:
        config: Of the run: network, mode, seed, recipe and the like.
        report: What the run wrote: figures, class balance, device, seconds.
        version: Name and hash of the labels it learnt from.
        few: Classes judged on fewer than 30 labels.
        untaught: Classes without a single training label: never predicted.
        causes: Why it is not better, as far as can be told.
        no_causes: Why that could not be looked at, or empty.
        promises: What certificates found, newest first.
        history: Who proposed it and put it in force, newest first.
        stale: What changed about its classes since, or empty.
    """

    model_id: int
    title: str
    at: float
    backbone: str
    mode: str
    task: str
    config: Mapping[str, object]
    report: Mapping[str, object]
    version: tuple[str, str]
    few: tuple[str, ...]
    untaught: tuple[str, ...]
    causes: tuple[Cause, ...]
    no_causes: str
    serving: ServingCheck | None
    promises: tuple[Promise, ...]
    history: tuple[EventView, ...]
    stale: str

    def to_markdown(self) -> str:
        """Return the card as a text to be kept beside the model."""
        return "\n".join(_lines(self)) + "\n"


def model_card(ws: Workspace, actor: Actor, slug: str, model_id: int) -> ModelCard:
    """Return the card of a model.

    Raises:
        NotFound: There is no such model.
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        row = model_row(connection, project, model_id)
        config = connection.execute(select(jobs.c.config).where(jobs.c.id == row.job_id)).scalar()
        promises = _promises(connection, model_id)
        stale = stale_because(connection, project, row.schema_version, json.loads(row.report))
    standing = promotion_standing(ws, actor, slug)
    causes, why_not = _causes(ws, project, row)
    report = json.loads(row.report)
    return ModelCard(
        model_id, project.title, row.at, row.backbone, row.mode, row.task,
        json.loads(config or "{}"), report, (row.version, row.version_hash),
        _few(report), _untaught(report), causes, why_not, standing.checks.get(model_id), promises,
        tuple(e for e in standing.history if e.model_id == model_id), stale,
    )  # fmt: skip


def _causes(ws: Workspace, project: ProjectView, row: Row) -> tuple[tuple[Cause, ...], str]:
    try:
        return causes_of(ws, project, row, asked_question(project, None)), ""
    except TiebreakError as error:
        return (), error.message


def _few(report: Mapping[str, object]) -> tuple[str, ...]:
    rows = report.get("per_class")
    found = [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    return tuple(str(r.get("label")) for r in found if int(r.get("n") or 0) < FEW)


def _untaught(report: Mapping[str, object]) -> tuple[str, ...]:
    balance = report.get("class_balance")
    return tuple(c for c, n in balance.items() if not n) if isinstance(balance, Mapping) else ()


def _promises(connection: Connection, model_id: int) -> tuple[Promise, ...]:
    rows = connection.execute(
        select(certificates, campaigns.c.target, campaigns.c.delta)
        .join(campaigns, campaigns.c.id == certificates.c.campaign_id)
        .where(certificates.c.model_id == model_id)
        .order_by(certificates.c.id.desc())
    )
    return tuple(Promise(r.target, 1 - r.delta, r.scope, r.outcome, r.sentence, r.at) for r in rows)


def _lines(card: ModelCard) -> list[str]:
    said = [f"# Model {card.model_id} of {card.title}", ""]
    said += [f"- Network: {card.backbone}; mode: {card.mode}; task: {card.task}"]
    said += [f"- Labels: version {card.version[0]} (SHA-256 {card.version[1]})"]
    said += [f"- {k}: {v}" for k, v in sorted(card.config.items()) if k in ("seed", "recipe")]
    said += ["", "## How right it is", "", f"- {_figure(card.report.get('eval'))}"]
    rows = card.report.get("per_class")
    for row in rows if isinstance(rows, list) else []:
        said.append(f"- {row.get('label')}: {_figure(row)}")
    said += [f"- {line}" for line in _sets(card.report.get("sets"))]
    said += ["", "## What it may promise", ""]
    said += [f"- {p.scope}: {p.sentence}" for p in card.promises] or ["- No certificate yet."]
    said += ["", "## Limits", "", *(f"- {t}" for t in _limits(card)), "", "## History", ""]
    said += [f"- {e.what} by {e.by}: {e.reason}" for e in card.history] or ["- Never in force."]
    return said


def _limits(card: ModelCard) -> list[str]:
    found = [str(card.report["notice"])] if card.report.get("notice") else []
    if card.stale:
        found.append(f"Stale: {card.stale}")
    if card.untaught:
        found.append(f"Never predicts, for want of labels: {', '.join(card.untaught)}.")
    if card.few:
        found.append(f"Judged on fewer than {FEW} labels: {', '.join(card.few)}.")
    found += [f"{c.evidence} {c.advice}" for c in card.causes]
    if card.serving is not None:
        found.append(card.serving.sentence)
    return found or ["None known."]


def _sets(found: object) -> list[str]:
    """Return mean AP, and F1 by class, where an image may have several classes."""
    if not isinstance(found, Mapping):
        return []
    return [f"All classes: {_figure(found)}"] + [
        f"{row.get('label')}: {_figure(row)}" for row in found["classes"]
    ]


def _figure(found: object) -> str:
    if not isinstance(found, Mapping):
        return "not evaluated"
    units = {
        "accuracy": "right", "map50": "mean AP at IoU 0.5", "mean_ap": "mean AP", "f1": "F1"
    }  # fmt: skip
    for key, unit in units.items():
        value = found.get(key)
        if isinstance(value, int | float):
            low, high = found.get("low"), found.get("high")
            ends = (
                f", 95 % interval {low:.1%} to {high:.1%}"
                if low is not None and high is not None
                else ""
            )
            return f"{value:.1%} {unit}{ends}, n = {found.get('n')}"
    return f"not enough data, n = {found.get('n', 0)}"
