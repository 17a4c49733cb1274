"""What is lent to gold and repeats in hand: a place in the row, and numbers like their neighbours'."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was planted before has nothing lent."""
    op.add_column("probe_leases", sa.Column("boost", sa.Integer(), nullable=True))
    op.add_column("probe_leases", sa.Column("priority", sa.Double(), nullable=True))
    op.add_column("probe_leases", sa.Column("queue", sa.Text(), nullable=True))
    op.add_column("probe_leases", sa.Column("guise", sa.Text(), nullable=True))
    op.add_column("probe_votes", sa.Column("guise", sa.Text(), nullable=True))
