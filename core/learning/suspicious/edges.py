"""How edges run in a picture: histograms of oriented gradients (Dalal and Triggs 2005), without any learning.

They tell shapes apart where no pretrained network is at hand: a small network taught on a few hundred
images of the project alone sees less than these do.
"""

from __future__ import annotations

import numpy as np

SIDE = 96
"""Pictures are looked at as squares of so many pixels."""
CELL = 12
ANGLES = 9
_CELLS = SIDE // CELL
WIDTH = (_CELLS - 1) ** 2 * 4 * ANGLES
"""Length of one picture's vector."""
_CLIP = 0.2
"""No one direction counts for more within a block: strong light makes strong edges."""


def edges_of(grey: np.ndarray) -> np.ndarray:
    """Return the histograms of a picture and its mirror image, averaged; float32 (WIDTH,), unit length.

    Which way round a thing lies seldom says what it is. A flat picture gives zeros.

    Args:
        grey: Grey values 0 to 255, shape (SIDE, SIDE).
    """
    return _unit(_histograms(grey) + _histograms(grey[:, ::-1]))


def _histograms(grey: np.ndarray) -> np.ndarray:
    down, across = np.gradient(np.sqrt(grey.astype(np.float32) / 255))
    strength = np.hypot(across, down)
    turn = (np.arctan2(down, across) % np.pi) / np.pi * ANGLES
    low = np.floor(turn).astype(np.int64)
    share = turn - low
    y, x = np.mgrid[:SIDE, :SIDE] // CELL
    cell = (y * _CELLS + x) * ANGLES
    total = _CELLS * _CELLS * ANGLES
    told = np.bincount((cell + low % ANGLES).ravel(), (strength * (1 - share)).ravel(), total)
    told += np.bincount((cell + (low + 1) % ANGLES).ravel(), (strength * share).ravel(), total)
    return _in_blocks(told.reshape(_CELLS, _CELLS, ANGLES))


def _in_blocks(cells: np.ndarray) -> np.ndarray:
    """Return each block of 2 by 2 cells, levelled, one after another."""
    corners = [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]]
    blocks = np.minimum(_levelled(np.concatenate(corners, axis=2)), _CLIP)
    return _unit(_levelled(blocks).ravel())


def _unit(row: np.ndarray) -> np.ndarray:
    return np.asarray(row / max(float(np.linalg.norm(row)), 1e-9), dtype=np.float32)


def _levelled(blocks: np.ndarray) -> np.ndarray:
    return np.asarray(blocks / np.sqrt((blocks**2).sum(2, keepdims=True) + 1e-3))
