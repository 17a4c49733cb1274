"""Retrain: whether there is enough to learn, a run under way, the models and which is in force."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.errors import TiebreakError
from core.jobs.rows import Job, JobStatus
from core.services.models import training
from core.services.models.jobs import cancel_job, get_job, list_jobs
from core.services.models.promotion import ModelView, list_models, promote
from core.services.models.training import Readiness
from core.ui import states, urls
from core.ui import training as shown
from core.ui.charts import card_head
from core.ui.choices import choose
from core.ui.identity import current_actor
from core.ui.shell import PageContext, open_page
from core.ui.text import _, mark
from core.ui.theme import draw
from core.ui.widgets import attempt, caption

POLL_SECONDS = 1.0

BACKBONES = {
    "mobilenet_v2": mark("MobileNet V2: quick, a good start"),
    "resnet18": mark("ResNet-18: a little slower, robust"),
    "efficientnet_b0": mark("EfficientNet-B0: slower, often better"),
    "resnet50": mark("ResNet-50: slow without a GPU"),
    "tiny": mark("A small network trained on these images alone"),
}


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Retrain"),
        Action.TRAIN,
        subtitle=_("Teach the model what people have settled, and see whether it got better."),
    )
    if page.project is not None and page.project.task.draws:
        _boxes(page)
        return
    with states.boundary(inline=True):
        jobs = list_jobs(page.ws, page.actor, page.slug)
        models = list_models(page.ws, page.actor, page.slug)
        active = next((j for j in jobs if j.status.active), None)
        with st.container(border=True):
            if active is None:
                _start(page, jobs)
            else:
                _watch(page, active)
        if models:
            _model(page, models, active is not None)


def _boxes(page: PageContext) -> None:
    states.show(
        "inbox",
        _("Detectors are not trained here yet"),
        _("Nor are segmenters: what people draw can be reviewed, voted on and adjudicated."),
        _("Import the predictions of a model of your own as pre-labels."),
    )
    states.link(_("Open Datasets"), urls.page("datasets", project=page.slug))


# --- starting ---------------------------------------------------------------------------------


def _start(page: PageContext, jobs: Sequence[Job]) -> None:
    if jobs and jobs[0].status not in (JobStatus.DONE, JobStatus.QUEUED, JobStatus.RUNNING):
        shown.draw_ended(jobs[0])
    ready = training.training_readiness(page.ws, page.actor, page.slug)
    classes = len(page.project.schema.classes) if page.project else 0
    shown.draw_readiness(ready, classes)
    if ready.why_not:
        caption(ready.why_not)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        backbone = _backbone(page)
    with right:
        if st.button(
            _("Train now"), type="primary", key="retrain.start", icon=":material/model_training:",
            disabled=not ready.can_start, width="stretch",
        ):  # fmt: skip
            attempt(
                lambda: training.start_training(page.ws, page.actor, page.slug, backbone),
                _("Training has started. You can leave this page."),
            )
    caption(_advice(ready))


def _backbone(page: PageContext) -> str:
    usual = page.ws.settings.backbone
    names = {usual: usual, **{name: _(text) for name, text in BACKBONES.items()}}
    return choose(
        _("Network that looks at the images"), "network", names, usual,
        _("Its weights are frozen; only the last layer is learnt, which takes seconds."),
    )  # fmt: skip


def _advice(ready: Readiness) -> str:
    if ready.can_start and not ready.new_since_model:
        return _("No label is new since the last model: another run would learn the same.")
    return _("The labels in force are frozen first, so that the run can be repeated exactly.")


# --- a run under way --------------------------------------------------------------------------


def _watch(page: PageContext, job: Job) -> None:
    ws, job_id = page.ws, job.id

    @st.fragment(run_every=POLL_SECONDS)
    def poll() -> None:
        # A fragment runs without the shell: who is looking is asked anew each time.
        try:
            now = get_job(ws, current_actor(), job_id)
        except TiebreakError as problem:
            states.error(problem, inline=True)
            return
        if not now.status.active:
            st.rerun()
        shown.draw_job(now, ws.clock())

    poll()
    if job.cancel_requested:
        caption(_("It stops within seconds."))
        return
    with st.popover(_("Stop it"), icon=":material/stop_circle:"):
        caption(_("No model comes of it. Images already looked at need not be looked at again."))
        if st.button(_("Yes, stop it"), key="retrain.cancel", type="primary"):
            attempt(
                lambda: cancel_job(page.ws, page.actor, job_id),
                _("It stops within seconds."),
            )


# --- models -----------------------------------------------------------------------------------


def _model(page: PageContext, models: Sequence[ModelView], busy: bool) -> None:
    by_id = {str(m.id): m for m in models}
    with st.container(border=True):
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        with left:
            names = {k: _name(m) for k, m in by_id.items()}
            model = by_id[choose(_("Model"), "model", names, str(models[0].id))]
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _actions(page, models, model, busy)
        if model.stale:
            _stale(model)
        shown.draw_notice(model)
        titles = {q.key: q.title for q in page.project.schema.questions} if page.project else {}
        shown.draw_model(model, titles)
    with st.container(border=True):
        card_head(_("All models"), _("Nothing is overwritten; an earlier model can be put back."))
        shown.draw_ledger(models)


def _name(model: ModelView) -> str:
    name = _("Model {n}").format(n=model.id)
    marks = [_("in force")] * model.promoted + [_("stale")] * model.stale
    return " · ".join([name, *marks])


def _stale(model: ModelView) -> None:
    draw(
        "<div class='tb-heed' role='note'><b>{head}</b> {why} <span class='tb-muted'>{advice}</span></div>",
        head=_("This model is stale."),
        why=model.stale_because,
        advice=_("It can still pre-label and be put in force, but better train a new one."),
    )


def _actions(page: PageContext, models: Sequence[ModelView], model: ModelView, busy: bool) -> None:
    may_promote = can(
        page.actor, Action.PROMOTE, Resource(page.project.id if page.project else None)
    )
    if not model.promoted and may_promote:
        with st.popover(_("Put in force"), icon=":material/verified:"):
            shown.draw_rival(next((m for m in models if m.promoted), None))
            if model.stale:
                caption(model.stale_because)
            _promote(page, model)
    if st.button(
        _("Pre-label the rest"), key="retrain.prelabel", icon=":material/label:", disabled=busy,
        help=_("Let this model predict every image it was not trained on. Votes stay as they are."),
    ):  # fmt: skip
        attempt(
            lambda: training.start_prelabel(page.ws, page.actor, page.slug, model.id),
            _(
                "Pre-labelling has started with a stale model: its pre-labels know the classes of then."
            )
            if model.stale
            else _("Pre-labelling has started. You can leave this page."),
        )


def _promote(page: PageContext, model: ModelView) -> None:
    with st.form(f"retrain.promote.{model.id}", border=False):
        reason = st.text_input(
            _("Why (required)"),
            key=f"retrain.promote.{model.id}.reason",
            placeholder=_("Kept in the record"),
        )
        if st.form_submit_button(_("Put in force"), type="primary"):
            attempt(
                lambda: promote(page.ws, page.actor, page.slug, model.id, reason),
                _("Model {n} is in force.").format(n=model.id),
            )


main()
