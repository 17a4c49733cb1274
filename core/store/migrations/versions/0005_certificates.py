"""Certificates: promises and looks, what was accepted on their word, draws by chance, model checks."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, ref, words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "training_rules",
    "campaigns",
    "certificates",
    "acceptances",
    "arm_draws",
    "model_checks",
)


def upgrade() -> None:
    """Add the tables and columns; models made before are probes that tell classes apart."""
    _create_rules()
    _create_certificates()
    _create_acceptances()
    _create_checks()
    op.add_column("models", sa.Column("mode", sa.Text(), server_default="probe", nullable=False))
    op.add_column(
        "models", sa.Column("task", sa.Text(), server_default="classification", nullable=False)
    )
    op.add_column("predictions", sa.Column("score", sa.Double(), nullable=True))
    forbid_changes(APPEND_ONLY)


def _create_rules() -> None:
    op.create_table(
        "training_rules",
        key(),
        ref("project_id", "projects.id"),
        sa.Column("version", sa.Integer(), nullable=False),
        words("doc"),
        words("reason"),
        ref("by_id", "people.id", nullable=True),
        moment(),
        sa.UniqueConstraint("project_id", "version", name="training_rules_version"),
    )
    op.create_table(
        "campaigns",
        key("id"),
        ref("project_id", "projects.id"),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("iou", sa.Double(), nullable=False),
        words("scope"),
        words("doc"),
        words("reason"),
        ref("by_id", "people.id"),
        moment(),
    )
    op.create_index("campaigns_project", "campaigns", ["project_id", "id"])


def _create_certificates() -> None:
    op.create_table(
        "certificates",
        key("id"),
        ref("project_id", "projects.id"),
        ref("campaign_id", "campaigns.id"),
        ref("model_id", "models.id"),
        ref("job_id", "jobs.id", nullable=True),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("delta_spent", sa.Double(), nullable=False),
        words("scope"),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("n_region", sa.Integer(), nullable=False),
        sa.Column("n_sampled", sa.Integer(), nullable=False),
        sa.Column("n_wrong", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=True),
        sa.Column("n_accepted", sa.Integer(), nullable=False),
        words("outcome"),
        words("sentence"),
        words("evidence_hash"),
        words("folder"),
        ref("by_id", "people.id", nullable=True),
        moment(),
        sa.UniqueConstraint("campaign_id", "look", "scope", name="certificates_once"),
    )
    op.create_index("certificates_project", "certificates", ["project_id", "id"])


def _create_acceptances() -> None:
    op.create_table(
        "acceptances",
        key(),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        ref("certificate_id", "certificates.id"),
        ref("prediction_seq", "predictions.seq"),
        words("kind"),
        words("reason"),
        moment(),
    )
    op.create_index("acceptances_item", "acceptances", ["item_id", "seq"])
    op.create_index("acceptances_certificate", "acceptances", ["certificate_id"])
    op.create_table(
        "arm_draws",
        key(),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        words("arm"),
        ref("certificate_id", "certificates.id", nullable=True),
        sa.Column("draw_probability", sa.Double(), nullable=False),
        moment(),
        sa.UniqueConstraint("item_id", "arm", "certificate_id", name="arm_draws_once"),
    )
    op.create_index("arm_draws_project", "arm_draws", ["project_id", "seq"])


def _create_checks() -> None:
    op.create_table(
        "model_checks",
        key(),
        ref("project_id", "projects.id"),
        ref("model_id", "models.id"),
        words("kind"),
        words("doc"),
        ref("by_id", "people.id", nullable=True),
        moment(),
    )
    op.create_index("model_checks_model", "model_checks", ["model_id", "seq"])
