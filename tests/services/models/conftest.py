"""Two real models of one project, trained once; each test gets a copy of their workspace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.services.workspace import open_workspace
from tests.pages.house import House
from tests.trained import make_trained


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Train the models."""
    return make_trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def trained(
    trained_once: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """Give a workspace of one's own with both models."""
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    shutil.copytree(trained_once.ws.root, tmp_path / "workspace")
    ws = open_workspace(tmp_path / "workspace")
    yield replace(trained_once, ws=ws)
    ws.store.close()
