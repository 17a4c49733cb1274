"""Dataset versions: the list, freezing one, and ways to what changed, where labels come from, and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.errors import TiebreakError
from core.services.models.datasets import VersionView, list_versions
from core.services.versions.plans import SplitPlan, made_plan
from core.services.versions.snapshot import snapshot
from core.ui import background, downloads, states, urls, widgets
from core.ui.choices import put
from core.ui.shell import PageContext
from core.ui.text import _, many, mark
from core.ui.theme import Markup, fill
from core.ui.tokens import WARN
from core.ui.versions.diff import draw_diff
from core.ui.versions.export import draw_export
from core.ui.versions.lineage import draw_lineage
from core.ui.versions.work import begin, ended, under_way
from core.ui.widgets import chip, muted, section, table

VIEWS = {
    "list": mark("Versions"),
    "diff": mark("What changed"),
    "lineage": mark("Lineage"),
    "export": mark("Export with receipt"),
}
SWITCH = "versions.view"
BY_USE, SHARES = "use", "shares"
HOW = {BY_USE: mark("By what each item was drawn for"), SHARES: mark("By shares")}
USUAL = "train=0.8,val=0.1,test=0.1"

FAR_OFF = 0.1
"""A split whose share is so far from the one asked for is pointed out."""


def draw_versions(page: PageContext) -> None:
    """Draw the view the address asks for."""
    found = list_versions(page.ws, page.actor, page.slug)
    view = _view()
    with states.boundary(inline=True):
        if view == "diff":
            draw_diff(page, found)
        elif view == "lineage":
            draw_lineage(page)
        elif view == "export":
            draw_export(page, found)
        else:
            _list(page, found)


def _view() -> str:
    now = st.query_params.get("versions", "list")
    now = now if now in VIEWS else "list"
    st.session_state[SWITCH] = now
    st.segmented_control(
        _("View"), list(VIEWS), format_func=lambda code: _(VIEWS[code]), key=SWITCH,
        label_visibility="collapsed", on_change=_switched,
    )  # fmt: skip
    return now


def _switched() -> None:
    chosen = st.session_state[SWITCH]
    put(versions=str(chosen or "list"))


def _list(page: PageContext, found: Sequence[VersionView]) -> None:
    _freeze(page)
    if not found:
        states.empty(_("No version yet"), _("Training freezes one by itself when it starts."))
        return
    section(_("Frozen so far"))
    head = (_("Version"), _("Labels"), _("Splits"), _("Balance"), _("Hash"), _("When"), _("By"))
    table(head, [_row(page, v) for v in found], _("Dataset versions"))
    downloads.offer(
        page, "versions", ("version", "labels", "splits", "sha256", "at", "by"),
        [(v.name, v.n_items, ", ".join(f"{s}={n}" for s, n in v.splits.items()), v.hash, v.at, v.by)
         for v in found],
    )  # fmt: skip


def _row(page: PageContext, version: VersionView) -> list[Markup | str]:
    link = urls.page("datasets", project=page.slug, versions="export", version=version.name)
    return [
        fill(
            "<a href='{h}' target='_self' style='color:inherit'><b>{n}</b></a>",
            h=link,
            n=version.name,
        ),
        f"{version.n_items:,}",
        ", ".join(f"{s} {n:,}" for s, n in version.splits.items()) or muted("–"),
        _balance(version.manifest.get("splits")),
        fill("<code title='{whole}'>{h}</code>", h=version.hash[:12], whole=version.hash),
        fill("<span class='tb-num'>{t}</span>", t=widgets.when(version.at)),
        version.by,
    ]


def _balance(told: object) -> Markup | str:
    """Return what kept the splits apart, and how far they are from what was asked."""
    if not isinstance(told, Mapping) or "most_off" not in told:
        return muted("–")
    parts = []
    if told["group_by"]:
        parts.append(_("by {column}").format(column=told["group_by"]))
    if told["look_alikes"]:
        parts.append(
            many("{n} group of look-alikes", "{n} groups of look-alikes", int(told["look_alikes"]))
        )
    if told["ratios"]:
        parts.append(_("off by at most {n} points").format(n=f"{100 * told['most_off']:.1f}"))
    if told["held_back"]:
        parts.append(_("{n} follow their group out of train").format(n=f"{told['held_back']:,}"))
    if told["left_out"]:
        parts.append(_("{n} left out").format(n=f"{told['left_out']:,}"))
    said = "; ".join(parts) or _("by use")
    if told["ratios"] and told["most_off"] > FAR_OFF:
        return fill("{chip} {said}", chip=chip(_("uneven"), WARN), said=said)
    return said


def _freeze(page: PageContext) -> None:
    section(
        _("Freeze the labels in force"),
        _("A version never changes; models and reports point to it by its hash."),
    )
    key = f"versions.freeze.{page.slug}"
    if under_way(key):
        return
    made = ended(key)
    if isinstance(made, VersionView):
        said = _("Version '{name}': {n} labels.")
        if made.was_there:
            said = _("Nothing new was frozen: the labels are those of '{name}' ({n} labels).")
        widgets.flash(said.format(name=made.name, n=f"{made.n_items:,}"))
        st.rerun()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                _("Name"), key="versions.name", width=320,
                placeholder=_("Leave empty for the next number"),
            )  # fmt: skip
            pressed = st.button(_("Freeze"), icon=":material/ac_unit:", key="versions.go")
        with st.expander(_("Splits")):
            chosen = _choices()
    if pressed:
        try:
            plan = made_plan(*chosen)
        except TiebreakError as problem:
            states.say_error(problem)
            return
        begin(key, _frozen(page, name, plan))


def _frozen(
    page: PageContext, name: str, plan: SplitPlan
) -> Callable[[background.Work[VersionView]], VersionView]:
    """Return the freezing, to be done in a thread of its own: a large project takes a while."""
    ws, actor, slug = page.ws, page.actor, page.slug
    return lambda work: snapshot(ws, actor, slug, name, plan, work.report)


def _choices() -> tuple[str, str, bool, int, bool]:
    left, right = st.columns(2, gap="medium")
    with left:
        how = st.radio(
            _("Split"), list(HOW), format_func=lambda h: _(HOW[h]), key="versions.how",
        )  # fmt: skip
        ratios = ""
        if how == SHARES:
            ratios = st.text_input(_("Shares, adding up to 1"), USUAL, key="versions.ratios")
        seed = st.number_input(_("Seed"), 0, value=0, key="versions.seed")
    with right:
        group = st.text_input(
            _("Keep together by"), key="versions.group",
            placeholder=_("A metadata column: patient, clip, sender …"),
        )  # fmt: skip
        near = st.checkbox(_("Keep look-alikes together"), value=True, key="versions.near")
        out = st.checkbox(
            _("Leave held-out items out where most of their group is learnt from"),
            key="versions.out",
        )
    widgets.caption(
        _("Items drawn for certifying or evaluating never come into train, whatever is asked.")
    )
    return ratios, group, near, int(seed), out
