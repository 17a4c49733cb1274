"""Certificates on the retrain page: the promise, the looks at it, what was accepted, the audit, the saving."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.services.analytics.bias import slice_values
from core.services.certificates import accept as accepting
from core.services.certificates import campaign, recall
from core.services.certificates.campaign import CampaignView, CertificateView
from core.services.models.promotion import ModelView
from core.ui import states, widgets
from core.ui.audit_panel import draw_audit, draw_saving, scope_name
from core.ui.charts import card_head
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theatre import draw_theatre
from core.ui.theme import Markup, draw
from core.ui.tokens import GOOD, WARN
from core.ui.trade import draw_trade
from core.ui.widgets import attempt, caption, fact, table, when


def draw_certificates(page: PageContext, models: Sequence[ModelView]) -> None:
    """Draw everything about what a model may decide alone."""
    if not models:
        states.empty(
            _("No model yet"),
            _("What a model may decide alone can be asked once there is one."),
            _("Train one first."),
        )
        return
    promised = campaign.get_campaign(page.ws, page.actor, page.slug)
    looks = campaign.list_certificates(page.ws, page.actor, page.slug)
    model = _chosen(models)
    with st.container(border=True):
        _promise(promised)
        _acts(page, promised, model)
        if promised is not None:
            _looks(page, promised, looks)
    target, delta = (promised.target, promised.delta) if promised else (0.05, 0.1)
    draw_theatre(page, model.id, target, delta)
    if page.project is not None and page.project.task.draws:
        draw_trade(page, model.id, promised.iou if promised else 0.5)
    draw_audit(page)
    draw_saving(page)


def _chosen(models: Sequence[ModelView]) -> ModelView:
    by_id = {str(m.id): m for m in models}
    marks = {
        k: _("Model {n}").format(n=m.id) + (f" · {_('in force')}" if m.promoted else "")
        for k, m in by_id.items()
    }
    default = next((m for m in models if m.promoted), models[0])
    left, _right = st.columns([1, 2])
    with left:
        return by_id[choose(_("Model"), "model", marks, str(default.id))]


# --- the promise ------------------------------------------------------------------------------


def _promise(promised: CampaignView | None) -> None:
    if promised is None:
        card_head(
            _("Nothing is accepted automatically"),
            _("Say how many of the accepted labels may be wrong, and how sure that must be."),
        )
    else:
        card_head(
            _("At most {target} of the accepted labels are wrong, with {sure} confidence").format(
                target=widgets.number(promised.target, "%"),
                sure=widgets.number(1 - promised.delta, "%", 0),
            ),
            _("Scope: {scope}. Since {when}: {reason}").format(
                scope=scope_name(promised.scope), when=when(promised.at), reason=promised.reason
            ),
        )
        if promised.notice:
            caption(promised.notice)
        _spent(promised)


def _acts(page: PageContext, promised: CampaignView | None, model: ModelView) -> None:
    """Draw what a lead may do about the promise: take a look, make one or another."""
    if not can(page.actor, Action.STEER, _here(page)):
        return
    with st.container(horizontal=True):
        if promised is not None:
            _look(page, promised, model)
        label = _("Promise something else") if promised else _("Make a promise")
        with st.popover(label, icon=":material/handshake:"):
            _promise_form(page, promised)


def _spent(promised: CampaignView) -> None:
    one, two, three = st.columns(3)
    with one:
        fact(_("Looks taken"), f"{promised.looks}", _("each spends a part of the risk"))
    with two:
        share = f"{100 * promised.delta_spent:.2f} / {100 * promised.delta:.0f} %"
        following = _("the next look may err by {share}").format(
            share=widgets.number(promised.next_delta, "%", 2)
        )
        fact(_("Risk spent"), share, following)
    with three:
        fact(
            _("Drawn for certifying"),
            f"{promised.certify_items:,}",
            _("before labelling, by chance"),
        )


def _promise_form(page: PageContext, promised: CampaignView | None) -> None:
    with st.form("certificate.promise", border=False):
        now = (promised.target, promised.delta) if promised else (0.05, 0.1)
        target = st.number_input(
            _("Labels that may be wrong, of those accepted (%)"), 0.1, 50.0, 100 * now[0], 0.5
        )
        sure = st.number_input(
            _("Confidence, over the whole campaign (%)"), 50.0, 99.9, 100 * (1 - now[1]), 1.0
        )
        columns = slice_values(page.ws, page.actor, page.slug)
        codes = ("all", "classes", *(f"slices:{name}" for name in columns))
        names = {code: scope_name(code) for code in codes}
        scope = st.selectbox(
            _("For"), list(names), format_func=lambda c: names[c],
            help=_("Each class or slice by itself needs more checked items: each has to show it alone."),
        )  # fmt: skip
        reason = st.text_input(_("Why (required)"), placeholder=_("Kept in the record"))
        if st.form_submit_button(_("Promise"), type="primary"):
            attempt(
                lambda: campaign.open_campaign(
                    page.ws, page.actor, page.slug, target / 100, 1 - sure / 100, scope,
                    reason=reason,
                ),
                _("The promise stands; its items were drawn."),
            )  # fmt: skip


# --- looks ------------------------------------------------------------------------------------


def _look(page: PageContext, promised: CampaignView, model: ModelView) -> None:
    if st.button(
        _("Look now: may model {n} decide alone?").format(n=model.id), key="certificate.look",
        type="primary", icon=":material/fact_check:",
        help=_("Spends {share} of the risk, unless nothing has changed since the last look.").format(
            share=widgets.number(promised.next_delta, "%", 2)
        ),
    ):  # fmt: skip
        with st.spinner(_("Looking…")):
            attempt(
                lambda: campaign.certify_now(page.ws, page.actor, page.slug, model.id),
                _("The look is taken; read below what it found."),
            )


def _looks(page: PageContext, promised: CampaignView, looks: Sequence[CertificateView]) -> None:
    mine = [c for c in looks if c.campaign_id == promised.id]
    if not mine:
        caption(_("No look was taken yet. Until then people label everything."))
        return
    newest = [c for c in mine if c.look == mine[0].look]
    for found in newest[:8]:
        _found(page, found)
    if len(looks) > len(newest[:8]):
        with st.expander(_("All looks")):
            table(
                (_("Look"), _("Model"), _("Scope"), _("Found"), _("Checked"), _("Accepted"), _("When")),
                [_look_row(c) for c in looks], _("All looks"),
            )  # fmt: skip


def _found(page: PageContext, found: CertificateView) -> None:
    good = found.certified
    gone = found.accepted_at is not None and not found.standing
    head = _("Certified") if good else _("Refused")
    if gone:
        head = _("Certified once; nothing stands on its word any more")
    if found.scope != "all":
        head = f"{head} · {scope_name(found.scope)}"
    draw(
        "<div class='tb-banner {kind}' role='status' style='margin-top:.6rem'>"
        "<i class='tb-icon' aria-hidden='true'>{icon}</i><span><b>{head}.</b> {text}</span></div>",
        kind="tb-banner-good" if good and not gone else "",
        icon="undo" if gone else "verified" if good else "block", head=head, text=found.sentence,
    )  # fmt: skip
    if not good or gone:
        return
    if found.accepted_at is not None:
        _standing(page, found)
    elif can(page.actor, Action.PROMOTE, _here(page)):
        _accept(page, found)


def _accept(page: PageContext, found: CertificateView) -> None:
    with (
        st.popover(_("Accept these labels"), icon=":material/done_all:"),
        st.form(f"certificate.accept.{found.id}", border=False),
    ):
        caption(_("A share of them goes to people unseen, who check them. It can be taken back."))
        reason = st.text_input(_("Why (required)"), placeholder=_("Kept in the record"))
        if st.form_submit_button(_("Accept"), type="primary"):
            attempt(
                lambda: accepting.accept(page.ws, page.actor, page.slug, found.id, reason),
                _("The labels count now."),
            )


def _standing(page: PageContext, found: CertificateView) -> None:
    caption(
        _("Accepted {when}; {n} labels stand on its word.").format(
            when=when(found.accepted_at or found.at), n=f"{found.standing:,}"
        )
    )
    if not can(page.actor, Action.PROMOTE, _here(page)):
        return
    with (
        st.popover(_("Take them back"), icon=":material/undo:"),
        st.form(f"certificate.revoke.{found.id}", border=False),
    ):
        caption(_("All of them go back to people, and you see every dataset version they reached."))
        reason = st.text_input(_("Why (required)"), placeholder=_("Kept in the record"))
        if st.form_submit_button(_("Take back"), type="primary"):
            attempt(
                lambda: recall.revoke(
                    page.ws, page.actor, page.slug, found.id, found.scope, reason
                ),
                _("The labels were taken back."),
            )


def _look_row(found: CertificateView) -> list[Markup | str]:
    good = found.certified
    chip = widgets.chip(_("certified") if good else _("refused"), GOOD if good else WARN)
    return [
        f"{found.look}", _("Model {n}").format(n=found.model_id), scope_name(found.scope), chip,
        _("{wrong} wrong of {n}").format(wrong=found.errors, n=f"{found.sampled:,}"),
        f"{found.accepted:,}", when(found.at),
    ]  # fmt: skip


def _here(page: PageContext) -> Resource:
    return Resource(page.project.id if page.project else None)
