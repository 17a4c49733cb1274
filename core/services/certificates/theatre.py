"""The threshold theatre: what any target would mean, sent once and looked at without spending anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import InputError
from core.labels import Answer
from core.learning.calibration import Reliability, reliability
from core.learning.certify import Candidates, Evidence, riskiest
from core.learning.curve import Costs, RiskCoverage, Scene, risk_coverage, theatre
from core.learning.detect import TradeRow, trade
from core.services.certificates.believed import REGIONS, Believed, believed_by
from core.services.certificates.evidence import (
    BY_PEOPLE,
    Sample,
    Standing,
    drawn_sample,
    population,
    shown_items,
    standings,
)
from core.services.certificates.regions import pre_labels, regions_believed_by
from core.services.consensus.draws import place
from core.services.models.stored import model_row
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import rules_in_force
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log

__all__ = [
    "Reliability",
    "RiskCoverage",
    "RiskyItem",
    "Scene",
    "TheatreData",
    "riskiest_items",
    "theatre_data",
]

RISKIEST = 20
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))
"""At which the trade of detection is told."""
DEFAULT_SECONDS = 5.0
"""Of active time an item, while nobody's was measured."""
_MEASURED = 2000


@dataclass(frozen=True, slots=True)
class RiskyItem:
    """An item that would just pass."""

    item_id: int
    name: str
    image: str
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class TheatreData:
    """Everything the page needs to answer any target at once.

    Attributes:
        model_id: Whose answers.
        curve: At most 400 points, by classes of the answers.
        reliability: Of confidence, on the same checked items.
        costs: Of people's work.
        seconds_measured: Whether the seconds were measured in this project.
        checked: Items the curve rests on.
        sentence: What they are.
        pool: For the riskiest items of any threshold.
        labels: The answer for each item of the pool.
        left: Items nobody has labelled or checked: what the model could decide.
    """

    model_id: int
    curve: RiskCoverage
    reliability: Reliability
    costs: Costs
    seconds_measured: bool
    checked: int
    sentence: str
    pool: Candidates
    labels: np.ndarray
    left: int = 0

    def scene(self, target: float, delta: float) -> Scene:
        """Return what a target and an error level would mean.

        Raises:
            InputError: The target or the level makes no sense.
        """
        if not (0 < target < 1 and 0 < delta < 1):
            raise InputError(f"Targets and levels lie between 0 and 1: {target:g}, {delta:g}.")
        return theatre(self.curve, target, delta, self.costs)


def theatre_data(ws: Workspace, actor: Actor, slug: str, model_id: int) -> TheatreData:
    """Return the curve of a model over certify and evaluate items that people have checked.

    It promises nothing and spends nothing; the certificate alone decides.

    Raises:
        NotFound: There is no such model.
        InputError: The project asks what no certificate covers.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        row = model_row(connection, project, model_id)
        stands = standings(connection, project)
        order = _checked(stands)
        believed, apart = _believed(ws, connection, project, row, order, stands)
        order = [i for i in order if i not in apart]
        sample = drawn_sample(order, stands, shown_items(connection, project.id), believed, project)
        people = population(
            believed, stands, sample, apart, float("inf"), 0.0, "", keep=sample.item_ids
        )
        costs, measured = _costs(connection, project)
    rows = people.rows
    if not len(rows):
        raise InputError(
            f"Model {model_id} has an answer for no image of '{slug}'.", "Train again."
        )
    labels = _labels(project, believed)[rows]
    groups = None if project.schema.draws else labels
    pool = Candidates(believed.item_ids[rows], believed.score[rows], groups, people.closed)
    seen = Evidence(np.array(sample.item_ids, dtype=np.int64), np.array(sample.wrong, dtype=bool))
    return TheatreData(
        model_id, risk_coverage(pool, seen), _calibrated(believed, sample), costs, measured,
        len(sample.item_ids), _sentence(len(sample.item_ids)), pool, labels,
        int((~people.closed & ~np.isin(pool.item_ids, seen.item_ids)).sum()),
    )  # fmt: skip


def detection_trade(
    ws: Workspace, actor: Actor, slug: str, model_id: int, iou: float = 0.5
) -> list[TradeRow]:
    """Return what each detection threshold trades: hits, duplicates, false and misplaced regions.

    On certify and evaluate items that people have checked; regions the model did not give when it
    pre-labelled are in no row.

    Raises:
        NotFound: There is no such model.
        InputError: The project asks for no regions, or the model has not pre-labelled.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        row = model_row(connection, project, model_id)
        if not project.schema.draws:
            raise InputError(f"'{slug}' asks for no regions, so there is no detection threshold.")
        stands = standings(connection, project)
        said = pre_labels(connection, project, row.id)
    known = [
        (stands[i].answer or "", said[i])
        for i in _checked(stands)
        if i in said and stands[i].state in BY_PEOPLE and stands[i].answer
    ]
    translate = project.schema.translate
    true = [translate(Answer.from_json(text)).regions for text, _ in known]
    return trade(true, [a.regions for _, a in known], THRESHOLDS, iou)


def _checked(stands: Mapping[int, Standing]) -> list[int]:
    """Return the items that people took up and no model learns from, in random order."""
    found = (i for i, s in stands.items() if s.use != "train" and s.answered)
    return sorted(found, key=lambda i: (place(i), i))


def _believed(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    row: Row,
    order: Sequence[int],
    stands: Mapping[int, Standing],
) -> tuple[Believed, frozenset[int]]:
    if not project.schema.draws:
        hashes = {i: s.content_hash for i, s in stands.items()}
        return believed_by(ws, project, row, hashes), frozenset()
    found = regions_believed_by(ws, connection, project, row, order, stands, 0.5)
    return found.believed, found.fitted_on


def _labels(project: ProjectView, believed: Believed) -> np.ndarray:
    """Return what is said of each item in a word: its class, or how many regions it has."""
    if not project.schema.draws:
        return believed.answers[project.schema.main.key]
    counts = [len(a.regions) for a in believed.answers[REGIONS]]
    return np.array([f"{n} region{'' if n == 1 else 's'}" for n in counts], dtype=object)


def riskiest_items(
    ws: Workspace, actor: Actor, slug: str, data: TheatreData, threshold: float
) -> list[RiskyItem]:
    """Return the twenty items that would just pass a threshold, least sure first.

    Raises:
        Forbidden: The actor may not see figures here.
    """
    ids = [int(i) for i in riskiest(data.pool, threshold, RISKIEST)]
    at = {int(i): n for n, i in enumerate(data.pool.item_ids.tolist())}
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        stands = standings(connection, project)
        known = [i for i in ids if i in stands]
        names = names_of(connection, known)
    return [
        RiskyItem(
            i,
            names[i][0],
            image_path(i, stands[i].content_hash),
            str(data.labels[at[i]]),
            float(data.pool.score[at[i]]),
        )
        for i in known
    ]


def _calibrated(believed: Believed, sample: Sample) -> Reliability:
    row_of = {i: n for n, i in enumerate(believed.item_ids.tolist())}
    rows = [row_of[i] for i in sample.item_ids]
    return reliability(np.clip(believed.score[rows], 0.0, 1.0), ~np.array(sample.wrong, dtype=bool))


def _costs(connection: Connection, project: ProjectView) -> tuple[Costs, bool]:
    """Return the cost of a vote by its mean active time, the newest votes counted."""
    rules = rules_in_force(connection, project.id)
    seconds = [
        float(s)
        for s in connection.execute(
            select(annotation_log.c.active_seconds)
            .where(
                annotation_log.c.project_id == project.id,
                annotation_log.c.kind == "vote",
                annotation_log.c.active_seconds > 0,
            )
            .order_by(annotation_log.c.seq.desc())
            .limit(_MEASURED)
        ).scalars()
    ]
    each = (fmean(seconds) if seconds else DEFAULT_SECONDS) * project.policy.overlap
    return Costs(each, rules.wage_per_hour, rules.currency), bool(seconds)


def _sentence(checked: int) -> str:
    if not checked:
        return "Nobody has checked an item that the model did not learn from; nothing can be told."
    return (
        f"From {checked:,} checked items that the model never saw. Looking here spends nothing and "
        "promises nothing: only a certificate does."
    )
