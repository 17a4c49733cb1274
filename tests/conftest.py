"""Fixtures every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import FakeClock

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Give the folder of real datasets and weights, or skip where it is absent."""
    if not (SHARED / "datasets").is_dir():
        pytest.skip("the shared datasets are not beside this checkout")
    return SHARED


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still until moved."""
    return FakeClock()
