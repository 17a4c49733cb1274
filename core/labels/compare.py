"""Comparing two answers: do they say the same?"""

from __future__ import annotations

from core.labels.answer import Answer
from core.labels.geometry import match_boxes


def same_regions(a: Answer, b: Answer, iou_at_least: float = 0.5) -> bool:
    """Return whether every box pairs with one of the other answer, class and IoU right, none extra."""
    if len(a.regions) != len(b.regions):
        return False
    return len(match_boxes(a.regions, b.regions, iou_at_least)) == len(a.regions)


def same_answer(a: Answer, b: Answer, iou_at_least: float = 0.5) -> bool:
    """Return whether both answers make the same choices and draw the same boxes."""
    return dict(a.choices) == dict(b.choices) and same_regions(a, b, iou_at_least)
