"""Money on the *throughput* page: what labels cost, what each class takes, the saving, the rates."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.access import Action, Resource, can
from core.analytics.asked import Filters
from core.analytics.costs import ClassCost, Cost
from core.services.analytics.costs import CostsView, costs_of, set_team_rate
from core.services.certificates.savings import Savings, measured_savings
from core.services.projects.training_rules import get_training_rules, set_training_rules
from core.services.report.tables import estimate_cells, estimate_columns
from core.ui import downloads
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, fill
from core.ui.throughput.paces import with_interval
from core.ui.widgets import attempt, caption, duration, figure, number, table


def draw_money(page: PageContext, filters: Filters) -> None:
    """Draw what labels cost, the measured saving, and the cost of each class."""
    view = costs_of(page.ws, page.actor, page.slug, filters)
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            card_head(
                _("What labels cost"),
                _("People's time at work at the rates in force. Rulings by leads are not timed."),
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
    shown = (
        (_("A vote"), found.votes, _("all time, changes too")),
        (_("A final label"), found.finals, _("of items people settled")),
        (
            _("An error corrected"), found.corrected,
            _("of {n} items with a pre-label").format(n=f"{found.checked:,}"),
        ),
    )  # fmt: skip
    columns = st.columns(4)
    for column, (name, cost, note) in zip(columns, shown, strict=False):
        with column:
            _cost_figure(name, cost, view, note)
    with columns[3]:
        _saving_figure(saving)
    caption(saving.sentence)
    rows = [
        (name, *estimate_cells(cost.seconds), *estimate_cells(cost.money))
        for name, cost in zip(
            ("vote", "final label", "corrected error"), (c for _n, c, _t in shown), strict=True
        )
    ]
    downloads.offer(
        page, "costs", ("of", *estimate_columns("seconds"), *estimate_columns("money")), rows
    )


def _cost_figure(name: str, cost: Cost, view: CostsView, note: str) -> None:
    e, unit = (cost.money, view.currency) if _has_rates(view) else (cost.seconds, "s")
    figure(name, e.value, e.n, e.low, e.high, unit, note)


def _saving_figure(saving: Savings) -> None:
    claim = _("claim: up to {n} %").format(n=round(100 * saving.claim))
    figure(_("Time saved, measured"), saving.saving, saving.n, saving.low, saving.high, "%", claim)


def _has_rates(view: CostsView) -> bool:
    return view.wage_per_hour > 0 or any(view.rates.values())


# --- by class ---------------------------------------------------------------------------------


def _classes(page: PageContext, view: CostsView) -> None:
    card_head(
        _("What each class takes"),
        _(
            "Dearest first. An item's first answer is labelling, all after it review; the class is "
            "the one people settled on."
        ),
    )
    head = (_("Class"), _("Items"), _("Labelling"), _("Review"), _("In all"), _("Each"))
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
    spent = c.labelling_seconds + c.review_seconds
    in_all = number(c.money, view.currency) if _has_rates(view) else duration(spent)
    each = c.each.money if _has_rates(view) else c.each.seconds
    return [
        fill("<b>{n}</b>", n=c.name),
        number(c.labels),
        duration(c.labelling_seconds),
        duration(c.review_seconds),
        in_all,
        with_interval(each, view.currency if _has_rates(view) else "s"),
    ]


# --- rates ------------------------------------------------------------------------------------


def _rates(page: PageContext, view: CostsView) -> None:
    here = Resource(page.project.id if page.project else None)
    if not can(page.actor, Action.STEER, here):
        rate = number(view.wage_per_hour, view.currency)
        caption(_("{rate} an hour").format(rate=rate) if _has_rates(view) else _("No rate is set."))
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
