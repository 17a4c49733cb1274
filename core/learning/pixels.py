"""Pixels of many images, decoded once and ahead of need, within a bound of memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from core.errors import BadImage
from core.learning.preprocess import load_pixels
from core.learning.values import ImageRef

ROOM_BYTES = 2_000_000_000


class Pixels:
    """Images by row, as uint8 squares; what has been decoded stays as long as there is room.

    Args:
        images: One a row.
        side: Of the squares, pixels.
        room: Most bytes to keep.
        threads: How many decode at once.
    """

    def __init__(
        self, images: Sequence[ImageRef], side: int, room: int = ROOM_BYTES, threads: int = 2
    ) -> None:
        self.side = side
        self._images = images
        self._most = max(1, room // (3 * side * side))
        self._kept: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max(1, threads))
        self._ahead: dict[int, Future[np.ndarray]] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._images)

    def prefetch(self, rows: Sequence[int]) -> None:
        """Begin to decode rows that will soon be asked for."""
        with self._lock:
            for row in rows:
                if row not in self._kept and row not in self._ahead:
                    self._ahead[row] = self._threads.submit(self._read, row)

    def take(self, rows: Sequence[int]) -> Tensor:
        """Return pixels, uint8 (n, 3, side, side).

        Raises:
            BadImage: A file cannot be read any more.
        """
        self.prefetch(rows)
        found = [self._one(row) for row in rows]
        stacked = np.stack(found) if found else np.zeros((0, self.side, self.side, 3), np.uint8)
        return torch.from_numpy(stacked).permute(0, 3, 1, 2)

    def unreadable(self, rows: Sequence[int]) -> dict[int, str]:
        """Return why rows cannot be read; those not in it can, and are decoded now."""
        self.prefetch(rows)
        found = {}
        for row in rows:
            try:
                self._one(row)
            except BadImage as error:
                found[row] = error.message
        return found

    def close(self) -> None:
        """Stop decoding."""
        self._threads.shutdown(cancel_futures=True)

    def _one(self, row: int) -> np.ndarray:
        with self._lock:
            kept, coming = self._kept.get(row), self._ahead.get(row)
        if kept is not None:
            return kept
        pixels = coming.result() if coming is not None else self._read(row)
        with self._lock:
            self._ahead.pop(row, None)
            if len(self._kept) < self._most:
                self._kept[row] = pixels
        return pixels

    def _read(self, row: int) -> np.ndarray:
        return load_pixels(self._images[row].path, self.side)
