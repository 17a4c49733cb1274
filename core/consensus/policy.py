"""The policy: how many votes an item needs and what happens when they differ."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from core.errors import InputError

MOST_VOTES = 99


class OnDisagreement(StrEnum):
    """What happens to an item whose votes differ."""

    THIRD_VOTE = "third-vote"
    """More people are asked, up to the policy's most votes; a strict majority settles it."""
    DISCARD = "discard"
    NEUTRAL = "neutral"
    LEAD = "lead"


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a project's policy.

    Attributes:
        overlap: How many votes an item needs before it can be settled.
        on_disagreement: What happens when they differ.
        max_votes: With a third vote, the most votes before a lead decides.
        iou_at_least: Two boxes are the same from this overlap on, above 0 and at most 1.
        adjudicate_own: Whether a lead may decide an item they voted on.

    Raises:
        InputError: A number is out of bounds.
    """

    overlap: int = 2
    on_disagreement: OnDisagreement = OnDisagreement.THIRD_VOTE
    max_votes: int = 3
    iou_at_least: float = 0.5
    adjudicate_own: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.overlap <= MOST_VOTES:
            raise InputError(f"An item needs 1 to {MOST_VOTES} votes, found {self.overlap}.")
        third_vote = self.on_disagreement == OnDisagreement.THIRD_VOTE
        if third_vote and not self.overlap <= self.max_votes <= MOST_VOTES:
            raise InputError(
                f"The most votes lie between the {self.overlap} an item needs and {MOST_VOTES}, "
                f"found {self.max_votes}."
            )
        if not 0 < self.iou_at_least <= 1:
            raise InputError(
                f"The overlap from which boxes are the same lies above 0 and at most at 1, "
                f"found {self.iou_at_least:g}."
            )

    def to_json(self) -> str:
        """Return canonical JSON: same policy, same text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Policy:
        """Return the policy that `to_json` wrote; fields that are absent keep their default.

        Raises:
            InputError: The text is no policy, or a field is unknown or out of bounds.
        """
        try:
            doc = json.loads(text)
        except ValueError as e:
            raise InputError(f"This text is not a policy: {text[:100]!r}.") from e
        kinds = {f.name: type(f.default) for f in fields(Policy)}
        if not isinstance(doc, dict) or not doc.keys() <= kinds.keys():
            raise InputError(f"A policy has the fields {sorted(kinds)}, found {text[:100]!r}.")
        read: Any = {name: _read(name, kinds[name], value) for name, value in doc.items()}
        return Policy(**read)


def _read(name: str, kind: type, value: object) -> object:
    """Return the value of a policy's field, refusing what only looks like one (true for 1)."""
    if kind is OnDisagreement and isinstance(value, str) and value in set(OnDisagreement):
        return OnDisagreement(value)
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    expected = ", ".join(OnDisagreement) if kind is OnDisagreement else kind.__name__
    raise InputError(f"The policy's {name} is to be {expected}, found {value!r}.")


def describe(policy: Policy, *, boxes: bool = True) -> str:
    """Return the policy in a few plain sentences; what it says of regions only where any are drawn."""
    people = "One person votes" if policy.overlap == 1 else f"{policy.overlap} people vote"
    sentences = [f"{people} on each item.", _describe_disagreement(policy)]
    if boxes:
        sentences.append(
            f"Two regions are the same when their class and attributes are and they overlap by at "
            f"least {policy.iou_at_least * 100:.0f} % (keypoints: are as alike by OKS)."
        )
    sentences.append(
        "A lead may decide items they voted on."
        if policy.adjudicate_own
        else "A lead never decides an item they voted on."
    )
    return " ".join(s for s in sentences if s)


def _describe_disagreement(policy: Policy) -> str:
    if policy.on_disagreement == OnDisagreement.DISCARD:
        return "If any two differ, the item is discarded."
    if policy.on_disagreement == OnDisagreement.NEUTRAL:
        return "If any two differ, the item gets no label."
    if policy.on_disagreement == OnDisagreement.LEAD:
        return "If any two differ, a lead decides."
    if policy.max_votes == 1:
        return ""
    return (
        f"A label needs more than half of the votes; without it more people are asked, "
        f"up to {policy.max_votes} votes, and then a lead decides."
    )
