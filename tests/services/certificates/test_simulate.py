"""What is simulated, what is refused and why; neither needs a model."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.labels.schema import Task
from core.learning.loop import LoopSettings, fine_tuned, hard_first
from core.services.certificates.simulate import _left_out, settings_for, simulate_project
from core.services.projects.project import NewProject, create_project
from core.services.workspace import Workspace
from tests.record import operator


def refused(ws: Workspace, new: NewProject) -> str:
    """Make a project and return the words with which it is not simulated."""
    boss = operator(ws)
    project = create_project(ws, boss, new)
    with pytest.raises(InputError) as error:
        simulate_project(ws, boss, project.slug, None, settings_for(0.05, 0.9), range(1))
    return str(error.value)


def test_regions_and_several_labels_are_refused_with_the_reason(sqlite_ws: Workspace) -> None:
    """A table of labels holds no drawing, and the promise counts an image as a whole."""
    boxes = refused(sqlite_ws, NewProject("boxes", Task.BOXES, ["cell"]))
    assert "holds none" in boxes
    assert "tiebreak certify" in boxes
    many = NewProject("tags", Task.CLASSIFICATION, ["a", "b"], several=["label"])
    assert "several labels an image" in refused(sqlite_ws, many)


def test_of_several_questions_the_first_is_simulated_and_that_is_said(sqlite_ws: Workspace) -> None:
    """The notice names what was left out; a project of one question has none."""
    boss = operator(sqlite_ws)
    new = NewProject("two", Task.CLASSIFICATION, ["a", "b"], questions={"light": ["day", "night"]})
    assert "light" in _left_out(create_project(sqlite_ws, boss, new)).lower()
    one = NewProject("one", Task.CLASSIFICATION, ["a", "b"])
    assert _left_out(create_project(sqlite_ws, boss, one)) == ""


def test_other_modes_keep_the_promise_asked_for() -> None:
    """Only how the campaign is run differs: target, confidence and a single look stay as they are."""
    asked = settings_for(0.02, 0.95)
    for plan in (fine_tuned(asked, 5_000), hard_first(asked, 5_000)):
        assert (plan.target, plan.delta) == (0.02, asked.delta)
        assert plan.looks == 1
        assert plan.asking == "border"
    assert LoopSettings().asking == "typical"
