"""Quality: how right the model and people are, what is mistaken for what, how far people agree."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.consensus.agreement import Agreement
from core.consensus.policy import OnDisagreement
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.analytics import figures
from core.services.analytics.doubles import doubles
from core.services.analytics.figures import CasesView, CaseView, QualityView
from core.stats.intervals import UNDEFINED, Estimate
from core.ui import charts, comparison, states, urls, widgets
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import put
from core.ui.comparison import Asked
from core.ui.shell import PageContext, open_page
from core.ui.text import _, many
from core.ui.theme import Markup, fill
from core.ui.widgets import figure, muted, state_name, table

CLICKED = "quality.confusion"
# The missing side: a true box nobody drew, or a drawn box that is in no truth. (A bare string
# here would be shown on the page: Streamlit draws what stands alone on a line.)
NOTHING = "∅"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Quality"),
        Action.SEE_FIGURES,
        subtitle=_("How right the model and people are, and how far people agree."),
    )
    with states.boundary(inline=True):
        asked = _asked(page)
        view = figures.quality(
            page.ws, page.actor, page.slug, asked.whose, asked.against, asked.filters,
            charts.reader_zone(),
        )  # fmt: skip
        if not view.progress.items:
            states.empty(_("No items yet"), _("Figures appear once images are in the project."))
            return
        _accuracy(view)
        _mix_ups(page, view, asked)
        _agreement(view)
        _doubles(page)
        _progress(view)


def _asked(page: PageContext) -> Asked:
    people = figures.people_who_voted(page.ws, page.actor, page.slug)
    whose = st.query_params.get("whose", "model")
    known = whose if whose in {"people", *people} else "model"
    best = figures.best_reference(page.ws, page.actor, page.slug, known)
    asked = comparison.ask(people, best)
    comparison.draw_where(asked)
    return asked


# --- accuracy ---------------------------------------------------------------------------------


def _accuracy(view: QualityView) -> None:
    right = view.right
    with st.container(border=True):
        left, chart = st.columns([1, 2.2], gap="large")
        with left:
            e = right.overall.estimate
            figure(_overall_name(view), e.value, right.overall.n, e.low, e.high, "%")
            comparison.draw_notes(
                comparison.notes(right.basis, right.left_out, view.against, view.whose)
            )
        with chart:
            _by_class(view)


def _overall_name(view: QualityView) -> str:
    if view.right.boxes:
        boxes = view.project.task is Task.BOXES
        return (
            _("Images with every box right") if boxes else _("Images with every bounding box right")
        )
    if view.whose == "model":
        return _("The model is right")
    if view.whose == "people":
        return _("People are right")
    return _("{person} is right").format(person=view.people.get(view.whose, view.whose))


def _by_class(view: QualityView) -> None:
    right = view.right
    if not right.classes and not right.boxes:
        states.empty(
            _("Not enough data"),
            _("Nothing independent to compare with under this choice."),
            _("Choose another comparison above."),
        )
        return
    if right.boxes:
        rows = [Dot(b.name, (b.recall.estimate, b.precision.estimate)) for b in right.boxes]
        names: tuple[str, ...] = (_("Found (recall)"), _("Drawn ones right (precision)"))
        iou = f"{view.project.policy.iou_at_least:g}"
        boxes = view.project.task is Task.BOXES
        text = _("Boxes match from an overlap (IoU) of {iou} on.")
        if not boxes:
            text = _("Compared by bounding box; they match from an overlap (IoU) of {iou} on.")
        card_head(_("By class"), text.format(iou=iou))
    else:
        rows = [Dot(c.name, (c.estimate,)) for c in right.classes]
        names = (_("Right"),)
        card_head(_("By true class"), _("A dot is the share right, the line its 95 % interval."))
    draw_chart(charts.dots(rows, names), "quality.classes", _in_words(rows))
    with st.expander(_("As a table")):
        _class_table(rows, names)


def _in_words(rows: Sequence[Dot]) -> str:
    return "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)


def _class_table(rows: Sequence[Dot], names: Sequence[str]) -> None:
    head = [_("Class")]
    for name in names:
        head += [name, _("95 % interval"), "n"]
    body = [[r.label, *(cell for e in r.estimates for cell in _cells(e))] for r in rows]
    table(head, body, _("By class"))


def _cells(e: Estimate) -> list[Markup | str]:
    if e.value is None:
        return [muted(_("not enough data")), "–", f"{e.n:,}"]
    ends = charts.interval(e).removesuffix(", ") or "–"
    return [f"{e.value * 100:.1f} %", ends, f"{e.n:,}"]


# --- what is mistaken for what ----------------------------------------------------------------


def _mix_ups(page: PageContext, view: QualityView, asked: Asked) -> None:
    cells = [(c.truth or NOTHING, c.said or NOTHING, c.n) for c in view.confusion.cells]
    if not cells:
        return
    with st.container(border=True):
        hint = _("Click a square to see its items. Its area is the share of the row.")
        if view.right.boxes:
            hint = _("∅ in a row: drawn, but not there. ∅ in a column: there, but not drawn.")
        card_head(_("What is taken for what"), hint)
        order = [*view.project.schema.classes, NOTHING]
        place = {name: i for i, name in enumerate(order)}
        truths, saids = {c[0] for c in cells}, {c[1] for c in cells}
        rows, columns = (
            sorted(names, key=lambda n: (place.get(n, len(place)), n)) for names in (truths, saids)
        )
        left, right = st.columns([3, 2], gap="large")
        clickable = not view.right.boxes
        with left:
            draw_chart(
                charts.confusion(cells, rows, columns, _("Right"), _("Taken for another")),
                CLICKED,
                _("Counts of each true class by what was said"),
                _clicked if clickable else None,
            )
        with right:
            if clickable:
                _cases(page, view, asked, cells)
            else:
                _worst_pairs(cells)


def _clicked() -> None:
    points = st.session_state[CLICKED].selection.points
    if points:
        truth, said = points[0]["customdata"][:2]
        put(truth=truth, said=said)


def _worst_pairs(cells: Sequence[tuple[str, str, int]]) -> None:
    wrong = sorted((c for c in cells if c[0] != c[1]), key=lambda c: -c[2])[:8]
    if wrong:
        rows = [(truth, said, f"{n:,}") for truth, said, n in wrong]
        table((_("True class"), _("Said to be"), _("Boxes")), rows, _("Most frequent mistakes"))


def _cases(
    page: PageContext, view: QualityView, asked: Asked, cells: Sequence[tuple[str, str, int]]
) -> None:
    truth, said = st.query_params.get("truth"), st.query_params.get("said")
    if not truth or not said:
        wrong = [c for c in cells if c[0] != c[1]]
        if not wrong:
            states.empty(_("No mistake under this choice"))
            return
        truth, said, _n = max(wrong, key=lambda c: c[2])
    found = figures.cases(
        page.ws, page.actor, page.slug, truth, said, asked.whose, asked.against, asked.filters
    )
    card_head(_("{truth}, said to be {said}").format(truth=truth, said=said), _count(found))
    may_vote, may_decide = (
        can(page.actor, a, Resource(view.project.id)) for a in (Action.VOTE, Action.ADJUDICATE)
    )
    rows = [_case_row(page.slug, c, may_vote, may_decide) for c in found.cases[:50]]
    if rows:
        with st.container(height=430, border=False):
            table((_("Image"), _("Item"), _("State")), rows, _("Items behind the square"))


def _count(found: CasesView) -> str:
    text = many("{n} item", "{n} items", len(found.cases))
    if len(found.cases) > 50:
        text += " · " + _("the first 50 are shown")
    if found.withheld:
        text += " · " + many(
            "{n} more is not shown: you could still vote on it",
            "{n} more are not shown: you could still vote on them",
            found.withheld,
        )
    return text


def _case_row(slug: str, case: CaseView, may_vote: bool, may_decide: bool) -> list[Markup | str]:
    picture = fill(
        "<img src='{src}' alt='' loading='lazy' style='width:56px;height:42px;object-fit:cover;"
        "border-radius:6px;display:block'>",
        src=urls.path(case.image + "&w=400"),
    )
    link = fill(
        "<a href='{href}' target='_self' style='color:inherit'>{name}</a>",
        href=_link(slug, case, may_vote, may_decide),
        name=case.name,
    )
    more = [case.who] if case.who else []
    if case.confidence is not None:
        more.append(_("sure to {share}").format(share=f"{case.confidence * 100:.0f} %"))
    below = fill("<div class='tb-muted tb-small'>{t}</div>", t=" · ".join(more))
    return [picture, Markup(link + below), state_name(case.state)]


def _link(slug: str, case: CaseView, may_vote: bool, may_decide: bool) -> str:
    if case.state is ItemState.DISPUTE and may_decide:
        return urls.page("adjudicate", project=slug, item=str(case.item_id))
    if may_vote:
        return urls.page("review", project=slug, item=str(case.item_id))
    return urls.page("items", project=slug, item=str(case.item_id))


# --- agreement --------------------------------------------------------------------------------


def _agreement(view: QualityView) -> None:
    found = view.agreement
    with st.container(border=True):
        card_head(
            _("How far people agree"),
            _(
                "Two people on the same item, whoever is right. n counts items with two votes or more."
            ),
        )
        if found.boxes is not None:
            e = found.boxes
            boxes = view.project.task is Task.BOXES
            name = _("Boxes in common (mean F1)") if boxes else _("Regions in common (mean F1)")
            figure(name, e.value, e.n, e.low, e.high, "%")
            if found.sampled:
                comparison.draw_notes([_("A random sample of the items with two votes or more.")])
            return
        labels = found.labels or Agreement(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED)
        _coefficients(labels, view.project.policy.on_disagreement is OnDisagreement.THIRD_VOTE)
        comparison.draw_notes(_agreement_notes(found.blind))


def _doubles(page: PageContext) -> None:
    """Say which two accounts were used in one browser and both voted on items: perhaps one person."""
    for found in doubles(page.ws, page.actor, page.slug):
        shown = ", ".join(str(i) for i in found.items[:5]) + (" …" if len(found.items) > 5 else "")
        text = _(
            "{a} and {b} signed in in one browser ({when}) and both voted on {n}: {items}. If they are one person, these items have one vote fewer than they seem to."
        ).format(
            a=found.names[0],
            b=found.names[1],
            when=widgets.when(found.at),
            n=many("{n} item", "{n} items", len(found.items)),
            items=shown,
        )
        st.warning(states.plain_markdown(text), icon=":material/group:")


def _coefficients(found: Agreement, third_votes: bool) -> None:
    shown: tuple[tuple[str, Estimate, str, list[str]], ...] = (
        (_("Same answer"), found.percent, "%", []),
        (_("Krippendorff's alpha"), found.alpha, "", []),
        (_("Fleiss' kappa"), found.fleiss, "", fleiss_notes(found, third_votes)),
        (_("Gwet's AC1"), found.ac1, "", []),
    )
    for column, (name, e, unit, notes) in zip(st.columns(4), shown, strict=True):
        with column:
            figure(name, e.value, e.n, e.low, e.high, unit)
            comparison.draw_notes(notes)


def fleiss_notes(found: Agreement, third_votes: bool) -> list[str]:
    """Return what Fleiss' kappa does not look at: items with another number of votes than most.

    Args:
        found: The coefficients; the other three count every item with two votes or more.
        third_votes: Whether the policy asks more people where the first ones differ.
    """
    left_out = found.percent.n - found.fleiss.n
    if left_out <= 0 or found.fleiss.value is None:
        return []
    if third_votes and found.alpha.value is not None and found.fleiss.value > found.alpha.value:
        return [
            many(
                "Leaves out {n} item with another number of votes. A third vote comes where people differ, so it flatters.",
                "Leaves out {n} items with another number of votes. A third vote comes where people differ, so it flatters.",
                left_out,
            )
        ]
    return [
        many(
            "Leaves out {n} item with another number of votes; read alpha instead.",
            "Leaves out {n} items with another number of votes; read alpha instead.",
            left_out,
        )
    ]


def _agreement_notes(blind: Agreement | None) -> list[str]:
    lines = [
        _("Alpha, kappa and AC1 take out what chance alone would give: 1 is perfect, 0 is chance.")
    ]  # fmt: skip
    if blind is not None:
        lines.append(
            _("Votes given without seeing the pre-label, alone: alpha {figure}.").format(
                figure=charts.sentence(blind.alpha, "")
            )
        )
    return lines


# --- progress ---------------------------------------------------------------------------------


def _progress(view: QualityView) -> None:
    history = view.progress.history
    with st.container(border=True):
        card_head(
            _("Where the items stand"),
            _("Items by state at the end of each day, {zone} time. n = {n} items.").format(
                zone=charts.reader_zone(), n=f"{view.progress.items:,}"
            ),
        )
        draw_chart(
            charts.states_over_time(history),
            "quality.states",
            ", ".join(f"{state_name(s)}: {n}" for s, n in view.progress.states.items()),
        )


main()
