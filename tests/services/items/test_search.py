"""Looking items up: every part of a search narrows, and nobody learns what is not for them."""

from __future__ import annotations

import json

import pytest

from core.clock import new_uuid
from core.errors import Forbidden, InputError
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.items import search as looking
from core.services.items.search import ItemSearch, find_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.talk.writing import resolve_thread, start_thread
from core.store.tables import item_metadata, item_names
from tests.record import World, boxes, make_world, vote


def found(world: World, **asked: object) -> list[int]:
    """Return the places of the items a lead finds."""
    search = ItemSearch(**asked)  # type: ignore[arg-type]
    rows = find_items(world.ws, world.cast.lead, world.slug, search)
    return [world.items.index(f.item_id) for f in rows]


def describe(world: World, place: int, **values: str) -> None:
    """Give an item metadata."""
    row = {
        "project_id": world.project.id, "item_id": world.items[place], "batch_id": None,
        "doc": json.dumps(values, ensure_ascii=False, sort_keys=True), "at": 1.0,
    }  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(item_metadata.insert(), row)


def test_states_and_final_labels_narrow(sqlite_ws):
    """Only a label in force counts, not what some voters said."""
    world = make_world(sqlite_ws)
    for place, label in ((0, "cat"), (1, "dog")):
        for expert in world.cast.experts[:2]:
            vote(world, expert, world.items[place], label)
    vote(world, world.cast.experts[0], world.items[2], "cat")
    assert found(world, states=frozenset({ItemState.AGREED})) == [0, 1]
    assert found(world, label="cat") == [0]
    assert found(world, name="00001", label="cat") == []
    (only,) = find_items(world.ws, world.cast.lead, world.slug, ItemSearch(label="dog"))
    assert (only.label, only.state) == ("dog", ItemState.AGREED)
    assert only.image.startswith(f"/files/item/{only.item_id}?v=")


def test_a_region_s_class_counts_for_boxes(sqlite_ws):
    """An item is found by any class among its final regions, by none that is not there."""
    world = make_world(sqlite_ws, task=Task.BOXES)
    for expert in world.cast.experts[:2]:
        sent = Submission(new_uuid(), world.items[3], "vote", boxes((5, 5, 30, 30), label="dog"))
        submit(world.ws, expert, world.slug, sent)
    assert found(world, label="dog") == [3]
    assert found(world, label="cat") == []


def test_metadata_is_found_by_text_and_by_column(sqlite_ws):
    """The newest metadata counts; columns and values are told apart; other letters match too."""
    world = make_world(sqlite_ws)
    describe(world, 0, site="Botanic Garden", light="sun")
    describe(world, 1, site="Old garden", light="sun")
    describe(world, 1, site="Übersee", light="sun")
    describe(world, 2, note="site 12:30")
    assert found(world, metadata="garden") == [0]
    assert found(world, metadata="ÜBER") == [1]
    assert found(world, metadata="Site: ü") == [1]
    assert found(world, metadata="light:sun") == [0, 1]
    assert found(world, metadata="light: garden") == []
    assert found(world, metadata="12:30") == [2]
    assert found(world, metadata='"') == []


def test_open_threads_narrow_for_those_who_steer(sqlite_ws):
    """A closed thread is none; an expert may ask neither for threads nor for the model's word."""
    world = make_world(sqlite_ws)
    lead, expert = world.cast.lead, world.cast.experts[0]
    for place in (1, 4):
        start_thread(world.ws, lead, world.slug, world.items[place], "hm", new_uuid())
    closed = start_thread(world.ws, lead, world.slug, world.items[2], "hm", new_uuid())
    resolve_thread(world.ws, lead, world.slug, closed.thread, new_uuid())
    assert found(world, talk=True) == [1, 4]
    for asked in (ItemSearch(talk=True), ItemSearch(predicted="cat")):
        with pytest.raises(Forbidden):
            find_items(world.ws, expert, world.slug, asked)


def test_all_matches_are_listed_up_to_the_limit_each_once(sqlite_ws, monkeypatch):
    """More than a screenful is listed; an item of two names comes once."""
    world = make_world(sqlite_ws, n_items=120)
    row = {"project_id": world.project.id, "item_id": world.items[0], "name": "zz.png", "at": 1.0}
    with world.ws.store.write() as connection:
        connection.execute(item_names.insert(), row)
    assert found(world) == list(range(120))
    monkeypatch.setattr(looking, "MOST_FOUND", 7)
    assert found(world) == list(range(7))
    with pytest.raises(InputError, match="can be looked for"):
        found(world, metadata="x" * 201)
