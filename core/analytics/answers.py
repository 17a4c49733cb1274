"""Answers that are given again as long as the copy holds the same rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any

Answer = tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]
"""Names of the columns, and the rows; whoever is given one changes nothing in it."""

MOST_ROWS = 5_000
"""Larger answers are not kept: they go into a computation and are seldom asked for twice."""

LONGEST_KEY = 10_000
"""Nor are those to questions of more text, about thousands of items for example."""


class Answers:
    """The answers given last, of one edition of the copy.

    Args:
        most: How many are kept; 0 keeps none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._edition: Hashable = None
        self._kept: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    def get(self, edition: Hashable, key: tuple[str, str]) -> Answer | None:
        """Return the answer to a question, None where it is not known of this edition."""
        with self._lock:
            if edition != self._edition or key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def keep(self, edition: Hashable, key: tuple[str, str], answer: Answer) -> None:
        """Keep an answer, and forget those of another edition and the one that was not asked longest."""
        if len(answer[1]) > MOST_ROWS or len(key[1]) > LONGEST_KEY:
            return
        with self._lock:
            if edition != self._edition:
                self._edition = edition
                self._kept.clear()
            self._kept[key] = answer
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
