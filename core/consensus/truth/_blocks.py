"""Sharing out tasks over threads so that the result is the same whatever their number.

How the tasks are cut depends on the votes alone, and what the blocks give is added in their order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from core.consensus.truth.votes import Votes

Block = tuple[int, int]
Got = TypeVar("Got")

ALONE_VOTES = 50_000
"""Below, starting threads costs more than it saves."""
MOST_BLOCKS = 8
CELLS = 8_000_000
"""Most numbers in the tables of all blocks together (8 bytes each)."""


def cut(votes: Votes, table_cells: int) -> list[Block]:
    """Return ranges of tasks with about as many votes each.

    Args:
        votes: The votes.
        table_cells: Numbers each block needs for its own sums.
    """
    room = max(1, CELLS // max(table_cells, 1))
    count = 1 if len(votes) < ALONE_VOTES else min(MOST_BLOCKS, room)
    ends = np.searchsorted(votes.starts, np.linspace(0, len(votes), count + 1)[1:-1])
    edges = [0, *ends.tolist(), votes.tasks]
    return list(pairwise(edges))


def each(blocks: list[Block], work: Callable[[int, Block], Got], threads: int | None) -> list[Got]:
    """Return what `work(number, block)` gives for each block, in their order.

    Args:
        blocks: Ranges of tasks.
        work: A call that leaves the interpreter's lock.
        threads: Most threads at once; None for one a core.
    """
    hands = min(len(blocks), threads or os.cpu_count() or 1)
    if hands == 1:
        return [work(i, block) for i, block in enumerate(blocks)]
    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(work, range(len(blocks)), blocks))
