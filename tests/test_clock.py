"""The machine's clock: what it says is written into the record for good."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import LATEST, system_clock


@pytest.mark.parametrize("said", [-1e9, 253_402_300_900.0, 1e18])
def test_a_clock_that_lost_its_way_writes_no_time_that_cannot_be_shown(
    monkeypatch: pytest.MonkeyPatch, said: float
) -> None:
    """A vote of the year 10000 would break every figure of its project, for good."""
    monkeypatch.setattr(time, "time", lambda: said)
    shown = datetime.fromtimestamp(system_clock(), UTC)
    assert 1970 <= shown.year <= 9999
    assert shown + timedelta(days=30)


def test_the_time_is_the_machines_own() -> None:
    """Within the years that can be shown nothing is changed."""
    before = time.time()
    assert before <= system_clock() <= time.time() < LATEST
