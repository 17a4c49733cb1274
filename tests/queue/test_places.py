"""Whatever happens in whatever order: never more votes and leases than wanted, never a place lost.

Seeded walks over claims, renewals, releases, votes, skips, withdrawals, send-backs, new
policies, crashes and a clock that jumps, on SQLite and on PostgreSQL. ``TIEBREAK_TEST_ROUNDS``
multiplies the walks.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.clock import FakeClock
from core.consensus.policy import Policy
from core.errors import ConflictError, Forbidden, StoreUnavailable
from core.queue.claim import claim, renew
from core.queue.hints import wake
from core.queue.writer import LeaseWriter, lease_writer
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item, release_items, renew_leases
from core.services.steering.rules import set_policy
from core.store.tables import item_state
from tests.processes import ROUNDS
from tests.record import World, act, live_leases, live_votes, rule, vote

Make = Callable[..., World]
STEPS = 90
NOW, LEASE = 1_780_000_000.0, 600.0


class Crash(Exception):
    """What a killed process looks like to the record: the transaction never commits."""


class Walk:
    """One seeded walk over a small project, and what has to hold after each step."""

    def __init__(self, world: World, clock: FakeClock, seed: int) -> None:
        self.world, self.clock, self.draw = world, clock, random.Random(seed)
        self.people = [*world.cast.experts, world.cast.lead]
        self.revisions: dict[tuple[int, int], int] = {}

    def step(self) -> str:
        """Do something and return what."""
        what = self.draw.choice(
            ["claim"] * 5 + ["vote"] * 4
            + ["renew", "release", "skip", "withdraw", "pass", "back", "crash", "open", "policy",
               "send_back", "forge"]
        )  # fmt: skip
        try:
            getattr(self, what)(self.draw.choice(self.people))
        except (ConflictError, Forbidden):
            what += " (refused)"
        return what

    def claim(self, actor) -> None:
        """Take some; what comes is held, and no more than one may hold."""
        view = claim_items(self.world.ws, actor, self.world.slug, self.draw.randint(1, 4))
        held = live_leases(self.world.ws)
        assert all(actor.person_id in held[i.item_id] for i in view.items)

    def open(self, actor) -> None:
        """Open a permalink."""
        open_item(self.world.ws, actor, self.world.slug, self.draw.choice(self.world.items))

    def renew(self, actor) -> None:
        """Prolong whatever of all items one holds."""
        renew_leases(self.world.ws, actor, self.world.slug, self.world.items)

    def release(self, actor) -> None:
        """Give some back."""
        some = self.draw.sample(self.world.items, 2)
        release_items(self.world.ws, actor, self.world.slug, some)

    def forge(self, actor) -> None:
        """Name items that are not there, or far from being numbers of items."""
        strange = [0, 10**9, 2**62]
        assert renew_leases(self.world.ws, actor, self.world.slug, strange) == 0
        release_items(self.world.ws, actor, self.world.slug, strange)

    def vote(self, actor) -> None:
        """Vote, held or not."""
        item = self.draw.choice(self.world.items)
        self._said(actor, item, vote, self.draw.choice(["cat", "dog"]))

    def skip(self, actor) -> None:
        """Skip, now and then for being unsure."""
        item = self.draw.choice(self.world.items)
        self._said(actor, item, act, "skip", reason=self.draw.choice(["unsure", "other"]))

    def withdraw(self, actor) -> None:
        """Take an answer back."""
        self._said(actor, self.draw.choice(self.world.items), act, "withdraw")

    def _said(self, actor, item: int, how: Callable, *rest: str, **more: str) -> None:
        key = (actor.person_id, item)
        receipt = how(self.world, actor, item, *rest, base=self.revisions.get(key, 0), **more)
        self.revisions[key] = receipt.revision

    def send_back(self, _actor) -> None:
        """A lead sends an item back, which may leave it fewer places than are held."""
        rule(self.world, self.world.cast.lead2, self.draw.choice(self.world.items), "send-back")

    def policy(self, _actor) -> None:
        """Ask for more or fewer votes."""
        policy = Policy(overlap=self.draw.randint(1, 3))
        set_policy(self.world.ws, self.world.cast.lead, self.world.slug, policy, "a change")

    def pass_(self, _actor) -> None:
        """Time passes."""
        self.clock.advance(self.draw.choice([1.0, 300.0, 601.0]))

    def back(self, _actor) -> None:
        """The clock is set back."""
        self.clock.advance(-self.draw.choice([5.0, 650.0]))

    def crash(self, actor) -> None:
        """A process dies in the middle of a group: nothing of it is there."""
        before = live_leases(self.world.ws)

        def dies(connection) -> None:
            now = self.clock()
            renew(connection, actor.person_id, self.world.items, now, LEASE)
            claim(connection, self.world.project.id, actor.person_id, 3, now, LEASE)
            raise Crash

        with pytest.raises(Crash):
            lease_writer(self.world.ws.store).write(dies)
        assert live_leases(self.world.ws) == before

    def check(self, told: str) -> None:
        """Hold places, hints and leases against one another."""
        ws, now = self.world.ws, self.clock()
        votes, held = live_votes(ws), live_leases(ws)
        with ws.store.read() as connection:
            rows = connection.execute(select(item_state)).all()
        for row in rows:
            taken = len(votes.get(row.item_id, set()) | held.get(row.item_id, set()))
            if row.state == "open":
                assert taken <= row.wanted, told
                free = row.votes + len(held.get(row.item_id, set())) < row.wanted
                ended = row.frees_at is not None and row.frees_at <= now
                assert row.ready or ended or not free, f"{told}: a place that nobody is offered"


setattr(Walk, "pass", Walk.pass_)


@pytest.mark.parametrize("seed", range(3 * ROUNDS))
def test_no_place_is_given_twice_and_none_is_lost(make: Make, clock: FakeClock, seed: int):
    """After every step of a walk: within what is wanted, and every free place is on offer."""
    world = make(n_items=5, n_experts=4)
    walk, told = Walk(world, clock, seed), []
    for _ in range(STEPS):
        told.append(walk.step())
        walk.check(f"seed {seed}: {told[-12:]}")


def test_a_clock_set_back_revives_no_lease_whose_place_was_given_away(make: Make, clock: FakeClock):
    """Two leases run out, two others come, the clock goes back: still two hold the item."""
    world = make(n_items=1, n_experts=4)
    for expert in world.cast.experts[:2]:
        claim_items(world.ws, expert, world.slug, 1)
    clock.advance(world.ws.settings.lease_seconds + 1)
    late = world.cast.experts[2:]
    for expert in late:
        assert len(claim_items(world.ws, expert, world.slug, 1).items) == 1
    clock.advance(-world.ws.settings.lease_seconds)
    assert live_leases(world.ws) == {world.items[0]: {e.person_id for e in late}}


def test_fewer_votes_wanted_takes_back_the_newest_lease(make: Make, clock: FakeClock):
    """A policy that asks for one vote leaves the place to who came first."""
    world = make(n_items=1)
    first, second = world.cast.experts[:2]
    claim_items(world.ws, first, world.slug, 1)
    clock.advance(1)
    claim_items(world.ws, second, world.slug, 1)
    one = Policy(overlap=1, max_votes=1)
    set_policy(world.ws, world.cast.lead, world.slug, one, "cheaper")
    assert live_leases(world.ws) == {world.items[0]: {first.person_id}}


def test_full_items_are_not_ready_and_wake_by_themselves(make: Make):
    """The hint goes when the last place is taken and comes back with the lease's end."""
    world = make(n_items=1, n_experts=3)

    def hint() -> tuple[int, float | None]:
        with world.ws.store.read() as connection:
            row = connection.execute(select(item_state)).one()
        return row.ready, row.frees_at

    with world.ws.store.ephemeral() as connection:
        for n, expert in enumerate(world.cast.experts[:2]):
            claim(connection, world.project.id, expert.person_id, 1, NOW + n, LEASE)
    assert hint() == (0, NOW + LEASE)
    with world.ws.store.ephemeral() as connection:
        renew(connection, world.cast.experts[0].person_id, world.items, NOW + 9, LEASE)
        wake(connection, world.project.id, NOW + LEASE)
    assert hint() == (0, NOW + LEASE + 1)
    with world.ws.store.ephemeral() as connection:
        wake(connection, world.project.id, NOW + LEASE + 1)
    assert hint() == (1, None)


# --- the one writer ---------------------------------------------------------------------------


def test_claims_that_wait_are_written_together_and_each_gets_its_own(make: Make):
    """Thirty threads at once: every item goes to one person, and everybody gets two."""
    world = make(n_items=60, n_experts=30, policy=Policy(overlap=1, max_votes=1))
    writer, gate = lease_writer(world.ws.store), threading.Barrier(30)
    got: dict[int, list[int]] = {}

    def work(person: int) -> None:
        gate.wait(30)
        got[person] = writer.write(lambda c: claim(c, world.project.id, person, 2, NOW, LEASE))

    threads = [threading.Thread(target=work, args=(e.person_id,)) for e in world.cast.experts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(i for items in got.values() for i in items) == world.items
    assert {len(items) for items in got.values()} == {2}
    assert lease_writer(world.ws.store) is writer


def test_one_bad_claim_of_a_group_fails_alone(make: Make):
    """The group is rolled back and each is written by itself; only the bad one hears of it."""
    world = make(n_items=6, policy=Policy(overlap=1, max_votes=1))
    writer = LeaseWriter(world.ws.store)
    inside, outcomes = threading.Event(), {}

    def slow(_connection) -> None:
        inside.set()
        for _ in range(400):
            if len(writer._waiting) == 3:
                return
            threading.Event().wait(0.01)

    def good(person: int) -> Callable:
        return lambda c: claim(c, world.project.id, person, 2, NOW, LEASE)

    def bad(connection) -> None:
        claim(connection, world.project.id, world.cast.lead.person_id, 2, NOW, LEASE)
        raise Crash

    def run(name: str, work: Callable) -> None:
        try:
            outcomes[name] = writer.write(work)
        except Crash:
            outcomes[name] = "crash"

    first = threading.Thread(target=run, args=("slow", slow))
    first.start()
    assert inside.wait(10)
    one, two = (e.person_id for e in world.cast.experts[:2])
    rest = [
        threading.Thread(target=run, args=args)
        for args in (("one", good(one)), ("bad", bad), ("two", good(two)))
    ]
    for thread in rest:
        thread.start()
    for thread in [first, *rest]:
        thread.join()
    assert outcomes["bad"] == "crash"
    held = live_leases(world.ws)
    assert {p for people in held.values() for p in people} == {one, two}
    assert sorted([*outcomes["one"], *outcomes["two"]]) == sorted(held)


def test_a_record_that_cannot_be_reached_is_heard_by_everybody_and_heals(make: Make):
    """A failing store fails the claim in words; the next one works."""
    world = make(n_items=2)

    class Failing:
        """A store whose first transactions cannot begin."""

        left = 1

        def ephemeral(self):
            if self.left:
                self.left -= 1
                raise StoreUnavailable("The record was busy for 30 s: this was not saved.")
            return world.ws.store.ephemeral()

    store = Failing()
    writer = LeaseWriter(store)  # type: ignore[arg-type]
    me = world.cast.experts[0].person_id
    with pytest.raises(StoreUnavailable):
        writer.write(lambda c: claim(c, world.project.id, me, 1, NOW, LEASE))
    assert len(writer.write(lambda c: claim(c, world.project.id, me, 1, NOW, LEASE))) == 1
