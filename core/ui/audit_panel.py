"""What became of labels a model decided alone: the audit of them, what was taken back, what they saved."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.labels.state import ItemState
from core.services.certificates import audits, recall, savings
from core.services.certificates.audits import AuditRow
from core.services.certificates.recall import TakenBack
from core.services.certificates.savings import Savings
from core.services.items.lists import make_list
from core.stats.intervals import Estimate
from core.ui import charts, widgets
from core.ui.behind import item_link
from core.ui.charts import POINTS, card_head
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import BAD, WARN
from core.ui.widgets import attempt, caption, fact, table, when

MOST_ITEMS = 100
MOST_STAKE = 10_000
"""Beyond which the stake of a test is only said to be large."""


def draw_audit(page: PageContext) -> None:
    """Draw how the audit stands and what was taken back; nothing where nothing was accepted."""
    rows = audits.audit_standing(page.ws, page.actor, page.slug)
    told = _told(page)
    if not rows and not told:
        return
    with st.container(border=True):
        card_head(
            _("Audit of what was accepted"),
            _(
                "A random share goes to people unrecognisably. The test may be read at any time; it takes labels back by itself."
            ),
        )
        for one in told:
            _taken_back(page, one)
        if rows:
            table(
                (_("Scope"), _("Drawn"), _("Checked"), _("Wrong"), _("95 % at every moment"),
                 _("Evidence"), _("Stand"), ""),
                [_audit_row(r) for r in rows], _("Audit of what was accepted"),
            )  # fmt: skip


def _told(page: PageContext) -> list[TakenBack]:
    if not can(page.actor, Action.PROMOTE, _here(page)):
        return []
    return recall.taken_back(page.ws, page.actor, page.slug)


def _audit_row(row: AuditRow) -> list[Markup | str]:
    share = "–" if not row.n else f"{100 * row.wrong / row.n:.1f} % ({row.wrong})"
    ends = "–" if not row.n else f"{100 * row.low:.1f} – {100 * row.high:.1f} %"
    chip = Markup()
    if row.revoked:
        chip = widgets.chip(_("taken back"), BAD)
    elif row.drifting:
        chip = widgets.chip(_("getting worse?"), WARN)
    return [
        fill(
            "{scope}<div class='tb-muted tb-small'>{n}</div>", scope=scope_name(row.scope),
            n=_("certificate {n}").format(n=row.certificate_id),
        ),
        f"{row.drawn:,}", f"{row.n:,}", share, ends,
        _("{e} of {needed}").format(e=_stake(row.e), needed=f"{row.needed:,.0f}"),
        f"{row.standing:,}", chip,
    ]  # fmt: skip


def _stake(e: float) -> str:
    return f"> {MOST_STAKE:,}" if e > MOST_STAKE else f"{e:,.1f}"


def _taken_back(page: PageContext, told: TakenBack) -> None:
    """Draw what was taken back at one time, with everything it reached."""
    reached = ", ".join(
        _("{name} ({n} such labels{models})").format(
            name=v.name, n=f"{v.items:,}",
            models="; " + _("taught model {n}").format(n=", ".join(map(str, v.models))) if v.models else "",
        )
        if v.readable else _("{name} (cannot be read)").format(name=v.name)
        for v in told.versions
    )  # fmt: skip
    draw(
        "<div class='tb-banner' role='status'><i class='tb-icon' aria-hidden='true'>undo</i><span>"
        "<b>{head}</b> <span class='tb-muted'>{what}</span><br>{text}</span></div>",
        head=many("{n} label was taken back.", "{n} labels were taken back.", len(told.items)),
        what=_("Certificate {n}, {when}. {reason}").format(
            n=told.certificate_id, when=when(told.at), reason=told.reason
        ),
        text=_("Dataset versions that keep such labels: {names}.").format(names=reached)
        if reached else _("No dataset version keeps any of them."),
    )  # fmt: skip
    with st.expander(many("{n} item concerned", "{n} items concerned", len(told.items))):
        shown = join(_item(page, i, name) for i, name in told.items[:MOST_ITEMS])
        draw("<ul class='tb-inline-list'>{shown}</ul>", shown=shown)
        if len(told.items) > MOST_ITEMS:
            caption(_("The first {n} are shown.").format(n=MOST_ITEMS))
        _keep(page, told)


def _item(page: PageContext, item_id: int, name: str) -> Markup:
    href = item_link(page, item_id, ItemState.OPEN)
    return fill("<li><a href='{href}' target='_self'>{name}</a></li>", href=href, name=name)


def _keep(page: PageContext, told: TakenBack) -> None:
    if not can(page.actor, Action.STEER, _here(page)):
        return
    name = _("Taken back, certificate {n}").format(n=told.certificate_id)
    if st.button(
        _("Keep as a list to review"), key=f"certificate.list.{told.certificate_id}.{told.items[0][0]}",
        icon=":material/playlist_add:",
    ):  # fmt: skip
        ids = [i for i, _name in told.items]
        attempt(
            lambda: make_list(page.ws, page.actor, page.slug, name, ids), _("The list is kept.")
        )


# --- what it saved ----------------------------------------------------------------------------


def draw_saving(page: PageContext) -> None:
    """Draw what the model's help saved, measured, beside what is claimed."""
    found = savings.measured_savings(page.ws, page.actor, page.slug)
    with st.container(border=True):
        card_head(
            _("What it saved, measured"),
            _("Against a random share of items that people label from scratch, without help."),
        )
        _saving_figures(found)
        caption(found.sentence)


def _saving_figures(found: Savings) -> None:
    one, two, three = st.columns(3)
    with one:
        widgets.figure(_("People's time saved"), found.saving, found.n, found.low, found.high, "%")
    with two:
        fact(
            _("Claimed"),
            _("up to {share}").format(share=f"{100 * found.claim:.0f} %"),
            _("by the product's material"),
        )
    with three:
        gap = found.accuracy
        points = Estimate(
            None if gap.value is None else 100 * gap.value,
            None if gap.low is None else 100 * gap.low,
            None if gap.high is None else 100 * gap.high,
            gap.n,
        )
        fact(
            _("Accuracy with help, less without"),
            None if points.value is None else charts.amount(points.value, POINTS),
            f"{charts.interval(points, POINTS)}n = {points.n:,}",
        )


def scope_name(code: str) -> str:
    """Return what a promise, or a part of one, is about in the reader's words."""
    if code == "all":
        return _("all items together")
    if code == "classes":
        return _("each class by itself")
    kind, _sep, name = code.partition(":")
    if kind == "slices":
        return _("each value of {column} by itself").format(column=name)
    return name.replace("=", ": ") if name else code


def _here(page: PageContext) -> Resource:
    return Resource(page.project.id if page.project else None)
