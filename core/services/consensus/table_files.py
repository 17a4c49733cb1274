"""What is written of a settled table of votes: labels, probability per class, the workers."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.result import Why
from core.errors import DiskFull, InputError, StorageError
from core.formats.cells import escaped, joined
from core.services.consensus.vote_tables import Settled

_WHY = {
    Why.NO_VOTES: "no votes", Why.GOLD: "gold", Why.UNANIMOUS: "unanimous", Why.MAJORITY: "majority",
    Why.TIE: "tie", Why.WEIGHED: "weighed",
}  # fmt: skip
_ROWS_AT_A_TIME = 50_000
_CELLS_AT_A_TIME = 1_000_000
_LEAST = 5e-7
"""Probabilities below it are nothing to six places, and left out."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR})
_ELSEWHERE = "Name another file with {option}."

Lines = Callable[[Settled], Iterator[str]]


@dataclass(frozen=True, slots=True)
class OneWorker:
    """What was learnt of one worker.

    Attributes:
        name: As in the table.
        votes: How many they cast.
        accuracy: The share of their votes that is right, as the method believes; None where it cannot say.
        weight: How much a vote counts, where the method has one number for it; else None.
    """

    name: str
    votes: int
    accuracy: float | None
    weight: float | None


def workers_of(settled: Settled) -> Iterator[OneWorker]:
    """Yield what was learnt of each worker, by name."""
    found = settled.truth.workers
    weight = _known(found.weight) if found.weight is not None else [None] * len(found.votes)
    rows = zip(
        settled.file.names.workers,
        found.votes.tolist(),
        _known(found.accuracy),
        weight,
        strict=True,
    )
    return (OneWorker(*row) for row in rows)


def most_voting(settled: Settled, most: int) -> list[OneWorker]:
    """Return the workers with the most votes, at most so many, those with most votes first."""
    return sorted(workers_of(settled), key=lambda w: -w.votes)[:most]


def _known(values: NDArray[np.floating]) -> list[float | None]:
    return [v if np.isfinite(v) else None for v in values.tolist()]


def label_lines(settled: Settled) -> Iterator[str]:
    """Yield task, label, probability, votes and why of each task."""
    names, truth, counts = settled.file.names, settled.truth, settled.file.votes.counts
    classes = [escaped(c, numbers=False) for c in names.classes]
    sure = np.round(truth.confidence, 6)
    yield "task,label,probability,votes,why\n"
    for start in range(0, len(names.tasks), _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        columns = zip(
            names.tasks[part], truth.label[part].tolist(), sure[part].tolist(),
            counts[part].tolist(), truth.why[part].tolist(), strict=True,
        )  # fmt: skip
        yield "".join(
            joined([escaped(task, numbers=False), classes[label] if label >= 0 else "",
                    f"{p:g}" if label >= 0 else "", str(n), _WHY[Why(why)]])
            for task, label, p, n, why in columns
        )  # fmt: skip


def probability_lines(settled: Settled) -> Iterator[str]:
    """Yield task, class and probability of each class of each task, the likeliest first.

    Classes less probable than half a millionth are left out, so that the table grows with what is
    open and not with tasks times classes.
    """
    names = settled.file.names
    tasks, classes = (
        [escaped(t, numbers=False) for t in names.tasks],
        [escaped(c, numbers=False) for c in names.classes],
    )
    rows = max(1, _CELLS_AT_A_TIME // max(1, len(classes)))
    yield "task,label,probability\n"
    for start in range(0, len(tasks), rows):
        table = _rows(settled, start, min(start + rows, len(tasks)))
        at, said = np.nonzero(table >= _LEAST)
        p = table[at, said]
        order = np.lexsort((said, -p, at))
        columns = zip(
            at[order].tolist(), said[order].tolist(), np.round(p[order], 6).tolist(), strict=True
        )
        yield "".join(joined([tasks[start + t], classes[c], f"{q:g}"]) for t, c, q in columns)


def _rows(settled: Settled, first: int, last: int) -> NDArray[np.float64]:
    """Return the probability of each class of the tasks first ≤ t < last."""
    kept = settled.truth.candidates
    table = settled.truth.probability[first:last] if kept is None else kept.rows(first, last)
    return np.asarray(table, dtype=np.float64)


def worker_lines(settled: Settled) -> Iterator[str]:
    """Yield worker, votes, accuracy and weight of each worker, by name."""
    yield "worker,votes,accuracy,weight\n"
    for w in workers_of(settled):
        yield joined(
            [escaped(w.name, numbers=False), str(w.votes), _figure(w.accuracy), _figure(w.weight)]
        )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def check_place(out: Path, inputs: Sequence[Path], option: str) -> None:
    """Check that a file may be written there, before anything is computed.

    Args:
        out: Where it is to lie.
        inputs: Files it may not take the place of.
        option: How the place was named.

    Raises:
        InputError: It is a folder, lies in none, or is one of the inputs.
    """
    advice = _ELSEWHERE.format(option=option)
    try:
        if out.is_dir():
            raise InputError(f"'{out}' is a folder.", f"Name a file with {option}.")
        if not out.parent.is_dir():
            raise unwritten(out, FileNotFoundError(errno.ENOENT, ""), option)
        if out.absolute() in {p.absolute() for p in inputs} or (
            out.exists() and any(p.exists() and out.samefile(p) for p in inputs)
        ):
            raise InputError(
                f"'{out}' is one of the tables read or written; it was left as it is.", advice
            )
    except OSError as error:
        raise unwritten(out, error, option) from error


def write_table(settled: Settled, lines: Lines, out: Path, option: str) -> None:
    """Write a table, whole or not at all; a device or a pipe is written to, nothing takes its place.

    Raises:
        InputError: Nothing can be written there.
        DiskFull: There is no space.
        StorageError: The disk fails otherwise.
    """
    try:
        if out.exists() and not out.is_file():
            _write(lines(settled), out)
        else:
            _write_whole(lines(settled), out)
    except OSError as error:
        raise unwritten(out, error, option) from error


def unwritten(out: Path, error: OSError, option: str = "") -> InputError | StorageError:
    """Return what to tell of a file that could not be written: a wrong name is no full disk.

    Args:
        out: The file.
        error: Why.
        option: With which another place is named, if with one.
    """
    place = f" with {option}" if option else ""
    if error.errno in _NO_FOLDER:
        return InputError(
            f"'{out}' could not be written: there is no folder '{out.parent}'.",
            f"Make it first, or choose another place{place}.",
        )
    said = f"'{out}' could not be written: {(error.strerror or 'no reason').lower()}."
    kind = StorageError if error.errno == errno.EIO else InputError
    if error.errno in _FULL:
        kind = DiskFull
    return kind(said, f"Choose another place{place}.")


def _write_whole(lines: Iterator[str], out: Path) -> None:
    """Write to a file beside, which then takes the name."""
    part = out.with_name(f"{out.name}.part")
    try:
        _write(lines, part)
        part.replace(out)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _write(lines: Iterator[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for text in lines:
            file.write(text)
