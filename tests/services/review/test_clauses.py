"""Clauses and causes in words: of classes, and of outlines, boxes and points, each in its own."""

from __future__ import annotations

import pytest

from core.consensus.autopsy import Cause
from core.labels.schema import Task
from core.services.review.clauses import cause_words, proposed_clause

WIDE, TIGHT = "Rust drawn wide", "Rust drawn tight"
HIGH, LOW = "Leaf placed higher", "Leaf placed lower"


def clause(kind: Cause, pair: tuple[str, str], difference: str, task: Task) -> str:
    """Return the clause that favours the first answer."""
    return proposed_clause(kind, pair, pair[0], 3, 1, None, None, difference, task)


@pytest.mark.parametrize("task", [Task.BOXES, Task.POLYGONS, Task.MASKS])
def test_a_border_that_does_not_show_is_no_choice_of_two_classes(task: Task):
    """Wide and tight are nothing to be seen: the clause says what to do at an edge that is hidden."""
    told = clause(Cause.AMBIGUOUS, (WIDE, TIGHT), "border", task)
    assert told.startswith("**Rust: where does it end?** Where ")
    assert told.endswith("(People differed on 4 images.)")
    assert "drawn" not in told
    assert cause_words(Cause.AMBIGUOUS, (WIDE, TIGHT), "border") == (
        "It does not show clearly where 'Rust' ends."
    )


def test_each_shape_has_its_own_words():
    """A box has sides, an outline is drawn, a mask is painted; which way is the favoured one."""
    shapes = (Task.BOXES, Task.POLYGONS, Task.MASKS)
    wide = [clause(Cause.GAP, (WIDE, TIGHT), "border", t) for t in shapes]
    tight = [clause(Cause.GAP, (TIGHT, WIDE), "border", t) for t in shapes]
    assert len({*wide, *tight}) == 6
    assert all(c.startswith("**Rust: how far does it reach?**") for c in (*wide, *tight))
    for told, word in zip(wide, ("box", "outline", "Paint"), strict=True):
        assert word in told


@pytest.mark.parametrize("pair", [(HIGH, LOW), ("Leaf with 4 points", "Leaf with 3 points")])
@pytest.mark.parametrize("kind", [Cause.GAP, Cause.OVERLAP, Cause.AMBIGUOUS])
def test_points_reach_nowhere(kind: Cause, pair: tuple[str, str]):
    """Of points it is asked where or which they are, never how far they reach."""
    told = clause(kind, pair, "border", Task.KEYPOINTS) + cause_words(kind, pair, "border")
    assert "point" in told
    assert "Leaf" in told
    for senseless in ("reach", "wide", "tight", "higher", "Neither", "whether 'Leaf"):
        assert senseless not in told


def test_a_thing_that_is_perhaps_not_there():
    """Whether to draw it is asked, not which of two answers is to be seen."""
    pair = ("Rust drawn", "Rust left out")
    assert clause(Cause.GAP, pair, "presence", Task.BOXES).startswith(
        "**Rust: draw it or not?** In doubt, draw it."
    )
    told = clause(Cause.AMBIGUOUS, pair, "presence", Task.BOXES)
    assert told.startswith("**Rust not clearly to be seen?** Leave it out")
    assert cause_words(Cause.OVERLAP, pair, "presence") == (
        "The same people now draw 'Rust', now leave it out."
    )


def test_a_class_that_is_named_like_a_drawing_is_a_class():
    """Without a difference of shapes nothing is read out of a name."""
    pair = ("hand drawn", "printed")
    told = clause(Cause.GAP, pair, "", Task.CLASSIFICATION)
    assert told.startswith("**hand drawn or printed?**")
    assert "'hand drawn' and 'printed'" in cause_words(Cause.GAP, pair)


@pytest.mark.parametrize("kind", [Cause.SLIP, Cause.UNKNOWN])
def test_no_rule_helps_a_slip(kind: Cause):
    """There is no clause where none would settle anything."""
    assert clause(kind, (WIDE, TIGHT), "border", Task.POLYGONS) == ""
