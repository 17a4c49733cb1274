"""What the slices of one metadata column hold, counted as the bias page counts them."""

from __future__ import annotations

import numpy as np

from core.analytics.columns import read_metadata
from core.analytics.replica import Replica
from core.analytics.slice_facts import Metric, Question, statements_of


def sliced(replica: Replica, project: int, column: str, whose: str, against: str) -> dict:
    """Return {(value, low, high): (n, correct, rest n, rest correct)}; bins have no value."""
    said = statements_of(replica, project, Question(Metric.ACCURACY, whose=whose, against=against))
    table = replica.arrow("slice_items", {"project": project})
    items = np.asarray(table["id"].to_numpy(), dtype=np.int64)
    read = read_metadata(replica.arrow("slice_columns", {"project": project}), items, 1)
    right, place = said.facts.total, np.searchsorted(items, said.item)
    found = {}
    for made in read.columns:
        if made.name != column:
            continue
        codes = made.codes[place]
        for i, value in enumerate(made.values):
            inside = codes == i
            n, correct = int(inside.sum()), int(right[inside].sum())
            if n:
                name = value.name if value.low is None else None
                rest = (len(right) - n, int(right.sum()) - correct)
                found[name, value.low, value.high] = (n, correct, *rest)
    return found
