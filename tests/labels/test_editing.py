"""Editing schemas: what each operation does, what it refuses, and that old labels stay readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.labels import Answer, LabelSchema, Region
from core.labels.colours import distances, hard_to_tell, suggest
from core.labels.editing import class_changes, edited, question_of
from core.labels.operations import (
    AddClass,
    AddQuestion,
    Merge,
    Recolour,
    Rekey,
    Rename,
    Restore,
    Retire,
    Retitle,
)
from core.labels.schema import PALETTE, Task, make_question


def pets(task: Task = Task.CLASSIFICATION) -> LabelSchema:
    return LabelSchema(task, (make_question("label", "Label", ["cat", "dog", "owl"]),))


def after(*operations, schema: LabelSchema | None = None) -> LabelSchema:
    return edited(schema or pets(), operations)[0]


def test_a_renamed_class_keeps_its_number_and_is_found_under_every_name_it_had():
    """Two renames later the first name still means the same class."""
    now = after(Rename("label", 0, "tomcat"), Rename("label", 0, "feline"))
    found = now.main.classes[0]
    assert (found.id, found.name, found.former) == (0, "feline", ("cat", "tomcat"))
    assert {now.main.today(n) for n in ("cat", "tomcat", "feline")} == {"feline"}


def test_a_class_may_take_its_own_old_name_back():
    """Going back is no conflict; the name in between stays its own."""
    now = after(Rename("label", 0, "tomcat"), Rename("label", 0, "cat"))
    assert now.main.classes[0].former == ("tomcat",)
    assert now.main.today("tomcat") == "cat"


def test_merged_classes_mean_the_one_that_took_them_over_also_over_two_steps():
    """cat → dog, then dog → owl: cat means owl."""
    now = after(Merge("label", 0, 1), Merge("label", 1, 2))
    assert now.main.names == ("owl",)
    assert now.translate(Answer({"label": "cat"})).choices == {"label": "owl"}
    drawn = after(Merge("label", 0, 1), schema=pets(Task.BOXES))
    assert drawn.translate(Answer({}, (Region("cat", 0, 0, 1, 1),))).regions[0].label == "dog"


def test_a_retired_class_stays_readable_and_cannot_be_chosen():
    """A draft may keep it, a vote may not; restored it can be chosen again."""
    now = after(Retire("label", 1))
    assert now.main.names == ("cat", "dog", "owl")
    assert now.main.open_names == ("cat", "owl")
    said = Answer({"label": "dog"})
    assert now.check(said, 9, 9, complete=False) == said
    with pytest.raises(InputError, match="retired and can no longer be chosen"):
        now.check(said, 9, 9)
    assert after(Restore("label", 1), schema=now).check(said, 9, 9) == said


def test_keys_change_places_at_once():
    """Two classes swap their keys in one operation, and each change is an event."""
    now, events = edited(pets(), [Rekey("label", ((0, "2"), (1, "1")))])
    assert [c.key for c in now.main.classes] == ["2", "1", "3"]
    assert [(e.kind, e.class_id, e.before, e.after) for e in events] == [
        ("rekey", 0, "1", "2"), ("rekey", 1, "2", "1"),
    ]  # fmt: skip


def test_events_tell_what_was_there_before_and_after():
    """One event an operation, none for an operation that changes nothing."""
    _, events = edited(
        pets(),
        [
            Recolour("label", 0, "#112233"),
            Rename("label", 1, "dog"),
            Merge("label", 1, 0),
            Retire("label", 2),
            AddClass("label", "fox", key="2"),
            Retitle("label", "Animal"),
        ],
    )
    assert [(e.kind, e.class_id, e.before, e.after) for e in events] == [
        ("recolour", 0, "#4477AA", "#112233"),
        ("merge", 1, "dog", "cat"),
        ("retire", 2, "owl", ""),
        ("add", 3, "", "fox"),
        ("question", None, "Label", "Animal"),
    ]


REFUSED = [
    ([Rename("label", 0, "dog")], "has a class 'dog' already"),
    ([Rename("label", 0, "x"), AddClass("label", "cat")], "was the name of 'x' before"),
    ([Rename("label", 0, "x"), Rename("label", 1, "cat")], "was the name of 'x' before"),
    ([Retire("label", 0), AddClass("label", "cat")], "Restore it instead"),
    ([Merge("label", 0, 1), AddClass("label", "cat")], "has a class 'cat' already"),
    ([Rename("label", 0, " \u200b")], "empty or invisible"),
    ([Recolour("label", 0, "red")], "is to be #RRGGBB, found 'red'"),
    ([Recolour("label", 0, "#12345")], "#RRGGBB"),
    ([Rekey("label", ((0, "2"),))], "Key 2 would choose both 'cat' and 'dog'"),
    ([Rekey("label", ((0, "x"),))], "is to be a digit"),
    ([AddClass("label", "fox", key="1")], "Key 1 of 'fox' is 'cat' already"),
    ([AddClass("label", "fox", "blue")], "#RRGGBB"),
    ([Retire("label", 0), Retire("label", 0)], "retired already"),
    ([Retire("label", 0), Retire("label", 1), Retire("label", 2)], "last class of 'Label'"),
    ([Restore("label", 0)], "is not retired"),
    ([Merge("label", 0, 0)], "into itself"),
    ([Retire("label", 1), Merge("label", 0, 1)], "into 'dog', which is retired"),
    ([Merge("label", 0, 1), Merge("label", 1, 0)], "'cat' was merged into 'dog'"),
    ([Merge("label", 0, 1), Rename("label", 0, "x")], "no class of its own any more"),
    ([Rename("label", 9, "x")], "no class number 9"),
    ([Rename("colour", 0, "x")], "no question 'colour'"),
    ([AddQuestion("label", "Label", ("a",))], "a question 'label' already"),
    ([AddQuestion("regions", "R", ("a",))], "cannot be the key"),
    ([AddQuestion("Big Key", "R", ("a",))], "cannot be the key"),
    ([AddQuestion("sex", "Sex", ())], "has no classes"),
    ([AddQuestion("sex", "Sex", ("a", "a"))], "named twice"),
    ([AddQuestion("sex", " ", ("a",))], "1 to 200 characters"),
    ([AddQuestion("sex", "Sex", ("a",), of_regions=True)], "regions are drawn"),
    ([Retitle("label", "")], "1 to 200 characters"),
]


@pytest.mark.parametrize(("operations", "sentence"), REFUSED, ids=lambda v: str(v)[:60])
def test_what_will_not_do_is_refused_with_a_sentence(operations, sentence):
    """Each refusal names what is wrong; nothing of the batch is done."""
    with pytest.raises(InputError) as refused:
        edited(pets(), operations)
    assert sentence in str(refused.value)


def test_the_last_class_that_can_be_chosen_may_be_merged_nowhere():
    """What is left of a question always offers a class."""
    lonely = after(Retire("label", 0), Retire("label", 1))
    with pytest.raises(InputError):
        after(Merge("label", 2, 0), schema=lonely)


def test_questions_are_added_for_the_item_and_for_regions():
    """Multi-label of the item, one class of a region; keys are of one space."""
    drawn = pets(Task.BOXES)
    now = after(
        AddQuestion("tags", "Tags", ("day", "night"), several=True),
        AddQuestion("pose", "Pose", ("up", "down"), of_regions=True),
        AddClass("pose", "sideways"),
        schema=drawn,
    )
    assert [q.key for q in now.item_questions] == ["tags"]
    assert now.region_questions[0].names == ("up", "down", "sideways")
    assert question_of(now, "tags").several
    assert LabelSchema.from_json(now.to_json()) == now
    with pytest.raises(InputError, match="already"):
        after(AddQuestion("pose", "P", ("a",)), schema=now)


NAMES = st.sampled_from(["cat", "dog", "owl", "fox", "elk", "ant"])
IDS = st.integers(0, 5)
OPERATIONS = st.one_of(
    st.builds(AddClass, st.just("label"), NAMES),
    st.builds(Rename, st.just("label"), IDS, NAMES),
    st.builds(Retire, st.just("label"), IDS),
    st.builds(Restore, st.just("label"), IDS),
    st.builds(Merge, st.just("label"), IDS, IDS),
)


@given(st.lists(OPERATIONS, max_size=25))
def test_whatever_is_done_every_name_ever_given_means_one_class_that_is_in_force(operations):
    """No circle, no lost name, no name of two classes, and always something to choose."""
    schema, ever = pets(), {"cat": 0, "dog": 1, "owl": 2}
    for operation in operations:
        try:
            schema, _ = edited(schema, [operation])
        except InputError:
            continue
        ever |= {c.name: c.id for c in schema.main.classes}
    assert schema.main.open_classes
    by_id = {c.id: c for c in schema.main.classes}
    for name, class_id in ever.items():
        found = by_id[class_id]
        while found.merged_into is not None:
            found = by_id[found.merged_into]
        assert schema.main.today(name) == found.name
        assert found.name in schema.main.names
        assert schema.main.today(schema.main.today(name)) == schema.main.today(name)


def test_what_a_model_no_longer_knows_of_is_added_retired_and_merged_classes_alone():
    """A rename or colour makes no model stale, nor does a question it does not answer."""
    now = after(
        Rename("label", 0, "feline"),
        Recolour("label", 1, "#000000"),
        AddQuestion("sex", "Sex", ("f", "m")),
    )
    assert class_changes(pets(), now, ["label"]) == ()
    later = after(Merge("label", 1, 0), Retire("label", 2), AddClass("label", "fox"), schema=now)
    assert class_changes(pets(), later, ["label"]) == (
        "'dog' was merged into 'feline'", "'owl' was retired", "'fox' was added",
    )  # fmt: skip
    assert class_changes(pets(), later, ["sex"]) == ()
    assert class_changes(pets(), after(Retire("label", 2), Restore("label", 2)), ["label"]) == ()


def test_red_and_green_that_colour_blind_eyes_confuse_are_found():
    """A green and a brown far apart for most are close for people who see no red or green."""
    assert hard_to_tell(["#FF0000", "#0000FF"]) == []
    assert hard_to_tell(["#4477AA", "#4578AB"]) == [(0, 1)]
    assert hard_to_tell(["#D62728", "#7F7F00", "#332288"]) == [(0, 1)]
    assert hard_to_tell(["#000000"]) == []


def test_suggested_colours_can_be_told_apart_and_keep_away_from_those_in_use():
    """A dozen stay apart for every kind of eye; a thousand still get a colour each."""
    assert hard_to_tell(list(suggest(10))) == []
    assert suggest(3) == suggest(3)
    apart = distances([PALETTE[0], *suggest(5, (PALETTE[0],))])
    assert apart[0, 1:].min() > 6
    many = suggest(1000)
    assert len(many) == 1000
    assert len(set(many)) > 30


def test_the_palette_keeps_sixteen_classes_apart_for_every_kind_of_eye():
    """What a new project's classes get by default passes our own warning."""
    assert len(set(PALETTE)) == 16
    assert hard_to_tell(PALETTE) == []
