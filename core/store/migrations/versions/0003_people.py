"""Gold and people: answers to planted items, what they are held by, standing, skills."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, number, ref, words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("probe_votes", "standings", "skill_grants")


def upgrade() -> None:
    """Add the tables; what the record's new ones hold may only be added to."""
    _create_probes()
    _create_people()
    forbid_changes(APPEND_ONLY)


def _create_probes() -> None:
    op.create_table(
        "probe_votes",
        key(),
        sa.Column("uuid", sa.Text(), nullable=False, unique=True),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        ref("person_id", "people.id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        words("kind"),
        words("purpose"),
        words("word"),
        words("label", nullable=True),
        words("answer", nullable=True),
        words("reason"),
        sa.Column("right", sa.Boolean(), nullable=True),
        ref("gold_seq", "gold_answers.seq", nullable=True),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        ref("prediction_seq", "predictions.seq", nullable=True),
        sa.Column("prelabel_shown", sa.Boolean(), nullable=False),
        sa.Column("active_seconds", sa.Double(), nullable=True),
        sa.Column("via", sa.Text(), server_default="deck", nullable=False),
        moment(),
    )
    op.create_index("probe_votes_person", "probe_votes", ["person_id", "project_id", "seq"])
    op.create_index("probe_votes_item", "probe_votes", ["item_id", "person_id", "seq"])
    op.create_table(
        "probe_leases",
        sa.Column("item_id", number(), sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("person_id", number(), sa.ForeignKey("people.id"), primary_key=True),
        ref("project_id", "projects.id"),
        words("kind"),
        words("purpose"),
        moment("since"),
        moment("expires_at"),
    )
    op.create_index("probe_leases_person", "probe_leases", ["person_id", "expires_at"])


def _create_people() -> None:
    op.create_table(
        "standings",
        key(),
        ref("project_id", "projects.id"),
        ref("person_id", "people.id"),
        words("what"),
        words("reason"),
        ref("by_id", "people.id", nullable=True),
        words("doc"),
        moment(),
    )
    op.create_index("standings_person", "standings", ["person_id", "project_id", "seq"])
    op.create_table(
        "skill_grants",
        key(),
        ref("project_id", "projects.id"),
        ref("person_id", "people.id"),
        words("skill"),
        sa.Column("granted", sa.Boolean(), nullable=False),
        ref("by_id", "people.id", nullable=True),
        moment(),
    )
    op.create_index("skill_grants_person", "skill_grants", ["person_id", "project_id", "seq"])
