"""What automatic labels would have come to on this project, told by labels that are already known."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

import streamlit as st

from core.errors import TiebreakError
from core.services.certificates.simulate import settings_for, simulate_project
from core.services.certificates.simulation import OURS, Simulation, Way
from core.stats.intervals import Estimate
from core.ui import charts, states, widgets
from core.ui.background import Work, start
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _, many, mark
from core.ui.theme import Markup, fill
from core.ui.tokens import BAD, GOOD
from core.ui.widgets import caption, fact, table

Asked = tuple[float, float, int, str]
USUAL: Asked = (5.0, 90.0, 10, "probe")
MODES = {
    "probe": mark("The probe decides all"),
    "hard-first": mark("People take the hardest first"),
    "fine-tune": mark("The network is fine-tuned"),
}

WAYS = {
    "manual": mark("People label everything"),
    "automatic": mark("The model labels everything"),
    "point threshold": mark("A threshold on the validation estimate"),
    "certificate": mark("Tiebreak's certificate"),
}
PHASES = {
    "weights": mark("Getting the network's weights"),
    "self-training": mark("Training a small network on these images"),
    "embed": mark("Looking at every image"),
    "campaigns": mark("Running campaigns"),
}


class Step(Protocol):
    """How far a simulation is."""

    @property
    def phase(self) -> str:
        """Return what it is doing."""

    @property
    def done(self) -> int:
        """Return how much is done."""

    @property
    def total(self) -> int:
        """Return how much there is."""

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate, where there is one."""


@dataclass(slots=True)
class Running:
    """A simulation of one person, who may have closed the page meanwhile.

    Attributes:
        asked: Target and confidence in percent, the number of campaigns, and the way.
    """

    work: Work[Simulation]
    stop: threading.Event = field(default_factory=threading.Event)
    asked: Asked = USUAL


_newest: dict[tuple[str, str, str], Running] = {}
"""By workspace, project and person: the session ends with the page, minutes of work do not."""


def running_of(page: PageContext) -> Running | None:
    """Return the reader's newest simulation of the project, under way or over."""
    return _newest.get(_key(page))


def keep(page: PageContext, running: Running) -> None:
    """Let the reader find a simulation again, whatever becomes of the page."""
    _newest[_key(page)] = running


def _key(page: PageContext) -> tuple[str, str, str]:
    return str(page.ws.root), page.slug, page.actor.name


class _Stopped(TiebreakError):
    """Raised in the thread when its reader has seen enough."""


def draw_simulation(page: PageContext) -> None:
    """Draw the simulation: what it needs, how far it is, what came of it."""
    if page.project is None or page.project.schema.draws or page.project.schema.main.several:
        states.empty(
            _("Not for this project"),
            _("Campaigns are simulated where people give each image one class."),
        )
        return
    running = running_of(page)
    with st.container(border=True):
        card_head(
            _("What would a team have saved?"),
            _(
                "Whole campaigns are run against labels that are known already. Nothing is written into the record."
            ),
        )
        if running is not None and not running.work.over.is_set():
            _watch(running)
            return
        _form(page, running.asked if running is not None else USUAL)
        if running is not None and isinstance(running.work.error, TiebreakError):
            if not isinstance(running.work.error, _Stopped):
                states.error(running.work.error, inline=True)
            return
    if running is None or running.work.result is None:
        states.empty(
            _("Nothing simulated yet"),
            _("Needs 50 images or more whose label is known: imported, or settled by people."),
        )
        return
    with st.container(border=True):
        _result(running.work.result)


def _form(page: PageContext, last: Asked) -> None:
    with st.form("simulate", border=False):
        one, two, three, four = st.columns(4)
        with one:
            target = st.number_input(_("Labels that may be wrong (%)"), 0.1, 50.0, last[0], 0.5)
        with two:
            sure = st.number_input(_("Confidence (%)"), 50.0, 99.9, last[1], 1.0)
        with three:
            seeds = st.number_input(
                _("Campaigns"), 1, 100, last[2], 1, help=_("Each draws its own items by chance.")
            )
        with four:
            mode = st.selectbox(
                _("How"), tuple(MODES), tuple(MODES).index(last[3]), lambda m: _(MODES[m]),
                help=_(
                    "On a hard set people first take what the model is least sure of. Fine-tuning takes minutes a campaign."
                ),
            )  # fmt: skip
        if st.form_submit_button(_("Simulate"), type="primary", icon=":material/science:"):
            _start(page, (target, sure, int(seeds), mode or USUAL[3]))


def _start(page: PageContext, asked: Asked) -> None:
    target, sure, seeds, mode = asked
    try:
        settings = settings_for(target / 100, sure / 100)
    except TiebreakError as problem:
        states.say_error(problem)
        return
    ws, actor, slug = page.ws, page.actor, page.slug
    stop = threading.Event()

    def do(work: Work[Simulation]) -> Simulation:
        def hear(step: Step) -> None:
            if stop.is_set():
                raise _Stopped(_stopped)
            work.report(step.phase, step.done, step.total, step.seconds_left)

        return simulate_project(ws, actor, slug, None, settings, range(seeds), hear, None, mode)

    _stopped = _("The simulation was stopped.")
    keep(page, Running(start(do), stop, asked))
    st.rerun()


def _watch(running: Running) -> None:
    @st.fragment(run_every=1)
    def poll() -> None:
        work = running.work
        if work.over.is_set():
            st.rerun()
        phase = PHASES.get(work.phase)
        text = _(phase) if phase else _("Under way")
        widgets.progress(work.done, work.total, work.seconds_left, text)
        if st.button(_("Stop"), key="simulate.stop", icon=":material/stop:"):
            running.stop.set()

    poll()


def _result(found: Simulation) -> None:
    card_head(
        _("Over {n} campaigns on {items} images").format(n=found.seeds, items=f"{found.n:,}"),
        _("Target {target} with {sure} confidence; took {time}.").format(
            target=widgets.number(found.target_error, "%"),
            sure=widgets.number(found.confidence, "%", 0), time=widgets.duration(found.seconds),
        ),
    )  # fmt: skip
    for column, shown in zip(st.columns(4), _facts(found), strict=True):
        with column:
            fact(*shown)
    rows = [_way(w, found.confidence) for w in found.table]
    head = (
        _("Way"),
        _("People label"),
        _("Accepted, wrong"),
        _("Runs over target"),
        _("All right"),
    )
    table(head, rows, _("Ways to get everything labelled"))
    _notes(found)


def _facts(found: Simulation) -> list[tuple[str, str, str]]:
    """Return name, figure and what stands below it, of the four figures above the table."""
    share = widgets.number
    return [
        (
            _("People label"), share(found.human_share, "%"),
            _("{low} – {high} over {n} campaigns").format(
                low=share(found.low, "%").removesuffix(" %"), high=share(found.high, "%"), n=found.seeds
            ),
        ),
        (
            _("Of the accepted, wrong"), share(found.auto_error, "%"),
            _("at most {share} in a run").format(share=share(found.auto_error_max, "%")),
        ),
        (
            _("Runs that broke the target"), share(found.runs_over_target, "%", 0),
            charts.interval(_over(found)) + f"n = {found.seeds}",
        ),
        (
            _("All labels right"), share(found.final_accuracy, "%"),
            _("of {n} images, people's and the model's").format(n=f"{found.n:,}"),
        ),
    ]  # fmt: skip


def _notes(found: Simulation) -> None:
    if found.refused_runs:
        caption(
            many(
                "In {n} campaign nothing was accepted: people label everything there.",
                "In {n} campaigns nothing was accepted: people label everything there.",
                found.refused_runs,
            )
        )
    if found.notice:
        caption(found.notice)
    left_out = found.unlabelled + found.skipped
    if left_out:
        caption(
            many(
                "{n} image without a known label or unreadable was left out.",
                "{n} images without a known label or unreadable were left out.",
                left_out,
            )
        )


def _over(found: Simulation) -> Estimate:
    return Estimate(found.runs_over_target, found.runs_low, found.runs_high, found.seeds)


def _way(way: Way, sure: float) -> list[Markup | str]:
    name = WAYS.get(way.way)
    shown = _(name) if name else way.way
    kept = way.runs_over_target <= 1 - sure
    over = fill(
        "<span style='color:{c}'><i class='tb-icon' aria-hidden='true'>{icon}</i></span> {t}",
        c=GOOD if kept else BAD, icon="check" if kept else "close",
        t=widgets.number(way.runs_over_target, "%", 0),
    )  # fmt: skip
    label: Markup | str = fill("<b>{t}</b>", t=shown) if way.way == OURS else shown
    return [
        label, widgets.number(way.human_share, "%"), widgets.number(way.auto_error, "%"), over,
        widgets.number(way.final_accuracy, "%"),
    ]  # fmt: skip
