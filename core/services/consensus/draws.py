"""Items drawn by chance for a purpose: for certifying, evaluating, an audit, or from-scratch timing.

Whoever answers them must not be led by what the model says, nor tell by their place in the queue
that they are special.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, func, select

from core.store.tables import arm_draws


class Arm(StrEnum):
    """What an item was drawn for."""

    CERTIFY = "certify"
    EVALUATE = "evaluate"
    AUDIT = "audit"
    SCRATCH = "scratch"
    RANDOM = "random"


BLIND_ARMS = (Arm.CERTIFY, Arm.EVALUATE, Arm.AUDIT, Arm.SCRATCH)
"""Answered without the pre-label."""


def drawn_items(connection: Connection, ids: Sequence[int]) -> dict[int, float]:
    """Return which of these items are answered blind for what they were drawn for, and since when."""
    rows = connection.execute(
        select(arm_draws.c.item_id, func.min(arm_draws.c.at))
        .where(arm_draws.c.item_id.in_(ids), arm_draws.c.arm.in_([a.value for a in BLIND_ARMS]))
        .group_by(arm_draws.c.item_id)
    )
    return dict(rows.tuples().all())


def all_drawn(connection: Connection, project_id: int) -> frozenset[int]:
    """Return every item of a project that is answered blind for what it was drawn for."""
    rows = connection.execute(
        select(arm_draws.c.item_id).where(
            arm_draws.c.project_id == project_id,
            arm_draws.c.arm.in_([a.value for a in BLIND_ARMS]),
        )
    )
    return frozenset(rows.scalars())


def place(item_id: int) -> float:
    """Return a number in [0, 1) that follows from the item alone: its place in a random order."""
    digest = hashlib.sha256(f"place:{item_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
