"""The sections about the work of a week: how much was done, what was settled, by how many people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from core.analytics.progress import Progress
from core.labels.state import LABELLED, ItemState
from core.services.analytics.throughput import PersonPace, ThroughputView, throughput
from core.services.report.asked import Asked
from core.services.report.parts import COUNT, Row, Section, count
from core.services.report.weeks import Week
from core.stats.intervals import UNDEFINED

SETTLED = (*LABELLED, ItemState.NEUTRAL, ItemState.DISCARDED)

FEWEST_NAMED = 5
"""People below which a report names nobody: a figure of few is soon a figure of one."""


def work_of(asked: Asked, week: Week) -> ThroughputView:
    """Return the work of one week."""
    return throughput(asked.ws, asked.actor, asked.slug, asked.during(week), week.tz)


def work(now: ThroughputView, before: ThroughputView, week: Week) -> Section:
    """Return how much was done, beside the week before."""
    a, b = _totals(now), _totals(before)
    rows = [Row(name, count(a[name]), count(b[name]), COUNT, True) for name in a]
    votes: dict[date, float] = defaultdict(float)
    ruled: dict[date, float] = defaultdict(float)
    for day in now.days:
        votes[day.day] += day.votes
        ruled[day.day] += day.decisions
    return Section(
        "work",
        "Work done",
        tuple(rows),
        (
            "Complete counts, not estimates; every change of a vote counts. Votes that came with files are no "
            "work done here. Active hours leave pauses out.",
        ),
        days=tuple((f"{d:%a}", votes[d], ruled[d]) for d in week.days) if now.days else (),
        filtered=True,
    )


def _totals(view: ThroughputView) -> dict[str, float]:
    people = view.people
    return {
        "Votes": sum(p.votes for p in people),
        "Decisions by leads": sum(p.decisions for p in people),
        "Skips and flags": sum(p.skips + p.flags for p in people),
        "Active hours": round(sum(p.active_seconds for p in people) / 3600, 2),
        "People at work": len(people),
    }


def standing(progress: Progress, week: Week) -> Section:
    """Return what was settled in the week and what was left, beside the week before."""
    ends = [_at_end(progress, w.days[-1]) for w in (week, week.before, week.before.before)]
    settled = [sum(e.get(s, 0) for s in SETTLED) for e in ends]
    taken_in = [sum(e.values()) for e in ends]
    disputes = [e.get(ItemState.DISPUTE, 0) for e in ends]
    shown = (
        ("Items settled in the week", settled[0] - settled[1], settled[1] - settled[2]),
        ("Items taken in", taken_in[0] - taken_in[1], taken_in[1] - taken_in[2]),
        ("Items settled at its end", settled[0], settled[1]),
        ("Items open at its end", ends[0].get(ItemState.OPEN, 0), ends[1].get(ItemState.OPEN, 0)),
        ("Disputes open at its end", disputes[0], disputes[1]),
    )
    return Section(
        "standing",
        "Where the items stand",
        tuple(Row(name, count(a), count(b), COUNT, True) for name, a, b in shown),
        (
            "Complete counts. Items settled in the week: those settled at its end less those at its beginning.",
        ),
    )


def _at_end(progress: Progress, day: date) -> Mapping[str, int]:
    """Return state to items at the end of a day."""
    found: Mapping[str, int] = {}
    for at, states in progress.history:
        if at > day:
            break
        found = states
    return found


def people(everybody: Sequence[PersonPace], names: bool) -> Section:
    """Return how fast people are: by name only where it was asked for and they are not few."""
    timed = sorted(
        (p for p in everybody if p.seconds.value is not None), key=lambda p: p.name.casefold()
    )
    if len(everybody) < FEWEST_NAMED:
        text = f"Fewer than {FEWEST_NAMED} people worked in this week: nothing is told of single people."
        return Section("people", "By person", notes=(text,), filtered=True)
    if names:
        rows = tuple(Row(p.name, p.seconds, None, "s") for p in timed)
        text = "Median active seconds of a vote. Where intervals overlap, the data do not tell who is faster."
        return Section("people", "By person", rows, (text,), filtered=True)
    text = "Names are left out of a report unless they are asked for."
    if len(timed) < FEWEST_NAMED:
        text += (
            f" Without names the spread is told of {FEWEST_NAMED} people or more with enough timed votes; "
            "n counts these people."
        )
    return Section("people", "By person", _spread(timed), (text,), filtered=True)


def _spread(timed: list[PersonPace]) -> tuple[Row, ...]:
    """Return the fastest and slowest median, of whom nobody is named."""
    if len(timed) < FEWEST_NAMED:
        few = replace(UNDEFINED, n=len(timed))
        return (Row("Median seconds of a vote", few, None, "s"),)
    order = sorted(timed, key=lambda p: p.seconds.value or 0.0)
    shown = (("fastest", order[0]), ("middle", order[len(order) // 2]), ("slowest", order[-1]))
    return tuple(
        Row(f"Median seconds of a vote, {name} person", p.seconds, None, "s") for name, p in shown
    )
