"""The threshold theatre: drag the error allowed and the confidence, see what it would mean.

What a model knows is read once and kept for the session; dragging runs this fragment alone and looks
at that, so nothing is spent, promised or read anew.
"""

from __future__ import annotations

import time

import streamlit as st

from core.errors import TiebreakError
from core.labels.state import ItemState
from core.services.certificates.theatre import (
    RiskyItem,
    Scene,
    TheatreData,
    riskiest_items,
    theatre_data,
)
from core.ui import charts, identity, learning_charts, states, urls, widgets
from core.ui.behind import item_link
from core.ui.charts import card_head, draw_chart
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption, fact

KEPT = "retrain.theatre"
KEPT_SECONDS = 300.0
MOST_CLASSES = 15


def draw_theatre(page: PageContext, model_id: int, target: float, delta: float) -> None:
    """Draw the theatre of a model.

    Args:
        page: The page it stands on.
        model_id: Whose answers would be accepted.
        target: Where the error allowed starts.
        delta: Where the risk of breaking it starts.
    """
    with st.container(border=True, key="tb-theatre"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            card_head(
                _("What would a threshold mean?"),
                _(
                    "Drag, and look. It spends nothing and promises nothing; only a certificate does."
                ),
            )
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            if st.button(_("Read anew"), key="theatre.again", icon=":material/refresh:"):
                st.session_state.pop(KEPT, None)
        try:
            with st.spinner(_("Reading what the model says of every item…")):
                data = _data(page, model_id)
        except TiebreakError as problem:
            states.error(problem, inline=True)
            return
        if not data.checked:
            states.empty(
                _("Nobody has checked anything yet"),
                _("The curve comes from items drawn for certifying or evaluating, answered blind."),
                _(
                    "Let people answer some in the review queue; about 200 make a first certificate."
                ),
            )
            return
        if not data.left:
            states.empty(
                _("Nothing is left to decide"),
                _("People have labelled every item, or it is kept back for checking."),
                _("Import images nobody has labelled yet: a model decides only those."),
            )
            return
        _stage(page, data, target, delta)


def _data(page: PageContext, model_id: int) -> TheatreData:
    kept = st.session_state.get(KEPT)
    wanted = (page.slug, model_id, page.actor.person_id)
    if kept and kept[0] == wanted and time.monotonic() - kept[1] < KEPT_SECONDS:
        found: TheatreData = kept[2]
        return found
    found = theatre_data(page.ws, page.actor, page.slug, model_id)
    st.session_state[KEPT] = (wanted, time.monotonic(), found)
    return found


@st.fragment
def _stage(page: PageContext, data: TheatreData, target: float, delta: float) -> None:
    with states.boundary(inline=True):
        allowed, err = _knobs(target, delta)
        scene = data.scene(allowed, err)
        _figures(data, scene)
        _verdict(scene)
        left, right = st.columns([3, 2], gap="large")
        with left:
            _curve(data, scene, allowed)
        with right:
            _classes(scene)
        if scene.threshold is not None and scene.automated:
            _riskiest(page, data, scene.threshold)
        _calibration(data)


def _knobs(target: float, delta: float) -> tuple[float, float]:
    left, right = st.columns(2, gap="large")
    with left:
        allowed = st.slider(
            _("Labels that may be wrong, of those accepted"), 0.5, 20.0, round(100 * target, 1), 0.5,
            format="%.1f %%", key="theatre.target",
        )  # fmt: skip
    with right:
        sure = st.slider(
            _("Confidence that this holds"), 70.0, 99.5, round(100 * (1 - delta), 1), 0.5,
            format="%.1f %%", key="theatre.sure",
            help=_("Over the random draw of the checked items, for the whole campaign."),
        )  # fmt: skip
    # The first look of a campaign may err by half of what the campaign may.
    return allowed / 100, (1 - sure / 100) / 2


def _figures(data: TheatreData, scene: Scene) -> None:
    automated, errors, hours, money = st.columns(4)
    with automated:
        fact(
            _("Nobody would label"), widgets.number(scene.share, "%"),
            _("{n} of {all} items").format(n=f"{scene.automated:,}", all=f"{data.curve.cuts.total:,}"),
        )  # fmt: skip
    with errors:
        expected = scene.expected_errors
        fact(
            _("Of these, wrong"),
            None if expected is None else _("about {n}").format(n=f"{expected:,.0f}"),
            _wrong(scene),
        )
    with hours:
        measured = _("measured here") if data.seconds_measured else _("assumed")
        each = _("{s} s an item, {how}").format(
            s=f"{data.costs.seconds_per_item:.1f}", how=measured
        )
        fact(_("People's hours saved"), f"{scene.hours:,.1f} h", each)
    with money:
        wage = data.costs.wage_per_hour
        fact(
            _("Money saved"),
            f"{scene.money:,.0f} {scene.currency}".strip() if wage else "–",
            _("{wage} an hour").format(wage=f"{wage:g} {scene.currency}".strip())
            if wage else _("no wage is set for this project"),
        )  # fmt: skip


def _wrong(scene: Scene) -> str:
    e = scene.risk
    if e.value is None or e.low is None or e.high is None:
        return charts.sentence(e)
    return _("{low} to {high}; {share}").format(
        low=f"{scene.automated * e.low:,.0f}", high=f"{scene.automated * e.high:,.0f}",
        share=charts.sentence(e),
    )  # fmt: skip


def _verdict(scene: Scene) -> None:
    icon = "verified" if scene.certified else "block"
    head = (
        _("A first look at as much evidence would certify this.")
        if scene.certified
        else _("No certificate.")
    )
    draw(
        "<div class='tb-banner {kind}' role='status'><i class='tb-icon' aria-hidden='true'>{icon}</i>"
        "<span><b>{head}</b> {text}</span></div>",
        kind="tb-banner-good" if scene.certified else "", icon=icon, head=head, text=scene.sentence,
    )  # fmt: skip


def _curve(data: TheatreData, scene: Scene, allowed: float) -> None:
    card_head(
        _("Risk against coverage"),
        _("The line is the share found wrong, the band its 95 % interval, dashes the target."),
    )
    place = None
    if scene.threshold is not None:
        cuts = data.curve.cuts
        at = int((cuts.threshold >= scene.threshold).sum()) - 1
        place = float(data.curve.coverage[max(0, at)])
    draw_chart(
        learning_charts.risk_against_coverage(data.curve, allowed, place, scene.certified),
        "theatre.curve",
        learning_charts.in_words(data.curve, allowed),
    )
    caption(data.sentence)


def _classes(scene: Scene) -> None:
    card_head(_("Classes swept up"), _("What would be accepted, by the class the model says."))
    if not scene.classes:
        caption(_("Nothing would be accepted."))
        return
    rows = scene.classes[:MOST_CLASSES]
    alt = "; ".join(f"{name}: {n} / {total}" for name, n, total in rows)
    draw_chart(learning_charts.swept_classes(rows), "theatre.classes", alt)
    if len(scene.classes) > len(rows):
        caption(_("{n} more classes are not shown.").format(n=len(scene.classes) - len(rows)))


def _riskiest(page: PageContext, data: TheatreData, threshold: float) -> None:
    found = riskiest_items(page.ws, identity.current_actor(), page.slug, data, threshold)
    if not found:
        return
    card_head(
        _("The {n} riskiest that would pass").format(n=len(found)),
        _("The least sure of those accepted. If these are right, most of the others are."),
    )
    draw("<ul class='tb-gallery'>{all}</ul>", all=join(_card(page, one) for one in found))


def _card(page: PageContext, one: RiskyItem) -> Markup:
    return fill(
        "<li><a href='{href}' target='_self' title='{name}'><img src='{src}' alt='{name}' loading='lazy'>"
        "<b>{label}</b></a><span class='tb-muted tb-small'>{score}</span></li>",
        href=item_link(page, one.item_id, ItemState.OPEN), src=urls.path(one.image + "&w=400"),
        name=one.name, label=one.label, score=_("score {s}").format(s=f"{one.score:.3f}"),
    )  # fmt: skip


def _calibration(data: TheatreData) -> None:
    found = data.reliability
    with st.expander(_("Is the score honest? Calibration")):
        left, right = st.columns([1, 2], gap="large")
        with left:
            e = found.ece
            widgets.figure(_("Calibration error (ECE)"), e.value, e.n, e.low, e.high, "%")
            if found.chance is not None:
                caption(
                    _("A perfectly calibrated model would show {share} by chance alone.").format(
                        share=widgets.number(found.chance, "%")
                    )
                )
            area = data.curve.area
            fact(
                _("Mean risk over the curve (AURC)"),
                None if area is None else widgets.number(area, "%"),
                _("lower is better"),
            )
        with right:
            card_head(
                _("Reliability"),
                _("Dots on the diagonal: the score means what it says. As many items in each dot."),
            )
            alt = "; ".join(
                f"{100 * b.confidence:.0f} %: {charts.sentence(b.accuracy)}" for b in found.bins
            )
            draw_chart(learning_charts.reliability_diagram(found), "theatre.reliability", alt)
