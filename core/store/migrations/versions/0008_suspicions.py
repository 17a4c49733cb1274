"""Suspicions: what a person called right although it looked suspicious."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, ref, words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing was called right before."""
    op.create_table(
        "acknowledgements",
        key(),
        words("uuid"),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        words("kind"),
        ref("final_seq", "final_labels.seq", nullable=True),
        words("said"),
        ref("person_id", "people.id"),
        moment(),
        sa.UniqueConstraint("uuid", name="acknowledgements_uuid"),
    )
    op.create_index("acknowledgements_project", "acknowledgements", ["project_id", "seq"])
    forbid_changes(("acknowledgements",))
