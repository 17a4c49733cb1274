"""Answers to gold and repeats: kept in `probe_votes`, never votes, receipts as any other's."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, Row, select

from core.access import Actor
from core.errors import InputError, ItemClosed, ReviewPaused
from core.labels import Answer
from core.labels.compare import same_answer
from core.queue.probes import Lent, hold_probes, lend, release_probes
from core.services.consensus.resolve import label_of
from core.services.items.past import answer_words
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import plan_in_force
from core.services.review.admission import admission
from core.services.review.drafts import drop_draft
from core.services.review.planting import ONBOARDING
from core.services.review.standing import Standing, next_revision
from core.services.review.submission import (
    Kind,
    Receipt,
    Submission,
    check_answer,
    checked_seconds,
    seen_version,
)
from core.services.talk.writing import open_for_flag
from core.services.visibility.blind import seen_prelabel
from core.services.visibility.guises import standings_of
from core.services.visibility.probes import Probe
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import gold_answers, probe_votes


def probe_receipt(
    connection: Connection, project: ProjectView, actor: Actor, submission: Submission
) -> Receipt | None:
    """Return the receipt of an answer that was kept already, None where it was not.

    Raises:
        InputError: The UUID belongs to another submission.
    """
    row = connection.execute(
        select(probe_votes).where(probe_votes.c.uuid == submission.uuid)
    ).first()
    if row is None:
        return None
    if row.person_id != actor.person_id or row.item_id != submission.item_id:
        raise InputError("This submission's UUID belongs to another one.", "Reload the page.")
    found = Receipt(submission.uuid, row.item_id, "already-saved", revision=row.revision)
    return _told(connection, project, found, row.purpose, row.right, row.gold_seq)


def answer_probe(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    submission: Submission,
    probe: Probe,
    item: Row,
    now: float,
) -> Receipt:
    """Keep what a person said of a planted item and answer as for any other.

    Raises:
        InputError: The answer does not fit the schema.
        ConflictError: As for a vote: it stands already, is stale, or the person is paused.
    """
    word = probe.word
    standing = None if word is None else Standing(word.revision, word.word)
    revision = next_revision(standing, submission)
    _check_open(connection, project, actor, submission, probe)
    answer = None
    if submission.kind == Kind.VOTE:
        if submission.answer is None:
            raise InputError("A vote needs an answer.", "Answer the item and send again.")
        answer = check_answer(project, submission.answer, item.width, item.height)
    seq, shown = seen_prelabel(
        connection, project, actor, item.id, submission.prelabel_seq, submission.prelabel_shown
    )
    submission = replace(submission, prelabel_seq=seq, prelabel_shown=shown)
    gold = gold_in_force(connection, item.id) if probe.kind == "gold" else None
    right = _right(project, answer, gold)
    _insert(connection, project, actor, submission, probe, answer, right, gold, revision, now)
    if submission.kind == Kind.FLAG:
        open_for_flag(connection, project, actor, item.id, submission.reason, now)
    release_probes(connection, actor.person_id, [item.id])
    if submission.kind == Kind.WITHDRAW:
        _hold_again(connection, ws, project, actor, probe, now)
    else:
        drop_draft(connection, actor, item.id)
    append_audit(
        connection, now, actor.name, f"{probe.kind} {submission.kind}", f"item {item.id}",
        project.id, {"uuid": submission.uuid},
    )  # fmt: skip
    receipt = Receipt(submission.uuid, item.id, "saved", revision=revision)
    return _told(connection, project, receipt, probe.purpose, right, gold.seq if gold else None)


def _hold_again(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    probe: Probe,
    now: float,
) -> None:
    """Put an item in hand again whose answer was taken back, with what it was lent before."""
    again = [(probe.item_id, probe.kind, probe.purpose)]
    seconds = ws.settings.lease_seconds
    hold_probes(connection, project.id, actor.person_id, again, now, seconds)
    guise = probe.guise
    if guise is not None:
        own = standings_of(connection, [probe.item_id])[probe.item_id]
        found = Lent(probe.item_id, own.boost, guise.confidence, guise.to_json())
        lend(connection, actor.person_id, [found])


def gold_in_force(connection: Connection, item_id: int) -> Row | None:
    """Return the newest gold answer of an item."""
    return connection.execute(
        select(gold_answers)
        .where(gold_answers.c.item_id == item_id)
        .order_by(gold_answers.c.seq.desc())
        .limit(1)
    ).first()


def is_right(project: ProjectView, answer: Answer, gold: Answer) -> bool:
    """Return whether an answer says what the gold says, as consensus compares two votes.

    Both are read in today's names; of questions the gold does not answer nothing is asked.
    """
    said, truth = project.schema.translate(answer), project.schema.translate(gold)
    asked = {*truth.choices, *truth.multi}
    said = replace(
        said,
        choices={k: v for k, v in said.choices.items() if k in asked},
        multi={k: v for k, v in said.multi.items() if k in asked},
    )
    if not project.schema.draws:
        said, truth = replace(said, regions=()), replace(truth, regions=())
    return same_answer(said, truth, project.policy.iou_at_least)


def _right(project: ProjectView, answer: Answer | None, gold: Row | None) -> bool | None:
    if answer is None or gold is None:
        return None
    return is_right(project, answer, Answer.from_json(gold.answer))


def _check_open(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    submission: Submission,
    probe: Probe,
) -> None:
    if submission.kind == Kind.WITHDRAW:
        return
    kept = "" if submission.answer is None else "; your work was kept as a draft"
    refusal = admission(connection, project, actor).refusal
    if refusal:
        raise ReviewPaused(refusal, "Your work was kept as a draft." if kept else "")
    if probe.said == Kind.FLAG and submission.kind != Kind.FLAG:
        raise ItemClosed(
            f"This item takes no more votes (it is dispute){kept}.", "Go on with the next one."
        )


def _insert(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    submission: Submission,
    probe: Probe,
    answer: Answer | None,
    right: bool | None,
    gold: Row | None,
    revision: int,
    now: float,
) -> None:
    connection.execute(
        probe_votes.insert(),
        {
            "uuid": submission.uuid,
            "project_id": project.id,
            "item_id": probe.item_id,
            "person_id": actor.person_id,
            "revision": revision,
            "kind": probe.kind,
            "purpose": probe.purpose,
            "word": submission.kind,
            "label": label_of(project, answer),
            "answer": answer.to_json() if answer else None,
            "reason": submission.reason.strip(),
            "right": right,
            "gold_seq": gold.seq if gold is not None else None,
            "schema_version": seen_version(submission.schema_version, project.schema_version),
            "guideline_version": seen_version(
                submission.guideline_version, project.guideline_version
            ),
            "prediction_seq": submission.prelabel_seq,
            "prelabel_shown": submission.prelabel_shown,
            "active_seconds": checked_seconds(submission.active_seconds),
            "via": submission.via,
            "guise": probe.guise.to_json() if probe.guise is not None else None,
            "at": now,
        },
    )


def _told(
    connection: Connection,
    project: ProjectView,
    receipt: Receipt,
    purpose: str,
    right: bool | None,
    gold_seq: int | None,
) -> Receipt:
    """Return the receipt, with the right answer where the project tells it: onboarding alone."""
    if purpose != ONBOARDING or right is None or gold_seq is None:
        return receipt
    if not plan_in_force(connection, project.id).feedback:
        return receipt
    text = connection.execute(
        select(gold_answers.c.answer).where(gold_answers.c.seq == gold_seq)
    ).scalar_one()
    truth = answer_words(project, Answer.from_json(text))
    return replace(receipt, right=right, truth=truth)
