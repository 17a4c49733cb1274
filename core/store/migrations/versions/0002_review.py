"""Review at speed: shapes, schema events, queue plans, threads, lists, probes, preferences."""

import sqlalchemy as sa
from alembic import op

from core.store.migrations.pieces import forbid_changes, key, moment, number, ref, words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "queue_plans", "schema_events", "comments", "mentions", "item_lists", "item_list_rows",
    "overlook_probes", "probe_answers",
)  # fmt: skip


def upgrade() -> None:
    """Add columns and tables; what the new tables hold may only be added to."""
    _add_columns()
    _prepare_queue()
    _create_tables()
    forbid_changes(APPEND_ONLY)


def _add_columns() -> None:
    op.add_column("guidelines", _filled("examples", "[]"))
    op.add_column("items", _filled("channels", "[]"))
    op.add_column("annotations", _filled("via", "deck"))
    op.add_column("annotations", _filled("queue", ""))
    op.add_column("leases", _filled("queue", ""))
    op.add_column("predictions", sa.Column("top", sa.Text(), nullable=True))
    op.add_column("predictions", sa.Column("typicality", sa.Double(), nullable=True))
    op.add_column(
        "models", sa.Column("schema_version", sa.Integer(), server_default="1", nullable=False)
    )


def _prepare_queue() -> None:
    for name in ("ready", "boost", "unsure", "flagged"):
        op.add_column("item_state", _count(name, sa.Integer()))
    op.add_column("item_state", _count("scramble", sa.BigInteger()))
    op.add_column("item_state", _count("dispute", sa.Double()))
    for name in ("frees_at", "typicality"):
        op.add_column("item_state", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("item_state", sa.Column("predicted", sa.Text(), nullable=True))
    # An open item is ready until the first claim that meets it finds it full; what only votes
    # and skips can tell is filled in when the item is next settled.
    op.execute(
        """
        UPDATE item_state SET
          ready = CASE WHEN state = 'open' AND votes < wanted THEN 1 ELSE 0 END,
          scramble = (item_id % 2147483647 * 48271 % 2147483647)
                   * (item_id % 2147483647 * 48271 % 2147483647) % 2147483647,
          predicted = (SELECT label FROM predictions p WHERE p.seq = item_state.prediction_seq)
        """
    )
    for name, where, *columns in QUEUE_INDEXES:
        op.create_index(
            f"item_state_{name}", "item_state",
            [sa.text(c) if " " in c else c for c in ("project_id", *columns)],
            sqlite_where=sa.text(where), postgresql_where=sa.text(where),
        )  # fmt: skip


QUEUE_INDEXES = (
    ("ready", "ready = 1", "boost DESC", "priority", "item_id"),
    ("frees", "frees_at IS NOT NULL", "frees_at"),
    ("oldest", "state = 'open'", "boost DESC", "item_id"),
    ("random", "state = 'open'", "boost DESC", "scramble", "item_id"),
    (
        "typical", "state = 'open' AND typicality IS NOT NULL", "boost DESC", "typicality DESC",
        "item_id",
    ),
    ("disputed", "state = 'open' AND dispute > 0", "boost DESC", "dispute DESC", "item_id"),
    ("unsure", "unsure = 1", "item_id"),
    ("flagged", "flagged = 1", "item_id"),
    (
        "predicted", "predicted IS NOT NULL", "predicted", "state", "boost DESC", "priority",
        "item_id",
    ),
)  # fmt: skip


def _count(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, kind, server_default="0", nullable=False)


def _filled(name: str, default: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _create_tables() -> None:
    op.create_table(
        "queue_plans",
        key(),
        ref("project_id", "projects.id"),
        sa.Column("version", sa.Integer(), nullable=False),
        words("doc"),
        words("reason"),
        ref("by_id", "people.id", nullable=True),
        moment(),
        sa.UniqueConstraint("project_id", "version", name="queue_plans_version"),
    )
    op.create_table(
        "schema_events",
        key(),
        ref("project_id", "projects.id"),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        words("kind"),
        words("question"),
        sa.Column("class_id", sa.Integer(), nullable=True),
        words("before"),
        words("after"),
        ref("by_id", "people.id", nullable=True),
        moment(),
    )
    op.create_index("schema_events_project", "schema_events", ["project_id", "seq"])
    _create_threads()
    _create_lists()
    _create_probes()
    op.create_table(
        "preferences",
        sa.Column("person_id", number(), sa.ForeignKey("people.id"), primary_key=True),
        words("doc"),
        moment("updated_at"),
    )


def _create_threads() -> None:
    op.create_table(
        "comments",
        key(),
        sa.Column("uuid", sa.Text(), nullable=False, unique=True),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        sa.Column("thread_seq", number(), nullable=True),
        ref("person_id", "people.id"),
        words("kind"),
        words("text"),
        moment(),
    )
    op.create_index("comments_item", "comments", ["item_id", "seq"])
    op.create_index("comments_project", "comments", ["project_id", "seq"])
    op.create_table(
        "mentions",
        key(),
        ref("comment_seq", "comments.seq"),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        ref("person_id", "people.id"),
        moment(),
    )
    op.create_index("mentions_person", "mentions", ["person_id", "project_id", "seq"])


def _create_lists() -> None:
    op.create_table(
        "item_lists",
        key("id"),
        ref("project_id", "projects.id"),
        words("name"),
        ref("by_id", "people.id"),
        moment(),
    )
    op.create_index("item_lists_project", "item_lists", ["project_id", "id"])
    op.create_table(
        "item_list_rows",
        key(),
        ref("list_id", "item_lists.id"),
        ref("item_id", "items.id"),
        sa.Column("place", sa.Integer(), nullable=False),
    )
    op.create_index("item_list_rows_list", "item_list_rows", ["list_id", "place"])


def _create_probes() -> None:
    op.create_table(
        "overlook_probes",
        key(),
        words("page_uuid"),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        ref("person_id", "people.id"),
        words("shown"),
        words("truth"),
        sa.Column("noticed", sa.Boolean(), nullable=False),
        sa.Column("tiles", sa.Integer(), nullable=False),
        moment(),
        sa.UniqueConstraint("page_uuid", "item_id", name="overlook_probes_once"),
    )
    op.create_index("overlook_probes_person", "overlook_probes", ["person_id", "project_id", "seq"])
    op.create_table(
        "probe_answers",
        key(),
        sa.Column("uuid", sa.Text(), nullable=False, unique=True),
        ref("project_id", "projects.id"),
        ref("item_id", "items.id"),
        ref("person_id", "people.id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        words("kind"),
        moment(),
    )
    op.create_index("probe_answers_person", "probe_answers", ["person_id", "item_id", "revision"])
