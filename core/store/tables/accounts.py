"""Who there is: people, what they may do, their skills and standing, and how they sign in."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from core.store.tables.columns import Id, key, metadata, moment, ref, words

people = Table(
    "people",
    metadata,
    key(),
    Column("name", Text, nullable=False, unique=True),
    words("kind"),  # person, operator (the command line), annotator (came with imported votes)
    Column("simulated", Boolean, nullable=False),
    moment(),
)

person_revisions = Table(
    "person_revisions",
    metadata,
    key("seq"),
    ref("person_id", "people.id"),
    words("display_name"),
    words("password_hash", nullable=True),
    Column("active", Boolean, nullable=False),
    words("language"),
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("person_revisions_person", "person_id", "seq"),
)

grants = Table(
    "grants",
    metadata,
    key("seq"),
    ref("person_id", "people.id"),
    ref("project_id", "projects.id", nullable=True),  # NULL: every project
    words("role"),
    Column("granted", Boolean, nullable=False),
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("grants_person", "person_id", "seq"),
)

skill_grants = Table(
    "skill_grants",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("person_id", "people.id"),
    words("skill"),
    Column("granted", Boolean, nullable=False),
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("skill_grants_person", "person_id", "project_id", "seq"),
)

standings = Table(
    "standings",  # whether a person may review in a project: the latest event counts
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("person_id", "people.id"),
    words("what"),  # onboarding-passed, onboarding-failed, paused, resumed
    words("reason"),
    ref("by_id", "people.id", nullable=True),  # NULL: automatic
    words("doc"),  # JSON: the numbers it was decided on
    moment(),
    Index("standings_person", "person_id", "project_id", "seq"),
)

preferences = Table(
    "preferences",
    metadata,
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    words("doc"),  # JSON: keys of one's own, preset
    moment("updated_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),  # SHA-256 of the random id in the cookie
    ref("person_id", "people.id"),
    moment(),
    moment("expires_at"),
    Column("revoked", Boolean, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    key(),
    words("who"),  # name or address
    moment(),
    Index("sign_in_attempts_who", "who", "at"),
)
