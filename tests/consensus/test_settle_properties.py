"""What holds of settling whatever the votes: order, names, one more vote."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from core.consensus import Decision, Evidence, Vote, settle
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import Task, make_question
from core.labels.state import ItemState
from tests.consensus.strategies import CELLS, LEAF, choices, drawings, drew, policies

TURNED = {"oak": "elm", "ash": "oak", "elm": "ash"}


def votes_of(answers):
    return tuple(Vote(f"p{i}", a) for i, a in enumerate(answers))


ballots = st.lists(choices, max_size=7).map(votes_of)


@given(ballots, policies, st.randoms(use_true_random=False), st.booleans())
def test_order_and_names_of_people_change_nothing(votes, policy, random, imported):
    """Votes shuffled among people renamed give the very same outcome."""
    shuffled = [v.answer for v in votes]
    random.shuffle(shuffled)
    renamed = tuple(Vote(f"z{100 - i}", a) for i, a in enumerate(shuffled))
    extra = {"imported": Answer({"label": "oak", "ripe": "no"})} if imported else {}
    before = settle(Evidence(votes, **extra), LEAF, policy)
    assert settle(Evidence(renamed, **extra), LEAF, policy) == before


@given(drawings(), policies, st.randoms(use_true_random=False))
def test_order_of_people_and_of_boxes_changes_nothing(people, policy, random):
    """Shuffled people who drew their boxes in another order give the very same outcome."""
    before = settle(Evidence(drew(*people)), CELLS, policy)
    again = [tuple(random.sample(p, len(p))) for p in random.sample(people, len(people))]
    assert settle(Evidence(drew(*again)), CELLS, policy) == before


@given(ballots, policies)
def test_renaming_and_reordering_classes_renames_the_outcome(votes, policy):
    """A class name, or its place in the schema, never sways a tie."""
    turned_schema = LabelSchema(
        Task.CLASSIFICATION,
        (make_question("label", "Which?", ["elm", "ash", "oak"]), LEAF.questions[1]),
    )
    turned = [
        Vote(v.person, Answer({**v.answer.choices, "label": TURNED[v.answer.choices["label"]]}))
        for v in votes
    ]
    before = settle(Evidence(votes), LEAF, policy)
    after = settle(Evidence(tuple(turned)), turned_schema, policy)
    assert (after.state, after.probability, after.votes_wanted, after.differs) == (
        before.state, before.probability, before.votes_wanted, before.differs,
    )  # fmt: skip
    if before.answer:
        assert after.answer.choices["label"] == TURNED[before.answer.choices["label"]]


@given(drawings(), policies)
def test_swapping_the_classes_of_boxes_swaps_them_in_the_outcome(people, policy):
    """Boxes settle by where they are, not by what their class is called."""
    swap = {"red": "white", "white": "red"}

    def swapped(regions):
        return tuple(Region(swap[r.label], *r.box) for r in regions)

    before = settle(Evidence(drew(*people)), CELLS, policy)
    after = settle(Evidence(drew(*map(swapped, people))), CELLS, policy)
    assert (after.state, after.probability) == (before.state, before.probability)
    if before.answer:
        assert set(after.answer.regions) == set(swapped(before.answer.regions))


@given(ballots, policies)
def test_an_agreeing_vote_never_lowers_support(votes, policy):
    """One more vote for an agreed label leaves the label and raises its support, or keeps it."""
    before = settle(Evidence(votes), LEAF, policy)
    if before.state is ItemState.AGREED:
        after = settle(Evidence((*votes, Vote("one more", before.answer))), LEAF, policy)
        assert (after.state, after.answer) == (ItemState.AGREED, before.answer)
        assert after.probability >= before.probability


@given(drawings(), policies)
def test_agreeing_boxes_never_lower_support(people, policy):
    """Drawing once more what the label holds keeps it agreed, with no less support."""
    before = settle(Evidence(drew(*people)), CELLS, policy)
    if before.state is ItemState.AGREED:
        after = settle(Evidence(drew(*people, before.answer.regions)), CELLS, policy)
        assert after.state is ItemState.AGREED
        assert after.probability >= before.probability


@given(ballots, policies)
def test_an_outcome_is_consistent(votes, policy):
    """Label and state go together, support is a majority, and more votes are wanted only if open."""
    outcome = settle(Evidence(votes), LEAF, policy)
    assert (outcome.answer is not None) == outcome.state.has_label
    assert (outcome.votes_wanted > len(votes)) == (outcome.state is ItemState.OPEN)
    assert outcome.votes_wanted <= max(policy.max_votes, policy.overlap)
    if outcome.state is ItemState.AGREED:
        assert 0.5 < outcome.probability <= 1
        assert math.isclose(
            outcome.probability,
            min(
                sum(v.answer.choices[k] == outcome.answer.choices[k] for v in votes) / len(votes)
                for k in ("label", "ripe")
            ),
        )


@given(ballots, ballots, policies, choices)
def test_later_votes_do_not_move_a_decision(votes, later, policy, decided):
    """Once a decision stands, whatever comes after changes nothing."""
    decision = Decision("decide", decided, "lead", len(votes))
    before = settle(Evidence(votes, decision), LEAF, policy)
    after = settle(
        Evidence((*votes, *later), decision, flagged=True, accepted=decided), LEAF, policy
    )
    assert after == before
    assert before.answer == decided


@given(ballots, policies)
def test_settling_the_label_again_gives_the_label(votes, policy):
    """People who all repeat the agreed label agree on it: settling is idempotent."""
    outcome = settle(Evidence(votes), LEAF, policy)
    if outcome.answer:
        repeat = votes_of([outcome.answer] * max(len(votes), policy.overlap))
        assert settle(Evidence(repeat), LEAF, policy).answer == outcome.answer
