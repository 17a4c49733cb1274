"""What people say of an item: votes, comments, and the drafts on their way there."""

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

from core.store.tables.columns import Id, batch, key, metadata, moment, ref, words

# Not "annotations": that name belongs to __future__ in every module of this package.
annotation_log = Table(
    "annotations",
    metadata,
    key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    words("kind"),  # vote, skip, flag, withdraw
    words("label", nullable=True),
    words("answer", nullable=True),
    words("reason"),
    Column("schema_version", Integer, nullable=False),
    Column("guideline_version", Integer, nullable=False),
    ref("prediction_seq", "predictions.seq", nullable=True),  # the pre-label in force
    Column("prelabel_shown", Boolean, nullable=False),
    Column("active_seconds", Double),
    Column("started_at", Double),
    Column("via", Text, nullable=False, server_default="deck"),  # deck, canvas, grid, import
    Column("queue", Text, nullable=False, server_default=""),  # answered as an expert: unsure
    batch(),
    moment(),
    UniqueConstraint("item_id", "person_id", "revision", name="annotations_revision"),
    Index("annotations_item", "item_id", "seq"),
    Index("annotations_person", "person_id", "project_id", "seq"),
    Index("annotations_project", "project_id", "seq"),
)

comments = Table(
    "comments",
    metadata,
    key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    Column("thread_seq", Id, nullable=True),  # NULL: this comment begins a thread
    ref("person_id", "people.id"),
    words("kind"),  # comment, resolve, reopen
    words("text"),
    moment(),
    Index("comments_item", "item_id", "seq"),
    Index("comments_project", "project_id", "seq"),
)

mentions = Table(
    "mentions",
    metadata,
    key("seq"),
    ref("comment_seq", "comments.seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    moment(),
    Index("mentions_person", "person_id", "project_id", "seq"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    words("doc"),
    Column("base_revision", Integer, nullable=False),
    moment("saved_at"),
)
