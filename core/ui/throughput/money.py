"""Money on the *throughput* page: what labels cost, what each class takes, the saving, the rates."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from core.access import Action, Resource, can
from core.analytics.asked import Filters
from core.analytics.costs import ClassCost, Cost
from core.services.analytics.costs import CostsView, costs_of, set_team_rate
from core.services.certificates.savings import Savings, measured_savings
from core.services.projects.training_rules import get_training_rules, set_training_rules
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import downloads
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, fill
from core.ui.throughput.paces import with_interval
from core.ui.widgets import attempt, caption, fact, figure, number, table

SECONDS = "s"
MINUTE, HOUR = 60.0, 3600.0
FROM = 2
"""Minutes, and hours, from which on a time is told in them."""


def draw_money(page: PageContext, filters: Filters) -> None:
    """Draw what labels cost, the measured saving, and the cost of each class."""
    view = costs_of(page.ws, page.actor, page.slug, filters)
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            card_head(
                _("What labels cost"),
                _(
                    "People's time at work at the rates in force. Rulings by leads are not timed. Each item is "
                    "counted once here; weekly reports count it in every week somebody worked on it."
                ),
            )
        with right:
            _rates(page, view)
        _figures(page, view)
    if view.costs.classes:
        with st.container(border=True):
            _classes(page, view)


def _figures(page: PageContext, view: CostsView) -> None:
    found = view.costs
    saving = measured_savings(page.ws, page.actor, page.slug)
    with st.container():
        spent, rest, saved = st.columns(3)
        with spent:
            _spent(view)
        with rest:
            _rest(view)
        with saved:
            _saving_figure(saving)
    shown = (
        (_("A vote"), found.votes, _("all time, changes too")),
        (_("A final label"), found.finals, _("of items people settled")),
        (
            _("An error corrected"), found.corrected,
            _("of {n} items with a pre-label").format(n=f"{found.checked:,}"),
        ),
    )  # fmt: skip
    for column, (name, cost, note) in zip(st.columns(3), shown, strict=True):
        with column:
            _cost_figure(name, cost, view, note)
    caption(saving.sentence)
    named = ("vote", "final label", "corrected error", f"the {view.left} items left")
    rows = [
        (name, *estimate_cells(cost.seconds), *estimate_cells(cost.money))
        for name, cost in zip(named, (*(c for _n, c, _t in shown), view.rest), strict=True)
    ]
    nothing = ("", "", "")
    rows.append(("spent so far", found.seconds, *nothing, found.money, *nothing))
    downloads.offer(
        page, "costs", ("of", *estimate_columns("seconds"), *estimate_columns("money")), rows
    )


def _rest(view: CostsView) -> None:
    """Draw what the items left will take."""
    if not view.left:
        fact(_("Items left"), _("None"), _("nothing more to be spent"))
        return
    name = many("The {n} item left", "The {n} items left", view.left)
    _cost_figure(name, view.rest, view, _("if each takes what a final label took"))


def _spent(view: CostsView) -> None:
    """Draw what all the work came to: a count of all of it, so without an interval."""
    found = view.costs
    if not found.seconds:
        n = f"{found.votes.seconds.n:,}"
        fact(_("Spent so far"), _("Nothing"), _("n = {n} votes with a time").format(n=n))
        return
    note = _("n = {n} votes, all counted").format(n=f"{found.votes.seconds.n:,}")
    at_work = _("{time} at work").format(time=said(found.seconds, SECONDS))
    if view.is_paid:
        fact(_("Spent so far"), money(found.money, view.currency), f"{at_work} · {note}")
    else:
        fact(_("Spent so far"), said(found.seconds, SECONDS), note)


def _cost_figure(name: str, cost: Cost, view: CostsView, note: str) -> None:
    e, unit = (cost.money, view.currency) if view.is_paid else (cost.seconds, "s")
    parts = [between(e, unit), f"n = {e.n:,}", note]
    fact(name, None if e.value is None else said(e.value, unit), " · ".join(filter(None, parts)))


def said(value: float, unit: str) -> str:
    """Return a time in seconds, minutes or hours, whichever reads best, or money."""
    if unit != SECONDS:
        return money(value, unit)
    size, name = _size(value)
    return number(value / size, name)


def between(e: Estimate, unit: str) -> str:
    """Return an interval, a time's in the unit of its figure; nothing where there is none."""
    if e.value is None or e.low is None or e.high is None:
        return ""
    if unit != SECONDS:
        return f"{money(e.low, unit).removesuffix(unit).strip()} – {money(e.high, unit)}"
    size, name = _size(e.value)
    return f"{number(e.low / size)} – {number(e.high / size, name)}"


def _size(seconds: float) -> tuple[float, str]:
    """Return how many seconds the unit has that a time is told in, and its name."""
    if seconds >= FROM * HOUR:
        return HOUR, _("h")
    return (MINUTE, _("min")) if seconds >= FROM * MINUTE else (1.0, SECONDS)


def money(value: float, currency: str) -> str:
    """Return an amount to the cent, a small one with the three digits that tell it from its like."""
    if value >= 1 or value <= 0:
        return f"{value:,.2f} {currency}".strip()
    decimals = min(6, 2 - math.floor(math.log10(value)))
    return f"{value:.{decimals}f} {currency}".strip()


def _saving_figure(saving: Savings) -> None:
    claim = _("claim: up to {n} %").format(n=round(100 * saving.claim))
    figure(_("Time saved, measured"), saving.saving, saving.n, saving.low, saving.high, "%", claim)


# --- by class ---------------------------------------------------------------------------------


def _classes(page: PageContext, view: CostsView) -> None:
    card_head(
        _("What each class takes"),
        _(
            "Dearest first. An item's first answer is labelling, all after it review; the class is "
            "the one people settled on."
        ),
    )
    head = [_("Class"), _("Items"), _("Labelling"), _("Review"), _("In all"), _("Each")]
    if view.is_paid:
        head += [_("In all, money"), _("Each, money")]
    table(head, [_class_row(view, c) for c in view.costs.classes], _("What each class takes"))
    columns = ("class", "items", "labelling_seconds", "review_seconds", "money",
               *estimate_columns("seconds_each"), *estimate_columns("money_each"))  # fmt: skip
    rows = [
        (c.name, c.labels, c.labelling_seconds, c.review_seconds, c.money,
         *estimate_cells(c.each.seconds), *estimate_cells(c.each.money))
        for c in view.costs.classes
    ]  # fmt: skip
    downloads.offer(page, "cost-by-class", columns, rows)


def _class_row(view: CostsView, c: ClassCost) -> list[Markup | str]:
    cells: list[Markup | str] = [
        fill("<b>{n}</b>", n=c.name),
        number(c.labels),
        said(c.labelling_seconds, SECONDS),
        said(c.review_seconds, SECONDS),
        said(c.labelling_seconds + c.review_seconds, SECONDS),
        _each(c.each.seconds, SECONDS),
    ]
    if view.is_paid:
        cells += [money(c.money, view.currency), _each(c.each.money, view.currency)]
    return cells


def _each(e: Estimate, unit: str) -> Markup:
    if e.value is None:
        return with_interval(e, unit)
    return fill(
        "{value}<div class='tb-muted tb-small'>{rest}</div>",
        value=said(e.value, unit),
        rest=", ".join(filter(None, (between(e, unit), f"n = {e.n:,}"))),
    )


# --- rates ------------------------------------------------------------------------------------


def _rates(page: PageContext, view: CostsView) -> None:
    here = Resource(page.project.id if page.project else None)
    if not can(page.actor, Action.STEER, here):
        rate = number(view.wage_per_hour, view.currency)
        caption(_("{rate} an hour").format(rate=rate) if view.is_paid else _("No rate is set."))
        return
    with st.popover(_("Rates"), icon=":material/payments:", width="stretch"):
        with st.form("throughput.rate", border=False):
            wage = st.number_input(_("An hour of a person costs"), 0.0, None, view.wage_per_hour)
            currency = st.text_input(_("Currency"), view.currency, max_chars=12)
            reason = st.text_input(_("Why it changes"))
            if st.form_submit_button(_("Save"), type="primary"):
                attempt(lambda: _save(page, wage, currency, reason), _("Rate saved."))
        for team in view.teams:
            _team_rate(page, view, team)


def _team_rate(page: PageContext, view: CostsView, team: str) -> None:
    with st.form(f"throughput.rate.{team}", border=False):
        own = view.rates.get(team)
        label = _("An hour of {team} costs; empty: as everybody").format(team=team)
        wage = st.number_input(label, 0.0, None, own)
        if st.form_submit_button(_("Save")):
            attempt(
                lambda: set_team_rate(page.ws, page.actor, page.slug, team, wage), _("Rate saved.")
            )


def _save(page: PageContext, wage: float, currency: str, reason: str) -> None:
    now = get_training_rules(page.ws, page.actor, page.slug).rules
    rules = replace(now, wage_per_hour=wage, currency=currency.strip())
    set_training_rules(page.ws, page.actor, page.slug, rules, reason)
