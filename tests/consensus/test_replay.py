"""A policy replayed over arrays is what settling item by item gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.policy import OnDisagreement, Policy, Stop
from core.consensus.replay import ABSENT, NO_LABEL, Record, Replayed, replay_all, replay_from_start
from core.consensus.replay_figures import UNKNOWN, Course, figures, moves, paired_gap
from core.consensus.replay_rules import STATES, Beliefs
from core.consensus.settle import (
    Decision,
    DecisionKind,
    Evidence,
    Inferred,
    InferredAnswer,
    Vote,
    settle,
)
from core.errors import InputError
from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from core.labels.state import ItemState
from core.services.consensus.replay_fits import fit_of

NAMES = ("ash", "beech", "cedar")
SCHEMA = LabelSchema(Task.CLASSIFICATION, (make_question("label", "Kind", list(NAMES)),))
SAID = (*NAMES, "gone")
"""One class more than the question offers: it was there when somebody said it."""


@st.composite
def policies(draw: st.DrawFn, algorithm: bool = True) -> Policy:
    """Draw any policy, over every field that bears on a classification."""
    overlap = draw(st.integers(1, 3))
    most = draw(st.integers(overlap, 6))
    names = ["majority", "dawid-skene", "wawa"] if algorithm else ["majority"]
    return Policy(
        overlap=overlap,
        max_votes=most,
        on_disagreement=draw(st.sampled_from(OnDisagreement)),
        stop=draw(st.sampled_from(Stop)),
        lead_of=draw(st.integers(1, most)),
        posterior_at_least=draw(st.sampled_from([0.6, 0.8, 0.95, 0.99])),
        algorithm=draw(st.sampled_from(names)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Record, list[Evidence]]:
    """Draw a few items with votes, decisions, flags and imported labels, in both forms."""
    tasks = draw(st.integers(1, 5))
    votes = [
        (task, worker, draw(st.integers(-1, len(SAID) - 1)))
        for task in range(tasks)
        for worker in range(draw(st.integers(0, 7)))
    ]
    votes = draw(st.permutations(votes))
    evidence, columns = [], []
    for task in range(tasks):
        kind = draw(st.sampled_from([None, None, None, *DecisionKind]))
        decided, seen = draw(st.integers(0, 2)), draw(st.integers(0, 4))
        extra = draw(st.integers(0, 2))
        flagged = draw(st.sampled_from([False, False, False, True]))
        imported = draw(st.sampled_from([ABSENT, ABSENT, NO_LABEL, 0, 3]))
        decision = kind and Decision(kind, said(decided), "lead", seen)
        cast = tuple(Vote(str(w), said(c)) for t, w, c in votes if t == task)
        file = None if imported == ABSENT else said(imported)
        evidence.append(Evidence(cast, decision, file, None, flagged, extra))
        columns.append((kind, decided, seen, extra, flagged, imported))
    return record_of(votes, columns), evidence


def said(code: int) -> Answer:
    """Return the answer of a class number."""
    return Answer({} if code == NO_LABEL else {"label": SAID[code]})


STATE_OF = {
    DecisionKind.DECIDE: ItemState.ADJUDICATED,
    DecisionKind.DISCARD: ItemState.DISCARDED,
    DecisionKind.NEUTRAL: ItemState.NEUTRAL,
}


def record_of(votes: list[tuple[int, int, int]], columns: list[tuple]) -> Record:
    """Return the arrays of votes and of what else was said of the items."""
    table = np.array(votes, dtype=np.int32).reshape(-1, 3).T
    back = [k == DecisionKind.SEND_BACK for k, *_ in columns]
    state = [STATES.index(STATE_OF[c[0]]) if c[0] in STATE_OF else -1 for c in columns]
    label = [c[1] if c[0] == DecisionKind.DECIDE else NO_LABEL for c in columns]
    return Record(
        *table, np.ones(len(votes)), len(columns), len(SAID), len(NAMES),
        np.array(state, dtype=np.int8),
        np.array(label, dtype=np.int32),
        np.array([c[2] + max(1, c[3]) if b else 0 for c, b in zip(columns, back, strict=True)], dtype=np.int32),
        np.array([c[3] for c in columns], dtype=np.int32),
        np.array([c[4] for c in columns], dtype=bool),
        np.array([c[5] for c in columns], dtype=np.int32),
    )  # fmt: skip


def plain(votes: int = 0, label: int = NO_LABEL) -> tuple:
    """Return the columns of an item of which nothing but votes is recorded."""
    return (None, label, votes, 0, False, ABSENT)


def like(
    found: Replayed, task: int, evidence: Evidence, policy: Policy, inferred: Inferred | None
) -> None:
    """Hold one item of a replay against settling it."""
    outcome = settle(evidence, SCHEMA, policy, inferred)
    assert STATES[found.state[task]] is outcome.state
    label = outcome.answer.choices.get("label") if outcome.answer else None
    assert (SAID[found.label[task]] if found.label[task] >= 0 else None) == label
    assert found.wanted[task] == outcome.votes_wanted
    if outcome.probability is None:
        assert np.isnan(found.probability[task])
    else:
        assert found.probability[task] == pytest.approx(outcome.probability, abs=1e-12)


def believing(record: Record, policy: Policy, seed: int):
    """Return a stand-in for a fit that hangs on which votes count, and what it says of an item."""
    if not policy.fits_project:
        return None

    def fit(rows: np.ndarray) -> Beliefs:
        rng = np.random.default_rng([seed, len(rows)])
        label = rng.integers(-1, len(NAMES), record.tasks).astype(np.int32)
        return Beliefs(label, rng.choice([0.5, 0.7, 0.9, 0.97], record.tasks))

    return fit


def inferred(beliefs: Beliefs | None, task: int) -> Inferred | None:
    """Return what a fit says of an item as settling takes it."""
    if beliefs is None or beliefs.label[task] < 0:
        return None
    answer = InferredAnswer(NAMES[beliefs.label[task]], float(beliefs.probability[task]))
    return Inferred({"label": answer})


@settings(max_examples=400, deadline=None)
@given(worlds(), policies(), st.integers(0, 99))
def test_every_vote_counts_as_in_settling(world, policy: Policy, seed: int) -> None:
    """Whatever the votes, rulings and policy, all items at once stand as one by one."""
    record, evidence = world
    fit = believing(record, policy, seed)
    beliefs = fit(np.arange(len(record.task))) if fit else None
    found = replay_all(record, policy, fit)
    for task, one in enumerate(evidence):
        like(found, task, one, policy, inferred(beliefs, task))
    assert found.used.tolist() == [len(e.votes) for e in evidence]


@settings(max_examples=400, deadline=None)
@given(worlds(), policies(algorithm=False))
def test_from_the_start_an_item_ends_at_the_first_prefix_that_contents_the_policy(
    world,
    policy: Policy,
) -> None:
    """Each item uses the shortest prefix of its votes after which settling asks for no more."""
    record, evidence = world
    found = replay_from_start(record, policy)
    for task, one in enumerate(evidence):
        used = shortest(one, policy)
        assert found.used[task] == used
        cut = Evidence(
            one.votes[:used], one.decision, one.imported, None, one.flagged, one.extra_votes
        )
        like(found, task, cut, policy, None)


@settings(max_examples=200, deadline=None)
@given(worlds(), policies(), st.integers(0, 99))
def test_from_the_start_with_a_fit_nothing_is_left_open_that_has_votes_left(
    world,
    policy: Policy,
    seed: int,
) -> None:
    """Under the last fit every item stands as settling says, and the open ones are out of votes."""
    record, evidence = world
    fit = believing(record, policy, seed)
    found = replay_from_start(record, policy, fit)
    rows = np.flatnonzero(record.rank < found.used[record.task])
    beliefs = fit(rows) if fit else None
    for task, one in enumerate(evidence):
        used = int(found.used[task])
        cut = Evidence(
            one.votes[:used], one.decision, one.imported, None, one.flagged, one.extra_votes
        )
        like(found, task, cut, policy, inferred(beliefs, task))
        back = (
            one.decision if one.decision and one.decision.kind == DecisionKind.SEND_BACK else None
        )
        alone = Evidence(cut.votes, back, extra_votes=one.extra_votes)
        if settle(alone, SCHEMA, policy, inferred(beliefs, task)).state is ItemState.OPEN:
            assert used == len(one.votes)


def shortest(one: Evidence, policy: Policy) -> int:
    """Return after how many votes settling by the votes alone asks for no more."""
    back = one.decision if one.decision and one.decision.kind == DecisionKind.SEND_BACK else None
    for used in range(1, len(one.votes) + 1):
        alone = Evidence(one.votes[:used], back, extra_votes=one.extra_votes)
        if settle(alone, SCHEMA, policy).state is not ItemState.OPEN:
            return used
    return len(one.votes)


# --- figures ----------------------------------------------------------------------------------


def course(record: Record, policy: Policy, gold: list[int]) -> Course:
    """Return a policy over a record both ways, held against gold."""
    fit = fit_of(record, policy)
    now, start = replay_all(record, policy, fit), replay_from_start(record, policy, fit)
    right = [
        np.where((np.array(gold) < 0) | (r.label < 0), UNKNOWN, r.label == np.array(gold))
        for r in (now, start)
    ]
    used = record.rank < start.used[record.task]
    return Course(now, start, *(r.astype(np.int8) for r in right), used)


def three_items() -> Record:
    """Return an item all agree on, one with two against one, one with a vote each way."""
    votes = [(0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 1), (1, 1, 2), (1, 2, 2), (2, 0, 0), (2, 1, 1)]
    return record_of(votes, [plain()] * 3)


def test_figures_of_another_policy_against_the_one_in_force() -> None:
    """Asking for two votes and then a lead spends less, loses a label and opens a dispute."""
    record, gold = three_items(), [0, 2, 0]
    force = course(record, Policy(overlap=3), gold)
    other = course(record, Policy(overlap=2, on_disagreement=OnDisagreement.LEAD), gold)
    found = figures(other, force, np.full(8, 10.0), 3, (1, 0, 0, 0))
    assert [STATES[s] for s in force.now.state] == ["agreed", "agreed", "open"]
    assert [STATES[s] for s in other.now.state] == ["agreed", "dispute", "dispute"]
    assert (found.changed.value, found.changed.n) == (0.5, 2)
    assert (found.lost, found.gained, found.relabelled, found.new_disputes) == (1, 0, 0, 2)
    assert (found.spent.votes, found.spent.per_item, found.spent.seconds) == (6, 2.0, 60.0)
    assert found.spent.money(60) == pytest.approx(1.0)
    assert (found.accuracy.value, found.accuracy.n) == (1.0, 1)
    assert moves(force.now, other.now) == [(2, NO_LABEL, 1)]


def test_votes_that_were_never_cast_are_counted_apart() -> None:
    """A policy that asks for five votes of an item with two asks for three more; none are made up."""
    record = three_items()
    found = figures(*[course(record, Policy(overlap=5, max_votes=5), [0, 2, 0])] * 2,
                    np.full(8, np.nan), 3, (0,) * 4)  # fmt: skip
    assert (found.spent.votes, found.spent.missing, found.wanted) == (8, 7, 7)
    assert (found.spent.timed, found.spent.money(60)) == (0, None)
    assert found.reopen == 0
    assert found.accuracy.value is None


def test_an_empty_record_and_one_without_votes_have_figures() -> None:
    """No items, or none with a vote: zeros and undefined shares, no warning."""
    for tasks in (0, 2):
        empty = record_of([], [plain()] * tasks)
        for policy in (Policy(), Policy(algorithm="dawid-skene"), Policy(stop=Stop.POSTERIOR)):
            one = course(empty, policy, [NO_LABEL] * tasks)
            found = figures(one, one, np.zeros(0), 0, (0,) * 4)
            assert found.changed.value is None
            assert (found.spent.votes, found.spent.per_item) == (0, None)
            assert found.spent.missing == 2 * tasks


def test_dawid_skene_sides_with_whom_experience_supports() -> None:
    """Of two against one the one may be right: a fit over the project sees who errs."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 300)
    votes = [(t, w, int(truth[t]) if rng.random() < (0.97 if w < 2 else 0.4) else int(rng.integers(0, 3)))
             for t in range(300) for w in range(5)]  # fmt: skip
    record = record_of(votes, [plain()] * 300)
    policy = Policy(overlap=5, max_votes=5, algorithm="dawid-skene")
    counted = replay_all(record, Policy(overlap=5, max_votes=5))
    weighed = replay_all(record, policy, fit_of(record, policy))
    assert (weighed.label == truth).mean() > (counted.label == truth).mean()


def test_two_policies_are_held_against_gold_on_the_items_both_label() -> None:
    """What only one labels has no part in the difference; its interval holds the difference."""
    one, other = np.array([1, 1, 0, -1, 1], np.int8), np.array([1, 0, 0, 1, -1], np.int8)
    gap = paired_gap(one, other)
    assert (gap.value, gap.n) == (pytest.approx(1 / 3), 3)
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low < gap.value < gap.high
    assert paired_gap(other, one).value == pytest.approx(-1 / 3)
    assert paired_gap(one[3:], other[3:]).value is None


def test_columns_that_do_not_fit_are_refused() -> None:
    """A class beyond those there are, or columns of different length, is said."""
    with pytest.raises(InputError, match="out of range"):
        record_of([(0, 0, 9)], [plain()])
    with pytest.raises(InputError, match="differ in length"):
        Record(*np.zeros((3, 1), dtype=np.int32), np.zeros(2), 1, 1, 1,
               *[np.zeros(1, dtype=np.int32)] * 6)  # type: ignore[arg-type]  # fmt: skip
