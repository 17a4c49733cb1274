"""Looks: a model's answers held against the checked items; a certificate or a refusal comes of each."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor
from core.errors import ConflictError, InputError, StoreCorrupt
from core.learning.certify import Candidates, Certificate, Evidence, certify, certify_groups
from core.services.certificates import kept
from core.services.certificates.believed import Believed, believed_by, model_row
from core.services.certificates.evidence import (
    Population,
    Sample,
    Standing,
    drawn_sample,
    in_arm,
    population,
    shown_items,
    standings,
)
from core.services.certificates.promises import audit_share, campaign_in_force, looks_of
from core.services.certificates.views import (
    CERTIFIED,
    REFUSED,
    CertificateView,
    certificate_rows,
    certificate_views,
)
from core.services.consensus.draws import Arm, place
from core.services.projects.project import ProjectView, project_for
from core.services.projects.training_rules import rules_in_force
from core.services.visibility.views import metadata_of
from core.services.workspace import Workspace
from core.stats.certificate import Ladder, spend
from core.store.audit import append_audit
from core.store.tables import acceptances, certificates, final_labels

LEAST_RUN = 100
_CHUNK = 500


def run_count(not_started: int, requested: int | None) -> int:
    """Return how many items an auto-label run takes: at least a hundred, where there are as many."""
    if requested is None or not_started < LEAST_RUN:
        return not_started
    return min(not_started, max(LEAST_RUN, requested))


def certify_now(
    ws: Workspace, actor: Actor, slug: str, model_id: int, count: int | None = None
) -> CertificateView:
    """Spend a look on a model; the same look at the same labels is not spent twice.

    Args:
        ws: The workspace.
        actor: Who steers the project.
        slug: The project.
        model_id: Whose labels would be accepted.
        count: How many items to accept at most; all that may be by default.

    Returns:
        The certificate; where the campaign is about classes or slices the one accepting most.

    Raises:
        NotFound: There is no such model, or no campaign.
        InputError: The project asks what no certificate covers, or the count makes no sense.
        ConflictError: The model's labels were revoked, or another look was taken meanwhile.
        Forbidden: The actor does not steer this project.
    """
    return max(certify_all(ws, actor, slug, model_id, count), key=lambda c: c.accepted)


def certify_all(
    ws: Workspace, actor: Actor, slug: str, model_id: int, count: int | None = None
) -> list[CertificateView]:
    """Spend a look on a model and return a certificate for each scope of the campaign.

    Raises:
        NotFound: There is no such model, or no campaign.
        InputError: The project asks what no certificate covers, or the count makes no sense.
        ConflictError: The model's labels were revoked, or another look was taken meanwhile.
        Forbidden: The actor does not steer this project.
    """
    if count is not None and count < 1:
        raise InputError(f"A run accepts 1 item or more, found {count}.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        campaign = campaign_in_force(connection, project)
        row = model_row(connection, project, model_id)
        _check_not_revoked(connection, campaign, model_id)
        stands = standings(connection, project)
        look = _prepared(ws, connection, project, campaign, row, stands)
        if same := _looked_before(ws, connection, project, campaign, model_id, look, count):
            return same
    number = look.number
    delta = spend(campaign.delta, number)
    chosen = _surest(look, count)
    found = _found(campaign, look, delta, chosen)
    folder = ws.root / row.folder / "certificate" / f"c{campaign.id}-l{number}"
    kept.keep(folder, _items(look, found, chosen), _about(look, found, count))
    with ws.store.write() as connection:
        if looks_of(connection, campaign.id) != number - 1:
            raise ConflictError(
                "Another look was taken meanwhile; this one was not spent.", "Look again."
            )
        where = str(folder.relative_to(ws.root))
        _write(ws.clock(), connection, actor, campaign, row, look, found, delta, where)
        rows = certificate_rows(connection, project, campaign.id, number)
        return certificate_views(connection, ws.root, rows)


# --- one look ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    believed: Believed
    sample: Sample
    people: Population
    groups: np.ndarray | None
    fresh: bool
    main: str

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            np.array(self.sample.item_ids, dtype=np.int64), np.array(self.sample.wrong, dtype=bool)
        )


def _prepared(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    campaign: Row,
    row: Row,
    stands: dict[int, Standing],
) -> _Look:
    hashes = {i: one.content_hash for i, one in stands.items()}
    believed = believed_by(ws, project, row, hashes)
    since = row.at if _taught_by_acceptance(connection, project.id, believed) else 0.0
    sample = drawn_sample(
        in_arm(connection, project.id, Arm.CERTIFY), stands, shown_items(connection, project.id),
        believed, project, since,
    )  # fmt: skip
    waiting = sum(not s.answered and s.use == "train" for s in stands.values())
    people = population(
        believed, stands, sample,
        frozenset(in_arm(connection, project.id, Arm.SCRATCH)), campaign.at,
        audit_share(rules_in_force(connection, project.id), waiting),
        f"audit:{project.slug}:{campaign.id}",
    )  # fmt: skip
    groups = _groups(connection, project, campaign.scope, believed, people)
    number = looks_of(connection, campaign.id) + 1
    return _Look(number, believed, sample, people, groups, since > 0, project.schema.main.key)


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


def _check_not_revoked(connection: Connection, campaign: Row, model_id: int) -> None:
    taken_back = connection.execute(
        select(acceptances.c.seq)
        .join(certificates, certificates.c.id == acceptances.c.certificate_id)
        .where(
            certificates.c.campaign_id == campaign.id,
            certificates.c.model_id == model_id,
            acceptances.c.kind == "revoked",
        )
        .limit(1)
    ).first()
    if taken_back is not None:
        raise ConflictError(
            f"Labels that model {model_id} was trusted with were taken back; it is not looked at "
            "again in this campaign.",
            "Train a new model.",
        )


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


def _found(campaign: Row, look: _Look, delta: float, chosen: np.ndarray) -> list[Certificate]:
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


def _surest(look: _Look, count: int | None) -> np.ndarray:
    """Return which of the population are looked at: so many of the surest that `count` are open."""
    checked = np.isin(look.believed.item_ids[look.people.rows], look.evidence.item_ids)
    free = ~look.people.closed & ~checked
    wanted = run_count(int(free.sum()), count)
    if wanted >= int(free.sum()):
        return np.arange(len(free))
    ids = look.believed.item_ids[look.people.rows]
    # Equal scores in an order drawn from the items alone, so that the run is as long as asked.
    drawn = np.array([place(i) for i in ids.tolist()])
    order = np.lexsort((drawn, -look.believed.score[look.people.rows]))
    last = int(np.searchsorted(np.cumsum(free[order]), wanted))
    return np.sort(order[: last + 1])


def _items(look: _Look, found: list[Certificate], chosen: np.ndarray) -> list[kept.KeptItem]:
    """Return every item of the population as the look leaves it."""
    run = set(chosen.tolist())
    accepted = {int(i): c.scope for c in found for i in c.accepted}
    passing = {c.scope: c.threshold for c in found if c.threshold is not None}
    margins = look.believed.margin(look.main)
    rows = []
    for n, row in enumerate(look.people.rows.tolist()):
        item_id, score = int(look.believed.item_ids[row]), float(look.believed.score[row])
        scope = "all" if look.groups is None else str(look.groups[n])
        inside = n in run and scope in passing and score >= passing[scope]
        part = "accepted" if item_id in accepted else "open"
        if inside and look.people.audited[n]:
            part = "audit"
        rows.append(
            kept.KeptItem(
                item_id,
                score,
                float(margins[row]),
                look.believed.answer(row).to_json(),
                json.dumps(look.believed.top(look.main, row), ensure_ascii=False),
                scope,
                part,
            )
        )
    return rows


def _about(look: _Look, found: list[Certificate], count: int | None) -> dict[str, object]:
    return {
        "needs": {c.scope: c.needs for c in found},
        "count": count,
        "neighbour_weight": dict(look.believed.weights),
        "unsettled": look.sample.unsettled,
        "not_blind": len(look.sample.not_blind),
        "late": look.people.late,
        "fresh": look.fresh,
    }


def _sentence(look: _Look, one: Certificate) -> str:
    said = [one.sentence]
    if look.fresh:
        said.append(
            "Only items checked since the model was trained count: it has seen what was accepted."
        )
    if look.sample.unsettled:
        said.append(f"{look.sample.unsettled} taken up and not settled count as wrong.")
    if look.people.late:
        said.append(f"{look.people.late} images came after the draw; they are not covered.")
    return " ".join(said)


# --- the record ---------------------------------------------------------------------------------


def _write(
    at: float,
    connection: Connection,
    actor: Actor,
    campaign: Row,
    row: Row,
    look: _Look,
    found: list[Certificate],
    delta: float,
    folder: str,
) -> None:
    connection.execute(
        certificates.insert(),
        [
            {
                "project_id": row.project_id, "campaign_id": campaign.id, "model_id": row.id,
                "job_id": row.job_id, "look": look.number, "delta_spent": delta / len(found),
                "scope": c.scope, "threshold": c.threshold, "n_region": c.region,
                "n_sampled": c.sampled, "n_wrong": c.errors, "bound": c.bound,
                "n_accepted": len(c.accepted),
                "outcome": CERTIFIED if c.threshold is not None else REFUSED,
                "sentence": _sentence(look, c), "evidence_hash": look.sample.digest,
                "folder": folder, "by_id": actor.person_id, "at": at,
            }
            for c in found
        ],
    )  # fmt: skip
    append_audit(
        connection, at, actor.name, "looked", f"campaign {campaign.id}", row.project_id,
        {"look": look.number, "model": row.id, "delta": delta,
         "accepted": sum(len(c.accepted) for c in found)},
    )  # fmt: skip


def _looked_before(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    campaign: Row,
    model_id: int,
    look: _Look,
    count: int | None,
) -> list[CertificateView]:
    """Return the last look, if it was the same one: same model, labels and count."""
    rows = certificate_rows(connection, project, campaign.id, look.number - 1)
    if not rows or (rows[0].evidence_hash, rows[0].model_id) != (look.sample.digest, model_id):
        return []
    try:
        about = kept.read_about(ws.root / rows[0].folder)
    except StoreCorrupt:
        return []
    if (about.get("count"), about.get("late")) != (count, look.people.late):
        return []
    return certificate_views(connection, ws.root, rows)
