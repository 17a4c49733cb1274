"""Threads on items: saying, answering, mentioning, closing; who reads what; hostile input."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.access import Actor
from core.clock import new_uuid
from core.errors import ConflictError, Forbidden, InputError, LimitExceeded, NotFound
from core.services.talk import writing
from core.services.talk.threads import ThreadView, item_threads, mentionable
from core.services.talk.waiting import waiting_threads
from core.services.talk.writing import reopen_thread, reply, resolve_thread, start_thread
from core.store.tables import audit, comments, mentions
from tests.record import World, act, add_items, make_project, make_world, rule, vote


def start(
    world: World, actor: Actor, text: str = "Is this a cat?", item: int = 0, uuid: str = ""
) -> ThreadView:
    """Begin a thread on one of the world's items."""
    return start_thread(world.ws, actor, world.slug, world.items[item], text, uuid or new_uuid())


def answer(world: World, actor: Actor, thread: int, text: str = "Look at the ears.") -> None:
    """Say something in a thread."""
    reply(world.ws, actor, world.slug, thread, text, new_uuid())


def read(world: World, actor: Actor, item: int = 0) -> tuple[ThreadView, ...]:
    """Return the threads a person can read."""
    return item_threads(world.ws, actor, world.slug, world.items[item])


def test_a_thread_goes_from_question_to_answer_to_closed(make: Callable[..., World]) -> None:
    """Everything said stays, in order; closing and opening again are said too."""
    world = make()
    expert, lead = world.cast.experts[0], world.cast.lead
    begun = start(world, expert)
    assert [t.thread for t in read(world, lead)] == [begun.thread]
    answer(world, lead, begun.thread)
    closed = resolve_thread(world.ws, lead, world.slug, begun.thread, new_uuid())
    assert closed.resolved
    again = reopen_thread(world.ws, expert, world.slug, begun.thread, new_uuid())
    assert not again.resolved
    assert [(c.kind, c.mine, c.text) for c in again.comments] == [
        ("comment", True, "Is this a cat?"),
        ("comment", False, "Look at the ears."),
        ("resolve", False, ""),
        ("reopen", True, ""),
    ]
    with world.ws.store.read() as connection:
        actions = connection.execute(select(audit.c.action).order_by(audit.c.seq)).scalars().all()
    assert [a for a in actions if a.startswith("thread")] == [
        "thread: comment", "thread: comment", "thread: resolve", "thread: reopen",
    ]  # fmt: skip


def test_a_resend_changes_nothing(make: Callable[..., World]) -> None:
    """The same UUID is one comment, one closing, however often it comes."""
    world = make()
    expert, uuid = world.cast.experts[0], new_uuid()
    first = start(world, expert, uuid=uuid)
    assert start(world, expert, uuid=uuid) == first
    said, closing = new_uuid(), new_uuid()
    for _ in range(2):
        reply(world.ws, expert, world.slug, first.thread, "more", said)
    for _ in range(2):
        done = resolve_thread(world.ws, expert, world.slug, first.thread, closing)
    assert [c.kind for c in done.comments] == ["comment", "comment", "resolve"]
    again = resolve_thread(world.ws, expert, world.slug, first.thread, new_uuid())
    assert again == done  # closed already


@pytest.mark.parametrize("thief", ["another person", "another item", "another kind"])
def test_a_uuid_belongs_to_one_comment(world: World, thief: str) -> None:
    """A UUID used before is refused for anything else."""
    expert, uuid = world.cast.experts[0], new_uuid()
    begun = start(world, expert, uuid=uuid)
    forged: dict[str, Callable[[], object]] = {
        "another person": lambda: start(world, world.cast.lead, uuid=uuid),
        "another item": lambda: start(world, expert, item=1, uuid=uuid),
        "another kind": lambda: resolve_thread(world.ws, expert, world.slug, begun.thread, uuid),
    }
    with pytest.raises(ConflictError):
        forged[thief]()


# --- who reads what ---------------------------------------------------------------------------


def test_an_expert_reads_what_they_take_part_in_until_they_have_voted(world: World) -> None:
    """A comment may give a vote away: others' threads show once one's own vote stands."""
    first, second, third = world.cast.experts[:3]
    begun = start(world, first)
    named = start(world, first, f"What do you say, @{third.name}?")
    assert len(read(world, first)) == 2
    assert read(world, second) == ()
    assert [t.thread for t in read(world, third)] == [named.thread]
    for boss in (world.cast.lead, world.cast.manager, world.cast.admin):
        assert len(read(world, boss)) == 2
    act(world, second, world.items[0], "skip", reason="unsure")
    assert read(world, second) == ()
    vote(world, second, world.items[0], base=1)
    assert {t.thread for t in read(world, second)} == {begun.thread, named.thread}


def test_a_thread_one_cannot_read_is_as_if_it_were_not_there(world: World) -> None:
    """Answering or closing it gives the same sentence as for a number that never was (A1)."""
    begun = start(world, world.cast.experts[0])
    stranger, said = world.cast.experts[1], []
    for thread in (begun.thread, 10**6):
        for call in (
            lambda t: reply(world.ws, stranger, world.slug, t, "me too", new_uuid()),
            lambda t: resolve_thread(world.ws, stranger, world.slug, t, new_uuid()),
            lambda t: reopen_thread(world.ws, stranger, world.slug, t, new_uuid()),
        ):
            with pytest.raises(NotFound) as refused:
                call(thread)
            said.append(str(refused.value).replace(str(thread), "X"))
    assert len(set(said)) == 1
    assert len(read(world, world.cast.lead)[0].comments) == 1


def test_items_and_threads_of_another_project_are_not_there(world: World) -> None:
    """Neither a foreign item nor a foreign thread nor a reply's number can be commented on here."""
    plants = make_project(world.ws, "plants")
    foreign = add_items(world.ws, plants, 1)[0]
    operator = world.cast.operator
    there = start_thread(world.ws, operator, "plants", foreign, "hello", new_uuid())
    lead = world.cast.lead
    with pytest.raises(NotFound):
        start_thread(world.ws, lead, world.slug, foreign, "hello", new_uuid())
    with pytest.raises(NotFound):
        item_threads(world.ws, lead, world.slug, foreign)
    with pytest.raises(NotFound):
        reply(world.ws, operator, world.slug, there.thread, "hello", new_uuid())
    with pytest.raises(NotFound):
        start_thread(world.ws, lead, "plants", foreign, "hello", new_uuid())
    begun = start(world, lead)
    answer(world, lead, begun.thread)
    second = read(world, lead)[0].comments[1].seq
    with pytest.raises(NotFound):
        answer(world, lead, second)  # a reply is no thread


def test_only_who_began_it_or_steers_closes_a_thread(world: World) -> None:
    """Somebody mentioned may answer, not close."""
    named = world.cast.experts[1]
    begun = start(world, world.cast.experts[0], f"@{named.name} look")
    assert not read(world, named)[0].may_resolve
    with pytest.raises(Forbidden):
        resolve_thread(world.ws, named, world.slug, begun.thread, new_uuid())
    answer(world, named, begun.thread)
    assert resolve_thread(
        world.ws, world.cast.manager, world.slug, begun.thread, new_uuid()
    ).resolved


def test_voters_are_aliases_until_the_item_is_settled(world: World) -> None:
    """A lead reads 'Reviewer 1', as in adjudication; a manager, and everybody afterwards, the name."""
    expert, lead = world.cast.experts[0], world.cast.lead
    act(world, expert, world.items[0], "flag", reason="other: two cats")

    def author(reader: Actor) -> str:
        return read(world, reader)[0].comments[0].who

    assert author(lead) == "Reviewer 1"
    assert author(world.cast.manager) == expert.display_name
    rule(world, lead, world.items[0], "discard")
    assert author(lead) == expert.display_name


# --- flags ------------------------------------------------------------------------------------


def test_a_flag_with_a_comment_opens_a_thread_that_reaches_back(world: World) -> None:
    """The lead's answer waits for the reviewer; a flag without words opens none."""
    expert, lead = world.cast.experts[0], world.cast.lead
    act(world, expert, world.items[0], "flag", reason="class-missing: this is a lynx")
    act(world, expert, world.items[1], "flag", reason="bad-image")
    assert read(world, lead, 1) == ()
    thread = read(world, lead)[0]
    assert [c.text for c in thread.comments] == ["this is a lynx"]
    assert waiting_threads(world.ws, expert).threads == ()
    answer(world, lead, thread.thread, "Call it a cat.")
    waits = waiting_threads(world.ws, expert).threads
    assert [(w.item_id, w.mentioned, w.text) for w in waits] == [
        (world.items[0], False, "Call it a cat.")
    ]
    answer(world, expert, thread.thread, "Thanks.")
    assert waiting_threads(world.ws, expert).threads == ()


def test_a_flag_never_fails_for_its_comment(world: World) -> None:
    """Direction marks are left out of the thread; the flag itself stands as it was sent."""
    expert = world.cast.experts[0]
    receipt = act(world, expert, world.items[0], "flag", reason="other: turn \u202eback\x07")
    assert receipt.status == "saved"
    assert read(world, expert)[0].comments[0].text == "turn back"


# --- mentions ---------------------------------------------------------------------------------


def mentioned(world: World) -> list[int]:
    with world.ws.store.read() as connection:
        return list(connection.execute(select(mentions.c.person_id)).scalars())


def test_mentions_count_for_people_of_the_project_alone(world: World) -> None:
    """Unknown names, people of other projects and oneself stay text; a full stop ends a name."""
    expert, lead = world.cast.experts[0], world.cast.lead
    other = make_world(world.ws, slug="plants", n_items=1).cast.lead
    text = f"@{lead.name}. Or @{other.name}, @nobody, a@{lead.name}, @{expert.name}?"
    start(world, expert, text)
    assert mentioned(world) == [lead.person_id]
    assert read(world, expert)[0].comments[0].text == text
    names = {p.name for p in mentionable(world.ws, expert, world.slug)}
    assert lead.name in names
    assert other.name not in names


def test_a_mention_waits_until_it_is_answered_or_closed(world: World) -> None:
    """It waits across projects; writing in the thread or closing it answers it."""
    expert, lead = world.cast.experts[0], world.cast.lead
    one = start(world, lead, f"@{expert.name} please look")
    two = start(world, lead, f"@{expert.name} and here", item=1)
    waits = waiting_threads(world.ws, expert)
    assert (waits.mentions, len(waits.threads)) == (2, 2)
    assert waits.open_threads == {}
    answer(world, expert, one.thread)
    assert [w.thread for w in waiting_threads(world.ws, expert).threads] == [two.thread]
    resolve_thread(world.ws, lead, world.slug, two.thread, new_uuid())
    assert waiting_threads(world.ws, expert).mentions == 0
    seen = waiting_threads(world.ws, lead)
    assert seen.open_threads == {world.slug: 1}
    assert [w.thread for w in seen.threads] == [one.thread]  # the expert spoke last
    reopen_thread(world.ws, lead, world.slug, two.thread, new_uuid())
    assert waiting_threads(world.ws, lead).open_threads == {world.slug: 2}


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "\u200b\u200d",
        "x" * 2001,
        "bell\x07",
        "nul\x00",
        "turn\u202eback",
        "esc\x1b[31m",
    ],
    ids=["empty", "blank", "invisible", "long", "bell", "nul", "direction", "escape"],
)
def test_a_comment_that_will_not_do_is_refused_in_a_sentence(world: World, text: str) -> None:
    """What was wrong is said; nothing is written."""
    with pytest.raises(InputError) as refused:
        start(world, world.cast.lead, text)
    assert refused.value.advice
    assert read(world, world.cast.lead) == ()


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "first line\nsecond line",
        "Grüße, 안녕, 👩‍🔬",
        "'); DROP TABLE comments; --",
        "x" * 2000,
    ],
    ids=["markup", "lines", "scripts", "sql", "as long as allowed"],
)
def test_a_comment_is_text_and_comes_back_as_it_was(make: Callable[..., World], text: str) -> None:
    """Nothing in it is read as anything else."""
    world = make()
    start(world, world.cast.lead, text)
    assert read(world, world.cast.lead)[0].comments[0].text == text


def test_a_comment_reaches_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks in a comment forge no line of a log, for no comment is ever logged."""
    with caplog.at_level(logging.DEBUG):
        start(world, world.cast.lead, "ok\nCRITICAL root: forged")
    assert "forged" not in caplog.text
    with world.ws.store.read() as connection:
        doc = connection.execute(select(audit.c.doc).order_by(audit.c.seq.desc())).scalars().first()
    assert "forged" not in (doc or "")


@pytest.mark.parametrize("uuid", ["", "short", "x" * 65, "line\nbreak-1", "ünicode-uuid"])
def test_a_comment_needs_a_uuid_of_its_own(world: World, uuid: str) -> None:
    """Forged ones are refused before anything is written."""
    with pytest.raises(InputError):
        start_thread(world.ws, world.cast.lead, world.slug, world.items[0], "hello", uuid)


def test_an_item_takes_so_many_comments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit comments are refused in a sentence, and a flag still counts."""
    monkeypatch.setattr(writing, "MAX_COMMENTS", 2)
    begun = start(world, world.cast.lead)
    answer(world, world.cast.lead, begun.thread)
    with pytest.raises(LimitExceeded):
        answer(world, world.cast.lead, begun.thread)
    act(world, world.cast.experts[0], world.items[0], "flag", reason="other: full")
    with world.ws.store.read() as connection:
        assert len(connection.execute(select(comments.c.seq)).all()) == 2
