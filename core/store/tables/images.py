"""The images: under which names, with which metadata, in which lists."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, Table, Text, UniqueConstraint

from core.store.tables.columns import batch, key, metadata, moment, ref, words

items = Table(
    "items",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    words("content_hash"),  # SHA-256 of the file's bytes
    words("location"),  # relative to the workspace, or absolute, or a URL where images stay away
    Column("width", Integer, nullable=False),  # pixels, upright
    Column("height", Integer, nullable=False),
    Column("orientation", Integer, nullable=False),  # EXIF, 1 to 8
    words("format"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("channels", Text, nullable=False, server_default="[]"),  # JSON names; [] plain
    words("use"),  # train, certify, evaluate
    Column("use_probability", Double, nullable=False),  # of that use, when drawn
    moment(),
    UniqueConstraint("project_id", "content_hash", name="items_content"),
)

item_names = Table(
    "item_names",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("name"),
    moment(),
    UniqueConstraint("project_id", "name", name="item_names_name"),
    Index("item_names_item", "item_id"),
)

item_metadata = Table(
    "item_metadata",
    metadata,
    key("seq"),
    ref("project_id", "projects.id"),
    ref("item_id", "items.id"),
    words("doc"),  # the whole metadata of the item from here on
    batch(),
    moment(),
    Index("item_metadata_item", "item_id", "seq"),
)

item_lists = Table(
    "item_lists",
    metadata,
    key(),
    ref("project_id", "projects.id"),
    words("name"),
    ref("by_id", "people.id"),
    moment(),
    Index("item_lists_project", "project_id", "id"),
)

item_list_rows = Table(
    "item_list_rows",
    metadata,
    key("seq"),
    ref("list_id", "item_lists.id"),
    ref("item_id", "items.id"),
    Column("place", Integer, nullable=False),
    Index("item_list_rows_list", "list_id", "place"),
)
