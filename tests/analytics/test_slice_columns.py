"""Metadata as people write it, turned into groups: dates, mixed types, too many values, hostile text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.analytics.columns import Kind as ColumnKind
from core.analytics.columns import Read, coded_numbers, measured_columns, read_metadata
from core.analytics.dates import read_dates


def _read(
    columns: dict[str, list[str | None]], fewest: int = 2, reserved: tuple[str, ...] = ()
) -> Read:
    """Read columns of text, one value an item; None where it has none."""
    rows = [
        (key, i, value, _number(value))
        for key, values in sorted(columns.items())
        for i, value in enumerate(values)
        if value is not None
    ]
    keys, items, values, numbers = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = pa.table(
        {
            "key": pa.array(keys, pa.string()),
            "item_id": pa.array(items, pa.int64()),
            "value": pa.array(values, pa.string()),
            "number": pa.array(numbers, pa.float64()),
        }
    )
    n = max((len(v) for v in columns.values()), default=0)
    return read_metadata(table, np.arange(n), fewest, reserved)


def _number(value: str) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _members(read: Read, name: str) -> dict[str | None, int]:
    column = next(c for c in read.columns if c.name == name)
    return {v.name: int((column.codes == i).sum()) for i, v in enumerate(column.values)}


def test_words_group_and_missing_ones_are_a_group_of_their_own():
    """Two cameras, and items that have none; a value too rare is part of the rest."""
    read = _read({"camera": ["A"] * 5 + ["B"] * 4 + [None] * 3 + ["rare"]})
    assert _members(read, "camera") == {"A": 5, "B": 4, None: 3}
    assert "2 most frequent" in read.notes[0]


def test_a_column_that_is_the_same_everywhere_is_left_out():
    """What all items share compares nothing; without a word."""
    read = _read({"site": ["N"] * 6})
    assert (read.columns, read.notes) == ((), ())


def test_dates_in_three_formats_become_month_weekday_and_hour():
    """ISO, German and English dates in one column are all read, and it is said."""
    texts = ["2025-05-01 10:00", "2.5.2025 11:30", "May 3, 2025", "2025-06-04T12:00:00Z"] * 3
    read = _read({"taken": texts})
    assert {c.name for c in read.columns} == {"taken: month", "taken: weekday", "taken: hour"}
    assert _members(read, "taken: month") == {"2025-05": 9, "2025-06": 3}
    assert _members(read, "taken: weekday") == {
        "Thursday": 3,
        "Friday": 3,
        "Saturday": 3,
        "Wednesday": 3,
    }
    assert "3 formats" in read.notes[0]
    assert {c.family for c in read.columns} == {"taken"}


def test_dates_that_are_not_all_dates_stay_text_and_are_named():
    """One "soon" keeps the column a text, with the sentence that names it."""
    read = _read({"taken": ["2025-05-01"] * 4 + ["2025-05-02"] * 4 + ["soon"] * 3})
    assert _members(read, "taken") == {"2025-05-01": 4, "2025-05-02": 4, "soon": 3}
    assert "'soon'" in read.notes[0]


@pytest.mark.parametrize(
    ("texts", "order", "months"),
    [
        (["13/2/2025", "1/2/2025"], "day/month", [2, 2]),
        (["2/13/2025", "1/2/2025"], "month/day", [2, 1]),
        (["1/2/2025", "3/4/2025"], "either", [2, 4]),
    ],
)
def test_slashes_are_told_from_the_whole_column(texts: list[str], order: str, months: list[int]):
    """A day above 12 says which comes first; where nothing does, the day is taken to."""
    found = read_dates(texts)
    assert found.order == order
    assert [d.month for d in found.when if d] == months


def test_impossible_and_contradictory_dates_are_none():
    """The 31st of February is no date; slashes in both orders are none either."""
    assert read_dates(["31.2.2025", "2025-13-01", "", "x" * 5000, "٢٠٢٥-٠١-٠١"]).unread == 5
    assert read_dates(["13/2/2025", "2/13/2025"]).unread == 2


def test_numbers_are_listed_or_cut_in_fifths():
    """A dozen numbers are values; more are fifths whose ends occur; none is a group of its own."""
    few = coded_numbers("iso", ColumnKind.METADATA, np.array([100.0, 200, 100, np.nan]))
    assert [v.name for v in few.values] == ["100", "200", None]
    many = coded_numbers("lux", ColumnKind.METADATA, np.arange(100.0))
    assert [int((many.codes == i).sum()) for i in range(5)] == [20, 20, 20, 20, 20]
    assert (many.values[0].low, many.values[-1].high) == (0, 99)


def test_numbers_and_words_in_one_column_are_both_grouped():
    """Numbers in fifths, words beside them, and the mixture is said."""
    read = _read({"depth": [str(i) for i in range(50)] + ["deep"] * 6 + ["shallow"] * 5})
    found = _members(read, "depth")
    assert (found["deep"], found["shallow"], len(found)) == (6, 5, 7)
    assert sum(found.values()) == 61
    assert "mixes 50 numbers with 11 words" in read.notes[0]


def test_ten_thousand_values_are_cut_to_the_frequent_ones_or_said_to_group_nothing():
    """Names of single items group nothing; a long tail keeps its head."""
    names = [f"image {i}" for i in range(10_000)]
    read = _read({"file": names, "site": ["N"] * 4000 + [f"s{i}" for i in range(6000)]}, fewest=20)
    assert [c.name for c in read.columns] == ["site"]
    assert _members(read, "site") == {"N": 4000}
    assert any("10,000 different values" in n for n in read.notes)


def test_hostile_text_is_only_text():
    """Tags, formulas, markdown and control characters come through as values, unchanged."""
    bad = ["<img src=x onerror=alert(1)>", "=HYPERLINK(1)", "**bold** [x](y)", "a\tb\u202e"]
    assert set(_members(_read({"note": bad * 3}), "note")) == set(bad)


def test_a_column_called_like_one_of_ours_is_told_apart():
    """Metadata named "class" or "sharpness" does not pass for what the app means by it."""
    read = _read({"class": ["a", "b"] * 4}, reserved=("class",))
    assert [c.name for c in read.columns] == ["class (metadata)"]


def test_what_was_not_measured_is_in_no_slice():
    """An image that was not measured is neither bright nor dark."""
    rows = np.column_stack([np.append(np.arange(60.0), [np.nan] * 4)])
    (column,) = measured_columns(["brightness"], rows)
    assert (column.codes[-4:] == -1).all()
    assert len(column.values) == 5
    assert measured_columns(["brightness"], np.full((3, 1), np.nan)) == ()


def test_an_empty_project_has_no_columns():
    """No metadata at all gives no column and no sentence."""
    assert _read({}) == Read((), ())
