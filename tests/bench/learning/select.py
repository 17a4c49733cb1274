"""The next thousand of a million: by margin, diverse, from nothing; and the peers where they finish."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from core.learning.clusters import representatives
from core.learning.probe import Head, fit_probe
from core.learning.rescore import rescore
from core.learning.select import FILTER, Pool, choose
from core.learning.spread import farthest_first
from tests.bench.consensus.peers import ROOT, peer_python
from tests.bench.learning._million import CLASSES, WIDTH, lay_out

MILLION, PICKS, ROUNDS, LABELS = 1_000_000, 1_000, 5, 5_000
PEERS_POOL, DIVERSE_POOL, FEWER_PICKS = 100_000, 5_000, 100
LIMIT_SECONDS = 60
PINS = Path(__file__).with_name("peers.txt")
HOME = ROOT / "build" / "peers-learning"


def run(folder: Path) -> dict[str, object]:
    """Return the times of choosing out of a million, and the peers' beside ours on smaller pools."""
    python = peer_python(PINS, HOME)
    pool_file, truth = lay_out(folder, MILLION)
    head_file = _head(folder, pool_file, truth)
    ours = _ours(pool_file, head_file, folder)
    return {
        "pool": f"{MILLION:,} × {WIDTH} float16, {CLASSES} classes, {PICKS:,} picks",
        "diverse_within": f"the {FILTER * PICKS:,} of least margin",
        "goals": "margin ≤ 0.5 s, diverse ≤ 3 s, cold start ≤ 10 s, resident ≤ 2,048 MB",
        "ours": ours,
        "peers": _beside(folder, python, pool_file, head_file),
    }


def _head(folder: Path, pool_file: Path, truth: np.ndarray) -> Path:
    vectors = np.load(pool_file, mmap_mode="r")[:LABELS].astype(np.float32)
    head = fit_probe(vectors, truth[:LABELS], vectors[:0], CLASSES, 0).head
    weight, bias = head.weight / head.temperature, head.bias / head.temperature
    np.savez(folder / "head.npz", weight=weight, bias=bias)
    return folder / "head.npz"


def _ours(pool_file: Path, head_file: Path, folder: Path) -> dict[str, object]:
    asked = [pool_file, head_file, ROUNDS, PICKS, folder]
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.learning._select_side", *map(str, asked)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    found: dict[str, object] = json.loads(said.stdout)
    return found


def _beside(
    folder: Path, python: str, million: Path, head_file: Path
) -> dict[str, dict[str, object]]:
    rows = np.load(million, mmap_mode="r")
    tenth, diverse = folder / "tenth.npy", folder / "diverse.npy"
    np.save(tenth, rows[:PEERS_POOL])
    np.save(diverse, rows[:DIVERSE_POOL])
    found: dict[str, dict[str, object]] = {}
    for what, place, picks in (
        ("modal_margin", tenth, PICKS),
        ("modal_margin", million, PICKS),
        ("activeml_margin", tenth, PICKS),
        ("activeml_margin", million, PICKS),
        ("activeml_diverse", diverse, FEWER_PICKS),
        ("activeml_cold_start", diverse, FEWER_PICKS),
    ):
        vectors = np.load(place, mmap_mode="r")
        name = f"{what}, {picks} of {len(vectors):,}"
        sys.stderr.write(f"  {name} …\n")
        answered = folder / "answered.npy"
        peer = _peer(python, what, place, head_file, picks, answered)
        took, mine = _same(what, vectors, head_file, picks)
        found[name] = {"peer": peer, "ours": took}
        if "seconds" in peer:
            found[name] |= _agreement(what, vectors, np.load(answered), mine)
            found[name]["ratio_cpu"] = round(
                float(str(peer["cpu_seconds"])) / took["cpu_seconds"], 1
            )
    return found


def _peer(
    python: str, what: str, place: Path, head_file: Path, picks: int, answered: Path
) -> dict[str, object]:
    script = Path(__file__).with_name("_peer_select.py")
    # -P: the script's own folder holds a select.py, which must not stand in for the standard one.
    words = [python, "-P", str(script), what, str(place), str(head_file), str(picks), str(answered)]
    try:
        said = subprocess.run(
            words, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"not_finished_after_seconds": LIMIT_SECONDS}
    if said.returncode:
        return {"failed": said.stderr.strip().splitlines()[-1:] or [str(said.returncode)]}
    took: dict[str, object] = json.loads(said.stdout)
    return took


def _same(
    what: str, vectors: np.ndarray, head_file: Path, picks: int
) -> tuple[dict[str, float], np.ndarray]:
    """Do the same with ours, from the vectors to the picks."""
    kept = np.load(head_file)
    begun, spent = time.perf_counter(), time.process_time()
    if what.endswith("margin"):
        said = rescore(Head(kept["weight"], kept["bias"], 1.0), vectors)
        pool = Pool(np.arange(len(vectors)), margin=said.margin)
        picked = choose("margin", pool, picks, 0, random_share=0).item_ids
    elif what.endswith("diverse"):
        picked = farthest_first(vectors, picks)[0]
    else:
        picked = representatives(vectors, picks, 0)
    wall, cpu = time.perf_counter() - begun, time.process_time() - spent
    return {"seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}, picked


def _agreement(
    what: str, vectors: np.ndarray, peer: np.ndarray, mine: np.ndarray
) -> dict[str, object]:
    """Say how alike the picks are, or for other ways how far they leave an item uncovered."""
    if what.endswith("margin"):
        return {"picks_in_common": round(len(np.intersect1d(peer, mine)) / len(mine), 4)}
    far = {name: _reach(vectors, some) for name, some in (("peer", peer), ("ours", mine))}
    return {
        "cover_radius": {name: round(r[0], 4) for name, r in far.items()},
        "mean_distance": {name: round(r[1], 4) for name, r in far.items()},
    }


def _reach(vectors: np.ndarray, picked: np.ndarray) -> tuple[float, float]:
    """Return the largest and the mean distance of an item to the nearest picked."""
    rows = vectors.astype(np.float32)
    some = rows[picked]
    squares = (rows**2).sum(1)[:, None] + (some**2).sum(1) - 2 * rows @ some.T
    near = np.sqrt(np.maximum(squares.min(1), 0))
    return float(near.max()), float(near.mean())
