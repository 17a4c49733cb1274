"""Reading tables of votes: what is taken, what is refused by line, and what is no table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.formats.refusals import MOST_TOLD
from core.formats.text import UnreadableFile
from core.formats.vote_table import NamedTable, read_known, read_votes


def rows_of(table: NamedTable) -> list[tuple[str, ...]]:
    """Return the rows as text."""
    columns = [[c.names[i] for i in c.codes] for c in table.columns.values()]
    return list(zip(*columns, strict=True))


@pytest.fixture
def write(tmp_path: Path):
    """Give a function that writes a table and returns its path."""

    def call(data: str | bytes, name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return call


def refused(table: NamedTable) -> list[tuple[int, str]]:
    return [(r.line, r.reason) for r in table.refused.told]


def test_columns_in_any_order_and_case_and_further_ones_named(write) -> None:
    """Header names are matched whatever their case; what is not read is named."""
    table = read_votes(write("Label,note,WORKER,Task,Seconds\ncat,x,w,t,2.5\ndog,,v,t,\n"))
    assert rows_of(table) == [("t", "w", "cat"), ("t", "v", "dog")]
    assert table.passed_over == ("note",)
    assert table.seconds is not None
    assert table.seconds[0] == 2.5
    assert np.isnan(table.seconds[1])


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(write, sign: str, end: str) -> None:
    """Comma, semicolon, tab and bar; line ends of every system, the last one missing."""
    text = end.join(
        sign.join(r) for r in (("task", "worker", "label"), ("1", "a", "x"), ("2", "b", "y"))
    )
    assert rows_of(read_votes(write(text))) == [("1", "a", "x"), ("2", "b", "y")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_and_unicode_names(write, encoding: str) -> None:
    """UTF-8 with and without its mark, and UTF-16; names come in one composed form."""
    text = "task,worker,label\n一,Zoe\u0308,Größe\n二,Zoë,猫\n"
    table = read_votes(write(text.encode(encoding)))
    assert rows_of(table) == [("一", "Zoë", "Größe"), ("二", "Zoë", "猫")]
    assert len(table.columns["worker"].names) == 1


def test_quoted_cells_with_delimiters_marks_and_line_breaks(write) -> None:
    """What quotation marks hold together is one cell, over lines too."""
    text = 'task,worker,label\n"a,b",w,"the ""best"""\n"two\nlines",w,x\n5" plank,w,6" beam\nlast,w,y\n'
    table = read_votes(write(text))
    assert [r[0] for r in rows_of(table)] == ["a,b", "two\nlines", '5" plank', "last"]
    assert rows_of(table)[0][2] == 'the "best"'
    assert table.refused.rows == 0


def test_broken_rows_are_told_by_line_and_the_rest_is_kept(write) -> None:
    """Every kind of broken row has its line and reason; empty lines are none."""
    text = (
        "task,worker,label,seconds\na,w,x,1\n\nb,w\nc,w,,1\n,w,x,1\ne,w,x,soon\nf,w,x,-1\n"
        'g,w,x,1,2\n"h,w,x,1\ni,w\0,x,1\nj,w,x,nan\nk,w,x\nl,w,x,1e999\nm,w,x,3\n'
    )
    table = read_votes(write(text))
    assert [r[0] for r in rows_of(table)] == ["a", "m"]
    assert refused(table) == [
        (4, "2 columns, the first line has 4."),
        (5, "the label is empty."),
        (6, "the task is empty."),
        (7, "seconds: 'soon' is not a number."),
        (8, "seconds: '-1' is negative."),
        (9, "5 columns, the first line has 4."),
        (10, "a quotation mark is stray or never closed."),
        (11, "the line holds a NUL character."),
        (12, "seconds: 'nan' is not a number."),
        (13, "3 columns, the first line has 4."),
        (14, "seconds: '1e999' is too large a number."),
    ]


def test_a_line_of_megabytes_is_refused_alone(write) -> None:
    """One endless line spoils only itself."""
    table = read_votes(write("task,worker,label\na,w,x\nb,w," + "y" * (2 << 20) + "\nc,w,z\n"))
    assert refused(table) == [(3, "the line is longer than 1 MB.")]
    assert len(table) == 2


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"  \n\n", "the file is empty"),
        (b"task,worker,label\n", "the table has no rows"),
        (b"task,worker,label\na,b\n", "none of its 1 rows can be read: 2 columns"),
        (b"task,worker\na,b\n", "there is no column 'label'; its columns are 'task', 'worker'"),
        (b"task,worker,label,Task\na,b,c,d\n", "there is more than one column 'task'"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "the text is not UTF-8|another kind"),
        (b"\0\1\2\3" * 100, "a file of another kind"),
        (b"task,worker,label\na,b,\xff\n", "votes.csv, line 2: the text is not UTF-8"),
        (b"task,worker,label\r\n", "the table has no rows"),
        (b'"task,worker,label\na,b,c\n', "line 1: a quotation mark is stray or never closed"),
        (b"t1,w1,cat\nt2,w2,cat\n", "there is no column 'task'; its columns are 't1', 'w1', 'cat'"),
        (b"a" * (3 << 20), "the first line is longer than 1 MB"),
        (b"\xff\xfea", "not UTF-16"),
    ],
    ids=[
        "empty", "blank", "header", "all broken", "column", "twice", "png", "binary", "latin",
        "header ended twice", "open header", "no header", "line", "utf16",
    ],
)  # fmt: skip
def test_what_is_no_table_is_said_in_one_sentence(write, data: bytes, says: str) -> None:
    """A file that cannot be used as a whole says why, naming the file."""
    path = write(data)
    with pytest.raises(UnreadableFile, match=says) as said:
        read_votes(path)
    assert said.value.message.startswith(str(path))
    assert "import" not in str(said.value)
    assert "\n" not in str(said.value)


def test_two_gigabytes_in_one_line_are_refused_unread(tmp_path: Path) -> None:
    """A sparse file of 2 GB without a line break is refused by its first megabyte."""
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"task,worker,label")
        file.seek((2 << 30) - 1)
        file.write(b"x")
    with pytest.raises(UnreadableFile, match=r"another kind|longer than 1 MB"):
        read_votes(path)
    with path.open("r+b") as file:
        file.write(b"task,worker,label\n")
    with pytest.raises(UnreadableFile, match=r"up to 1\.1 GB are read"):
        read_votes(path)


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    """What cannot be opened is a sentence too."""
    with pytest.raises(UnreadableFile, match="no such file"):
        read_votes(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_votes(tmp_path)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/urandom"])
def test_what_is_no_file_is_named_as_it_was_typed(device: str) -> None:
    """A device is refused by its first megabyte, under its whole name."""
    with pytest.raises(UnreadableFile, match=rf"^{device}") as said:
        read_votes(Path(device))
    assert said.value.message.count(".") == 1


def test_broken_rows_are_counted_by_reason_and_the_first_are_told(write) -> None:
    """Of thousands of broken rows each counts once, under its first fault; a thousand are told."""
    text = "x\n,w,a\nt,w,\n" + 't,"w,a\n' + "t,w,a\nt,w,a,b\n" + "t,w,\x07\n"
    table = read_votes(write("task,worker,label\n" + text * 2_000))
    assert (table.refused.rows, len(table)) == (12_000, 2_000)
    assert table.refused.reasons == {
        "a quotation mark is stray or never closed": 2_000,
        "the label is empty": 2_000,
        "the label is no name": 2_000,
        "the task is empty": 2_000,
        "too few columns": 2_000,
        "too many columns": 2_000,
    }
    told = refused(table)
    assert len(told) == MOST_TOLD
    assert [line for line, _ in told[:6]] == [2, 3, 4, 5, 7, 8]
    assert told[0][1] == "1 columns, the first line has 3."
    assert told[4][1] == "4 columns, the first line has 3."
    assert told[5][1].startswith("label: ")


def test_seconds_that_no_vote_takes_are_refused(write) -> None:
    """A number beyond a year, such as a date or 1e308, is a mistake and told as one."""
    text = "task,worker,label,seconds\na,w,x,1e308\nb,w,x,1700000000\nc,w,x,12.5\nd,w,x,-inf\n"
    table = read_votes(write(text))
    assert [r[0] for r in rows_of(table)] == ["c"]
    assert refused(table) == [
        (2, "seconds: '1e308' is more than a year."),
        (3, "seconds: '1700000000' is more than a year."),
        (5, "seconds: '-inf' is not a number."),
    ]
    assert table.refused.reasons == {
        "the seconds are more than a year": 2, "the seconds are no number": 1
    }  # fmt: skip


def test_known_labels_need_task_and_label_only(write) -> None:
    """A table of truth has two columns; a label a spreadsheet would run was escaped."""
    table = read_known(write("label,task\n'=1+1,a\n"))
    assert rows_of(table) == [("a", "=1+1")]


cell = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=6
).map(str.strip).filter(lambda t: t and not t.startswith("'"))  # fmt: skip


@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=12))
@settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_what_the_csv_module_writes_is_read_back(write, rows) -> None:
    """Any names, quoted as the standard library does, come back (composed, without edge spaces)."""
    import unicodedata

    text = io.StringIO()
    csv.writer(text).writerows([("task", "worker", "label"), *rows])
    table = read_votes(write(text.getvalue()))
    expected = [tuple(unicodedata.normalize("NFC", c) for c in r) for r in rows]
    kept = [r for i, r in enumerate(expected, 2) if i not in dict(refused(table))]
    assert rows_of(table) == kept
    assert all(reason.startswith("label: ") for _, reason in refused(table))
