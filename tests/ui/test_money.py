"""How the *throughput* page tells times and money."""

from __future__ import annotations

import pytest

from core.stats.intervals import Estimate
from core.ui.throughput.money import between, said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (8.73, "s", "8.73 s"),
        (119.0, "s", "119 s"),
        (120.0, "s", "2 min"),
        (7_100.0, "s", "118 min"),
        (9_864.0, "s", "2.74 h"),
        (3.14, "EUR", "3.14 EUR"),
        (0.00123, "EUR", "0.00123 EUR"),
    ],
)
def test_an_amount_is_told_in_the_unit_that_reads_best(value, unit, text) -> None:
    """Seconds up to two minutes, minutes up to two hours, then hours; money to its digits."""
    assert said(value, unit) == text


def test_an_interval_has_the_unit_of_its_figure() -> None:
    """Both ends, whatever unit each would have by itself; nothing where there is no interval."""
    assert between(Estimate(111.0, 89.24, 137.0, 80), "s") == "89.24 – 137 s"
    assert between(Estimate(7_300.0, 6_900.0, 7_700.0, 9), "s") == "1.92 – 2.14 h"
    assert between(Estimate(1.5, 1.25, 2.0, 9), "EUR") == "1.25 – 2.00 EUR"
    assert between(Estimate(1.5, None, None, 9), "s") == ""
