"""Quality: how right the model and people are, what is mistaken for what, how far people agree."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action
from core.labels.schema import Task
from core.services.analytics import figures
from core.services.analytics.doubles import doubles
from core.services.analytics.figures import CasesView, CaseView, QualityView
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, comparison, downloads, states, widgets
from core.ui.agreement.section import draw_agreement
from core.ui.behind import Linked, item_cells
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import put
from core.ui.comparison import Asked
from core.ui.shell import PageContext, open_page
from core.ui.text import _, many
from core.ui.theme import Markup
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
        _accuracy(page, view)
        _mix_ups(page, view, asked)
        draw_agreement(page, view.project, asked.filters)
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


def _accuracy(page: PageContext, view: QualityView) -> None:
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
            _by_class(page, view)


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


def _by_class(page: PageContext, view: QualityView) -> None:
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
        _class_table(page, rows, names, ("recall", "precision") if right.boxes else ("right",))


def _in_words(rows: Sequence[Dot]) -> str:
    return "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)


def _class_table(
    page: PageContext, rows: Sequence[Dot], names: Sequence[str], columns_of: Sequence[str]
) -> None:
    head = [_("Class")]
    for name in names:
        head += [name, _("95 % interval"), "n"]
    body = [[r.label, *(cell for e in r.estimates for cell in _cells(e))] for r in rows]
    table(head, body, _("By class"))
    columns = ["class", *(c for name in columns_of for c in estimate_columns(name))]
    cells = [[r.label, *(c for e in r.estimates for c in estimate_cells(e))] for r in rows]
    downloads.offer(page, "by class", columns, cells)


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
        downloads.offer(page, "confusion", ("truth", "said", "n"), cells)


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
    rows = [item_cells(page, *_linked(c)) for c in found.cases[:50]]
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


def _linked(case: CaseView) -> tuple[Linked, str]:
    more = [case.who] if case.who else []
    if case.confidence is not None:
        more.append(_("sure to {share}").format(share=f"{case.confidence * 100:.0f} %"))
    return Linked(case.item_id, case.name, case.image, case.state), " · ".join(more)


# --- agreement --------------------------------------------------------------------------------


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
