"""The bias page: the sentence that names the worst slice, and what it says when there is none."""

from __future__ import annotations

import pytest

from core.services.projects.project import ProjectView, get_project
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.record import add_items
from tests.worked import describe, know, predict


def fill(house: House, wrong_under_c: bool) -> ProjectView:
    """Add 120 items of three cameras with gold and predictions."""
    boss = house.actor("mia")
    project = get_project(house.ws, boss, "leaves")
    ids = add_items(house.ws, project, 120, first=100)
    know(house.ws, project, dict.fromkeys(ids, "oak"))
    describe(house.ws, project, {i: {"camera": "ABC"[n % 3]} for n, i in enumerate(ids)})
    bad = {i for n, i in enumerate(ids) if wrong_under_c and n % 3 == 2 and n % 2}
    predict(house.ws, project, {i: "birch" if i in bad else "oak" for i in ids})
    return project


@pytest.fixture
def biased(house: House) -> House:
    """Give a house whose model is right half the time under camera C."""
    fill(house, wrong_under_c=True)
    return house


def test_the_worst_slice_is_named_in_one_sentence(biased: House, monkeypatch) -> None:
    """The sentence has the share, n, the interval and the distance, and leads to the items."""
    at = Visit(biased, monkeypatch, "mia").open("bias", project="leaves")
    assert not at.exception
    text = words(at)
    assert (
        "Where camera is C, the model is right 50 % of the time "
        "(n = 40; 95 % interval 35 % – 65 %), 50 points below the rest." in text
    )
    assert "/quality?project=leaves&amp;whose=model&amp;against=gold&amp;where=camera%3AC" in text
    assert "&lt; 0.001" in text


def test_no_difference_is_said_as_such(house: House, monkeypatch) -> None:
    """A model that is right everywhere is nowhere behind."""
    fill(house, wrong_under_c=False)
    at = Visit(house, monkeypatch, "mia").open("bias", project="leaves")
    assert "No slice is surely worse than the rest." in words(at)


def test_too_little_data_is_a_state(house: House, monkeypatch) -> None:
    """Without anything to compare there is no chart."""
    at = Visit(house, monkeypatch, "mia").open("bias", project="leaves")
    assert "Not enough data" in words(at)
    assert not at.exception


def test_boxes_are_sliced_too(house: House, monkeypatch) -> None:
    """A box project has the same page; without any statement it says so."""
    at = Visit(house, monkeypatch, "mia").open("bias", project="cells")
    assert not at.exception
    assert "Not enough data" in words(at)


def test_the_dearest_slice_shows_its_items_and_its_bounty(biased: House, monkeypatch) -> None:
    """Behind the slice are the items the model has wrong, and what more labels would bring."""
    text = words(Visit(biased, monkeypatch, "mia").open("bias", project="leaves"))
    assert "Behind: camera: C" in text
    assert "1 of 1 wrong" in text
    assert "Slice bounty" in text
    assert "Where it costs most" in text


def test_columns_and_slice_come_from_the_address(biased: House, monkeypatch) -> None:
    """Who opens a link sees the figure, the columns and the slice it names; nonsense is said."""
    for asked, expected in (
        ({"by": "camera", "slice": "camera:A", "least": "10"}, "Behind: camera: A"),
        ({"by": "weather"}, "There is no column"),
        ({"slice": "camera:Z"}, "There is no slice where"),
    ):
        at = Visit(biased, monkeypatch, "mia").open("bias", project="leaves", **asked)
        assert expected in words(at)


def test_an_expert_may_not_see_it(house: House, monkeypatch) -> None:
    """Figures per person are for those who steer."""
    at = Visit(house, monkeypatch, "ada").open("bias", project="leaves")
    assert "not part of your role" in words(at)


def test_where_bias_comes_from_tells_camera_and_labels_apart(biased: House, monkeypatch) -> None:
    """The second view gives the camera its own part, and each label beside the attributes."""
    text = words(
        Visit(biased, monkeypatch, "mia").open(
            "bias", project="leaves", view="origins", effect="camera:C", said="model"
        )
    )
    assert "The camera, or who used it?" in text
    assert "of its own (" in text
    assert "Behind: camera: C" in text
    assert "Labels that go with what should not matter" in text
    assert "groups were compared" in text


def test_team_and_time_zone_are_in_the_address(biased: House, monkeypatch) -> None:
    """The page cuts hours in the zone the address names, and says when there is no such zone."""
    at = Visit(biased, monkeypatch, "mia").open("bias", project="leaves", tz="Mars/Olympus")
    assert "There is no time zone" in words(at)
    assert "Time zone" in [box.label for box in at.selectbox]
