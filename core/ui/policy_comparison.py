"""Policies side by side: the table of figures, the charts, and what changes under one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.consensus.replay_figures import Figures
from core.labels.state import ItemState
from core.services.consensus.replay_views import Column, Replay
from core.services.projects.project import ProjectView
from core.stats.intervals import Estimate
from core.ui import urls
from core.ui.charts import POINTS, amount, card_head, draw_chart, interval
from core.ui.policy_charts import (
    MOST_CLASSES,
    Priced,
    class_balance,
    most_changed,
    votes_against_accuracy,
)
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import STATE_ORDER
from core.ui.widgets import caption, muted, number, state_name, table

MOST_MOVES = 8
NONE = mark("no label")

Cell = tuple[Markup | str, float | None]
"""What a figure reads, and the number by which it is held against the one in force."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table.

    Attributes:
        name: What it is.
        cell: A policy's figures to what is shown and compared.
        unit: Of the difference.
        gap: A policy's figures to the difference, where it is not that of the two numbers.
        share: A policy's figures to the share that difference is of.
    """

    name: str
    cell: Callable[[Figures], Cell]
    unit: str = ""
    gap: Callable[[Figures], Estimate] | None = None
    share: Callable[[Figures], Estimate] | None = None


def comparison_table(found: Replay, names: Sequence[str], rate: float) -> None:
    """Draw the figures of each policy, a column each, with what differs from the one in force.

    Args:
        found: The replay.
        names: Of its columns.
        rate: Money an hour of reviewing costs; 0 leaves the price out.
    """
    figures = [c.figures for c in found.columns]
    states = [s for s in STATE_ORDER if any(f.states.get(ItemState(s)) for f in figures)]
    groups = (
        (_("Put in force today, with every vote there is"), _today(states)),
        (_("Had it been in force from the start"), _from_start(rate)),
    )
    rows: list[Sequence[Markup | str]] = []
    for title, lines in groups:
        head = fill("<b class='tb-small'>{t}</b>", t=title)
        rows.append([head])
        rows += [_row(line, figures) for line in lines]
    table(["", *names], rows, _("Policies side by side"))


def _row(line: Line, figures: Sequence[Figures]) -> list[Markup | str]:
    cells = [line.cell(f) for f in figures]
    first = cells[0][1]
    shown: list[Markup | str] = [cells[0][0]]
    for (text, value), one in zip(cells[1:], figures[1:], strict=True):
        apart = (
            _gap(line.gap(one), line.share(figures[0]).n, line.share(one).n)
            if line.gap and line.share
            else _difference(value, first, line.unit)
        )
        shown.append(join([_markup(text), apart]))
    return [line.name, *shown]


def _markup(text: Markup | str) -> Markup:
    return text if isinstance(text, Markup) else fill("{t}", t=text)


def _difference(value: float | None, first: float | None, unit: str) -> Markup:
    """Return how far a figure is from the one in force: a triangle and a signed number."""
    if value is None or first is None:
        return Markup("")
    gap = value - first
    if abs(gap) < 5e-5:
        return fill(
            " <span class='tb-muted' title='{t}' aria-label='{t}'>=</span>", t=_("the same")
        )
    sign = "▲ +" if gap > 0 else "▼ −"
    return fill(
        " <span class='tb-differs'>{t}</span>", t=f"{sign}{number(round(abs(gap), 2), unit)}"
    )


def _gap(gap: Estimate, before: int, after: int) -> Markup:
    """Return how far two shares are apart over the same items, with the interval and the rest.

    Args:
        gap: Over the items that both policies label.
        before: How many the one in force labels, of those with gold.
        after: How many the other labels.
    """
    if gap.value is None:
        return Markup("")
    sign = "=" if abs(gap.value) < 5e-5 else "▲" if gap.value > 0 else "▼"
    low, high = (None if end is None else end * 100 for end in (gap.low, gap.high))
    ends = Estimate(gap.value * 100, low, high, gap.n)
    text = _("{sign} {gap} ({interval}the {n} both label)").format(
        sign=sign,
        gap=amount(gap.value * 100, POINTS),
        interval=interval(ends, POINTS),
        n=f"{gap.n:,}",
    )
    rest = ", ".join(
        words.format(n=f"{n:,}")
        for n, words in (
            (after - gap.n, _("{n} more it labels anew")),
            (before - gap.n, _("{n} it labels no longer")),
        )
        if n > 0
    )
    text = f"{text}; {rest}" if rest else text
    return fill("<div class='tb-differs tb-wraps'>{t}</div>", t=text)


def _today(states: Sequence[str]) -> list[Line]:
    return [
        Line(_("Labels that change"), lambda f: (_changed(f), None)),
        Line(
            _("Equal to gold"),
            lambda f: _share(f.accuracy),
            gap=lambda f: f.gap,
            share=lambda f: f.accuracy,
        ),
        *[_state_line(s) for s in states],
        Line(_("Items that reopen"), lambda f: (f"{f.reopen:,}", None)),
        Line(_("Items it settles"), lambda f: (f"{f.settles:,}", None)),
        Line(_("New disputes"), lambda f: (f"{f.new_disputes:,}", None)),
        Line(_("Votes it would ask for"), lambda f: (f"{f.wanted:,}", f.wanted)),
    ]


def _state_line(state: str) -> Line:
    return Line(state_name(state), lambda f: _count(f.states.get(ItemState(state), 0)))


def _from_start(rate: float) -> list[Line]:
    lines = [
        Line(_("Votes spent"), lambda f: (f"{f.spent.votes:,}", f.spent.votes)),
        Line(
            _("Votes an item"), lambda f: _maybe(f.spent.per_item, f"{f.spent.per_item or 0:.2f}")
        ),
        Line(_("Votes missing from the record"), lambda f: (f"{f.spent.missing:,}", None)),
        Line(_("Time spent"), _time, "h"),
        Line(
            _("Equal to gold, from the start"),
            lambda f: _share(f.accuracy_from_start),
            gap=lambda f: f.gap_from_start,
            share=lambda f: f.accuracy_from_start,
        ),
    ]
    if rate > 0:
        lines.insert(4, Line(_("Cost"), lambda f: _money(f, rate)))
    return lines


def _count(n: int) -> Cell:
    return f"{n:,}", n


def _maybe(value: float | None, text: str) -> Cell:
    return (muted(_("not enough data")), None) if value is None else (text, value)


def _time(figures: Figures) -> Cell:
    spent = figures.spent
    if not spent.timed:
        return muted(_("no times recorded")), None
    hours = spent.seconds / 3600
    text = f"{hours:,.1f} h"
    if spent.timed == spent.votes:
        return text, hours
    note = _("of {n} votes").format(n=f"{spent.timed:,}")
    return fill("{t} <div class='tb-muted tb-small'>{n}</div>", t=text, n=note), hours


def _money(figures: Figures, rate: float) -> Cell:
    price = figures.spent.money(rate)
    return _maybe(price, f"{price or 0:,.2f}")


def _share(estimate: Estimate) -> Cell:
    if estimate.value is None:
        return muted(_("no gold with a label")), None
    below = f"{interval(estimate)}n\u00a0=\u00a0{estimate.n:,}"
    return (
        fill(
            "{v} <div class='tb-muted tb-small'>{b}</div>", v=amount(estimate.value, "%"), b=below
        ),
        estimate.value,
    )


def _changed(figures: Figures) -> Markup | str:
    share = figures.changed
    n = figures.relabelled + figures.gained + figures.lost
    if share.value is None:
        return muted(_("no labels yet"))
    if not n:
        return muted(_("none"))
    parts = (
        (figures.relabelled, _("{n} to another class")),
        (figures.gained, _("{n} get one")),
        (figures.lost, _("{n} lose theirs")),
    )
    told = ", ".join(text.format(n=f"{k:,}") for k, text in parts if k)
    of = f"{amount(share.value, '%')} ({interval(share)}n\u00a0=\u00a0{share.n:,})"
    return fill(
        "{n} <div class='tb-muted tb-small'>{of}<br>{told}</div>", n=f"{n:,}", of=of, told=told
    )


# --- charts -----------------------------------------------------------------------------------


def comparison_charts(found: Replay, names: Sequence[str], key: str) -> None:
    """Draw the labels of each class, and votes spent against accuracy."""
    left, right = st.columns(2, gap="large")
    with left:
        _balance(found, names, key)
    with right:
        _price(found, names, key)


def _balance(found: Replay, names: Sequence[str], key: str) -> None:
    balance = [c.figures.balance for c in found.columns]
    shown = most_changed(balance)
    there = sum(any(b[c] for b in balance) for c in range(len(found.classes)))
    note = (
        _("The {n} that change most, of {all}.").format(n=MOST_CLASSES, all=there)
        if there > len(shown)
        else _("Put in force today.")
    )
    card_head(_("Labels of each class"), note)
    if not shown:
        caption(_("No labels yet under any of these policies."))
        return
    series = [(n, [b[c] for c in shown]) for n, b in zip(names, balance, strict=True)]
    classes = [found.classes[c] for c in shown]
    alt = "; ".join(f"{n}: " + ", ".join(map(str, b)) for n, b in series)
    draw_chart(class_balance(classes, series), f"{key}.balance", f"{', '.join(classes)}. {alt}")


def _price(found: Replay, names: Sequence[str], key: str) -> None:
    card_head(
        _("Votes spent against accuracy"),
        _(
            "From the start; items left without a label do not count. Left is cheaper, up is better."
        ),
    )
    points = [
        Priced(n, c.figures.spent.per_item or 0.0, c.figures.accuracy_from_start)
        for n, c in zip(names, found.columns, strict=True)
    ]
    if not any(p.accuracy.n for p in points):
        caption(
            _(
                "No gold yet: import answers that are known to be right, and this shows what votes buy."
            )
        )
        return
    alt = "; ".join(
        f"{p.name}: {p.votes:.2f}, {amount(p.accuracy.value, '%')}"
        for p in points
        if p.accuracy.value is not None
    )
    draw_chart(votes_against_accuracy(points), f"{key}.price", alt)


# --- what changes -----------------------------------------------------------------------------


def changes_of(column: Column, project: ProjectView) -> None:
    """Draw which labels change to which under a policy, and some of the items."""
    if project.task.draws:
        _examples(column, project)
        return
    left, right = st.columns(2, gap="large")
    with left:
        _moves(column)
    with right:
        _examples(column, project)


def _moves(column: Column) -> None:
    if not column.moves:
        caption(_("No class changes into another."))
        return
    rows = [(_name(m.before), _name(m.after), f"{m.n:,}") for m in column.moves[:MOST_MOVES]]
    table((_("Label now"), _("Label then"), _("Items")), rows, _("Labels that change"))
    rest = sum(m.n for m in column.moves[MOST_MOVES:])
    if rest:
        caption(many("and {n} item in other pairs", "and {n} items in other pairs", rest))


def _name(label: str | None) -> Markup | str:
    return muted(_(NONE)) if label is None else label


def _examples(column: Column, project: ProjectView) -> None:
    if column.examples:
        links = join(
            fill(
                "<li><a href='{href}'>{name}</a> <span class='tb-muted'>{a} → {b}</span></li>",
                href=urls.page("items", project=project.slug, item=str(e.item_id)),
                name=e.name,
                a=e.before or _(NONE),
                b=e.after or _(NONE),
            )
            for e in column.examples
        )
        draw(
            "<div class='tb-eyebrow'>{t}</div><ul class='tb-links'>{links}</ul>",
            t=_("Some of the items"),
            links=links,
        )
    if column.withheld:
        caption(
            many(
                "{n} changed item is not shown: you could still vote or rule on it.",
                "{n} changed items are not shown: you could still vote or rule on them.",
                column.withheld,
            )
        )
