"""Agreement by class, by pair and by person: charts, and the items behind a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics import figures
from core.services.analytics.figures import DifferingItem, SelectedAgreement
from core.services.analytics.marks import differing_behind
from core.services.consensus.people_agreement import ClassRow, Pairs
from core.stats.intervals import Estimate
from core.ui import charts, states
from core.ui.agreement.selection import Selection
from core.ui.behind import Linked, count_in_words, item_cells
from core.ui.charts import POINTS, Dot, card_head, draw_chart
from core.ui.choices import put
from core.ui.marks import Found, by_row, draw_marks
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, is_dark
from core.ui.widgets import caption, muted, number, table

MATRIX = "quality.pairs"
MOST_DRAWN_CLASSES = 40
MOST_LISTED = 50

People = Mapping[int, tuple[str, str]]


def draw_classes(
    page: PageContext, filters: Filters, rows: Sequence[ClassRow], draws: bool = False
) -> None:
    """Draw how far people agree on each class, those with least agreement where they are many.

    Args:
        page: The page.
        filters: Which votes.
        rows: The classes.
        draws: Whether they are of regions.
    """
    if not rows:
        return
    drawn = list(rows)
    if len(rows) > MOST_DRAWN_CLASSES:
        known = [r for r in rows if r.positive.value is not None]
        drawn = sorted(known, key=lambda r: r.positive.value or 0.0)[:MOST_DRAWN_CLASSES]
        caption(_("The {n} classes with least agreement; the table has all.").format(n=len(drawn)))
    dots = [Dot(r.name, (r.positive,)) for r in drawn]
    said = "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots)
    draw_marks(
        page, charts.dots(dots), "quality.agreement.classes", said, by_row([r.name for r in drawn]),
        lambda name: (
            _("{name}: people differ").format(name=name),
            differing_behind(page.ws, page.actor, page.slug, replace(filters, called=name)),
        ),
    )  # fmt: skip
    with st.expander(_("As a table")):
        head = (_("Class"), _("Votes"), _("Others say it too"), _("Alpha: this class or another"))
        if draws:
            head = (_("Class"), _("Regions"), _("Others draw it too"), _("Alpha of its regions"))
        body = [[r.name, f"{r.votes:,}", _cell(r.positive, "%"), _cell(r.alpha, "")] for r in rows]
        table(head, body, _("Agreement by class"))


def _cell(e: Estimate, unit: str) -> Markup | str:
    return muted(charts.sentence(e, unit)) if e.value is None else charts.sentence(e, unit)


def draw_effects(
    page: PageContext,
    filters: Filters,
    effects: Sequence[tuple[int, Estimate]],
    people: People,
    least: int = 0,
) -> None:
    """Draw what each person's votes do to alpha, those who lower it most on top.

    Args:
        page: The page.
        filters: Which votes.
        effects: Places of people and what each does.
        people: Their names.
        least: Pixels the chart is high at least.
    """
    known = [(p, e) for p, e in effects if e.value is not None]
    if not known:
        states.empty(_("Not enough data"), _("It takes three people on the same items."))
        return
    drawn = sorted(known, key=lambda row: (row[1].value or 0.0, row[0]))[:MOST_DRAWN_CLASSES]
    rows = [Dot(people[p][1], (e.times(100),)) for p, e in drawn]
    said = "; ".join(f"{d.label}: {charts.sentence(d.estimates[0], POINTS)}" for d in rows)

    def behind(name: str) -> Found:
        one = next((p for p, (unique, _shown) in people.items() if unique == name), None)
        if one is None:
            return None
        title = _("{name} voted, and votes differ").format(name=people[one][1])
        return title, differing_behind(page.ws, page.actor, page.slug, filters, one)

    draw_marks(
        page,
        charts.dots(
            rows, unit=POINTS, zero=0.0, zero_name=_("no effect"),
            axis=_("Alpha with this person less alpha without"), least=least,
        ),
        "quality.effects", said,
        by_row([people[p][0] for p, _e in drawn]), behind,
    )  # fmt: skip


def draw_pairs(
    page: PageContext, everybody: SelectedAgreement, chosen: Selection, pairs: Pairs
) -> None:
    """Draw the matrix of pairs, and the items on which the chosen two differ."""
    names = [everybody.people[p] for p in pairs.people]
    with st.container(border=True):
        draws = everybody.project.task.draws
        what = (
            _("How many of a hundred regions two people have in common (mean F1); – is too few.")
            if draws
            else _(
                "How many of a hundred shared items two people call the same, by pair: an item counts once for each pair that shares it; – is too few."
            )
        )
        more = _("Click a square to see where the two differ.")
        card_head(_("Who agrees with whom"), f"{what} {more}")
        if pairs.left_out:
            caption(
                many(
                    "{n} person with fewer votes is not in it.",
                    "{n} people with fewer votes are not in it.",
                    pairs.left_out,
                )
            )
        left, right = st.columns([3, 2], gap="large")
        with left:
            draw_chart(
                charts.matrix([shown for _name, shown in names], pairs.agreement, is_dark()),
                MATRIX,
                _in_words(pairs, [shown for _name, shown in names]),
                lambda: _clicked([name for name, _shown in names]),
            )
        with right:
            _behind(page, chosen, dict(names), pairs, [name for name, _shown in names])


def _in_words(pairs: Pairs, names: Sequence[str]) -> str:
    return "; ".join(
        f"{names[i]} · {names[j]}: {charts.sentence(pairs.agreement[i][j])}"
        for i in range(len(names))
        for j in range(i)
    )


def _clicked(names: Sequence[str]) -> None:
    points = st.session_state[MATRIX].selection.points
    if points:
        row, column = points[0]["customdata"][:2]
        put(one=names[int(row)], other=names[int(column)])


def _behind(
    page: PageContext,
    chosen: Selection,
    shown: Mapping[str, str],
    pairs: Pairs,
    names: Sequence[str],
) -> None:
    pair = chosen.pair or _worst(pairs, names)
    if not pair:
        states.empty(_("Not enough data"), _("No two people share five items yet."))
        return
    first, second = pair
    found = figures.differing_items(page.ws, page.actor, page.slug, first, second, chosen.everybody)
    title = _("{a} and {b} differ").format(a=shown.get(first, first), b=shown.get(second, second))
    card_head(
        title,
        " · ".join(
            [
                *_figures(pairs, names, first, second),
                count_in_words(len(found.items), MOST_LISTED, found.withheld),
            ]
        ),
    )
    rows = [
        item_cells(page, Linked(d.item_id, d.name, d.image, d.state), _said(d))
        for d in found.items[:MOST_LISTED]
    ]
    if rows:
        # As high as the matrix beside it, so that neither leaves a blank.
        with st.container(height=min(430, max(300, charts.matrix_px(len(names)))), border=False):
            table((_("Image"), _("Item"), _("State")), rows, _("Items two people differ on"))


def _said(item: DifferingItem) -> str:
    both = f"{item.first_said} / {item.second_said}"
    if item.in_common is None:
        return both
    share = number(item.in_common, "%", 0)
    return _("{both} regions, {share} in common").format(both=both, share=share)


def _worst(pairs: Pairs, names: Sequence[str]) -> tuple[str, ...]:
    known = [
        (e.value, i, j)
        for i in range(len(names))
        for j in range(i)
        if (e := pairs.agreement[i][j]).value is not None
    ]
    if not known:
        return ()
    _value, i, j = min(known)
    return names[j], names[i]


def _figures(pairs: Pairs, names: Sequence[str], first: str, second: str) -> list[str]:
    if first not in names or second not in names:
        return []
    i, j = names.index(first), names.index(second)
    kappa = pairs.kappa[i][j]
    told = _("in common: {share}").format(share=charts.sentence(pairs.agreement[i][j]))
    return [told] if kappa is None else [told, _("Cohen's kappa {k}").format(k=f"{kappa:.2f}")]
