"""Every shape through the house: import, vote, dispute, ruling, export, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import InputError
from core.labels import Answer
from core.labels.compare import same_answer
from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.items.why import explain
from core.services.review.adjudication import disputes
from core.services.review.disputes import get_dispute
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.exports import export_data
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from tests.drawn import Drawn, make_drawn
from tests.record import Cast, make_cast

DRAWING = [t for t in Task if t.draws]
LEAD = Policy(on_disagreement=OnDisagreement.LEAD)


def furnished(ws: Workspace, folder: Path, task: Task) -> tuple[Drawn, Cast]:
    """Return a drawn project and its people."""
    drawn = make_drawn(ws, folder, task, images=3, policy=LEAD)
    return drawn, make_cast(ws, drawn.slug)


def vote(ws: Workspace, drawn: Drawn, actor, item_id: int, answer: Answer) -> None:
    """Submit a vote."""
    submit(ws, actor, drawn.slug, Submission(new_uuid(), item_id, "vote", answer))


@pytest.mark.parametrize("format", ["csv", "coco"])
@pytest.mark.parametrize("task", DRAWING)
def test_gold_goes_out_and_comes_in_the_same(
    sqlite_ws: Workspace, tmp_path: Path, task: Task, format: str
) -> None:
    """Shapes, attributes and answers about the image; a second import changes nothing."""
    drawn, _ = furnished(sqlite_ws, tmp_path, task)
    office = operator(sqlite_ws)
    told = drawn.truth
    for item_id, answer in told.items():
        for expert in _experts(sqlite_ws, drawn):
            vote(sqlite_ws, drawn, expert, item_id, answer)
    out = export_data(sqlite_ws, office, drawn.slug, "labels", format)
    assert out.n_rows == 3
    folder = tmp_path / "again"
    folder.mkdir()
    for name, data in out.files.items():
        (folder / name).write_bytes(data)
    main = folder / next(iter(out.files))
    report = import_data(sqlite_ws, office, drawn.slug, main, ImportOptions("gold"))
    assert report.refused == ()
    assert report.gold == 3
    assert report.regions == sum(len(a.regions) for a in told.values())
    assert import_data(sqlite_ws, office, drawn.slug, main, ImportOptions("gold")).gold == 0
    gold = export_data(sqlite_ws, office, drawn.slug, "gold", format)
    if format == "coco":
        before, after = (json.loads(f.files["annotations.json"]) for f in (out, gold))
        assert before["annotations"] == after["annotations"]
        assert before["images"] == after["images"]


def _experts(ws: Workspace, drawn: Drawn):
    from core.services.accounts.people import actor_of, list_people

    names = {p.name: p.id for p in list_people(ws, operator(ws))}
    return [actor_of(ws, names[f"expert{n}.{drawn.slug}"]) for n in (0, 1)]


@pytest.mark.parametrize("task", DRAWING)
def test_a_dispute_over_an_attribute_is_settled_by_a_lead(
    sqlite_ws: Workspace, tmp_path: Path, task: Task
) -> None:
    """Votes that agree settle it; one other attribute makes a dispute, whatever the shape."""
    drawn, cast = furnished(sqlite_ws, tmp_path, task)
    agreed, disputed = list(drawn.truth)[:2]
    for item_id in (agreed, disputed):
        vote(sqlite_ws, drawn, cast.experts[0], item_id, drawn.truth[item_id])
    vote(sqlite_ws, drawn, cast.experts[1], agreed, drawn.truth[agreed])
    truth = drawn.truth[disputed]
    other = replace(truth.regions[0], attributes=(("severity", "high"),))
    changed = replace(truth, regions=(other, *truth.regions[1:]))
    vote(sqlite_ws, drawn, cast.experts[1], disputed, changed)
    assert explain(sqlite_ws, cast.lead, drawn.slug, agreed).state == "agreed"
    (row,) = disputes(sqlite_ws, cast.lead, drawn.slug)
    assert (row.item_id, row.differs) == (disputed, ("regions",))
    view = get_dispute(sqlite_ws, cast.lead, drawn.slug, disputed)
    taken = view.votes[1].answer
    assert taken == changed
    ruling = Ruling(
        new_uuid(), disputed, "decide", taken, "plain to see", view.votes_seen, view.newest_seq
    )
    decide(sqlite_ws, cast.lead, drawn.slug, ruling)
    why = explain(sqlite_ws, cast.lead, drawn.slug, disputed)
    assert same_answer(why.answer, changed)
    words = {"boxes": "box", "polygons": "polygon", "masks": "mask", "keypoints": "keypoints"}
    assert words[task.value] in " ".join(why.sentences)


def test_several_answers_through_the_house(sqlite_ws: Workspace, tmp_path: Path) -> None:
    """Tags in another order agree; they go out as a list and come in again."""
    drawn, cast = furnished(sqlite_ws, tmp_path, Task.CLASSIFICATION)
    item_id = next(iter(drawn.truth))
    for expert, tags in zip(cast.experts, [("food", "plant"), ("plant", "food")], strict=False):
        answer = Answer({"label": "leaf"}, (), {"tags": tags})
        vote(sqlite_ws, drawn, expert, item_id, answer)
    why = explain(sqlite_ws, cast.lead, drawn.slug, item_id)
    assert why.answer == Answer({"label": "leaf"}, (), {"tags": ("food", "plant")})
    assert "food, plant" in " ".join(why.sentences)
    out = export_data(sqlite_ws, operator(sqlite_ws), drawn.slug, "labels", "csv")
    table = tmp_path / "labels.csv"
    table.write_bytes(out.files["labels.csv"])
    assert b"food|plant" in table.read_bytes()
    report = import_data(sqlite_ws, operator(sqlite_ws), drawn.slug, table, ImportOptions("labels"))
    assert (report.labels, report.refused) == (1, ())


@pytest.mark.parametrize(
    ("task", "format", "able"),
    [
        (Task.MASKS, "yolo", "COCO JSON or CSV table"),
        (Task.MASKS, "voc", "COCO JSON or CSV table"),
        (Task.POLYGONS, "voc", "COCO JSON or YOLO text or CSV table"),
        (Task.KEYPOINTS, "voc", "COCO JSON or YOLO text or CSV table"),
    ],
)
def test_a_format_without_a_place_for_the_shape_says_who_has_one(
    sqlite_ws: Workspace, tmp_path: Path, task: Task, format: str, able: str
) -> None:
    """In one sentence, and nothing is written."""
    drawn = make_drawn(sqlite_ws, tmp_path, task, images=1)
    with pytest.raises(InputError, match=f"cannot carry {task.value}") as caught:
        export_data(sqlite_ws, operator(sqlite_ws), drawn.slug, "labels", format)
    assert able in caught.value.advice


def test_what_a_format_leaves_out_is_said(sqlite_ws: Workspace, tmp_path: Path) -> None:
    """YOLO has no place for attributes and tags."""
    drawn = make_drawn(sqlite_ws, tmp_path, Task.POLYGONS, images=1)
    out = export_data(sqlite_ws, operator(sqlite_ws), drawn.slug, "predictions", "yolo")
    assert any("Severity, Tags" in note for note in out.notes)


def test_shapes_of_another_task_are_refused_one_by_one(
    sqlite_ws: Workspace, tmp_path: Path
) -> None:
    """A table of boxes in a project of polygons leaves nothing behind, not even 'nothing here'."""
    drawn = make_drawn(sqlite_ws, tmp_path, Task.POLYGONS, images=1, predicted=False)
    table = tmp_path / "boxes.csv"
    table.write_text("file,label,x1,y1,x2,y2\n000.png,leaf,1,1,9,9\n000.png,leaf,1,1,5,5\n")
    report = import_data(sqlite_ws, operator(sqlite_ws), drawn.slug, table, ImportOptions("labels"))
    assert report.labels == 0
    assert [(r.line, "takes polygons" in r.reason) for r in report.refused] == [
        (2, True),
        (3, True),
    ]
