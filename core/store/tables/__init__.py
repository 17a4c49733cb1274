"""The tables of the record, one schema for SQLite and PostgreSQL.

Append-only tables refuse UPDATE and DELETE by trigger (see the migrations). What may change in
place is listed in ``EPHEMERAL`` (leases, drafts, jobs, sign-in sessions) and ``DERIVED``
(caches that a full resolve rebuilds). Times are seconds since the Unix epoch, UTC; documents
are canonical JSON text.
"""

from __future__ import annotations

from core.store.tables.accounts import (
    grants,
    people,
    person_revisions,
    preferences,
    sessions,
    sign_in_attempts,
    skill_grants,
    standings,
)
from core.store.tables.certificates import (
    acceptances,
    arm_draws,
    campaigns,
    certificates,
    model_checks,
)
from core.store.tables.columns import metadata
from core.store.tables.images import item_list_rows, item_lists, item_metadata, item_names, items
from core.store.tables.imports import batches, gold_answers, imported_labels
from core.store.tables.learning import (
    dataset_versions,
    jobs,
    model_events,
    models,
    prediction_sets,
    predictions,
)
from core.store.tables.places import item_state, leases
from core.store.tables.probes import overlook_probes, probe_answers, probe_leases, probe_votes
from core.store.tables.project import (
    guidelines,
    policies,
    projects,
    queue_plans,
    schema_events,
    schemas,
    training_rules,
)
from core.store.tables.rulings import audit, decisions, final_labels
from core.store.tables.suspicions import acknowledgements
from core.store.tables.teams import team_moves, team_rates
from core.store.tables.versions import version_exports, version_manifests
from core.store.tables.votes import annotation_log, comments, drafts, mentions

EPHEMERAL = (leases, probe_leases, drafts, jobs, preferences, sessions, sign_in_attempts)
DERIVED = (item_state,)
APPEND_ONLY = tuple(t for t in metadata.sorted_tables if t not in EPHEMERAL and t not in DERIVED)

__all__ = [
    "APPEND_ONLY",
    "DERIVED",
    "EPHEMERAL",
    "acceptances",
    "acknowledgements",
    "annotation_log",
    "arm_draws",
    "audit",
    "batches",
    "campaigns",
    "certificates",
    "comments",
    "dataset_versions",
    "decisions",
    "drafts",
    "final_labels",
    "gold_answers",
    "grants",
    "guidelines",
    "imported_labels",
    "item_list_rows",
    "item_lists",
    "item_metadata",
    "item_names",
    "item_state",
    "items",
    "jobs",
    "leases",
    "mentions",
    "metadata",
    "model_checks",
    "model_events",
    "models",
    "overlook_probes",
    "people",
    "person_revisions",
    "policies",
    "prediction_sets",
    "predictions",
    "preferences",
    "probe_answers",
    "probe_leases",
    "probe_votes",
    "projects",
    "queue_plans",
    "schema_events",
    "schemas",
    "sessions",
    "sign_in_attempts",
    "skill_grants",
    "standings",
    "team_moves",
    "team_rates",
    "training_rules",
    "version_exports",
    "version_manifests",
]
