"""What a project asks: its classes, policy, guidelines and queue plan, a version a row."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from core.store.tables.columns import key, metadata, moment, ref, words

projects = Table(
    "projects",
    metadata,
    key(),
    Column("slug", Text, nullable=False, unique=True),
    words("title"),
    words("task"),
    Column("simulated", Boolean, nullable=False),
    words("required_metadata"),  # JSON list of column names (O44)
    words("use_shares"),  # JSON list: train, certify, evaluate
    moment(),
)


def _versioned(name: str) -> Table:
    return Table(
        name,
        metadata,
        key("seq"),
        ref("project_id", "projects.id"),
        Column("version", Integer, nullable=False),
        words("doc"),
        words("reason"),
        ref("by_id", "people.id", nullable=True),
        moment(),
        UniqueConstraint("project_id", "version", name=f"{name}_version"),
    )


schemas = _versioned("schemas")

policies = _versioned("policies")

guidelines = _versioned("guidelines")
guidelines.append_column(
    # JSON list of {"item_id", "good", "note"}: examples shown beside the text
    Column("examples", Text, nullable=False, server_default="[]")
)

queue_plans = _versioned("queue_plans")  # order, boosts, share of blind items: what a lead steers

# JSON: two_people, audit_share, random_arm, random_share, wage_per_hour, currency
training_rules = _versioned("training_rules")

schema_events = Table(
    "schema_events",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    Column("schema_version", Integer, nullable=False),  # the version the event made
    words("kind"),  # add, rename, recolour, rekey, retire, restore, merge, question
    words("question"),
    Column("class_id", Integer),
    words("before"),
    words("after"),
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("schema_events_project", "project_id", "seq"),
)
