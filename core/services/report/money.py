"""The section about what labels cost: each vote, each final label, each corrected error, each class."""

from __future__ import annotations

from core.analytics.costs import Cost
from core.services.analytics.costs import CostsView, costs_of
from core.services.report.asked import Asked
from core.services.report.parts import Row, Section
from core.services.report.weeks import Week

MOST_CLASSES = 10
SECONDS = "s"


def cost(asked: Asked) -> Section:
    """Return what the work of the week cost, beside the week before, at the rates in force."""
    now, before = _costs(asked, asked.week), _costs(asked, asked.week.before)
    paid = now.is_paid
    unit = now.currency if paid else SECONDS
    named = ("A vote", "A final label", "A corrected error")
    rows = []
    for name, a, b in zip(named, _each(now), _each(before), strict=True):
        rows.append(Row(f"{name}: active seconds", a.seconds, b.seconds, SECONDS))
        if paid:
            rows.append(Row(name, a.money, b.money, unit))
    lines = tuple(
        (
            c.name, f"{c.labels:,.0f}", _minutes(c.labelling_seconds), _minutes(c.review_seconds),
            f"{c.money:,.2f} {now.currency}" if paid else "no rate is set",
        )
        for c in now.costs.classes[:MOST_CLASSES]
    )  # fmt: skip
    return Section(
        "cost", "Cost", tuple(rows), _notes(now, paid),
        ("class", "final labels", "labelling", "reviewing", "money"), lines, filtered=True,
    )  # fmt: skip


def _costs(asked: Asked, week: Week) -> CostsView:
    return costs_of(asked.ws, asked.actor, asked.slug, asked.during(week))


def _each(view: CostsView) -> tuple[Cost, Cost, Cost]:
    return view.costs.votes, view.costs.finals, view.costs.corrected


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.1f} min"


def _notes(view: CostsView, paid: bool) -> tuple[str, ...]:
    time = (
        "Active time of people, pauses left out; rulings of leads are not timed and not in it. A final label "
        "and a corrected error count in every week in which somebody worked on the item, so weeks add up to more "
        "than the page Throughput counts over all time."
    )
    if not paid:
        return (time, "No rate is set, so costs are told in time; set one under Throughput, costs.")
    own = "".join(f"; {team}: {rate:g}" for team, rate in sorted(view.rates.items()))
    return (
        time,
        f"At the rates in force, in {view.currency} an hour: {view.wage_per_hour:g}{own}. They hold for "
        "past work too.",
    )
