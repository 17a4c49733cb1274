"""Behind a chart's marks: the very statements it counts, and no answer to somebody who has yet to give one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import delete, select

from core.analytics.asked import Filters
from core.analytics.drill import duration_bins
from core.analytics.progress import progress
from core.analytics.rightness import confusion
from core.clock import FakeClock, new_uuid
from core.labels import Answer
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.analytics.behind import is_withheld, rows_of
from core.services.analytics.marks import (
    Firsts,
    Statement,
    Work,
    differing_behind,
    firsts_behind,
    standing_behind,
    statements_behind,
    work_behind,
)
from core.services.analytics.rates import rates
from core.services.analytics.replicas import forget_replicas, open_figures
from core.services.analytics.throughput import throughput
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import gold_answers, item_state, predictions
from tests.record import World, boxes, make_world, rule
from tests.worked import know, predict, vote_all

CAT, DOG, OWL = "cat", "dog", "owl"


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def world(sqlite_ws) -> World:
    """Ten items: two experts agree on eight, one of them changes a vote, the last item waits."""
    world = make_world(replace(sqlite_ws, clock=FakeClock()), n_items=10)
    predict(world.ws, world.project, dict.fromkeys(world.items, CAT), 0.8)
    know(world.ws, world.project, dict.fromkeys(world.items[:4], CAT))
    vote_all(world, 0, [CAT] * 8, seconds=4.0, shown=True)
    with world.ws.store.read() as connection:
        query = select(predictions.c.seq).where(predictions.c.item_id == world.items[8])
        seen = connection.execute(query).scalar_one()
    changed = Submission(
        new_uuid(), world.items[8], "vote", Answer({"label": DOG}), active_seconds=4.0,
        prelabel_shown=True, prelabel_seq=seen,
    )  # fmt: skip
    submit(world.ws, world.cast.experts[0], world.slug, changed)
    vote_all(world, 1, [CAT] * 2 + [DOG] * 2 + [CAT] * 4, seconds=30.0)
    return world


def manager(world: World):
    return world.ws, world.cast.manager, world.slug


def test_a_bar_of_the_histogram_lists_as_many_votes_as_it_counts(world: World) -> None:
    """Each bin's total is its height; the eight slow votes are listed with their seconds."""
    project, replica = open_figures(*manager(world))
    bins = duration_bins(replica, project.id)
    for b in bins:
        work = Work(fastest=b.low, slowest=b.high, kinds=("vote",), timed=True)
        assert work_behind(*manager(world), work).total == b.n
    assert sum(b.n for b in bins) == 17
    slow = work_behind(*manager(world), Work(fastest=20.0, kinds=("vote",)))
    assert [i.seconds for i in slow.items] == [30.0] * 8


def test_work_is_told_by_person_pre_label_hour_and_sitting(world: World) -> None:
    """Seventeen answers in one hour of one sitting: nine with the pre-label in view, all expert 0's."""
    shown = work_behind(*manager(world), Work(shown=True))
    alone = work_behind(*manager(world), Work(), Filters(people=(world.cast.experts[0].name,)))
    assert shown.total == alone.total == 9
    assert work_behind(*manager(world), Work(sitting=0)).total == 17
    assert work_behind(*manager(world), Work(sitting=1)).total == 0
    hours = [work_behind(*manager(world), Work(hour=h)).total for h in range(24)]
    assert sum(hours) == 17
    by_agreement = {a: work_behind(*manager(world), Work(agreement=a)).total for a in ("same", "split", "alone")}  # fmt: skip
    assert by_agreement == {"same": 12, "split": 4, "alone": 1}
    assert work_behind(*manager(world), Work(confidence="middle")).total == 17
    assert work_behind(*manager(world), Work(said=DOG)).total == 3


def test_statements_behind_a_class_are_those_of_the_confusion(world: World) -> None:
    """Beside gold, two of eight votes on cats say dog; the wrong ones come first."""
    project, replica = open_figures(*manager(world))
    cells = confusion(replica, project.id, "people", "gold").cells
    wrong = statements_behind(
        *manager(world), Statement("people", "gold", either=CAT, wrong_only=True)
    )
    assert wrong.total == sum(c.n for c in cells if c.truth != c.said) == 2
    everything = statements_behind(*manager(world), Statement("people", "gold", truth=CAT))
    assert everything.total == 8
    assert [(i.said, i.truth) for i in everything.items[:3]] == [(DOG, CAT), (DOG, CAT), (CAT, CAT)]
    sure = statements_behind(*manager(world), Statement("model", "gold", sure=(0.7, 0.9)))
    assert sure.total == 4
    assert (
        statements_behind(*manager(world), Statement("model", "gold", sure=(0.0, 0.7))).total == 0
    )


def test_votes_the_truth_rests_on_are_left_out_wherever_others_are(world: World) -> None:
    """Two owls are agreed on and one cat is ruled: against labels in force only the ruled item's votes count."""
    vote_all(replace(world, items=world.items[8:]), 1, [OWL, OWL])
    vote_all(replace(world, items=world.items[9:]), 0, [OWL])
    rule(world, world.cast.lead, world.items[2], label=CAT)
    shown = statements_behind(*manager(world), Statement("people", "final"))
    assert {i.item_id for i in shown.items} == {world.items[2]}
    assert shown.total == 2
    assert statements_behind(*manager(world), Statement("people", "final", truth=OWL)).total == 0


def test_regions_missed_mistaken_or_in_no_truth(sqlite_ws) -> None:
    """One box is called a dog, one is missed and one drawn where none is; the right item is not listed."""
    world = make_world(sqlite_ws, n_items=4, task=Task.BOXES)
    here, there = (0.1, 0.1, 0.4, 0.4), (0.6, 0.6, 0.9, 0.9)
    rows = [
        {"project_id": world.project.id, "item_id": i, "label": None, "batch_id": None, "at": 0.0,
         "answer": boxes(here).to_json()}
        for i in world.items
    ]  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(gold_answers.insert(), rows)
    said = (boxes(here), boxes(here, label=DOG), boxes(), boxes(here, there))
    for item_id, answer in zip(world.items, said, strict=True):
        sent = Submission(new_uuid(), item_id, "vote", answer)
        submit(world.ws, world.cast.experts[0], world.slug, sent)
    found = statements_behind(
        *manager(world), Statement("people", "gold", either=CAT, wrong_only=True)
    )
    told = {(world.items.index(i.item_id), i.said, i.truth) for i in found.items}
    assert told == {(1, DOG, CAT), (2, "", CAT), (3, CAT, "")}


def test_items_on_which_votes_differ(world: World) -> None:
    """Two items have a cat and a dog; the person who voted nowhere has none."""
    found = differing_behind(*manager(world))
    assert {i.item_id for i in found.items} == set(world.items[2:4])
    called = differing_behind(*manager(world), Filters(called=DOG))
    assert {i.said for i in called.items} == {"cat / dog"}
    other = world.cast.experts[2].person_id
    assert differing_behind(*manager(world), None, other).total == 0
    assert differing_behind(*manager(world), Filters(since=2e9)).total == 0


def test_items_that_stood_in_a_state_at_the_end_of_a_day(world: World) -> None:
    """Ruled on a day later, an item still waited the day before: every day and state has its number."""
    world.ws.clock.advance(86400.0)
    rule(world, world.cast.lead, world.items[2], label=CAT)
    world.ws.clock.advance(86400.0)
    project, replica = open_figures(*manager(world))
    history = progress(replica, project.id).history
    assert len(history) == 2
    for day, states in history:
        moment = datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
        for state in ItemState:
            found = standing_behind(*manager(world), moment, (state,))
            assert found.total == states.get(state, 0), (day, state)
    now = world.ws.clock()
    assert standing_behind(*manager(world), now).total == 3
    assert standing_behind(*manager(world), 0.0).total == 0


def test_work_of_a_day_is_as_much_as_the_chart_has(world: World) -> None:
    """By day and person, votes and decisions behind a bar are its height."""
    world.ws.clock.advance(86400.0)
    rule(world, world.cast.lead, world.items[2], label=CAT)
    bars = throughput(*manager(world)).days
    assert len(bars) == 3
    names = {p.name: p.person for p in throughput(*manager(world)).people}
    for bar in bars:
        since = datetime.combine(bar.day, time(), UTC).timestamp()
        filters = Filters(since=since, until=since + 86400.0, people=(names[bar.person],))
        found = work_behind(*manager(world), Work(kinds=("vote", "decision")), filters)
        assert found.total == bar.votes + bar.decisions


def test_first_words_that_did_not_stay(world: World) -> None:
    """One pre-label was changed; a vote taken back later is rework: as many as the rates count."""
    changed = firsts_behind(*manager(world), Firsts.KEPT)
    assert [(i.said, i.truth) for i in changed.items] == [(DOG, CAT)]
    again = Submission(
        new_uuid(), world.items[2], "vote", Answer({"label": CAT}), base_revision=1,
        active_seconds=2.0,
    )  # fmt: skip
    submit(world.ws, world.cast.experts[1], world.slug, again)
    found = firsts_behind(*manager(world), Firsts.REWORKED, Filters(called=DOG))
    assert [i.item_id for i in found.items] == [world.items[2]]
    assert rates(*manager(world)).rework.overall.correct == found.total == 1


def test_what_was_not_kept_is_as_many_as_are_listed(world: World) -> None:
    """A pre-label that was skipped or flagged was not kept either: the list has what the mark counts."""
    with world.ws.store.read() as connection:
        query = select(predictions.c.item_id, predictions.c.seq)
        seen = dict(connection.execute(query).tuples().all())
    for item, kind in zip(world.items[8:10], ("skip", "flag"), strict=True):
        passed = Submission(
            new_uuid(), item, kind, None, reason="unclear", active_seconds=2.0,
            prelabel_shown=True, prelabel_seq=seen[item],
        )  # fmt: skip
        submit(world.ws, world.cast.experts[2], world.slug, passed)
    kept = next(c for c in rates(*manager(world)).accepted.classes if c.name == CAT)
    found = firsts_behind(*manager(world), Firsts.KEPT, Filters(called=CAT))
    assert kept.n - kept.correct == found.total == 3
    assert {i.said for i in found.items} == {DOG, "skipped", "flagged"}


def test_no_answer_is_told_to_somebody_who_has_yet_to_rule(world: World) -> None:
    """A lead sees that the disputed items are behind a mark that tells no answer, but not what was said."""
    lead = (world.ws, world.cast.lead, world.slug)
    told = statements_behind(*lead, Statement("people", "gold", wrong_only=True))
    assert (told.items, told.total, told.withheld) == ((), 2, 2)
    differing = differing_behind(*lead)
    assert {(i.said, i.who) for i in differing.items} == {("", "")}
    assert differing_behind(*lead, Filters(called=DOG)).items == ()


def test_an_item_that_was_never_resolved_counts_as_open(sqlite_ws: Workspace):
    """A record without the row of where an item stands breaks no list behind a figure: the item is open."""
    world = make_world(sqlite_ws)
    with world.ws.store.write() as connection:
        connection.execute(delete(item_state).where(item_state.c.item_id == world.items[0]))
    rows = rows_of(world.ws, world.items)
    assert sorted(rows) == world.items
    assert rows[world.items[0]].state == ItemState.OPEN.value
    assert is_withheld(world.cast.lead, world.project, rows[world.items[0]].state)
