"""A version as files, with what the notary says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.labels.schema import Task
from core.services.models.datasets import VersionView
from core.services.transfer.exports import formats_for
from core.services.versions.exporting import VersionExport, export_version, past_exports
from core.ui import states, widgets
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, fill
from core.ui.transfer import zipped
from core.ui.widgets import chip, muted, section, table

GOOD, BAD = "#228833", "#EE6677"
READY = "versions.ready"
TITLES = {"csv": "CSV", "voc": "Pascal VOC", "yolo": "YOLO", "coco": "COCO"}


def draw_export(page: PageContext, found: Sequence[VersionView]) -> None:
    """Draw the choices, the files once they are made, and the receipts there are."""
    if not found:
        states.empty(_("No version yet"), _("Freeze the labels first."))
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        version = choose(_("Version"), "version", {v.name: v.name for v in found}, found[0].name)
        task = page.project.task if page.project else Task.CLASSIFICATION
        forms = [f for f in formats_for(task, "labels") if f in TITLES]
        form = choose(_("Format"), "format", {f: TITLES[f] for f in forms}, forms[0])
        key = f"{page.slug}.{version}.{form}"
        if st.button(_("Write and check"), type="primary", key="versions.export"):
            with st.spinner(_("Writing, and reading back …")), states.boundary(inline=True):
                made = export_version(page.ws, page.actor, page.slug, version, form)
                st.session_state[READY] = (key, made)
    ready = st.session_state.get(READY)
    with right:
        if ready and ready[0] == key:
            _receipt(page.slug, ready[1])
        else:
            widgets.caption(
                _(
                    "The files are read back as anybody would read them, and held against the version."
                )
            )
    _past(page)


def _receipt(slug: str, made: VersionExport) -> None:
    receipt = made.receipt
    with st.container(border=True):
        said = _("The files hold what the version holds") if receipt.passed else _("Not as meant")
        section(said)
        rows: list[list[Markup | str]] = [
            [_verdict(c.passed), c.name, fill("{s} {e}", s=c.sentence, e=_examples(c.examples))]
            for c in receipt.checks
        ]
        table(("", _("Check"), _("Found")), rows, _("Receipt"))
        for sentence in receipt.loss:
            widgets.caption(sentence)
        st.download_button(
            _("Download ZIP"), zipped(made.files), f"{slug}-{made.version}-{made.format}.zip",
            "application/zip", icon=":material/download:", type="primary",
            key="versions.download", on_click="ignore",
        )  # fmt: skip


def _verdict(passed: object) -> Markup:
    return chip(_("right"), GOOD) if passed else chip(_("wrong"), BAD)


def _examples(found: Sequence[str]) -> Markup:
    return muted("; ".join(found[:3]))


def _past(page: PageContext) -> None:
    found = past_exports(page.ws, page.actor, page.slug)
    if not found:
        return
    section(_("Receipts"))
    rows: list[list[Markup | str]] = [
        [
            fill("<span class='tb-num'>{t}</span>", t=widgets.when(e.at)),
            e.version, TITLES.get(e.format, e.format), _verdict(e.receipt.get("passed")),
            _wrong(e.receipt), e.by,
        ]
        for e in found[:100]
    ]  # fmt: skip
    head = (_("When"), _("Version"), _("Format"), _("Verdict"), _("Mistakes named"), _("By"))
    table(head, rows, _("Receipts"))


def _wrong(receipt: Mapping[str, object]) -> Markup | str:
    mistakes = receipt.get("mistakes")
    return ", ".join(mistakes) if isinstance(mistakes, Mapping) and mistakes else muted("–")
