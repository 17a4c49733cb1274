"""Charts: n in every label, an interval wherever there is one, a sentence where there is no figure."""

from __future__ import annotations

from datetime import date

from core.stats.intervals import Estimate
from core.ui import charts
from core.ui.charts import Dot

SURE = Estimate(0.61, 0.53, 0.69, 140)
NONE = Estimate(None, None, None, 3)


def labels(figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def test_every_row_says_its_n_and_shows_its_interval() -> None:
    """A dot, a line from end to end, and n beside the name."""
    figure = charts.dots([Dot("oak", (SURE,))])
    line, dot = figure.data
    assert list(line.x) == [0.53, 0.69]
    assert list(dot.x) == [0.61]
    assert "n = 140" in labels(figure)[0]
    assert "61.0 % (53.0 – 69.0 %, n = 140)" in dot.text[0]


def test_too_little_data_is_written_where_the_dot_would_be() -> None:
    """No dot at zero for what is not known."""
    figure = charts.dots([Dot("oak", (NONE,)), Dot("elm", (SURE,))])
    (mark,) = [t for t in figure.data if t.mode == "markers"]
    assert list(mark.y) == [1]
    (note,) = figure.layout.annotations
    assert (note.text, note.y) == ("not enough data", 0)


def test_two_series_differ_by_symbol_as_well_as_colour() -> None:
    """Recall and precision are told apart without colour."""
    figure = charts.dots([Dot("oak", (SURE, SURE))], ("found", "right"))
    symbols = {t.marker.symbol for t in figure.data if t.mode == "markers"}
    assert len(symbols) == 2
    assert figure.layout.showlegend


def test_a_confusion_can_be_clicked_and_read() -> None:
    """Every square carries its cell; its area is the share of the true class."""
    figure = charts.confusion(
        [("a", "a", 75), ("a", "b", 25), ("b", "b", 4)], ["a", "b"], ["a", "b"], "right", "wrong"
    )
    right, wrong = figure.data
    assert [list(c) for c in right.customdata] == [["a", "a"], ["b", "b"]]
    assert [list(c) for c in wrong.customdata] == [["a", "b"]]
    assert right.marker.symbol == "square"
    assert right.marker.size[1] > right.marker.size[0] > wrong.marker.size[0]
    assert "25 of 100 true a said to be b (25.0 %)" in wrong.hovertext


def test_names_keep_their_colour_from_chart_to_chart() -> None:
    """Somebody without hours does not shift everybody else's colour."""
    day = date(2026, 1, 1)
    names = ["ann", "bob", "cy"]
    one = charts.stacked_days({n: {day: 1.0} for n in names}, names, "Votes")
    two = charts.stacked_days({"cy": {day: 2.0}}, names, "Hours")
    colour = {t.name: t.marker.color for t in one.data}
    assert {t.name: t.marker.color for t in two.data} == {"cy": colour["cy"]}


def test_very_many_people_end_in_one_bar_of_others() -> None:
    """Beyond eight names the rest go together, and nothing is lost."""
    day = date(2026, 1, 1)
    names = [f"p{i:02}" for i in range(20)]
    figure = charts.stacked_days({n: {day: 1.0} for n in names}, names, "Votes")
    assert len(figure.data) == 8
    assert figure.data[-1].name == "13 others"
    assert sum(sum(t.y) for t in figure.data) == 20


def test_words_of_people_are_not_read_as_markup() -> None:
    """A class named like a tag is shown as it is written."""
    figure = charts.dots([Dot("<b>x</b>", (SURE,))])
    assert "&lt;b&gt;x&lt;/b&gt;" in labels(figure)[0]


def test_a_difference_is_written_with_its_sign() -> None:
    """Points below the rest carry a minus at both ends of the interval."""
    gap = Estimate(-14.0, -20.25, -3.0, 140)
    assert charts.sentence(gap, charts.POINTS) == "−14.0 points (−20.2 to −3.0 points, n = 140)"


def test_the_scale_of_small_shares_ends_where_the_data_do() -> None:
    """A few percent fill their scale, which begins at 0 and has round marks; large shares keep the whole."""
    few = [Estimate(0.01, 0.004, 0.031, 120), Estimate(0.0, 0.0, 0.02, 80)]
    extent = charts.from_zero(few)
    assert extent is not None
    assert extent[0] <= 0 < 0.031 < extent[1] <= 0.06
    axis = charts.dots([Dot("oak", (few[0],))], extent=extent).layout.xaxis
    assert list(axis.range) == list(extent)
    assert list(axis.ticktext) == ["0 %", "1 %", "2 %", "3 %", "4 %", "5 %"]
    assert charts.from_zero([Estimate(0.7, 0.6, 0.8, 9)]) is None
    assert charts.from_zero([NONE]) is None


def test_a_line_to_compare_with_and_the_scale_are_named() -> None:
    """The scale has a title; the line's name stands below the last row, where no dot is."""
    row = Dot("dusk", (Estimate(-4.0, -7.0, -1.0, 50),))
    figure = charts.dots([row, row], ("",), charts.POINTS, 0.0, axis="Points", zero_name="like all")
    assert figure.layout.xaxis.title.text == "Points"
    named = [a for a in figure.layout.annotations if a.text == "like all"]
    assert [(a.x, a.y > 1.5) for a in named] == [(0.0, True)]
    assert figure.layout.yaxis.range[0] > named[0].y
