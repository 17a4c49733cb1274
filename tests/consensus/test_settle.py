"""Settling an item by the table: every rule of the policy, one row each."""

from __future__ import annotations

import pytest

from core.consensus import Decision, Evidence, OnDisagreement, Policy, Reason, Vote, settle
from core.consensus.settle import DecisionKind
from core.errors import InputError
from core.labels import Answer
from core.labels.state import ItemState
from tests.consensus.strategies import CELLS, LEAF, box, drew, said

OAK = Answer({"label": "oak", "ripe": "yes"})
ASH = Answer({"label": "ash", "ripe": "yes"})
ONE, TWO, THREE = Policy(1), Policy(2), Policy(3)
FIVE = Policy(2, max_votes=5)
LEAD, DISCARD, NEUTRAL = (
    Policy(2, rule)
    for rule in (OnDisagreement.LEAD, OnDisagreement.DISCARD, OnDisagreement.NEUTRAL)
)
S, R = ItemState, Reason

VOTES = [
    # votes, policy, state, label, share, wanted, reason
    ((), TWO, S.OPEN, None, None, 2, R.WAITING),
    (("oak",), TWO, S.OPEN, None, None, 2, R.WAITING),
    (("oak",), ONE, S.AGREED, "oak", 1.0, 0, R.ALL_AGREE),
    (("oak", "oak"), TWO, S.AGREED, "oak", 1.0, 0, R.ALL_AGREE),
    (("oak", "ash"), TWO, S.OPEN, None, None, 3, R.MORE_VOTES),
    (("oak", "ash", "oak"), TWO, S.AGREED, "oak", 2 / 3, 0, R.MAJORITY),
    (("oak", "ash", "elm"), TWO, S.DISPUTE, None, None, 0, R.NO_MAJORITY),
    (("oak", "ash", "oak"), THREE, S.AGREED, "oak", 2 / 3, 0, R.MAJORITY),
    (("oak", "ash", "elm"), FIVE, S.OPEN, None, None, 5, R.MORE_VOTES),
    (("oak", "ash", "elm", "elm"), FIVE, S.OPEN, None, None, 5, R.MORE_VOTES),
    (("oak", "ash", "elm", "elm", "elm"), FIVE, S.AGREED, "elm", 0.6, 0, R.MAJORITY),
    (("oak", "ash", "elm", "elm", "ash"), FIVE, S.DISPUTE, None, None, 0, R.NO_MAJORITY),
    (("oak", "ash", "elm"), Policy(2, max_votes=4), S.DISPUTE, None, None, 0, R.NO_MAJORITY),
    (("oak", "ash"), LEAD, S.DISPUTE, None, None, 0, R.VOTES_DIFFER),
    (("oak", "ash"), DISCARD, S.DISCARDED, None, None, 0, R.VOTES_DIFFER),
    (("oak", "ash"), NEUTRAL, S.NEUTRAL, None, None, 0, R.VOTES_DIFFER),
    (("oak", "oak"), DISCARD, S.AGREED, "oak", 1.0, 0, R.ALL_AGREE),
    (("oak", "ash"), Policy(2, max_votes=2), S.DISPUTE, None, None, 0, R.NO_MAJORITY),
]


@pytest.mark.parametrize(("labels", "policy", "state", "label", "share", "wanted", "reason"), VOTES)
def test_votes_settle_by_the_policy(labels, policy, state, label, share, wanted, reason):
    """Votes agree, ask for more, or end as the policy says."""
    outcome = settle(Evidence(said(*labels)), LEAF, policy)
    assert (outcome.state, outcome.votes_wanted, outcome.reason) == (state, wanted, reason)
    assert (outcome.answer.choices["label"] if outcome.answer else None) == label
    assert outcome.probability == (share if share is None else pytest.approx(share))
    assert bool(outcome.differs) == (len(set(labels)) > 1 and label is None)


def test_each_question_is_settled_on_its_own():
    """A majority on each question is enough, and only what has none is in dispute."""
    first, second = said("oak", "ash"), said("oak", "oak", ripe="no")
    mixed = (*first, Vote("p9", second[0].answer))  # oak yes, ash yes, oak no
    outcome = settle(Evidence(mixed), LEAF, TWO)
    assert outcome.answer == OAK
    assert outcome.probability == pytest.approx(2 / 3)
    three_ways = (
        *said("oak", "ash", "elm")[:2],
        Vote("p9", Answer({"label": "elm", "ripe": "no"})),
    )
    assert settle(Evidence(three_ways), LEAF, TWO).differs == ("label",)
    two = (said("oak")[0], Vote("p9", Answer({"label": "oak", "ripe": "no"})))
    assert settle(Evidence(two), LEAF, LEAD).differs == ("ripe",)


def test_a_question_left_unanswered_is_not_agreement():
    """A vote from before a question was added differs from one that answers it."""
    old = Vote("p9", Answer({"label": "oak"}))
    outcome = settle(Evidence((*said("oak"), old)), LEAF, TWO)
    assert (outcome.state, outcome.differs) == (S.OPEN, ("ripe",))
    both_old = settle(Evidence((old, Vote("p8", Answer({"label": "oak"})))), LEAF, TWO)
    assert (both_old.state, both_old.answer) == (S.AGREED, Answer({"label": "oak"}))


PRECEDENCE = [
    (Evidence(imported=OAK), S.IMPORTED, OAK, 0),
    (Evidence(accepted=ASH), S.AUTO_ACCEPTED, ASH, 0),
    (Evidence(imported=OAK, accepted=ASH), S.IMPORTED, OAK, 0),
    (Evidence(said("ash"), imported=OAK), S.IMPORTED, OAK, 0),
    (Evidence(said("ash", "ash"), imported=OAK, accepted=OAK), S.AGREED, ASH, 0),
    (Evidence(said("ash", "ash"), flagged=True), S.DISPUTE, None, 0),
    (Evidence(imported=OAK, flagged=True), S.DISPUTE, None, 0),
    (Evidence(said("ash", "ash"), Decision("decide", OAK), flagged=True), S.ADJUDICATED, OAK, 0),
    (Evidence(said("ash"), Decision("discard"), OAK), S.DISCARDED, None, 0),
    (Evidence(said("ash", "ash"), Decision("neutral")), S.NEUTRAL, None, 0),
]


@pytest.mark.parametrize(("evidence", "state", "answer", "wanted"), PRECEDENCE)
def test_precedence(evidence, state, answer, wanted):
    """A decision stands above a flag, that above votes, then imported, then accepted."""
    outcome = settle(evidence, LEAF, TWO)
    assert (outcome.state, outcome.answer, outcome.votes_wanted) == (state, answer, wanted)


@pytest.mark.parametrize(
    ("votes", "seen", "extra", "state", "wanted"),
    [
        (0, 0, 1, S.OPEN, 1),
        (0, 0, 2, S.OPEN, 2),
        (1, 0, 1, S.AGREED, 0),
        (2, 2, 1, S.OPEN, 3),
        (3, 2, 1, S.AGREED, 0),
        (3, 2, 2, S.OPEN, 4),
        (2, 2, 0, S.OPEN, 3),
    ],
)
def test_a_send_back_reopens_for_as_many_votes(votes, seen, extra, state, wanted):
    """Sent back, the item waits for the votes asked for, even were it imported before."""
    back = Decision(DecisionKind.SEND_BACK, person="lead", votes_seen=seen)
    evidence = Evidence(said(*["oak"] * votes), back, imported=ASH, extra_votes=extra)
    outcome = settle(evidence, LEAF, TWO)
    assert (outcome.state, outcome.votes_wanted) == (state, wanted)


def test_a_send_back_raises_the_most_votes_and_a_new_flag_returns_it():
    """After a split sent back for two more, five votes count; a flag since is a dispute."""
    back = Decision("send-back", votes_seen=3)
    split = said("oak", "ash", "elm", "oak", "oak")
    assert settle(Evidence(split, back, extra_votes=2), LEAF, TWO).answer == OAK
    again = settle(Evidence(split[:3], back, extra_votes=2, flagged=True), LEAF, TWO)
    assert again.reason is Reason.FLAGGED


def test_extra_votes_without_a_send_back_add_to_the_overlap():
    """An item may need more votes than its project's overlap."""
    outcome = settle(Evidence(said("oak", "oak"), extra_votes=1), LEAF, TWO)
    assert (outcome.state, outcome.votes_wanted) == (S.OPEN, 3)


def test_boxes_agree_one_to_one_and_are_averaged():
    """Two people with the same boxes agree, and the label lies halfway."""
    outcome = settle(Evidence(drew((box(0, 0), box(50, 0)), (box(52, 2), box(2, 0)))), CELLS, TWO)
    assert outcome.state is S.AGREED
    assert [r.box for r in outcome.answer.regions] == [(1, 0, 21, 20), (51, 1, 71, 21)]


@pytest.mark.parametrize(
    "other",
    [(), (box(0, 0), box(50, 0)), (box(0, 0, label="white"),), (box(15, 15),)],
    ids=["missing", "extra", "class", "place"],
)
def test_boxes_that_differ_want_a_third_vote_which_breaks_the_tie(other):
    """A box missing, extra, of another class or elsewhere is a difference; two of three settle."""
    two = drew((box(0, 0),), other)
    outcome = settle(Evidence(two), CELLS, TWO)
    assert (outcome.votes_wanted, outcome.differs) == (3, ("regions",))
    third = settle(Evidence((*two, Vote("p9", Answer(regions=(box(2, 0),))))), CELLS, TWO)
    assert third.answer.regions[0].box == (1, 0, 21, 20)
    assert third.probability == pytest.approx(2 / 3)


def test_nothing_here_is_an_answer_people_can_agree_on():
    """Two people who draw no box agree that there is none."""
    outcome = settle(Evidence(drew((), ())), CELLS, TWO)
    assert (outcome.state, outcome.answer) == (S.AGREED, Answer())


def test_a_chain_of_boxes_is_a_majority_but_not_agreement():
    """A like B and B like C, but A not like C: the lead rule sees a difference, the majority holds."""
    chain = drew((box(0, 0),), (box(5, 0),), (box(10, 0),))
    assert settle(Evidence(chain), CELLS, Policy(3)).answer.regions[0].box == (5, 0, 25, 20)
    lead = settle(Evidence(chain), CELLS, Policy(3, OnDisagreement.LEAD))
    assert (lead.state, lead.differs) == (S.DISPUTE, ("regions",))


def test_two_equal_groups_of_boxes_go_to_the_lead():
    """Four people, two against two, are a dispute whatever the classes are called."""
    for a, b in (("red", "white"), ("white", "red")):
        pairs = [(box(0, 0, label=a),)] * 2 + [(box(0, 0, label=b),)] * 2
        outcome = settle(Evidence(drew(*pairs)), CELLS, Policy(4, max_votes=4))
        assert (outcome.state, outcome.reason) == (S.DISPUTE, Reason.NO_MAJORITY)


def test_a_decision_for_a_label_needs_one():
    """A lead cannot decide for nothing."""
    with pytest.raises(InputError):
        Decision("decide")
