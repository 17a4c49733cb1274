"""Reviewing: keep drafts, submit votes, skips and flags, take them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite

from sqlalchemy import Connection, Row, delete, func, select

from core.access import Action, Actor, require_signed_in
from core.errors import (
    AlreadySubmitted,
    ConflictError,
    InputError,
    ItemClosed,
    LeaseLost,
    LimitExceeded,
    StaleVersion,
    StorageError,
    TiebreakError,
)
from core.labels import Answer
from core.labels.schema import has_visible
from core.labels.state import ItemState
from core.queue.claim import has_free_place, has_ruled, release
from core.services.consensus.resolve import label_of, resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.claiming import answers_as_expert, claim_one, require_item
from core.services.talk.writing import open_for_flag
from core.services.visibility.blind import seen_prelabel
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import annotation_log, drafts, item_state, predictions

SKIP_REASONS = (
    "unsure",
    "image-unusable",
    "wrong-subject",
    "several-subjects",
    "no-class-fits",
    "other",
)
FLAG_REASONS = ("guideline-unclear", "class-missing", "bad-image", "duplicate", "other")
MAX_REASON = 2000
MAX_DRAFTS = 1000
"""Of one person: more is no work of a person's (A14)."""
MAX_REGIONS = 2000
MAX_ACTIVE_SECONDS = 4 * 3600.0


class Kind(StrEnum):
    """What a person may do with an item."""

    VOTE = "vote"
    SKIP = "skip"
    FLAG = "flag"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Submission:
    """One decision of a person, made on the client and sent until it is acknowledged.

    Attributes:
        uuid: Made by the client; a resend with the same one changes nothing.
        base_revision: The revision of one's own answer this was based on; 0 where there was none.
        prelabel_seq: The prediction that was in force when the item was handed out.
        active_seconds: Time at work on it, pauses and hidden tabs left out.
        started_at: When the item came on screen, seconds since the epoch; 0 if unknown.
        schema_version: Whose classes were on screen; None takes those in force.
        guideline_version: The one the person could read; None takes the one in force.
        via: Where it was made: deck, canvas or grid.
    """

    uuid: str
    item_id: int
    kind: str
    answer: Answer | None = None
    reason: str = ""
    base_revision: int = 0
    prelabel_seq: int | None = None
    prelabel_shown: bool = False
    active_seconds: float = 0.0
    started_at: float = 0.0
    schema_version: int | None = None
    guideline_version: int | None = None
    via: str = "deck"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission: saved, already-saved, or refused with a sentence."""

    uuid: str
    item_id: int
    status: str
    code: str = ""
    message: str = ""
    advice: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One of a person's own latest answers."""

    item_id: int
    name: str
    kind: str
    label: str | None
    at: float
    revision: int


def save_draft(
    ws: Workspace, actor: Actor, slug: str, item_id: int, answer: Answer, base_revision: int = 0
) -> float:
    """Keep unsent work on an item and return when it was kept; one draft per person and item.

    Raises:
        InputError: The answer names an unknown class or holds a bad box.
        NotFound: There is no such item in this project.
        LimitExceeded: The actor has too many drafts already.
    """
    now = ws.clock()
    with ws.store.ephemeral() as connection:
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        row = require_item(connection, project, item_id)
        checked = check_answer(project, answer, row.width, row.height, complete=False)
        _drop_draft(connection, actor, item_id)
        _check_room(connection, actor)
        connection.execute(
            drafts.insert(),
            {
                "item_id": item_id,
                "person_id": actor.person_id,
                "doc": checked.to_json(),
                "base_revision": base_revision,
                "saved_at": now,
            },
        )
    return now


def _check_room(connection: Connection, actor: Actor) -> None:
    """Refuse to let one person fill the disk with drafts."""
    kept = connection.execute(
        select(func.count()).select_from(drafts).where(drafts.c.person_id == actor.person_id)
    ).scalar_one()
    if kept >= MAX_DRAFTS:
        raise LimitExceeded(
            f"You have {kept:,} unsent drafts, at most {MAX_DRAFTS:,} are kept; this one was not.",
            "Submit or skip some of them, then save again.",
        )


def _drop_draft(connection: Connection, actor: Actor, item_id: int) -> None:
    connection.execute(
        delete(drafts).where(drafts.c.item_id == item_id, drafts.c.person_id == actor.person_id)
    )


def my_recent(ws: Workspace, actor: Actor, slug: str, limit: int = 20) -> list[RecentRow]:
    """Return the actor's latest answers in a project, newest first.

    Raises:
        Forbidden: The actor may not see the project.
    """
    from core.services.visibility.views import names_of

    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN)
        rows = connection.execute(
            select(annotation_log)
            .where(
                annotation_log.c.project_id == project.id,
                annotation_log.c.person_id == actor.person_id,
            )
            .order_by(annotation_log.c.seq.desc())
            .limit(limit)
        ).all()
        names = names_of(connection, [r.item_id for r in rows])
    return [
        RecentRow(
            r.item_id,
            names[r.item_id][0],
            r.kind,
            r.label and project.schema.main.today(r.label),
            r.at,
            r.revision,
        )
        for r in rows
    ]


# --- submitting -------------------------------------------------------------------------------


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
        ItemClosed: The item was settled meanwhile.
        Forbidden: The actor may not vote here.

    After any of the four conflicts, and where a class was retired or a question added meanwhile,
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
    if again is not None:
        return again
    item = require_item(connection, project, submission.item_id)
    standing = _standing(connection, actor, submission.item_id)
    revision = next_revision(standing, submission)
    now = ws.clock()
    _check_open(connection, actor, submission, standing, now)
    answer = None
    if submission.kind == Kind.VOTE:
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
    resolve_items(connection, project, [submission.item_id], now)
    if submission.kind == Kind.WITHDRAW:
        claim_one(connection, ws, project, actor, submission.item_id, now)
    else:
        _drop_draft(connection, actor, submission.item_id)
    append_audit(
        connection, now, actor.name, submission.kind, f"item {submission.item_id}", project.id,
        {"uuid": submission.uuid},
    )  # fmt: skip
    return Receipt(submission.uuid, submission.item_id, "saved", revision=revision)


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
            "schema_version": _seen(submission.schema_version, project.schema_version),
            "guideline_version": _seen(submission.guideline_version, project.guideline_version),
            "prediction_seq": submission.prelabel_seq,
            "prelabel_shown": submission.prelabel_shown,
            "active_seconds": _seconds(submission.active_seconds),
            # A browser's clock may be wrong: nothing begins after it ended.
            "started_at": submission.started_at if 0 < submission.started_at <= now else None,
            "via": submission.via,
            "queue": queue if submission.kind == Kind.VOTE else "",
            "batch_id": None,
            "at": now,
        },
    )


def _seen(told: int | None, in_force: int) -> int:
    """Return the version a person had before them: never one that is yet to come."""
    return in_force if told is None else min(max(told, 1), in_force)


def _seconds(given: float) -> float:
    return min(max(given, 0.0), MAX_ACTIVE_SECONDS) if isfinite(given) else 0.0


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


def check_form(submission: Submission) -> None:
    """Check what can be checked of a submission without the record.

    Raises:
        InputError: It has no kind or UUID of ours, or its reason is missing or too long.
    """
    if submission.kind not in tuple(Kind):
        raise InputError(
            f"Unknown kind '{submission.kind[:40]}'; expected {[k.value for k in Kind]}."
        )
    named = submission.uuid.isascii() and submission.uuid.isprintable()
    if not (named and 8 <= len(submission.uuid) <= 64):
        raise InputError("A submission needs a UUID of its own.", "Reload the page.")
    if len(submission.reason) > MAX_REASON:
        raise InputError(
            f"The comment has {len(submission.reason)} characters, at most {MAX_REASON} fit.",
            "Shorten it and send again; nothing was lost.",
        )
    if submission.kind == Kind.FLAG and not has_visible(submission.reason):
        raise InputError(
            "A flag needs a reason.", "Say in a few words what the lead should look at."
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


def _standing(connection: Connection, actor: Actor, item_id: int) -> Row | None:
    """Return the actor's newest revision on an item."""
    return connection.execute(
        select(annotation_log.c.revision, annotation_log.c.kind)
        .where(
            annotation_log.c.item_id == item_id,
            annotation_log.c.person_id == actor.person_id,
        )
        .order_by(annotation_log.c.revision.desc())
        .limit(1)
    ).first()


def next_revision(standing: Row | None, submission: Submission) -> int:
    """Return the revision a submission makes, given the newest one with its kind.

    Raises:
        AlreadySubmitted: An answer stands and the submission knows of none.
        StaleVersion: It was based on another revision, or there is nothing to take back.
    """
    revision = 0 if standing is None else int(standing.revision)
    answered = standing is not None and standing.kind != Kind.WITHDRAW
    if submission.kind == Kind.WITHDRAW and not answered:
        raise StaleVersion(
            "There is no answer of yours on this item to take back.", "Go on with the next one."
        )
    if submission.base_revision == revision:
        return revision + 1
    if not answered:
        return revision + 1  # taken back meanwhile: a fresh answer is welcome
    if submission.base_revision == 0:
        raise AlreadySubmitted(
            "You have answered this item already, in another tab or before a reload; that answer stands.",
            "Open the item again to change it.",
        )
    raise StaleVersion(
        f"Your answer was changed elsewhere: this was based on revision "
        f"{submission.base_revision}, now it is {revision}; the newer one stands.",
        "Open the item again to see it.",
    )


def _check_open(
    connection: Connection,
    actor: Actor,
    submission: Submission,
    standing: Row | None,
    now: float,
) -> None:
    state = connection.execute(
        select(item_state.c.state).where(item_state.c.item_id == submission.item_id)
    ).scalar_one()
    kept = "" if submission.answer is None else "; your work was kept as a draft"
    if state in (ItemState.ADJUDICATED, ItemState.NEUTRAL, ItemState.DISCARDED):
        raise ItemClosed(
            f"This item was settled meanwhile{kept}.",
            "Go on with the next one.",
        )
    # Only a vote that stands holds a place already; a skip or a flag gave its place up.
    revising = standing is not None and standing.kind == Kind.VOTE
    if revising or submission.kind in (Kind.WITHDRAW, Kind.FLAG):
        return
    if state != ItemState.OPEN:
        raise ItemClosed(
            f"This item takes no more votes (it is {state}){kept}.",
            "Go on with the next one.",
        )
    if has_ruled(connection, submission.item_id, actor.person_id):
        raise ItemClosed(
            "You ruled on this item as a lead and have seen its votes, so others vote on it"
            f"{kept}.",
            "Go on with the next one.",
        )
    if not has_free_place(connection, submission.item_id, actor.person_id, now):
        raise LeaseLost(
            f"Your claim on this item ran out and others hold every place on it{kept}.",
            "Go on with the next one.",
        )


def check_answer(
    project: ProjectView, answer: Answer, width: int, height: int, *, complete: bool = True
) -> Answer:
    """Return the answer as it may be stored.

    Raises:
        InputError: It has too many boxes or does not fit the schema.
    """
    if len(answer.regions) > MAX_REGIONS:
        raise InputError(
            f"The answer has {len(answer.regions)} boxes, at most {MAX_REGIONS} are taken.",
            "Remove some and send again.",
        )
    return project.schema.check(answer, width, height, complete)
