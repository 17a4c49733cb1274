"""What was frozen with each dataset version, and the receipts of what was written of it."""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from core.store.tables.columns import key, metadata, moment, ref, words

version_manifests = Table(
    "version_manifests",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    ref("dataset_version_id", "dataset_versions.id"),
    words("labels_hash"),  # of the labels alone: the same whatever the splits
    words("rows_hash"),  # of every column of the file
    words("doc"),  # JSON: the manifest as it was frozen
    moment(),
    UniqueConstraint("dataset_version_id", name="version_manifests_once"),
    Index("version_manifests_labels", "project_id", "labels_hash"),
)

version_exports = Table(
    "version_exports",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    ref("dataset_version_id", "dataset_versions.id"),
    words("format"),
    words("receipt"),  # JSON: what the notary found
    ref("by_id", "people.id"),
    moment(),
    Index("version_exports_version", "dataset_version_id", "id"),
)
