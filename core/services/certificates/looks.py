"""Looks: a model's answers held against the checked items; a certificate or a refusal comes of each."""

from __future__ import annotations

import json

import numpy as np
from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import ConflictError, InputError, StoreCorrupt
from core.learning.certify import Certificate
from core.services.certificates import kept
from core.services.certificates.evidence import standings
from core.services.certificates.look import Look, found_by, free_of, prepared, surest
from core.services.certificates.promises import campaign_in_force, looks_of
from core.services.certificates.views import (
    CERTIFIED,
    REFUSED,
    CertificateView,
    certificate_rows,
    certificate_views,
)
from core.services.models.stored import model_row
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.certificate import spend
from core.store.audit import append_audit
from core.store.tables import acceptances, certificates


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
        ConflictError: Nothing is left to accept, the model's labels were revoked, it learnt from its own answers, or another
            look was taken meanwhile.
        Forbidden: The actor does not steer this project.
    """
    if count is not None and count < 1:
        raise InputError(
            f"A run accepts 1 item or more, found {count}.", "Correct it; no look was spent."
        )
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.STEER)
        campaign = campaign_in_force(connection, project)
        row = model_row(connection, project, model_id)
        _check_not_revoked(connection, campaign, model_id)
        _check_saw_labels_alone(row)
        stands = standings(connection, project)
        look = prepared(ws, connection, project, campaign, row, stands)
        if same := _looked_before(ws, connection, project, campaign, model_id, look, count):
            return same
    _check_something_is_left(look)
    number = look.number
    delta = spend(campaign.delta, number)
    chosen = surest(look, count)
    found = found_by(campaign, look, delta, chosen)
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


def _check_something_is_left(look: Look) -> None:
    """Refuse a look that could let nothing stand, before it is spent."""
    if not free_of(look).any():
        raise ConflictError(
            "Nothing is left that a model could decide: people have labelled every item, or it is kept "
            "back for checking; no look was spent.",
            "Import images nobody has labelled yet; of these some are drawn to certify by.",
        )


def _check_saw_labels_alone(row: Row) -> None:
    """Refuse a student: it is surer of images it answered itself, so checked ones no longer stand for them."""
    report = json.loads(row.report)
    taught = any(r.get("kept") for r in report.get("rounds", ())) or report.get("questions")
    if row.mode == "student" and taught:  # of further questions the report tells no rounds
        raise ConflictError(
            f"Model {row.id} was also taught with its own answers to unlabelled images and is surer of "
            "these than of the checked ones, so no certificate can rest on them; no look was spent.",
            "Certify a probe or a fine-tuned model; a student's pre-labels are checked in the queue.",
        )


def _items(look: Look, found: list[Certificate], chosen: np.ndarray) -> list[kept.KeptItem]:
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


def _about(look: Look, found: list[Certificate], count: int | None) -> dict[str, object]:
    return {
        "needs": {c.scope: c.needs for c in found},
        "count": count,
        "neighbour_weight": dict(look.believed.weights),
        "unsettled": look.sample.unsettled,
        "not_blind": len(look.sample.not_blind),
        "late": look.people.late,
        "fresh": look.fresh,
    }


def _sentence(look: Look, one: Certificate) -> str:
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
    look: Look,
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
    look: Look,
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
