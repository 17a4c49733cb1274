"""Datasets: what came in, what goes out, and the frozen versions in between."""

from __future__ import annotations

import streamlit as st

from core.access import Action
from core.ui.datasets_batches import draw_batches
from core.ui.datasets_export import draw_export
from core.ui.datasets_import import draw_import
from core.ui.shell import open_page
from core.ui.text import _
from core.ui.versions.panel import draw_versions

page = open_page(_("Datasets"), Action.EXCHANGE)
names = [_("Import"), _("Export"), _("What came in"), _("Dataset versions")]
# An address that names a view of the versions opens on them.
first = names[-1] if "versions" in st.query_params else names[0]
bring, take, came, frozen = st.tabs(names, default=first)
with bring:
    draw_import(page)
with take:
    draw_export(page)
with came:
    draw_batches(page)
with frozen:
    draw_versions(page)
