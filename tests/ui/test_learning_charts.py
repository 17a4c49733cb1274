"""The chart of a detection threshold and the charts of learning: what is drawn is what is known."""

from __future__ import annotations

import numpy as np

from core.learning.certify import Candidates, Evidence
from core.learning.curve import risk_coverage
from core.learning.detect.match import TradeRow
from core.ui import learning_charts, trade

ROWS = [TradeRow(k / 10, 90 - 5 * k, 10 - k, 3, 2, 40 - 4 * k, 5 * k) for k in range(10)]


def test_every_kind_of_region_is_a_line_of_its_own() -> None:
    """Six lines, told apart by colour and dash, and the same numbers in words."""
    figure = trade._chart(ROWS, 0.5)
    assert [list(t.y)[5] for t in figure.data] == [65, 25, 20, 3, 2, 5]
    assert len({(t.line.color, t.line.dash) for t in figure.data}) == 6
    assert "0.50: Found 65, Missed 25" in trade._in_words(ROWS)


def test_the_curve_shows_where_something_was_checked() -> None:
    """Points without a check are left out; the dot is open without a certificate; words say the same."""
    rng = np.random.default_rng(0)
    ids = np.arange(400)
    score = np.sort(rng.random(400))[::-1]
    seen = Evidence(ids[100:300:4], rng.random(50) < 0.1)
    curve = risk_coverage(Candidates(ids, score), seen)
    figure = learning_charts.risk_against_coverage(curve, 0.05, 0.5, certified=False)
    band, line, dot = figure.data
    assert len(line.x) == int((~np.isnan(curve.risk)).sum()) < len(curve.risk)
    assert len(band.x) == 2 * len(line.x)
    assert dot.marker.symbol == "circle-open"
    assert "Target: 5.0 %" in learning_charts.in_words(curve, 0.05)
    nothing = risk_coverage(Candidates(ids, score), Evidence(ids[:0], np.zeros(0, bool)))
    assert learning_charts.in_words(nothing, 0.05) == "Nothing was checked yet."
    learning_charts.risk_against_coverage(nothing, 0.05, 0.5, certified=False)


def test_a_runs_curve_has_a_line_for_each_figure_it_wrote() -> None:
    """What is missing at a step leaves a gap and no error; steps are those of the run."""
    rows = [{"step": 5, "loss": 2.0}, {"step": 10, "loss": 1.0, "accuracy": 0.5, "name": "x"}]
    figure = learning_charts.run_curve(rows, {"loss": "Loss", "accuracy": "Accuracy"})
    assert [(t.name, list(t.x)) for t in figure.data] == [("Loss", [5, 10]), ("Accuracy", [10])]
