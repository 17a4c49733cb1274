"""Handing out a table that stands on a page: two small buttons, one for CSV and one for Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.services.report.tables import Cell, Table, csv_of, file_name, parquet_of
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.zones import reader_zone

NO_FILTERS = frozenset(
    {"project", "tz", "item", "sort", "embed", "truth", "said", "mark", "view", "tab"}
)
"""Parameters of the address that leave nothing out of a table."""


def offer(
    page: PageContext, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Draw the two buttons below a table; the file is made when one is pressed.

    Args:
        page: The page it stands on; its project is in the file's name.
        name: What the table holds, in English; unique on the page.
        columns: Names with their units, in English: programs read them.
        rows: Numbers as numbers; hostile text is defused here.
    """
    now = datetime.fromtimestamp(page.ws.clock(), ZoneInfo(reader_zone()))
    filters = filters_in_address()
    about = {
        "project": page.slug, "table": name, "filters": filters, "time_zone": reader_zone(),
        "made_at": now.isoformat(timespec="seconds"),
    }  # fmt: skip
    table = Table(tuple(columns), tuple(tuple(row) for row in rows), about)
    parts = (page.slug, name, f"{now:%Y-%m-%d}", filters)
    with st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        st.download_button(
            "CSV", lambda: csv_of(table), file_name("csv", *parts), "text/csv",
            key=f"download.{name}.csv", on_click="ignore", type="tertiary", icon=":material/download:",
            help=_("Download this table for a spreadsheet."),
        )  # fmt: skip
        st.download_button(
            "Parquet", lambda: parquet_of(table), file_name("parquet", *parts),
            "application/vnd.apache.parquet",
            key=f"download.{name}.parquet", on_click="ignore", type="tertiary", icon=":material/download:",
            help=_("Download this table for programs: pandas, Polars, DuckDB."),
        )  # fmt: skip


def filters_in_address() -> str:
    """Return the filters of this view as one text, from its address; empty for none."""
    given = st.query_params.to_dict()
    return " ".join(f"{k}={v}" for k, v in sorted(given.items()) if k not in NO_FILTERS and v)
