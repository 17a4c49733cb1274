"""Lineage: from a label to what it rests on, from a model to what it learnt, and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, func, select

from core.access import Action, Actor, Resource, can
from core.errors import NotFound, StoreCorrupt
from core.labels import Answer
from core.labels.state import ItemState
from core.services.items.why import said_briefly
from core.services.models.stored import model_row
from core.services.models.witnesses import witnesses
from core.services.projects.project import ProjectView, project_for
from core.services.review.used import UsedVersion, what_used
from core.services.versions.stored import stored_version
from core.services.visibility.probes import probes_of
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    batches,
    decisions,
    final_labels,
    imported_labels,
    item_names,
    item_state,
    items,
    model_events,
    people,
    prediction_sets,
    predictions,
)

UNSETTLED = (ItemState.OPEN, ItemState.DISPUTE)
LONGEST_NUMBER = 19
"""Digits from which on a number is none of ours: the record could not compare it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a label rests on.

    Attributes:
        kind: vote, decision, imported or prediction.
        by: Who said it: a person, a file or a model.
        guideline_version: What a person had before them.
        prelabel_shown: Whether a vote was given with the pre-label in view.
    """

    kind: str
    seq: int
    by: str
    said: str
    at: float
    reason: str = ""
    guideline_version: int | None = None
    prelabel_shown: bool | None = None


@dataclass(frozen=True, slots=True)
class PastLabel:
    """A label an item had or has, and what it rested on."""

    final_seq: int
    state: str
    label: str
    reason: str
    probability: float | None
    policy_version: int
    schema_version: int
    model: str
    who: tuple[str, ...]
    at: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class LabelLineage:
    """Where an item's labels come from and where they went.

    Attributes:
        withheld: Whether nothing is told: the actor could still vote on the item, or decide it.
        labels: Oldest first.
        versions: That keep the item, with the models trained on each.
    """

    item_id: int
    state: str
    withheld: bool
    labels: tuple[PastLabel, ...]
    versions: tuple[UsedVersion, ...]


@dataclass(frozen=True, slots=True)
class ModelLineage:
    """What a model learnt from, and what rests on its word.

    Attributes:
        version: Name of the dataset version.
        sound: Whether it is on disk as it was frozen; else the counts are empty.
        uses, classes, states: Of the items it learnt from or was judged by.
        people: Whose word its training labels rest on, to how many labels.
        outdated: Of its training labels, how many are no longer in force.
        predicted: Items its predictions were made for.
        accepted: Labels in force that rest on its word alone.
    """

    model_id: int
    backbone: str
    at: float
    version: str
    hash: str
    sound: bool
    uses: Mapping[str, int]
    classes: Mapping[str, int]
    states: Mapping[str, int]
    people: Mapping[str, int]
    policy_versions: tuple[int, ...]
    guideline_versions: tuple[int, ...]
    outdated: int
    predicted: int
    accepted: int
    promoted: bool


def label_lineage(ws: Workspace, actor: Actor, slug: str, item: int | str) -> LabelLineage:
    """Return what each label of an item rests on, and which versions and models have it.

    A label that was frozen, or was in force before, is told to all who steer, wherever the item
    stands today; not to those among them who could still vote on it, or decide it.

    Args:
        item: Its number, or one of its names.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see dataset versions.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        item_id = _numbered(connection, project, item)
    used = what_used(ws, actor, slug, item_id)
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        state = connection.execute(
            select(item_state.c.state).where(item_state.c.item_id == item_id)
        ).scalar_one()
        withheld = _could_judge(actor, project, state) or bool(
            probes_of(connection, project, actor, [item_id])
        )
        rows = connection.execute(
            select(final_labels)
            .where(final_labels.c.item_id == item_id, final_labels.c.answer.is_not(None))
            .order_by(final_labels.c.seq)
        ).all()
        labels = () if withheld else _labels(connection, project, rows)
    return LabelLineage(item_id, state, withheld, labels, () if withheld else used.versions)


def _could_judge(actor: Actor, project: ProjectView, state: str) -> bool:
    here = Resource(project.id)
    judges = can(actor, Action.VOTE, here) or can(actor, Action.ADJUDICATE, here)
    return judges and ItemState(state) in UNSETTLED


def _numbered(connection: Connection, project: ProjectView, item: int | str) -> int:
    """Return the number of an item that is named by it, or by one of its names.

    Raises:
        NotFound: There is none.
    """
    told = str(item).strip()
    mine = select(items.c.id).where(items.c.project_id == project.id)
    if told.isascii() and told.isdigit() and len(told) < LONGEST_NUMBER:
        found = connection.execute(mine.where(items.c.id == int(told))).scalar()
        if found is not None:
            return int(found)
    called = mine.join(item_names, item_names.c.item_id == items.c.id)
    found = connection.execute(
        called.where(item_names.c.name == told).order_by(item_names.c.seq).limit(1)
    ).scalar()
    if found is None:
        raise NotFound(
            f"There is no item '{told[:80]}' in '{project.slug}'.",
            "Name it by its number, or by its whole name, as it stands on *Items*.",
        )
    return int(found)


def _labels(
    connection: Connection, project: ProjectView, finals: Sequence[Row]
) -> tuple[PastLabel, ...]:
    known = witnesses(connection, project, finals)
    return tuple(
        PastLabel(
            r.seq, r.state, _said(project, r.answer), r.reason, r.probability, r.policy_version,
            r.schema_version, known[r.seq].model, known[r.seq].who, r.at,
            _evidence(connection, project, json.loads(r.evidence), known[r.seq].model),
        )
        for r in finals
    )  # fmt: skip


def _said(project: ProjectView, answer: str | None) -> str:
    if not answer:
        return ""
    return said_briefly(project.schema, project.schema.translate(Answer.from_json(answer)))


def _evidence(
    connection: Connection, project: ProjectView, doc: Mapping[str, object], model: str
) -> tuple[Evidence, ...]:
    seqs = doc.get("votes")
    votes = connection.execute(
        select(annotation_log, people.c.name)
        .join(people, people.c.id == annotation_log.c.person_id)
        .where(annotation_log.c.seq.in_(seqs if isinstance(seqs, list) else []))
        .order_by(annotation_log.c.seq)
    )
    found = [
        Evidence(
            "vote", v.seq, v.name, _said(project, v.answer), v.at, v.reason, v.guideline_version,
            v.prelabel_shown,
        )
        for v in votes
    ]  # fmt: skip
    ruled = connection.execute(
        select(decisions, people.c.name)
        .join(people, people.c.id == decisions.c.person_id)
        .where(decisions.c.seq == doc.get("decision"))
    )
    found += [
        Evidence(
            "decision", d.seq, d.name, _said(project, d.answer), d.at, d.reason,
            d.guideline_version,
        )
        for d in ruled
    ]  # fmt: skip
    brought = connection.execute(
        select(imported_labels, batches.c.origin)
        .outerjoin(batches, batches.c.id == imported_labels.c.batch_id)
        .where(imported_labels.c.seq == doc.get("imported"))
    )
    found += [
        Evidence("imported", i.seq, i.origin or "a file", _said(project, i.answer), i.at)
        for i in brought
    ]
    said = connection.execute(select(predictions).where(predictions.c.seq == doc.get("prediction")))
    found += [Evidence("prediction", p.seq, model, _said(project, p.answer), 0.0) for p in said]
    return tuple(found)


def model_lineage(ws: Workspace, actor: Actor, slug: str, model_id: int) -> ModelLineage:
    """Return what a model learnt from: version, labels, people; and what rests on its word.

    Raises:
        NotFound: There is no such model.
        Forbidden: The actor may not see dataset versions.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        row = model_row(connection, project, model_id)
        try:
            stored = stored_version(ws, connection, project, row.version)
        except StoreCorrupt:
            stored = None
        rows = stored.rows if stored else ()
        in_force = dict(
            connection.execute(
                select(item_state.c.item_id, item_state.c.final_seq).where(
                    item_state.c.project_id == project.id
                )
            )
            .tuples()
            .all()
        )
        predicted = _predicted(connection, model_id)
        accepted = _accepted(connection, project, model_id)
        promoted = connection.execute(
            select(model_events.c.seq)
            .where(model_events.c.model_id == model_id, model_events.c.what == "promoted")
            .limit(1)
        ).first()
    taught = [r for r in rows if r.use == "train"]
    return ModelLineage(
        model_id, row.backbone, row.at, row.version, row.version_hash, stored is not None,
        dict(Counter(r.use for r in rows)),
        dict(Counter(r.label or "" for r in taught).most_common()),
        dict(Counter(r.state for r in taught).most_common()),
        dict(Counter(name for r in taught for name in r.who).most_common()),
        tuple(sorted({r.policy_version for r in rows})),
        tuple(sorted({r.guideline_version for r in rows if r.guideline_version})),
        sum(in_force.get(r.item_id) != r.final_seq for r in taught), predicted, accepted,
        promoted is not None,
    )  # fmt: skip


def _sets(model_id: int) -> Select[tuple[int]]:
    return select(prediction_sets.c.id).where(prediction_sets.c.model_id == model_id)


def _predicted(connection: Connection, model_id: int) -> int:
    query = select(func.count(func.distinct(predictions.c.item_id))).where(
        predictions.c.set_id.in_(_sets(model_id))
    )
    return int(connection.execute(query).scalar_one())


def _accepted(connection: Connection, project: ProjectView, model_id: int) -> int:
    """Return how many labels in force the model decided alone."""
    query = (
        select(func.count())
        .select_from(item_state)
        .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state == ItemState.AUTO_ACCEPTED.value,
            predictions.c.set_id.in_(_sets(model_id)),
        )
    )
    return int(connection.execute(query).scalar_one())
