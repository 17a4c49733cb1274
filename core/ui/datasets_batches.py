"""What came in so far: every import, for good."""

from __future__ import annotations

from collections.abc import Mapping

from core.services.analytics.replicas import display_names
from core.services.transfer.import_report import list_batches
from core.services.transfer.import_rows import What
from core.ui import downloads, states, widgets
from core.ui.datasets_words import FORMATS, WHATS
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import fill
from core.ui.widgets import chip, table

COUNTED = ("items", "labels", "regions", "predictions", "votes", "gold", "refused")
"""What an import brought, as its report names it."""


def draw_batches(page: PageContext) -> None:
    """Draw the imports, newest first."""
    found = list_batches(page.ws, page.actor, page.slug)
    if not found:
        states.empty(
            _("Nothing was imported yet"),
            _("Images and annotations come in under Import; each import is listed here for good."),
        )
        return
    names = display_names(page.ws, sorted({b.by for b in found}))
    rows = [
        (
            fill("<span class='tb-num'>{t}</span>", t=widgets.when(b.at)),
            _(WHATS[What(b.what)]),
            chip(_(FORMATS.get(b.format, b.format))),
            b.origin,
            _counted(b.report),
            names.get(b.by, b.by),
        )
        for b in found
    ]
    head = (_("When"), _("Contents"), _("Format"), _("From"), _("Brought"), _("By"))
    table(head, rows, _("What came in"))
    downloads.offer(
        page, "imports", ("at", "contents", "format", "from", "by", *COUNTED),
        [(b.at, b.what, b.format, b.origin, b.by, *(_count(b.report, k) for k in COUNTED))
         for b in found],
    )  # fmt: skip


def _count(counts: Mapping[str, object], name: str) -> int:
    value = counts.get(name)
    return value if isinstance(value, int) else 0


def _counted(counts: Mapping[str, object]) -> str:
    names = {
        "items": _("items"), "labels": _("labels"), "regions": _("boxes"),
        "predictions": _("predictions"), "votes": _("votes"), "gold": _("gold"),
        "refused": _("left out"),
    }  # fmt: skip
    parts = [f"{counts[k]} {word}" for k, word in names.items() if counts.get(k)]
    return ", ".join(parts) or _("nothing new")
