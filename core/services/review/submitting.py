"""Submitting: votes, skips, flags and withdrawals, each saved durably once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from core.access import Action, Actor, require_signed_in
from core.errors import ConflictError, InputError, ItemClosed, StorageError, TiebreakError
from core.labels import Answer
from core.queue.claim import release
from core.services.consensus.resolve import label_of, resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.admission import check_may_review
from core.services.review.drafts import drop_draft, save_draft
from core.services.review.leases import answers_as_expert, claim_one, require_item
from core.services.review.probe_answers import answer_probe, probe_receipt
from core.services.review.standing import check_open, next_revision, standing_answer
from core.services.review.submission import (
    Kind,
    Receipt,
    Submission,
    check_answer,
    check_form,
    checked_seconds,
    seen_version,
)
from core.services.talk.writing import open_for_flag
from core.services.visibility.blind import seen_prelabel
from core.services.visibility.eligible import may_not_vote
from core.services.visibility.probes import probes_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, predictions


def submit_batch(
    ws: Workspace, actor: Actor, slug: str, submissions: Sequence[Submission]
) -> list[Receipt]:
    """Save each submission on its own and return a receipt for each; one bad row stops no other.

    Raises:
        NotSignedIn: Nobody is signed in; the client keeps everything and sends it again.
        StorageError: The record cannot be written now; the same, and what was saved stays saved.
    """
    require_signed_in(actor)
    receipts = []
    for submission in submissions:
        try:
            receipts.append(submit(ws, actor, slug, submission))
        except StorageError:
            raise
        except TiebreakError as error:
            receipts.append(
                Receipt(
                    submission.uuid,
                    submission.item_id,
                    "refused",
                    error.code,
                    error.message,
                    error.advice,
                )
            )
    return receipts


def submit(ws: Workspace, actor: Actor, slug: str, submission: Submission) -> Receipt:
    """Save one vote, skip, flag or withdrawal durably, derive the label anew, and return a receipt.

    Raises:
        InputError: The answer does not fit the schema; a draft kept before stays unless what
            was sent can be one.
        AlreadySubmitted: The actor's answer stands already (another tab, say).
        StaleVersion: The actor's answer was changed elsewhere since.
        LeaseLost: The lease ran out and others hold every place.
        ItemClosed: The item was settled meanwhile, or the policy keeps it from the actor.
        ReviewPaused: The actor may not review in this project for now.
        Forbidden: The actor may not vote here.

    After any of the five conflicts, and where a class was retired or a question added meanwhile,
    the answer that was sent is the actor's draft.
    """
    check_form(submission)
    try:
        with ws.store.write() as connection:
            return _submit(connection, ws, actor, slug, submission)
    except (ConflictError, InputError):  # a class retired meanwhile, say
        if submission.answer is not None:
            _keep_refused(ws, actor, slug, submission, submission.answer)
        raise


def _submit(
    connection: Connection, ws: Workspace, actor: Actor, slug: str, submission: Submission
) -> Receipt:
    project = project_for(connection, actor, slug, Action.VOTE, counted=False)
    again = _already(connection, actor, submission)
    again = again or probe_receipt(connection, project, actor, submission)
    if again is not None:
        return again
    item = require_item(connection, project, submission.item_id)
    probe = probes_of(connection, project, actor, [item.id]).get(item.id)
    if probe is not None:
        _check_prelabel(connection, submission)
        if submission.kind == Kind.VOTE and not probe.met:
            _check_eligible(connection, project, actor, submission)
        return answer_probe(connection, ws, project, actor, submission, probe, item, ws.clock())
    if submission.kind != Kind.WITHDRAW:
        check_may_review(connection, project, actor)
    standing = standing_answer(connection, actor, submission.item_id)
    revision = next_revision(standing, submission)
    now = ws.clock()
    check_open(connection, actor, submission, standing, now)
    answer = None
    if submission.kind == Kind.VOTE:
        _check_eligible(connection, project, actor, submission)
        if submission.answer is None:
            raise InputError("A vote needs an answer.", "Answer the item and send again.")
        answer = check_answer(project, submission.answer, item.width, item.height)
    _check_prelabel(connection, submission)
    seq, shown = seen_prelabel(
        connection, project, actor, submission.item_id, submission.prelabel_seq,
        submission.prelabel_shown,
    )  # fmt: skip
    submission = replace(submission, prelabel_seq=seq, prelabel_shown=shown)
    queue = answers_as_expert(connection, project, actor, item.id, now)
    _insert(connection, project, actor, submission, answer, revision, queue, now)
    if submission.kind == Kind.FLAG:
        open_for_flag(connection, project, actor, item.id, submission.reason, now)
    release(connection, actor.person_id, [submission.item_id], now)
    resolve_items(connection, project, [submission.item_id], now, ws=ws)
    if submission.kind == Kind.WITHDRAW:
        claim_one(connection, ws, project, actor, submission.item_id, now)
    else:
        drop_draft(connection, actor, submission.item_id)
    append_audit(
        connection, now, actor.name, submission.kind, f"item {submission.item_id}", project.id,
        {"uuid": submission.uuid},
    )  # fmt: skip
    return Receipt(submission.uuid, submission.item_id, "saved", revision=revision)


def _check_eligible(
    connection: Connection, project: ProjectView, actor: Actor, submission: Submission
) -> None:
    because = may_not_vote(connection, project, actor, submission.item_id)
    if because:
        raise ItemClosed(because, "Go on with the next one; what you answered was kept as a draft.")


def _keep_refused(
    ws: Workspace, actor: Actor, slug: str, submission: Submission, answer: Answer
) -> None:
    try:
        save_draft(ws, actor, slug, submission.item_id, answer, submission.base_revision)
    except TiebreakError:
        return  # the conflict is what the person must hear of, and the client still has the answer


def _insert(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    submission: Submission,
    answer: Answer | None,
    revision: int,
    queue: str,
    now: float,
) -> None:
    connection.execute(
        annotation_log.insert(),
        {
            "uuid": submission.uuid,
            "project_id": project.id,
            "item_id": submission.item_id,
            "person_id": actor.person_id,
            "revision": revision,
            "kind": submission.kind,
            "label": label_of(project, answer),
            "answer": answer.to_json() if answer else None,
            "reason": submission.reason.strip(),
            "schema_version": seen_version(submission.schema_version, project.schema_version),
            "guideline_version": seen_version(
                submission.guideline_version, project.guideline_version
            ),
            "prediction_seq": submission.prelabel_seq,
            "prelabel_shown": submission.prelabel_shown,
            "active_seconds": checked_seconds(submission.active_seconds),
            # A browser's clock may be wrong: nothing begins after it ended.
            "started_at": submission.started_at if 0 < submission.started_at <= now else None,
            "via": submission.via,
            "queue": queue if submission.kind == Kind.VOTE else "",
            "batch_id": None,
            "at": now,
        },
    )


def _check_prelabel(connection: Connection, submission: Submission) -> None:
    if submission.prelabel_seq is None:
        return
    of_item = connection.execute(
        select(predictions.c.item_id).where(predictions.c.seq == submission.prelabel_seq)
    ).scalar()
    if of_item != submission.item_id:
        raise InputError(
            f"Prediction {submission.prelabel_seq} is not one of item {submission.item_id}.",
            "Reload the page and send again.",
        )


def _already(connection: Connection, actor: Actor, submission: Submission) -> Receipt | None:
    row = connection.execute(
        select(annotation_log).where(annotation_log.c.uuid == submission.uuid)
    ).first()
    if row is None:
        return None
    if row.person_id != actor.person_id or row.item_id != submission.item_id:
        raise InputError("This submission's UUID belongs to another one.", "Reload the page.")
    return Receipt(submission.uuid, row.item_id, "already-saved", revision=row.revision)
