"""The review services in lockstep with a small model of what they promise (Hypothesis)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from core.clock import FakeClock, new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import ConflictError, Forbidden, InputError
from core.services.accounts.changing import set_active
from core.services.accounts.people import operator
from core.services.consensus.resolve import resolve
from core.services.models.datasets import freeze_labels
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import open_workspace
from core.store.audit import verify_audit
from core.store.store import open_store, sqlite_url
from core.store.tables import annotation_log, decisions, item_state
from tests.record import (
    CLASSES,
    act,
    live_leases,
    live_votes,
    make_world,
    say,
    state_of,
    vote,
)
from tests.record import rule as rule_on

PEOPLE = st.integers(0, 3)
ITEMS = st.integers(0, 3)
LABELS = st.sampled_from(CLASSES)
CLOSED = {"adjudicated", "neutral", "discarded"}


class Reviewing(RuleBasedStateMachine):
    """Four experts and two leads at work on four items, overlap two, third vote, then a lead."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="tiebreak-machine-"))
        open_store(sqlite_url(self.root)).close()
        self.clock = FakeClock()
        self.ws = open_workspace(self.root, self.clock)
        self.kinds: dict[tuple[int, int], str] = {}  # (person, item) -> vote, skip, flag, withdraw
        self.said: dict[tuple[int, int], str] = {}
        self.revisions: dict[tuple[int, int], int] = {}
        self.drafts: dict[tuple[int, int], str] = {}
        self.acknowledged: dict[str, tuple[int, int, str]] = {}
        self.ever_voted: set[tuple[int, int]] = set()
        self.decided: dict[int, str] = {}
        self.hashes: dict[str, str] = {}
        self.escalated: set[int] = set()

    @initialize(policy=st.sampled_from([Policy(), Policy(on_disagreement=OnDisagreement.LEAD)]))
    def begin(self, policy: Policy) -> None:
        """Make the project; experts 0 to 2 and, as number 3, a lead who votes too."""
        self.world = make_world(self.ws, n_items=4, n_experts=3, policy=policy)
        self.people = [*self.world.cast.experts, self.world.cast.lead]

    def teardown(self) -> None:
        self.ws.store.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def state(self, item: int) -> str:
        return state_of(self.world, self.world.items[item])[0]

    # --- what people do -----------------------------------------------------------------------

    @rule(who=PEOPLE, count=st.integers(1, 3))
    def claim(self, who: int, count: int) -> None:
        """What is handed out is open, and not answered by this person."""
        before = live_leases(self.ws)
        view = claim_items(self.ws, self.people[who], self.world.slug, count)
        for found in view.items:
            item = self.world.items.index(found.item_id)
            held = self.people[who].person_id in before.get(found.item_id, set())
            assert held or self.kinds.get((who, item), "withdraw") == "withdraw"
            assert held or self.state(item) == "open"

    @rule(who=PEOPLE, item=ITEMS, label=LABELS)
    def say_label(self, who: int, item: int, label: str) -> None:
        """A vote is taken when the model says so, and else refused without a trace."""
        key, base = (who, item), self.revisions.get((who, item), 0)
        before, state = live_votes(self.ws), self.state(item)
        place = self.may_vote(who, item, state)
        uuid = new_uuid()
        try:
            receipt = vote(
                self.world, self.people[who], self.world.items[item], label, base=base, uuid=uuid
            )
        except ConflictError:
            assert not place
            assert live_votes(self.ws) == before
            self.drafts[key] = label
            return
        assert place
        assert receipt.revision == base + 1
        self.revisions[key], self.kinds[key], self.said[key] = receipt.revision, "vote", label
        self.acknowledged[uuid] = (who, item, label)
        self.ever_voted.add(key)
        self.drafts.pop(key, None)

    def may_vote(self, who: int, item: int, state: str) -> bool:
        """Return whether a vote must be taken: an own one to change, or a place that is free."""
        if state in CLOSED:
            return False
        if self.kinds.get((who, item)) == "vote":
            return True
        if state != "open" or (who == 3 and item in self.escalated):
            return False
        number, me = self.world.items[item], self.people[who].person_id
        with self.ws.store.read() as connection:
            wanted = connection.execute(
                select(item_state.c.wanted).where(item_state.c.item_id == number)
            ).scalar_one()
        holders = live_leases(self.ws).get(number, set())
        votes = sum(k == "vote" for (_, i), k in self.kinds.items() if i == item)
        return me in holders or votes + len(holders - {me}) < wanted

    @rule(who=PEOPLE, item=ITEMS, kind=st.sampled_from(["skip", "flag", "withdraw"]))
    def do_other(self, who: int, item: int, kind: str) -> None:
        """A skip, flag or withdrawal takes the person's vote out of the count."""
        key, base = (who, item), self.revisions.get((who, item), 0)
        try:
            receipt = act(self.world, self.people[who], self.world.items[item], kind, base=base)
        except ConflictError:
            return
        self.revisions[key], self.kinds[key] = receipt.revision, kind
        self.said.pop(key, None)
        if kind != "withdraw":
            self.drafts.pop(key, None)

    @rule(who=PEOPLE, item=ITEMS, label=LABELS)
    def keep_draft(self, who: int, item: int, label: str) -> None:
        """Keep unsent work."""
        save_draft(self.ws, self.people[who], self.world.slug, self.world.items[item], say(label))
        self.drafts[who, item] = label

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """A resend is acknowledged and changes nothing."""
        uuid = data.draw(st.sampled_from(sorted(self.acknowledged)))
        who, item, label = self.acknowledged[uuid]
        before = live_votes(self.ws)
        sent = Submission(uuid, self.world.items[item], "vote", say(label))
        assert submit(self.ws, self.people[who], self.world.slug, sent).status == "already-saved"
        assert live_votes(self.ws) == before

    @rule(
        lead=st.sampled_from(["lead", "lead2"]),
        item=ITEMS,
        kind=st.sampled_from(["decide", "send-back", "discard", "neutral"]),
    )
    def decide(self, lead: str, item: int, kind: str) -> None:
        """A lead decides, unless they ever voted on the item."""
        number = self.world.items[item]
        may = lead == "lead2" or (3, item) not in self.ever_voted
        try:
            rule_on(self.world, getattr(self.world.cast, lead), number, kind)
        except Forbidden:
            assert not may
            return
        assert may
        self.decided[item] = kind
        self.escalated.add(item) if lead == "lead" else None

    # --- what happens -------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 599.0, 601.0, -3600.0]))
    def pass_time(self, seconds: float) -> None:
        """Time moves, once in a while backwards."""
        self.clock.advance(seconds)

    @rule()
    def reopen(self) -> None:
        """The process ends and another opens the record."""
        self.ws.store.close()
        self.ws = open_workspace(self.root, self.clock)
        object.__setattr__(self.world, "ws", self.ws)

    @rule(who=st.integers(0, 2))
    def disable(self, who: int) -> None:
        """Disabling and enabling an account loses none of its work."""
        boss = operator(self.ws)
        for active in (False, True):
            set_active(self.ws, boss, self.people[who].person_id, active)

    @rule()
    def freeze(self) -> None:
        """A version's name keeps its hash for good."""
        try:
            made = freeze_labels(self.ws, self.world.cast.lead, self.world.slug)
        except InputError:  # nothing has a label yet
            return
        assert self.hashes.setdefault(made.name, made.hash) == made.hash

    # --- what always holds --------------------------------------------------------------------

    @invariant()
    def votes_are_those_of_the_model(self) -> None:
        """One live vote a person and item: exactly those the model knows."""
        if not hasattr(self, "world"):
            return
        expected: dict[int, set[int]] = {}
        for (who, item), kind in self.kinds.items():
            if kind == "vote":
                expected.setdefault(self.world.items[item], set()).add(self.people[who].person_id)
        assert live_votes(self.ws) == expected

    @invariant()
    def places_are_not_given_twice(self) -> None:
        """While an item is open, votes and the leases of others stay within what is wanted."""
        if not hasattr(self, "world"):
            return
        votes, held = live_votes(self.ws), live_leases(self.ws)
        for item in self.world.items:
            state, _, count, wanted = state_of(self.world, item)
            assert count == len(votes.get(item, set()))
            if state == "open":
                assert len(votes.get(item, set()) | held.get(item, set())) <= wanted

    @invariant()
    def decisions_stand_with_author_and_reason(self) -> None:
        """A settled item has a decision by somebody who never voted on it."""
        if not hasattr(self, "world"):
            return
        with self.ws.store.read() as connection:
            verify_audit(connection)
            ruled = connection.execute(select(decisions).order_by(decisions.c.seq)).all()
            voted = {
                (r.person_id, r.item_id)
                for r in connection.execute(
                    select(annotation_log).where(annotation_log.c.kind == "vote")
                )
            }
        assert all(r.reason for r in ruled)
        latest = {r.item_id: r for r in ruled}
        for index, kind in self.decided.items():
            item = self.world.items[index]
            if kind != "send-back":
                assert state_of(self.world, item)[0] in CLOSED
                by = latest[item]
                later = {r.seq for r in ruled if r.item_id == item and r.seq > by.seq}
                assert not later
        lead = self.world.cast.lead.person_id
        assert not {(r.person_id, r.item_id) for r in ruled if r.person_id != lead} & voted

    @invariant()
    def drafts_are_there(self) -> None:
        """Each draft is given back to its owner."""
        if not hasattr(self, "world") or not self.drafts:
            return
        (who, item), label = sorted(self.drafts.items())[-1]
        with_lease_untouched = live_leases(self.ws)
        if self.people[who].person_id in with_lease_untouched.get(self.world.items[item], set()):
            shown = open_item(self.ws, self.people[who], self.world.slug, self.world.items[item])
            assert shown.draft == say(label)

    @invariant()
    def a_full_resolve_changes_nothing(self) -> None:
        """What was derived step by step is what a full resolve derives."""
        if hasattr(self, "world"):
            assert resolve(self.ws, self.world.cast.lead, self.world.slug).changed == 0


# Shrinking replays hundreds of workspaces: a failure is printed as it was found, within seconds.
Reviewing.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestReviewing = Reviewing.TestCase
