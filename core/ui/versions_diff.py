"""What changed between two versions: how many, why, in which classes and slices, and which items."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.services.models.datasets import VersionView
from core.services.versions.differing import ChangeView, Difference, Tally, diff_versions
from core.ui import states, urls, widgets
from core.ui.charts.style import axis_title, draw_chart, frame, plain, shortened
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.tokens import ACCENT, STATE_COLOURS
from core.ui.widgets import figure, muted, section, table

MOST = 200
MOST_BARS = 20
KINDS = {
    "added": mark("Added"),
    "removed": mark("Removed"),
    "changed": mark("Relabelled"),
    "moved": mark("In another split"),
}


def draw_diff(page: PageContext, found: Sequence[VersionView]) -> None:
    """Draw the difference of the two versions in the address; the newest two by default."""
    if len(found) < 2:
        states.empty(
            _("Two versions are needed"), _("Freeze the labels again once some have changed.")
        )
        return
    names = {v.name: v.name for v in found}
    left, middle, right = st.columns(3, gap="medium")
    with left:
        one = choose(_("From"), "one", names, found[1].name)
    with middle:
        other = choose(_("To"), "other", names, found[0].name)
    asked = st.query_params.get("by", "")
    told = diff_versions(page.ws, page.actor, page.slug, one, other, asked)
    with right:
        choose(_("Slices by"), "by", {"": _("None"), **{c: c for c in told.columns}}, "")
    _counts(told)
    if not told.changes:
        widgets.caption(_("Every item has the same label in both."))
        return
    section(_("Why"))
    table((_("Reason"), _("Items")), [(c, f"{n:,}") for c, n in told.causes.items()], _("Why"))
    section(_("By class"), _("Relabelled: of the items in both, with its 95 % interval."))
    draw_chart(_bars(told.classes), "versions.classes", _("Changes by class"))
    _tallies(told.classes, _("Class"))
    if told.slices:
        section(_("By {column}").format(column=told.column))
        _tallies(told.slices, told.column)
    section(_("Items"))
    _items(page, told.changes)


def _counts(told: Difference) -> None:
    shown = [(_(KINDS[kind]), n) for kind, n in told.kinds.items()]
    with st.container(border=True):
        for column, (label, n) in zip(
            st.columns(len(shown) + 1), [*shown, (_("The same"), told.same)], strict=True
        ):
            with column:
                figure(label, n)


def _bars(rows: Sequence[Tally]) -> go.Figure:
    """Return what came and what went of each class: to the right and to the left of zero."""
    shown = [r for r in rows if r.added or r.removed or r.relabelled][:MOST_BARS][::-1]
    names = [plain(shortened(r.name)) for r in shown]
    drawn = go.Figure()
    for title, values, colour in (
        (_("Added"), [r.added for r in shown], ACCENT),
        (_("Removed"), [-r.removed for r in shown], STATE_COLOURS["discarded"]),
        (_("Relabelled"), [-r.relabelled for r in shown], STATE_COLOURS["dispute"]),
    ):
        drawn.add_trace(
            go.Bar(
                x=values, y=names, orientation="h", name=title, marker={"color": colour},
                customdata=[abs(v) for v in values], hovertemplate="%{y}: %{customdata:,}",
            )
        )  # fmt: skip
    frame(drawn, 120 + 28 * len(shown), legend=True)
    drawn.update_layout(barmode="relative", showlegend=True)
    drawn.update_xaxes(title=axis_title(_("Items")))
    return drawn


def _tallies(rows: Sequence[Tally], title: str) -> None:
    head = (title, _("Before"), _("After"), _("Added"), _("Removed"), _("Relabelled"), _("Share"))
    table(head, [_tally(r) for r in rows[:MOST]], title)


def _tally(row: Tally) -> list[Markup | str]:
    rate = row.rate
    share: Markup | str = muted(_("Not enough data"))
    if rate.value is not None and rate.low is not None and rate.high is not None:
        ends = f"{widgets.number(rate.low, '%')} – {widgets.number(rate.high, '%')}"
        share = f"{widgets.number(rate.value, '%')} ({ends}, n = {rate.n:,})"
    return [
        row.name or muted(_("none")), f"{row.before:,}", f"{row.after:,}", f"{row.added:,}",
        f"{row.removed:,}", f"{row.relabelled:,}", share,
    ]  # fmt: skip


def _items(page: PageContext, rows: Sequence[ChangeView]) -> None:
    head = (_("Image"), _("What"), _("Before"), _("After"), _("Why"), _("By"))
    table(head, [_item(page, c) for c in rows[:MOST]], _("Items"))
    if len(rows) > MOST:
        widgets.caption(_("And {n} more.").format(n=f"{len(rows) - MOST:,}"))


def _item(page: PageContext, change: ChangeView) -> list[Markup | str]:
    link = urls.page("datasets", project=page.slug, versions="lineage", item=str(change.item_id))
    moved = change.kind == "moved"
    return [
        fill("<a href='{h}' target='_self' style='color:inherit'>{n}</a>", h=link, n=change.name),
        _(KINDS[change.kind]),
        (change.split_before if moved else change.before) or muted("–"),
        (change.split_after if moved else change.after) or muted("–"),
        change.cause,
        ", ".join(change.who) or muted("–"),
    ]
