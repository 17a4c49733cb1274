"""What answers differ in, said in words a lead can act on."""

from __future__ import annotations

from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from core.labels.shapes import polygon_region
from core.ui.differences import Said, differences
from tests.drawn import schema_of

SCHEMA = schema_of(Task.POLYGONS)


def ring(x: float, label: str = "leaf", severity: str = "low"):
    """Return a square polygon."""
    points = [(x, 10), (x + 40, 10), (x + 40, 50), (x, 50)]
    return polygon_region(label, points, None, (("severity", severity),))


def told(*answers: Answer, schema: LabelSchema = SCHEMA) -> tuple[str, ...]:
    """Return the differences of answers by Reviewer 1, 2 and so on."""
    parties = [Said(f"Reviewer {n}", a) for n, a in enumerate(answers, 1)]
    return differences(schema, parties, 0.5)


def test_an_attribute_is_named_with_its_region() -> None:
    """And both values."""
    one = Answer({}, (ring(10), ring(100), ring(200)), {"tags": ("food",)})
    two = Answer({}, (ring(10), ring(100), ring(202, severity="high")), {"tags": ("food",)})
    assert told(one, two) == (
        "Reviewer 1 and Reviewer 2 differ in: Severity of region 3 (low / high).",
    )


def test_class_number_and_tags_are_named() -> None:
    """Whatever the order of tags; what only one has is counted."""
    one = Answer({}, (ring(10),), {"tags": ("food", "plant")})
    two = Answer({}, (ring(12, "stone"), ring(300)), {"tags": ("plant",)})
    (sentence,) = told(one, two)
    assert "Tags (food + plant / plant)" in sentence
    assert "class of region 1 (leaf / stone)" in sentence
    assert "regions only Reviewer 2 has: 1" in sentence


def test_answers_that_say_the_same_differ_in_nothing() -> None:
    """Also with tags in another order."""
    one = Answer({}, (ring(10),), {"tags": ("food", "plant")})
    two = Answer({}, (ring(11),), {"tags": ("plant", "food")})
    assert told(one, two) == ()


def test_many_people_make_no_endless_list() -> None:
    """The first pairs only; a question without an answer says so."""
    schema = LabelSchema(Task.CLASSIFICATION, (make_question("label", "Label", list("abcdef")),))
    people = [Answer({"label": name}) for name in "abcdef"] + [Answer()]
    found = told(*people, schema=schema)
    assert len(found) == 6
    assert told(people[0], Answer(), schema=schema) == (
        "Reviewer 1 and Reviewer 2 differ in: Label (a / no answer).",
    )
