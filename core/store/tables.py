"""The tables of the record, one schema for SQLite and PostgreSQL.

Append-only tables refuse UPDATE and DELETE by trigger (see the migrations). What may change in
place is listed in ``EPHEMERAL`` (leases, drafts, jobs, sign-in sessions) and ``DERIVED``
(caches that a full resolve rebuilds). Times are seconds since the Unix epoch, UTC; documents
are canonical JSON text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER keys


def _key(name: str = "id") -> Column[int]:
    return Column(name, Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, nullable: bool = False) -> Column[int]:
    return Column(name, Id, ForeignKey(target), nullable=nullable)


def _batch() -> Column[int]:
    # Checked at commit: a batch is written after its rows, when its report can be told.
    return Column(
        "batch_id",
        Id,
        ForeignKey("batches.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    )


def _time(name: str = "at") -> Column[float]:
    return Column(name, Double, nullable=False)


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


# --- people -----------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),  # person, operator (the command line), annotator (came with imported votes)
    Column("simulated", Boolean, nullable=False),
    _time(),
)

person_revisions = Table(
    "person_revisions",
    metadata,
    _key("seq"),
    _ref("person_id", "people.id"),
    _text("display_name"),
    _text("password_hash", nullable=True),
    Column("active", Boolean, nullable=False),
    _text("language"),
    _ref("by_id", "people.id", nullable=True),
    _time(),
    Index("person_revisions_person", "person_id", "seq"),
)

projects = Table(
    "projects",
    metadata,
    _key(),
    Column("slug", Text, nullable=False, unique=True),
    _text("title"),
    _text("task"),
    Column("simulated", Boolean, nullable=False),
    _text("required_metadata"),  # JSON list of column names (O44)
    _text("use_shares"),  # JSON list: train, certify, evaluate
    _time(),
)

grants = Table(
    "grants",
    metadata,
    _key("seq"),
    _ref("person_id", "people.id"),
    _ref("project_id", "projects.id", nullable=True),  # NULL: every project
    _text("role"),
    Column("granted", Boolean, nullable=False),
    _ref("by_id", "people.id", nullable=True),
    _time(),
    Index("grants_person", "person_id", "seq"),
)

# --- what a project asks ----------------------------------------------------------------------


def _versioned(name: str) -> Table:
    return Table(
        name,
        metadata,
        _key("seq"),
        _ref("project_id", "projects.id"),
        Column("version", Integer, nullable=False),
        _text("doc"),
        _text("reason"),
        _ref("by_id", "people.id", nullable=True),
        _time(),
        UniqueConstraint("project_id", "version", name=f"{name}_version"),
    )


schemas = _versioned("schemas")
policies = _versioned("policies")
guidelines = _versioned("guidelines")
guidelines.append_column(
    # JSON list of {"item_id", "good", "note"}: examples shown beside the text
    Column("examples", Text, nullable=False, server_default="[]")
)
queue_plans = _versioned("queue_plans")  # order, boosts, share of blind items: what a lead steers

schema_events = Table(
    "schema_events",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    Column("schema_version", Integer, nullable=False),  # the version the event made
    _text("kind"),  # add, rename, recolour, rekey, retire, restore, merge, question
    _text("question"),
    Column("class_id", Integer),
    _text("before"),
    _text("after"),
    _ref("by_id", "people.id", nullable=True),
    _time(),
    Index("schema_events_project", "project_id", "seq"),
)

# --- items ------------------------------------------------------------------------------------

batches = Table(
    "batches",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _text("what"),  # items, labels, predictions, votes, gold
    _text("format"),
    _text("origin"),
    _text("report"),
    _ref("by_id", "people.id"),
    _time(),
)

items = Table(
    "items",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _text("content_hash"),  # SHA-256 of the file's bytes
    _text("location"),  # relative to the workspace, or absolute, or a URL where images stay away
    Column("width", Integer, nullable=False),  # pixels, upright
    Column("height", Integer, nullable=False),
    Column("orientation", Integer, nullable=False),  # EXIF, 1 to 8
    _text("format"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("channels", Text, nullable=False, server_default="[]"),  # JSON names; [] plain
    _text("use"),  # train, certify, evaluate
    Column("use_probability", Double, nullable=False),  # of that use, when drawn
    _time(),
    UniqueConstraint("project_id", "content_hash", name="items_content"),
)

item_names = Table(
    "item_names",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _text("name"),
    _time(),
    UniqueConstraint("project_id", "name", name="item_names_name"),
    Index("item_names_item", "item_id"),
)

item_metadata = Table(
    "item_metadata",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _text("doc"),  # the whole metadata of the item from here on
    _batch(),
    _time(),
    Index("item_metadata_item", "item_id", "seq"),
)

# --- what models and files say ----------------------------------------------------------------


def _said(name: str) -> Table:
    """Make a table of answers that came with files: one live answer an item, the latest."""
    return Table(
        name,
        metadata,
        _key("seq"),
        _ref("project_id", "projects.id"),
        _ref("item_id", "items.id"),
        _text("label", nullable=True),
        _text("answer"),
        _batch(),
        _time(),
        Index(f"{name}_item", "item_id", "seq"),
    )


imported_labels = _said("imported_labels")
gold_answers = _said("gold_answers")

dataset_versions = Table(
    "dataset_versions",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _text("name"),
    _text("hash"),
    _text("folder"),
    Column("n_items", Integer, nullable=False),
    _ref("by_id", "people.id"),
    _time(),
    UniqueConstraint("project_id", "name", name="dataset_versions_name"),
)

models = Table(
    "models",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _ref("job_id", "jobs.id"),
    _ref("dataset_version_id", "dataset_versions.id"),
    _text("backbone"),
    _text("folder"),
    _text("report"),
    Column("schema_version", Integer, nullable=False, server_default="1"),  # it was trained under
    _time(),
)

model_events = Table(
    "model_events",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("model_id", "models.id"),
    _text("what"),  # promoted
    _text("reason"),
    _ref("by_id", "people.id"),
    _time(),
)

prediction_sets = Table(
    "prediction_sets",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _ref("model_id", "models.id", nullable=True),  # NULL: imported
    _batch(),
    _text("name"),
    _time(),
)

predictions = Table(
    "predictions",
    metadata,
    _key("seq"),
    _ref("set_id", "prediction_sets.id"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _text("label", nullable=True),
    _text("answer"),
    Column("confidence", Double),
    Column("margin", Double),
    Column("top", Text),  # JSON [[class, probability], …] of the first question, at most five
    Column("typicality", Double),  # how typical of the whole set its embedding is, 0 to 1
    UniqueConstraint("set_id", "item_id", name="predictions_once"),
    Index("predictions_item", "item_id", "seq"),
)

# --- what people say --------------------------------------------------------------------------

# Not "annotations": that name belongs to __future__ in every module of this package.
annotation_log = Table(
    "annotations",
    metadata,
    _key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    _text("kind"),  # vote, skip, flag, withdraw
    _text("label", nullable=True),
    _text("answer", nullable=True),
    _text("reason"),
    Column("schema_version", Integer, nullable=False),
    Column("guideline_version", Integer, nullable=False),
    _ref("prediction_seq", "predictions.seq", nullable=True),  # the pre-label in force
    Column("prelabel_shown", Boolean, nullable=False),
    Column("active_seconds", Double),
    Column("started_at", Double),
    Column("via", Text, nullable=False, server_default="deck"),  # deck, canvas, grid, import
    Column("queue", Text, nullable=False, server_default=""),  # answered as an expert: unsure
    _batch(),
    _time(),
    UniqueConstraint("item_id", "person_id", "revision", name="annotations_revision"),
    Index("annotations_item", "item_id", "seq"),
    Index("annotations_person", "person_id", "project_id", "seq"),
    Index("annotations_project", "project_id", "seq"),
)

comments = Table(
    "comments",
    metadata,
    _key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    Column("thread_seq", Id, nullable=True),  # NULL: this comment begins a thread
    _ref("person_id", "people.id"),
    _text("kind"),  # comment, resolve, reopen
    _text("text"),
    _time(),
    Index("comments_item", "item_id", "seq"),
    Index("comments_project", "project_id", "seq"),
)

mentions = Table(
    "mentions",
    metadata,
    _key("seq"),
    _ref("comment_seq", "comments.seq"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    _time(),
    Index("mentions_person", "person_id", "project_id", "seq"),
)

item_lists = Table(
    "item_lists",
    metadata,
    _key(),
    _ref("project_id", "projects.id"),
    _text("name"),
    _ref("by_id", "people.id"),
    _time(),
    Index("item_lists_project", "project_id", "id"),
)

item_list_rows = Table(
    "item_list_rows",
    metadata,
    _key("seq"),
    _ref("list_id", "item_lists.id"),
    _ref("item_id", "items.id"),
    Column("place", Integer, nullable=False),
    Index("item_list_rows_list", "list_id", "place"),
)

overlook_probes = Table(
    "overlook_probes",  # tiles known to be wrong, mixed into a grid to see who notices
    metadata,
    _key("seq"),
    _text("page_uuid"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    _text("shown"),  # class of the grid
    _text("truth"),
    Column("noticed", Boolean, nullable=False),
    Column("tiles", Integer, nullable=False),
    _time(),
    UniqueConstraint("page_uuid", "item_id", name="overlook_probes_once"),
    Index("overlook_probes_person", "person_id", "project_id", "seq"),
)

probe_answers = Table(
    "probe_answers",  # each word on a planted tile, so that a later one is answered as a vote's is
    metadata,
    _key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    _text("kind"),
    _time(),
    Index("probe_answers_person", "person_id", "item_id", "revision"),
)

probe_votes = Table(
    "probe_votes",  # answers to gold and repeats handed out in the queue; never votes
    metadata,
    _key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    Column("revision", Integer, nullable=False),
    _text("kind"),  # gold, repeat
    _text("purpose"),  # mix, onboarding
    _text("word"),  # vote, skip, flag, withdraw: the latest of a person on an item counts
    _text("label", nullable=True),
    _text("answer", nullable=True),
    _text("reason"),
    Column("right", Boolean, nullable=True),  # NULL: no vote, or a repeat
    _ref("gold_seq", "gold_answers.seq", nullable=True),  # what it was held against
    Column("schema_version", Integer, nullable=False),
    Column("guideline_version", Integer, nullable=False),
    _ref("prediction_seq", "predictions.seq", nullable=True),
    Column("prelabel_shown", Boolean, nullable=False),
    Column("active_seconds", Double),
    Column("via", Text, nullable=False, server_default="deck"),
    _time(),
    Index("probe_votes_person", "person_id", "project_id", "seq"),
    Index("probe_votes_item", "item_id", "person_id", "seq"),
)

standings = Table(
    "standings",  # whether a person may review in a project: the latest event counts
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("person_id", "people.id"),
    _text("what"),  # onboarding-passed, onboarding-failed, paused, resumed
    _text("reason"),
    _ref("by_id", "people.id", nullable=True),  # NULL: automatic
    _text("doc"),  # JSON: the numbers it was decided on
    _time(),
    Index("standings_person", "person_id", "project_id", "seq"),
)

skill_grants = Table(
    "skill_grants",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("person_id", "people.id"),
    _text("skill"),
    Column("granted", Boolean, nullable=False),
    _ref("by_id", "people.id", nullable=True),
    _time(),
    Index("skill_grants_person", "person_id", "project_id", "seq"),
)

decisions = Table(
    "decisions",
    metadata,
    _key("seq"),
    Column("uuid", Text, nullable=False, unique=True),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _ref("person_id", "people.id"),
    _text("kind"),  # decide, discard, neutral, send-back
    _text("label", nullable=True),
    _text("answer", nullable=True),
    _text("reason"),
    Column("votes_seen", Integer, nullable=False),  # live votes at that moment
    Column("extra_votes", Integer, nullable=False),  # a send-back asks for so many more
    Column("annotation_seq", Id, nullable=False),  # the item's last annotation the lead could see
    Column("guideline_version", Integer, nullable=False),
    _time(),
    Index("decisions_item", "item_id", "seq"),
    Index("decisions_project", "project_id", "seq"),
)

final_labels = Table(
    "final_labels",
    metadata,
    _key("seq"),
    _ref("project_id", "projects.id"),
    _ref("item_id", "items.id"),
    _text("state"),
    _text("label", nullable=True),
    _text("answer", nullable=True),
    Column("probability", Double),
    _text("reason"),
    Column("policy_version", Integer, nullable=False),
    Column("schema_version", Integer, nullable=False),
    _text("evidence"),  # JSON: seqs of votes, decision, imported label, prediction
    _time(),
    Index("final_labels_item", "item_id", "seq"),
    Index("final_labels_project", "project_id", "seq"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),  # gapless: 1, 2, 3 …
    _time(),
    _text("actor"),
    _text("action"),
    _ref("project_id", "projects.id", nullable=True),
    _text("subject"),
    _text("doc"),
    _text("previous_hash"),
    _text("hash"),
)

# --- changed in place -------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    _ref("project_id", "projects.id"),
    _time("since"),
    _time("expires_at"),
    Column("queue", Text, nullable=False, server_default=""),  # claimed in: unsure, flagged
    Index("leases_person", "person_id", "expires_at"),
)

probe_leases = Table(
    "probe_leases",  # gold and repeats in hand: they take no place of an item
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    _ref("project_id", "projects.id"),
    _text("kind"),  # gold, repeat
    _text("purpose"),  # mix, onboarding
    _time("since"),
    _time("expires_at"),
    Index("probe_leases_person", "person_id", "expires_at"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    _text("doc"),
    Column("base_revision", Integer, nullable=False),
    _time("saved_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _key(),
    _ref("project_id", "projects.id", nullable=True),
    _text("kind"),  # train, prelabel, import
    _text("status"),  # queued, running, done, failed, cancelled, lost
    _text("config"),
    _text("folder"),
    _text("phase"),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("seconds_left", Double),
    _text("metrics"),
    _text("result", nullable=True),
    _text("error", nullable=True),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("pid", Integer),
    Column("pid_started", Double),  # guards against a reused process id
    _ref("by_id", "people.id"),
    _time(),
    Column("started_at", Double),
    Column("heartbeat_at", Double),
    Column("finished_at", Double),
    Index("jobs_project", "project_id", "id"),
)

preferences = Table(
    "preferences",
    metadata,
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    _text("doc"),  # JSON: keys of one's own, preset
    _time("updated_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),  # SHA-256 of the random id in the cookie
    _ref("person_id", "people.id"),
    _time(),
    _time("expires_at"),
    Column("revoked", Boolean, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    _key(),
    _text("who"),  # name or address
    _time(),
    Index("sign_in_attempts_who", "who", "at"),
)

# --- derived: rebuilt by a full resolve -------------------------------------------------------

item_state = Table(
    "item_state",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    _ref("project_id", "projects.id"),
    _text("state"),
    _text("label", nullable=True),
    Column("votes", Integer, nullable=False),  # live votes
    Column("wanted", Integer, nullable=False),  # live votes it should get
    Column("priority", Double, nullable=False),  # lowest first
    _ref("prediction_seq", "predictions.seq", nullable=True),
    _ref("final_seq", "final_labels.seq", nullable=True),
    _time("updated_at"),
    # Hints that keep a claim from looking at what others hold: never 0 while a place is free,
    # unless frees_at has passed. Each candidate still passes the exact check (core/queue).
    Column("ready", Integer, nullable=False, server_default="0"),
    Column("frees_at", Double),  # when the first lease of a full item runs out
    # What the orders and the filters of the queue read.
    Column("boost", Integer, nullable=False, server_default="0"),  # -5 to 5, set by a lead
    Column("dispute", Double, nullable=False, server_default="0"),  # entropy of the votes so far
    Column("typicality", Double),  # of the prediction in force; NULL without embeddings
    Column("scramble", BigInteger, nullable=False, server_default="0"),  # the random order
    _text("predicted", nullable=True),  # class of the prediction in force
    Column("unsure", Integer, nullable=False, server_default="0"),  # waits for an expert
    Column("flagged", Integer, nullable=False, server_default="0"),  # somebody flagged it
    Index("item_state_queue", "project_id", "state", "priority", "item_id"),
)


def _queue_index(name: str, where: str, *columns: str) -> None:
    Index(
        f"item_state_{name}", item_state.c.project_id,
        *[text(c) if " " in c else item_state.c[c] for c in columns],
        sqlite_where=text(where), postgresql_where=text(where),
    )  # fmt: skip


# A claim changes `ready` alone, so one index alone moves with it; the others hold open items.
_queue_index("ready", "ready = 1", "boost DESC", "priority", "item_id")
_queue_index("frees", "frees_at IS NOT NULL", "frees_at")
_queue_index("oldest", "state = 'open'", "boost DESC", "item_id")
_queue_index("random", "state = 'open'", "boost DESC", "scramble", "item_id")
_queue_index(
    "typical", "state = 'open' AND typicality IS NOT NULL", "boost DESC", "typicality DESC",
    "item_id",
)  # fmt: skip
_queue_index("disputed", "state = 'open' AND dispute > 0", "boost DESC", "dispute DESC", "item_id")
_queue_index("unsure", "unsure = 1", "item_id")
_queue_index("flagged", "flagged = 1", "item_id")
_queue_index(
    "predicted", "predicted IS NOT NULL", "predicted", "state", "boost DESC", "priority", "item_id"
)

EPHEMERAL = (leases, probe_leases, drafts, jobs, preferences, sessions, sign_in_attempts)
DERIVED = (item_state,)
APPEND_ONLY = tuple(t for t in metadata.sorted_tables if t not in EPHEMERAL and t not in DERIVED)
