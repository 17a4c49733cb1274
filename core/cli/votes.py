"""Commands about tables of votes, without a workspace: consensus, agreement."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from core.cli.figures import percent
from core.cli.options import JsonOption
from core.cli.output import emit
from core.errors import InputError
from core.services.consensus.table_agreement import TableAgreement, agreement_of_table
from core.services.consensus.table_files import (
    OneWorker,
    check_place,
    label_lines,
    most_voting,
    probability_lines,
    worker_lines,
    workers_of,
    write_table,
)
from core.services.consensus.vote_tables import (
    DEFAULT_METHOD,
    METHOD_NAMES,
    NEEDS_GOLD,
    WITHOUT_GOLD,
    Accuracy,
    Given,
    Settled,
    VoteFile,
    settle_table,
)
from core.stats.intervals import UNDEFINED, Estimate

SHOWN = 10
MOST_WORKERS = 1_000
"""Workers told in the document, those with the most votes; --workers writes all."""
FILES = {"--out": label_lines, "--probabilities": probability_lines, "--workers": worker_lines}
"""What each option's file holds."""
NAMED = 3
"""Workers named in the text at either end."""

VotesArgument = Annotated[
    Path, typer.Argument(help="Table (CSV, TSV) with columns task, worker, label, perhaps seconds.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Everything random follows from it.")]


def _method(name: str) -> str:
    if name not in METHOD_NAMES:
        raise typer.BadParameter(f"'{name}' is none of {', '.join(METHOD_NAMES)}.")
    return name


def consensus(
    votes: VotesArgument,
    method: Annotated[
        str, typer.Option(callback=_method, help=f"One of {', '.join(METHOD_NAMES)}.")
    ] = DEFAULT_METHOD,
    truth: Annotated[
        Path | None, typer.Option(help="Table task, label to hold the labels against.")
    ] = None,
    gold: Annotated[
        Path | None, typer.Option(help="Table task, label of answers that are known; they stand.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Labels file; beside the votes by default.")
    ] = None,
    probabilities: Annotated[
        Path | None, typer.Option(help="File for the probability of each class of each task.")
    ] = None,
    workers: Annotated[
        Path | None, typer.Option(help="File for what was learnt of each worker.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Derive one label for each task from a table of votes; no workspace is needed.

    Rows that cannot be used are left out: all are counted by reason, the first 1,000 told by line.
    Of a worker's votes on a task, and of a task's known answers, the last row counts; how often
    that mattered is told.

    In the files written, a name that a spreadsheet would run as a formula (it begins with = + - @, a
    tab or a line break, and is no plain number) has an apostrophe before it; every import here takes
    it away again.
    """
    if method in NEEDS_GOLD and gold is None:
        raise typer.BadParameter(f"{WITHOUT_GOLD} Give their table.", param_hint="'--gold'")
    began = time.perf_counter()
    wanted = _places(votes, out, probabilities, workers)
    _check_places(wanted, [p for p in (votes, truth, gold) if p is not None])
    settled = settle_table(votes, method, truth, gold, seed)
    wanted |= {"--out": out or _beside(votes)}
    for option, place in wanted.items():
        write_table(settled, FILES[option], place, option)
    doc = {
        "method": method,
        **_counts(settled.file),
        "gold": settled.gold.tasks,
        "gold_without_votes": settled.gold.without_votes,
        **_known("gold", settled.gold),
        **_accuracy(settled.accuracy),
        "seconds": settled.seconds,
        "total_seconds": time.perf_counter() - began,
        "iterations": settled.truth.iterations,
        "converged": settled.truth.converged,
        "labels_file": wanted["--out"],
        "probabilities_file": probabilities,
        "workers_file": workers,
        "workers": [_worker(w) for w in most_voting(settled, MOST_WORKERS)],
        "workers_left_out": max(0, settled.file.votes.workers - MOST_WORKERS),
    }
    emit(doc, as_json, _consensus_text(settled, doc))


def _places(
    votes: Path, out: Path | None, probabilities: Path | None, workers: Path | None
) -> dict[str, Path]:
    """Return where each file goes that is known by now: beside a pipe there is no place."""
    labels = out or (_beside(votes) if votes.is_file() else None)
    asked = {"--out": labels, "--probabilities": probabilities, "--workers": workers}
    return {option: place for option, place in asked.items() if place is not None}


def _check_places(wanted: dict[str, Path], taken: list[Path]) -> None:
    """Check before the work that all can be written, none over a table read or another.

    Raises:
        InputError: One cannot.
    """
    for option, place in wanted.items():
        check_place(place, taken, option)
        taken.append(place)


def _worker(worker: OneWorker) -> dict[str, Any]:
    return {
        "worker": worker.name, "votes": worker.votes, "accuracy": worker.accuracy,
        "weight": worker.weight,
    }  # fmt: skip


def _beside(votes: Path) -> Path:
    """Return where the labels of a table go if nobody says where.

    Raises:
        InputError: The table is no file of a folder, but a pipe.
    """
    if not votes.is_file():
        raise InputError(f"'{votes}' is no file that labels could lie beside.", "Give --out.")
    return votes.with_name(f"{votes.stem}.labels.csv")


def _counts(file: VoteFile) -> dict[str, Any]:
    took = file.seconds
    return {
        "n_tasks": file.votes.tasks,
        "n_workers": file.votes.workers,
        "n_votes": len(file.votes),
        "n_classes": file.votes.classes,
        "replaced": file.replaced,
        **_refused("", file),
        "columns_passed_over": file.passed_over,
        "median_vote_seconds": float(np.median(took)) if len(took) else None,
    }


def _accuracy(found: Accuracy | None) -> dict[str, Any]:
    share = UNDEFINED if found is None else found.share
    return {
        "accuracy": share.value, "low": share.low, "high": share.high, "n": share.n,
        "against": None if found is None else "truth",
        "unknown_labels": () if found is None else found.unknown_labels,
        "truth_without_votes": 0 if found is None else found.without_votes,
        **_known("truth", found or Given()),
    }  # fmt: skip


def _known(name: str, table: Given | Accuracy) -> dict[str, Any]:
    """Return what was wrong with a table of known answers."""
    found = table.contradicted
    return {
        **_refused(f"{name}_", table),
        f"{name}_contradicted": found.tasks,
        f"{name}_contradictions": [{"task": t, "labels": said} for t, said in found.told],
    }


def _refused(prefix: str, table: VoteFile | Given | Accuracy) -> dict[str, Any]:
    """Return the rows left out: the first one by one, all counted by reason."""
    found = table.refused
    return {
        f"{prefix}refused": found.told,
        f"{prefix}refused_rows": found.rows,
        f"{prefix}refused_reasons": found.reasons,
    }


def _consensus_text(settled: Settled, doc: dict[str, Any]) -> str:
    lines = [
        f"{_size(settled.file)}, settled by {doc['method']} in {settled.seconds:.2f} s"
        + (f" ({doc['iterations']} rounds)." if doc["iterations"] else ".")
    ]
    if not settled.truth.converged:
        lines.append("It was stopped before it settled; take its probabilities with care.")
    if settled.accuracy is not None:
        share = settled.accuracy.share
        lines.append(
            f"Right on {_percent(share)} of n = {share.n:,} tasks of the truth table."
            if share.n
            else "No task of the truth table could be compared."
        )
        if settled.accuracy.unknown_labels:
            said = ", ".join(map(repr, settled.accuracy.unknown_labels[:SHOWN]))
            lines.append(f"Labels of the truth table that nobody voted for: {said}.")
        if settled.accuracy.without_votes:
            lines.append(f"{settled.accuracy.without_votes:,} of its tasks have no vote.")
    if settled.gold.without_votes:
        lines.append(f"{settled.gold.without_votes:,} tasks of the gold table have no vote.")
    tables: dict[str, Given | Accuracy] = {"gold": settled.gold}
    if settled.accuracy is not None:
        tables["truth"] = settled.accuracy
    for name, table in tables.items():
        lines += [*_told_refused(table, f" of the {name} table"), *_twice(name, table)]
    written = {
        "Labels": "labels_file",
        "Probabilities": "probabilities_file",
        "Workers": "workers_file",
    }
    lines += [*_trusted(list(workers_of(settled))), *_left_out(settled.file)]
    return "\n".join(
        [*lines, *(f"{w}: {doc[k]}" for w, k in written.items() if doc[k] is not None)]
    )


def _trusted(workers: Sequence[OneWorker]) -> list[str]:
    """Return who is taken to be right most and least often; of equals whoever showed it oftener."""
    known = [w for w in workers if w.accuracy is not None]
    best = sorted(known, key=lambda w: (-(w.accuracy or 0.0), -w.votes))
    if len(best) <= 2 * NAMED:
        return [f"Taken to be right, most first: {_named(best)}."] if best else []
    worst = sorted(known, key=lambda w: (w.accuracy or 0.0, -w.votes))
    return [
        f"Most trusted: {_named(best[:NAMED])}.",
        f"Least trusted: {_named(worst[:NAMED])}.",
    ]


def _named(workers: Sequence[OneWorker]) -> str:
    return ", ".join(
        f"{w.name!r} {percent(w.accuracy or 0.0)} (n = {w.votes:,} votes)" for w in workers
    )


def _twice(name: str, table: Given | Accuracy) -> list[str]:
    found = table.contradicted
    if not found.tasks:
        return []
    task, said = found.told[0]
    many = "1 task" if found.tasks == 1 else f"{found.tasks:,} tasks"
    return [
        f"The {name} table gives {many} different answers, such as {task!r} "
        f"({', '.join(map(repr, said[:SHOWN]))}); the last row about a task counts."
    ]


def _size(file: VoteFile) -> str:
    votes = file.votes
    return (
        f"{len(votes):,} votes of {votes.workers:,} workers on {votes.tasks:,} tasks, "
        f"{votes.classes:,} classes"
    )


def _told_refused(table: VoteFile | Given | Accuracy, where: str = "") -> list[str]:
    found = table.refused
    lines = [f"Line {r.line}{where} refused: {r.reason}" for r in found.told[:SHOWN]]
    if found.rows > SHOWN:
        why = "; ".join(f"{kind}, {n:,}" for kind, n in found.reasons.items())
        lines.append(f"Lines{where} refused in all: {found.rows:,} ({why}).")
    return lines


def _left_out(file: VoteFile) -> list[str]:
    lines = _told_refused(file)
    if file.replaced:
        lines.append(f"{file.replaced:,} votes were replaced by a later one of the same worker.")
    if file.passed_over:
        lines.append(f"Columns passed over: {', '.join(map(repr, file.passed_over[:SHOWN]))}.")
    return lines


def agreement(
    votes: VotesArgument,
    order: Annotated[
        str | None,
        typer.Option(help="Classes from lowest to highest, by commas; or: numbers."),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Say how far people agree in a table of votes, each figure with n and a 95 % interval.

    Percent is the share of a task's pairs of votes that agree, averaged over the tasks with two or
    more votes: each task weighs the same, pairs are not pooled. Fleiss' kappa uses the tasks with
    the commonest number of votes alone.

    A figure is null (undefined) where no task has two votes, or where everybody always said the same
    class, so that no disagreement could be expected. Ends are null where a figure rests on one task,
    or where more than a twentieth of the tables drawn again would leave it undefined. Where all tasks
    are split alike the ends are Wilson's of the mean share: such tasks do not make it certain.
    """
    found = agreement_of_table(votes, order, seed)
    emit(_agreement_doc(found), as_json, _agreement_text(found))


def _coefficients(found: TableAgreement) -> dict[str, Estimate]:
    main = found.found
    named = {
        "alpha": main.alpha, "fleiss_kappa": main.fleiss, "ac1": main.ac1, "percent": main.percent
    }  # fmt: skip
    if found.scale is not None:
        named |= {"ordinal_alpha": found.scale.ordinal, "ac2": found.scale.ac2}
        if found.scale.interval is not None:
            named["interval_alpha"] = found.scale.interval
    return named


def _flat(name: str, e: Estimate) -> dict[str, Any]:
    return {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high, f"{name}_n": e.n}


def _agreement_doc(found: TableAgreement) -> dict[str, Any]:
    alpha = found.found.alpha
    doc = {**_counts(found.file), "low": alpha.low, "high": alpha.high, "n": alpha.n}
    for name, e in _coefficients(found).items():
        doc |= _flat(name, e)
    doc["classes"] = [
        {"class": c.name, "votes": c.votes, "paired_votes": c.paired_votes,
         **_flat("alpha", c.alpha), **_flat("positive", c.positive)}
        for c in found.classes
    ]  # fmt: skip
    doc["workers"] = [
        {"worker": w.name, "votes": w.votes, **_flat("effect", w.effect)} for w in found.workers
    ]
    doc["pairs"] = [
        {"workers": p.names, **_flat("agreement", p.agreement), "kappa": p.kappa}
        for p in found.pairs
    ]
    return {**doc, "pairs_left_out": found.pairs_left_out}


def _agreement_text(found: TableAgreement) -> str:
    lines = [f"{_size(found.file)}."]
    words = {
        "alpha": "Krippendorff's alpha", "fleiss_kappa": "Fleiss' kappa", "ac1": "Gwet's AC1",
        "percent": "Percent agreement", "ordinal_alpha": "Ordinal alpha", "ac2": "Gwet's AC2",
        "interval_alpha": "Interval alpha",
    }  # fmt: skip
    for name, e in _coefficients(found).items():
        lines.append(f"  {words[name]:<21} {_plain(e)}")
    lines.append("By class, against all others (alpha):")
    lines += [f"  {c.name}: {_plain(c.alpha)}" for c in found.classes[:SHOWN]]
    if len(found.classes) > SHOWN:
        lines.append(f"  … and {len(found.classes) - SHOWN:,} more ('--json' lists each).")
    lowest = sorted(
        (w for w in found.workers if w.effect.value is not None),
        key=lambda w: w.effect.value or 0.0,
    )[:SHOWN]
    if lowest:
        lines.append("Effect on alpha, lowest first (below 0: the others agree better alone):")
        lines += [f"  {w.name}: {_plain(w.effect)}" for w in lowest]
    if any(e.value is None for e in _coefficients(found).values()):
        lines.append(
            "Undefined: no task has two votes, or everybody said one class and nothing else was expected."
        )
    return "\n".join([*lines, *_left_out(found.file)])


def _plain(e: Estimate) -> str:
    if e.value is None:
        return f"undefined (n = {e.n:,})"
    ends = (
        " (no interval)" if e.low is None or e.high is None else f" ({e.low:.3f} to {e.high:.3f})"
    )
    return f"{e.value:.3f}{ends}, n = {e.n:,}"


def _percent(e: Estimate) -> str:
    if e.value is None or e.low is None or e.high is None:
        return "none"
    return f"{percent(e.value)} (95 % interval {percent(e.low)} to {percent(e.high)})"
