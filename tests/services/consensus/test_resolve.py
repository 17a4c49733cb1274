"""Labels are derived: the same from the same record, whatever the order and the names."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.consensus.policy import OnDisagreement, Policy
from core.errors import TiebreakError
from core.services.consensus.resolve import resolve, resolve_items
from core.services.review.adjudication import disputes
from core.services.workspace import Workspace, open_workspace
from core.store.tables import final_labels, item_state
from tests.record import CLASSES, World, act, make_world, rule, vote

POLICIES = [
    Policy(),
    Policy(overlap=3, max_votes=5),
    Policy(on_disagreement=OnDisagreement.LEAD),
    Policy(on_disagreement=OnDisagreement.DISCARD),
    Policy(overlap=1, max_votes=1),
]

steps = st.lists(
    st.tuples(
        st.sampled_from(["vote", "vote", "vote", "skip", "flag", "withdraw", "rule", "back"]),
        st.integers(0, 2),
        st.integers(0, 1),
        st.sampled_from(CLASSES),
    ),
    min_size=6,
    max_size=20,
)


def do(world: World, step: tuple[str, int, int, str], revisions: dict[tuple[int, int], int]):
    """Take a step; one that is refused changes nothing."""
    kind, who, which, label = step
    item, expert = world.items[which], world.cast.experts[who]
    base = revisions.get((who, which), 0)
    try:
        if kind == "rule":
            rule(world, world.cast.lead, item, "decide", label)
        elif kind == "back":
            rule(world, world.cast.lead2, item, "send-back")
        elif kind == "vote":
            revisions[who, which] = vote(world, expert, item, label, base=base).revision
        else:
            revisions[who, which] = act(world, expert, item, kind, base=base).revision
    except TiebreakError:
        pass


def derived(ws: Workspace) -> list[tuple]:
    """Return all that is derived, but for the time it was derived at."""
    columns = [c for c in item_state.columns if c.name not in ("updated_at", "final_seq")]
    with ws.store.read() as connection:
        rows = connection.execute(select(*columns).order_by(item_state.c.item_id)).all()
        finals = connection.execute(
            select(final_labels.c.state, final_labels.c.answer, final_labels.c.evidence)
            .join(item_state, item_state.c.final_seq == final_labels.c.seq)
            .order_by(final_labels.c.item_id)
        ).all()
    return [tuple(r) for r in rows] + [tuple(r) for r in finals]


@given(steps=steps, policy=st.sampled_from(POLICIES))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking would take minutes
)
def test_step_by_step_gives_what_a_full_resolve_gives(
    steps, policy: Policy, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
):
    """Deriving one item at a time, all at once, or from an empty cache comes to the same."""
    ws = fresh(sqlite_template, tmp_path_factory)
    world, revisions = make_world(ws, n_items=2, policy=policy), {}
    before: list[tuple] = []
    for step in steps:
        do(world, step, revisions)
        before = derived(ws)
        assert resolve(ws, world.cast.lead, world.slug).changed == 0
        assert derived(ws) == before
    with ws.store.write() as connection:
        connection.execute(text("DELETE FROM item_state"))
        resolve_items(connection, world.project, list(reversed(world.items)), ws.clock())
    assert derived(ws) == before
    ws.store.close()


def fresh(template: Path, factory: pytest.TempPathFactory) -> Workspace:
    root = factory.mktemp("ws")
    (root / "tiebreak.db").write_bytes(template.read_bytes())
    return open_workspace(root)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_neither_the_order_of_votes_nor_who_cast_them_counts(
    policy: Policy, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
):
    """The same three answers from other people in another order give the same label and state."""
    draw = random.Random(4)
    outcomes: list[list[tuple]] = []
    answers = [draw.choices(CLASSES, k=policy.overlap) for _ in range(12)]
    for _ in range(3):
        ws = fresh(sqlite_template, tmp_path_factory)
        world = make_world(ws, n_items=12, n_experts=5, policy=policy)
        jobs = []
        for item, said in zip(world.items, answers, strict=True):
            people = draw.sample(range(5), len(said))
            jobs += [(item, label, who) for label, who in zip(said, people, strict=True)]
        draw.shuffle(jobs)
        for item, label, who in jobs:
            vote(world, world.cast.experts[who], item, label)
        with ws.store.read() as connection:
            rows = connection.execute(
                select(
                    item_state.c.state, item_state.c.label, item_state.c.votes, item_state.c.wanted
                ).order_by(item_state.c.item_id)
            ).all()
        outcomes.append([tuple(r) for r in rows])
        ws.store.close()
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_deriving_again_adds_nothing_to_the_record(world: World):
    """A full resolve of unchanged evidence writes no label, and keeps how long a dispute waits."""
    act(world, world.cast.experts[0], world.items[0], "flag")
    before = disputes(world.ws, world.cast.lead, world.slug)
    with world.ws.store.read() as connection:
        count = connection.execute(text("SELECT count(*) FROM final_labels")).scalar()
    for _ in range(2):
        assert resolve(world.ws, world.cast.manager, world.slug).changed == 0
    with world.ws.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM final_labels")).scalar() == count
    assert disputes(world.ws, world.cast.lead, world.slug) == before
