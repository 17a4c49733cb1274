"""What is written down when an accepted label changes hands."""

from __future__ import annotations

from sqlalchemy import Row

from core.errors import InputError


def reason_given(reason: str) -> str:
    """Return a reason without what surrounds it.

    Raises:
        InputError: There is none.
    """
    if not reason.strip():
        raise InputError("This needs a reason.", "Say in a few words why.")
    return reason.strip()


def event(
    row: Row, item_id: int, prediction_seq: int, kind: str, reason: str, at: float
) -> dict[str, object]:
    """Return a row of acceptances on the word of a certificate."""
    return {
        "project_id": row.project_id, "item_id": item_id, "certificate_id": row.id,
        "prediction_seq": prediction_seq, "kind": kind, "reason": reason, "at": at,
    }  # fmt: skip
