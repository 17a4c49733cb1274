"""Settling beyond the plain majority: by lead, by posterior, by inference, region by region."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.consensus import (
    Evidence,
    Inferred,
    InferredAnswer,
    OnDisagreement,
    Policy,
    Reason,
    settle,
)
from core.consensus.policy import RegionGeometry, RegionsBy, Stop
from core.consensus.settle import Vote
from core.consensus.truth.stopping import Stop as Code
from core.consensus.truth.stopping import StoppingRule, stops
from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from core.labels.state import ItemState
from tests.consensus.strategies import CELLS, LEAF, box, choices, drawings, drew, said

S, R = ItemState, Reason
LEAD2 = Policy(1, max_votes=5, stop=Stop.LEAD)
SURE = Policy(1, max_votes=4, stop=Stop.POSTERIOR, posterior_at_least=0.9)
FITS = Policy(2, max_votes=4, algorithm="dawid-skene")
EACH = Policy(2, max_votes=4, regions=RegionsBy.EACH)
TWO_CLASSES = LabelSchema(Task.CLASSIFICATION, (make_question("label", "Which?", ["oak", "ash"]),))


def reads(policy: Policy, rule: OnDisagreement) -> Policy:
    """Return the policy with another answer to a disagreement."""
    doc = {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
    return Policy(**{**doc, "on_disagreement": rule})


@pytest.mark.parametrize(
    ("labels", "policy", "state", "label", "wanted", "reason"),
    [
        (("oak",), LEAD2, S.OPEN, None, 2, R.WAITING),
        (("oak", "oak"), LEAD2, S.AGREED, "oak", 0, R.ALL_AGREE),
        (("oak", "ash"), LEAD2, S.OPEN, None, 4, R.MORE_VOTES),
        (("oak", "ash", "oak"), LEAD2, S.OPEN, None, 4, R.MORE_VOTES),
        (("oak", "ash", "oak", "oak"), LEAD2, S.AGREED, "oak", 0, R.LEAD_REACHED),
        (("oak", "ash", "oak", "ash", "oak"), LEAD2, S.AGREED, "oak", 0, R.MAJORITY),
        (("oak", "ash", "oak", "ash", "elm"), LEAD2, S.DISPUTE, None, 0, R.NO_MAJORITY),
        (
            ("oak", "ash", "oak", "ash"),
            reads(LEAD2, OnDisagreement.LEAD), S.DISPUTE, None, 0, R.NO_LEAD,
        ),
        (
            ("oak", "ash", "oak", "ash"),
            reads(LEAD2, OnDisagreement.NEUTRAL), S.NEUTRAL, None, 0, R.NO_LEAD,
        ),
    ],
)  # fmt: skip
def test_a_lead_ends_the_voting(labels, policy, state, label, wanted, reason):
    """Votes are asked for until one answer is two ahead, and what the policy says after the most."""
    outcome = settle(Evidence(said(*labels)), LEAF, policy)
    assert (outcome.state, outcome.votes_wanted, outcome.reason) == (state, wanted, reason)
    assert (outcome.answer.choices["label"] if outcome.answer else None) == label


@given(st.lists(st.sampled_from(["oak", "ash"]), min_size=1, max_size=5), st.integers(1, 3))
def test_the_lead_is_that_of_the_stopping_rule(labels, lead):
    """Settled by lead or at the most votes exactly where `stops` of the kernels says so."""
    policy = Policy(1, max_votes=5, stop=Stop.LEAD, lead_of=lead)
    votes = tuple(Vote(str(i), Answer({"label": x})) for i, x in enumerate(labels))
    outcome = settle(Evidence(votes), TWO_CLASSES, policy)
    tally = [[labels.count("oak"), labels.count("ash")]]
    code = stops(StoppingRule(lead=lead, maximum=5), tally)[0]
    if code == Code.LEAD:
        assert outcome.reason in (R.LEAD_REACHED, R.ALL_AGREE)
    elif code == Code.MAXIMUM:
        assert outcome.reason is R.MAJORITY
    else:
        assert outcome.state is S.OPEN


def test_a_posterior_ends_the_voting():
    """One vote of three classes is not sure enough at 90 %, two alike are; at the most a majority is."""
    one, two = said("oak"), said("oak", "oak")
    assert settle(Evidence(one), LEAF, SURE).votes_wanted == 2
    agreed = settle(Evidence(two), LEAF, SURE)
    assert (agreed.state, agreed.reason) == (S.AGREED, R.ALL_AGREE)
    assert 0.9 <= agreed.probability < 1
    split = settle(Evidence(said("oak", "ash", "oak", "ash")), LEAF, SURE)
    assert (split.state, split.reason) == (S.DISPUTE, R.NO_MAJORITY)


def found(label: str, p: float, ripe: float = 0.99) -> Inferred:
    """Return what an algorithm might make of an item."""
    return Inferred({"label": InferredAnswer(label, p), "ripe": InferredAnswer("yes", ripe)})


def test_what_is_inferred_counts_where_votes_differ():
    """Sure enough it is the label, even against the majority; else more are asked, then a lead."""
    votes = said("oak", "oak", "ash")
    sure = settle(Evidence(votes), LEAF, FITS, found("ash", 0.97))
    assert (sure.state, sure.reason, sure.probability) == (S.AGREED, R.INFERRED, 0.97)
    assert sure.answer.choices["label"] == "ash"
    unsure = settle(Evidence(votes), LEAF, FITS, found("ash", 0.9))
    assert (unsure.state, unsure.votes_wanted, unsure.differs) == (S.OPEN, 4, ("label",))
    ended = settle(Evidence((*votes, *said("ash")[:1])), LEAF, FITS, found("ash", 0.9))
    assert (ended.state, ended.reason) == (S.DISPUTE, R.NOT_SURE)
    neutral = settle(
        Evidence((*votes, *said("ash")[:1])),
        LEAF, reads(FITS, OnDisagreement.NEUTRAL), found("ash", 0.9),
    )  # fmt: skip
    assert (neutral.state, neutral.reason) == (S.NEUTRAL, R.NOT_SURE)


def test_votes_that_agree_are_the_label_whatever_is_inferred():
    """No algorithm overrules people who all say the same; a bound on the posterior may ask for more."""
    votes = said("oak", "oak")
    assert settle(Evidence(votes), LEAF, FITS, found("ash", 0.99)).answer.choices["label"] == "oak"
    bound = Policy(2, max_votes=4, algorithm="dawid-skene", stop=Stop.POSTERIOR)
    asked = settle(Evidence(votes), LEAF, bound, found("oak", 0.9))
    assert (asked.state, asked.votes_wanted) == (S.OPEN, 3)
    last = settle(Evidence(votes * 2), LEAF, bound, found("oak", 0.9))
    assert (last.state, last.reason) == (S.AGREED, R.ALL_AGREE)


def test_without_a_fit_votes_are_counted():
    """Nothing inferred is as with the plain majority."""
    votes = said("oak", "oak", "ash")
    plain = settle(Evidence(votes), LEAF, Policy(2, max_votes=4))
    assert settle(Evidence(votes), LEAF, FITS) == plain
    assert settle(Evidence(votes), LEAF, FITS, Inferred()) == plain


policies = st.builds(
    lambda overlap, more, rule, stop, lead, algorithm: Policy(
        overlap, rule, overlap + more, stop=stop, lead_of=min(lead, overlap + more),
        algorithm=algorithm,
    ),
    st.integers(1, 3),
    st.integers(0, 4),
    st.sampled_from(OnDisagreement),
    st.sampled_from(Stop),
    st.integers(1, 3),
    st.sampled_from(["majority", "dawid-skene"]),
)  # fmt: skip
guesses = st.none() | st.builds(
    found, st.sampled_from(["oak", "ash", "elm"]), st.floats(0.3, 1), st.floats(0.3, 1)
)
ballots = st.lists(choices, max_size=7)


@given(ballots, policies, guesses, st.randoms(use_true_random=False))
def test_order_and_names_change_nothing_under_any_policy(answers, policy, inferred, random):
    """Votes shuffled among people renamed give the very same outcome."""
    before = settle(votes_of(answers), LEAF, policy, inferred)
    shuffled = random.sample(answers, len(answers))
    renamed = Evidence(tuple(Vote(f"z{9 - i}", a) for i, a in enumerate(shuffled)))
    assert settle(renamed, LEAF, policy, inferred) == before


@given(ballots, policies, guesses)
def test_an_outcome_is_consistent_under_any_policy(answers, policy, inferred):
    """A label comes with a state that has one, more votes are wanted only if open, never too many."""
    outcome = settle(votes_of(answers), LEAF, policy, inferred)
    assert (outcome.answer is not None) == outcome.state.has_label
    assert (outcome.votes_wanted > len(answers)) == (outcome.state is S.OPEN)
    most = policy.max_votes if policy.asks_more else policy.overlap
    assert outcome.votes_wanted <= max(most, policy.overlap)
    if outcome.state is S.AGREED:
        assert 0 <= outcome.probability <= 1
        assert set(outcome.answer.choices) == {"label", "ripe"}


@given(ballots, policies, guesses)
def test_an_item_at_the_most_votes_is_never_left_open(answers, policy, inferred):
    """The voting ends: from the most votes on an item is settled, in dispute or out."""
    assume(len(answers) >= max(policy.overlap, policy.max_votes))
    assert settle(votes_of(answers), LEAF, policy, inferred).state is not S.OPEN


def votes_of(answers: list[Answer]) -> Evidence:
    """Return evidence of one vote an answer."""
    return Evidence(tuple(Vote(f"p{i}", a) for i, a in enumerate(answers)))


# --- region by region -------------------------------------------------------------------------


def test_regions_one_by_one_are_there_by_quorum():
    """What two of three drew is in, what one drew is not; the least sure says how sure."""
    people = drew((box(0, 0), box(60, 0)), (box(1, 0),), (box(0, 1), box(60, 60)))
    outcome = settle(Evidence(people), CELLS, EACH)
    assert (outcome.state, outcome.reason, len(outcome.answer.regions)) == (S.AGREED, R.QUORUM, 1)
    assert outcome.probability == pytest.approx(2 / 3)
    whole = settle(Evidence(people), CELLS, Policy(3))
    assert whole.state is S.DISPUTE


def test_a_tie_of_classes_is_asked_about_then_a_dispute():
    """Two say red and two white of one cell: another vote as long as one is allowed."""
    said_so = [(box(0, 0, label=c),) for c in ("red", "white")]
    asked = settle(Evidence(drew(*said_so)), CELLS, EACH)
    assert (asked.state, asked.votes_wanted, asked.differs) == (S.OPEN, 3, ("regions",))
    ended = settle(Evidence(drew(*said_so, *said_so)), CELLS, EACH)
    assert (ended.state, ended.reason) == (S.DISPUTE, R.REGIONS_TIE)


def test_a_higher_quorum_keeps_less():
    """What half of the people drew is left out where two thirds are asked."""
    people = drew((box(0, 0),), ())
    assert len(settle(Evidence(people), CELLS, EACH).answer.regions) == 1
    strict = Policy(2, max_votes=4, regions=RegionsBy.EACH, quorum=0.66)
    assert settle(Evidence(people), CELLS, strict).answer.regions == ()


def test_known_people_weigh_more_where_outlines_do():
    """With the weighted mean the edges lie nearer to who is right more often."""
    policy = Policy(2, max_votes=4, regions=RegionsBy.EACH, geometry=RegionGeometry.WEIGHTED)
    people = drew((box(0, 0),), (box(4, 0),))
    plain = settle(Evidence(people), CELLS, policy).answer.regions[0].box[0]
    known = Inferred(weights={"p0": 0.95, "p1": 0.05})
    near = settle(Evidence(people), CELLS, policy, known).answer.regions[0].box[0]
    assert plain == pytest.approx(2)
    assert near < 1


@given(drawings(), st.sampled_from([EACH, reads(EACH, OnDisagreement.LEAD)]), st.data())
def test_order_of_people_changes_nothing_region_by_region(people, policy, data):
    """Shuffled people who drew their boxes in another order give the very same outcome."""
    before = settle(Evidence(drew(*people)), CELLS, policy)
    again = [tuple(data.draw(st.permutations(p))) for p in data.draw(st.permutations(people))]
    assert settle(Evidence(drew(*again)), CELLS, policy) == before
