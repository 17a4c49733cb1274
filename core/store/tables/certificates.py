"""What the model may decide alone: promises, the looks at them, and what was accepted on their word."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, UniqueConstraint

from core.store.tables.columns import key, metadata, moment, ref, words

campaigns = Table(
    "campaigns",  # a promise: a later row of the project closes the one before
    metadata,
    key(),
    ref("project_id", "projects.id"),
    Column("target", Double, nullable=False),  # share of wrong labels among what is auto-accepted
    Column("delta", Double, nullable=False),  # one less the confidence, over the whole campaign
    Column("iou", Double, nullable=False),  # from which overlap on a region is right
    words("scope"),  # all, classes, or slices:<column>
    words("doc"),  # JSON: the ladder and what else was fixed before the first look
    words("reason"),
    ref("by_id", "people.id"),
    moment(),
    Index("campaigns_project", "project_id", "id"),
)

certificates = Table(
    "certificates",  # one look at one scope of a campaign, certified or refused
    metadata,
    key(),
    ref("project_id", "projects.id"),
    ref("campaign_id", "campaigns.id"),
    ref("model_id", "models.id"),
    ref("job_id", "jobs.id", nullable=True),
    Column("look", Integer, nullable=False),  # 1, 2, 3 …: each spends its share of delta
    Column("delta_spent", Double, nullable=False),
    words("scope"),  # all, class:rose, slice:camera=A
    Column("threshold", Double),  # NULL: refused
    Column("n_region", Integer, nullable=False),
    Column("n_sampled", Integer, nullable=False),
    Column("n_wrong", Integer, nullable=False),
    Column("bound", Double),
    Column("n_accepted", Integer, nullable=False),
    words("outcome"),  # certified, refused
    words("sentence"),
    words("evidence_hash"),  # SHA-256 of the labels it rests on
    words("folder"),  # of the curve, within the run
    ref("by_id", "people.id", nullable=True),
    moment(),
    UniqueConstraint("campaign_id", "look", "scope", name="certificates_once"),
    Index("certificates_project", "project_id", "id"),
)

acceptances = Table(
    "acceptances",  # the newest row of an item counts
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    ref("certificate_id", "certificates.id"),
    ref("prediction_seq", "predictions.seq"),
    words("kind"),  # accepted; withheld for audit; revoked; released: left out, or drawn for audit
    words("reason"),
    moment(),
    Index("acceptances_item", "item_id", "seq"),
    Index("acceptances_certificate", "certificate_id"),
)

arm_draws = Table(
    "arm_draws",  # items drawn by chance for a purpose, with the chance they had
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("arm"),  # audit, scratch, random
    ref("certificate_id", "certificates.id", nullable=True),
    Column("draw_probability", Double, nullable=False),
    moment(),
    UniqueConstraint("item_id", "arm", "certificate_id", name="arm_draws_once"),
    Index("arm_draws_project", "project_id", "seq"),
)

model_checks = Table(
    "model_checks",  # what was measured of a model after its run
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("model_id", "models.id"),
    words("kind"),  # serving, comparison, card
    words("doc"),
    ref("by_id", "people.id", nullable=True),
    moment(),
    Index("model_checks_model", "model_id", "seq"),
)
