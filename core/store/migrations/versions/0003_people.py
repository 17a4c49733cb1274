"""Gold and people: answers to planted items, what they are held by, standing, skills."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("probe_votes", "standings", "skill_grants")


def upgrade() -> None:
    """Add the tables; what the record's new ones hold may only be added to."""
    _create_probes()
    _create_people()
    if op.get_bind().dialect.name == "sqlite":
        _forbid_on_sqlite()
    else:
        _forbid_on_postgresql()


def _forbid_on_sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _forbid_on_postgresql() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION tiebreak_append_only()"
        )


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str = "seq") -> sa.Column:
    return sa.Column(name, _id(), primary_key=True, autoincrement=True, nullable=False)


def _ref(name: str, target: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, _id(), sa.ForeignKey(target), nullable=nullable)


def _text(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str = "at") -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=False)


def _create_probes() -> None:
    op.create_table(
        "probe_votes",
        _key(),
        sa.Column("uuid", sa.Text(), nullable=False, unique=True),
        _ref("project_id", "projects.id"),
        _ref("item_id", "items.id"),
        _ref("person_id", "people.id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        _text("kind"),
        _text("purpose"),
        _text("word"),
        _text("label", nullable=True),
        _text("answer", nullable=True),
        _text("reason"),
        sa.Column("right", sa.Boolean(), nullable=True),
        _ref("gold_seq", "gold_answers.seq", nullable=True),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        _ref("prediction_seq", "predictions.seq", nullable=True),
        sa.Column("prelabel_shown", sa.Boolean(), nullable=False),
        sa.Column("active_seconds", sa.Double(), nullable=True),
        sa.Column("via", sa.Text(), server_default="deck", nullable=False),
        _time(),
    )
    op.create_index("probe_votes_person", "probe_votes", ["person_id", "project_id", "seq"])
    op.create_index("probe_votes_item", "probe_votes", ["item_id", "person_id", "seq"])
    op.create_table(
        "probe_leases",
        sa.Column("item_id", _id(), sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("person_id", _id(), sa.ForeignKey("people.id"), primary_key=True),
        _ref("project_id", "projects.id"),
        _text("kind"),
        _text("purpose"),
        _time("since"),
        _time("expires_at"),
    )
    op.create_index("probe_leases_person", "probe_leases", ["person_id", "expires_at"])


def _create_people() -> None:
    op.create_table(
        "standings",
        _key(),
        _ref("project_id", "projects.id"),
        _ref("person_id", "people.id"),
        _text("what"),
        _text("reason"),
        _ref("by_id", "people.id", nullable=True),
        _text("doc"),
        _time(),
    )
    op.create_index("standings_person", "standings", ["person_id", "project_id", "seq"])
    op.create_table(
        "skill_grants",
        _key(),
        _ref("project_id", "projects.id"),
        _ref("person_id", "people.id"),
        _text("skill"),
        sa.Column("granted", sa.Boolean(), nullable=False),
        _ref("by_id", "people.id", nullable=True),
        _time(),
    )
    op.create_index("skill_grants_person", "skill_grants", ["person_id", "project_id", "seq"])
