"""What is found to be suspicious, as the page, the terminal and the kept file see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.labels.state import ItemState
from core.stats.intervals import Estimate, wilson


class Kind(StrEnum):
    """What may be wrong; those of the label come first, then those of the image."""

    LABEL = "label"
    """Another class is likelier than the given one."""
    CONFLICT = "conflict"
    """Nearly the same picture has another label elsewhere."""
    SWAPPED = "swapped"
    """A region has the wrong class."""
    OVERLOOKED = "overlooked"
    """Something in the image has no region."""
    BADLY_LOCATED = "badly located"
    """A region lies beside what it marks."""
    LEAKAGE = "leakage"
    """Nearly the same picture serves for training and for judging."""
    OUTLIER = "outlier"
    """The image is unlike all others."""
    DUPLICATE = "duplicate"
    """Nearly the same picture is there twice, labelled alike."""

    @property
    def of_label(self) -> bool:
        """Return whether a label may be wrong, so that sending it back helps."""
        return self in _OF_LABEL


_OF_LABEL = (Kind.LABEL, Kind.CONFLICT, Kind.SWAPPED, Kind.OVERLOOKED, Kind.BADLY_LOCATED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, told by numbers of the record.

    Attributes:
        question: Title of the question, where it is not the first.
        label: What is given; empty where nothing is.
        suggested: What the evidence says instead; empty where it names nothing.
        score: 0 to 1 within its kind, the higher the more suspicious.
        reason: Why, in one plain sentence.
        final_seq: The final label it was found on; 0 for an item without one.
        others: Further items it is about.
        box: Edges of the region meant, pixels; empty for the whole image.
        later: Whether it ranks behind what is found on the first question.
    """

    item_id: int
    kind: Kind
    question: str
    label: str
    suggested: str
    score: float
    reason: str
    final_seq: int = 0
    others: tuple[int, ...] = ()
    box: tuple[float, ...] = ()
    later: bool = False

    def rank(self) -> tuple[bool, bool, int, float, int]:
        """Return what findings are ordered by: labels first, then by score."""
        place = 0 if self.kind.of_label else list(Kind).index(self.kind)
        return (not self.kind.of_label, self.later, place, -self.score, self.item_id)


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding with what a person sees of its item."""

    item: int
    file: str
    kind: Kind
    question: str
    label: str
    suggested: str
    score: float
    reason: str
    others: tuple[tuple[int, str], ...]
    box: tuple[float, ...]
    image: str
    size: tuple[int, int]
    state: ItemState
    final_seq: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found at one time.

    Attributes:
        found: The most suspicious first.
        n: Labelled items looked at.
        images: Images looked at.
        expected: How many labels of the first question are taken to be wrong.
        probabilities: How the probabilities were made, in words.
        notes: What could not be looked at, and why.
        state: Names the labels, images and models it rests on.
        at: When, seconds since the epoch.
    """

    found: tuple[Finding, ...]
    n: int
    images: int
    expected: int
    probabilities: str
    notes: tuple[str, ...]
    state: str
    at: float


@dataclass(frozen=True, slots=True)
class IssuesView:
    """What a person may look through.

    Attributes:
        issues: Those asked for, the most suspicious first.
        total: How many there are in all, whatever was asked for.
        matching: How many there are of those asked for, listed or not.
        questions: How many of each question, by its title, "" for the first.
        kinds: How many of each kind, among those of the question and class asked for.
        classes: How many on each given class, among those of the question and kind asked for.
        answered: How many a person has called right, and which are therefore left out.
        n: Labelled items looked at, then; `labelled` are those with a label in force now.
        first: Title of the first question; `expected` is of its labels alone.
        stale: Whether labels, images or models changed since.
        may_answer: Whether the reader may send items back or call them right.
    """

    issues: tuple[Issue, ...]
    total: int
    matching: int
    questions: Mapping[str, int]
    kinds: Mapping[Kind, int]
    classes: Mapping[str, int]
    answered: int
    n: int
    images: int
    expected: int
    probabilities: str
    notes: tuple[str, ...]
    at: float
    stale: bool
    may_answer: bool
    labelled: int
    first: str

    @property
    def wrong(self) -> Estimate:
        """Return how many labels of the first question are wrong, of those looked at, with Wilson's interval.

        It holds what chance makes of a count; where the model that doubts them errs is not in it.
        """
        if (
            not 0 < self.n >= self.expected
        ):  # of several classes a label may be counted more than once
            return Estimate(float(self.expected), None, None, self.n)
        return wilson(self.expected, self.n).times(self.n)
