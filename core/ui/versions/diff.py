"""What changed between two versions: how many, why, in which classes and slices, and which items."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.labels.state import ItemState
from core.services.models.datasets import VersionView
from core.services.pictures.images import image_path
from core.services.versions.differing import ChangeView, Difference, Tally, diff_versions
from core.ui import background, downloads, states, urls, widgets
from core.ui.behind import Linked, item_cells
from core.ui.charts.style import INK, LINE, axis_title, draw_chart, frame, plain, shortened
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.tokens import ACCENT, STATE_COLOURS
from core.ui.versions.work import ended, under_way
from core.ui.widgets import figure, muted, section, table

MOST = 200
FEW, LONG_PX = 10, 640
"""Rows above which the list scrolls in itself, and how high it then is."""
READ = "versions.difference"
"""What was read last in this session: versions never change, and large ones take seconds to read."""
CLICKED = "versions.classes"
MOST_BARS, FEWEST_ON_SCALE, BAR = 20, 5, 0.62
KINDS = {
    "added": mark("Added"),
    "removed": mark("Removed"),
    "changed": mark("Relabelled"),
    "moved": mark("In another split"),
}
CAUSES = {
    "new votes": mark("New votes"),
    "a lead's decision": mark("A lead's decision"),
    "a decision was overturned": mark("A decision was overturned"),
    "another policy": mark("Another policy"),
    "a class was renamed or merged": mark("A class was renamed or merged"),
    "imported": mark("Imported"),
    "accepted on the model's word": mark("Accepted on the model's word"),
    "an accepted label was recalled": mark("An accepted label was recalled"),
    "discarded": mark("Discarded"),
    "settled as no class fits": mark("Settled as no class fits"),
    "open again": mark("Open again"),
    "other splits": mark("Other splits"),
    "the same votes, weighed anew": mark("The same votes, weighed anew"),
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
    told = _difference(page, one, other, st.query_params.get("by", ""))
    if told is None:
        return
    with right:
        choose(_("Slices by"), "by", {"": _("None"), **{c: c for c in told.columns}}, "")
    _counts(told)
    if not told.changes:
        widgets.caption(_("Every item has the same label in both."))
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        section(_("Why"))
        rows = [(_(CAUSES.get(c, c)), f"{n:,}") for c, n in told.causes.items()]
        table((_("Reason"), _("Items")), rows, _("Why"))
    with right:
        section(_("By class"), _("Click a bar to see its items."))
        draw_chart(_bars(told.classes), CLICKED, _("Changes by class"), _clicked)
    _tallies(page, "classes", told.classes, _("Class"))
    if told.slices:
        section(_("By {column}").format(column=told.column))
        _tallies(page, "slices", told.slices, told.column)
    _items(page, told)


def _difference(page: PageContext, one: str, other: str, by: str) -> Difference | None:
    """Return how two versions differ, read once a session; None while they are read, or cannot be."""
    of_classes = page.project.schema_version if page.project else 0
    key = (page.slug, page.actor.person_id, one, other, by, of_classes)
    kept = st.session_state.get(READ)
    if kept is not None and kept[0] == key:
        before: Difference = kept[1]
        return before
    work = f"{READ}.{'~'.join(map(str, key))}"
    if work not in st.session_state:
        ws, actor, slug = page.ws, page.actor, page.slug
        st.session_state[work] = background.start(
            lambda told: diff_versions(ws, actor, slug, one, other, by, told.report)
        )
    if under_way(work):
        return None
    found = ended(work)
    if not isinstance(found, Difference):
        return None
    st.session_state[READ] = (key, found)
    return found


def _clicked() -> None:
    points = st.session_state[CLICKED].selection.points
    if points:
        name, kind = points[0]["customdata"][:2]
        put(changed=str(kind), of=str(name))


def _counts(told: Difference) -> None:
    shown = [(_(KINDS[kind]), n) for kind, n in told.kinds.items()]
    with st.container(border=True):
        for column, (label, n) in zip(
            st.columns(len(shown) + 1), [*shown, (_("The same"), told.same)], strict=True
        ):
            with column:
                figure(label, n)


def _bars(rows: Sequence[Tally]) -> go.Figure:
    """Return how many items came, went and changed of each class: stacked, from zero to the right."""
    shown = [r for r in rows if r.added or r.removed or r.relabelled][:MOST_BARS][::-1]
    names = [plain(shortened(r.name or _("none"))) for r in shown]
    drawn = go.Figure()
    for kind, title, values, colour in (
        ("added", _("Added"), [r.added for r in shown], ACCENT),
        ("removed", _("Removed"), [r.removed for r in shown], STATE_COLOURS["discarded"]),
        ("changed", _("Relabelled"), [r.relabelled for r in shown], STATE_COLOURS["dispute"]),
    ):
        drawn.add_trace(
            go.Bar(
                x=values, y=names, orientation="h", name=title, width=BAR,
                marker={"color": colour, "line": {"width": 0}},
                customdata=[(r.name, kind) for r in shown], hovertemplate="%{y}: %{x:,}",
                text=[f"{v:,}" if v else "" for v in values], textposition="inside",
                insidetextanchor="middle", textangle=0, textfont={"color": INK if kind == "changed" else "white", "size": 12},
            )
        )  # fmt: skip
    frame(drawn, 120 + 28 * len(shown), legend=True)
    drawn.update_layout(barmode="stack", showlegend=True, legend={"traceorder": "normal"})
    drawn.update_xaxes(title=axis_title(_("Items")), **_ticks(shown))
    return drawn


def _ticks(rows: Sequence[Tally]) -> dict[str, object]:
    """Return a scale of whole numbers from zero on, wide enough that one item is no whole bar."""
    most = max((r.added + r.removed + r.relabelled for r in rows), default=0)
    top = max(most, FEWEST_ON_SCALE)
    scale = 10 ** (len(str(top // 5)) - 1)
    step = next(s * scale for s in (1, 2, 5, 10) if 5 * s * scale >= top)
    end = -(-top // step) * step
    return {"tickvals": [*range(0, end + step, step)], "tickformat": ",d", "range": [0, 1.02 * end],
            "gridcolor": LINE, "zeroline": False}  # fmt: skip


def _tallies(page: PageContext, name: str, rows: Sequence[Tally], title: str) -> None:
    head = (title, _("Before"), _("After"), _("Added"), _("Removed"), _("Relabelled"), _("Share"))
    table(head, [_tally(r) for r in rows[:MOST]], title)
    widgets.caption(_("Share: relabelled of the items in both, with its 95 % interval."))
    downloads.offer(
        page, f"changed-{name}",
        ("name", "before", "after", "added", "removed", "relabelled", "share", "low", "high", "n"),
        [(r.name, r.before, r.after, r.added, r.removed, r.relabelled, r.rate.value, r.rate.low,
          r.rate.high, r.rate.n) for r in rows],
    )  # fmt: skip


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


def _items(page: PageContext, told: Difference) -> None:
    kind, of = st.query_params.get("changed", ""), st.query_params.get("of")
    rows = [c for c in told.changes if _asked(c, kind, of)]
    if kind in KINDS or of is not None:
        parts = [_(KINDS[kind]) if kind in KINDS else "", of or ""]
        section(_("Items"), " · ".join(p for p in parts if p))
        if st.button(_("Show all"), key="versions.every", icon=":material/filter_alt_off:"):
            put(changed=None, of=None)
            st.rerun()
    else:
        section(_("Items"))
    head = (_("Image"), _("Item"), _("What"), _("Before"), _("After"), _("Why"), _("Rests on"))
    body = [_item(page, c) for c in rows[:MOST]]
    # What stands below a long list, its downloads, is reached without scrolling through all of it.
    with st.container(height=LONG_PX if len(body) > FEW else "content", border=False):
        table(head, body, _("Items"))
    if len(rows) > MOST:
        widgets.caption(_("And {n} more.").format(n=f"{len(rows) - MOST:,}"))
    downloads.offer(
        page, "changed-items",
        ("item", "file", "what", "before", "after", "split_before", "split_after", "why", "by"),
        [(c.item_id, c.name, c.kind, c.before, c.after, c.split_before, c.split_after, c.cause,
          ", ".join(c.who)) for c in rows],
    )  # fmt: skip


def _asked(change: ChangeView, kind: str, of: str | None) -> bool:
    if kind in KINDS and change.kind != kind:
        return False
    # A bar counts an item under the class it had, or, where it is new, under the one it has.
    here = change.classes_after if change.kind == "added" else change.classes_before
    return of is None or of in here


def _item(page: PageContext, change: ChangeView) -> list[Markup | str]:
    """Return a row: the name leads to where one may act on the item, the last cell to its lineage."""
    link = urls.page("datasets", project=page.slug, versions="lineage", item=str(change.item_id))
    moved = change.kind == "moved"
    picture = image_path(change.item_id, change.content_hash)
    linked = Linked(change.item_id, change.name, picture, ItemState.AGREED)
    who = ", ".join(change.who) or _("its evidence")
    return [
        *item_cells(page, linked, "")[:2],
        _(KINDS[change.kind]),
        (change.split_before if moved else change.before) or muted("–"),
        (change.split_after if moved else change.after) or muted("–"),
        _(CAUSES.get(change.cause, change.cause)),
        fill("<a href='{h}' target='_self' style='color:inherit'>{n}</a>", h=link, n=who),
    ]
