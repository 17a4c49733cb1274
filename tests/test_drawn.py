"""The drawn projects the other tests stand on: their truth is an answer their schema takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.labels.schema import Task
from core.services.workspace import Workspace
from tests.drawn import SIZE, guess, make_drawn


@pytest.mark.parametrize("task", Task)
def test_what_is_drawn_is_a_complete_answer(sqlite_ws: Workspace, tmp_path: Path, task) -> None:
    """Of every image, and the model's guess as well."""
    drawn = make_drawn(sqlite_ws, tmp_path, task, images=3)
    assert len(drawn.truth) == 3
    for item_id, answer in drawn.truth.items():
        assert drawn.project.schema.check(answer, *SIZE) == answer
        drawn.project.schema.check(guess(answer, item_id), *SIZE)
