"""Tables of figures on the quality page: value, interval and n side by side, with their downloads."""

from __future__ import annotations

from collections.abc import Sequence

from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import Estimate
from core.ui import charts, downloads
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup
from core.ui.widgets import muted, table

Row = tuple[str, tuple[Estimate, ...]]


def cells(estimate: Estimate, unit: str = "%") -> list[Markup | str]:
    """Return value, interval and n as three cells."""
    if estimate.value is None:
        return [muted(_("not enough data")), "–", f"{estimate.n:,}"]
    ends = charts.interval(estimate, unit).removesuffix(", ") or "–"
    return [charts.amount(estimate.value, unit), ends, f"{estimate.n:,}"]


def figures_table(
    page: PageContext,
    name: str,
    first: str,
    columns: Sequence[tuple[str, str, str]],
    rows: Sequence[Row],
    label: str,
) -> None:
    """Draw a table of figures, and what downloads it.

    Args:
        page: The page.
        name: Of the download, in English; unique on the page.
        first: Head of the first column.
        columns: Name in English, head in the reader's language, and unit of each figure.
        rows: What a row is about, and its figures.
        label: Of the table, for screen readers.
    """
    head = [first]
    for _name, title, _unit in columns:
        head += [title, _("95 % interval"), "n"]
    body = [
        [what, *(c for e, (_n, _t, unit) in zip(found, columns, strict=True) for c in cells(e, unit))]
        for what, found in rows
    ]  # fmt: skip
    table(head, body, label)
    names = ["name", *(c for column, _t, _u in columns for c in estimate_columns(column))]
    downloads.offer(
        page, name, names, [[what, *(c for e in found for c in estimate_cells(e))] for what, found in rows]
    )  # fmt: skip
