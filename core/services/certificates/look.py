"""One look, worked out and written nowhere: what it goes by, and what it finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Row, func, select

from core.errors import InputError
from core.learning.certify import Candidates, Certificate, Evidence, certify, certify_groups
from core.services.certificates.believed import Believed, believed_by
from core.services.certificates.evidence import (
    Population,
    Sample,
    Standing,
    drawn_sample,
    in_arm,
    population,
    shown_items,
)
from core.services.certificates.promises import audit_share, looks_of
from core.services.certificates.regions import regions_believed_by
from core.services.consensus.draws import Arm, place
from core.services.models.prelabels import run_count
from core.services.projects.project import ProjectView
from core.services.projects.training_rules import rules_in_force
from core.services.visibility.views import metadata_of
from core.services.workspace import Workspace
from core.stats.certificate import Ladder
from core.store.tables import acceptances, final_labels

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Look:
    """What a look goes by.

    Attributes:
        number: Of the look in its campaign, from 1.
        groups: Of each item of the population, where the campaign is about groups.
        fresh: Whether only items checked after the model was trained count.
        main: Key of the first question.
    """

    number: int
    believed: Believed
    sample: Sample
    people: Population
    groups: np.ndarray | None
    fresh: bool
    main: str

    @property
    def evidence(self) -> Evidence:
        """Return the checked items."""
        return Evidence(
            np.array(self.sample.item_ids, dtype=np.int64), np.array(self.sample.wrong, dtype=bool)
        )


def prepared(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    campaign: Row,
    row: Row,
    stands: dict[int, Standing],
) -> Look:
    """Gather what a look goes by: a model's answers, the checked items, the population.

    Raises:
        InputError: The project asks what no certificate covers.
        BadCheckpoint: The run's files are missing or damaged.
        StoreCorrupt: The model's dataset version was changed on disk.
    """
    order = in_arm(connection, project.id, Arm.CERTIFY)
    believed, apart = _believed(ws, connection, project, campaign, row, order, stands)
    since = row.at if _taught_by_acceptance(connection, project.id, believed) else 0.0
    shown = shown_items(connection, project.id)
    mine = [i for i in order if i not in apart]
    sample = drawn_sample(mine, stands, shown, believed, project, since, campaign.iou)
    waiting = sum(not s.answered and s.use == "train" for s in stands.values())
    people = population(
        believed, stands, sample,
        apart | frozenset(in_arm(connection, project.id, Arm.SCRATCH)), campaign.at,
        audit_share(rules_in_force(connection, project.id), waiting),
        f"audit:{project.slug}:{campaign.id}",
    )  # fmt: skip
    groups = _groups(connection, project, campaign.scope, believed, people)
    number = looks_of(connection, campaign.id) + 1
    return Look(number, believed, sample, people, groups, since > 0, project.schema.main.key)


def _believed(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    campaign: Row,
    row: Row,
    order: Sequence[int],
    stands: dict[int, Standing],
) -> tuple[Believed, frozenset[int]]:
    """Return what the model says, and the certify items that served to tell how sure it is."""
    if not project.schema.draws:
        hashes = {i: one.content_hash for i, one in stands.items()}
        return believed_by(ws, project, row, hashes), frozenset()
    if campaign.scope == "classes":
        raise InputError(
            "The regions of an item are certified all together, not class by class.",
            "Open a campaign about all, or about slices.",
        )
    found = regions_believed_by(ws, connection, project, row, order, stands, campaign.iou)
    return found.believed, found.fitted_on


def _taught_by_acceptance(connection: Connection, project_id: int, believed: Believed) -> bool:
    """Return whether the model learnt from labels given after something had been accepted.

    What is left for people then depends on the certificate, and so does the model.
    """
    first = connection.execute(
        select(func.min(acceptances.c.at)).where(acceptances.c.project_id == project_id)
    ).scalar()
    last = connection.execute(
        select(final_labels.c.at).where(final_labels.c.seq == believed.taught_until)
    ).scalar()
    return first is not None and last is not None and last >= first


def found_by(campaign: Row, look: Look, delta: float, chosen: np.ndarray) -> list[Certificate]:
    """Return what the look finds, a certificate for each scope."""
    doc = json.loads(campaign.doc)
    ladder = Ladder(tuple(doc["starts"]), int(doc["steps"]))
    rows = look.people.rows[chosen]
    pool = Candidates(
        look.believed.item_ids[rows],
        look.believed.score[rows],
        None if look.groups is None else look.groups[chosen],
        look.people.closed[chosen],
    )
    confidence = 1 - campaign.delta
    if pool.group is None:
        return [certify(pool, look.evidence, campaign.target, delta, ladder, confidence)]
    names = sorted(set(pool.group.tolist()))
    return certify_groups(pool, look.evidence, campaign.target, delta, names, ladder, confidence)


def free_of(look: Look) -> np.ndarray:
    """Return which of the population a look could let stand: nobody labelled or checked them."""
    checked = np.isin(look.believed.item_ids[look.people.rows], look.evidence.item_ids)
    return ~look.people.closed & ~checked


def surest(look: Look, count: int | None) -> np.ndarray:
    """Return which of the population are looked at: so many of the surest that `count` are open."""
    free = free_of(look)
    wanted = run_count(int(free.sum()), count)
    if wanted >= int(free.sum()):
        return np.arange(len(free))
    ids = look.believed.item_ids[look.people.rows]
    # Equal scores in an order drawn from the items alone, so that the run is as long as asked.
    drawn = np.array([place(i) for i in ids.tolist()])
    order = np.lexsort((drawn, -look.believed.score[look.people.rows]))
    last = int(np.searchsorted(np.cumsum(free[order]), wanted))
    return np.sort(order[: last + 1])


def _groups(
    connection: Connection, project: ProjectView, scope: str, believed: Believed, people: Population
) -> np.ndarray | None:
    """Return the group of each item of the population, where the campaign is about groups."""
    if scope == "all":
        return None
    if scope == "classes":
        said = believed.answers[project.schema.main.key][people.rows]
        return np.array([f"class:{name}" for name in said], dtype=object)
    column = scope.partition(":")[2]
    ids = believed.item_ids[people.rows].tolist()
    values: dict[int, str] = {}
    for start in range(0, len(ids), _CHUNK):
        told = metadata_of(connection, ids[start : start + _CHUNK])
        values |= {i: doc[column] for i, doc in told.items() if column in doc}
    return np.array([f"slice:{column}={values.get(i, '')}" for i in ids], dtype=object)
