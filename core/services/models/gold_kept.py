"""Gold that a model does not learn from, so that it can say of it what it says of any other item."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from core.datasets.freeze import FrozenLabel
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import plan_in_force
from core.store.tables import gold_answers

ONE_IN = 5
"""At most one in so many training labels of a class is left out."""


def gold_kept_out(
    connection: Connection, project: ProjectView, frozen: Sequence[FrozenLabel]
) -> frozenset[int]:
    """Return the gold with a training label that is not learnt from while the plan plants gold.

    Planted among items a model speaks of, gold it had learnt from would stand out. Which items
    is drawn by a hash, of each class alike, so the next model leaves out the same.
    """
    plan = plan_in_force(connection, project.id)
    if not (plan.gold_share or plan.onboarding):
        return frozenset()
    asked = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    gold = set(connection.execute(asked).scalars())
    by_class: dict[str | None, list[FrozenLabel]] = defaultdict(list)
    for row in frozen:
        if row.use == "train":
            by_class[row.label].append(row)
    kept: set[int] = set()
    for rows in by_class.values():
        drawn = sorted((r.item_id for r in rows if r.item_id in gold), key=_drawn)
        kept.update(drawn[: len(rows) // ONE_IN])
    return frozenset(kept)


def _drawn(item_id: int) -> bytes:
    return hashlib.sha256(f"gold kept out:{item_id}".encode()).digest()
