"""The weekly report: its numbers are the services', its page needs and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from core.analytics.asked import PEOPLE, Filters
from core.clock import FakeClock
from core.errors import InputError
from core.services.analytics.costs import costs_of
from core.services.analytics.over_time import agreement_weeks
from core.services.analytics.quality import quality
from core.services.analytics.replicas import forget_replicas, open_figures
from core.services.analytics.throughput import PersonPace, throughput
from core.services.consensus.answers import read_answers
from core.services.projects.training_rules import TrainingRules, set_training_rules
from core.services.report.page import html_of
from core.services.report.parts import Report, Row, document
from core.services.report.weekly import weekly_report
from core.services.report.weeks import week_named, week_of
from core.services.report.work import people
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate
from tests.record import World, make_world, rule, vote
from tests.worked import describe, know, vote_all

CAT, DOG, OWL = "cat", "dog", "owl"
EVIL = "<script>alert(1)</script>\u202e"
WEEK = 7 * 86400.0


@pytest.fixture(autouse=True)
def _no_replica_left() -> Iterator[None]:
    yield
    forget_replicas()


@pytest.fixture
def two_weeks(sqlite_ws: Workspace, clock: FakeClock) -> World:
    """Give a project with ten items voted on in one week and again in the next."""
    world = make_world(sqlite_ws, n_items=10)
    know(world.ws, world.project, dict.fromkeys(world.items, CAT))
    describe(world.ws, world.project, {i: {"camera": EVIL} for i in world.items})
    vote_all(world, 0, [CAT] * 8 + [DOG] * 2, clock=clock)
    clock.advance(WEEK)
    vote_all(world, 1, [CAT] * 9 + [OWL], clock=clock)
    vote_all(replace(world, items=world.items[8:]), 2, [DOG] * 2, clock=clock)
    rule(world, world.cast.lead, world.items[8], label=CAT)
    return world


def _row(report: Report, section: str, label: str) -> Row:
    return {r.label: r for r in report.section(section).rows}[label]


def test_an_item_voted_on_in_two_weeks_is_of_that_of_its_newest_vote(two_weeks: World) -> None:
    """Further questions read all votes on it, as the label's alpha does; the weeks part the items."""
    w, most = two_weeks, 100
    project, replica = open_figures(w.ws, w.cast.manager, w.slug)
    now = week_of(w.ws.clock(), "UTC")
    for week, items in ((now, set(w.items)), (now.before, set())):
        during = Filters(since=week.since, until=week.until)
        found = read_answers(w.ws, replica, project, during, most, by_newest=True)
        assert set(found.item_id.tolist()) == items
    during = Filters(since=now.since, until=now.until)
    assert len(read_answers(w.ws, replica, project, during, most, by_newest=True).said) == 22
    assert len(read_answers(w.ws, replica, project, during, most).said) == 4


def test_the_numbers_are_those_of_the_services(two_weeks: World) -> None:
    """Work, accuracy and agreement of both weeks equal what the pages ask for."""
    w, me = two_weeks, two_weeks.cast.manager
    report = weekly_report(w.ws, me, w.slug)
    week = report.week
    assert week == week_of(w.ws.clock(), "UTC")
    assert not report.over
    for at, pick in ((week, lambda r: r.now), (week.before, lambda r: r.before)):
        filters = Filters(since=at.since, until=at.until)
        people = throughput(w.ws, me, w.slug, filters).people
        assert pick(_row(report, "work", "Votes")).value == sum(p.votes for p in people)
        assert pick(_row(report, "work", "People at work")).value == len(people)
        right = quality(w.ws, me, w.slug, PEOPLE, "gold", filters).right
        assert pick(_row(report, "people_right", "All")) == right.overall.estimate
        assert pick(_row(report, "people_right", "Class cat")) == right.classes[0].estimate
        drawn = {d.begins: d for d in agreement_weeks(w.ws, me, w.slug)}
        if at.first in drawn:  # before, no item had two votes yet
            assert pick(_row(report, "agreement", "Krippendorff's alpha")) == drawn[at.first].alpha
            assert pick(_row(report, "agreement", "Same answer")) == drawn[at.first].percent
    same = _row(report, "agreement", "Same answer")
    assert (same.now.n, same.before.n) == (10, 0)  # type: ignore[union-attr]  # it has one
    assert _row(report, "work", "Votes").now.value == 12
    assert _row(report, "work", "Decisions by leads").now.value == 1
    assert _row(report, "people_right", "All").before.n == 10  # type: ignore[union-attr]  # it has one
    days = report.section("work").days
    assert (sum(d[1] for d in days), sum(d[2] for d in days)) == (12, 1)
    now = report.section("standing").rows
    settled, open_, disputes = now[2].now.value, now[3].now.value, now[4].now.value
    assert settled == now[0].now.value  # nothing was settled before
    assert (settled or 0) + (open_ or 0) + (disputes or 0) == 10
    assert "votes, 12 in all" in html_of(report)
    assert "decisions by leads, 1 in all" in html_of(report)
    assert "experts" not in html_of(report)
    assert "expert1" not in html_of(report)


class _Reader(HTMLParser):
    """Keeps every tag with its attributes, and that each one opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_hostile_names_do_nothing(two_weeks: World) -> None:
    """No script, no address, every tag closed, every id used once; a filter's tags are text."""
    w = two_weeks
    report = weekly_report(w.ws, w.cast.manager, w.slug, metadata={"camera": EVIL})
    assert _row(report, "work", "Votes").now.value == 12
    evil = Row(EVIL, Estimate(0.5, 0.1, 0.9, 5), Estimate(0.6, 0.2, 0.9, 5))
    first = replace(
        report.sections[2], rows=(evil, evil), notes=(EVIL,), columns=("<a>",), lines=((EVIL,),)
    )
    page = html_of(
        replace(report, title=EVIL, sections=(*report.sections[:2], first, *report.sections[3:]))
    )
    reader = _Reader()
    reader.feed(page)
    assert not reader.open
    assert not {"script", "img", "link", "iframe", "a"} & {tag for tag, _ in reader.tags}
    assert not [
        k for _, found in reader.tags for k in found if k in ("src", "href") or k[:2] == "on"
    ]
    assert not re.search(r"https?:|url\(|@import|\u202e", page)
    assert "&lt;script&gt;" in page
    ids = [found["id"] for _, found in reader.tags if "id" in found]
    assert len(ids) == len(set(ids))
    assert "This part knows no filter" in page
    assert all("aria-label" in found for tag, found in reader.tags if tag == "svg")
    assert len(page) < 60_000


def test_an_empty_project_gives_a_report_that_says_so(sqlite_ws: Workspace) -> None:
    """Without items or votes every part says that there is nothing, and JSON holds no NaN."""
    world = make_world(sqlite_ws, n_items=0)
    report = weekly_report(world.ws, world.cast.manager, world.slug, tz="Europe/Berlin")
    page = html_of(report)
    assert "No work in this week and the week before." in page
    assert "not enough data, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0" in page
    assert "No model is in force." in page
    assert "Europe/Berlin" in page
    told = document(report)
    assert told["tz"] == "Europe/Berlin"
    assert "nan" not in str(told).lower()


@pytest.mark.parametrize(("column", "value"), [("camra", "A"), ("camra", None), ("camera", "Z")])
def test_a_filter_that_names_nothing_is_refused(
    two_weeks: World, column: str, value: str | None
) -> None:
    """A report of no items would pass for a quiet week; what there is is named."""
    w = two_weeks
    describe(w.ws, w.project, {w.items[0]: {"camera": "A"}})
    with pytest.raises(InputError, match="nothing to report") as told:
        weekly_report(w.ws, w.cast.manager, w.slug, metadata={column: value})
    assert told.value.advice.startswith("Choose ")


def test_a_vote_dated_in_the_future_is_not_the_newest_week(
    two_weeks: World, clock: FakeClock
) -> None:
    """A clock that ran ahead for a moment does not hide the weeks of work for years."""
    w = two_weeks
    before = weekly_report(w.ws, w.cast.manager, w.slug).week
    clock.advance(10 * 365 * 86_400)
    vote(w, w.cast.experts[3], w.items[0], CAT)
    clock.advance(-10 * 365 * 86_400)
    assert weekly_report(w.ws, w.cast.manager, w.slug).week == before


def test_names_are_told_only_of_enough_people_and_where_asked_for() -> None:
    """Four people are never told of one by one; six are, and named only where that is asked for."""
    four, six = _paces(4), _paces(6)
    assert not people(four, names=True).rows
    assert [r.label for r in people(six, names=True).rows] == [f"Person {i}" for i in range(6)]
    spread = people(six, names=False).rows
    assert [r.now.value for r in spread] == [1.0, 4.0, 6.0]
    assert not any("Person" in r.label for r in spread)
    untimed = [replace(p, seconds=UNDEFINED) for p in six[:2]]
    few = people([*six[2:], *untimed], names=False)
    assert [(r.now.value, r.now.n) for r in few.rows] == [(None, 4)]
    assert "n counts these people" in few.notes[0]


def _paces(n: int) -> list[PersonPace]:
    return [
        PersonPace(
            f"p{i}", f"Person {i}", 9, 0, 0, 0, 60.0, 1, Estimate(i + 1.0, 1.0, 9.0, 9), None, None
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("name", ["", "2026", "2026-W54", "W46", "2026-W00", "99999-W01", "<b>"])
def test_what_is_no_week_gets_a_sentence(name: str) -> None:
    """Anything but a year and one of its weeks is refused in a plain sentence."""
    with pytest.raises(InputError, match="no week"):
        week_named(name, "UTC")


def test_weeks_begin_on_monday_in_their_time_zone() -> None:
    """The week in which clocks change in Berlin is an hour longer, and follows the one before."""
    week = week_named("2026-W43", "Europe/Berlin")
    assert (week.name, f"{week.first}", len(week.days)) == ("2026-W43", "2026-10-19", 7)
    assert week.until - week.since == WEEK + 3600
    assert week.before.until == week.since
    assert week_of(week.since, "Europe/Berlin") == week
    assert week_of(week.since - 1, "Europe/Berlin") == week.before


def test_costs_are_those_of_the_page_in_time_and_at_the_rates_in_force(two_weeks: World) -> None:
    """Without a rate they are seconds; with one, money beside them, and the page shows no markup of it."""
    w, me = two_weeks, two_weeks.cast.manager
    section = weekly_report(w.ws, me, w.slug).section("cost")
    assert {r.unit for r in section.rows} == {"s"}
    assert any("No rate is set" in note for note in section.notes)
    rules = TrainingRules(wage_per_hour=36.0, currency="<b>")
    set_training_rules(w.ws, me, w.slug, rules, "first")
    report = weekly_report(w.ws, me, w.slug)
    costs = costs_of(w.ws, me, w.slug, Filters(since=report.week.since, until=report.week.until))
    vote = _row(report, "cost", "A vote")
    assert vote.now == costs.costs.votes.money
    assert vote.now.value == pytest.approx(0.04)  # four seconds at a hundredth a second
    assert "<b></td>" not in html_of(report)
    assert "&lt;b&gt;" in html_of(report)
