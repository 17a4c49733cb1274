"""A submission: what a person decides, its receipt, and what can be checked without the record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from core.errors import InputError
from core.labels import Answer
from core.labels.schema import has_visible
from core.services.projects.project import ProjectView

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
    """What became of a submission: saved, already-saved, or refused with a sentence.

    Attributes:
        right: Of an onboarding item in a project that tells: whether the answer was right; else
            None.
        truth: The right answer in words, with `right`; else empty.
    """

    uuid: str
    item_id: int
    status: str
    code: str = ""
    message: str = ""
    advice: str = ""
    revision: int = 0
    right: bool | None = None
    truth: str = ""


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


def check_answer(
    project: ProjectView, answer: Answer, width: int, height: int, *, complete: bool = True
) -> Answer:
    """Return the answer as it may be stored.

    Raises:
        InputError: It has too many boxes or does not fit the schema.
    """
    check_count(len(answer.regions))
    return project.schema.check(answer, width, height, complete)


def check_count(regions: int) -> None:
    """Check that an answer has no more regions than are taken.

    Raises:
        InputError: It has.
    """
    if regions > MAX_REGIONS:
        raise InputError(
            f"The answer has {regions} boxes, at most {MAX_REGIONS} are taken.",
            "Remove some and send again.",
        )


def seen_version(told: int | None, in_force: int) -> int:
    """Return the version a person had before them: never one that is yet to come."""
    return in_force if told is None else min(max(told, 1), in_force)


def checked_seconds(given: float) -> float:
    """Return a time at work as it may be kept: finite, not below 0, four hours at most."""
    return min(max(given, 0.0), MAX_ACTIVE_SECONDS) if isfinite(given) else 0.0
