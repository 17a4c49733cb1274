"""One person's numbers: right on gold by class, agreement, steadiness, pace, the pre-label's pull."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.analytics.asked import Filters
from core.services.analytics.marks import Work, gold_behind, work_behind
from core.services.analytics.people_quality import PersonQuality
from core.services.analytics.people_work import PersonWork
from core.stats.intervals import Estimate
from core.ui import charts, comparison, states, urls
from core.ui.charts import POINTS, Dot, card_head, draw_chart
from core.ui.marks import Found, by_row, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, draw, fill
from core.ui.widgets import caption, fact, figure, number, section, table, when

SHOWN_OR_NOT = ("shown", "hidden")
PULL_TO_NOTE = 0.0
"""A pull whose interval lies wholly above this is pointed out."""


def draw_person(page: PageContext, quality: PersonQuality, work: PersonWork, own: bool) -> None:
    """Draw one person's numbers.

    Args:
        page: The page.
        quality: Right on gold, steadiness and standing.
        work: Pace, agreement and the pre-label's pull.
        own: Whether the reader is that person.
    """
    if not own:
        section(quality.name)
    draw_standing(quality, own)
    _in_short(quality, work, own)
    with side_by_side([3, 2]) as (left, right):
        with left, st.container(border=True, height="stretch"):
            _by_class(page, quality)
        with right, st.container(border=True, height="stretch"):
            _pull(page, work, own)


def draw_standing(quality: PersonQuality, own: bool) -> None:
    """Say that somebody is paused or did not pass, and why."""
    if quality.standing not in ("paused", "onboarding-failed"):
        return
    if quality.standing == "paused":
        text = _("You are paused in this project: {reason}") if own else _("Paused: {reason}")
    else:
        text = _("The onboarding was not passed: {reason}")
    draw(
        "<div class='tb-banner' role='status'><i class='tb-icon' aria-hidden='true'>pause_circle</i>"
        "<span>{t}</span></div>",
        t=text.format(reason=quality.reason or _("no reason was written down.")),
    )


def _in_short(quality: PersonQuality, work: PersonWork, own: bool) -> None:
    with st.container(border=True):
        first, second, third, fourth = st.columns(4)
        with first:
            _figure(_("Right on planted gold"), quality.overall, "%", until(quality.until))
        with second:
            _figure(_("Same as others"), work.agreement, "%", until(work.until))
        with third:
            _figure(_("Same as before on a repeat"), quality.retest, "%", until(quality.until))
        with fourth:
            _figure(_("Median time of a vote"), work.seconds, "s", until(work.until))
        first, second, third, fourth = st.columns(4)
        with first:
            short = quality.p_below_target
            fact(
                _("Chance of being below the target"),
                None if short is None else probability(short),
                _("target {share}").format(share=number(quality.target, "%", 0))
                + f" · {until(quality.until)}",
            )
        with second:
            _figure(_("Wrong tiles noticed in the grid"), work.noticed, "%")
        with third:
            fact(
                _("Votes"), f"{work.votes:,}",
                _("items, each counted once") + f" · {until(work.until)}",
            )  # fmt: skip
        with fourth:
            fact(_("Skips, flags"), f"{work.skips:,}, {work.flags:,}", until(work.until))
        caption(
            _("Each figure with its 95 % interval and n; counts are complete. Your own numbers go up to last midnight (UTC); a lead sees them up to now.")
            if own
            else _("Each figure with its 95 % interval and n; counts are complete. The person sees their own up to last midnight (UTC).")
        )  # fmt: skip


def _figure(name: str, e: Estimate, unit: str, note: str = "") -> None:
    figure(name, e.value, e.n, e.low, e.high, unit, note)


def until(at: float) -> str:
    """Return up to when a figure counts, to stand beside its n."""
    return _("until {when}").format(when=when(at))


def probability(p: float) -> str:
    """Return a probability as people read it; nothing is ever certain."""
    if p < 0.01:
        return _("under 1 %")
    return _("over 99 %") if p > 0.99 else f"{100 * p:.0f} %"


def _by_class(page: PageContext, quality: PersonQuality) -> None:
    card_head(
        _("Right on planted gold, by true class"),
        _("Gold has a known answer and looks like any other item; right means right on every question. The dot is the posterior mean, the line its 95 % interval."),
    )  # fmt: skip
    rows = [Dot(name, (e,)) for name, e in quality.gold.items() if e.n]
    if not rows:
        no_gold(page)
        return
    said = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
    chart = charts.dots(rows, axis=_("Share of answers to gold that are right"))
    if can(page.actor, Action.SEE_GOLD, Resource(page.project.id if page.project else None)):
        names = [r.label for r in rows]
        draw_marks(
            page, chart, "team.classes", said, by_row(names),
            lambda name: _answers(page, quality, name) if name in names else None,
        )  # fmt: skip
    else:  # who is not told which items are gold sees how many, not which
        draw_chart(chart, "team.classes", said)
    with st.expander(_("As a table")):
        table(
            (_("True class"), _("Right"), "n"),
            [[r.label, charts.sentence(r.estimates[0]), f"{r.estimates[0].n:,}"] for r in rows],
            _("Right on planted gold, by true class"),
        )


def _answers(page: PageContext, quality: PersonQuality, name: str) -> Found:
    found = gold_behind(page.ws, page.actor, page.slug, quality.person_id, name)
    return _("{person}, gold that truly is {name}").format(person=quality.name, name=name), found


def no_gold(page: PageContext) -> None:
    """Say that nobody answered gold yet, and to who steers the project what to do."""
    states.empty(
        _("No answers to gold yet"),
        _("Items with a known answer, mixed unseen into the queue, show how right people are."),
    )
    if can(page.actor, Action.STEER, Resource(page.project.id if page.project else None)):
        draw(
            "<div style='text-align:center'>{a} {b}</div>",
            a=_link(_("Import gold"), urls.page("datasets", project=page.slug, tab="import")),
            b=_link(
                _("Mix it into the queue"), urls.page("settings", project=page.slug, tab="queue")
            ),
        )


def _link(label: str, href: str) -> Markup:
    return fill(
        "<a class='tb-link' href='{href}' target='_self'>{label}</a>", href=href, label=label
    )


def _pull(page: PageContext, work: PersonWork, own: bool) -> None:
    card_head(
        _("With the pre-label in view, and without"),
        _(
            "How often a vote says what the model said. Which items come without is drawn at random."
        ),
    )
    if work.with_prelabel.value is None and work.blind.value is None:
        states.empty(
            _("Not enough data"),
            _("It takes five votes with the pre-label in view, and five without."),
            _("The share of items without it is set under Settings, queue."),
        )
        return
    rows = [Dot(_("In view"), (work.with_prelabel,)), Dot(_("Without"), (work.blind,))]
    said = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
    chart = charts.dots(rows, axis=_("Votes that say what the model said"))
    if can(page.actor, Action.SEE_FIGURES, Resource(page.project.id if page.project else None)):
        draw_marks(
            page,
            chart,
            "team.pull",
            said,
            by_row(SHOWN_OR_NOT),
            lambda arm: _votes(page, work, arm),
        )
    else:
        draw_chart(chart, "team.pull", said)
    gap = hundredfold(work.pull)
    comparison.draw_notes(
        [_("Difference: {figure}.").format(figure=charts.sentence(gap, POINTS)), _pulled(work, own)]
    )


def _votes(page: PageContext, work: PersonWork, arm: str) -> Found:
    if arm not in SHOWN_OR_NOT:
        return None
    asked = Work(shown=arm == SHOWN_OR_NOT[0], kinds=("vote",))
    found = work_behind(page.ws, page.actor, page.slug, asked, Filters(people=(work.person,)))
    title = _("{name}, with the pre-label in view") if asked.shown else _("{name}, without it")
    return title.format(name=work.name), found


def _pulled(work: PersonWork, own: bool) -> str:
    low = work.pull.low
    if low is None or low <= PULL_TO_NOTE:
        return _("The data do not show that the pre-label sways these votes.")
    if own:
        return _("Seeing the pre-label changes what you say: look at the image first.")
    return _("Seeing the pre-label changes what this person says.")


def hundredfold(e: Estimate) -> Estimate:
    """Return a share as points of a hundred."""
    value, low, high = (None if x is None else 100 * x for x in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n)
