"""Hypothesis strategies for votes, and small helpers to write them down."""

from __future__ import annotations

from hypothesis import strategies as st

from core.consensus import OnDisagreement, Policy, Vote
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import Task, make_question

LEAF = LabelSchema(
    Task.CLASSIFICATION,
    (
        make_question("label", "Which?", ["oak", "ash", "elm"]),
        make_question("ripe", "Ripe?", ["yes", "no"]),
    ),
)
CELLS = LabelSchema(Task.BOXES, (make_question("label", "Cell", ["red", "white"]),))


def said(*labels: str, ripe: str = "yes") -> tuple[Vote, ...]:
    """Return one vote per label, by p0, p1 and so on."""
    return tuple(
        Vote(f"p{i}", Answer({"label": label, "ripe": ripe})) for i, label in enumerate(labels)
    )


def drew(*people: tuple[Region, ...]) -> tuple[Vote, ...]:
    """Return one vote per set of boxes."""
    return tuple(Vote(f"p{i}", Answer(regions=regions)) for i, regions in enumerate(people))


def box(x: float, y: float, size: float = 20.0, label: str = "red") -> Region:
    """Return a square box from its top left corner, pixels."""
    return Region(label, x, y, x + size, y + size)


choices = st.builds(
    lambda label, ripe: Answer({"label": label, "ripe": ripe}),
    st.sampled_from(["oak", "ash", "elm"]),
    st.sampled_from(["yes", "no"]),
)

policies = st.builds(
    lambda overlap, rule, more: Policy(overlap, rule, overlap + more),
    st.integers(1, 3),
    st.sampled_from(OnDisagreement),
    st.integers(0, 4),
)


@st.composite
def drawings(draw, most_people: int = 5):
    """Draw sets of boxes by several people: a common truth, jittered, at times one missing."""
    truth = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["red", "white"])),
            max_size=4,
            unique_by=lambda t: t[:2],
        )
    )
    jitter = st.floats(-6, 6, allow_nan=False)
    people = []
    for _ in range(draw(st.integers(1, most_people))):
        regions = []
        for column, row, label in truth:
            if draw(st.integers(0, 9)) == 0:
                continue
            x, y = 40 * column + draw(jitter), 40 * row + draw(jitter)
            regions.append(Region(label, x, y, x + 20 + draw(jitter), y + 20 + draw(jitter)))
        people.append(tuple(regions))
    return people
