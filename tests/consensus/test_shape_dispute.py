"""What people who draw differ in: boxes are compared all at once, with the same outcome."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus import shape_dispute
from core.consensus.shape_dispute import shape_votes
from core.consensus.value import doubt_of, doubts_of
from core.labels import Answer, Region
from core.labels.geometry import iou_matrix, match_regions
from tests.consensus.strategies import CELLS, drawings

edge = st.floats(0, 40, allow_nan=False)
small = st.builds(
    lambda x, y, w, h, name: Region(name, x, y, x + w + 1, y + h + 1),
    edge, edge, edge, edge, st.sampled_from(["red", "white"]),
)  # fmt: skip
people = st.lists(st.lists(small, max_size=5), min_size=2, max_size=4)


@given(people, st.sampled_from([0.3, 0.5, 0.8]))
@settings(max_examples=150, deadline=None)
def test_boxes_at_once_are_matched_as_two_by_two(drawn, alike_from):
    """Every two people's pairs, and what is alike, are what the general matching gives."""
    at_once, plain = shape_dispute._boxes_matched(drawn), shape_dispute._matched(drawn)
    for a in range(len(drawn)):
        for b in range(a + 1, len(drawn)):
            assert at_once(a, b) == plain(a, b)
    every = [r for regions in drawn for r in regions]
    for one in every[:4]:
        for other in every[:4]:
            boxes = [np.array([r.box]) for r in (one, other)]
            assert shape_dispute._iou(one, other) == iou_matrix(*boxes)[0, 0]
            same = Region(one.label, *other.box)
            expected = bool(match_regions([one], [same], alike_from))
            assert shape_dispute._all_alike([one, same], alike_from) == expected
    assert shape_votes([Answer(regions=tuple(p)) for p in drawn], alike_from).said


@given(st.lists(drawings(3), max_size=4))
@settings(max_examples=60, deadline=None)
def test_doubts_of_many_are_those_of_each(items):
    """Looking at many items together tells of each what it tells alone."""
    said = [[Answer(regions=tuple(p)) for p in item] for item in [*items, []]]
    assert doubts_of(said, CELLS, 0.5) == [doubt_of(answers, CELLS, 0.5) for answers in said]
