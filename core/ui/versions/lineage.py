"""Lineage: a label back to its votes, a model back to its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.labels.state import LABELLED, ItemState
from core.services.models.promotion import list_models
from core.services.versions.lineage import Evidence, PastLabel, label_lineage, model_lineage
from core.ui import states, widgets
from core.ui.choices import choose, put
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.widgets import figure, muted, section, table

KINDS = {
    "vote": mark("Vote"),
    "decision": mark("Decision"),
    "imported": mark("Imported"),
    "prediction": mark("Prediction"),
}
BOX = "versions.item"


def draw_lineage(page: PageContext) -> None:
    """Draw where the item or the model in the address comes from."""
    section(_("Where does a label come from?"))
    st.session_state.setdefault(BOX, st.query_params.get("item", ""))
    st.text_input(_("Number or name of an item"), key=BOX, width=240, on_change=_asked)
    widgets.caption(
        _("The number stands in the address of an item; under What changed each row leads here.")
    )
    item = st.query_params.get("item", "")
    if item:
        with states.boundary(inline=True):
            _label(page, item)
    if can(page.actor, Action.TRAIN, Resource(page.project.id if page.project else None)):
        section(_("What did a model learn from?"))
        _model(page)


def _asked() -> None:
    put(item=str(st.session_state[BOX]).strip() or None)


def _label(page: PageContext, item: str) -> None:
    found = label_lineage(page.ws, page.actor, page.slug, item)
    if found.withheld:
        widgets.caption(
            _(
                "You could still vote on it, or decide it, so nothing is told that your word could "
                "follow. A manager may read it here."
            )
        )
        return
    if not found.labels:
        widgets.caption(_("It has no label yet."))
    elif ItemState(found.state) not in LABELLED:
        widgets.caption(
            _("{state} today: no label is in force. These are those it had.").format(
                state=widgets.state_name(found.state)
            )
        )
    kept: dict[int, list[str]] = {}
    for version in found.versions:
        kept.setdefault(version.final_seq, []).append(version.name)
    for label in reversed(found.labels):
        _past(label, kept.get(label.final_seq, []))
    if found.versions:
        rows: list[list[Markup | str]] = [
            [
                fill("<b>{n}</b>", n=v.name),
                v.label or muted("–"),
                v.use,
                _("yes") if v.in_force else _("no, another label is in force"),
                ", ".join(f"{m.id} ({m.backbone})" for m in v.models) or muted("–"),
            ]
            for v in found.versions
        ]
        head = (_("Version"), _("Label"), _("Use"), _("In force"), _("Models trained on it"))
        table(head, rows, _("Versions that keep it"))


def _past(label: PastLabel, versions: Sequence[str]) -> None:
    text = _("{state}, policy {policy}, classes of version {schema}, {when}").format(
        state=widgets.state_name(label.state), policy=label.policy_version,
        schema=label.schema_version, when=widgets.when(label.at),
    )  # fmt: skip
    if label.model:
        text += ", " + label.model
    if versions:
        text += ". " + _("Frozen in {versions}").format(versions=", ".join(versions))
    section(label.label or _("No class"), text)
    rows = [_evidence(e) for e in label.evidence]
    head = (_("What"), _("By"), _("Said"), _("Guideline"), _("Pre-label"), _("When"))
    if rows:
        table(head, rows, _("Evidence"))


def _evidence(found: Evidence) -> list[Markup | str]:
    shown = {None: "–", True: _("shown"), False: _("not shown")}
    return [
        _(KINDS[found.kind]),
        found.by or muted("–"),
        fill("{s} {r}", s=found.said, r=muted(found.reason)),
        str(found.guideline_version or "–"),
        shown[found.prelabel_shown],
        widgets.when(found.at) if found.at else muted("–"),
    ]


def _model(page: PageContext) -> None:
    models = list_models(page.ws, page.actor, page.slug)
    if not models:
        widgets.caption(_("No model was trained yet."))
        return
    names = {str(m.id): f"{m.id} · {m.backbone}" for m in models}
    chosen = choose(_("Model"), "model", names, str(models[0].id))
    found = model_lineage(page.ws, page.actor, page.slug, int(chosen))
    widgets.caption(
        _("Version {version}, SHA-256 {hash}").format(version=found.version, hash=found.hash[:16])
    )
    if not found.sound:
        widgets.caption(_("That version was changed on disk: what it held cannot be told."))
        return
    facts = (
        (_("Learnt from"), found.uses.get("train", 0)),
        (_("Of these no longer in force"), found.outdated),
        (_("Items it predicted"), found.predicted),
        (_("Labels on its word alone"), found.accepted),
    )
    with st.container(border=True):
        for column, (title, n) in zip(st.columns(len(facts)), facts, strict=True):
            with column:
                figure(title, n)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        _share(found.classes, _("Class"))
    with middle:
        _share(found.states, _("How"))
    with right:
        _share(found.people, _("Whose word"))


def _share(counts: Mapping[str, int], title: str) -> None:
    if counts:
        rows = [(name or _("regions"), f"{n:,}") for name, n in counts.items()]
        table((title, _("Labels")), rows, title)
