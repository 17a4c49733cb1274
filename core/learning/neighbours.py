"""The images most like a given one, by the cosine of their embeddings. Free of torch.

The vectors of a project are laid out once as a memory-mapped float32 file, unit length, so that a
question is one product over pages the system keeps warm. The file follows from the cache alone and
may be thrown away at any time.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.errors import BadCheckpoint
from core.learning.reader import embedding_shards, read_embeddings

DUPLICATE = 0.999
"""From this cosine on two files hold the same picture, saved twice."""
_CHUNK = 32_768
_READ_AT_ONCE = 200_000

Listed = Callable[[], Sequence[tuple[int, str]]]
"""Gives (item, content hash) of every item of the project; asked only when the file is made."""


class Neighbourhood:
    """The embedded items of one project.

    Args:
        ids: int64, shape (n,), ascending.
        vectors: float32, shape (n, width), unit length.
    """

    def __init__(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        self.ids = ids
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.ids)

    def similarities(self, item_id: int) -> np.ndarray | None:
        """Return the cosine of every item to this one, shape (n,), itself and duplicates at -2.

        None where the item has no embedding.
        """
        place = int(np.searchsorted(self.ids, item_id))
        if place == len(self.ids) or self.ids[place] != item_id:
            return None
        wanted = np.array(self.vectors[place])
        found = np.empty(len(self.ids), dtype=np.float32)
        for start in range(0, len(self.ids), _CHUNK):
            np.dot(self.vectors[start : start + _CHUNK], wanted, out=found[start : start + _CHUNK])
        found[found >= DUPLICATE] = -2.0
        found[place] = -2.0
        return found

    def nearest(
        self, similarities: np.ndarray, count: int, among: Collection[int] | None = None
    ) -> list[tuple[int, float]]:
        """Return the most similar items, most similar first; the lower number wins a tie.

        Args:
            similarities: As `similarities` gave them.
            count: How many at most.
            among: Out of these items alone.
        """
        if among is None:
            places = np.arange(len(self.ids))
        else:
            places = np.flatnonzero(np.isin(self.ids, np.fromiter(among, np.int64)))
        places = places[similarities[places] > -2.0]
        if len(places) > count:
            cut = np.argpartition(-similarities[places], count - 1)[:count]
            # Whatever ties with the last one counts too, so that the lower number wins.
            places = places[similarities[places] >= similarities[places[cut]].min()]
        order = np.lexsort((self.ids[places], -similarities[places]))[:count]
        return [(int(self.ids[p]), float(similarities[p])) for p in places[order]]


def open_neighbourhood(
    folder: Path, cache: Path, place: Path, n_items: int, listed: Listed
) -> Neighbourhood | None:
    """Return the embedded items of a project; None where there is no model or nothing is embedded.

    Args:
        folder: The run whose model's embeddings count.
        cache: Folder of embeddings shared by all runs.
        place: Folder of this project's own, for the laid-out file.
        n_items: Of the project; more items than before are looked for anew.
        listed: Gives the items.
    """
    try:
        shards = embedding_shards(folder, cache)
    except BadCheckpoint:
        return None
    state = f"{folder.name}|{folder.parent.name}|{n_items}|{'|'.join(shards)}"
    name = hashlib.sha256(state.encode()).hexdigest()[:24]
    return _opened(place, name) or _made(folder, cache, place, name, listed)


def _opened(place: Path, name: str) -> Neighbourhood | None:
    try:
        ids = np.load(place / f"{name}.ids.npy", allow_pickle=False)
        vectors = np.load(place / f"{name}.vectors.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    sound = vectors.dtype == np.float32 and vectors.ndim == 2 and len(vectors) == len(ids)
    return Neighbourhood(ids, vectors) if sound and len(ids) else None


def _made(
    folder: Path, cache: Path, place: Path, name: str, listed: Listed
) -> Neighbourhood | None:
    items = sorted(listed())
    ids, vectors = _read(folder, cache, items)
    if not len(ids):
        return None
    with suppress(OSError):  # no room on the disk: it is made again next time
        _lay_out(place, name, ids, vectors)
    return _opened(place, name) or Neighbourhood(ids, vectors)


def _read(
    folder: Path, cache: Path, items: Sequence[tuple[int, str]]
) -> tuple[np.ndarray, np.ndarray]:
    ids, parts = [], []
    for start in range(0, len(items), _READ_AT_ONCE):
        some = items[start : start + _READ_AT_ONCE]
        vectors, found = read_embeddings(folder, cache, [h for _, h in some])
        unit = vectors[found].astype(np.float32)
        length = np.linalg.norm(unit, axis=1, keepdims=True)
        sound = length[:, 0] > 0
        parts.append(unit[sound] / length[sound])
        ids.append(np.array([i for i, _ in some], dtype=np.int64)[found][sound])
    if not ids:
        return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    return np.concatenate(ids), np.concatenate(parts)


def _lay_out(place: Path, name: str, ids: np.ndarray, vectors: np.ndarray) -> None:
    """Write the file beside its place and rename it; older ones go. Two writers write the same."""
    place.mkdir(parents=True, exist_ok=True)
    for kind, array in (("ids", ids), ("vectors", vectors)):
        part = place / f".{uuid.uuid4().hex}.part"
        try:
            with part.open("wb") as f:
                np.save(f, array, allow_pickle=False)
            part.replace(place / f"{name}.{kind}.npy")
        finally:
            part.unlink(missing_ok=True)
    for old in place.glob("*.npy"):
        if not old.name.startswith(name):
            with suppress(OSError):  # still mapped by a reader, on Windows
                old.unlink()
