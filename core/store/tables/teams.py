"""Which team or vendor people belong to, and what an hour of each costs."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Table

from core.store.tables.columns import key, metadata, moment, ref, words

team_moves = Table(
    "team_moves",  # the newest row of a person counts
    metadata,
    key("seq"),
    ref("person_id", "people.id"),
    words("team"),  # empty: of no team
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("team_moves_person", "person_id", "seq"),
)

team_rates = Table(
    "team_rates",  # the newest row of a project and team counts
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    words("team"),
    Column("wage_per_hour", Double, nullable=True),  # NULL: the project's own again
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("team_rates_project", "project_id", "seq"),
)
