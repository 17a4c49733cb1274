"""The replica itself: catching up, staying shut, being interrupted, coming back from damage."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import duckdb
import pytest

from core.analytics import bulk, mirrors, source
from core.analytics.answers import Answers
from core.analytics.asked import Filters
from core.analytics.metadata import metadata_columns
from core.analytics.replica import MAGIC, Replica
from core.analytics.rightness import per_class_accuracy
from core.analytics.rollups import SUMMED
from core.analytics.votes import vote_table
from core.errors import LimitExceeded, StoreCorrupt, StoreUnavailable
from core.store.audit import append_audit
from core.store.store import Store, open_store, sqlite_url
from tests.analytics.recorded import Recorder, random_project
from tests.analytics.sliced import sliced

TABLES = (
    "live", "final", "gold", "latest_prediction", "item_values", "regions", "annotations",
    "final_labels", "work_days",
)  # fmt: skip


def contents(replica):
    """Return all rows of the tables a question reads; those of roll-ups with equal keys summed up."""
    summed = {
        t: f"SELECT * EXCLUDE ({n}), sum({n}) AS {n} FROM {t} GROUP BY ALL HAVING sum({n}) <> 0"
        for t, n in SUMMED.items()
    }
    with replica._running(None) as cursor:
        return {
            t: sorted(repr(_rounded(row)) for row in cursor.execute(q).fetchall())
            for t, q in ({t: f'SELECT * FROM "{t}"' for t in TABLES} | summed).items()
        }


def _rounded(row):
    """Return a row with its times to the microsecond: sums differ by the order they are made in."""
    return tuple(round(v, 6) if isinstance(v, float) else v for v in row)


def one_vote_project(recorder, n=3):
    """Write a project with one vote on each of n items."""
    project = recorder.project()
    (ann,) = recorder.people("ann")
    items = recorder.items(project, n)
    base = {"project_id": project, "person_id": ann, "label": "cat"}
    recorder.votes([{**base, "item_id": i} for i in items])
    return project, ann, items


@pytest.mark.parametrize("task", ["classification", "boxes"])
def test_catching_up_in_steps_equals_a_rebuild(recorder, replica, task):
    """After every few writes the copy holds what one read from scratch would hold."""
    for seed in range(3):
        random_project(recorder, seed, task)
        assert replica.catch_up().rows > 0
        replica.keep_days("Asia/Seoul")
    stepwise = contents(replica)
    drawn = {"classification": ("regions",), "boxes": ("pair_counts", "agreement_counts")}[task]
    assert [t for t in stepwise if not stepwise[t]] == list(drawn)
    replica.rebuild()
    replica.keep_days("Asia/Seoul")
    assert contents(replica) == stepwise


def test_nothing_new_reads_nothing(recorder, replica):
    """A second catch-up reads no row again."""
    random_project(recorder, 1)
    assert replica.catch_up().rows > 0
    assert replica.catch_up().rows == 0


def test_an_answer_stands_until_there_is_a_new_row(sqlite_recorder, monkeypatch):
    """Asked twice, a question is answered once; after a new vote it is answered anew."""
    project, ann, items = one_vote_project(sqlite_recorder)
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    times = []
    running = replica._running
    monkeypatch.setattr(replica, "_running", lambda s: (times.append(s), running(s))[1])

    def votes():
        return [
            r["votes"] for r in replica.query("person_table", {"project": project, "until": None})
        ]

    assert votes() == votes() == [3]
    assert len(times) == 1
    replica.query("person_table", {"project": project + 1, "until": None})
    assert len(times) == 2
    again = {"project_id": project, "person_id": ann, "item_id": items[0], "revision": 2}
    sqlite_recorder.votes([{**again, "kind": "withdraw"}])
    replica.catch_up()
    assert votes() == [2]
    assert len(times) == 3


def test_only_the_answers_asked_for_last_are_kept():
    """What was not asked for longest goes first; large answers, and other editions, are not kept."""
    answers = Answers(2)
    for name in "abc":
        answers.keep(1, (name, ""), (("n",), [(name,)]))
        answers.get(1, ("a", ""))
    assert [answers.get(1, (n, "")) is not None for n in "abc"] == [True, False, True]
    answers.keep(1, ("large", ""), (("n",), [(0,)] * 5_001))
    assert answers.get(1, ("large", "")) is None
    assert answers.get(2, ("a", "")) is None


def test_a_withdrawn_vote_no_longer_counts(recorder, replica):
    """Withdrawing, skipping and flagging cancel the vote before; voting again counts anew."""
    project, ann, items = one_vote_project(recorder)
    replica.catch_up()
    assert len(vote_table(replica, project).label) == 3
    base = {"project_id": project, "person_id": ann, "revision": 2}
    recorder.votes(
        [
            {**base, "item_id": i, "kind": kind}
            for i, kind in zip(items, ("withdraw", "skip", "flag"), strict=True)
        ]
    )
    replica.catch_up()
    assert len(vote_table(replica, project).label) == 0
    recorder.votes([{**base, "item_id": items[0], "revision": 3, "label": "dog"}])
    replica.catch_up()
    assert vote_table(replica, project).names == ("dog",)


def test_a_restored_record_is_noticed(tmp_path):
    """When the record goes back in time, or is another one, the copy is made anew."""
    first = open_store(sqlite_url(tmp_path))
    replica = Replica(first)
    recorder = Recorder(first)
    one_vote_project(recorder, 3)
    with first.write() as connection:
        append_audit(connection, 1.0, "ann", "voted", "1")
    replica.catch_up()
    (tmp_path / "b").mkdir()
    other = open_store(sqlite_url(tmp_path / "b"))
    project, *_ = one_vote_project(Recorder(other), 5)
    with other.write() as connection:
        append_audit(connection, 2.0, "bob", "voted", "1")
    replica._store = other
    assert replica.catch_up().rebuilt
    assert len(vote_table(replica, project).label) == 5
    shorter = tmp_path / "c"
    shorter.mkdir()
    replica._store = open_store(sqlite_url(shorter))
    assert replica.catch_up().rebuilt
    assert len(vote_table(replica, project).label) == 0


def test_reading_in_bulk_gives_the_same_rows(sqlite_recorder, monkeypatch):
    """The processes that read very many rows bring what is else read row by row."""
    for seed, task in enumerate(("classification", "boxes")):
        random_project(sqlite_recorder, seed, task)
    row_by_row, in_bulk = (Replica(sqlite_recorder.store) for _ in range(2))
    row_by_row.catch_up()
    monkeypatch.setattr(source, "BULK_ROWS", 1)
    monkeypatch.setattr(source, "BULK_SHARE", 50)
    assert in_bulk.catch_up().rows == sum(map(len, _mirrored(sqlite_recorder)))
    assert contents(in_bulk) == contents(row_by_row)


def _mirrored(recorder):
    """Return the rows of every table the copy has."""
    names = {m.table.name for m in mirrors.MIRRORS}
    return [rows for name, rows in recorder.rows.tables.items() if name in names]


@pytest.mark.parametrize(
    ("file", "error"), [(None, StoreUnavailable), (b"someone's notes" * 99, StoreCorrupt)]
)
def test_what_cannot_be_read_in_bulk_is_said(tmp_path, file, error):
    """No file, and one that is no database, are told in a sentence."""
    path = tmp_path / "tiebreak.db"
    if file is not None:
        path.write_bytes(file)
    with (
        pytest.raises(error, match=r"cannot be read|is damaged"),
        bulk.batches_of(path, ["SELECT 0 UNION ALL SELECT seq FROM annotations"]) as found,
    ):
        list(next(found))


@pytest.mark.parametrize("bulk_rows", [source.BULK_ROWS, 1])
def test_catching_up_keeps_the_locks_of_a_write_in_progress(tmp_path, monkeypatch, bulk_rows):
    """Reading the record never lets another process write into our open transaction."""
    monkeypatch.setattr(source, "BULK_ROWS", bulk_rows)
    store = open_store(sqlite_url(tmp_path))
    one_vote_project(Recorder(store))
    replica = Replica(store)
    intruder = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
    )
    with store.write() as connection:
        append_audit(connection, 1.0, "ann", "voted", "1")
        replica.catch_up()
        path = str(tmp_path / "tiebreak.db")
        found = subprocess.run(
            [sys.executable, "-c", intruder, path], capture_output=True, text=True, check=False
        )
    assert "database is locked" in found.stderr


def test_a_long_question_is_interrupted(recorder, replica, monkeypatch):
    """A question past its time stops with a plain sentence, and the next one is answered."""
    from core.analytics import answering as module

    endless = "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = $project"
    real = module.sql_of
    monkeypatch.setattr(module, "sql_of", lambda n: endless if n == "endless" else real(n))
    start = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"took longer than 0\.3 s"):
        replica.query("endless", {"project": 7}, seconds=0.3)
    assert time.monotonic() - start < 10
    assert replica.query("states", {"project": 1}) == []


def test_too_much_memory_is_said(sqlite_recorder):
    """A record larger than the copy may be is refused in plain words, and nothing is half copied."""
    one_vote_project(sqlite_recorder, 20_000)
    replica = Replica(sqlite_recorder.store, memory_limit="2MB")
    with pytest.raises(LimitExceeded, match="memory"):
        replica.catch_up()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "ATTACH '/tmp/other.duckdb'",
        "COPY (SELECT 1) TO '/tmp/tiebreak-out.csv'",
        "INSTALL httpfs",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
    ],
)
def test_there_is_no_way_out(sqlite_recorder, statement):
    """Files, other databases, extensions and settings are out of reach of any query."""
    replica = Replica(sqlite_recorder.store)
    with pytest.raises(duckdb.Error):
        replica._db.cursor().execute(statement).fetchall()


def test_readers_and_catching_up_at_once(sqlite_recorder):
    """Threads that ask while others catch up always see one whole state."""
    project, ann, _ = one_vote_project(sqlite_recorder, 50)
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    faults, seen, done = [], set(), threading.Event()

    def ask():
        try:
            while not done.is_set():
                seen.add(len(vote_table(replica, project).label))
        except Exception as error:
            faults.append(error)

    def follow():
        try:
            while not done.is_set():
                replica.catch_up()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=f) for f in (ask, ask, follow, follow)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        items = sqlite_recorder.items(project, 50)
        base = {"project_id": project, "person_id": ann, "label": "cat"}
        sqlite_recorder.votes([{**base, "item_id": i} for i in items])
    done.set()
    for thread in threads:
        thread.join()
    replica.catch_up()
    assert not faults
    assert all(n % 50 == 0 for n in seen)
    assert len(vote_table(replica, project).label) == 550


def test_a_file_is_kept_and_continued(sqlite_recorder, tmp_path):
    """A replica on disk goes on where it stopped."""
    project, *_ = one_vote_project(sqlite_recorder)
    path = tmp_path / "replica.duckdb"
    first = Replica(sqlite_recorder.store, path)
    first.catch_up()
    first.close()
    assert path.read_bytes()[8:12] == MAGIC
    second = Replica(sqlite_recorder.store, path)
    assert second.notice == ""
    assert second.catch_up().rows == 0
    assert len(vote_table(second, project).label) == 3
    second.close()


@pytest.mark.parametrize(
    "what", ["damaged", "damaged within", "cut off", "empty", "not ours", "older format"]
)
def test_a_file_nobody_can_use_is_put_aside_and_rebuilt(sqlite_recorder, tmp_path, what):
    """Damage and other versions are said, the file is kept beside, the figures are right."""
    project, *_ = one_vote_project(sqlite_recorder)
    path = tmp_path / "replica.duckdb"
    if what in ("damaged", "damaged within", "cut off"):
        first = Replica(sqlite_recorder.store, path)
        first.catch_up()
        first.close()
        whole = path.read_bytes()
        path.write_bytes({
            "damaged": b"\x00" * 64 + whole[64:],
            "damaged within": whole[:4096] + b"\xff" * 64 + whole[4160:],
            "cut off": whole[: len(whole) // 2],
        }[what])  # fmt: skip
    elif what == "empty":
        path.touch()
    elif what == "not ours":
        path.write_bytes(b"someone's notes")
    else:
        with duckdb.connect(str(path)) as older:
            older.execute("CREATE TABLE replica_state AS SELECT 0 AS format")
    before = path.read_bytes()
    replica = Replica(sqlite_recorder.store, path)
    assert "was rebuilt" in replica.notice
    assert "replica.duckdb.damaged-1" in replica.notice
    assert (tmp_path / "replica.duckdb.damaged-1").read_bytes() == before
    replica.catch_up()
    assert len(vote_table(replica, project).label) == 3
    replica.close()


def test_damage_found_while_reading_is_said_and_mended(sqlite_recorder, tmp_path):
    """A question says what is wrong; the next reading makes the copy anew, and its figures are right."""
    project, *_ = one_vote_project(sqlite_recorder)
    path = tmp_path / "replica.duckdb"
    first = Replica(sqlite_recorder.store, path)
    first.catch_up()
    first.close()
    replica = Replica(sqlite_recorder.store, path)
    with path.open("r+b") as file:  # behind what was read on opening: the rows
        file.seek(3 * 4096)
        file.write(b"\xff" * (path.stat().st_size - 3 * 4096))
    with pytest.raises(StoreUnavailable, match="the record itself is untouched"):
        vote_table(replica, project)
    assert replica.catch_up().rows > 0
    assert "does not match" in replica.notice
    assert "was rebuilt" in replica.notice
    assert len(vote_table(replica, project).label) == 3
    replica.close()


def test_a_place_that_cannot_be_written_leaves_a_copy_in_memory(sqlite_recorder, tmp_path):
    """A folder that is none costs the file, not the figures."""
    project, *_ = one_vote_project(sqlite_recorder)
    (tmp_path / "cache").write_text("no folder")
    replica = Replica(sqlite_recorder.store, tmp_path / "cache" / "replica.duckdb")
    assert "keeps its copy in memory" in replica.notice
    replica.catch_up()
    assert len(vote_table(replica, project).label) == 3


def test_a_file_in_use_elsewhere_leaves_a_copy_in_memory(sqlite_recorder, tmp_path):
    """A second process does not fight for the file."""
    path = tmp_path / "replica.duckdb"
    hold = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        replica = Replica(sqlite_recorder.store, path)
        assert "another process" in replica.notice
        project, *_ = one_vote_project(sqlite_recorder)
        replica.catch_up()
        assert len(vote_table(replica, project).label) == 3
    finally:
        holder.communicate("")


def test_a_record_out_of_reach_is_said(sqlite_recorder):
    """Without the record there is a plain error, and the old figures still stand."""
    project, *_ = one_vote_project(sqlite_recorder)
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    replica._store = Store("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        replica.catch_up()
    assert len(vote_table(replica, project).label) == 3


HOSTILE = [
    "'; DROP TABLE live; --",
    "$project",
    "%s",
    "{}",
    '"',
    "\\",
    "a\u0000b",
    "\u202eevil",
    "😀" * 50,
]


def test_hostile_strings_are_just_strings(sqlite_recorder):
    """Column names and values of any kind are named, counted and filtered like others."""
    project, _, items = one_vote_project(sqlite_recorder, len(HOSTILE))
    sqlite_recorder.said("gold_answers", project, [{"item_id": i, "label": "cat"} for i in items])
    sqlite_recorder.metadata(
        project, [(i, {text: text}) for i, text in zip(items, HOSTILE, strict=True)]
    )
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    assert {c.name for c in metadata_columns(replica, project)} == set(HOSTILE)
    for text in HOSTILE:
        found = sliced(replica, project, text, "people", "gold")
        assert {(name, counted[0]) for (name, *_), counted in found.items()} == {
            (text, 1),
            (None, len(HOSTILE) - 1),
        }
        chosen = Filters(metadata={text: text})
        assert per_class_accuracy(replica, project, "people", "gold", chosen).n == 1


@pytest.mark.parametrize("doc", ["", "[1]", "3", "{bad", '{"a": "\\ud800"}', "null"])
def test_a_document_that_is_none_hides_nothing_else(sqlite_recorder, doc):
    """An unreadable metadata document counts as none; the others are read."""
    project, _, items = one_vote_project(sqlite_recorder, 2)
    sqlite_recorder.metadata(project, [(items[0], doc), (items[1], {"a": "x"})])
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    assert [(c.name, c.items) for c in metadata_columns(replica, project)] == [("a", 1)]
