"""Suspicious labels a person looked at: what they called right is not asked again."""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from core.store.tables.columns import key, metadata, moment, ref, words

acknowledgements = Table(
    "acknowledgements",  # the newest row of an item, kind and label counts
    metadata,
    key("seq"),
    words("uuid"),  # made by the client; sent again, nothing changes
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("kind"),  # of the suspicion: label, conflict, overlooked …
    ref("final_seq", "final_labels.seq", nullable=True),  # the label it was about; NULL: the image
    words("said"),  # right; open: taken back
    ref("person_id", "people.id"),
    moment(),
    UniqueConstraint("uuid", name="acknowledgements_uuid"),
    Index("acknowledgements_project", "project_id", "seq"),
)
