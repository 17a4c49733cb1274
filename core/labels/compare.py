"""Comparing two answers: do they say the same?"""

from __future__ import annotations

from core.labels.answer import Answer
from core.labels.geometry import match_regions


def same_regions(a: Answer, b: Answer, iou_at_least: float = 0.5) -> bool:
    """Return whether every region pairs with one of the other answer, none extra.

    A pair has the same class and attributes, and is alike enough.
    """
    if len(a.regions) != len(b.regions):
        return False
    pairs = match_regions(a.regions, b.regions, iou_at_least, same_attributes=True)
    return len(pairs) == len(a.regions)


def same_answer(a: Answer, b: Answer, iou_at_least: float = 0.5) -> bool:
    """Return whether both answers make the same choices and draw the same regions."""
    return (
        dict(a.choices) == dict(b.choices)
        and {k: set(v) for k, v in a.multi.items()} == {k: set(v) for k, v in b.multi.items()}
        and same_regions(a, b, iou_at_least)
    )
