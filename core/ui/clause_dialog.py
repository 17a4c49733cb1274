"""The dialog that takes a proposed clause, with its exemplar pair, into the guideline."""

from __future__ import annotations

import streamlit as st

from core.access import Actor
from core.errors import InputError, TiebreakError
from core.services.projects.project import GuidelineExample, ProjectView
from core.services.review.autopsy_clusters import Cluster, Exemplar
from core.services.steering.rules import set_guideline
from core.services.workspace import Workspace
from core.ui import states, urls, widgets
from core.ui.dispute_views import close_dialog
from core.ui.text import _, many
from core.ui.theme import draw


def clause_dialog(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    """Ask for the wording, the examples and a reason, and put the guideline in force."""
    st.dialog(_("Add to the guideline"), width="medium", on_dismiss=close_dialog)(_clause)(
        ws, actor, project, cluster
    )


def _clause(ws: Workspace, actor: Actor, project: ProjectView, cluster: Cluster) -> None:
    widgets.caption(
        many(
            "It speaks to {n} open dispute. Say in it what to look for: that is what only you know.",
            "It speaks to {n} open disputes. Say in it what to look for: that is what only you know.",
            cluster.n,
        )
    )
    text = st.text_area(
        _("Clause, added at the end (Markdown)"),
        cluster.clause,
        height=160,
        key=f"clause.text.{cluster.key}",
    )
    examples = [
        e
        for e in (_example(cluster, cluster.good), _example(cluster, cluster.bad))
        if e is not None
    ]
    if len(cluster.pair) > 1 and (cluster.good is None or cluster.bad is None):
        widgets.caption(no_example(cluster))
    reason = st.text_input(
        _("What changed (required)"),
        _("Disputes between {pair}").format(pair=" / ".join(cluster.pair)),
        key=f"clause.reason.{cluster.key}",
    )
    version = project.guideline_version + 1
    widgets.caption(
        _("This makes guideline version {n}; reviewers read it from their next image on. Votes "
          "already cast stay as they are, and the disputes stay open until you settle them.").format(n=version)
    )  # fmt: skip
    refusal = st.container()
    with st.container(horizontal=True, gap="small"):
        publish = st.button(_("Publish"), type="primary", key="tb-publish-clause")
        if st.button(_("Cancel"), key="tb-cancel-clause"):
            close_dialog()
            st.rerun()
    if not publish:
        return
    try:
        if not text.strip():
            raise InputError(_("The clause is empty."), _("Write it, or cancel."))
        _publish(ws, actor, project, text, examples, reason)
    except TiebreakError as problem:
        with refusal:
            states.say_error(problem)
        return
    close_dialog()
    widgets.flash(_("Guideline version {n} is in force.").format(n=version))
    st.rerun()


def _publish(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    text: str,
    examples: list[GuidelineExample],
    reason: str,
) -> None:
    known = {e.item_id for e in project.guideline_examples}
    shown = (*project.guideline_examples, *(e for e in examples if e.item_id not in known))
    whole = f"{project.guideline.rstrip()}\n\n{text.strip()}\n".lstrip()
    set_guideline(ws, actor, project.slug, whole, reason, shown)


def no_example(cluster: Cluster) -> str:
    """Return for which answers of a cluster there is no image to show yet."""
    known = {e.label for e in (cluster.good, cluster.bad) if e is not None}
    names = _(" or ").join(f"“{p}”" for p in cluster.pair if p not in known)
    return _("No settled image that may be shown stands for {names} yet.").format(names=names)


def _example(cluster: Cluster, exemplar: Exemplar | None) -> GuidelineExample | None:
    """Propose one side of the pair as an example."""
    if exemplar is None:
        return None
    good = exemplar.label == cluster.favoured
    with st.container(horizontal=True, vertical_alignment="center", gap="small",
                      key=f"tb-example-{exemplar.item_id}"):  # fmt: skip
        draw(
            "<img src='{src}' alt='{name}' class='tb-thumb'>",
            src=urls.path(f"{exemplar.image}&w=200"),
            name=exemplar.name,
        )
        kind = _("good example") if good else _("bad example")
        label = _("Show {name} as a {kind}: {label}").format(
            name=exemplar.name, kind=kind, label=exemplar.label
        )
        taken = st.checkbox(
            states.plain_markdown(label), value=True, key=f"clause.example.{exemplar.item_id}"
        )
    if not taken:
        return None
    note = exemplar.label if good else _("{label}, not {other}").format(
        label=exemplar.label, other=cluster.favoured
    )  # fmt: skip
    return GuidelineExample(exemplar.item_id, good, note)
