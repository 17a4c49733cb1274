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
    """The answers given last, each of one edition of what it was asked of.

    Args:
        most: How many are kept; 0 keeps none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[Hashable, Answer]] = OrderedDict()

    def get(self, edition: Hashable, key: tuple[str, str]) -> Answer | None:
        """Return the answer to a question, None where it is not known of this edition."""
        with self._lock:
            if key not in self._kept or self._kept[key][0] != edition:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][1]

    def keep(self, edition: Hashable, key: tuple[str, str], answer: Answer) -> None:
        """Keep an answer instead of that of another edition, and forget the one not asked longest."""
        if len(answer[1]) > MOST_ROWS or len(key[1]) > LONGEST_KEY:
            return
        with self._lock:
            self._kept[key] = edition, answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
