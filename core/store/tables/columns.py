"""The columns every table is made of, and the one schema they all hang on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, MetaData, Text

metadata = MetaData()

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER keys


def key(name: str = "id") -> Column[int]:
    """Number the rows of a table."""
    return Column(name, Id, primary_key=True, autoincrement=True)


def ref(name: str, target: str, nullable: bool = False) -> Column[int]:
    """Point at the number of a row elsewhere."""
    return Column(name, Id, ForeignKey(target), nullable=nullable)


def batch() -> Column[int]:
    """Name the import a row came with, if any."""
    # Checked at commit: a batch is written after its rows, when its report can be told.
    return Column(
        "batch_id",
        Id,
        ForeignKey("batches.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    )


def moment(name: str = "at") -> Column[float]:
    """Hold a time: seconds since the Unix epoch, UTC."""
    return Column(name, Double, nullable=False)


def words(name: str, nullable: bool = False) -> Column[str]:
    """Hold text, or a document as canonical JSON."""
    return Column(name, Text, nullable=nullable)
