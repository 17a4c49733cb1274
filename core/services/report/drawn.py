"""Small pictures of a report, as SVG within the page: a dot is a figure, its line the 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.services.report.parts import Row

WIDE, LEFT, RIGHT, STEP = 640, 210, 24, 26
MOST_LETTERS = 30


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


def bars(days: Sequence[tuple[str, float]], title: str) -> str:
    """Return a count a day as bars with their numbers."""
    most, wide = max([n for _, n in days] + [1.0]), (WIDE - 40) / max(len(days), 1)
    marks = []
    for i, (name, n) in enumerate(days):
        x, tall = 20 + i * wide, 90 * n / most
        middle = f"{x + wide / 2:.1f}"
        marks.append(
            f'<rect class="bar" x="{x + 8:.1f}" y="{114 - tall:.1f}" width="{wide - 16:.1f}" height="{tall:.1f}"/>'
            f'<text class="mid" x="{middle}" y="{108 - tall:.1f}">{n:,.0f}</text>'
            f'<text class="mid quiet" x="{middle}" y="132">{escape(name)}</text>'
        )
    return _framed(140, title, marks)


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
