"""Figures are computed once for the same rows of a project; questions are asked without idle parts."""

from __future__ import annotations

import threading
from importlib.resources import files

import pyarrow as pa
import pytest

from core.analytics.asked import ALL, Filters
from core.analytics.columnar import parted
from core.analytics.kept import once, told
from core.analytics.lean import lean
from core.analytics.replica import Replica


def test_a_figure_is_computed_once_for_the_same_rows_of_its_project(sqlite_recorder):
    """New rows of another project change nothing; its own, and those about people, do."""
    replica = Replica(sqlite_recorder.store)
    mine, other = sqlite_recorder.project("mine"), sqlite_recorder.project("other")
    replica.catch_up()
    asked = []

    def ask():
        asked.append(len(asked))
        return asked[-1]

    def found():
        replica.catch_up()
        return once(replica, mine, ("figure", told(ALL)), ask)

    assert [found(), found()] == [0, 0]
    sqlite_recorder.items(other, 1)
    assert found() == 0
    sqlite_recorder.items(mine, 1)
    assert [found(), found()] == [1, 1]
    [ann] = sqlite_recorder.people("ann")
    assert found() == 2
    sqlite_recorder.add("team_moves", [{"person_id": ann, "team": "N", "at": 1.0}])
    assert found() == 3
    assert once(replica, mine, ("figure", told(Filters(teams=("N",)))), ask) == 4
    replica.close()


def test_answers_to_questions_follow_their_project(sqlite_recorder):
    """What is known of one project is asked again only after a new row about it."""
    replica = Replica(sqlite_recorder.store)
    mine, other = sqlite_recorder.project("mine"), sqlite_recorder.project("other")
    sqlite_recorder.items(mine, 2)
    replica.catch_up()
    before = replica.edition_of(mine)
    assert replica.query("states", {"project": mine}) == [{"state": "open", "items": 2}]
    sqlite_recorder.items(other, 3)
    replica.catch_up()
    assert replica.edition_of(mine) == before != replica.edition_of(other)
    sqlite_recorder.items(mine, 1)
    replica.catch_up()
    assert replica.query("states", {"project": mine}) == [{"state": "open", "items": 3}]
    replica.close()


def test_who_comes_meanwhile_waits_for_the_figure(sqlite_recorder):
    """Four who ask at once compute it once; an error is nobody's answer."""
    replica = Replica(sqlite_recorder.store)
    begun, go, counted, found = threading.Event(), threading.Event(), [], []

    def ask():
        counted.append(1)
        begun.set()
        go.wait(5)
        return "found"

    def one():
        found.append(once(replica, 1, "slow", ask))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(5)
    go.set()
    for thread in threads:
        thread.join()
    assert (found, counted) == (["found"] * 4, [1])
    with pytest.raises(ZeroDivisionError):
        once(replica, 1, "wrong", lambda: 1 // 0)
    assert once(replica, 1, "wrong", lambda: 1) == 1
    replica.close()


def test_no_item_is_looked_up_where_no_filter_is_given():
    """Every question that can be filtered by item is asked without the look-up, or with it alone."""
    folder = files("core.analytics") / "sql"
    able = [f for f in folder.iterdir() if f.name.endswith(".sql") and "$keys" in f.read_text()]
    assert len(able) > 20
    for file in able:
        sql = file.read_text(encoding="utf-8")
        plain, chosen = lean(sql, {"uses": [], "keys": []}), lean(sql, {"keys": ["camera"]})
        assert "chosen_items" not in plain, file.name
        assert " pairs(" not in plain, file.name
        assert "((len($uses) = 0 AND len($keys) = 0)" not in chosen, file.name
        assert "$uses, $keys, $vals" in chosen, file.name


def test_rows_are_parted_where_a_value_changes():
    """Parts come in order with their rows; of no rows there are none."""
    rows = pa.table({"a": ["x", "x", "y"], "b": [1, 2, 2], "n": [1, 2, 3]})
    assert [(k, p["n"].tolist()) for k, p in parted(rows, "a")] == [
        ("x", [1, 2]), ("y", [3]),
    ]  # fmt: skip
    assert [(k, p["n"].tolist()) for k, p in parted(rows, "a", "b")] == [
        (("x", 1), [1]), (("x", 2), [2]), (("y", 2), [3]),
    ]  # fmt: skip
    assert list(parted(rows.slice(0, 0), "a")) == []
