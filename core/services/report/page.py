"""The report as one HTML file that needs nothing else: no script, no picture, no address of anybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from core.services.report.drawn import bars, dots
from core.services.report.parts import COEFFICIENT, POINTS, SHARE, Day, Report, Row, Section
from core.stats.intervals import Estimate

STYLE = Path(__file__).with_name("report.css")
NONE = "not enough data"
_FIGURE = re.compile(r"\bn = (?=\d)|(?<=\d) (?=%|points\b)")
"""Spaces within a figure: n, its sign and its number, and a number and its unit."""


def html_of(report: Report) -> str:
    """Return the report as one HTML document; what people named is escaped."""
    title = _text(f"{report.title}, week {report.week.name}")
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        # Whatever else goes wrong, the file cannot load or run anything.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{style}</style></head>"
        f"<body><main>{_head(report)}{''.join(_section(report, s) for s in report.sections)}</main></body></html>\n"
    )


def _head(report: Report) -> str:
    week, days = report.week, report.week.days
    made = datetime.fromtimestamp(report.made_at, ZoneInfo(week.tz))
    only = ", ".join(f"{c} is {'not known' if v is None else v}" for c, v in report.filters.items())
    facts = (
        ("Week", f"{week.name}: {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
         + ("" if report.over else ", not over yet")),
        ("Time zone", week.tz),
        ("Items", f"only where {only}" if only else "all"),
        ("Made", f"{made:%Y-%m-%d %H:%M}"),
        ("Data up to", f"vote {report.votes_up_to:,}, audit record {report.audit_up_to:,}"),
    )  # fmt: skip
    shown = "".join(f"<div><dt>{n}</dt><dd>{_text(t)}</dd></div>" for n, t in facts)
    chip = '<p class="chip">Simulated data</p>' if report.simulated else ""
    empty = (
        ""
        if _is_alive(report)
        else "<p><strong>No work in this week and the week before.</strong></p>"
    )
    return (
        f'<header><p class="eyebrow">Weekly report</p><h1>{_text(report.title)}</h1>{chip}<dl>{shown}</dl>{empty}'
        '<p class="quiet">Every figure has its 95 % interval and n, or says “not enough data”. '
        "<b>▲▼</b> marks a change whose intervals lie apart; any other may be chance.</p></header>"
    )


def _is_alive(report: Report) -> bool:
    return any(r.now.value or (r.before and r.before.value) for r in report.section("work").rows)


def _section(report: Report, section: Section) -> str:
    notes = [*section.notes]
    if report.filters and not section.filtered:
        notes.append("This part knows no filter: it speaks of all items.")
    parts = [
        f'<section aria-labelledby="{section.key}"><h2 id="{section.key}">{_text(section.title)}</h2>'
    ]
    if section.days:
        parts.append(_by_day(section.days))
    parts.append(_drawn(section))
    if section.rows:
        parts.append(_figures(section))
    if section.lines:
        parts.append(_list(section.title, section.columns, section.lines))
    parts += [f'<p class="quiet">{_text(n)}</p>' for n in notes]
    return "".join(parts) + "</section>"


def _by_day(days: Sequence[Day]) -> str:
    """Return the bars of a week under their title, with the sums that the table below has too."""
    said = ", ".join(f"{d} {v:,.0f} and {r:,.0f}" for d, v, r in days)
    votes, ruled = sum(d[1] for d in days), sum(d[2] for d in days)
    title = "Votes and decisions by leads a day"
    return (
        f"<figure><h3>{title}</h3>{bars(days, f'{title}: {said}')}"
        f'<figcaption><span class="k now">■</span> votes, {votes:,.0f} in all '
        f'<span class="k ruled">■</span> decisions by leads, {ruled:,.0f} in all</figcaption></figure>'
    )


def _drawn(section: Section) -> str:
    """Return shares as dots where there are several; coefficients of agreement on their own scale."""
    found = []
    for unit, low in ((SHARE, 0.0), (COEFFICIENT, -1.0)):
        rows = [r for r in section.rows if r.unit == unit and not r.exact and _fits(r, low)]
        if len(rows) > 1:
            clean = [Row(_plain(r.label), r.now, r.before, r.unit) for r in rows]
            found.append(
                f"<figure>{dots(clean, low, 1.0, f'{section.title}, as the table below says')}{_key(clean)}</figure>"
            )
    return "".join(found)


def _fits(row: Row, low: float) -> bool:
    return all(e is None or e.value is None or e.value >= low for e in (row.now, row.before))


def _key(rows: Sequence[Row]) -> str:
    if all(r.before is None for r in rows):
        return ""
    return '<figcaption><span class="k now">●</span> this week <span class="k before">◇</span> the week before</figcaption>'


def _figures(section: Section) -> str:
    two = any(r.before is not None for r in section.rows)
    head = ["", "This week" if two else "Figure", *(["Week before"] if two else [])]
    top = "".join(f'<th scope="col">{h}</th>' if h else "<td></td>" for h in head)
    body = "".join(_row(r, two) for r in section.rows)
    return f"<table><caption>{_text(section.title)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Row, two: bool) -> str:
    cells = f'<th scope="row">{_text(row.label)}</th><td>{_cell(row.now, row)}{_moved(row)}</td>'
    if two:
        cells += f"<td>{'–' if row.before is None else _cell(row.before, row)}</td>"
    return f"<tr>{cells}</tr>"


def _moved(row: Row) -> str:
    if not row.moved or row.before is None:
        return ""
    up = (row.now.value or 0.0) > (row.before.value or 0.0)
    sign, word = ("▲", "higher than the week before") if up else ("▼", "lower than the week before")
    return f' <b role="img" aria-label="{word}">{sign}</b>'


def _cell(e: Estimate, row: Row) -> str:
    if e.value is None:
        return f'<span class="quiet">{NONE}, {_whole(f"n = {e.n:,}")}</span>'
    if row.exact:
        return f"<b>{_number(e.value, '')}</b>"
    ends = ""
    if e.low is not None and e.high is not None:
        ends = f"{_number(e.low, row.unit)} to {_number(e.high, row.unit)}, "
    shown = _whole(f'{_number(e.value, row.unit)}</b> <span class="quiet">{ends}n = {e.n:,}')
    return f"<b>{shown}</span>"


def _number(value: float, unit: str) -> str:
    if unit == SHARE:
        return f"{value * 100:.1f} %"
    if unit == POINTS:
        return f"{value * 100:+.1f} points"
    if unit == COEFFICIENT:
        return f"{value:.3f}"
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{text} {_text(unit)}".strip()


def _list(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{_text(c)}</th>' for c in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(c)}</td>' for c in line)}</tr>" for line in lines)
    return f"<table><caption>{_text(title)}: list</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _text(text: str) -> str:
    """Return text as HTML shows it: tags, control and direction marks do nothing."""
    return escape(_whole(_plain(text)))


def _whole(text: str) -> str:
    """Return text in which no line ends within a figure."""
    return _FIGURE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
