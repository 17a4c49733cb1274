"""The slice finder: 100,000 items × 12 columns × all pairs, beside DuckDB's own grouping of the same.

DuckDB is asked for one thing only, the sums of every value and every two values; intervals, p-values,
shrinking and ranking are not in its time.

``run_seeds`` asks five demo workspaces, made with five seeds, for the slices by camera and light.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from core.analytics.cells import Facts
from core.analytics.finder import Column, find

ITEMS, SIZES = 100_000, (3, 4, 5, 5, 8, 10, 12, 20, 24, 30, 50, 50)
PLANTED = ((0, 2), (1, 1))
SEEDS = (1, 2, 3, 4, 5)


def run(folder: Path) -> dict[str, Any]:
    """Return how long both took, in seconds of the clock and of the processor, and what was found."""
    rng = np.random.default_rng(0)
    columns = [Column(rng.integers(0, k, ITEMS).astype(np.int32), k) for k in SIZES]
    bad = np.logical_and.reduce([columns[c].codes == v for c, v in PLANTED])
    right = (rng.random(ITEMS) < np.where(bad, 0.75, 0.9)).astype(float)
    model = Facts(np.ones(ITEMS), right, None, True, False)
    people = Facts(np.ones(ITEMS), right, rng.integers(0, 30, ITEMS), True, False)
    found: dict[str, Any] = {"items": ITEMS, "columns": len(SIZES)}
    for name, facts in (("model", model), ("thirty people", people)):
        wall, cpu = time.perf_counter(), time.process_time()
        slices = find(facts, columns)
        found[name] = {
            "seconds": round(time.perf_counter() - wall, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "slices": len(slices.counted),
            "planted_first": _is_planted(slices),
        }
    found["duckdb"] = _grouped(columns, right)
    return found


def _is_planted(found: Any) -> bool:
    top, at = int(found.order[0]), found.counted
    return ((at.first[top], at.first_code[top]), (at.second[top], at.second_code[top])) == PLANTED


def _grouped(columns: list[Column], right: np.ndarray) -> dict[str, Any]:
    """Return how long DuckDB takes for the sums alone."""
    table = pa.table({f"c{i}": c.codes for i, c in enumerate(columns)} | {"ok": right})
    names = table.column_names[:-1]
    sets = [*((n,) for n in names), *itertools.combinations(names, 2)]
    asked = ", ".join(f"({', '.join(s)})" for s in sets)
    connection = duckdb.connect()
    connection.register("said", table)
    connection.execute("CREATE TABLE facts AS FROM said")
    wall, cpu = time.perf_counter(), time.process_time()
    rows = connection.execute(
        f"SELECT {', '.join(names)}, count(*), sum(ok) FROM facts GROUP BY GROUPING SETS ({asked})"
    ).fetchnumpy()
    return {
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "groups": len(next(iter(rows.values()))),
    }


def run_seeds(folder: Path) -> dict[str, Any]:
    """Return the first slice by camera and light of five demos; each takes minutes to make."""
    found: dict[str, Any] = {}
    for seed in SEEDS:
        place = folder / f"demo-{seed}"
        if not (place / "demo.json").exists():
            _tiebreak("demo", "--no-serve", "--seed", str(seed), "--workspace", str(place))
        said = _tiebreak(
            "slices", "tree-leaves", "--by", "camera,light", "--metric", "accuracy", "--json",
            "--workspace", str(place),
        )  # fmt: skip
        first = json.loads(said)["slices"][0]
        found[str(seed)] = {k: first[k] for k in ("slice", "n", "value", "gap", "adjusted_p")}
    firsts = [f["slice"] for f in found.values()]
    return {"seeds": found, "planted_first": firsts.count("camera=C, light=dusk")}


def _tiebreak(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout
