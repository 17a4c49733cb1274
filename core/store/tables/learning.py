"""What models learn from and say: dataset versions, models, predictions, long jobs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text, UniqueConstraint

from core.store.tables.columns import batch, key, metadata, moment, ref, words

dataset_versions = Table(
    "dataset_versions",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    words("name"),
    words("hash"),
    words("folder"),
    Column("n_items", Integer, nullable=False),
    ref("by_id", "people.id"),
    moment(),
    UniqueConstraint("project_id", "name", name="dataset_versions_name"),
)

models = Table(
    "models",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    ref("job_id", "jobs.id"),
    ref("dataset_version_id", "dataset_versions.id"),
    words("backbone"),
    words("folder"),
    words("report"),
    Column("schema_version", Integer, nullable=False, server_default="1"),  # it was trained under
    Column("mode", Text, nullable=False, server_default="probe"),  # probe, fine-tune, student
    Column("task", Text, nullable=False, server_default="classification"),
    moment(),
)

model_events = Table(
    "model_events",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("model_id", "models.id"),
    words("what"),  # proposed, promoted, rolled back
    words("reason"),
    ref("by_id", "people.id"),
    moment(),
)

prediction_sets = Table(
    "prediction_sets",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    ref("model_id", "models.id", nullable=True),  # NULL: imported
    batch(),
    words("name"),
    moment(),
)

predictions = Table(
    "predictions",
    metadata,
    key("seq"),
    ref("set_id", "prediction_sets.id"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("label", nullable=True),
    words("answer"),
    Column("confidence", Double),
    Column("margin", Double),
    Column("top", Text),  # JSON [[class, probability], …] of the first question, at most five
    Column("typicality", Double),  # how typical of the whole set its embedding is, 0 to 1
    Column("score", Double),  # by which it is accepted, where that is not the confidence
    UniqueConstraint("set_id", "item_id", name="predictions_once"),
    Index("predictions_item", "item_id", "seq"),
)

jobs = Table(
    "jobs",
    metadata,
    key(),
    ref("project_id", "projects.id", nullable=True),
    words("kind"),  # train, prelabel, import
    words("status"),  # queued, running, done, failed, cancelled, lost
    words("config"),
    words("folder"),
    words("phase"),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("seconds_left", Double),
    words("metrics"),
    words("result", nullable=True),
    words("error", nullable=True),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("pid", Integer),
    Column("pid_started", Double),  # guards against a reused process id
    ref("by_id", "people.id"),
    moment(),
    Column("started_at", Double),
    Column("heartbeat_at", Double),
    Column("finished_at", Double),
    Index("jobs_project", "project_id", "id"),
)
