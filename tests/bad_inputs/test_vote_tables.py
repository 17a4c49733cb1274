"""Tables of votes nobody would wish for: every method gives an answer or one sentence, never NaN."""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.cli import main
from core.services.consensus.table_agreement import agreement_of_table
from core.services.consensus.vote_tables import METHOD_NAMES, NEEDS_GOLD, settle_table

HEAD = ("task", "worker", "label")
TABLES: dict[str, list[tuple[object, ...]]] = {
    "one voter": [(f"t{i}", "only", "ab"[i % 2]) for i in range(6)],
    "one vote": [("t", "w", "x")],
    "everyone disagrees": [(f"t{i}", f"w{j}", f"c{j}") for i in range(5) for j in range(4)],
    "a vote for each worker": [(f"t{i // 3}", f"w{i}", "xy"[i % 2]) for i in range(30)],
    "ties": [(f"t{i}", f"w{j}", "ab"[j % 2]) for i in range(8) for j in range(4)],
    "one class": [(f"t{i}", f"w{j}", "same") for i in range(5) for j in range(3)],
    "unicode": [(f"任务{i}", f"Zoë{j}", "猫🐈"[(i + j) % 2]) for i in range(6) for j in range(3)],
    "numeric": [(i, j, (i * j) % 3) for i in range(9) for j in range(3)],
    "many classes": [(f"t{i}", f"w{i % 7}", f"c{i % 150}") for i in range(300)],
    "duplicates": [("t", "w", "ab"[i % 2]) for i in range(9)] + [("t", "v", "a")],
}


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def known(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """Write a table of gold that holds the answer of the first vote."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("task", "label"), (rows[0][0], rows[0][2])])
    return path


def methods(folder: Path, rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Return each method with the gold it needs."""
    gold = known(folder / "gold.csv", rows)
    return [(m, "--gold", gold) if m in NEEDS_GOLD else (m,) for m in METHOD_NAMES]


def printed(capsys, monkeypatch, *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["tiebreak", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("name", TABLES)
def test_every_method_answers_and_no_nan_reaches_a_document(
    name, tmp_path, capsys, monkeypatch
) -> None:
    """Each odd table gives a label for each task by every method, and figures or null."""
    path = write(tmp_path / "v.csv", TABLES[name])
    tasks = {str(r[0]) for r in TABLES[name]}
    commands = [
        ("consensus", path, "--method", *asked) for asked in methods(tmp_path, TABLES[name])
    ]
    commands.append(("agreement", path))
    for words in commands:
        code, out, err = printed(capsys, monkeypatch, *words, "--json")
        assert (code, err) == (0, ""), words
        found = json.loads(out, parse_constant=lambda bad: pytest.fail(f"{bad} in {words}"))  # noqa: B023
        assert found["n_tasks"] == len(tasks)
        if "labels_file" in found:
            with Path(found["labels_file"]).open(encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            assert {r["task"] for r in rows} == tasks
            assert all(r["label"] and 0 < float(r["probability"]) <= 1 for r in rows)
        assert printed(capsys, monkeypatch, *words)[0] == 0


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_gold_that_contradicts_everyone_stands_and_spoils_nothing(
    method, tmp_path, capsys, monkeypatch
) -> None:
    """Where gold says everybody is wrong it counts, and the other tasks still get a label each."""
    rows = [(f"t{i}", f"w{j}", "ab"[i % 2]) for i in range(20) for j in range(4)]
    rows.append(("t19", "once", "a"))
    gold = tmp_path / "gold.csv"
    known = [(f"t{i}", "ba"[i % 2] if i < 9 else "nobody chose this") for i in range(10)]
    with gold.open("w", newline="") as file:
        csv.writer(file).writerows([("task", "label"), *known])
    path = write(tmp_path / "v.csv", rows)
    words = ("consensus", path, "--gold", gold, "--truth", gold, "--method", method, "--json")
    code, out, err = printed(capsys, monkeypatch, *words)
    assert (code, err) == (0, "")
    found = json.loads(out, parse_constant=pytest.fail)
    assert (found["gold"], found["n"], found["accuracy"], found["n_classes"]) == (10, 0, None, 3)
    with Path(found["labels_file"]).open(encoding="utf-8") as file:
        labels = {r["task"]: r for r in csv.DictReader(file)}
    assert {t: labels[t]["label"] for t, _ in known} == dict(known)
    assert all(r["label"] and 0 < float(r["probability"]) <= 1 for r in labels.values())


def test_the_latest_of_duplicate_votes_wins_and_is_reported(tmp_path: Path) -> None:
    """Nine votes of one worker on one task are one vote, the last."""
    found = settle_table(write(tmp_path / "v.csv", TABLES["duplicates"]), "majority")
    assert (found.file.replaced, len(found.file.votes)) == (8, 2)
    assert found.file.names.classes[found.truth.label[0]] == "a"
    assert found.truth.why[0] == 2


def test_a_table_with_a_tenth_of_its_rows_broken_still_works(tmp_path, capsys, monkeypatch) -> None:
    """Broken rows are told by their line; the labels are those of the others alone."""
    rows = [f"t{i // 5},w{i % 5},{'ab'[(i // 5) % 2]}" for i in range(2000)]
    broken = ["x", "t1,w1,", ",w,a", 't1,"w,a', "t1,w1,a,b", "t\0,w,a"]
    mixed = [broken[i // 10 % 6] if i % 10 == 0 else row for i, row in enumerate(rows)]
    path, good = tmp_path / "v.csv", tmp_path / "good.csv"
    path.write_text("task,worker,label\n" + "\n".join(mixed) + "\n")
    good.write_text(
        "task,worker,label\n" + "\n".join(r for i, r in enumerate(rows) if i % 10) + "\n"
    )
    found = [
        json.loads(printed(capsys, monkeypatch, "consensus", p, "--json")[1]) for p in (path, good)
    ]
    assert [r["line"] for r in found[0]["refused"]] == list(range(2, 2002, 10))
    assert all(r["reason"].endswith(".") for r in found[0]["refused"])
    assert (found[0]["refused_rows"], sum(found[0]["refused_reasons"].values())) == (200, 200)
    labels = [Path(f["labels_file"]).read_text() for f in found]
    assert labels[0] == labels[1]
    code, out, _ = printed(capsys, monkeypatch, "consensus", path)
    assert (code, "Lines refused in all: 200" in out) == (0, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"task,worker,label\n",
        b"task,label\na,b\n",
        b"\0" * 500,
        b"task,worker,label\n\xff,a,b\n",
    ],
    ids=["empty", "header", "column", "binary", "latin"],
)
@pytest.mark.parametrize("command", ["consensus", "agreement"])
def test_what_is_no_table_of_votes_ends_with_one_and_a_sentence(
    command, data, tmp_path, capsys, monkeypatch
) -> None:
    """Exit 1, one line on standard error, nothing on standard output, no file."""
    path = tmp_path / "v.csv"
    path.write_bytes(data)
    code, out, err = printed(capsys, monkeypatch, command, path, "--json")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"error BAD_ANNOTATION_FILE: {path}")
    assert "import" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["v.csv"]


rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("klmn"), st.sampled_from("xyz")),
    min_size=1, max_size=14, unique_by=lambda r: r[:2],
)  # fmt: skip


ON_THE_EDGE = [
    (task, who, said)
    for task, all_said in {
        "a": {"k": "x", "l": "x", "m": "z"}, "b": {"k": "x", "l": "y", "m": "x", "n": "y"},
        "c": {"k": "x", "l": "y", "m": "x"}, "d": {"k": "y", "l": "y", "m": "x", "n": "x"},
    }.items()
    for who, said in all_said.items()
]  # fmt: skip
"""Two answers explain these votes alike: the last bit of a sum decided, and with it who is named first."""


@given(rows, st.randoms(use_true_random=False), st.permutations("klmn"))
@example(ON_THE_EDGE, random.Random(1), ["k", "l", "n", "m"])
@example(ON_THE_EDGE, random.Random(2), ["n", "m", "l", "k"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_order_of_rows_and_names_of_people_change_no_label(
    method, tmp_path, rows, random: random.Random, named
) -> None:
    """Shuffled rows of people with other names give the same labels, probabilities and reasons."""
    other = dict(zip("klmn", named, strict=True))
    mixed = [(t, other[w], c) for t, w, c in random.sample(rows, len(rows))]
    gold = known(tmp_path / "gold.csv", list(rows)) if method in NEEDS_GOLD else None
    one, two = (
        settle_table(write(tmp_path / "v.csv", r), method, gold=gold).truth
        for r in (list(rows), mixed)
    )
    assert one.label.tolist() == two.label.tolist()
    assert one.why.tolist() == two.why.tolist()
    assert one.confidence == pytest.approx(two.confidence, abs=1e-6)


@given(rows, st.randoms(use_true_random=False))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_order_of_rows_changes_no_agreement(tmp_path, rows, random: random.Random) -> None:
    """Shuffled rows give the same figures and intervals."""
    mixed = random.sample(rows, len(rows))
    one, two = (agreement_of_table(write(tmp_path / "v.csv", r)) for r in (list(rows), mixed))
    assert (one.found, one.classes, one.workers, one.pairs) == (
        two.found, two.classes, two.workers, two.pairs,
    )  # fmt: skip
