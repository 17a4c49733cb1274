"""What fusing an item region by region gives: the regions, what is in dispute, and who was right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.labels.region import Region


class Dispute(StrEnum):
    """Why people have to look at a region again."""

    TOO_FEW = "too-few"
    """Fewer drew it than the quorum asks; it is not in the label."""
    CLASS_TIE = "class-tie"
    """Two classes have as many votes; the tie rule chose one."""


@dataclass(frozen=True, slots=True)
class FusedRegion:
    """One thing that people drew.

    Attributes:
        region: Their regions made one, with the class and attributes chosen by vote.
        by: Numbers of the people who drew it, ascending.
        of: How many answered.
        probability: The share of people who drew it, by their weights where they have some.
        classes: Each class said of it and its share among those who drew it, the largest first.
        dispute: Why it is in dispute, else None.
    """

    region: Region
    by: tuple[int, ...]
    of: int
    probability: float
    classes: tuple[tuple[str, float], ...]
    dispute: Dispute | None = None

    @property
    def people(self) -> int:
        """Return how many people drew it."""
        return len(self.by)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """How one person's regions fared; their own votes are part of the consensus.

    Attributes:
        drew: How many regions they drew.
        kept: How many of those are in the consensus.
        right: How many of those have the class that was chosen.
        wanted: How many regions the consensus has.
    """

    drew: int
    kept: int
    right: int
    wanted: int

    @property
    def precision(self) -> float | None:
        """Return the share of their regions that are in the consensus under their class."""
        return self.right / self.drew if self.drew else None

    @property
    def recall(self) -> float | None:
        """Return the share of the consensus that they drew, under its class."""
        return self.right / self.wanted if self.wanted else None


@dataclass(frozen=True, slots=True)
class FusedRegions:
    """An item's regions by consensus.

    Attributes:
        regions: Those that enough people drew, by their edges; none is a consensus too.
        refused: Those that too few drew.
        people: Each person's record, in the order the answers were given.
    """

    regions: tuple[FusedRegion, ...]
    refused: tuple[FusedRegion, ...]
    people: tuple[PersonRecord, ...]

    @property
    def disputed(self) -> tuple[FusedRegion, ...]:
        """Return what people have to look at: tied classes, then what too few drew."""
        return (*(r for r in self.regions if r.dispute), *self.refused)

    @property
    def label(self) -> tuple[Region, ...]:
        """Return the regions of the label alone."""
        return tuple(r.region for r in self.regions)
