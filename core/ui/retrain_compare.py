"""Two models side by side on the retrain page: in all, class by class, and the images where they differ."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import TiebreakError
from core.services.models.compare import ApartView, ComparisonView, Gap, compare
from core.services.models.datasets import VersionView
from core.services.models.promotion import ModelView
from core.stats.intervals import Estimate
from core.ui import charts, states, widgets
from core.ui.behind import Linked, item_cells
from core.ui.charts import POINTS, Dot, card_head, draw_chart
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import BAD, GOOD, MUTED
from core.ui.widgets import caption, table

SURE = 0.05


def draw_comparison(
    page: PageContext, models: Sequence[ModelView], versions: Sequence[VersionView]
) -> None:
    """Draw two models held against each other; which, and on what, is in the address."""
    if len(models) < 2:
        states.empty(
            _("Two models are needed"),
            _("A comparison holds two models against the same frozen labels."),
            _("Train another one, with more labels or another recipe."),
        )
        return
    with st.container(border=True):
        first, second, version, question = _asked(page, models, versions)
        try:
            with st.spinner(_("Comparing…")):
                found = compare(page.ws, page.actor, page.slug, first, second, version, question)
        except TiebreakError as problem:
            states.error(problem, inline=True)
            return
        _overall(found)
        if page.project is not None and page.project.schema.draws and question is None:
            caption(
                _(
                    "An image is right where every region is found, its class and place, and nothing else is; overlap (IoU) from {iou}."
                ).format(iou=f"{page.project.policy.iou_at_least:g}")
            )
    if found.overall.first.n:
        with st.container(border=True):
            _classes(found)
        with st.container(border=True):
            _images(page, found)


def _asked(
    page: PageContext, models: Sequence[ModelView], versions: Sequence[VersionView]
) -> tuple[int, int, str | None, str | None]:
    names = {str(m.id): _name(m) for m in models}
    force = next((m for m in models if m.promoted), models[-1])
    rival = next(m for m in models if m.id != force.id)
    questions = page.project.schema.item_questions if page.project else ()
    columns = st.columns(4 if len(questions) > 1 else 3)
    with columns[0]:
        first = choose(_("Model"), "first", names, str(rival.id))
    with columns[1]:
        second = choose(_("Against"), "second", names, str(force.id))
    with columns[2]:
        frozen = {v.name: f"{v.name} · {v.n_items:,}" for v in versions}
        version = choose(
            _("Labels of"), "labels", frozen, versions[0].name if versions else "",
            _("Both are judged by the evaluate labels of this frozen version; none learnt from them."),
        )  # fmt: skip
    question = None
    if len(questions) > 1:
        with columns[3]:
            titles = {q.key: q.title or q.key for q in questions}
            question = choose(_("Question"), "question", titles, questions[0].key)
    return int(first), int(second), version or None, question


def _name(model: ModelView) -> str:
    name = _("Model {n}").format(n=model.id)
    return f"{name} · {_('in force')}" if model.promoted else name


# --- in all -----------------------------------------------------------------------------------


def _overall(found: ComparisonView) -> None:
    whole = found.overall
    if not whole.first.n:
        states.empty(
            _("Not enough data"),
            _("{version} has no label that neither model has learnt from.").format(
                version=found.version
            ),
            _("Evaluate items are drawn at import; let people settle some, then freeze anew."),
        )
        return
    one, two, three = st.columns(3)
    for column, model_id, e in (
        (one, found.first_id, whole.first),
        (two, found.second_id, whole.second),
    ):
        with column:
            widgets.figure(
                _("Model {n} is right").format(n=model_id), e.value, e.n, e.low, e.high, "%"
            )
    with three:
        gap = _points(whole.difference)
        widgets.fact(
            _("Difference, paired"),
            None if gap.value is None else charts.amount(gap.value, POINTS),
            f"{charts.interval(gap, POINTS)}{_p(whole.p)}, n = {gap.n:,}",
        )
    draw("<div style='margin:.5rem 0'>{t}</div>", t=_verdict(found))
    caption(_counts(whole, found))


def _verdict(found: ComparisonView) -> Markup:
    whole = found.overall
    gap = whole.difference
    if whole.p is None or whole.p >= SURE or gap.value is None:
        text = _("No difference is shown: what there is may be chance.")
        return fill("<b>{t}</b>", t=text)
    better = found.first_id if gap.value > 0 else found.second_id
    return fill(
        "<b>{t}</b>", t=_("Model {n} is better; chance hardly explains it.").format(n=better)
    )


def _counts(whole: Gap, found: ComparisonView) -> str:
    text = _(
        "Of {n} images both are right on {both}, model {a} alone on {first}, model {b} alone on {second}, neither on {none}."
    ).format(
        n=f"{whole.first.n:,}", both=f"{whole.both:,}", a=found.first_id, b=found.second_id,
        first=f"{whole.only_first:,}", second=f"{whole.only_second:,}", none=f"{whole.neither:,}",
    )  # fmt: skip
    if found.left_out:
        text += " " + many(
            "{n} labelled image has no answer of both.",
            "{n} labelled images have no answer of both.",
            found.left_out,
        )
    return text + " " + _("Exact McNemar test; Newcombe's interval for pairs.")


# --- class by class ---------------------------------------------------------------------------


def _classes(found: ComparisonView) -> None:
    text = _("Right of the dotted line model {a} is better.").format(a=found.first_id)
    if len(found.classes) > 1:
        text += " " + _("The p-values are adjusted for {n} classes.").format(n=len(found.classes))
    card_head(_("By true class"), text)
    rows = [Dot(g.label, (_points(g.difference),), _colour(g)) for g in found.classes]
    ends = [
        abs(e) for r in rows for e in (r.estimates[0].low, r.estimates[0].high) if e is not None
    ]
    most = min(100.0, max([*ends, 5.0]) * 1.05)
    draw_chart(
        charts.dots(rows, unit=POINTS, zero=0.0, extent=(-most, most)), "compare.classes",
        "; ".join(f"{r.label}: {charts.sentence(r.estimates[0], POINTS)}" for r in rows),
    )  # fmt: skip
    with st.expander(_("As a table")):
        head = (
            _("Class"), _("Model {n}").format(n=found.first_id), _("Model {n}").format(n=found.second_id),
            _("Difference"), _("95 % interval"), "p", "n",
        )  # fmt: skip
        table(head, [_row(g) for g in found.classes], _("By true class"))


def _colour(gap: Gap) -> str:
    if gap.p is None or gap.p >= SURE or gap.difference.value is None:
        return MUTED
    return GOOD if gap.difference.value > 0 else BAD


def _row(gap: Gap) -> list[Markup | str]:
    points = _points(gap.difference)
    shares = ["–" if e.value is None else f"{100 * e.value:.1f} %" for e in (gap.first, gap.second)]
    change = "–" if points.value is None else charts.amount(points.value, POINTS)
    ends = charts.interval(points, POINTS).removesuffix(", ") or "–"
    p = "–" if gap.p is None else f"{gap.p:.3f}"
    return [gap.label, *shares, change, ends, p, f"{gap.first.n:,}"]


# --- images where they differ -----------------------------------------------------------------


def _images(page: PageContext, found: ComparisonView) -> None:
    text = many("They differ on {n} image.", "They differ on {n} images.", found.differing)
    if found.withheld:
        text += " " + many(
            "{n} is not shown: you could still vote on it.",
            "{n} are not shown: you could still vote on them.",
            found.withheld,
        )
    shown = {
        "all": _("All"),
        "first": _("Model {n} is right").format(n=found.first_id),
        "second": _("Model {n} is right").format(n=found.second_id),
        "neither": _("Neither is right"),
    }
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        card_head(_("Images where they differ"), text)
    with right:
        which = choose(_("Show"), "right", shown, "all")
    rows = [a for a in found.apart if which in ("all", a.right)]
    if not rows:
        states.empty(_("No such image"), _("The two models agree here."))
        return
    head = (
        _("Image"), _("Item"), _("Label"), _("Model {n}").format(n=found.first_id),
        _("Model {n}").format(n=found.second_id),
    )  # fmt: skip
    with st.container(height=460 if len(rows) > 6 else "content", border=False):
        table(head, [_image_row(page, a) for a in rows], _("Images where they differ"))


def _image_row(page: PageContext, one: ApartView) -> list[Markup | str]:
    linked = Linked(one.item_id, one.name, one.image, one.state)
    return [
        *item_cells(page, linked, "")[:2], one.truth,
        _said(one.first, one.first_sure, one.right == "first"),
        _said(one.second, one.second_sure, one.right == "second"),
    ]  # fmt: skip


def _said(label: str, sure: float, right: bool) -> Markup:
    return fill(
        "<i class='tb-icon' style='color:{c}' aria-label='{how}'>{icon}</i> {label}"
        "<div class='tb-muted tb-small'>{sure}</div>",
        c=GOOD if right else BAD, icon="check" if right else "close",
        how=_("right") if right else _("wrong"), label=label,
        sure=_("sure to {share}").format(share=f"{100 * sure:.0f} %"),
    )  # fmt: skip


def _points(gap: Estimate) -> Estimate:
    value, low, high = (None if v is None else 100 * v for v in (gap.value, gap.low, gap.high))
    return Estimate(value, low, high, gap.n)


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
