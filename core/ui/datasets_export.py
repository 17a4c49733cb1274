"""Taking labels, votes, predictions, gold or items out as files."""

from __future__ import annotations

import streamlit as st

from core.labels.schema import Task
from core.services.transfer.exports import ExportFiles, export_data, formats_for
from core.ui import states, widgets
from core.ui.datasets_words import EXPORTS, FORMATS
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.transfer import zipped
from core.ui.widgets import figure, section


def draw_export(page: PageContext) -> None:
    """Draw what may be taken out, and the files once they are made."""
    section(_("What do you need?"))
    left, right = st.columns([3, 2], gap="large")
    with left:
        what = st.selectbox(
            _("Contents"), list(EXPORTS), format_func=lambda w: _(EXPORTS[w]), key="export.what"
        )
        task = page.project.task if page.project is not None else Task.CLASSIFICATION
        forms = formats_for(task, what.value)
        form = st.selectbox(
            _("Format"), forms, format_func=lambda f: _(FORMATS[f]), key="export.format"
        )
        key = f"export.{page.slug}.{what}.{form}"
        if st.button(_("Prepare"), type="primary", key="export.go"):
            with st.spinner(_("Writing the files …")), states.boundary(inline=True):
                found = export_data(page.ws, page.actor, page.slug, what.value, form)
                st.session_state["export.ready"] = (key, found)
    ready = st.session_state.get("export.ready")
    with right:
        if ready and ready[0] == key:
            _download(page.slug, what.value, form, ready[1])
        else:
            widgets.caption(_("The same labels give the same files, byte for byte."))


def _download(slug: str, what: str, form: str, found: ExportFiles) -> None:
    with st.container(border=True):
        figure(_("Rows"), found.n_rows)
        for note in found.notes:
            widgets.caption(note)
        st.download_button(
            _("Download ZIP"),
            zipped(found.files),
            f"{slug}-{what}-{form}.zip",
            "application/zip",
            icon=":material/download:",
            type="primary",
            key="export.download",
            on_click="ignore",
        )
