"""Squares to be clicked: what is taken for what, and how far every two agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.stats.intervals import Estimate
from core.ui.charts.style import INK, LINE, axis_title, frame, plain, sentence, shortened
from core.ui.text import _
from core.ui.tokens import GOOD, MUTED
from core.ui.widgets import number

TAKEN = "#F0B84A"
STEPS = ("#EAF1FE", "#C3D8FA", "#93B9F3", "#2F62BD", "#163F8A")
"""One hue from light to dark: the more, the further from a light page."""

STEPS_ON_DARK = ("#1B2A44", "#1F3D73", "#2A56A8", "#5B91E6", "#A9CBFB")
"""The same hue from dark to light: the more, the further from a dark page."""


def confusion(
    cells: Sequence[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    right: str,
    wrong: str,
) -> go.Figure:
    """Return a confusion as squares to be clicked: area is the share of the row, the number its count.

    Args:
        cells: (true class, class said, how many); only those that have any.
        rows: True classes from top to bottom.
        columns: Classes said, from left to right.
        right: Name of what is right, for the legend.
        wrong: Name of what is mistaken.
    """
    totals: dict[str, int] = {}
    for truth, _said, n in cells:
        totals[truth] = totals.get(truth, 0) + n
    size = _square_px(len(rows), len(columns))
    figure = go.Figure()
    for name, same in ((right, True), (wrong, False)):
        part = [c for c in cells if (c[0] == c[1]) is same]
        figure.add_trace(_squares(part, rows, columns, totals, size, name, GOOD if same else TAKEN))
    frame(figure, 150 + max(size + 8, 26) * len(rows), legend=True)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[plain(shortened(r)) for r in rows],
        range=[len(rows) - 0.4, -0.6], showgrid=True, gridcolor=LINE, zeroline=False, automargin=True,
        title=axis_title(_("True class")),
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[plain(shortened(c)) for c in columns],
        range=[-0.6, len(columns) - 0.4], tickangle=-40, gridcolor=LINE, zeroline=False, automargin=True,
        title=axis_title(_("Said to be")),
    )  # fmt: skip
    return figure


def _squares(
    part: Sequence[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    totals: Mapping[str, int],
    size: int,
    name: str,
    colour: str,
) -> go.Scatter:
    share = [n / totals[truth] for truth, _said, n in part]
    return go.Scatter(
        x=[columns.index(said) for _truth, said, _n in part],
        y=[rows.index(truth) for truth, _said, _n in part],
        mode="markers+text",
        name=name,
        text=[f"{n:,}" for _truth, _said, n in part],
        textfont={"size": 12, "color": "#FFFFFF" if colour == GOOD else INK},
        customdata=[[truth, said] for truth, said, _n in part],
        # Area stands for the share; a floor keeps a single mistake large enough to be hit.
        marker={
            "symbol": "square",
            "color": colour,
            "size": [max(20.0, size * math.sqrt(s)) for s in share],
            "line": {"width": 0},
            "opacity": 1,
        },
        hovertext=[
            _("{n} of {total} true {truth} said to be {said} ({share})").format(
                n=f"{n:,}",
                total=f"{totals[truth]:,}",
                truth=plain(truth),
                said=plain(said),
                share=number(s, "%"),
            )
            for (truth, said, n), s in zip(part, share, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}, "textfont": {"color": MUTED}},
    )


def _square_px(rows: int, columns: int) -> int:
    return max(20, min(38, 560 // max(rows, columns, 1)))


def matrix(
    names: Sequence[str], cells: Sequence[Sequence[Estimate]], on_dark: bool = False
) -> go.Figure:
    """Return how far every two agree, as squares to be clicked: stronger is more, the number says it.

    The place of a square (row, column) is in its custom data.

    Args:
        names: Of rows and columns.
        cells: Shares; the diagonal is not looked at.
        on_dark: Whether the page is dark.
    """
    places = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
    known = [v for i, j in places if (v := cells[i][j].value) is not None]
    floor = min(0.8, math.floor(10 * min(known, default=0.0)) / 10)
    at = range(len(names))
    shade = [[None if i == j else cells[i][j].value for j in at] for i in at]
    figure = go.Figure(
        go.Heatmap(
            z=shade, zmin=floor, zmax=1, colorscale=_stepped(STEPS_ON_DARK if on_dark else STEPS), xgap=3, ygap=3, hoverinfo="skip",
            # Plotly takes the ink, dark or white, that reads on the square.
            text=[["" if v is None else f"{100 * v:.0f}" for v in row] for row in shade],
            texttemplate="%{text}", textfont={"size": 12 if len(names) <= 15 else 9},
            colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "len": 0.9,
                      "nticks": 6, "tickfont": {"size": 11, "color": MUTED}},
        )
    )  # fmt: skip
    figure.add_trace(_clicked_on(names, cells, places))
    for i, j in places:
        if shade[i][j] is None:
            figure.add_annotation(
                x=j, y=i, text="–", showarrow=False, font={"size": 12, "color": MUTED}
            )
    frame(figure, matrix_px(len(names)))
    labels = {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(shortened(n, 24)) for n in names],
        "showgrid": False, "zeroline": False, "automargin": True,
    }  # fmt: skip
    figure.update_yaxes(**labels, range=[len(names) - 0.5, -0.5])
    figure.update_xaxes(**labels, range=[-0.5, len(names) - 0.5], tickangle=-40)
    return figure


def matrix_px(names: int) -> int:
    """Return how high a matrix of so many names is; few get large squares."""
    return 96 + max(26, min(64, 480 // max(names, 1))) * names


def _stepped(colours: Sequence[str]) -> list[tuple[float, str]]:
    ends = [i / len(colours) for i in range(len(colours) + 1)]
    return [
        (end, colour)
        for colour, low, high in zip(colours, ends, ends[1:], strict=False)
        for end in (low, high)
    ]


def _clicked_on(
    names: Sequence[str], cells: Sequence[Sequence[Estimate]], places: Sequence[tuple[int, int]]
) -> go.Scatter:
    """Return unseen marks over the squares that catch the click: a heat map alone does not."""
    return go.Scatter(
        x=[j for _i, j in places],
        y=[i for i, _j in places],
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        customdata=[list(place) for place in places],
        hovertext=[
            f"<b>{plain(names[i])} · {plain(names[j])}</b><br>{sentence(cells[i][j])}"
            for i, j in places
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )
