"""The throughput page: its views, their counts, tables and files, the time looked at."""

from __future__ import annotations

import pytest

from core.services.projects.training_rules import get_training_rules
from tests.pages.browser import Visit, words
from tests.pages.house import House


def test_work_is_shown_by_person_with_units(house: House, monkeypatch) -> None:
    """Two votes of Ada: the counts, her name, the time zone; too few for a median."""
    at = Visit(house, monkeypatch, "mia").open("throughput", project="leaves")
    assert not at.exception
    text = words(at)
    assert "Ada Expert" in text
    assert at.selectbox(key="choice.tz").value == at.query_params["tz"] == "UTC"
    assert "not enough data, n = 2" in text
    assert "Complete counts, not estimates" in text


@pytest.mark.parametrize(
    ("view", "tables"),
    [
        ("done", ("waiting", "left-by-day", "days", "people")),
        ("pace", ("vote-times", "pace-by-person", "by-hour-of-sitting")),
        ("cost", ("costs",)),
    ],
)
def test_each_table_can_be_taken_away(house: House, monkeypatch, view, tables) -> None:
    """Every table of a view is a file, in two forms."""
    at = Visit(house, monkeypatch, "mia").open("throughput", project="leaves", view=view)
    assert not at.exception
    offered = sorted(button.key for button in at.get("download_button"))
    assert offered == sorted(f"download.{t}.{form}" for t in tables for form in ("csv", "parquet"))


def test_a_view_is_chosen_and_stands_in_the_address(house: House, monkeypatch) -> None:
    """Another view keeps the person; the first one needs no parameter, nor does one that is none."""
    visit = Visit(house, monkeypatch, "mia")
    at = visit.open("throughput", project="leaves", person="ada")
    switch = at.segmented_control(key="throughput.view")
    assert switch.value == "done"
    switch.set_value("pace").run()
    assert at.query_params["view"] == "pace"
    assert at.query_params["person"] == "ada"
    assert "the data do not tell who is faster" in words(at)
    at.segmented_control(key="throughput.view").set_value("done").run()
    assert "view" not in at.query_params
    at = visit.open("throughput", project="leaves", view="<b>")
    assert at.segmented_control(key="throughput.view").value == "done"
    assert not at.exception


def test_the_time_and_the_person_live_in_the_address(house: House, monkeypatch) -> None:
    """A link opens on one person; somebody without work gets a sentence."""
    at = Visit(house, monkeypatch, "mia").open(
        "throughput", project="leaves", person="ada", days="7"
    )
    assert at.selectbox(key="choice.person").value == "ada"
    assert at.selectbox(key="choice.days").value == "7"
    assert not at.exception
    at.selectbox(key="choice.days").select("all").run()
    assert "days" not in at.query_params


def test_the_time_zone_lives_in_the_address(house: House, monkeypatch) -> None:
    """A link opens in its time zone; one that does not exist gets a sentence and the reader's own."""
    visit = Visit(house, monkeypatch, "mia")
    at = visit.open("throughput", project="leaves", tz="Asia/Seoul")
    assert at.selectbox(key="choice.tz").value == "Asia/Seoul"
    at = visit.open("throughput", project="leaves", tz="Mars/<b>Olympus")
    assert "There is no time zone &#x27;Mars/&lt;b&gt;Olympus&#x27;; days are cut in UTC" in words(
        at
    )
    assert not at.exception


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("done", "No work in this time"),
        ("pace", "No work in this time"),
        ("cost", "n = 0 votes with a time"),
    ],
)
def test_no_work_yet_is_a_state(house: House, monkeypatch, view, said) -> None:
    """A project nobody worked on says what would be counted, and may have its rates set before."""
    at = Visit(house, monkeypatch, "mia").open("throughput", project="cells", view=view)
    assert said in words(at)
    assert not at.exception


def test_an_expert_may_not_see_it(house: House, monkeypatch) -> None:
    """Figures per person are for those who steer."""
    at = Visit(house, monkeypatch, "ada").open("throughput", project="leaves")
    assert "not part of your role" in words(at)


def test_what_is_left_what_it_costs_and_the_pace_are_shown(house: House, monkeypatch) -> None:
    """Every panel says what it can of two votes, and asks for more data where it cannot."""
    visit = Visit(house, monkeypatch, "mia")
    at = visit.open("throughput", project="leaves")
    for said in ("What items wait for", "What is left", "Not enough data for a forecast"):
        assert said in words(at)
    at = visit.open("throughput", project="leaves", view="cost")
    for said in ("What labels cost", "Time saved, measured"):
        assert said in words(at)
    at = visit.open("throughput", project="leaves", view="pace", by="prelabel")
    assert not at.exception
    text = words(at)
    for said in (
        "Pace: answers in an hour at work", "Too few hours to compare", "Hour 1: n = 2.",
        "with 10 answers after it", "Each answer was of an item of its own",
    ):  # fmt: skip
        assert said in text
    assert "Items an hour" not in text
    assert "Rank" not in text
    assert at.selectbox(key="choice.by").value == "prelabel"


def test_a_rate_is_set_where_the_costs_are(house: House, monkeypatch) -> None:
    """A manager sets what an hour costs, with a reason; without one a sentence says so."""
    at = Visit(house, monkeypatch, "mia").open("throughput", project="leaves", view="cost")
    next(n for n in at.number_input if n.label == "An hour of a person costs").set_value(12.0)
    next(b for b in at.button if b.label == "Save").click().run()
    assert "needs a reason" in words(at)
    next(t for t in at.text_input if t.label == "Why it changes").set_value("contract")
    next(b for b in at.button if b.label == "Save").click().run()
    assert not at.exception
    rules = get_training_rules(house.ws, house.actor("mia"), "leaves").rules
    assert rules.wage_per_hour == 12.0


def test_what_is_behind_a_mark_is_listed_below_its_chart(house: House, monkeypatch) -> None:
    """The mark in the address names person and day; one that names nothing is no mark."""
    at = Visit(house, monkeypatch, "mia").open("throughput", project="leaves", tz="UTC")
    assert "Behind:" not in words(at)
    at = Visit(house, monkeypatch, "mia").open(
        "throughput", project="leaves", tz="UTC", view="pace", mark="throughput.paces~ada"
    )
    assert not at.exception
    assert "Behind: Ada Expert" in words(at)
    assert "n = 2" in words(at)
    assert "/files/item/" in words(at)
    for view, nothing in (
        ("done", "throughput.votes~someday Ada"),
        ("pace", "throughput.paces~<b>"),
        ("pace", "throughput.bins~0 x"),
        ("done", "~"),
        ("pace", "x"),
    ):
        visit = Visit(house, monkeypatch, "mia")
        at = visit.open("throughput", project="leaves", view=view, mark=nothing)
        assert not at.exception
        assert "Behind:" not in words(at)
