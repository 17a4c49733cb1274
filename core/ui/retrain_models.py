"""Models on the retrain page: putting one in force, alone or by two people, its card, the ledger of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.errors import TiebreakError
from core.jobs.rows import Job, JobStatus
from core.labels.state import ItemState
from core.services.models.card import ModelCard, model_card
from core.services.models.promotion import (
    Done,
    ModelView,
    promote,
    promotion_standing,
    roll_back,
)
from core.services.models.skew import ServingCheck, check_serving
from core.ui import states, urls, widgets
from core.ui import training as shown
from core.ui.behind import item_link
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import BAD, GOOD, MUTED, WARN
from core.ui.widgets import caption, table, when

EVENTS = {
    "promoted": mark("put in force"),
    "rolled back": mark("rolled back to"),
    "proposed": mark("proposed"),
}

STATUSES = {
    JobStatus.QUEUED: (mark("waiting"), MUTED),
    JobStatus.RUNNING: (mark("running"), WARN),
    JobStatus.DONE: (mark("done"), GOOD),
    JobStatus.FAILED: (mark("failed"), BAD),
    JobStatus.CANCELLED: (mark("cancelled"), MUTED),
    JobStatus.LOST: (mark("lost"), BAD),
}

MOST_RUNS = 100
MOST_ITEMS = 20


def draw_promotion(page: PageContext, models: Sequence[ModelView], model: ModelView) -> None:
    """Draw what may be done to put a model in force, or back, and what waits for somebody."""
    if not can(page.actor, Action.PROMOTE, _here(page)):
        return
    standing = promotion_standing(page.ws, page.actor, page.slug)
    if model.promoted:
        if len({e.model_id for e in standing.history if e.what != "proposed"}) > 1:
            _roll_back(page)
        return
    mine = standing.proposal is not None and standing.proposal.model_id == model.id
    label = _("Roll back to it") if model.was_promoted else _("Put in force")
    if standing.two_people and not mine:
        label = _("Propose it")
    with st.popover(label, icon=":material/verified:"):
        shown.draw_rival(next((m for m in models if m.promoted), None))
        _check(page, model, standing.checks.get(model.id))
        if model.stale:
            caption(model.stale_because)
        if standing.two_people:
            caption(_("This project asks for two people: one proposes, another puts it in force."))
        if mine and standing.proposal is not None and standing.proposal.mine:
            caption(_("You proposed it. Somebody else who may promote has to put it in force."))
            return
        _promote(page, model, label)


def draw_proposal(page: PageContext) -> None:
    """Say which model waits for a second person, above everything else."""
    if not can(page.actor, Action.PROMOTE, _here(page)):
        return
    waiting = promotion_standing(page.ws, page.actor, page.slug).proposal
    if waiting is None:
        return
    text = _("{who} proposed model {n} on {when}: {reason}").format(
        who=waiting.by, n=waiting.model_id, when=when(waiting.at), reason=waiting.reason
    )
    more = (
        _("Somebody else has to put it in force.")
        if waiting.mine
        else _("Look at it below, then put it in force or leave it.")
    )
    draw(
        "<div class='tb-banner' role='status'><i class='tb-icon' aria-hidden='true'>how_to_reg</i>"
        "<span><b>{text}</b> {more}</span></div>",
        text=text, more=more,
    )  # fmt: skip


def _roll_back(page: PageContext) -> None:
    with (
        st.popover(_("Roll back"), icon=":material/history:"),
        st.form("retrain.rollback", border=False),
    ):
        caption(_("The model that was in force before comes back."))
        reason = st.text_input(_("Why (required)"), placeholder=_("Kept in the record"))
        if st.form_submit_button(_("Roll back"), type="primary"):
            _decide(lambda: roll_back(page.ws, page.actor, page.slug, reason))


def _promote(page: PageContext, model: ModelView, label: str) -> None:
    with st.form(f"retrain.promote.{model.id}", border=False):
        reason = st.text_input(
            _("Why (required)"),
            key=f"retrain.promote.{model.id}.reason",
            placeholder=_("Kept in the record"),
        )
        if st.form_submit_button(label, type="primary"):
            _decide(lambda: promote(page.ws, page.actor, page.slug, model.id, reason))


def _decide(work: Callable[[], Done]) -> None:
    said = {
        "promoted": _("The model is in force."),
        "rolled back": _("The former model is in force again."),
        "proposed": _("It is proposed. Another person has to put it in force."),
    }
    try:
        with st.spinner(_("Holding serving against training…")):
            done = work()
    except TiebreakError as problem:
        states.say_error(problem)
        return
    widgets.flash(said[done])
    st.rerun()


def _check(page: PageContext, model: ModelView, found: ServingCheck | None) -> None:
    if found is None:
        caption(
            _("Sample images go through training's path and serving's first; this takes seconds.")
        )
        return
    _check_banner(found)
    if not found.passed and st.button(_("Check again"), key=f"retrain.check.{model.id}"):
        check_serving(page.ws, page.actor, page.slug, model.id)
        st.rerun()


def _check_banner(found: ServingCheck) -> None:
    draw(
        "<div class='tb-banner {kind}' role='status'><i class='tb-icon' aria-hidden='true'>{icon}</i>"
        "<span><b>{head}</b> {text}</span></div>",
        kind="tb-banner-good" if found.passed else "",
        icon="verified" if found.passed else "block",
        head=_("Training and serving agree.") if found.passed else _("Training and serving differ."),
        text=found.sentence,
    )  # fmt: skip


# --- the card ---------------------------------------------------------------------------------


def draw_card(page: PageContext, model: ModelView) -> None:
    """Draw the model card, to be opened and to be taken along."""
    # Not an expander: what it holds is worked out only for who asks.
    if not st.toggle(_("Model card"), key=f"retrain.card.{model.id}"):
        return
    with states.boundary(inline=True):
        card = model_card(page.ws, page.actor, page.slug, model.id)
        left, right = st.columns(2, gap="large")
        with left:
            _facts(page, card)
            _balance(card)
        with right:
            _limits(card)
        _causes(page, card)
        _history(card)
        st.download_button(
            _("Take the card along"), card.to_markdown(), f"model-{model.id}.md", "text/markdown",
            icon=":material/download:", key=f"retrain.card.{model.id}.file",
        )  # fmt: skip


def _facts(page: PageContext, card: ModelCard) -> None:
    card_head(_("What it is"))
    mode = shown.MODES.get(card.mode)
    recipe = card.config.get("recipe")
    rows: dict[str, Markup | str] = {
        _("Kind"): _(mode) if mode else card.mode,
        _("Task"): card.task,
        _("Network"): shown.network_name(card.backbone),
        _("Labels"): _learnt_from(page, card),
        _("Seed"): str(card.config.get("seed", "–")),
        _("Temperature"): _number(card.report.get("temperature")),
        _("Images a second"): _number(card.report.get("images_per_second")),
    }
    if isinstance(recipe, Mapping):
        rows[_("Recipe")] = ", ".join(
            f"{k} {v}" for k, v in recipe.items() if v not in (0, 0.0, "none")
        )
    lines = join(
        fill(
            "<div style='display:flex;gap:.6rem;margin:.28rem 0'><span class='tb-muted' "
            "style='width:7.5rem;flex:none'>{name}</span><span>{value}</span></div>",
            name=name, value=value,
        )
        for name, value in rows.items()
    )  # fmt: skip
    draw("<div class='tb-small' style='margin:.4rem 0'>{lines}</div>", lines=lines)


def _learnt_from(page: PageContext, card: ModelCard) -> Markup | str:
    """Return the version it learnt from, leading to its lineage for those who may see it."""
    said = f"{card.version[0]} · {card.version[1][:12]}…"
    if not can(page.actor, Action.EXCHANGE, _here(page)):
        return said
    link = urls.page("datasets", project=page.slug, versions="lineage", model=str(card.model_id))
    return fill("<a href='{h}' target='_self' style='color:inherit'>{n}</a>", h=link, n=said)


def _balance(card: ModelCard) -> None:
    found = card.report.get("class_balance")
    counts = {str(k): int(v) for k, v in found.items()} if isinstance(found, Mapping) else {}
    if counts:
        most = sorted(counts.items(), key=lambda kv: -kv[1])
        text = ", ".join(f"{name} {n:,}" for name, n in most[:12])
        caption(_("Training labels: {text}").format(text=text + (" …" if len(most) > 12 else "")))


def _limits(card: ModelCard) -> None:
    card_head(_("What to know before trusting it"))
    if card.serving is not None:
        _check_banner(card.serving)
    else:
        caption(_("Serving was not yet held against training; it is before it is put in force."))
    for promise in card.promises[:3]:
        caption(f"{_('Certificate')}: {promise.sentence}")
    if not card.promises:
        caption(_("No certificate: nothing may be accepted on its word."))
    if card.untaught:
        caption(
            _("Never predicted, for want of labels: {names}.").format(names=_some(card.untaught))
        )
    if card.few:
        caption(_("Judged on fewer than 30 labels: {names}.").format(names=_some(card.few)))
    if card.stale:
        caption(_("Stale: {why}").format(why=card.stale))


def _some(names: Sequence[str], most: int = 8) -> str:
    """Return the first names and how many more there are; a sentence may go on behind it."""
    said = ", ".join(names[:most])
    more = len(names) - most
    return said if more <= 0 else _("{names} and {n} more").format(names=said, n=more)


def _causes(page: PageContext, card: ModelCard) -> None:
    if card.no_causes:
        caption(card.no_causes)
        return
    if not card.causes:
        return
    card_head(_("Why it is not better, most likely"))
    for cause in card.causes:
        draw(
            "<div class='tb-small' style='margin:.35rem 0'><b>{name}.</b> {evidence} "
            "<span class='tb-muted'>{advice}</span></div>",
            name=cause_name(cause.cause), evidence=cause.evidence, advice=cause.advice,
        )  # fmt: skip
        if cause.item_ids:
            _look_at(page, cause.item_ids[:MOST_ITEMS])


def _look_at(page: PageContext, ids: Sequence[int]) -> None:
    links = join(
        fill(
            "<li><a href='{href}' target='_self'>{n}</a></li>",
            href=item_link(page, i, ItemState.AGREED), n=_("item {n}").format(n=i),
        )
        for i in ids
    )  # fmt: skip
    draw("<ul class='tb-inline-list tb-small'>{links}</ul>", links=links)


def cause_name(code: str) -> str:
    """Return a cause in the reader's words."""
    names = {
        "too few": _("Too few labels"),
        "imbalance": _("Uneven classes"),
        "label errors": _("Errors in the labels"),
        "domain gap": _("Other images than those learnt from"),
        "task type": _("Perhaps another kind of question"),
        "network": _("The network's features"),
    }
    return names.get(code, code)


def _history(card: ModelCard) -> None:
    for event in card.history[:6]:
        what = EVENTS.get(event.what)
        caption(
            _("{when}: {what} by {who}. {reason}").format(
                when=when(event.at), what=_(what) if what else event.what, who=event.by or "–",
                reason=event.reason,
            )
        )  # fmt: skip


def _number(value: object) -> str:
    return widgets.number(float(value)) if isinstance(value, int | float) else "–"


# --- all runs ---------------------------------------------------------------------------------


def draw_runs(jobs: Sequence[Job]) -> None:
    """Draw the ledger of every run, the ones that failed included."""
    with st.container(border=True):
        card_head(
            _("All runs"), many("{n} run, newest first.", "{n} runs, newest first.", len(jobs))
        )
        head = (_("Run"), _("What"), _("Started"), _("Took"), _("With"), _("Came to"), "")
        with st.container(height=320 if len(jobs) > 6 else "content", border=False):
            table(head, [_run(j) for j in jobs[:MOST_RUNS]], _("All runs"))


def _run(job: Job) -> list[Markup | str]:
    name, colour = STATUSES[job.status]
    kind = shown.KINDS.get(job.kind)
    took = "–"
    if job.started_at and job.finished_at:
        took = widgets.duration(job.finished_at - job.started_at)
    return [
        f"{job.id}", _(kind) if kind else job.kind, when(job.at), took, shown.told_to(job.config) or "–",
        _came_to(job), widgets.chip(_(name), colour),
    ]  # fmt: skip


def _came_to(job: Job) -> Markup | str:
    if job.error:
        return fill("<span class='tb-muted tb-small'>{t}</span>", t=job.error[:140])
    result = job.result or {}
    found = result.get("eval")
    if isinstance(found, Mapping):
        return shown.right_of(found)
    items = result.get("items")
    return _("{n} items").format(n=f"{items:,}") if isinstance(items, int) else "–"


def _here(page: PageContext) -> Resource:
    return Resource(page.project.id if page.project else None)
