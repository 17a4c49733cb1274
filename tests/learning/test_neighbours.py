"""The images most like a given one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.learning.cache import EmbeddingCache
from core.learning.neighbours import Neighbourhood, open_neighbourhood

WIDTH = 16


def unit(seed: int, n: int) -> np.ndarray:
    """Return drawn vectors of unit length."""
    drawn = np.random.default_rng(seed).normal(size=(n, WIDTH)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Give the folder of a run whose embeddings are in the cache beside it."""
    folder = tmp_path / "runs" / "00001" / "label"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"cache_key": "k", "width": WIDTH}))
    return folder


def opened(run: Path, ids: list[int]) -> Neighbourhood | None:
    """Open the neighbourhood of these items; item 7's hash is "h7"."""
    root = run.parents[2]
    return open_neighbourhood(
        run, root / "cache", root / "place", len(ids), lambda: [(i, f"h{i}") for i in ids]
    )


def embed(run: Path, ids: list[int], vectors: np.ndarray) -> None:
    """Put vectors into the cache."""
    EmbeddingCache(run.parents[2] / "cache", "k", WIDTH).add([f"h{i}" for i in ids], vectors)


def test_nearest_are_those_of_the_whole_table(run: Path) -> None:
    """Order and values are those of a plain product over all pairs."""
    vectors, ids = unit(1, 300), list(range(10, 310))
    embed(run, ids, vectors)
    hood = opened(run, ids)
    assert hood is not None
    stored = vectors.astype(np.float16).astype(np.float32)
    for item_id in (10, 100, 309):
        cosines = hood.similarities(item_id)
        assert cosines is not None
        expected = stored @ stored[item_id - 10]
        expected[item_id - 10] = -2
        best = np.argsort(-expected, kind="stable")[:8] + 10
        found = hood.nearest(cosines, 8)
        assert [i for i, _ in found] == best.tolist()
        assert found[0][1] == pytest.approx(float(expected.max()), abs=2e-3)


def test_itself_and_the_same_picture_saved_twice_are_left_out(run: Path) -> None:
    """An item's own vector and one that differs only by encoding are no neighbours."""
    vectors = unit(2, 5)
    vectors[3] = vectors[0] + 0.002 * unit(3, 1)[0]
    embed(run, [1, 2, 3, 4, 5], vectors)
    hood = opened(run, [1, 2, 3, 4, 5])
    assert hood is not None
    cosines = hood.similarities(1)
    assert cosines is not None
    assert {i for i, _ in hood.nearest(cosines, 8)} == {2, 3, 5}


def test_only_those_asked_for(run: Path) -> None:
    """`among` keeps to its items, in order of likeness; the lower number wins a tie."""
    vectors = unit(4, 6)
    vectors[4] = vectors[2]
    embed(run, list(range(6)), vectors)
    hood = opened(run, list(range(6)))
    assert hood is not None
    cosines = hood.similarities(0)
    assert cosines is not None
    found = [i for i, _ in hood.nearest(cosines, 8, among=[2, 4, 5])]
    assert sorted(found) == [2, 4, 5]
    assert found.index(2) < found.index(4)
    assert [i for i, _ in hood.nearest(cosines, 1, among=[4, 2])] == [2]
    assert hood.nearest(cosines, 8, among=[]) == []


def test_new_vectors_are_found_and_the_old_file_goes(run: Path) -> None:
    """What is embedded later counts at the next question; one file stays."""
    vectors = unit(5, 4)
    embed(run, [1, 2], vectors[:2])
    first = opened(run, [1, 2])
    assert first is not None
    assert len(first) == 2
    embed(run, [3, 4], vectors[2:])
    second = opened(run, [1, 2, 3, 4])
    assert second is not None
    assert len(second) == 4
    assert len(list((run.parents[2] / "place").glob("*.vectors.npy"))) == 1
    assert first.similarities(1) is not None  # a reader at work keeps what it has


def test_nothing_embedded_is_none(run: Path) -> None:
    """No model, an empty cache, an item without a vector: nothing, and no fault."""
    assert opened(run, [1]) is None
    embed(run, [1], unit(6, 1))
    hood = opened(run, [1, 2])
    assert hood is not None
    assert hood.similarities(2) is None
    assert opened(run.with_name("missing"), [1]) is None


def test_a_damaged_file_is_made_anew(run: Path) -> None:
    """A torn layout costs a rebuild, never an answer."""
    embed(run, [1, 2, 3], unit(7, 3))
    assert opened(run, [1, 2, 3]) is not None
    laid_out = next((run.parents[2] / "place").glob("*.vectors.npy"))
    laid_out.write_bytes(laid_out.read_bytes()[:40])
    again = opened(run, [1, 2, 3])
    assert again is not None
    assert len(again) == 3


def test_the_app_pays_nothing_for_torch() -> None:
    """Importing the module does not import torch."""
    code = "import sys, core.learning.neighbours as n; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
