"""Replaying policies: what it foretells is what putting a policy in force then does."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.consensus.policy import OnDisagreement, Policy, Stop
from core.errors import Forbidden, InputError
from core.labels import Answer
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.accounts.people import operator
from core.services.consensus import replay as replaying
from core.services.consensus.dry_run import dry_run
from core.services.consensus.replay import replay
from core.services.consensus.replay_views import Replay
from core.services.consensus.resolve import resolve
from core.services.projects.project import NewProject, create_project
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.services.workspace import Workspace
from core.store.tables import gold_answers, item_state, metadata
from tests.record import CLASSES, World, act, add_items, boxes, make_cast, make_world, rule, vote

LEAD_AT_ONCE = Policy(overlap=2, on_disagreement=OnDisagreement.LEAD)
OTHERS = (
    LEAD_AT_ONCE,
    Policy(overlap=1),
    Policy(overlap=2, stop=Stop.LEAD, lead_of=2, max_votes=5),
    Policy(overlap=2, stop=Stop.POSTERIOR, posterior_at_least=0.9, max_votes=4),
)


@pytest.fixture
def world(sqlite_ws: Workspace) -> World:
    """Give a project people have voted and ruled in."""
    return lived_in(sqlite_ws)


def lived_in(ws: Workspace, use: str = "train") -> World:
    """Return 30 items on most of which four experts voted, some of them badly, with two rulings."""
    made = make_world(ws, n_items=30, policy=Policy(overlap=3, max_votes=4), use=use)
    chance = random.Random(4)
    for number, item in enumerate(made.items[:26]):
        truth = CLASSES[number % 3]
        for who, expert in enumerate(made.cast.experts):
            state = _state(made, item)
            if state is not ItemState.OPEN:
                break
            right = chance.random() < (0.3 if who == 2 else 0.7)
            vote(made, expert, item, truth if right else chance.choice(CLASSES))
    vote(made, made.cast.experts[0], made.items[26])
    vote(made, made.cast.experts[1], made.items[27], "dog")
    disputed = [i for i in made.items if _state(made, i) is ItemState.DISPUTE]
    assert len(disputed) >= 2
    rule(made, made.cast.lead, disputed[0], "decide", "owl")
    rule(made, made.cast.lead, disputed[1], "send-back")
    return made


def _state(world: World, item: int) -> ItemState:
    with world.ws.store.read() as connection:
        found = connection.execute(
            select(item_state.c.state).where(item_state.c.item_id == item)
        ).scalar_one()
    return ItemState(found)


def in_record(world: World) -> tuple[Counter[str], Counter[str]]:
    """Return items by state, and labels by class, as the record has them."""
    with world.ws.store.read() as connection:
        rows = connection.execute(
            select(item_state).where(item_state.c.project_id == world.project.id)
        ).all()
    return Counter(r.state for r in rows), Counter(r.label for r in rows if r.label)


def foretold(found: Replay, column: int) -> tuple[Counter[str], Counter[str]]:
    """Return the same as a replay tells it."""
    figures = found.columns[column].figures
    states = Counter({s.value: n for s, n in figures.states.items()})
    return states, +Counter(dict(zip(found.classes, figures.balance, strict=True)))


def test_the_policy_in_force_gives_what_is_in_force(world: World) -> None:
    """Nothing changes, states and labels are those of the record, and every vote was asked for."""
    found = replay(world.ws, world.cast.lead, world.slug, [])
    (column,) = found.columns
    assert foretold(found, 0) == in_record(world)
    assert column.figures.changed.value == 0.0
    assert (column.moves, column.examples, column.withheld) == ((), (), 0)
    assert column.figures.spent.votes == found.votes


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_putting_it_in_force_does_what_was_foretold(world: World, number: int) -> None:
    """States and labels after adopting a policy are those of its column."""
    found = replay(world.ws, world.cast.manager, world.slug, OTHERS)
    assert len(found.columns) == 5
    before = in_record(world)
    set_policy(world.ws, world.cast.manager, world.slug, OTHERS[number], "as replayed")
    assert foretold(found, number + 1) == in_record(world)
    assert before == foretold(found, 0)


def give_gold(world: World, count: int) -> None:
    """Say what is true of some items."""
    with world.ws.store.write() as connection:
        for number, item in enumerate(world.items[:count]):
            label = CLASSES[number % 3]
            row = {
                "project_id": world.project.id, "item_id": item, "label": label,
                "answer": Answer({"label": label}).to_json(), "at": 1.0,
            }  # fmt: skip
            connection.execute(gold_answers.insert(), row)


@pytest.mark.parametrize("algorithm", ["dawid-skene", "wawa", "one-coin", "ordinal"])
def test_an_algorithm_over_the_whole_project_is_foretold_too(world: World, algorithm: str) -> None:
    """With gold that teaches about people, the labels are those of the full resolve."""
    give_gold(world, 9)
    policy = Policy(overlap=3, max_votes=4, algorithm=algorithm, posterior_at_least=0.7)
    found = replay(world.ws, world.cast.lead, world.slug, [policy])
    set_policy(world.ws, world.cast.lead, world.slug, policy, "as replayed")
    resolve(world.ws, world.cast.lead, world.slug)
    assert foretold(found, 1) == in_record(world)


def test_votes_time_and_accuracy_from_the_start(world: World) -> None:
    """A policy that asks for one vote spends one an item; accuracy says how many items it rests on."""
    give_gold(world, 9)
    found = replay(world.ws, world.cast.lead, world.slug, [Policy(overlap=1)])
    force, one = (c.figures for c in found.columns)
    assert one.spent.votes < force.spent.votes
    # The item sent back needs the votes the lead asked for, whatever the policy.
    assert found.voted == 28
    assert one.spent.votes >= found.voted
    assert found.gold == 9
    assert one.accuracy_from_start.n == 8  # the ninth is the item sent back: it has no label
    assert one.accuracy.low is not None


def test_gold_of_evaluate_items_judges_and_never_teaches(sqlite_ws: Workspace) -> None:
    """Labels are the same with it and without; only the accuracy knows it."""
    world = lived_in(sqlite_ws, use="evaluate")
    policy = Policy(overlap=3, max_votes=4, algorithm="dawid-skene", posterior_at_least=0.7)
    before = replay(world.ws, world.cast.lead, world.slug, [policy])
    give_gold(world, 20)
    after = replay(world.ws, world.cast.lead, world.slug, [policy])
    assert foretold(before, 1) == foretold(after, 1)
    assert before.columns[1].figures.accuracy.n == 0
    assert after.columns[1].figures.accuracy.n > 0


def test_nothing_is_written(world: World) -> None:
    """Every table has as many rows as before."""

    def rows() -> dict[str, int]:
        with world.ws.store.read() as connection:
            return {
                t.name: connection.execute(select(func.count()).select_from(t)).scalar_one()
                for t in metadata.sorted_tables
            }

    before = rows()
    replay(world.ws, world.cast.lead, world.slug, OTHERS)
    assert rows() == before


def test_who_could_still_vote_is_shown_no_label_of_it(world: World) -> None:
    """Items that wait for votes or a lead are left out for a lead, with their number; a manager sees them."""
    mine = replay(world.ws, world.cast.lead, world.slug, OTHERS)
    all_of_it = replay(world.ws, world.cast.manager, world.slug, OTHERS)
    some = 0
    for lead, manager in zip(mine.columns, all_of_it.columns, strict=True):
        assert all(
            _state(world, e.item_id) not in (ItemState.OPEN, ItemState.DISPUTE)
            for e in lead.examples
        )
        assert manager.withheld == 0
        some += lead.withheld
        assert len(manager.examples) == min(20, len(lead.examples) + lead.withheld)
    assert some


def test_changes_are_told_from_which_class_to_which(world: World) -> None:
    """The moves of a column add up to its changed labels."""
    found = replay(world.ws, world.cast.manager, world.slug, OTHERS)
    for column in found.columns:
        n = column.figures.relabelled + column.figures.gained + column.figures.lost
        assert sum(m.n for m in column.moves) == n
        assert all(m.before != m.after for m in column.moves)


def test_five_policies_are_refused_and_experts_have_no_say(world: World) -> None:
    """The bound is said with what was found; who does not steer is refused."""
    with pytest.raises(InputError, match="found 5"):
        replay(world.ws, world.cast.lead, world.slug, [Policy()] * 5)
    with pytest.raises(Forbidden):
        replay(world.ws, world.cast.experts[0], world.slug, [])


def test_a_long_replay_says_how_far_it_is_and_can_be_stopped(world: World) -> None:
    """What listens hears of every step; what it raises ends the work."""
    heard: list[str] = []
    policy = Policy(overlap=3, max_votes=3, algorithm="wawa")
    replay(world.ws, world.cast.lead, world.slug, [policy], lambda what, _d, _t: heard.append(what))
    assert {"reading votes", "weighing votes", "replaying policies"} <= set(heard)

    def stop(_what: str, _done: int, _total: int) -> None:
        raise InputError("Stopped.")

    with pytest.raises(InputError, match="Stopped"):
        replay(world.ws, world.cast.lead, world.slug, [policy], stop)


def test_a_project_without_votes_and_one_without_items(sqlite_ws: Workspace) -> None:
    """Zeros and undefined shares; no error."""
    made = make_world(sqlite_ws, n_items=2)
    everyone = [*OTHERS[:3], Policy(algorithm="dawid-skene")]
    found = replay(sqlite_ws, made.cast.lead, made.slug, everyone)
    assert (found.votes, found.voted, found.items) == (0, 0, 2)
    assert all(c.figures.changed.value is None for c in found.columns)
    create_project(sqlite_ws, operator(sqlite_ws), NewProject("bare", Task.BOXES, CLASSES))
    bare = replay(sqlite_ws, operator(sqlite_ws), "bare", everyone)
    assert (bare.items, bare.votes) == (0, 0)


# --- item by item -----------------------------------------------------------------------------


def drawn(ws: Workspace) -> World:
    """Return a project of boxes with votes that agree, differ a little, and differ."""
    made = make_world(ws, n_items=8, policy=Policy(overlap=2, max_votes=3), task=Task.BOXES)
    shapes = [boxes((0, 0, 20, 20)), boxes((1, 0, 20, 20)), boxes((30, 30, 50, 50), label="dog")]
    for number, item in enumerate(made.items):
        for who, expert in enumerate(made.cast.experts[:3]):
            if _state(made, item) is ItemState.OPEN:
                answer = shapes[(number * who) % 3]
                submit(
                    ws,
                    expert,
                    made.slug,
                    Submission(f"vote-{item:04d}-{who}", item, "vote", answer),
                )
    return made


def test_boxes_are_replayed_item_by_item(sqlite_ws: Workspace) -> None:
    """States after adopting are those foretold, and the balance counts boxes."""
    made = drawn(sqlite_ws)
    stricter = replace(made.project.policy, iou_at_least=0.99, on_disagreement="neutral")
    found = replay(made.ws, made.cast.manager, made.slug, [stricter, Policy(overlap=1)])
    assert foretold(found, 0)[0] == in_record(made)[0]
    assert sum(found.columns[0].figures.balance) > 0
    assert {e.before for e in found.columns[1].examples} <= {"1 × cat", "1 × dog", None}
    assert any(e.before for e in found.columns[1].examples)
    set_policy(made.ws, made.cast.manager, made.slug, stricter, "tighter boxes")
    assert foretold(found, 1)[0] == in_record(made)[0]
    assert found.columns[2].figures.spent.votes == 8


def test_beyond_the_bound_a_sample_is_taken_and_said(
    sqlite_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed sample of the items with votes, not more than the bound."""
    made = drawn(sqlite_ws)
    monkeypatch.setattr("core.services.consensus.replay_items.MOST_ITEMS", {True: 5, False: 5})
    found = replay(made.ws, made.cast.manager, made.slug, [])
    assert (found.items, found.sampled) == (5, True)


def test_several_questions_are_replayed_item_by_item(sqlite_ws: Workspace) -> None:
    """The state hangs on all the questions; classes are those of the first."""
    op = operator(sqlite_ws)
    new = NewProject("two", Task.CLASSIFICATION, CLASSES, questions={"sex": ["m", "f"]},
                     policy=Policy(overlap=2, max_votes=3))  # fmt: skip
    project = create_project(sqlite_ws, op, new)
    made = World(sqlite_ws, project, add_items(sqlite_ws, project, 6), make_cast(sqlite_ws, "two"))
    for number, item in enumerate(made.items):
        for who, expert in enumerate(made.cast.experts[:2]):
            said = {"label": CLASSES[number % 3], "sex": "mf"[who * number % 2]}
            submit(
                sqlite_ws,
                expert,
                "two",
                Submission(f"vote-{item:04d}-{who}", item, "vote", Answer(said)),
            )
    found = replay(made.ws, made.cast.manager, "two", [LEAD_AT_ONCE])
    assert foretold(found, 0) == in_record(made)
    set_policy(made.ws, made.cast.manager, "two", LEAD_AT_ONCE, "simple")
    assert foretold(found, 1) == in_record(made)
    assert found.columns[1].figures.new_disputes == 3


def test_flags_and_withdrawn_votes_count_as_in_the_record(world: World) -> None:
    """A flagged item waits for a lead, a vote taken back is none."""
    open_items = world.items[-2:]
    vote(world, world.cast.experts[0], open_items[0])
    act(world, world.cast.experts[0], open_items[0], "withdraw", base=1)
    act(world, world.cast.experts[1], open_items[1], "flag")
    found = replay(world.ws, world.cast.lead, world.slug, [])
    assert foretold(found, 0) == in_record(world)
    assert replaying.MOST_OTHERS == 4


@pytest.mark.parametrize("policy", OTHERS, ids=str)
def test_a_dry_run_and_the_page_count_reopened_items_alike(world: World, policy: Policy) -> None:
    """One word means one thing: the terminal and the comparison give the same numbers for one policy."""
    would = dry_run(world.ws, world.cast.lead, world.slug, policy)
    told = replay(world.ws, world.cast.lead, world.slug, (policy,)).columns[1].figures
    assert (would.reopened, would.new_disputes, would.settled, would.votes_wanted) == (
        told.reopen,
        told.new_disputes,
        told.settles,
        told.wanted,
    )
