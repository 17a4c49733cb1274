"""Templates: each makes a project that people can work in at once."""

from __future__ import annotations

import pytest

from core.clock import new_uuid
from core.errors import ConflictError, Forbidden, InputError
from core.labels import Answer
from core.labels.region import Shape
from core.labels.schema import Task
from core.labels.shapes import keypoints_region, polygon_region
from core.services.accounts.people import operator
from core.services.projects.project import create_project, get_project
from core.services.projects.ready_templates import BODY, TEMPLATES, template
from core.services.projects.templates import from_template, shaped
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from tests.record import World, add_items, boxes, make_cast

WANTED = {
    "species", "product", "defect", "lesion", "cells", "plates", "logo", "logo-position",
    "people-keypoints", "scene-tags",
}  # fmt: skip


def test_what_was_asked_for_is_there():
    """The goals people begin with, each under a key of its own."""
    keys = [t.key for t in TEMPLATES]
    assert len(set(keys)) == len(keys)
    assert set(keys) >= WANTED
    assert {t.schema.task for t in TEMPLATES} == set(Task)
    assert len(BODY.points) == 17
    assert {i for e in BODY.edges for i in e} == set(range(17))


@pytest.mark.parametrize("found", TEMPLATES, ids=lambda t: t.key)
def test_each_template_makes_a_project(sqlite_ws, found):
    """Questions, guideline and policy are in force at once; no image is refused for its metadata."""
    new = from_template(found, "mine", "My project")
    made = create_project(sqlite_ws, operator(sqlite_ws), new)
    assert made.schema == found.schema
    assert (made.title, made.guideline, made.policy) == (
        "My project",
        found.guideline,
        found.policy,
    )
    assert made.required_metadata == ()
    assert all(q.title and q.open_classes for q in found.asked)


@pytest.mark.parametrize("key", ["product", "defect", "lesion", "people-keypoints", "scene-tags"])
def test_a_first_answer_can_be_given(sqlite_ws, key):
    """A vote that answers all that is asked is taken; one that leaves something out is not."""
    found = template(key)
    project = create_project(sqlite_ws, operator(sqlite_ws), from_template(found, "mine", "x"))
    (item,) = add_items(sqlite_ws, project, 1)
    world = World(sqlite_ws, project, [item], make_cast(sqlite_ws, "mine", 1))
    answer = whole_answer(found)
    with pytest.raises(InputError):
        send(world, Answer(dict.fromkeys(["nothing"], "x")))
    assert send(world, answer) == "saved"


def send(world: World, answer: Answer) -> str:
    sent = Submission(new_uuid(), world.items[0], "vote", answer)
    return submit(world.ws, world.cast.experts[0], "mine", sent).status


def whole_answer(found) -> Answer:
    """Answer everything a template asks with its first classes."""
    schema = found.schema
    choices = {q.key: q.names[0] for q in schema.item_questions if not q.several}
    multi = {q.key: q.names[:2] for q in schema.item_questions if q.several}
    about = tuple((q.key, q.names[0]) for q in schema.region_questions)
    name = schema.main.names[0]
    if schema.task.shape is Shape.BOX:
        (plain,) = boxes((5, 5, 20, 20), label=name).regions
        regions = (type(plain)(name, *plain.box, attributes=about),)
    elif schema.task.shape is Shape.POLYGON:
        regions = (polygon_region(name, [(5, 5), (20, 5), (5, 20)], attributes=about),)
    elif schema.task.shape is Shape.KEYPOINTS:
        regions = (keypoints_region(name, [(5 + i, 5 + 2 * i, 2) for i in range(17)]),)
    else:
        regions = ()
    return Answer(choices, regions, multi)


def test_classes_are_edited_before_the_project_is_made(sqlite_ws):
    """Names given replace the template's, with fresh numbers, colours and keys."""
    new = from_template(
        template("defect"), "m", "M", {"label": ["rust"], "severity": ["low", "high"]}
    )
    made = create_project(sqlite_ws, operator(sqlite_ws), new)
    assert made.schema.main.names == ("rust",)
    assert [(c.name, c.key) for c in made.schema.region_questions[0].classes] == [
        ("low", "1"), ("high", "2"),
    ]  # fmt: skip


def test_required_metadata_is_what_was_asked_for(sqlite_ws):
    """Columns are trimmed, empty and repeated ones dropped; the template's stay a suggestion."""
    new = from_template(template("species"), "m", "M", None, [" site ", "", "site", "date"])
    assert create_project(sqlite_ws, operator(sqlite_ws), new).required_metadata == ("site", "date")
    assert template("species").usual_metadata == ("location", "date")
    with pytest.raises(InputError, match="can be required"):
        from_template(template("species"), "m", "M", None, ["x" * 101])


@pytest.mark.parametrize("task", list(Task))
def test_something_else_takes_every_task(sqlite_ws, task):
    """The free template makes a project of any geometry; several classes only of whole images."""
    found = shaped(template("blank"), task, ["head", "tail"], several=True)
    made = create_project(sqlite_ws, operator(sqlite_ws), from_template(found, "m", "M"))
    assert made.task is task
    assert made.schema.main.several is (task is Task.CLASSIFICATION)
    keypoints = task is Task.KEYPOINTS
    assert made.schema.skeleton.points == (("head", "tail") if keypoints else ())
    assert made.schema.skeleton.edges == (((0, 1),) if keypoints else ())


def test_a_template_with_a_task_keeps_it():
    """Only the free one is shaped; points that will not do are refused."""
    with pytest.raises(InputError, match="task of its own"):
        shaped(template("logo"), Task.BOXES)
    with pytest.raises(InputError, match="same name"):
        shaped(template("blank"), Task.KEYPOINTS, ["a", "a"])


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ({"label": []}, "has no classes"),
        ({"label": ["a", "a"]}, "named twice"),
        ({"label": ["\u200b"]}, "empty or invisible"),
        ({"colour": ["a"]}, "does not ask 'colour'"),
    ],
)
def test_classes_that_will_not_do_are_refused(classes, sentence):
    """The same sentences as everywhere."""
    with pytest.raises(InputError) as error:
        from_template(template("species"), "m", "M", classes)
    assert sentence in str(error.value)


def test_a_taken_name_or_a_stranger_is_refused(sqlite_ws):
    """One slug once; only who may create projects does."""
    boss = operator(sqlite_ws)
    create_project(sqlite_ws, boss, from_template(template("logo"), "mine", "x"))
    with pytest.raises(ConflictError):
        create_project(sqlite_ws, boss, from_template(template("logo"), "mine", "x"))
    cast = make_cast(sqlite_ws, "mine", 1)
    with pytest.raises(Forbidden):
        create_project(sqlite_ws, cast.lead, from_template(template("logo"), "other", "x"))
    with pytest.raises(InputError):
        create_project(sqlite_ws, boss, from_template(template("logo"), "Not A Slug", "x"))
    assert get_project(sqlite_ws, boss, "mine").title == "x"
    with pytest.raises(InputError, match="There is no template"):
        template("nothing")
