"""Teams and rates: which team or vendor people belong to, and what an hour of each costs."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, ref, words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; everybody begins without a team, every team at the project's wage."""
    op.create_table(
        "team_moves",
        key(),
        ref("person_id", "people.id"),
        words("team"),
        ref("by_id", "people.id", nullable=True),
        moment(),
    )
    op.create_index("team_moves_person", "team_moves", ["person_id", "seq"])
    op.create_table(
        "team_rates",
        key(),
        ref("project_id", "projects.id"),
        words("team"),
        sa.Column("wage_per_hour", sa.Double(), nullable=True),
        ref("by_id", "people.id", nullable=True),
        moment(),
    )
    op.create_index("team_rates_project", "team_rates", ["project_id", "seq"])
    forbid_changes(("team_moves", "team_rates"))
