"""Adjudication: who may decide, what is shown to whom, and what a decision does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace

import pytest
from sqlalchemy import func, insert, select

from core.access import Role
from core.clock import FakeClock, new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import ConflictError, Forbidden, InputError, ItemClosed, NotFound, StaleVersion
from core.services.accounts.changing import add_person
from core.services.accounts.grants import grant
from core.services.accounts.people import actor_of, operator
from core.services.consensus.resolve import resolve
from core.services.items.why import explain
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.review.ruling import Ruling, decide
from core.services.steering.rules import set_guideline, set_policy
from core.store.tables import decisions, final_labels, gold_answers
from tests.record import World, act, live_leases, rule, say, state_of, vote

Make = Callable[..., World]
TO_LEAD = Policy(on_disagreement=OnDisagreement.LEAD)


@pytest.fixture
def disputed(make: Make) -> World:
    """Give a project whose first item has a cat against a dog."""
    world = make(n_items=2, policy=TO_LEAD)
    vote(world, world.cast.experts[0], world.items[0], "cat")
    vote(world, world.cast.experts[1], world.items[0], "dog")
    return world


def ruling_of(world: World, kind: str = "decide", **changes) -> Ruling:
    answer = say("cat") if kind == "decide" else None
    return replace(Ruling(new_uuid(), world.items[0], kind, answer, "clear ears", 2), **changes)


def texts_of(value: object) -> str:
    """Return every value inside a view as one text."""
    if is_dataclass(value):
        return " ".join(texts_of(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, list | tuple):
        return " ".join(map(texts_of, value))
    return str(value)


# --- deciding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state", "label"),
    [
        ("decide", "adjudicated", "cat"),
        ("discard", "discarded", None),
        ("neutral", "neutral", None),
        ("send-back", "open", None),
    ],
)
def test_a_decision_takes_effect(disputed: World, kind: str, state: str, label: str | None):
    """Each kind puts the item where it belongs; sent back, one more vote is wanted."""
    assert rule(disputed, disputed.cast.lead, disputed.items[0], kind).status == "saved"
    found = state_of(disputed, disputed.items[0])
    assert found[:2] == (state, label)
    if kind == "send-back":
        assert found[2:] == (2, 3)


def test_a_sent_back_item_is_settled_by_the_next_vote_or_comes_back(disputed: World):
    """After a third vote the policy looks again; here votes still differ, so a lead decides."""
    item = disputed.items[0]
    rule(disputed, disputed.cast.lead, item, "send-back")
    assert item in {
        i.item_id
        for i in claim_items(disputed.ws, disputed.cast.experts[2], disputed.slug, 5).items
    }
    vote(disputed, disputed.cast.experts[2], item, "dog")
    assert state_of(disputed, item)[0] == "dispute"
    rule(disputed, disputed.cast.lead, item, "decide", "dog")
    assert state_of(disputed, item)[:2] == ("adjudicated", "dog")


def test_an_item_settled_in_peoples_hands_is_not_claimed_beyond_its_places(make: Make):
    """Two hold it, a lead calls it neutral and then wants one more vote: one claim is left."""
    world = make()
    item, experts = world.items[0], world.cast.experts
    for one in experts[:2]:
        open_item(world.ws, one, world.slug, item)
    rule(world, world.cast.lead, item, "neutral")
    rule(world, world.cast.lead, item, "send-back")
    assert state_of(world, item)[3] == 1
    assert len(live_leases(world.ws).get(item, set())) == 1


def test_a_lead_who_sent_an_item_back_does_not_vote_on_it(disputed: World):
    """They have seen the votes: the queue passes them over and a vote is refused."""
    item, lead = disputed.items[0], disputed.cast.lead
    rule(disputed, lead, item, "send-back")
    assert item not in {i.item_id for i in claim_items(disputed.ws, lead, disputed.slug, 9).items}
    with pytest.raises(ItemClosed, match="You ruled on this item"):
        vote(disputed, lead, item)
    vote(disputed, disputed.cast.lead2, item)


def test_a_decided_item_takes_no_more_votes(disputed: World):
    """A vote that comes after the decision is refused, whichever kind it is (F28)."""
    item = disputed.items[0]
    rule(disputed, disputed.cast.lead, item)
    for kind in ("flag", "skip"):
        with pytest.raises(ItemClosed, match="settled meanwhile"):
            act(disputed, disputed.cast.experts[2], item, kind)
    with pytest.raises(ItemClosed):
        vote(disputed, disputed.cast.experts[0], item, "owl", base=1)
    with pytest.raises(ItemClosed):
        act(disputed, disputed.cast.experts[0], item, "withdraw", base=1)


def test_a_decision_is_overturned_by_the_next(disputed: World):
    """The latest decision is in force; the first one stays readable."""
    item = disputed.items[0]
    rule(disputed, disputed.cast.lead, item, "decide", "cat")
    rule(disputed, disputed.cast.lead2, item, "decide", "dog", reason="look at the tail")
    assert state_of(disputed, item)[:2] == ("adjudicated", "dog")
    with disputed.ws.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(decisions)).scalar() == 2


@pytest.mark.parametrize("then", ["nothing", "withdraw", "flag"])
def test_nobody_decides_what_they_voted_on(make: Make, then: str):
    """Not even after taking the vote back or flagging the item (A8)."""
    world = make(n_items=1, policy=TO_LEAD)
    item, lead = world.items[0], world.cast.lead
    vote(world, lead, item, "cat")
    if then != "nothing":
        act(world, lead, item, then, base=1)
    if then != "flag":
        act(world, world.cast.experts[0], item, "flag")
    with pytest.raises(Forbidden, match="You voted on this item"):
        rule(world, lead, item)
    seen = get_dispute(world.ws, lead, world.slug, item)
    assert (seen.may_decide, seen.may_not_because != "") == (False, True)
    assert rule(world, world.cast.lead2, item).status == "saved"


def test_the_policy_may_allow_deciding_ones_own(make: Make):
    """A project of one lead can say so."""
    world = make(n_items=1, policy=replace(TO_LEAD, adjudicate_own=True))
    vote(world, world.cast.lead, world.items[0], "cat")
    act(world, world.cast.experts[0], world.items[0], "flag")
    assert rule(world, world.cast.lead, world.items[0]).status == "saved"


def test_a_vote_cast_meanwhile_stops_the_decision(disputed: World):
    """The lead saw two votes, now there is one: nothing is decided (F28)."""
    item = disputed.items[0]
    act(disputed, disputed.cast.experts[0], item, "withdraw", base=1)
    with pytest.raises(StaleVersion, match="2 then, 1 now"):
        decide(disputed.ws, disputed.cast.lead, disputed.slug, ruling_of(disputed))
    assert state_of(disputed, item)[0] == "open"


def test_a_vote_changed_meanwhile_stops_the_decision(disputed: World):
    """The number of votes is the same, what they say is not."""
    item, lead = disputed.items[0], disputed.cast.lead
    seen = get_dispute(disputed.ws, lead, disputed.slug, item)
    vote(disputed, disputed.cast.experts[0], item, "owl", base=1)
    with pytest.raises(StaleVersion, match="changed or flagged"):
        decide(disputed.ws, lead, disputed.slug, ruling_of(disputed, newest_seq=seen.newest_seq))


def test_a_resent_decision_changes_nothing(disputed: World):
    """The same UUID again is acknowledged and not stored; another's UUID is refused."""
    ruling = ruling_of(disputed)
    assert decide(disputed.ws, disputed.cast.lead, disputed.slug, ruling).status == "saved"
    again = decide(disputed.ws, disputed.cast.lead, disputed.slug, ruling)
    assert again.status == "already-saved"
    with disputed.ws.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(decisions)).scalar() == 1
    with pytest.raises(ConflictError, match="belongs to another"):
        decide(disputed.ws, disputed.cast.lead2, disputed.slug, ruling)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "guess"}, "Unknown kind"),
        ({"reason": "  "}, "needs a reason"),
        ({"reason": "x" * 2001}, "2001 characters"),
        ({"uuid": "1"}, "UUID of its own"),
        ({"answer": None}, "needs the label"),
        ({"answer": say("unicorn")}, "Unknown class"),
    ],
    ids=["kind", "reason", "long", "uuid", "answer", "class"],
)
def test_a_decision_that_does_not_fit_is_refused(disputed: World, change: dict, words: str):
    """Each refusal says what was wrong, and nothing is decided."""
    with pytest.raises(InputError, match=words):
        decide(disputed.ws, disputed.cast.lead, disputed.slug, ruling_of(disputed, **change))
    assert state_of(disputed, disputed.items[0])[0] == "dispute"


def test_a_flag_after_a_send_back_is_a_new_dispute(disputed: World):
    """Flags the lead could see are answered; a later one is not."""
    item = disputed.items[0]
    act(disputed, disputed.cast.experts[2], item, "flag")
    rule(disputed, disputed.cast.lead, item, "send-back")
    assert state_of(disputed, item)[0] == "open"
    act(disputed, disputed.cast.experts[3], item, "flag")
    assert state_of(disputed, item)[0] == "dispute"
    assert disputes(disputed.ws, disputed.cast.lead, disputed.slug)[0].flagged


# --- what is shown ----------------------------------------------------------------------------


def test_the_list_puts_flags_first_and_tells_since_when(disputed: World, clock: FakeClock):
    """A flagged item comes before one whose votes differ; a full resolve does not make it young."""
    since = clock()
    clock.advance(60)
    act(disputed, disputed.cast.experts[2], disputed.items[1], "flag")
    clock.advance(60)
    resolve(disputed.ws, disputed.cast.lead, disputed.slug)
    rows = disputes(disputed.ws, disputed.cast.lead, disputed.slug)
    assert [r.item_id for r in rows] == [disputed.items[1], disputed.items[0]]
    assert (rows[1].labels, rows[1].differs, rows[1].since) == (("cat", "dog"), ("label",), since)


def test_a_dispute_hides_names(disputed: World):
    """The lead sees answers under aliases, and no name of a voter anywhere."""
    view = get_dispute(disputed.ws, disputed.cast.lead, disputed.slug, disputed.items[0])
    assert [v.alias for v in view.votes] == ["Reviewer 1", "Reviewer 2"]
    assert "expert" not in texts_of(view)


def test_a_lead_who_could_still_vote_sees_no_votes(make: Make):
    """While an item takes votes, looking it up as a dispute shows none (blind until voted)."""
    world = make(n_items=1)
    vote(world, world.cast.experts[0], world.items[0], "owl")
    blind = get_dispute(world.ws, world.cast.lead, world.slug, world.items[0])
    assert (blind.votes, blind.differs, blind.item.mine) == ((), (), None)
    assert "owl" not in texts_of(replace(blind, item=None))  # type: ignore[arg-type]
    both = operator(world.ws)  # lead, manager and admin in one
    assert len(get_dispute(world.ws, both, world.slug, world.items[0]).votes) == 1


def test_a_later_voter_sees_nothing_of_earlier_votes(make: Make):
    """No view an expert gets before voting tells what others said (blind)."""
    world = make(n_items=1)
    one, two, *_ = world.cast.experts
    item = world.items[0]
    vote(world, one, item, "owl")
    save_draft(world.ws, one, world.slug, item, say("owl"))
    shown = [
        open_item(world.ws, two, world.slug, item),
        claim_items(world.ws, two, world.slug, 5),
        my_recent(world.ws, two, world.slug),
        explain(world.ws, two, world.slug, item),
    ]
    assert "owl" not in texts_of(shown)
    assert one.name not in texts_of(shown)


def test_a_dispute_tells_later_voters_nothing_either(make: Make):
    """Neither while it is disputed nor sent back for more votes does "why" say who said what."""
    world = make(n_items=1, policy=TO_LEAD)
    item, later = world.items[0], world.cast.experts[2]
    vote(world, world.cast.experts[0], item, "owl")
    vote(world, world.cast.experts[1], item, "dog")
    for _ in range(2):
        shown = [
            explain(world.ws, later, world.slug, item),
            open_item(world.ws, later, world.slug, item),
        ]
        for secret in ("owl", "dog", "expert0", "expert1"):
            assert secret not in texts_of(shown)
        if state_of(world, item)[0] == "dispute":
            rule(world, world.cast.lead, item, "send-back")


def test_gold_answers_reach_no_voter(make: Make):
    """An item with a known answer looks like any other in every view, settled or not (A6)."""
    world = make(n_items=2)
    gold, plain = world.items
    with world.ws.store.write() as connection:
        connection.execute(
            insert(gold_answers),
            {
                "project_id": world.project.id, "item_id": gold, "label": "owl",
                "answer": say("owl").to_json(), "batch_id": None, "at": 1.0,
            },
        )  # fmt: skip
    resolve(world.ws, world.cast.lead, world.slug)
    expert = world.cast.experts[0]
    queue = claim_items(world.ws, expert, world.slug, 5)
    assert {i.item_id for i in queue.items} == {gold, plain}
    shown = {i.item_id: i for i in queue.items}
    same = {"item_id": 0, "name": "", "image": ""}
    assert replace(shown[gold], **same) == replace(shown[plain], **same)
    for item in (gold, plain):
        receipts = [vote(world, e, item) for e in world.cast.experts[:2]]
        shown_after = [explain(world.ws, expert, world.slug, item), receipts]
        assert "owl" not in texts_of(shown_after)
        assert state_of(world, item)[:2] == ("agreed", "cat")
    assert "owl" not in texts_of(my_recent(world.ws, expert, world.slug))


# --- why --------------------------------------------------------------------------------------


def test_why_names_votes_ruling_and_versions(disputed: World):
    """A settled item tells who said what, who ruled and why, under which policy."""
    rule(disputed, disputed.cast.lead, disputed.items[0], reason="clear ears")
    why = explain(disputed.ws, disputed.cast.manager, disputed.slug, disputed.items[0])
    text = " ".join(why.sentences)
    for part in (
        "expert0.pets said cat",
        "expert1.pets said dog",
        "clear ears",
        "Policy version 1",
    ):
        assert part in text
    assert (why.label, why.decided_by, why.policy_version) == ("cat", "lead.pets", 1)


def test_why_calls_people_what_others_read(disputed: World):
    """Not by the name one signs in with, but by the display name."""
    ws, boss, slug = disputed.ws, disputed.cast.operator, disputed.slug
    zoe = actor_of(ws, add_person(ws, boss, "zz", "Zoe Zeta", roles=[(Role.LEAD, slug)]))
    rule(disputed, zoe, disputed.items[0])
    why = explain(ws, disputed.cast.manager, slug, disputed.items[0])
    assert why.decided_by == "Zoe Zeta"
    assert any(s.startswith("Zoe Zeta decided") for s in why.sentences)
    assert "zz" not in texts_of([why])


def test_why_of_an_open_item_counts_and_tells_nothing(make: Make):
    """Before it is settled only numbers are given."""
    world = make(n_items=1)
    vote(world, world.cast.experts[0], world.items[0], "owl")
    why = explain(world.ws, world.cast.experts[1], world.slug, world.items[0])
    assert why.sentences == ("It has 1 of 2 votes; nothing is settled yet.",)
    with pytest.raises(NotFound):
        explain(world.ws, world.cast.experts[1], world.slug, 10**9)


# --- policies ---------------------------------------------------------------------------------


def test_another_policy_derives_every_label_anew(disputed: World):
    """Old votes are replayed: differing ones are discarded, and back again; history stays."""
    item, lead, slug = disputed.items[0], disputed.cast.lead, disputed.slug
    discard = Policy(on_disagreement=OnDisagreement.DISCARD)
    assert set_policy(disputed.ws, lead, slug, discard, "strict").policy_version == 2
    assert state_of(disputed, item)[0] == "discarded"
    set_policy(disputed.ws, lead, slug, replace(TO_LEAD, overlap=1), "one is enough")
    assert state_of(disputed, item)[0] == "dispute"
    with disputed.ws.store.read() as connection:
        states = connection.execute(
            select(final_labels.c.state)
            .where(final_labels.c.item_id == item)
            .order_by(final_labels.c.seq)
        ).scalars()
        assert list(states) == ["dispute", "discarded", "dispute"]


def test_a_policy_that_wants_fewer_votes_closes_items_under_those_who_hold_them(make: Make):
    """The vote of a person who held the item is refused in words and kept as a draft."""
    world = make(n_items=1)
    one, two, *_ = world.cast.experts
    claim_items(world.ws, two, world.slug, 1)
    vote(world, one, world.items[0], "cat")
    set_policy(
        world.ws, world.cast.lead, world.slug, Policy(overlap=1, max_votes=1), "one is enough"
    )
    assert state_of(world, world.items[0])[:2] == ("agreed", "cat")
    with pytest.raises(ItemClosed):
        vote(world, two, world.items[0], "dog")
    assert open_item(world.ws, two, world.slug, world.items[0]).draft == say("dog")


def test_a_new_version_needs_a_reason_and_the_same_text_is_none(disputed: World):
    """No reason, no version; setting what is in force changes nothing."""
    lead, slug = disputed.cast.lead, disputed.slug
    with pytest.raises(InputError, match="needs a reason"):
        set_policy(disputed.ws, lead, slug, Policy(overlap=3), " ")
    assert set_policy(disputed.ws, lead, slug, TO_LEAD, "again").policy_version == 1
    assert set_guideline(disputed.ws, lead, slug, "Look twice.", "clearer").guideline_version == 2


def test_a_lead_sees_and_decides_only_in_their_own_project(disputed: World):
    """Being a lead elsewhere gives nothing here; being made one does."""
    stranger = disputed.cast.experts[3]
    with pytest.raises(Forbidden):
        disputes(disputed.ws, stranger, disputed.slug)
    grant(disputed.ws, operator(disputed.ws), stranger.person_id, Role.LEAD, disputed.slug)
    assert disputes(disputed.ws, actor_of(disputed.ws, stranger.person_id), disputed.slug)
    assert live_leases(disputed.ws) == {}
