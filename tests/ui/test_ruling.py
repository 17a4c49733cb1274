"""What the dispute's element tells the page: where to go next, what the canvas begins with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.labels import Answer, Region
from core.labels.schema import LabelSchema, Task, make_question
from core.ui import ruling

BOXES = LabelSchema(Task.BOXES, (make_question("label", "Class", ["cat", "dog"]),))
FIRST = Answer({}, (Region("cat", 1, 2, 30, 40),))


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give the state of a browser tab in which three disputes are listed and the second is shown."""
    state: dict[str, Any] = {ruling.LIST: ruling.Listed((4, 7, 9), 7, "leaf-7.jpg")}
    monkeypatch.setattr(ruling, "st", SimpleNamespace(session_state=state, query_params={}))
    return state


def tell(monkeypatch: pytest.MonkeyPatch, **said: Any) -> None:
    """Let the browser tell something."""
    monkeypatch.setattr(ruling, "heard", lambda name: said[name])


def test_the_next_dispute_opens_after_a_ruling(
    tab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands at its place in the list then."""
    tell(monkeypatch, settled={"item_id": 7})
    ruling._settled()
    assert (tab[ruling.PICK], tab[ruling.PLACE]) == (0, 1)


@pytest.mark.parametrize("said", [{}, {"item_id": 4}, {"item_id": "7"}, {"item_id": None}])
def test_what_is_told_of_another_dispute_moves_nobody(
    tab: dict[str, Any], monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]
) -> None:
    """A late or forged word is no reason to leave what is on the screen."""
    tell(monkeypatch, settled=said, step=said)
    ruling._settled()
    ruling._step()
    assert ruling.PICK not in tab


@pytest.mark.parametrize(("by", "to"), [(1, 9), (-1, 4), ("far", 9)])
def test_arrows_go_through_the_list(
    tab: dict[str, Any], monkeypatch: pytest.MonkeyPatch, by: Any, to: int
) -> None:
    """One on or one back, whatever else is said."""
    tell(monkeypatch, step={"item_id": 7, "by": by})
    ruling._step()
    assert tab[ruling.PICK] == to


NAN = float("nan")
BAD: list[Any] = [
    None,
    [],
    "answer",
    {"choices": 3},
    {"regions": 5},
    {"regions": [{}]},
    {"regions": [{"label": "cat", "box": [1, 2]}]},
    {"regions": [{"label": "wolf", "box": [1, 2, 30, 40]}]},
    {"regions": [{"label": "cat", "box": [NAN, 2, 30, 40]}]},
    {"regions": [{"label": "cat", "box": [-500, 2, 30, 40]}]},
    {"regions": [{"label": "cat", "box": [1, 2, 3, 4], "shape": "blob"}]},
    {"regions": [{"label": "cat", "box": [1, 2, 30, 40]}] * 10_000},
]


@pytest.mark.parametrize("sent", BAD, ids=lambda s: str(s)[:40])
def test_the_canvas_never_begins_with_nonsense(sent: Any) -> None:
    """Where the browser's answer fits no schema or image, the first vote's regions are shown."""
    assert _begun(sent) == FIRST


def test_the_canvas_begins_with_what_is_in_hand() -> None:
    """The regions taken, none at all too; without any yet, the first vote's."""
    taken = {"choices": {}, "multi": {}, "regions": [{"label": "dog", "box": [5, 5, 50, 50]}]}
    assert _begun(taken).regions == (Region("dog", 5, 5, 50, 50),)
    assert _begun({"choices": {}, "regions": []}).regions == ()
    assert _begun({"choices": {}, "multi": {}, "regions": None}) == FIRST


def _begun(sent: Any) -> Answer:
    project = SimpleNamespace(schema=BOXES)
    item = SimpleNamespace(item_id=7, width=640, height=480)
    view = SimpleNamespace(item=item, votes=(SimpleNamespace(answer=FIRST),))
    return ruling._answer_of(project, view, sent)
