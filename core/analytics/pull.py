"""How far a shown pre-label pulls people: what they say with it in view, and blind."""

from __future__ import annotations

from dataclasses import dataclass

from core.analytics.replica import Replica


@dataclass(frozen=True, slots=True)
class Pull:
    """One person's votes on items that had a pre-label.

    Attributes:
        shown: Votes with the pre-label in view; of them `shown_same` said the same.
        blind: Votes without; of them `blind_same` said the same.
    """

    person_id: int
    shown: int
    shown_same: int
    blind: int
    blind_same: int


def prelabel_pull(
    replica: Replica, project_id: int, until: float | None = None
) -> tuple[Pull, ...]:
    """Return everybody who voted on items that had a pre-label, by number; of votes before `until`.

    Which items are blind for whom is drawn at random, so the difference is the pre-label's doing.

    Raises:
        LimitExceeded: It took too long.
    """
    return tuple(
        Pull(**row)
        for row in replica.query("prelabel_pull", {"project": project_id, "until": until})
    )
