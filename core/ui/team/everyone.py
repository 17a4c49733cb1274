"""Everybody's numbers side by side: tiers where intervals lie apart, no ranking by noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics.marks import Work, gold_behind, work_behind
from core.services.analytics.people_quality import PersonQuality
from core.services.analytics.people_work import PersonWork
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.stats.tiers import tiers
from core.ui import charts, downloads, states, urls
from core.ui.charts import POINTS, Dot, card_head
from core.ui.choices import choose
from core.ui.marks import Found, by_row, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.team.person import hundredfold, no_gold, probability, until
from core.ui.text import _, many
from core.ui.theme import Markup, fill
from core.ui.tokens import BAD, GOOD, MUTED
from core.ui.widgets import chip, muted, number, table

STOPPED = ("paused", "onboarding-failed")


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the table; tier is 1 for the highest, None without enough gold."""

    quality: PersonQuality
    work: PersonWork
    tier: int | None


def rows_of(qualities: Sequence[PersonQuality], works: Sequence[PersonWork]) -> list[Row]:
    """Return everybody of whom both are known, with the tier their gold answers put them in."""
    by_id = {w.person_id: w for w in works}
    known = [q for q in qualities if q.person_id in by_id]
    found = tiers([q.overall for q in known])
    return [Row(q, by_id[q.person_id], t) for q, t in zip(known, found, strict=True)]


def draw_everyone(page: PageContext, rows: Sequence[Row]) -> None:
    """Draw the charts and the table of everybody."""
    if not rows:
        states.empty(
            _("Nobody has voted yet"),
            _("People appear here with their first vote in this project."),
        )
        return
    with side_by_side(2) as (left, right):
        with left, st.container(border=True, height="stretch"):
            _gold(page, rows)
        with right, st.container(border=True, height="stretch"):
            _pull(page, rows)
    _table(page, rows)


def _gold(page: PageContext, rows: Sequence[Row]) -> None:
    card_head(
        _("Right on planted gold"),
        _("Gold mixed into the queue or given at the start; right means right on every question. Posterior mean and 95 % interval. People are put in another tier only where intervals lie apart. Click a dot for the answers."),
    )  # fmt: skip
    known = [r for r in rows if r.quality.overall.value is not None]
    if not known:
        no_gold(page)
        return
    ordered = sorted(known, key=lambda r: (r.tier or 0, r.quality.name.casefold()))
    dots = [Dot(_titled(r), (r.quality.overall,)) for r in ordered]
    said = "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots)
    chart = charts.dots(
        dots, zero=known[0].quality.target, zero_name=_("the target"),
        axis=_("Share of answers to gold that are right"),
    )  # fmt: skip
    ids = {r.work.person: r.quality.person_id for r in ordered}

    def behind(person: str) -> Found:
        if person not in ids:
            return None
        found = gold_behind(page.ws, page.actor, page.slug, ids[person])
        return _("{name}, answers to gold").format(name=_named(rows, person)), found

    draw_marks(page, chart, "team.gold", said, by_row(list(ids)), behind)


def _titled(row: Row) -> str:
    if row.tier is None:
        return row.quality.name
    return _("{tier}. {name}").format(tier=row.tier, name=row.quality.name)


def _named(rows: Sequence[Row], person: str) -> str:
    return next((r.work.name for r in rows if r.work.person == person), person)


def _pull(page: PageContext, rows: Sequence[Row]) -> None:
    card_head(
        _("How far the pre-label pulls"),
        _("How much oftener a vote says what the model said where it was in view. Right of the line it sways people."),
    )  # fmt: skip
    known = [r for r in rows if r.work.pull.value is not None]
    if not known:
        states.empty(
            _("Not enough data"),
            _("It takes five votes with the pre-label in view, and five without."),
            _("The share of items without it is set under Settings, queue."),
        )
        return
    dots = [Dot(r.work.name, (hundredfold(r.work.pull),)) for r in known]
    said = "; ".join(f"{d.label}: {charts.sentence(d.estimates[0], POINTS)}" for d in dots)
    people = [r.work.person for r in known]

    def behind(person: str) -> Found:
        if person not in people:
            return None
        work, one = Work(shown=True, kinds=("vote",)), Filters(people=(person,))
        title = _("{name}, votes with the pre-label in view").format(name=_named(rows, person))
        return title, work_behind(page.ws, page.actor, page.slug, work, one)

    draw_marks(
        page,
        charts.dots(
            dots, unit=POINTS, zero=0.0, zero_name=_("no pull"),
            axis=_("With the pre-label in view less without"),
        ),
        "team.pulls", said, by_row(people), behind,
    )  # fmt: skip


# --- the table --------------------------------------------------------------------------------

Key = Callable[[Row], tuple[bool, float | str]]


def _by(figure: Callable[[Row], Estimate], highest_first: bool = False) -> Key:
    """Return what sorts by a figure; those without one come last."""

    def key(row: Row) -> tuple[bool, float | str]:
        value = figure(row).value
        return value is None, 0.0 if value is None else -value if highest_first else value

    return key


def _sorts() -> dict[str, tuple[str, Key]]:
    return {
        "tier": (_("Tier, then name"), lambda r: (r.tier is None, float(r.tier or 0))),
        "name": (_("Name"), lambda r: (False, r.quality.name.casefold())),
        "votes": (_("Most votes"), lambda r: (False, -float(r.work.votes))),
        "agreement": (_("Least like others"), _by(lambda r: r.work.agreement)),
        "retest": (_("Least like oneself"), _by(lambda r: r.quality.retest)),
        "seconds": (_("Fastest"), _by(lambda r: r.work.seconds)),
        "pull": (_("Strongest pull"), _by(lambda r: r.work.pull, highest_first=True)),
    }


def _shown() -> dict[str, tuple[str, Callable[[Row], bool]]]:
    return {
        "": (_("Everybody"), lambda r: True),
        "stopped": (_("Paused or not passed"), lambda r: r.quality.standing in STOPPED),
        "short": (
            _("Probably below the target"),
            lambda r: (r.quality.p_below_target or 0.0) > 0.5,
        ),
        "few": (_("Without enough gold"), lambda r: r.quality.overall.value is None),
    }


def _table(page: PageContext, rows: Sequence[Row]) -> None:
    with st.container(border=True):
        head, order_by, which = st.columns([2, 1, 1], gap="medium", vertical_alignment="bottom")
        sorts, shows = _sorts(), _shown()
        with order_by:
            order = choose(_("Sort by"), "sort", {k: v[0] for k, v in sorts.items()}, "tier")
        with which:
            show = choose(_("Show"), "show", {k: v[0] for k, v in shows.items()}, "")
        kept = sorted(
            (r for r in rows if shows[show][1](r)),
            key=lambda r: (sorts[order][1](r), r.quality.name.casefold()),
        )
        with head:
            card_head(
                _("Everybody"),
                many("{n} person. A name leads to their own numbers.",
                     "{n} people. A name leads to their own numbers.", len(kept))
                + " " + _("Every n counts {until}.").format(until=until(rows[0].quality.until))
                + " " + _("Same as others: on each of a person's items the share of the others who say the same, mean over these items."),
            )  # fmt: skip
        if not kept:
            states.empty(_("Nobody is like this"), _("Choose another filter."))
            return
        names = (
            _("Person"), _("Tier"), _("Right on planted gold"), _("Below target"), _("Same as others"),
            _("Same on a repeat"), _("Median time"), _("Pull"),
        )  # fmt: skip
        table(names, [_cells(page, r) for r in kept], _("Everybody's numbers"))
        _offer(page, kept)


def _offer(page: PageContext, rows: Sequence[Row]) -> None:
    columns = (
        "person", "tier", "votes", *estimate_columns("right_on_planted_gold"), "p_below_target",
        *estimate_columns("same_as_others"), *estimate_columns("same_on_a_repeat"),
        *estimate_columns("median_seconds_a_vote"), *estimate_columns("pull"), "standing",
    )  # fmt: skip
    cells = (
        (
            r.quality.name, r.tier, r.work.votes, *estimate_cells(r.quality.overall),
            r.quality.p_below_target, *estimate_cells(r.work.agreement),
            *estimate_cells(r.quality.retest), *estimate_cells(r.work.seconds),
            *estimate_cells(r.work.pull), str(r.quality.standing),
        )
        for r in rows
    )  # fmt: skip
    downloads.offer(page, "team", columns, cells)


def _cells(page: PageContext, row: Row) -> list[Markup | str]:
    short = row.quality.p_below_target
    return [
        _name(page, row),
        muted("–") if row.tier is None else f"{row.tier}",
        cell(row.quality.overall, "%"),
        muted("–") if short is None else probability(short),
        cell(row.work.agreement, "%"),
        cell(row.quality.retest, "%"),
        cell(row.work.seconds, "s"),
        cell(hundredfold(row.work.pull), POINTS),
    ]


def _name(page: PageContext, row: Row) -> Markup:
    link = fill(
        "<a href='{href}' target='_self' style='color:inherit'><b>{name}</b></a>",
        href=urls.page("team", project=page.slug, person=row.work.person),
        name=row.quality.name,
    )
    below = fill(
        "<div class='tb-muted tb-small'>{t}</div>", t=many("{n} vote", "{n} votes", row.work.votes)
    )
    return Markup(link + below + _standing(row.quality.standing))


def _standing(standing: str) -> Markup:
    named = {
        "paused": (_("Paused"), BAD),
        "onboarding-failed": (_("Onboarding not passed"), BAD),
        "onboarding": (_("In onboarding"), MUTED),
        "resumed": (_("Resumed"), GOOD),
    }
    if standing not in named:
        return Markup()
    return chip(*named[standing])


def cell(e: Estimate, unit: str) -> Markup:
    """Return a figure with its interval and n below it, for a table."""
    if e.value is None:
        return muted("–" if not e.n else _("not enough data, n = {n}").format(n=f"{e.n:,}"))
    value = charts.amount(e.value, unit) if unit == POINTS else number(e.value, unit)
    return fill(
        "{value}<div class='tb-muted tb-small' style='white-space:nowrap'>{rest}<br>n = {n}</div>",
        value=value,
        rest=charts.interval(e, unit).removesuffix(", "),
        n=f"{e.n:,}",
    )
