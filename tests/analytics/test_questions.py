"""Every question, against the same figures computed in plain Python from the same rows."""

from __future__ import annotations

import pytest

from core.analytics.asked import Against, Basis, Filters
from core.analytics.boxes import box_accuracy, box_confusion
from core.analytics.metadata import metadata_columns
from core.analytics.people import person_table
from core.analytics.progress import progress
from core.analytics.replica import Replica
from core.analytics.rightness import confusion, per_class_accuracy
from core.analytics.slice_facts import Metric, Question, statements_of
from core.analytics.votes import vote_table
from core.analytics.work import throughput
from core.errors import InputError, NotFound
from tests.analytics import oracle
from tests.analytics.recorded import START, Recorder, random_project
from tests.analytics.sliced import sliced

SEEDS = range(8)
AGAINST = [a.value for a in Against]


WORLDS = [("sqlite", s) for s in SEEDS] + [("postgresql", s) for s in list(SEEDS)[:2]]


@pytest.fixture(scope="module", params=WORLDS, ids=lambda w: f"{w[0]}-{w[1]}")
def world(request, new_record):
    """Give (rows, project, replica) of a random project beside another one."""
    dialect, seed = request.param
    store = new_record(dialect)
    recorder, replica = Recorder(store), Replica(store)
    random_project(recorder, seed + 1000)
    replica.catch_up()
    project = random_project(recorder, seed)
    replica.catch_up()
    yield recorder.rows, project, replica
    replica.close()
    store.close()


def everyone(rows, project):
    """Return all there is to ask about: the model, people, and each person."""
    ids = {r["person_id"] for r in rows.annotations if r["project_id"] == project}
    return ["model", "people", *(r["name"] for r in rows.people if r["id"] in ids)]


def test_accuracy_and_confusion_equal_the_oracle(world):
    """Counts by class, by cell and left out are equal for everybody against every reference."""
    rows, project, replica = world
    for whose in everyone(rows, project):
        for against in AGAINST:
            by_class, cells, left_out, reviewed = oracle.counts(rows, project, whose, against)
            ours = per_class_accuracy(replica, project, whose, against)
            assert {c.name: (c.n, c.correct) for c in ours.classes} == by_class
            assert ours.left_out == left_out
            assert (ours.basis is Basis.REVIEWED) == reviewed
            table = confusion(replica, project, whose, against)
            assert {(c.truth, c.said): c.n for c in table.cells} == cells
            if whose == "people":
                assert sum(t.n for t in ours.by_person) == ours.n


def test_filters_leave_the_same_statements(world):
    """Time, use, metadata (a value, or none), person and blindness filter as the oracle does."""
    rows, project, replica = world
    use = {r["id"]: r["use"] for r in rows.items}
    docs = oracle.metadata(rows, project)
    person = everyone(rows, project)[2:3]
    names = {r["id"]: r["name"] for r in rows.people}
    middle = START + 2.5e5
    table = [
        (Filters(since=middle), lambda i, s: s["at"] >= middle),
        (Filters(until=middle), lambda i, s: s["at"] < middle),
        (Filters(uses=["train", "certify"]), lambda i, s: use[i] != "evaluate"),
        (Filters(blind_only=True), lambda i, s: not s["prelabel_shown"]),
        (Filters(people=person), lambda i, s: not person or names[s["person_id"]] in person),
        (
            Filters(metadata={"camera": None}),
            lambda i, s: oracle.value_text(docs.get(i, {}).get("camera")) is None,
        ),
        (
            Filters(metadata={"camera": "5", "mixed": "12"}),
            lambda i, s: (
                oracle.value_text(docs.get(i, {}).get("camera")) == "5"
                and docs[i].get("mixed") == "12"
            ),
        ),
    ]
    for filters, keep in table:
        by_class, *_ = oracle.counts(rows, project, "people", "final", keep)
        ours = per_class_accuracy(replica, project, "people", "final", filters)
        assert {c.name: (c.n, c.correct) for c in ours.classes} == by_class, filters


def named(value):
    """Return a value with its digits cut to ten, as slices of numbers name it."""
    number = None if value is None else oracle.number(value)
    return value if number is None else f"{number:.10g}"


def test_slices_equal_the_oracle(world):
    """Members and rest are equal for text, mixed and numeric columns, missing values included."""
    rows, project, replica = world
    for column in ("camera", "brightness", "mixed", "no such column"):
        for whose, against in (("model", "gold"), ("people", "final"), ("people", "gold")):
            expected = {
                (None if low is not None else named(name), low, high): counted
                for (name, low, high), counted in oracle.slice_counts(
                    rows, project, column, whose, against
                ).items()
            }
            found = {
                (named(name), low, high): counted
                for (name, low, high), counted in sliced(
                    replica, project, column, whose, against
                ).items()
            }
            # A column in which all items are the same is no slice of anything.
            assert found == ({} if column == "no such column" else expected), column


def test_slices_by_class_and_person_are_the_accuracy(world):
    """Slicing by true class or person gives the figures of that class or person."""
    rows, project, replica = world
    by_class, *_ = oracle.counts(rows, project, "people", "gold")
    said = statements_of(
        replica, project, Question(Metric.ACCURACY, whose="people", against="gold")
    )
    by_name = {c.name: c for c in said.columns}

    def counted(column, code):
        inside = by_name[column].codes == code
        return int(inside.sum()), int(said.facts.total[inside].sum())

    if len(by_class) > 1:  # else there is nothing to compare, and no column
        values = by_name["class"].values
        assert {v.name: counted("class", i) for i, v in enumerate(values)} == by_class
    for i, person in enumerate(by_name["person"].values if "person" in by_name else ()):
        one, *_ = oracle.counts(rows, project, person.name, "gold")
        assert counted("person", i) == tuple(sum(v[k] for v in one.values()) for k in (0, 1))


def test_votes_are_the_live_ones(world):
    """The vote table holds the latest revision of each, and none that was withdrawn."""
    rows, project, replica = world
    table = vote_table(replica, project)
    got = [
        (int(i), int(p), table.names[c])
        for i, p, c in zip(table.item_id, table.person_id, table.label, strict=True)
    ]
    expected = [
        (i, p, r["label"])
        for (i, p), r in oracle.live(rows, project).items()
        if r["kind"] == "vote"
    ]
    assert got == sorted(expected)
    assert list(table.names) == sorted({label for *_, label in got})


def test_throughput_equals_the_oracle(world):
    """Days are cut in the time zone asked for, and sums and medians are equal."""
    rows, project, replica = world
    near = pytest.approx
    for tz in ("UTC", "Asia/Seoul", "America/St_Johns"):
        got = {
            (d.day, d.person): (
                d.decisions, d.votes, d.skips, d.flags,
                near(d.active_seconds), near(d.median_seconds), near(d.elapsed_seconds),
            )
            for d in throughput(replica, project, tz)
        }  # fmt: skip
        assert oracle.days(rows, project, tz) == got


def test_progress_equals_the_oracle(world):
    """States now, and at the end of every day, are equal."""
    rows, project, replica = world
    found = progress(replica, project, "Asia/Seoul")
    expected = oracle.history(rows, project, "Asia/Seoul")
    assert dict(found.history) == expected
    assert found.states == list(expected.values())[-1]


def test_people_equal_the_oracle(world):
    """Votes, skips, flags, gold and agreement of each person are equal."""
    rows, project, replica = world
    got = {
        r.person: (
            r.votes, r.blind_votes, r.skips, r.flags, r.gold_n, r.gold_correct,
            sum(s.items for s in r.agreement),
            pytest.approx(sum(s.items * s.same / s.others for s in r.agreement)),
        )
        for r in person_table(replica, project)
    }  # fmt: skip
    assert oracle.person_counts(rows, project) == got


def test_metadata_columns_equal_the_oracle(world):
    """Columns, items that have them, different values and numbers are equal."""
    rows, project, replica = world
    expected = {}
    for doc in oracle.metadata(rows, project).values():
        for key, value in doc.items():
            if oracle.value_text(value) is not None:
                expected.setdefault(key, []).append(value)
    assert {c.name: (c.items, c.values, c.numbers) for c in metadata_columns(replica, project)} == {
        k: (
            len(v),
            len({oracle.value_text(x) for x in v}),
            sum(oracle.number(x) is not None for x in v),
        )
        for k, v in expected.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_equal_the_oracle(sqlite_recorder, seed):
    """Recall, precision, whole items and the confusion of boxes equal item-by-item matching."""
    recorder = sqlite_recorder
    project = random_project(recorder, seed, "boxes")
    replica = Replica(recorder.store)
    replica.catch_up()
    for whose in everyone(recorder.rows, project):
        for against in AGAINST:
            by_class, answers, whole = oracle.detection(recorder.rows, project, whose, against)
            found = box_accuracy(replica, project, whose, against)
            got = {
                c.name: (c.recall.n, c.recall.correct, c.precision.n, c.precision.correct)
                for c in found.classes
            }
            assert got == by_class
            assert (found.answers, found.right_items) == (answers, whole)
            cells = {
                (c.truth, c.said): c.n
                for c in box_confusion(replica, project, whose, against).cells
            }
            assert cells == oracle.box_cells(recorder.rows, project, whose, against)


def test_an_empty_project_answers_everything(recorder, replica):
    """Without any rows every question has an empty answer and no error."""
    project = recorder.project()
    replica.catch_up()
    for whose in ("model", "people"):
        for against in AGAINST:
            assert per_class_accuracy(replica, project, whose, against).n == 0
            assert confusion(replica, project, whose, against).cells == ()
            assert sliced(replica, project, "camera", whose, against) == {}
            assert box_accuracy(replica, project, whose, against).classes == ()
            assert box_confusion(replica, project, whose, against).cells == ()
    assert len(vote_table(replica, project).item_id) == 0
    assert throughput(replica, project, "UTC") == ()
    assert person_table(replica, project) == ()
    assert metadata_columns(replica, project) == ()
    assert progress(replica, project).items == 0


def test_only_biased_labels_are_marked(sqlite_recorder):
    """One annotator whose votes are all the evidence there is: a figure, marked as such."""
    project = sqlite_recorder.project()
    (ann,) = sqlite_recorder.people("ann")
    items = sqlite_recorder.items(project, 3)
    base = {"project_id": project, "person_id": ann, "label": "cat"}
    votes = sqlite_recorder.votes([{**base, "item_id": i} for i in items])
    sqlite_recorder.finals(
        project,
        [
            {"item_id": i, "state": "agreed", "label": "cat", "evidence": {"votes": [v]}}
            for i, v in zip(items, votes, strict=True)
        ],
    )
    replica = Replica(sqlite_recorder.store)
    replica.catch_up()
    found = per_class_accuracy(replica, project, "ann", "final")
    assert (found.basis, found.n, found.correct) == (Basis.REVIEWED, 3, 3)
    assert per_class_accuracy(replica, project, "ann", "gold").n == 0


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda r: per_class_accuracy(r, 1, "nobody", "final"), NotFound, "nobody"),
        (lambda r: confusion(r, 1, "people", "truth"), InputError, "'gold'"),
        (lambda r: throughput(r, 1, "Mars/Olympus"), InputError, "Mars/Olympus"),
        (lambda r: vote_table(r, 1, Filters(people=["x' OR 1=1"])), NotFound, "x' OR 1=1"),
    ],
    ids=["person", "reference", "zone", "filter"],
)
def test_what_does_not_exist_is_said(sqlite_recorder, ask, error, words):
    """An unknown person, reference or time zone is named in the message."""
    replica = Replica(sqlite_recorder.store)
    with pytest.raises(error, match=words):
        ask(replica)
