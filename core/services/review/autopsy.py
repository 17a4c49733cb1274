"""Why each open dispute is one, the disputes of one cause together, and the clause that would settle them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, func, select

from core.access import Action, Actor
from core.consensus.autopsy import Cause, autopsy
from core.labels.state import ItemState
from core.services.consensus.fits import fit_edition
from core.services.consensus.inference import fit_of
from core.services.consensus.resolve import CHUNK
from core.services.items.neighbours import neighbourhood
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.review.autopsy_clusters import (
    Cluster,
    DisputeAutopsy,
    Exemplar,
    SaidOf,
    clusters,
    single,
)
from core.services.review.autopsy_record import question, questions_of, read_votes
from core.services.review.clauses import proposed_clause
from core.services.review.digests import digests
from core.services.review.looks import by_look
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    decisions,
    gold_answers,
    item_state,
    items,
    models,
    prediction_sets,
    probe_votes,
)

MOST_PROJECTS = 16
STALE_SECONDS = 60.0
"""So old the cause of one dispute may be, if nothing was said of the item itself."""


@dataclass(frozen=True, slots=True)
class Autopsies:
    """Every open dispute's cause by item, and the clusters, the largest first."""

    disputes: Mapping[int, DisputeAutopsy]
    clusters: tuple[Cluster, ...]


Stamp = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found last, under which stamp, and when."""

    stamp: Stamp
    at: float
    made: Autopsies


_kept: weakref.WeakKeyDictionary[Engine, dict[int, _Kept]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def autopsies(ws: Workspace, actor: Actor, slug: str) -> Autopsies:
    """Return why each open dispute is one; remembered until something new is said.

    Raises:
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        stamp = _stamp(ws, connection, project)
        kept = _remembered(connection.engine, project.id)
        if kept is not None and kept.stamp == stamp:
            return kept.made
        made = _examine(ws, connection, project)
        engine = connection.engine
    with _lock:
        projects = _kept.setdefault(engine, {})
        if len(projects) >= MOST_PROJECTS:
            projects.clear()
        projects[project.id] = _Kept(stamp, ws.clock(), made)
    return made


def autopsy_of(ws: Workspace, actor: Actor, slug: str, item_id: int) -> DisputeAutopsy | None:
    """Return the cause of one dispute; None where the item is in none.

    What others said of other items in the last minute may be missing from it, so that a lead going
    from dispute to dispute does not wait for all of them to be looked at after every vote.

    Raises:
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        kept = _remembered(connection.engine, project.id)
        if kept is not None and 0 <= ws.clock() - kept.at < STALE_SECONDS:
            known = kept.made.disputes.get(item_id)
            if known is not None and _unchanged(connection, known):
                return known
    return autopsies(ws, actor, slug).disputes.get(item_id)


def _unchanged(connection: Connection, known: DisputeAutopsy) -> bool:
    """Return whether an item is still in dispute and nothing more was said of it."""
    log = annotation_log.c
    newest = select(func.max(log.seq)).where(log.item_id == known.item_id)
    state = select(item_state.c.state).where(item_state.c.item_id == known.item_id)
    return (
        connection.execute(state).scalar() == ItemState.DISPUTE
        and (connection.execute(newest).scalar() or 0) == known.newest_seq
    )


def _remembered(engine: Engine, project_id: int) -> _Kept | None:
    with _lock:
        return _kept.get(engine, {}).get(project_id)


def _stamp(ws: Workspace, connection: Connection, project: ProjectView) -> Stamp:
    newest = [
        connection.execute(
            select(func.max(column)).where(table.c.project_id == project.id)
        ).scalar()
        for table, column in (
            (annotation_log, annotation_log.c.seq), (decisions, decisions.c.seq),
            (prediction_sets, prediction_sets.c.id), (probe_votes, probe_votes.c.seq),
            (gold_answers, gold_answers.c.seq), (models, models.c.id), (items, items.c.id),
        )
    ]  # fmt: skip
    fit = fit_edition(ws, project)
    return (project.schema_version, project.policy_version, fit, *newest)


# --- from the record to causes ------------------------------------------------------------------


def _examine(ws: Workspace, connection: Connection, project: ProjectView) -> Autopsies:
    found = digests(ws, connection, project)
    if not found:
        return Autopsies({}, ())
    said = SaidOf(
        _newest(connection, project),
        {row.item_id: d.name for row, d in found},
        {row.item_id: d.image for row, d in found},
        _hidden(connection, project),
    )
    votes = read_votes(connection, project)
    hood, fit = neighbourhood(connection, ws, project), fit_of(ws, connection, project)
    differs = {row.item_id: d.differs for row, d in found}
    causes: list[DisputeAutopsy] = []
    gathered: list[Cluster] = []
    for key, ids in questions_of(project, votes, differs).items():
        asked = question(connection, project, votes, key, ids, hood, fit)
        done = autopsy(asked.record, asked.cases)
        told, likeness = by_look(single(asked, done, said), hood)
        causes += told
        gathered += clusters(project, asked, done, told, said, likeness)
    whole = _with_words(connection, project, gathered)
    return Autopsies(
        {d.item_id: _with_clause(d, whole[d.cluster]) for d in causes},
        tuple(sorted(whole.values(), key=lambda c: (-c.n, c.key))),
    )


def _with_words(
    connection: Connection, project: ProjectView, gathered: Sequence[Cluster]
) -> dict[str, Cluster]:
    """Return the clusters by key, their exemplars named and their clauses put."""
    shown = {e.item_id for c in gathered for e in (c.good, c.bad) if e is not None}
    names, images = _names(connection, sorted(shown))

    def named(exemplar: Exemplar | None) -> Exemplar | None:
        if exemplar is None:
            return None
        at = exemplar.item_id
        return replace(exemplar, name=names[at], image=images[at])

    whole = [replace(c, good=named(c.good), bad=named(c.bad)) for c in gathered]
    return {
        c.key: replace(
            c,
            clause=proposed_clause(
                Cause(c.kind),
                c.pair,
                c.favoured,
                c.kin,
                c.again,
                c.good,
                c.bad,
                c.difference,
                project.task,
            ),
        )
        for c in whole
    }


def _names(connection: Connection, ids: Sequence[int]) -> tuple[dict[int, str], dict[int, str]]:
    names: dict[int, str] = {}
    images: dict[int, str] = {}
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        names |= {i: n[0] for i, n in names_of(connection, some).items()}
        rows = connection.execute(
            select(items.c.id, items.c.content_hash).where(items.c.id.in_(some))
        )
        images |= {r.id: image_path(r.id, r.content_hash) for r in rows}
    return names, images


def _with_clause(dispute: DisputeAutopsy, cluster: Cluster) -> DisputeAutopsy:
    return replace(dispute, clause=cluster.clause, settles=cluster.kin if cluster.clause else 0)


def _newest(connection: Connection, project: ProjectView) -> dict[int, int]:
    """Return the newest thing said of each open dispute."""
    query = (
        select(annotation_log.c.item_id, func.max(annotation_log.c.seq))
        .join(item_state, item_state.c.item_id == annotation_log.c.item_id)
        .where(item_state.c.project_id == project.id, item_state.c.state == ItemState.DISPUTE.value)
        .group_by(annotation_log.c.item_id)
    )
    return {int(r[0]): int(r[1]) for r in connection.execute(query)}


def _hidden(connection: Connection, project: ProjectView) -> frozenset[int]:
    """Return the items that may not be examples: gold, and those drawn for evaluation."""
    gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    drawn = select(items.c.id).where(items.c.project_id == project.id, items.c.use == "evaluate")
    return frozenset(connection.execute(gold.union(drawn)).scalars())
