"""The commands consensus and agreement: documents, files, sentences and exit codes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from core.cli import main
from core.services.consensus.vote_tables import METHOD_NAMES

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command; there is no workspace."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", "/nowhere/at/all")

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tiebreak", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def doc(result: tuple[int, str, str]) -> dict:
    """Return the one JSON document a command printed, which holds no NaN."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} in a document"))


def table(
    path: Path, rows: list[tuple], head: tuple[str, ...] = ("task", "worker", "label")
) -> Path:
    """Write a table and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def crowd(items: int = 200, seed: int = 0) -> tuple[list[tuple], list[tuple]]:
    """Return votes of seven people, two of whom guess, and the truth."""
    rng = np.random.default_rng(seed)
    names, truth = ["oak", "ash", "elm"], rng.integers(0, 3, items)
    rows = []
    for i in range(items):
        for w in rng.choice(7, 4, replace=False).tolist():
            right = rng.random() < (0.34 if w < 2 else 0.85)
            rows.append((f"t{i}", f"w{w}", names[truth[i] if right else int(rng.integers(3))]))
    return rows, [(f"t{i}", names[t]) for i, t in enumerate(truth)]


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Give a table of votes with its truth beside it."""
    rows, truth = crowd()
    table(tmp_path / "truth.csv", truth, ("task", "label"))
    return table(tmp_path / "votes.csv", rows)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_gives_labels_with_accuracy_and_a_file(
    run: Run, votes: Path, method: str
) -> None:
    """Each method's document counts what came in and how right the labels are."""
    truth = votes.with_name("truth.csv")
    gold = table(votes.with_name("gold.csv"), crowd()[1][:20], ("task", "label"))
    known = ("--gold", gold) if method == "gold-majority" else ()
    found = doc(run("consensus", votes, "--method", method, "--truth", truth, *known, "--json"))
    assert (found["method"], found["n_tasks"], found["n_workers"]) == (method, 200, 7)
    assert (found["n_votes"], found["n_classes"], found["replaced"], found["refused"]) == (
        800,
        3,
        0,
        [],
    )
    assert found["low"] < found["accuracy"] < found["high"]
    assert (found["n"], found["accuracy"] > 0.8) == (180 if known else 200, True)
    assert 0 < found["seconds"] < found["total_seconds"]
    with Path(found["labels_file"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["task", "label", "probability", "votes", "why"]
    right = dict(csv.reader(truth.open(encoding="utf-8")))
    asked = [r for r in rows if r["why"] != "gold"]
    assert sum(r["label"] == right[r["task"]] for r in asked) / found["n"] == pytest.approx(
        found["accuracy"]
    )
    assert all(0 < float(r["probability"]) <= 1 and r["votes"] == "4" for r in rows)


def test_labels_go_where_out_says_and_never_over_a_table_that_was_read(
    run: Run, votes: Path
) -> None:
    """The labels file lies beside the votes or at --out; the votes themselves are safe."""
    before = votes.read_bytes()
    elsewhere = votes.with_name("other.csv")
    assert doc(run("consensus", votes, "--out", elsewhere, "--json"))["labels_file"] == str(
        elsewhere
    )
    assert doc(run("consensus", votes, "--json"))["labels_file"].endswith("votes.labels.csv")
    code, _, err = run("consensus", votes, "--out", votes)
    assert (code, votes.read_bytes()) == (1, before)
    assert err.startswith("error INPUT: ")
    code, _, err = run("consensus", votes, "--out", votes.parent / "none" / "x.csv")
    assert (code, "could not be written" in err) == (1, True)


def test_gold_stands_and_is_not_counted_as_accuracy(run: Run, tmp_path: Path) -> None:
    """A known answer holds against everybody, may be a class nobody said, and proves nothing."""
    path = table(
        tmp_path / "v.csv", [("a", w, "x") for w in "klm"] + [("b", w, "y") for w in "klm"]
    )
    gold = table(tmp_path / "g.csv", [("a", "unheard"), ("zz", "x")], ("task", "label"))
    truth = table(tmp_path / "t.csv", [("a", "x"), ("b", "y"), ("q", "x")], ("task", "label"))
    for method in METHOD_NAMES:
        found = doc(
            run("consensus", path, "--gold", gold, "--truth", truth, "--method", method, "--json")
        )
        assert (found["gold"], found["n_classes"], found["n"], found["truth_without_votes"]) == (
            1,
            3,
            1,
            1,
        )
        with Path(found["labels_file"]).open(encoding="utf-8") as file:
            rows = {r["task"]: r for r in csv.DictReader(file)}
        assert (rows["a"]["label"], rows["a"]["why"]) == ("unheard", "gold")


def test_labels_of_the_truth_that_nobody_said_are_named_and_wrong(run: Run, tmp_path: Path) -> None:
    """An unknown label in the truth table is reported and its task counts as wrong."""
    path = table(tmp_path / "v.csv", [("a", "k", "x"), ("b", "k", "y")])
    truth = table(tmp_path / "t.csv", [("a", "ghost"), ("b", "y")], ("task", "label"))
    found = doc(run("consensus", path, "--truth", truth, "--method", "majority", "--json"))
    assert (found["unknown_labels"], found["accuracy"], found["n"]) == (["ghost"], 0.5, 2)
    code, out, _ = run("consensus", path, "--truth", truth)
    assert code == 0
    assert "nobody voted for: 'ghost'" in out


def test_agreement_says_every_figure_with_its_interval(run: Run, votes: Path) -> None:
    """The document has each coefficient with ends and n, classes, workers and pairs."""
    found = doc(run("agreement", votes, "--json"))
    for name in ("alpha", "fleiss_kappa", "ac1", "percent"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
        assert found[f"{name}_n"] == 200
    assert (found["low"], found["high"], found["n"]) == tuple(
        found[f"alpha_{k}"] for k in ("low", "high", "n")
    )
    assert [c["class"] for c in found["classes"]] == ["ash", "elm", "oak"]
    effects = {w["worker"]: w["effect"] for w in found["workers"]}
    assert sorted(effects, key=effects.__getitem__)[:2] in (["w0", "w1"], ["w1", "w0"])
    assert (len(found["pairs"]), found["pairs_left_out"]) == (21, 0)
    code, out, _ = run("agreement", votes)
    assert (code, "Krippendorff's alpha" in out) == (0, True)


def test_an_order_adds_the_coefficients_of_ordered_classes(
    run: Run, votes: Path, tmp_path: Path
) -> None:
    """Names in order give ordinal alpha and AC2, numbers interval alpha too; a wrong order is said."""
    found = doc(run("agreement", votes, "--order", "oak, ash,elm", "--json"))
    assert found["ordinal_alpha_low"] < found["ordinal_alpha"]
    assert "interval_alpha" not in found
    numbers = table(tmp_path / "n.csv", [(i // 3, i % 3, (i // 3 + i % 2) % 5) for i in range(60)])
    found = doc(run("agreement", numbers, "--order", "numbers", "--json"))
    assert -1 < found["interval_alpha"] < 1
    assert -1 < found["ac2"] < 1
    code, _, err = run("agreement", votes, "--order", "oak,elm")
    assert (code, "leaves out 'ash'" in err) == (1, True)
    code, _, err = run("agreement", votes, "--order", "numbers")
    assert (code, "Not every label is a number" in err) == (1, True)


def test_wrong_usage_ends_with_two_and_help_lists_the_methods(run: Run, votes: Path) -> None:
    """An unknown method is wrong usage; --help names them all."""
    code, out, err = run("consensus", votes, "--method", "guess")
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    code, out, _ = run("consensus", "--help")
    flat = "".join(c for c in out if c.isalnum() or c == "-")
    assert (code, [m for m in METHOD_NAMES if m not in flat]) == (0, [])


def test_broken_rows_of_the_truth_and_gold_tables_are_told(run: Run, votes: Path) -> None:
    """What is left out of a reference is named by line, as for votes."""
    for name in ("truth", "gold"):
        path = table(
            votes.with_name("odd.csv"),
            [("t0", "oak"), ("t1", ""), ("no", "ash")],
            ("task", "label"),
        )
        found = doc(run("consensus", votes, f"--{name}", path, "--json"))
        assert found[f"{name}_refused"] == [{"line": 3, "reason": "the label is empty."}]
        assert found[f"{name}_without_votes"] == 1
        code, out, _ = run("consensus", votes, f"--{name}", path)
        assert (code, f"Line 3 of the {name} table refused" in out) == (0, True)


def test_gold_majority_without_gold_is_wrong_usage_and_without_common_tasks_an_error(
    run: Run, votes: Path
) -> None:
    """A method that weighs people by known answers says so instead of answering as majority."""
    code, out, err = run("consensus", votes, "--method", "gold-majority", "--json")
    assert (code, out) == (2, "")
    assert "weighs people by known answers" in " ".join(err.replace("│", " ").split())
    gold = table(votes.with_name("gold.csv"), [("elsewhere", "oak")], ("task", "label"))
    code, out, err = run("consensus", votes, "--method", "gold-majority", "--gold", gold, "--json")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "nobody voted on a task of" in err


@pytest.mark.parametrize("name", ["truth", "gold"])
def test_a_task_with_two_known_answers_is_told(run: Run, votes: Path, name: str) -> None:
    """Contradictions are counted and named, the last counts; the same answer twice is none."""
    rows = [("t0", "oak"), ("t1", "elm"), ("t0", "ash"), ("t1", "elm"), ("zz", "x"), ("zz", "y")]
    path = table(votes.with_name("known.csv"), rows, ("task", "label"))
    found = doc(run("consensus", votes, f"--{name}", path, "--json"))
    assert found[f"{name}_contradicted"] == 2
    assert found[f"{name}_contradictions"] == [
        {"task": "t0", "labels": ["ash", "oak"]},
        {"task": "zz", "labels": ["x", "y"]},
    ]
    code, out, _ = run("consensus", votes, f"--{name}", path)
    assert code == 0
    assert f"The {name} table gives 2 tasks different answers, such as 't0' ('ash', 'oak')" in out


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("oak,ash,oak,elm", "names 'oak' more than once"),
        ("", "names no classes"),
        (" ", "names no classes"),
        ("oak,,ash,elm", "empty"),
        ('oak,"ash,elm', "names no classes"),
    ],
    ids=["twice", "nothing", "blank", "gap", "open"],
)
def test_an_order_that_is_none_is_refused(run: Run, votes: Path, order: str, says: str) -> None:
    """A class twice, a class without a name and no class at all are said in one sentence."""
    code, out, err = run("agreement", votes, "--order", order, "--json")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error INPUT: ")
    assert says in err


def test_an_order_may_quote_a_class_with_a_comma(run: Run, tmp_path: Path) -> None:
    """Names are read as the cells of a table are."""
    path = table(tmp_path / "v.csv", [(i // 2, i % 2, ("a,b", "c")[i % 3 > 0]) for i in range(20)])
    assert doc(run("agreement", path, "--order", '"a,b", c', "--json"))["ordinal_alpha_n"] == 10


def test_labels_of_a_pipe_need_a_place(run: Run, tmp_path: Path) -> None:
    """Votes that are no file have no folder for their labels: --out is asked for."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for out_option, expected in (((), 1), (("--out", tmp_path / "labels.csv"), 0)):
        writer = Thread(target=pipe.write_text, args=("task,worker,label\na,k,x\n",))
        writer.start()
        code, _, err = run("consensus", pipe, "--json", *out_option)
        writer.join()
        assert (code, "--out" in err) == (expected, expected == 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.csv", "pipe"]


def test_labels_never_take_the_place_of_a_folder_a_pipe_or_a_table(
    run: Run, votes: Path, tmp_path: Path
) -> None:
    """What is no plain file is written to or refused, and stays what it is."""
    pipe, link = tmp_path / "pipe", tmp_path / "link.csv"
    os.mkfifo(pipe)
    link.symlink_to(votes)
    found: list[str] = []
    reader = Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    assert run("consensus", votes, "--out", pipe, "--json")[0] == 0
    reader.join()
    assert (pipe.is_fifo(), found[0].count("\n")) == (True, 201)
    before = votes.read_bytes()
    for out, says in (
        ("", "is a folder"),
        (tmp_path, "is a folder"),
        (link, "is one of the tables read"),
        (tmp_path / ("x" * 300), "could not be written"),
    ):
        code, printed, err = run("consensus", votes, "--out", out, "--json")
        assert (code, printed, err.count("\n"), says in err) == (1, "", 1, True), err
    assert votes.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_name_in_an_error_is_no_command_of_the_terminal(run: Run, tmp_path: Path) -> None:
    """Control marks in a file's name are written out on standard error too."""
    code, _, err = run("agreement", tmp_path / "\x1b[31mred.csv")
    assert (code, "\x1b" in err, "\\u001b[31mred.csv" in err) == (1, False, True)


def test_names_the_terminal_cannot_write_are_escaped(votes: Path, tmp_path: Path) -> None:
    """A file named in bytes and classes in another script end neither JSON nor text."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    odd.write_text("task,worker,label\na,k,猫\na,l,x\n", encoding="utf-8")
    for encoding in ("utf-8", "latin-1"):
        for words in (
            ("consensus", odd, "--json"),
            ("agreement", odd, "--json"),
            ("agreement", odd),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "core.cli", *words],
                capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": encoding},
            )  # fmt: skip
            said = done.stdout.decode(encoding)
            if "--json" in words:
                found = json.loads(said)
                assert found["n_classes"] == 2
                assert found.get("labels_file", "ff.labels.csv").endswith("ff.labels.csv")
            else:
                assert ("\\u732b" in said) == (encoding == "latin-1")


def test_agreement_says_what_its_figures_and_their_gaps_mean(run: Run, tmp_path: Path) -> None:
    """Help tells percent's mean and null ends; the text says why a figure or an interval is missing."""
    code, out, _ = run("agreement", "--help")
    flat = " ".join(out.replace("│", " ").split())
    assert (code, "pairs are not pooled" in flat, "Ends are null where" in flat) == (0, True, True)
    one = table(tmp_path / "v.csv", [("t", "a", "x"), ("t", "b", "y")])
    assert "(no interval), n = 1" in run("agreement", one)[1]
    same = table(tmp_path / "s.csv", [("t", "a", "x"), ("t", "b", "x"), ("u", "a", "x")])
    assert "Undefined: no task has two votes, or" in run("agreement", same)[1]
    alike = table(tmp_path / "a.csv", [(t, w, "xxy"[w]) for t in range(6) for w in range(3)])
    found = doc(run("agreement", alike, "--json"))
    for name in ("alpha", "fleiss_kappa", "ac1", "percent"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]


def lines_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table that was written."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_gives_a_probability_per_class_and_a_table_of_workers(
    run: Run, votes: Path, method: str
) -> None:
    """The two files hold what the labels rest on; the document has the workers too."""
    sure, people = votes.with_name("p.csv"), votes.with_name("w.csv")
    gold = table(votes.with_name("gold.csv"), crowd()[1][:20], ("task", "label"))
    known = ("--gold", gold) if method == "gold-majority" else ()
    asked = ("--method", method, "--probabilities", sure, "--workers", people, *known)
    found = doc(run("consensus", votes, *asked, "--json"))
    assert (found["probabilities_file"], found["workers_file"]) == (str(sure), str(people))
    total: dict[str, float] = {}
    first: dict[str, str] = {}
    for row in lines_of(sure):
        total[row["task"]] = total.get(row["task"], 0.0) + float(row["probability"])
        first.setdefault(row["task"], row["probability"])
    assert len(total) == 200
    assert all(p == pytest.approx(1, abs=1e-5) for p in total.values())
    labels = {r["task"]: r["probability"] for r in lines_of(Path(found["labels_file"]))}
    assert {t: float(p) for t, p in first.items()} == pytest.approx(
        {t: float(p) for t, p in labels.items()}, abs=2e-6
    )
    rows = lines_of(people)
    assert [r["worker"] for r in rows] == [f"w{i}" for i in range(7)]
    assert sum(int(r["votes"]) for r in rows) == 800
    assert {w["worker"]: w["votes"] for w in found["workers"]} == {
        r["worker"]: int(r["votes"]) for r in rows
    }
    accuracy = {r["worker"]: float(r["accuracy"]) for r in rows}
    assert max(accuracy["w0"], accuracy["w1"]) < min(accuracy[f"w{i}"] for i in range(2, 7))


def test_the_text_names_who_is_trusted_most_and_least(run: Run, votes: Path) -> None:
    """Three at either end with the votes each figure rests on; no file is made that was not asked for."""
    code, out, _ = run("consensus", votes)
    most, least = (next(x for x in out.splitlines() if x.startswith(w)) for w in ("Most", "Least"))
    assert (code, most.count("n = "), least.count("n = ")) == (0, 3, 3)
    assert ("'w0'" in least, "'w1'" in least, "'w0'" in most) == (True, True, False)
    assert not list(votes.parent.glob("*prob*"))


def test_workers_in_the_document_are_bounded(run: Run, tmp_path: Path) -> None:
    """A thousand with the most votes are told, the others counted; the file has all."""
    rows = [(i // 3, f"w{i:04d}", "ab"[i % 2]) for i in range(1_200)] + [("x", "w0007", "a")]
    path, people = table(tmp_path / "v.csv", rows), tmp_path / "w.csv"
    found = doc(run("consensus", path, "--method", "majority", "--workers", people, "--json"))
    assert (len(found["workers"]), found["workers_left_out"]) == (1_000, 200)
    assert found["workers"][0]["worker"] == "w0007"
    assert len(lines_of(people)) == 1_200


def test_no_file_is_written_over_another(run: Run, votes: Path) -> None:
    """Each place is looked at before the work; two names for one file are refused."""
    same = votes.with_name("same.csv")
    for words in (
        ("--out", same, "--workers", same),
        ("--probabilities", votes),
        ("--workers", votes.with_name("votes.labels.csv")),
    ):
        code, out, err = run("consensus", votes, *words, "--json")
        assert (code, out, "one of the tables read or written" in err) == (1, "", True)
    assert not same.exists()


def test_a_missing_folder_is_no_full_disk(run: Run, votes: Path) -> None:
    """The code says what is to be mended: the name of the place, not the space on the disk."""
    code, _, err = run("consensus", votes, "--out", "/nonexist/x.csv")
    assert code == 1
    assert err.startswith("error INPUT: '/nonexist/x.csv' could not be written: there is no folder")
    code, _, err = run("consensus", votes, "--out", "/dev/full")
    assert (code, err.startswith("error DISK_FULL: ")) == (1, True)


def test_numbers_are_written_as_they_are_and_formulas_escaped(run: Run, tmp_path: Path) -> None:
    """-3 stays a number for other programs; what a spreadsheet would run is escaped, and --help says so."""
    path = table(tmp_path / "v.csv", [("-7", "k", "-3"), ("-7", "l", "-3"), ("@x", "k", "=1+1")])
    found = doc(run("consensus", path, "--workers", tmp_path / "w.csv", "--json"))
    rows = {r["task"]: r["label"] for r in lines_of(Path(found["labels_file"]))}
    assert rows == {"-7": "-3", "'@x": "'=1+1"}
    code, out, _ = run("consensus", "--help")
    assert (code, "apostrophe" in out) == (0, True)


def test_votes_of_a_class_are_all_of_them(run: Run, tmp_path: Path) -> None:
    """A class said only on tasks with one vote was voted for; that no pair rests on it is told apart."""
    rows = [("a", "k", "x"), ("a", "l", "x"), ("b", "k", "y"), ("c", "k", "x"), ("c", "l", "z")]
    found = doc(run("agreement", table(tmp_path / "v.csv", rows), "--json"))
    assert {c["class"]: (c["votes"], c["paired_votes"]) for c in found["classes"]} == {
        "x": (3, 3), "y": (1, 0), "z": (1, 1)
    }  # fmt: skip
