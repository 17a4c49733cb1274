"""What was decided: leads' rulings, the labels derived, and the trail of who did what."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, Text

from core.store.tables.columns import Id, key, metadata, moment, ref, words

decisions = Table(
    "decisions",
    metadata,
    key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("person_id", "people.id"),
    words("kind"),  # decide, discard, neutral, send-back
    words("label", nullable=True),
    words("answer", nullable=True),
    words("reason"),
    Column("votes_seen", Integer, nullable=False),  # live votes at that moment
    Column("extra_votes", Integer, nullable=False),  # a send-back asks for so many more
    Column("annotation_seq", Id, nullable=False),  # the item's last annotation the lead could see
    Column("guideline_version", Integer, nullable=False),
    moment(),
    Index("decisions_item", "item_id", "seq"),
    Index("decisions_project", "project_id", "seq"),
)

final_labels = Table(
    "final_labels",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("state"),
    words("label", nullable=True),
    words("answer", nullable=True),
    Column("probability", Double),
    words("reason"),
    Column("policy_version", Integer, nullable=False),
    Column("schema_version", Integer, nullable=False),
    words("evidence"),  # JSON: seqs of votes, decision, imported label, prediction
    moment(),
    Index("final_labels_item", "item_id", "seq"),
    Index("final_labels_project", "project_id", "seq"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),  # gapless: 1, 2, 3 …
    moment(),
    words("actor"),
    words("action"),
    ref("project_id", "projects.id", nullable=True),
    words("subject"),
    words("doc"),
    words("previous_hash"),
    words("hash"),
)
