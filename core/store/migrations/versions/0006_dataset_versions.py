"""Dataset versions: what each was frozen with, and the receipts of what was written of it."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, ref, words

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("version_manifests", "version_exports")


def upgrade() -> None:
    """Add the tables; versions frozen before keep what their own folders say of them."""
    op.create_table(
        "version_manifests",
        key("id"),
        ref("project_id", "projects.id"),
        ref("dataset_version_id", "dataset_versions.id"),
        words("labels_hash"),
        words("rows_hash"),
        words("doc"),
        moment(),
        sa.UniqueConstraint("dataset_version_id", name="version_manifests_once"),
    )
    op.create_index("version_manifests_labels", "version_manifests", ["project_id", "labels_hash"])
    op.create_table(
        "version_exports",
        key("id"),
        ref("project_id", "projects.id"),
        ref("dataset_version_id", "dataset_versions.id"),
        words("format"),
        words("receipt"),
        ref("by_id", "people.id"),
        moment(),
    )
    op.create_index("version_exports_version", "version_exports", ["dataset_version_id", "id"])
    forbid_changes(APPEND_ONLY)
