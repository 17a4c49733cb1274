"""One side of the benchmarks of truth inference: a line in, a round measured out.

Run by its path: side, algorithm, Parquet file of votes, file for the labels. Ours is timed from ordered
votes, with the ordering of the columns beside it; crowd-kit from its data frame of whole numbers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow.parquet as pq
from memory import grown, mark

Measured = dict[str, float]
Once = Callable[[], tuple[np.ndarray, Measured]]


def ours(name: str, path: str) -> Once:
    """Return a round of ours: the columns put in order, then the algorithm; compiled before."""
    from core.consensus.truth.methods import infer
    from core.consensus.truth.votes import Votes, make_votes

    columns = [pq.read_table(path).column(c).to_numpy() for c in ("task", "worker", "label")]
    began = time.perf_counter()
    infer(name, make_votes(*(c[:60_000] for c in columns))[0])
    compiled = time.perf_counter() - began

    def once() -> tuple[np.ndarray, Measured]:
        began, cpu = time.perf_counter(), time.process_time()
        votes: Votes = make_votes(*columns)[0]
        ordered, ordered_cpu = time.perf_counter(), time.process_time()
        truth = infer(name, votes)
        ended = time.perf_counter()
        return truth.label, {
            "seconds": ended - ordered,
            "cpu": time.process_time() - ordered_cpu,
            "with_ordering": ended - began,
            "with_ordering_cpu": time.process_time() - cpu,
            "iterations": truth.iterations,
            "first_call": compiled,
        }

    return once


def peer(name: str, path: str) -> Once:
    """Return a round of crowd-kit."""
    from crowdkit.aggregation import DawidSkene, MajorityVote

    frame = pq.read_table(path).select(["task", "worker", "label"]).to_pandas()
    made = {"majority": MajorityVote, "plain-dawid-skene": lambda: DawidSkene(n_iter=100)}[name]

    def once() -> tuple[np.ndarray, Measured]:
        model = made()
        began, cpu = time.perf_counter(), time.process_time()
        labels = model.fit_predict(frame)
        found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        found["iterations"] = len(getattr(model, "loss_history_", ()))
        return labels.sort_index().to_numpy(), found

    return once


def main() -> None:
    """Answer every line with what the round took, and write the labels."""
    side, name, path, labels = sys.argv[1:]
    once = {"ours": ours, "peer": peer}[side](name, path)
    for _ in sys.stdin:
        before = mark()
        found, measured = once()
        measured["grew_mb"] = grown(before)
        np.save(labels, found)
        sys.stdout.write(json.dumps(measured) + "\n")
        sys.stdout.flush()


main()
