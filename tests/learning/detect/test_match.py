"""Whole items right or wrong, and what a threshold trades."""

from __future__ import annotations

import pytest

from core.labels.region import Region
from core.learning.detect import item_right, trade


def box(label: str, x: float, sure: float | None = None, side: float = 10.0) -> Region:
    return Region(label, x, 0, x + side, side, sure)


A, B = box("cell", 0), box("cell", 100)


@pytest.mark.parametrize(
    ("truth", "said", "right"),
    [
        ([], [], True),
        ([A], [], False),
        ([], [A], False),
        ([A], [box("cell", 2)], True),  # overlap 2/3
        ([A], [box("cell", 4)], False),  # overlap 3/7
        ([A], [box("clot", 0)], False),
        ([A, B], [box("cell", 1), box("cell", 99)], True),
        ([A, B], [box("cell", 1), box("cell", 0)], False),
        ([A], [box("cell", 0), box("cell", 1)], False),
        # The best single pair must not keep two good pairs apart.
        ([box("cell", 0), box("cell", 3)], [box("cell", 3), box("cell", 6)], True),
    ],
)
def test_an_item_is_right_when_every_region_is_found_once(truth, said, right) -> None:
    """One to one, of its class, overlapping by half or more, none besides."""
    assert item_right(truth, said) is right


def test_the_bound_on_overlap_is_the_projects() -> None:
    """What is right at one half is wrong at nine tenths."""
    said = [box("cell", 1)]
    assert item_right([A], said, 0.5)
    assert not item_right([A], said, 0.9)


def test_a_threshold_trades_hits_for_duplicates_false_and_misplaced_boxes() -> None:
    """Each region is counted once, as what it is; the surest of two on one is the hit."""
    said = [
        box("cell", 1, 0.9),
        box("cell", 0, 0.8),  # again on A
        box("cell", 106, 0.7),  # beside B
        box("clot", 100, 0.6),  # on B, of another class
        box("cell", 300, 0.5),
    ]
    low, high = trade([[A, B], []], [said, []], [0.1, 0.85])
    assert (low.hits, low.duplicates, low.misplaced, low.confused, low.false, low.missed) == (
        1, 1, 1, 1, 1, 1,
    )  # fmt: skip
    assert (high.hits, high.missed) == (1, 1)
    assert high.duplicates == high.misplaced == high.confused == high.false == 0
