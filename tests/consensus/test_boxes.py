"""Fusing boxes, and agreement of people who draw them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.consensus.box_agreement import box_agreement, item_score, pair_score
from core.consensus.fuse import fuse, largest_group
from core.labels import Answer
from core.labels.compare import same_regions
from core.stats.intervals import UNDEFINED
from tests.consensus.strategies import box, drawings


@given(drawings(), st.randoms(use_true_random=False))
def test_fusing_does_not_depend_on_order(people, random):
    """People and boxes shuffled fuse into the very same boxes."""
    again = [random.sample(p, len(p)) for p in random.sample(people, len(people))]
    assert fuse(again) == fuse(people)


@given(drawings(most_people=4))
def test_fusing_what_was_fused_changes_nothing(people):
    """The fused boxes, drawn again by several people, fuse into themselves."""
    once = fuse(people)
    again = fuse([once, once, once])
    assert [r.label for r in again] == [r.label for r in once]
    assert [e for r in again for e in r.box] == pytest.approx([e for r in once for e in r.box])


@given(drawings())
def test_fused_boxes_of_agreeing_people_lie_between_theirs(people):
    """Where all agree there is one box per cluster, each edge within what was drawn."""
    group = largest_group(people)
    assume(group.everybody)
    assert len(group.regions) == len(people[0])
    for r in group.regions:
        theirs = [q for p in people for q in p if q.label == r.label]
        for edge in ("x1", "y1", "x2", "y2"):
            drawn = [getattr(q, edge) for q in theirs]
            assert min(drawn) - 1e-9 <= getattr(r, edge) <= max(drawn) + 1e-9


@given(drawings())
def test_the_largest_group_is_the_largest(people):
    """Nobody has more people with the same boxes than the group has."""
    answers = [Answer(regions=p) for p in people]
    most = max(sum(same_regions(a, b) for b in answers) for a in answers)
    assert largest_group(people).size == most


def test_boxes_pair_one_to_one_with_their_own_class():
    """Two boxes on one spot of two classes stay two, each averaged with its like."""
    first = (box(0, 0), box(2, 0, label="white"))
    second = (box(4, 0, label="white"), box(2, 0))
    assert [(r.label, r.x1) for r in fuse([first, second])] == [("red", 1), ("white", 3)]


def test_a_fused_box_carries_no_confidence():
    """A label people agreed on does not keep a model's confidence."""
    model = box(0, 0)
    said = type(model)("red", *model.box, confidence=0.9)
    assert fuse([[said]])[0].confidence is None


@pytest.mark.parametrize(
    ("a", "b", "score"),
    [
        ((), (), 1.0),
        ((box(0, 0),), (), 0.0),
        ((box(0, 0),), (box(1, 0),), 1.0),
        ((box(0, 0), box(50, 0)), (box(1, 0),), 2 / 3),
        ((box(0, 0),), (box(1, 0, label="white"),), 0.0),
    ],
    ids=["both-empty", "one-empty", "same", "one-missing", "class"],
)
def test_pair_score_is_f1(a, b, score):
    """F1 of the boxes matched one to one, the same from both sides."""
    assert pair_score(Answer(regions=a), Answer(regions=b)) == pytest.approx(score)
    assert pair_score(Answer(regions=b), Answer(regions=a)) == pytest.approx(score)


def test_box_agreement_averages_items_and_leaves_out_single_votes():
    """The mean over items with two votes or more, with an interval around it."""
    right, wrong = Answer(regions=(box(0, 0),)), Answer(regions=(box(90, 90),))
    items = [(right, right)] * 6 + [(right, wrong)] * 3 + [(right, right, wrong)] + [(right,)]
    e = box_agreement(items)
    assert (e.n, e.value) == (10, pytest.approx((6 + 1 / 3) / 10))
    assert e.low < e.value < e.high
    assert item_score([right]) is None
    assert box_agreement([(right,)]) == UNDEFINED
