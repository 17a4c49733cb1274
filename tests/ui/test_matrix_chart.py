"""The matrix of pairs: one hue, a number in every square, a square for every click."""

from __future__ import annotations

from core.stats.intervals import UNDEFINED, wilson
from core.ui import charts

NAMES = ["Ann", "Bo <b>", "Cy"]
SAME = wilson(18, 20)
CELLS = [[UNDEFINED, SAME, UNDEFINED], [SAME, UNDEFINED, UNDEFINED], [UNDEFINED] * 3]


def test_every_pair_has_a_number_or_says_too_little() -> None:
    """A known share stands as a number, an unknown one as a dash, and the diagonal stays empty."""
    figure = charts.matrix(NAMES, CELLS)
    heat, marks = figure.data
    assert [list(row) for row in heat.text] == [["", "90", ""], ["90", "", ""], ["", "", ""]]
    assert [a.text for a in figure.layout.annotations] == ["–"] * 4
    assert [tuple(p) for p in marks.customdata] == [
        (i, j) for i in range(3) for j in range(3) if i != j
    ]
    assert figure.layout.yaxis.ticktext[1] == "Bo &lt;b&gt;"


def test_the_hue_runs_from_light_to_dark_without_gaps() -> None:
    """The steps cover the whole scale, each twice: no colour lies between two of them."""
    for on_dark, steps in ((False, charts.STEPS), (True, charts.STEPS_ON_DARK)):
        scale = charts.matrix(NAMES, CELLS, on_dark).data[0].colorscale
        assert scale[0][0] == 0
        assert scale[-1][0] == 1
        assert [c for _, c in scale[::2]] == list(steps)


def test_more_agreement_stands_out_further_from_the_page() -> None:
    """On a light page a stronger square is darker, on a dark one it is lighter."""
    light, dark = ([_luminance(c) for c in s] for s in (charts.STEPS, charts.STEPS_ON_DARK))
    assert light == sorted(light, reverse=True)
    assert dark == sorted(dark)
    assert dark[0] < 0.05


def _luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(w * s**2.2 for w, s in zip((0.2126, 0.7152, 0.0722), shares, strict=True))


def test_nobody_to_compare_is_a_chart_of_nothing() -> None:
    """No person, or nobody who shares enough: nothing is raised."""
    assert len(charts.matrix([], []).data) == 2
    assert charts.matrix(["a", "b"], [[UNDEFINED] * 2] * 2).data[0].zmin <= 0.8
