"""The embedding cache under crashes, damage and company."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

from core.errors import DiskFull
from core.learning.cache import EmbeddingCache

WIDTH = 8


def vector(name: str) -> np.ndarray:
    """Return a vector that follows from the name."""
    return np.full(WIDTH, int(name) % 1000, dtype=np.float16)


def fill(folder, start: int, count: int) -> None:
    """Add vectors one by one, as a process of its own would."""
    cache = EmbeddingCache(folder, "k", WIDTH)
    for i in range(start, start + count):
        cache.add([str(i)], vector(str(i))[None])
        cache.merge()


def test_what_was_added_is_found(tmp_path):
    """Vectors come back in the order asked for, and the others are said to be missing."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    cache.add(["1", "2"], np.stack([vector("1"), vector("2")]))
    cache.add(["3"], vector("3")[None])
    vectors, found = EmbeddingCache(tmp_path, "k", WIDTH).read(["3", "9", "1"])
    assert found.tolist() == [True, False, True]
    assert vectors[0, 0] == 3
    assert vectors[2, 0] == 1


def test_keys_do_not_mix(tmp_path):
    """Another backbone or another width sees nothing of it."""
    EmbeddingCache(tmp_path, "k", WIDTH).add(["1"], vector("1")[None])
    assert not EmbeddingCache(tmp_path, "other", WIDTH).read(["1"])[1].any()
    assert not EmbeddingCache(tmp_path, "k", WIDTH + 1).read(["1"])[1].any()


@pytest.mark.parametrize("part", ["keys", "vectors"])
@pytest.mark.parametrize("keep", [0, 40, 130])
def test_torn_shard_is_passed_over(tmp_path, part, keep):
    """A shard cut short anywhere is as if it were not there; the others stand."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    cache.add(["1"], vector("1")[None])
    torn = next(cache.folder.glob(f"*.{part}.npy"))
    torn.write_bytes(torn.read_bytes()[:keep])
    cache.add(["2"], vector("2")[None])
    assert cache.read(["1", "2"])[1].tolist() == [False, True]


def test_crash_between_the_two_files_leaves_nothing_half(tmp_path):
    """Vectors without keys are not a shard."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    cache.add(["1"], vector("1")[None])
    next(cache.folder.glob("*.keys.npy")).unlink()
    assert not cache.read(["1"])[1].any()


def test_nan_is_never_served(tmp_path):
    """A row that holds NaN counts as missing, and a later good one stands in for it."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    cache.add(["1"], np.full((1, WIDTH), np.nan))
    assert not cache.read(["1"])[1].any()
    cache.add(["1"], vector("1")[None])
    vectors, found = cache.read(["1"])
    assert found.all()
    assert vectors[0, 0] == 1


def test_writers_at_once_lose_nothing(tmp_path):
    """Two processes that add and merge at the same time never corrupt or swap a vector."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=fill, args=(tmp_path, at, 90)) for at in (0, 500)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(120)
    names = [str(i) for at in (0, 500) for i in range(at, at + 90)]
    vectors, found = EmbeddingCache(tmp_path, "k", WIDTH).read(names)
    expected = np.stack([vector(n) for n in names])
    assert found.all()
    assert (vectors == expected).all()


def test_merge_keeps_everything(tmp_path):
    """Many small shards become one and serve the same vectors."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    names = [str(i) for i in range(70)]
    for n in names:
        cache.add([n], vector(n)[None])
    cache.merge()
    vectors, found = cache.read(names)
    assert len(list(cache.folder.glob("*.npy"))) == 2
    assert found.all()
    assert vectors[:, 0].tolist() == [float(n) for n in names]


def test_failed_write_is_a_plain_error(tmp_path):
    """Where nothing can be written the cache says so and stays readable."""
    cache = EmbeddingCache(tmp_path, "k", WIDTH)
    cache.add(["1"], vector("1")[None])
    cache.folder.joinpath("x").write_text("")
    blocked = EmbeddingCache(tmp_path, "k/x", WIDTH)
    with pytest.raises(DiskFull, match="could not be written"):
        blocked.add(["2"], vector("2")[None])
    assert cache.read(["1"])[1].all()
