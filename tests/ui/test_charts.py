"""Charts: n in every label, an interval wherever there is one, a sentence where there is no figure."""

from __future__ import annotations

from datetime import date

from core.services.versions.differing import Tally
from core.stats.intervals import Estimate
from core.ui import charts
from core.ui.charts import Dot
from core.ui.theme import fill
from core.ui.versions.diff import _bars
from core.ui.widgets import unbroken

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


def test_a_scale_ends_where_its_intervals_do() -> None:
    """All below nothing: the scale ends at the line to compare with, whose name then stands left of it."""
    below = Estimate(-14.0, -20.0, -3.0, 140)
    low, high = charts.ends_of([below, NONE])
    assert low < -20.0 < 0.0 < high < 2.0
    least = charts.ends_of([Estimate(0.1, 0.0, 0.2, 9)], least=5.0)
    assert least[1] - least[0] >= 5.0
    chart = charts.dots(
        [Dot("oak", (below,))], unit="points", zero=0.0, extent=(low, high), zero_name="all"
    )
    (note,) = chart.layout.annotations
    assert note.xanchor == "right"


def test_a_long_name_takes_two_lines_and_loses_nothing() -> None:
    """What a slice is of is read whole; only beyond two lines it is cut."""
    name = "taken at (month): 2025-06 · Contrast: 25.5 to 37.7"
    (label,) = labels(charts.dots([Dot(name, (SURE,))]))
    assert label.partition(" <span")[0] == name.replace("· ", "·<br>")
    for words in ("one · " + "word " * 9, "word " * 8 + "x"):
        (label,) = labels(charts.dots([Dot(words, (SURE,))]))
        first, _br, second = label.partition(" <span")[0].partition("<br>")
        assert 30 < len(first) <= 40
        assert f"{first} {second}".strip() == words.strip()
    (long,) = labels(charts.dots([Dot("x" * 200, (SURE,))]))
    assert max(len(line) for line in long.partition(" <span")[0].split("<br>")) <= 40


def test_a_figure_of_a_table_stays_on_one_line() -> None:
    """n with its number and a number with its unit are not parted; what is within a tag is left alone."""
    shown = unbroken(fill("<b title='n = 7'>{t}</b>", t="9.5 – 12 %, n = 1,025 <i>"))
    assert "<span class='tb-whole'>n = 1,025</span>" in shown
    assert "<span class='tb-whole'>12 %</span>" in shown
    assert "title='n = 7'" in shown
    assert "&lt;i&gt;" in shown


def test_a_difference_of_versions_is_drawn_from_zero_in_whole_items() -> None:
    """One item that went is one of five to the right, not a whole bar; what came and went is stacked."""
    one = Tally("Rowan", 56, 55, 0, 1, 0, NONE)
    few = _bars([one])
    assert few.layout.xaxis.range == (0, 5.1)
    assert list(few.layout.xaxis.tickvals) == [0, 1, 2, 3, 4, 5]
    assert [list(t.x) for t in few.data] == [[0], [1], [0]]
    assert few.layout.barmode == "stack"
    many = _bars([Tally("Beech", 10, 10, 80, 30, 27, NONE)])
    assert list(many.layout.xaxis.tickvals) == [0, 50, 100, 150]
