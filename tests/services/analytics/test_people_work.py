"""How people work: pace, agreement, the pre-label's pull, tiles noticed; whose numbers one may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.clock import FakeClock, new_uuid
from core.consensus.policy import Policy
from core.errors import Forbidden, NotFound
from core.labels import Answer
from core.services.accounts.people import actor_of
from core.services.analytics.people_work import everybodys_work, my_work
from core.services.analytics.replicas import forget_replicas
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import overlook_probes, predictions
from tests.record import World, make_world
from tests.worked import predict

CAT, DOG = "cat", "dog"


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def world(sqlite_ws) -> World:
    """Twelve items the model calls cat; one expert says cat when it shows, dog when it does not."""
    clock = FakeClock()
    world = make_world(replace(sqlite_ws, clock=clock), n_items=12, policy=Policy(overlap=3))
    predict(world.ws, world.project, dict.fromkeys(world.items, CAT))
    with world.ws.store.read() as connection:
        known = {r.item_id: r.seq for r in connection.execute(predictions.select())}
    for n, item in enumerate(world.items):
        for who, shown in ((0, n < 6), (1, False)):
            said = CAT if who == 1 or shown else DOG
            sent = Submission(
                new_uuid(), item, "vote", Answer({"label": said}), active_seconds=3 + 2 * who,
                prelabel_shown=shown, prelabel_seq=known[item],
            )  # fmt: skip
            submit(world.ws, world.cast.experts[who], world.slug, sent)
    clock.advance(86_400)
    return world


def test_the_pull_is_what_showing_the_prelabel_changes(world: World):
    """Always with the model in view, never without: the pull is whole, its interval above nothing."""
    found = {w.person: w for w in everybodys_work(world.ws, world.cast.manager, world.slug)}
    swayed, blind = (found[world.cast.experts[i].name] for i in (0, 1))
    assert (swayed.with_prelabel.value, swayed.blind.value) == (1.0, 0.0)
    assert swayed.pull.value == 1.0
    assert swayed.pull.low > 0
    assert (blind.blind.value, blind.blind.n) == (1.0, 12)
    assert blind.pull.value is None


def test_pace_and_agreement_stand_beside(world: World):
    """The median is of the person's own votes; half of the shared items were called the same."""
    mine = my_work(world.ws, world.cast.experts[0], world.slug)
    assert (mine.votes, mine.skips, mine.flags) == (12, 0, 0)
    assert mine.seconds.value == pytest.approx(3)
    assert mine.agreement.value == pytest.approx(0.5)
    assert mine.agreement.n == 12


def test_todays_votes_do_not_move_ones_own_numbers(world: World):
    """A count that stood still after an answer would tell what was planted: today counts tomorrow."""
    me = world.cast.experts[2]
    for item in world.items[:6]:
        sent = Submission(new_uuid(), item, "vote", Answer({"label": CAT}), active_seconds=1)
        submit(world.ws, me, world.slug, sent)
    now = my_work(world.ws, me, world.slug)
    assert (now.votes, now.seconds.n, now.agreement.n, now.blind.n) == (0, 0, 0, 0)
    everybody = everybodys_work(world.ws, world.cast.lead, world.slug)
    assert next(w.votes for w in everybody if w.person_id == me.person_id) == 6
    world.ws.clock.advance(86_400)
    assert my_work(world.ws, me, world.slug).votes == 6


def test_tiles_on_open_items_do_not_count_yet(world: World):
    """What was noticed counts once the item is settled: the figure tells nobody which tile was gold."""
    me = world.cast.experts[1]
    rows = [
        {
            "page_uuid": f"p{n}", "project_id": world.project.id, "item_id": item,
            "person_id": me.person_id, "shown": CAT, "truth": DOG, "noticed": n % 2 == 0,
            "tiles": 9, "at": 1.0,
        }
        for n, item in enumerate(world.items[:8])
    ]  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(overlook_probes.insert(), rows)
    assert my_work(world.ws, me, world.slug).noticed.n == 0
    for n, item in enumerate(world.items[:6]):
        sent = Submission(new_uuid(), item, "vote", Answer({"label": CAT}), active_seconds=1)
        submit(world.ws, world.cast.experts[2], world.slug, sent)
        assert my_work(world.ws, me, world.slug).noticed.n == n + 1
    assert my_work(world.ws, me, world.slug).noticed.value == pytest.approx(0.5)


def test_one_sees_ones_own_and_who_steers_everybodys(world: World):
    """An expert is refused the others; a stranger learns nothing; who said nothing has nothing."""
    expert = world.cast.experts[0]
    with pytest.raises(Forbidden):
        everybodys_work(world.ws, expert, world.slug)
    assert my_work(world.ws, expert, world.slug).person == expert.name
    nothing = my_work(world.ws, world.cast.experts[3], world.slug)
    assert (nothing.votes, nothing.agreement.value, nothing.pull.value) == (0, None, None)
    elsewhere = make_world(world.ws, n_items=1, slug="cars")
    for ask in (my_work, everybodys_work):
        with pytest.raises(NotFound):
            ask(world.ws, actor_of(world.ws, elsewhere.cast.manager.person_id), world.slug)
