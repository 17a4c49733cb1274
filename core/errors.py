"""Every error Tiebreak raises on purpose, as one tree.

    TiebreakError
    ├── InputError
    │   ├── BadImage
    │   ├── BadArchive
    │   ├── BadAnnotationFile
    │   ├── BadCheckpoint
    │   └── LimitExceeded
    ├── ConflictError
    │   ├── LeaseLost
    │   ├── AlreadySubmitted
    │   ├── StaleVersion
    │   ├── ItemClosed
    │   └── ReviewPaused
    ├── AccessError
    │   ├── NotSignedIn
    │   │   └── OtherPerson
    │   └── Forbidden
    ├── NotFound
    ├── StorageError
    │   ├── StoreUnavailable
    │   ├── StoreCorrupt
    │   └── DiskFull
    └── TrainingError
        ├── OutOfMemory
        ├── WorkerDied
        └── EmptyTrainingSet

Each carries a stable ``code``, one plain sentence (``message``: what was wrong, where,
expected against found, what was kept) and ``advice``: what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_NAMED = 12


def one_of(known: Iterable[object], otherwise: str = "") -> str:
    """Return advice that names what can be chosen.

    Args:
        known: What there is; of many the first are named and the others counted.
        otherwise: What to say where there is nothing.
    """
    names = [str(k)[:60] for k in known]
    if not names:
        return otherwise
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"Choose {told}." if len(names) == 1 else f"Choose one of: {told}."


class TiebreakError(Exception):
    """Root of the tree; raised itself only by mistake."""

    code = "E000"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class InputError(TiebreakError):
    """Raised when something a person or a file gave cannot be used."""

    code = "INPUT"


class BadImage(InputError):
    """Raised when bytes cannot be decoded into an image we accept."""

    code = "BAD_IMAGE"


class BadArchive(InputError):
    """Raised when an archive is damaged, hostile or not an archive."""

    code = "BAD_ARCHIVE"


class BadAnnotationFile(InputError):
    """Raised when an annotation file cannot be read at all, or a row of it is refused."""

    code = "BAD_ANNOTATION_FILE"


class BadCheckpoint(InputError):
    """Raised when model weights are of a kind we will not load, or do not fit."""

    code = "BAD_CHECKPOINT"


class LimitExceeded(InputError):
    """Raised when something is larger than the setting that bounds it."""

    code = "LIMIT_EXCEEDED"


class ConflictError(TiebreakError):
    """Raised when the record changed under the caller."""

    code = "CONFLICT"


class LeaseLost(ConflictError):
    """Raised when a person no longer holds the item and no place on it is free."""

    code = "LEASE_LOST"


class AlreadySubmitted(ConflictError):
    """Raised when a person's vote on an item stands already (another tab, say)."""

    code = "ALREADY_SUBMITTED"


class StaleVersion(ConflictError):
    """Raised when a change was based on a version that is no longer in force."""

    code = "STALE_VERSION"


class ItemClosed(ConflictError):
    """Raised when an item takes no more votes or decisions of this kind."""

    code = "ITEM_CLOSED"


class ReviewPaused(ConflictError):
    """Raised when a person may not review in a project for now; what they sent is kept."""

    code = "REVIEW_PAUSED"


class AccessError(TiebreakError):
    """Raised when a person may not do what they asked."""

    code = "ACCESS"


class NotSignedIn(AccessError):
    """Raised when nobody is signed in, or the session has ended."""

    code = "NOT_SIGNED_IN"


class OtherPerson(NotSignedIn):
    """Raised when a page speaks for one person and another one is signed in by now."""

    code = "OTHER_PERSON"


class Forbidden(AccessError):
    """Raised when the person's roles do not allow the action."""

    code = "FORBIDDEN"


class NotFound(TiebreakError):
    """Raised when a thing does not exist, or may not be known to exist."""

    code = "NOT_FOUND"


class StorageError(TiebreakError):
    """Raised when the record or the workspace cannot be read or written."""

    code = "STORAGE"


class StoreUnavailable(StorageError):
    """Raised when the record cannot be reached, is busy too long or is of another version."""

    code = "STORE_UNAVAILABLE"


class StoreCorrupt(StorageError):
    """Raised when the record fails its integrity check or its hash chain is broken."""

    code = "STORE_CORRUPT"


class DiskFull(StorageError):
    """Raised when a write failed for want of space; nothing was half-written."""

    code = "DISK_FULL"


class TrainingError(TiebreakError):
    """Raised when a training run cannot start or go on."""

    code = "TRAINING"


class OutOfMemory(TrainingError):
    """Raised when the device has no memory left even at the smallest batch."""

    code = "OUT_OF_MEMORY"


class WorkerDied(TrainingError):
    """Raised when a worker process ended without saying why, or stopped its heartbeat."""

    code = "WORKER_DIED"


class EmptyTrainingSet(TrainingError):
    """Raised when there are too few labels, or too few classes, to learn from."""

    code = "EMPTY_TRAINING_SET"
