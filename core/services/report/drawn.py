"""Small pictures of a report, as SVG within the page: a dot is a figure, its line the 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.services.report.parts import Day, Row

WIDE, LEFT, RIGHT, STEP = 640, 210, 24, 26
MOST_LETTERS = 30
AXIS, TALL, FOOT = 44, 104, 134
"""Of the bars: room for the numbers of the scale, how high the scale is, and where it begins."""


def dots(rows: Sequence[Row], low: float, high: float, title: str) -> str:
    """Return figures as dots with their intervals; an outlined diamond is the week before."""
    tall = STEP * len(rows) + 28
    marks = [_scale(low, high, tall)]
    for i, row in enumerate(rows):
        y = STEP * i + 16
        name = row.label.removeprefix("Class ")
        marks.append(f'<text class="label" x="{LEFT - 12}" y="{y + 4}">{_cut(name)}</text>')
        if row.before is not None and row.before.value is not None:
            marks.append(
                _mark(row.before.value, row.before.low, row.before.high, y + 6, low, high, False)
            )
        if row.now.value is not None:
            marks.append(_mark(row.now.value, row.now.low, row.now.high, y - 2, low, high, True))
        else:
            marks.append(f'<text class="none" x="{LEFT + 4}" y="{y + 4}">not enough data</text>')
    return _framed(tall, title, marks)


def bars(days: Sequence[Day], title: str) -> str:
    """Return the votes and the decisions of each day as bars beside each other, on a scale of counts."""
    step = _step(max([n for _, votes, ruled in days for n in (votes, ruled)] + [1.0]))
    top = step * 4
    wide = (WIDE - AXIS - 8) / max(len(days), 1)
    marks = [_counts(step)]
    for i, (name, votes, ruled) in enumerate(days):
        x = AXIS + i * wide
        marks.append(_bar("bar", x + 0.12 * wide, 0.44 * wide, votes, top))
        marks.append(_bar("ruled", x + 0.6 * wide, 0.28 * wide, ruled, top))
        marks.append(
            f'<text class="mid quiet" x="{x + wide / 2:.1f}" y="{FOOT + 18}">{escape(name)}</text>'
        )
    return _framed(FOOT + 26, title, marks)


def _bar(kind: str, x: float, wide: float, n: float, top: float) -> str:
    """Return a bar with its number over it; nothing is no bar and no number."""
    if not n:
        return ""
    tall = TALL * n / top
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{FOOT - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'
        f'<text class="mid" x="{x + wide / 2:.1f}" y="{FOOT - tall - 5:.1f}">{n:,.0f}</text>'
    )


def _counts(step: int) -> str:
    """Return the lines of a scale of whole numbers, from nothing on, and what it is of."""
    parts = ['<text class="quiet" x="0" y="11">Number</text>']
    for i in range(5):
        y = FOOT - TALL * i / 4
        parts.append(
            f'<line class="grid" x1="{AXIS}" x2="{WIDE - 8}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="label quiet" x="{AXIS - 6}" y="{y + 4:.1f}">{i * step:,}</text>'
        )
    return "".join(parts)


def _step(most: float) -> int:
    """Return a quarter of the scale: the least of 1, 2, 5, 10, 20, ... that four of hold the most."""
    scale = 1
    while True:
        for digit in (1, 2, 5):
            if 4 * digit * scale >= most:
                return digit * scale
        scale *= 10


def _scale(low: float, high: float, tall: int) -> str:
    parts = []
    for i in range(5):
        value = low + (high - low) * i / 4
        x = _place(value, low, high)
        text = f"{value * 100:.0f} %" if low == 0 else f"{value:.1f}"
        parts.append(
            f'<line class="grid" x1="{x}" x2="{x}" y1="2" y2="{tall - 22}"/>'
            f'<text class="mid quiet" x="{x}" y="{tall - 6}">{text}</text>'
        )
    return "".join(parts)


def _mark(
    value: float,
    ends_low: float | None,
    ends_high: float | None,
    y: int,
    low: float,
    high: float,
    now: bool,
) -> str:
    x, name = float(_place(value, low, high)), "now" if now else "before"
    line = ""
    if ends_low is not None and ends_high is not None:
        a, b = _place(ends_low, low, high), _place(ends_high, low, high)
        line = f'<line class="{name}" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'
    if now:
        return f'{line}<circle class="now" cx="{x}" cy="{y}" r="4.5"/>'
    return f'{line}<path class="before" d="M{x - 4.5} {y}L{x} {y - 4.5}L{x + 4.5} {y}L{x} {y + 4.5}Z"/>'


def _place(value: float, low: float, high: float) -> str:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return f"{LEFT + share * (WIDE - LEFT - RIGHT):.1f}"


def _framed(tall: int, title: str, marks: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDE} {tall}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(marks)}</svg>"
    )


def _cut(name: str) -> str:
    return escape(name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…")
