"""Examples beside the guideline: whose version, which items, by which names."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from core.access import Actor
from core.errors import InputError
from core.services.projects.project import GuidelineExample, get_project
from core.services.steering.rules import example_of, set_guideline
from core.store.tables import gold_answers
from tests.record import World, add_items, make_world, say


def test_examples_belong_to_a_guideline_version(make):
    """They are read back with name and picture; a new text keeps them; the same changes nothing."""
    world = make()
    chosen = [
        GuidelineExample(world.items[1], True, "sharp"),
        GuidelineExample(world.items[0], False, ""),
    ]
    now = set_guideline(world.ws, world.cast.lead, world.slug, "Look.", "first", chosen)
    assert [(e.item_id, e.good, e.note, e.name) for e in now.guideline_examples] == [
        (world.items[1], True, "sharp", "00001.png"), (world.items[0], False, "", "00000.png"),
    ]  # fmt: skip
    assert now.guideline_examples[0].image.startswith(f"/files/item/{world.items[1]}?v=")
    later = set_guideline(world.ws, world.cast.lead, world.slug, "Look twice.", "clearer")
    assert (later.guideline_version, later.guideline_examples) == (3, now.guideline_examples)
    same = set_guideline(world.ws, world.cast.lead, world.slug, "Look twice.", "again", chosen)
    assert same.guideline_version == 3


def test_what_may_not_be_an_example_is_refused(world: World):
    """Items of other projects, of evaluation, and gold: their answers are to be found out."""
    other = make_world(world.ws, n_items=1, slug="plants")
    (evaluate,) = add_items(world.ws, world.project, 1, use="evaluate", first=50)
    with world.ws.store.write() as connection:
        connection.execute(
            insert(gold_answers),
            {"project_id": world.project.id, "item_id": world.items[2], "label": "cat",
             "answer": say("cat").to_json(), "batch_id": None, "at": 1.0},
        )  # fmt: skip

    def refused(*ids: int) -> str:
        with pytest.raises(InputError) as error:
            set_guideline(
                world.ws, world.cast.lead, world.slug, "x", "y",
                [GuidelineExample(i, True, "") for i in ids],
            )  # fmt: skip
        return str(error.value)

    assert f"no item {other.items[0]} in this project" in refused(other.items[0])
    assert "no item 123456" in refused(123456)
    assert "drawn for evaluation" in refused(evaluate)
    assert "gold item" in refused(world.items[2])
    assert "twice" in refused(world.items[0], world.items[0])
    assert "24 examples" in refused(*world.items, *range(900, 930))
    assert get_project(world.ws, world.cast.lead, world.slug).guideline_version == 1


def test_an_example_is_found_by_name_and_by_number(world: World):
    """As the Items page shows them; what is not there is said."""
    lead: Actor = world.cast.lead
    assert example_of(world.ws, lead, world.slug, " 00003.png ").item_id == world.items[3]
    assert example_of(world.ws, lead, world.slug, f"#{world.items[3]}").name == "00003.png"
    assert example_of(world.ws, lead, world.slug, "00003").item_id == world.items[3]
    with pytest.raises(InputError, match="There is no item '0000'") as many:
        example_of(world.ws, lead, world.slug, "0000")
    assert many.value.advice.count(".png") == 5
    for asked in ("nothing.png", "", "9" * 30, "²"):
        with pytest.raises(InputError, match="There is no item"):
            example_of(world.ws, lead, world.slug, asked)
