"""What was planted to see who notices, in the grid and in the queue; none of it is a vote."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from core.store.tables.columns import Id, key, metadata, moment, ref, words

overlook_probes = Table(
    "overlook_probes",  # tiles known to be wrong, mixed into a grid to see who notices
    metadata,
    key("seq"),
    words("page_uuid"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    words("shown"),  # class of the grid
    words("truth"),
    Column("noticed", Boolean, nullable=False),
    Column("tiles", Integer, nullable=False),
    moment(),
    UniqueConstraint("page_uuid", "item_id", name="overlook_probes_once"),
    Index("overlook_probes_person", "person_id", "project_id", "seq"),
)

probe_answers = Table(
    "probe_answers",  # each word on a planted tile, so that a later one is answered as a vote's is
    metadata,
    key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    words("kind"),
    moment(),
    Index("probe_answers_person", "person_id", "item_id", "revision"),
)

probe_votes = Table(
    "probe_votes",  # answers to gold and repeats handed out in the queue; never votes
    metadata,
    key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    words("kind"),  # gold, repeat
    words("purpose"),  # mix, onboarding
    words("word"),  # vote, skip, flag, withdraw: the latest of a person on an item counts
    words("label", nullable=True),
    words("answer", nullable=True),
    words("reason"),
    Column("right", Boolean, nullable=True),  # NULL: no vote, or a repeat
    ref("gold_seq", "gold_answers.seq", nullable=True),  # what it was held against
    Column("schema_version", Integer, nullable=False),
    Column("guideline_version", Integer, nullable=False),
    ref("prediction_seq", "predictions.seq", nullable=True),
    Column("prelabel_shown", Boolean, nullable=False),
    Column("active_seconds", Double),
    Column("via", Text, nullable=False, server_default="deck"),
    moment(),
    words("guise", nullable=True),  # as it was lent while in hand, so that it is shown so later
    Index("probe_votes_person", "person_id", "project_id", "seq"),
    Index("probe_votes_item", "item_id", "person_id", "seq"),
)

probe_leases = Table(
    "probe_leases",  # gold and repeats in hand: they take no place of an item
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    ref("project_id", "projects.id"),
    words("kind"),  # gold, repeat
    words("purpose"),  # mix, onboarding
    moment("since"),
    moment("expires_at"),
    Column("boost", Integer),  # with priority the place lent in the row; NULL: the item's own
    Column("priority", Double),
    words("queue", nullable=True),  # the queue beside the main one it was planted in
    words("guise", nullable=True),  # JSON: the numbers lent to its pre-label; NULL: its own
    Index("probe_leases_person", "person_id", "expires_at"),
)
