"""The states an item, and its final label, can be in."""

from __future__ import annotations

from enum import StrEnum


class ItemState(StrEnum):
    """Where an item stands. The last six come with a final label (or its deliberate absence)."""

    OPEN = "open"
    """Nobody has voted, or more votes are wanted."""
    DISPUTE = "dispute"
    """The policy will not settle it, or somebody flagged it: a lead decides."""
    IMPORTED = "imported"
    AUTO_ACCEPTED = "auto-accepted"
    AGREED = "agreed"
    ADJUDICATED = "adjudicated"
    NEUTRAL = "neutral"
    """Settled as 'no class fits'; no final label."""
    DISCARDED = "discarded"
    """Settled as unusable; no final label."""

    @property
    def has_label(self) -> bool:
        """Return whether a final label is in force."""
        return self in LABELLED


LABELLED = frozenset(
    {ItemState.IMPORTED, ItemState.AUTO_ACCEPTED, ItemState.AGREED, ItemState.ADJUDICATED}
)
