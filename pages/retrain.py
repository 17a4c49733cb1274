"""Retrain: start a run and watch it, the models and which is in force, two of them side by side, and
what one may decide alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.errors import TiebreakError
from core.jobs.rows import Job
from core.services.models import training
from core.services.models.datasets import VersionView, list_versions
from core.services.models.jobs import cancel_job, get_job, list_jobs
from core.services.models.promotion import ModelView, list_models
from core.ui import retrain_models, states
from core.ui import training as shown
from core.ui.certificate_panel import draw_certificates
from core.ui.charts import card_head
from core.ui.choices import choose, choose_view
from core.ui.identity import current_actor
from core.ui.next_labels import draw_next
from core.ui.retrain_compare import draw_comparison
from core.ui.shell import PageContext, open_page
from core.ui.simulation import draw_simulation
from core.ui.text import _, mark
from core.ui.theme import draw
from core.ui.train_form import draw_start
from core.ui.widgets import attempt, caption

POLL_SECONDS = 1.0

VIEWS = {
    "models": mark("Train and models"),
    "compare": mark("Compare"),
    "certificate": mark("Decide alone"),
    "next": mark("What to label next"),
    "simulate": mark("Simulate"),
}
SWITCH = "retrain.view"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Retrain"),
        Action.TRAIN,
        subtitle=_("Teach the model what people have settled, and see whether it got better."),
    )
    with states.boundary(inline=True):
        view = choose_view(VIEWS, SWITCH)
        models = list_models(page.ws, page.actor, page.slug)
        if view == "compare":
            draw_comparison(page, models, _versions(page))
        elif view == "certificate":
            draw_certificates(page, models)
        elif view == "next":
            draw_next(page, models)
        elif view == "simulate":
            draw_simulation(page)
        else:
            _train(page, models)


def _versions(page: PageContext) -> list[VersionView]:
    here = Resource(page.project.id if page.project else None)
    if not can(page.actor, Action.EXCHANGE, here):
        return []
    return list_versions(page.ws, page.actor, page.slug)


def _train(page: PageContext, models: Sequence[ModelView]) -> None:
    jobs = list_jobs(page.ws, page.actor, page.slug)
    active = next((j for j in jobs if j.status.active), None)
    retrain_models.draw_proposal(page)
    with st.container(border=True):
        if active is None:
            draw_start(page, jobs, _versions(page))
        else:
            _watch(page, active)
    if models:
        _model(page, models, active is not None)
    if jobs:
        retrain_models.draw_runs(jobs)


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
        if now.status != job.status:
            st.rerun()  # the ledger below tells it too
        shown.draw_job(now, ws.clock())
        shown.draw_run_figures(ws, current_actor(), now)

    poll()
    if job.cancel_requested:
        caption(_("It stops within seconds."))
        return
    with st.popover(_("Stop it"), icon=":material/stop_circle:"):
        caption(
            _(
                "No model comes of it. What was looked at is kept, and fine-tuning can go on from its last checkpoint."
            )
        )
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
        retrain_models.draw_card(page, model)
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
    retrain_models.draw_promotion(page, models, model)
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


main()
