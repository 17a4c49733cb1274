"""What people said of planted tiles, kept so that each later word is answered as any other's is."""

from __future__ import annotations

from sqlalchemy import Connection, Row, select

from core.errors import InputError
from core.services.projects.project import ProjectView
from core.services.review.standing import next_revision
from core.services.review.submission import Receipt, Submission
from core.store.tables import annotation_log, probe_answers


def stands(connection: Connection, person_id: int, item_id: int) -> bool:
    """Return whether a person's word on a planted item stands: said and not taken back."""
    newest = _newest(connection, person_id, item_id)
    return newest is not None and newest.kind != "withdraw"


def receipt_of(connection: Connection, person_id: int, sent: Submission) -> Receipt:
    """Return the receipt that the record of real votes would give.

    Raises:
        InputError: The UUID belongs to another submission.
        AlreadySubmitted: The person's word stands already.
        StaleVersion: It was changed since, or there is none to take back.
    """
    elsewhere = select(annotation_log.c.seq).where(annotation_log.c.uuid == sent.uuid)
    said = connection.execute(
        select(probe_answers).where(probe_answers.c.uuid == sent.uuid)
    ).first()
    same = said is not None and (said.person_id, said.item_id) == (person_id, sent.item_id)
    if connection.execute(elsewhere).first() or (said is not None and not same):
        raise InputError("This submission's UUID belongs to another one.", "Reload the page.")
    if said is not None:
        return Receipt(sent.uuid, sent.item_id, "already-saved", revision=said.revision)
    revision = next_revision(_newest(connection, person_id, sent.item_id), sent)
    return Receipt(sent.uuid, sent.item_id, "saved", revision=revision)


def keep(
    connection: Connection,
    project: ProjectView,
    person_id: int,
    sent: Submission,
    receipt: Receipt,
    at: float,
) -> None:
    """Write what was said, once."""
    if receipt.status != "saved":
        return
    connection.execute(
        probe_answers.insert(),
        {
            "uuid": sent.uuid, "project_id": project.id, "item_id": sent.item_id,
            "person_id": person_id, "revision": receipt.revision, "kind": sent.kind, "at": at,
        },
    )  # fmt: skip


def _newest(connection: Connection, person_id: int, item_id: int) -> Row | None:
    return connection.execute(
        select(probe_answers.c.revision, probe_answers.c.kind)
        .where(probe_answers.c.person_id == person_id, probe_answers.c.item_id == item_id)
        .order_by(probe_answers.c.revision.desc())
        .limit(1)
    ).first()
