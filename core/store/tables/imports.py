"""What files brought: the batches, and the labels and gold answers that came in them."""

from __future__ import annotations

from sqlalchemy import Index, Table

from core.store.tables.columns import batch, key, metadata, moment, ref, words

batches = Table(
    "batches",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    words("what"),  # items, labels, predictions, votes, gold
    words("format"),
    words("origin"),
    words("report"),
    ref("by_id", "people.id"),
    moment(),
)


def _said(name: str) -> Table:
    """Make a table of answers that came with files: one live answer an item, the latest."""
    return Table(
        name,
        metadata,
        key("seq"),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        words("label", nullable=True),
        words("answer"),
        batch(),
        moment(),
        Index(f"{name}_item", "item_id", "seq"),
    )


imported_labels = _said("imported_labels")

gold_answers = _said("gold_answers")
