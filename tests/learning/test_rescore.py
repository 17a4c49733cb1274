"""Rescoring: the same answers as the head's own, from memory maps, without a vector kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import entr

from core.learning.cache import EmbeddingCache
from core.learning.chunks import give_back
from core.learning.probe import Head
from core.learning.rescore import rescore, rescore_cached

WIDTH = 24


@pytest.fixture
def head() -> Head:
    rng = np.random.default_rng(5)
    return Head(rng.normal(0, 2, (7, WIDTH)).astype(np.float32), rng.normal(0, 1, 7), 1.7)


def vectors_of(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, (n, WIDTH)).astype(np.float16)


def held_against(found, probabilities) -> None:
    """Assert that what is kept of each item is what its probabilities say."""
    ordered = np.sort(probabilities, axis=1)
    assert (found.top == probabilities.argmax(1)).all()
    assert found.confidence == pytest.approx(ordered[:, -1], abs=1e-5)
    assert found.margin == pytest.approx(ordered[:, -1] - ordered[:, -2], abs=1e-5)
    assert found.entropy == pytest.approx(entr(probabilities).sum(1), abs=1e-4)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_it_says_what_the_head_says(head, kind):
    """Half and single precision, over several chunks, to the last row."""
    vectors = vectors_of(9_001).astype(kind)
    held_against(rescore(head, vectors), head.probabilities(vectors))


def test_only_the_rows_asked_for_in_their_order(head):
    """Rows picked out come in the order they were named in."""
    vectors = vectors_of(500)
    rows = np.array([7, 3, 499, 4, 5, 6])
    held_against(rescore(head, vectors, rows), head.probabilities(vectors[rows]))
    assert len(rescore(head, vectors, np.zeros(0, dtype=np.int64)).top) == 0


def test_every_half_is_widened_exactly():
    """All 65,536 bit patterns: zeros, subnormal and normal numbers as numpy has them, no infinity."""
    from core.learning._kernels import widen

    bits = np.arange(65_536, dtype=np.uint32).astype(np.uint16)
    wide = np.empty(len(bits), dtype=np.float32)
    widen(bits, wide)
    halves = bits.view(np.float16).astype(np.float32)
    sound = np.isfinite(halves)
    assert (wide[sound] == halves[sound]).all()
    assert np.isnan(wide[~sound]).all()


def test_a_head_that_never_names_a_class_keeps_it_silent(head):
    """A class without labels has a bias far down; its share is 0, not an overflow."""
    bias = head.bias.copy()
    bias[2] = -1e4
    shy = Head(head.weight, bias, 0.1)
    vectors = vectors_of(300)
    found = rescore(shy, vectors)
    assert (found.top != 2).all()
    assert np.isfinite(found.entropy).all()
    assert found.confidence == pytest.approx(shy.probabilities(vectors).max(1), abs=1e-5)


def test_the_cache_is_read_in_place(head, tmp_path):
    """Images in several shards, in any order; one that is missing or damaged stays unknown."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    vectors = vectors_of(40)
    vectors[13] = np.nan
    names = [f"image-{i}" for i in range(40)]
    cache.add(names[:25], vectors[:25])
    cache.add(names[25:], vectors[25:])
    order = np.random.default_rng(3).permutation(40)
    asked = ["unknown", *(names[i] for i in order)]
    found = rescore_cached(head, cache, asked)
    known = 1 + np.flatnonzero(order != 13)
    assert np.isnan(found.margin[np.setdiff1d(np.arange(41), known)]).all()
    expected = head.probabilities(vectors[order[order != 13]])
    assert found.confidence[known] == pytest.approx(expected.max(1), abs=1e-5)
    assert (found.top[known] == expected.argmax(1)).all()


def test_a_map_given_back_still_holds_the_same(tmp_path, monkeypatch):
    """Pages that were given back are read again from the file."""
    monkeypatch.setattr("core.learning.chunks._KEEP_BYTES", 0)
    vectors = vectors_of(20_000)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    give_back(mapped[100:15_000], mapped)
    give_back(vectors[5:9], mapped)
    assert (mapped == vectors).all()
