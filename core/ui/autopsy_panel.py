"""The disputes by cause: what they have in common, the clause that would settle them, all at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.access import Action, Actor, Resource, can
from core.consensus.autopsy import Cause
from core.services.projects.project import ProjectView, get_project
from core.services.review.autopsy import Autopsies, autopsies
from core.services.review.autopsy_clusters import Cluster, DisputeAutopsy, Exemplar
from core.services.review.many import MOST_AT_ONCE
from core.services.workspace import Workspace, current_workspace
from core.ui import identity, states, urls
from core.ui.clause_dialog import clause_dialog, no_example
from core.ui.dispute_views import close_dialog, open_dialog, opened, view_switch
from core.ui.past_rulings import kept_note, left_out_note, overturn_dialog, past_rulings
from core.ui.settle_dialog import settle_dialog
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption

SHOWN, STRIP = 8, 7
_ALL = "tb-causes-all"
CAUSE_NAMES = {
    Cause.SLIP: mark("Slip"),
    Cause.GAP: mark("Guideline gap"),
    Cause.OVERLAP: mark("Classes overlap"),
    Cause.AMBIGUOUS: mark("Image unclear"),
    Cause.UNKNOWN: mark("Too little to say"),
}
_COLOURS = {
    Cause.SLIP: "#2F6FDE",
    Cause.GAP: "#B7791F",
    Cause.OVERLAP: "#8E44AD",
    Cause.AMBIGUOUS: "#1B8A7A",
    Cause.UNKNOWN: "#7A7F87",
}


def causes(slug: str) -> None:
    """Draw the open disputes by cause, and the rulings made before."""
    with states.boundary():
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        found = autopsies(ws, actor, slug)
        _head(found)
        left_out_note()
        kept_note()
        if not found.clusters:
            states.nothing_left(
                _(
                    "No item is in dispute. New ones come here when votes differ or somebody flags an item."
                )
            )
        wanted = _wanted(found.clusters)
        most = len(wanted) if st.session_state.get(_ALL) else SHOWN
        for cluster in wanted[:most]:
            _cluster(actor, project, cluster, found)
        if len(wanted) > most:
            rest = many("Show {n} more group", "Show {n} more groups", len(wanted) - most)
            st.button(rest, on_click=lambda: st.session_state.update({_ALL: True}))
        past_rulings(ws, actor, project)
        _dialog(ws, actor, project, found)


def ruled(slug: str) -> None:
    """Draw the rulings made before, alone: no cause is worked out for them."""
    with states.boundary():
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        with st.container(horizontal=True, horizontal_alignment="right"):
            view_switch()
        left_out_note()
        kept_note()
        past_rulings(ws, actor, project)
        name, about = opened()
        if name == "overturn":
            overturn_dialog(ws, actor, project, about)


def autopsy_data(found: DisputeAutopsy | None) -> dict[str, Any] | None:
    """Return a dispute's cause as the element beside the ruling shows it."""
    if found is None or (found.kind == Cause.UNKNOWN and not found.pair):
        return None  # the flag says it already
    return {
        "kind": _(CAUSE_NAMES[Cause(found.kind)]),
        "words": found.words,
        "evidence": [f"{line.text} (n\u00a0=\u00a0{line.n:,})" for line in found.evidence],
        "clause": found.clause.replace("*", ""),
        "settles": found.settles,
    }


def _head(found: Autopsies) -> None:
    left, right = st.columns([3, 1.3], vertical_alignment="bottom")
    with left:
        n = many("{n} open dispute", "{n} open disputes", len(found.disputes))
        of = many("in {n} group", "in {n} groups", len(found.clusters))
        draw(
            "<div class='tb-header'><h1>{t}</h1><p>{s}</p></div>",
            t=_("Disputes by cause"),
            s=_("{n}, {groups} of the same cause and answers. The cause is told by the votes, the model, "
                "the time taken and images that look alike; its score says how well they fit, and is no "
                "probability: look before you settle.").format(n=n, groups=of),
        )  # fmt: skip
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        view_switch()


def _wanted(clusters: Sequence[Cluster]) -> list[Cluster]:
    """Draw how many disputes each cause has, to choose one by; return its groups, the unknown last."""
    last = [Cause.UNKNOWN.value]
    ordered = sorted(clusters, key=lambda c: (c.kind in last, -c.n))
    counts: dict[str, int] = {}
    for cluster in ordered:
        counts[cluster.kind] = counts.get(cluster.kind, 0) + cluster.n
    if len(counts) < 2:
        return ordered
    names = {"": _("All"), **{kind: _(CAUSE_NAMES[Cause(kind)]) for kind in counts}}
    everything = sum(counts.values())
    chosen = st.segmented_control(
        _("Cause"),
        list(names),
        default="",
        format_func=lambda kind: f"{names[kind]} ({counts.get(kind, everything):,})",
        key="tb-cause-kind",
        label_visibility="collapsed",
    )
    return [c for c in ordered if chosen not in counts or c.kind == chosen]


# --- one cause ----------------------------------------------------------------------------------


def _cluster(actor: Actor, project: ProjectView, cluster: Cluster, found: Autopsies) -> None:
    first = max(
        (found.disputes[i] for i, _seq in cluster.items),
        key=lambda d: (dict(d.scores)[cluster.kind], -d.item_id),
    )
    # A key of its own, so that what moves up when another is settled is drawn anew, not patched.
    key = hashlib.sha256(cluster.key.encode()).hexdigest()[:12]
    with st.container(border=True, key=f"tb-cause-{key}"):
        left, right = st.columns([1.15, 1], gap="large")
        with left:
            _said(cluster, first)
            _strip(project, cluster)
        with right:
            _pair(cluster)
            if cluster.clause:
                draw("<div class='tb-eyebrow'>{t}</div>", t=_("Clause for the guideline"))
                draw("<div class='tb-clause'>{t}</div>", t=cluster.clause.replace("*", ""))
            else:
                caption(_("No rule would help here; settle them, or look at each."))
            _actions(actor, project, cluster)


def _said(cluster: Cluster, first: DisputeAutopsy) -> None:
    kind = Cause(cluster.kind)
    share = dict(first.scores)[cluster.kind]
    draw(
        "<div class='tb-chips'><span class='tb-chip'><i class='tb-dot' style='background:{c}'></i>{kind}</span>"
        "<span class='tb-chip'>{n}</span>{sure}</div>"
        "<div style='font-size:1.08rem;font-weight:600;margin:.45rem 0 .2rem'>{title}</div>"
        "<div class='tb-small'>{words}</div>",
        c=_COLOURS[kind],
        kind=_(CAUSE_NAMES[kind]),
        n=many("{n} open dispute", "{n} open disputes", cluster.n),
        sure=Markup()
        if kind is Cause.UNKNOWN
        else fill(
            "<span class='tb-chip' title='{why}'>{t}</span>",
            t=_("score {n}").format(n=f"{share:.2f}"),
            why=_(
                "How well the evidence fits this cause rather than the others, 0 to 1, on the item it fits best"
            ),
        ),
        title=" / ".join(cluster.pair) or _("Flagged"),
        words=cluster.words,
    )
    if not cluster.pair and kind is Cause.UNKNOWN:
        return  # the flag says it, and it stands beside each
    evidence = join(
        fill(
            "<li>{t} <span class='tb-muted tb-num' style='white-space:nowrap'>n = {n}</span></li>",
            t=e.text,
            n=f"{e.n:,}",
        )
        for e in first.evidence
    )
    draw(
        "<div class='tb-eyebrow' style='margin-top:.6rem'>{head}</div>"
        "<ul class='tb-small' style='margin:.15rem 0 .5rem;padding-left:1.1rem'>{lines}</ul>",
        head=_("What speaks for it, on {name}").format(name=first.name)
        if cluster.n > 1
        else _("What speaks for it"),
        lines=evidence,
    )


def _strip(project: ProjectView, cluster: Cluster) -> None:
    """Draw the disputes as small pictures, each a link to itself."""
    shown = zip(cluster.items[:STRIP], cluster.names, cluster.images, strict=False)
    tiles = join(
        fill(
            "<a href='{href}' target='_self' title='{name}'><img class='tb-thumb' src='{src}' alt='{name}' "
            "loading='lazy'></a>",
            href=urls.page("adjudicate", project=project.slug, item=str(item_id)),
            src=urls.path(f"{image}&w=200"),
            name=name,
        )
        for (item_id, _seq), name, image in shown
    )
    more = cluster.n - STRIP
    rest = (
        fill("<span class='tb-muted tb-small'>+{n}</span>", n=f"{more:,}") if more > 0 else Markup()
    )
    draw("<div class='tb-strip'>{tiles}{rest}</div>", tiles=tiles, rest=rest)


def _pair(cluster: Cluster) -> None:
    """Draw an item of each side, the favoured one first."""
    if not cluster.pair:
        return
    shown = [e for e in (cluster.good, cluster.bad) if e is not None]
    if shown:
        draw(
            "<div class='tb-examples tb-two'>{all}</div>",
            all=join(_side(e, cluster) for e in shown),
        )
    if len(shown) < 2:
        caption(no_example(cluster))


def _side(exemplar: Exemplar, cluster: Cluster) -> Markup:
    told = _("decided by a lead") if exemplar.decided else _("people agree on it")
    return fill(
        "<figure class='{look}'><img src='{src}' alt='{name}' loading='lazy'>"
        "<figcaption><b>{label}</b><br><span class='tb-muted'>{name} · {told}</span></figcaption></figure>",
        look="tb-good" if exemplar.label == cluster.favoured else "tb-bad",
        src=urls.path(f"{exemplar.image}&w=400"),
        name=exemplar.name,
        label=exemplar.label,
        told=told,
    )


def _actions(actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(
            many("Settle {n}…", "Settle all {n}…", min(cluster.n, MOST_AT_ONCE)),
            key=f"tb-settle-{cluster.key}",
            type="primary",
            on_click=open_dialog,
            args=("settle", cluster.key),
        )
        if cluster.clause and can(actor, Action.STEER, Resource(project.id)):
            st.button(
                _("Add to the guideline…"),
                key=f"tb-clause-{cluster.key}",
                on_click=open_dialog,
                args=("clause", cluster.key),
            )


def _dialog(ws: Workspace, actor: Actor, project: ProjectView, found: Autopsies) -> None:
    """Draw the dialog that is open; one about disputes settled meanwhile closes."""
    name, about = opened()
    if name == "overturn":
        overturn_dialog(ws, actor, project, about)
        return
    cluster = next((c for c in found.clusters if c.key == about), None)
    if cluster is None:
        close_dialog()
    elif name == "clause":
        clause_dialog(ws, actor, project, cluster)
    else:
        settle_dialog(ws, actor, project, cluster)
