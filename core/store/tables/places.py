"""Who sees what next: the places taken, and where each item stands, with its indexes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text, text

from core.store.tables.columns import Id, metadata, moment, ref, words

leases = Table(
    "leases",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    ref("project_id", "projects.id"),
    moment("since"),
    moment("expires_at"),
    Column("queue", Text, nullable=False, server_default=""),  # claimed in: unsure, flagged
    Index("leases_person", "person_id", "expires_at"),
)

item_state = Table(
    "item_state",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    ref("project_id", "projects.id"),
    words("state"),
    words("label", nullable=True),
    Column("votes", Integer, nullable=False),  # live votes
    Column("wanted", Integer, nullable=False),  # live votes it should get
    Column("priority", Double, nullable=False),  # lowest first
    ref("prediction_seq", "predictions.seq", nullable=True),
    ref("final_seq", "final_labels.seq", nullable=True),
    moment("updated_at"),
    # Hints that keep a claim from looking at what others hold: never 0 while a place is free,
    # unless frees_at has passed. Each candidate still passes the exact check (core/queue).
    Column("ready", Integer, nullable=False, server_default="0"),
    Column("frees_at", Double),  # when the first lease of a full item runs out
    # What the orders and the filters of the queue read.
    Column("boost", Integer, nullable=False, server_default="0"),  # -5 to 5, set by a lead
    Column("dispute", Double, nullable=False, server_default="0"),  # entropy of the votes so far
    Column("typicality", Double),  # of the prediction in force; NULL without embeddings
    Column("scramble", BigInteger, nullable=False, server_default="0"),  # the random order
    words("predicted", nullable=True),  # class of the prediction in force
    Column("unsure", Integer, nullable=False, server_default="0"),  # waits for an expert
    Column("flagged", Integer, nullable=False, server_default="0"),  # somebody flagged it
    Index("item_state_queue", "project_id", "state", "priority", "item_id"),
)


def _queue_index(name: str, where: str, *columns: str) -> None:
    Index(
        f"item_state_{name}", item_state.c.project_id,
        *[text(c) if " " in c else item_state.c[c] for c in columns],
        sqlite_where=text(where), postgresql_where=text(where),
    )  # fmt: skip


# A claim changes `ready` alone, so one index alone moves with it; the others hold open items.
_queue_index("ready", "ready = 1", "boost DESC", "priority", "item_id")
_queue_index("frees", "frees_at IS NOT NULL", "frees_at")
_queue_index("oldest", "state = 'open'", "boost DESC", "item_id")
_queue_index("random", "state = 'open'", "boost DESC", "scramble", "item_id")
_queue_index(
    "typical", "state = 'open' AND typicality IS NOT NULL", "boost DESC", "typicality DESC",
    "item_id",
)  # fmt: skip
_queue_index("disputed", "state = 'open' AND dispute > 0", "boost DESC", "dispute DESC", "item_id")
_queue_index("unsure", "unsure = 1", "item_id")
_queue_index("flagged", "flagged = 1", "item_id")
_queue_index(
    "predicted", "predicted IS NOT NULL", "predicted", "state", "boost DESC", "priority", "item_id"
)
