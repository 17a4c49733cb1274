"""Every number from a roll-up, against plain Python on the same records, however they came in."""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.analytics import arrays, changes, ledger, replica, rollups
from core.analytics.asked import Against, Basis, Filters
from core.analytics.drill import duration_bins, durations
from core.analytics.people import person_table
from core.analytics.progress import progress
from core.analytics.replica import Replica
from core.analytics.rightness import confusion, per_class_accuracy
from core.analytics.work import throughput
from core.labels.schema import LabelClass, LabelSchema, Question, Task
from core.stats.intervals import UNDEFINED
from tests.analytics import oracle
from tests.analytics.recorded import CLASSES, START, Recorder, Rows, random_project
from tests.analytics.test_questions import everyone
from tests.analytics.test_replica import contents

ZONE = "Asia/Kathmandu"  # a quarter hour off the hour
MEANS = {
    "cat": "lion",
    "dog": "lion",
    "Ωmega 한글": "Ωmega 한글",
    "it's; DROP TABLE --": "x",
    "x": "x",
}
"""What the classes are called after cat became lion, dog was merged into it, and one into x."""


FORGETFUL = (2, 4)
"""Records followed by a copy that must fill its ledger again each time."""


OTHER_WAYS = {
    2: ((ledger, "ROUNDS", 1), (changes, "MOST_ABREAST", 1), (arrays, "MOST_CELLS", 0)),
    3: ((rollups, "FEW", 0), (rollups, "MOST_LOOSE_ROWS", 1), (replica, "SETTLE_ROWS", 1)),
}
"""What is else done only with very many rows, by record; the last two tidy up all the while."""


class InChunks(Recorder):
    """Writes rows a few at a time, and lets a replica catch up in between now and then."""

    def __init__(self, store, seed):
        super().__init__(store)
        self.forgets = seed in FORGETFUL
        self.rng = random.Random(seed)
        self.replica = Replica(store)
        self.caught_up = 0

    def add(self, name, rows):
        cut = self.rng.randint(0, len(rows))
        made = super().add(name, rows[:cut])
        if self.rng.random() < 0.4:
            if self.forgets:
                self.replica._ledger = None
            self.caught_up += self.replica.catch_up().rows > 0
            self.replica.keep_days(ZONE)
        return made + super().add(name, rows[cut:])


def write_schema(recorder, project, renamed):
    """Write the classes of a project, before or after they were renamed and merged."""
    made = [LabelClass(i + 1, name, "#000000") for i, name in enumerate(CLASSES)]
    if renamed:
        made[0] = LabelClass(1, "lion", "#000000", former=("cat",))
        made[1] = LabelClass(2, "dog", "#000000", retired=True, merged_into=1)
        made[3] = LabelClass(4, CLASSES[3], "#000000", retired=True, merged_into=5)
    schema = LabelSchema(Task.CLASSIFICATION, (Question("q", "q", tuple(made)),))
    row = {"project_id": project, "version": 1 + renamed, "doc": schema.to_json(), "at": START}
    recorder.add("schemas", [row])


def copied(rows):
    """Return rows that can be changed."""
    return Rows({name: [dict(row) for row in part] for name, part in rows.tables.items()})


def under_new_names(rows):
    """Return the rows as if every label had been given under today's names."""
    found = copied(rows)
    for name in ("annotations", "predictions", "gold_answers", "final_labels", "decisions"):
        for row in found.tables.get(name, []):
            row["label"] = MEANS.get(row["label"], row["label"])
    return found


@pytest.fixture(scope="module", params=[("sqlite", 1), ("sqlite", 2), ("sqlite", 3), ("postgresql", 4)],
                ids=lambda p: f"{p[0]}-{p[1]}")  # fmt: skip
def world(request, new_record):
    """Give (recorder, rows as they are called today, project) of a record followed bit by bit."""
    dialect, seed = request.param
    patch = pytest.MonkeyPatch()
    for module, name, value in OTHER_WAYS.get(seed, ()):
        patch.setattr(module, name, value)
    store = new_record(dialect)
    recorder = InChunks(store, seed)
    random_project(recorder, seed + 100)
    project = random_project(recorder, seed)
    write_schema(recorder, project, renamed=False)
    if seed % 2:
        write_schema(recorder, project, renamed=True)
    recorder.replica.catch_up()
    assert recorder.caught_up > 3
    yield recorder, under_new_names(recorder.rows) if seed % 2 else recorder.rows, project
    recorder.replica.close()
    store.close()
    patch.undo()


def test_rightness_equals_the_oracle(world):
    """Accuracy, confusion and what is left out are equal for everybody, filtered or not."""
    recorder, rows, project = world
    use = {r["id"]: r["use"] for r in rows.items}
    table = [
        (Filters(), lambda i, s: True),
        (Filters(uses=["train", "evaluate"]), lambda i, s: use[i] != "certify"),
        (Filters(blind_only=True), lambda i, s: not s.get("prelabel_shown")),
    ]
    for whose in everyone(rows, project):
        for against in Against:
            for filters, keep in table:
                by_class, cells, left_out, reviewed = oracle.counts(
                    rows, project, whose, against, keep
                )
                ours = per_class_accuracy(recorder.replica, project, whose, against, filters)
                assert {c.name: (c.n, c.correct) for c in ours.classes} == by_class
                assert (ours.left_out, ours.basis is Basis.REVIEWED) == (left_out, reviewed)
            found = confusion(recorder.replica, project, whose, against, Filters())
            _, cells, *_ = oracle.counts(rows, project, whose, against)
            assert {(c.truth, c.said): c.n for c in found.cells} == cells


def test_people_and_states_equal_the_oracle(world):
    """The table of people, with medians, and the states of all days are equal."""
    recorder, rows, project = world
    found = person_table(recorder.replica, project)
    got = {
        r.person: (
            r.votes, r.blind_votes, r.skips, r.flags, r.gold_n, r.gold_correct,
            sum(s.items for s in r.agreement),
            pytest.approx(math.fsum(s.items * s.same / s.others for s in r.agreement)),
        )
        for r in found
    }  # fmt: skip
    assert oracle.person_counts(rows, project) == got
    names = {r["id"]: r["name"] for r in rows.people}
    seconds = defaultdict(list)
    for (_, person), row in oracle.live(rows, project).items():
        if row["kind"] == "vote" and row["active_seconds"] is not None:
            seconds[names[person]].append(row["active_seconds"])
    for r in found:
        expected = statistics.median(seconds[r.person]) if seconds[r.person] else None
        assert r.median_seconds == pytest.approx(expected)
    states = progress(recorder.replica, project, ZONE)
    history = oracle.history(rows, project, ZONE)
    assert (dict(states.history), states.states) == (history, list(history.values())[-1])


def test_days_equal_the_oracle(world):
    """Work by day and person is equal, over all time, over some whole days and over part of one."""
    recorder, rows, project = world
    zone = ZoneInfo(ZONE)
    days = sorted({d for d, _ in oracle.days(rows, project, ZONE)})
    first = datetime.combine(days[len(days) // 2], datetime.min.time(), zone)
    for since in (None, first.timestamp(), first.timestamp() + 1):
        some = copied(rows)
        for name in ("annotations", "decisions"):
            some.tables[name] = [r for r in some.tables[name] if since is None or r["at"] >= since]
        got = {
            (d.day, d.person): (
                d.decisions, d.votes, d.skips, d.flags, pytest.approx(d.active_seconds),
                pytest.approx(d.median_seconds), pytest.approx(d.elapsed_seconds),
            )
            for d in throughput(recorder.replica, project, ZONE, Filters(since=since))
        }  # fmt: skip
        assert oracle.days(some, project, ZONE) == got


def test_durations_equal_those_of_the_rows(world):
    """Median, its interval and the ninth decile are order statistics; bins hold what they say."""
    recorder, rows, project = world
    names = {r["id"]: r["name"] for r in rows.people}
    timed = defaultdict(list)
    for r in rows.annotations:
        if r["project_id"] == project and r["kind"] == "vote" and r["active_seconds"]:
            timed[names[r["person_id"]]].append(r["active_seconds"])
    found = durations(recorder.replica, project, fewest=1)
    assert [d.person for d in found] == sorted(timed)
    for d in found:
        seconds, n = sorted(timed[d.person]), len(timed[d.person])
        low = seconds[max(1, math.floor(n / 2 - 0.98 * math.sqrt(n))) - 1]
        high = seconds[min(n, math.ceil(1 + n / 2 + 0.98 * math.sqrt(n))) - 1]
        middle = d.median_seconds
        assert (middle.n, middle.low, middle.high) == (n, low, high)
        assert middle.value == pytest.approx(statistics.median(seconds))
        place = 0.9 * (n - 1)
        below, above = seconds[math.floor(place)], seconds[math.ceil(place)]
        ninth = below + (above - below) * (place - math.floor(place))
        assert d.ninth_decile_seconds == pytest.approx(ninth)
    every = [s for seconds in timed.values() for s in seconds]
    for b in duration_bins(recorder.replica, project):
        assert b.n == sum(b.low <= s < b.high for s in every)
    assert (
        durations(recorder.replica, project, fewest=10**6)[0].median_seconds.value
        is UNDEFINED.value
    )


def test_raw_and_rolled_say_the_same(world):
    """A filter of all time, asked of the copied rows, gives what the roll-ups give."""
    recorder, _, project = world
    everything = Filters(since=0.0)
    for against in Against:
        for whose in ("people", "model"):
            for ask in (per_class_accuracy, confusion):
                rolled = ask(recorder.replica, project, whose, against)
                assert ask(recorder.replica, project, whose, against, everything) == rolled
    assert duration_bins(recorder.replica, project, everything) == duration_bins(
        recorder.replica, project
    )
    raw = durations(recorder.replica, project, everything, fewest=1)
    for a, b in zip(raw, durations(recorder.replica, project, fewest=1), strict=True):
        assert (a.person, a.median_seconds.low) == (b.person, b.median_seconds.low)
        assert a.ninth_decile_seconds == pytest.approx(b.ninth_decile_seconds)


def test_following_equals_making_anew(world):
    """What was kept up to date bit by bit is what one reads from scratch."""
    recorder, *_ = world
    recorder.replica.keep_days(ZONE)
    stepwise = contents(recorder.replica)
    other = Replica(recorder.store)
    other.catch_up()
    other.keep_days(ZONE)
    assert contents(other) == stepwise
    other.close()


def test_rolling_up_in_stretches_is_the_same(world, monkeypatch):
    """How many items are rolled up at a time, and what is put together when, changes nothing."""
    recorder, *_ = world
    monkeypatch.setattr(rollups, "STRETCH", 7)
    other = Replica(recorder.store)
    other.catch_up()
    other.keep_days(ZONE)
    assert contents(other) == contents(recorder.replica)
    with other._db.transaction() as cursor:
        for table, summed in rollups.SUMMED.items():
            rollups.put_together(cursor, table, summed)
    assert contents(other) == contents(recorder.replica)
    other.close()


def test_a_clock_that_went_back_undoes_nothing(sqlite_recorder):
    """A later label with an earlier time counts from the one before it, and the end is what stands."""
    project = sqlite_recorder.project()
    item, other = sqlite_recorder.items(project, 2)
    replica = Replica(sqlite_recorder.store)
    day = 86400
    for state, at in (("dispute", START + 5 * day), ("agreed", START - 3 * day)):
        sqlite_recorder.finals(project, [{"item_id": item, "state": state, "label": "x", "at": at}])
        replica.catch_up()
    found = progress(replica, project)
    assert found.states == {"agreed": 1, "open": 1}
    assert [dict(states) for _, states in found.history] == [{"open": 2}, {"agreed": 1, "open": 1}]
    assert other != item
