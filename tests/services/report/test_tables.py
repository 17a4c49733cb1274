"""Tables as files: numbers stay numbers, hostile text runs nothing, any cell can be written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.formats.cells import unescaped
from core.services.report.tables import (
    Table,
    csv_of,
    estimate_cells,
    estimate_columns,
    file_name,
    parquet_of,
)
from core.stats.intervals import UNDEFINED, Estimate

HOSTILE = ("=1+1", "@cmd", "+x", "\tx", "-x", 'a","b', "<b>", "two\nlines", "über", "\ud800")


def _cells(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(table).decode("utf-8-sig"), newline="")))


def _parquet(table: Table) -> pa.Table:
    return pq.read_table(io.BytesIO(parquet_of(table)))


def test_numbers_stay_numbers_in_both() -> None:
    """A negative number is no formula, a missing one is empty, and Parquet keeps the types."""
    rows = ((-3, 0.25, True, dt.date(2026, 11, 9), "x"), (None, math.nan, None, None, None))
    table = Table(("n", "share", "yes", "day", "name"), rows)
    assert _cells(table) == [
        ["n", "share", "yes", "day", "name"],
        ["-3", "0.25", "true", "2026-11-09", "x"],
        ["", "", "", "", ""],
    ]
    found = _parquet(table)
    assert [str(f.type) for f in found.schema] == [
        "int64",
        "double",
        "bool",
        "date32[day]",
        "string",
    ]
    assert found.to_pylist()[0] == dict(zip(table.columns, rows[0], strict=True))
    assert set(found.to_pylist()[1].values()) == {None}


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_text_runs_nothing_and_comes_back(text: str) -> None:
    """No cell or head of the CSV begins as a formula; taking the apostrophe away gives the text."""
    head, row = _cells(Table((text,), ((text,),)))
    assert not head[0].startswith(("=", "+", "-", "@", "\t"))
    assert unescaped(row[0]) == unescaped(head[0]) == text
    assert _parquet(Table((text,), ((text,),))).to_pylist() == [{text: text}]


def test_half_a_character_is_written_out() -> None:
    """A lone surrogate, which no file can hold, does not stop a download."""
    table = Table(("name",), (("\ud800",),))
    assert "\\ud800" in csv_of(table).decode("utf-8-sig")
    assert _parquet(table).to_pylist() == [{"name": "\\ud800"}]


def test_mixed_columns_become_text_and_equal_names_differ() -> None:
    """Numbers and text in one column are text; whole and broken numbers are numbers."""
    found = _parquet(Table(("a", "a", "b"), ((1, 1, 2**70), ("x", 0.5, 1))))
    assert found.column_names == ["a", "a_2", "b"]
    assert found.to_pylist() == [
        {"a": "1", "a_2": 1.0, "b": 2.0**70},
        {"a": "x", "a_2": 0.5, "b": 1.0},
    ]


def test_an_empty_table_is_a_table() -> None:
    """Without rows both files have the head, and Parquet says what it is about."""
    table = Table(("a", "b"), (), {"project": "leaves"})
    assert _cells(table) == [["a", "b"]]
    found = _parquet(table)
    assert found.column_names == ["a", "b"]
    assert found.schema.metadata[b"project"] == b"leaves"


def test_an_estimate_is_four_columns() -> None:
    """Value, interval and n; without enough data only n; nothing where there is none."""
    assert estimate_columns("right") == ("right", "right_low", "right_high", "right_n")
    assert estimate_cells(Estimate(0.5, 0.2, 0.8, 9)) == (0.5, 0.2, 0.8, 9)
    assert estimate_cells(UNDEFINED) == (None, None, None, 0)
    assert estimate_cells(None) == (None, None, None, None)


def test_a_file_name_says_what_is_inside_and_harms_nobody() -> None:
    """Paths, quotes and endless filters leave a plain short name."""
    name = file_name("csv", "leaves", "by class", "2026-11-09", "where=camera:C whose=people")
    assert name == "leaves_by-class_2026-11-09_where-camera-c-whose-people.csv"
    assert file_name("csv", "../../etc", "a\r\nb") == "etc_a-b.csv"
    assert len(file_name("parquet", "p", "x" * 500)) <= 130
