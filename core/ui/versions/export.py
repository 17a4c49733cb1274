"""A version as files, with what the notary says of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.labels.schema import Task
from core.services.models.datasets import VersionView
from core.services.versions.exporting import (
    MOST_HANDED_OUT,
    VersionExport,
    export_version,
    past_exports,
)
from core.services.versions.files import FOLDER, version_formats
from core.ui import background, downloads, states, widgets
from core.ui.choices import choose
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.tokens import BAD, GOOD
from core.ui.transfer import zipped
from core.ui.versions.work import begin, ended, under_way
from core.ui.widgets import chip, muted, section, table

READY = "versions.ready"
TITLES = {
    "csv": mark("CSV table"),
    "coco": mark("COCO"),
    "folder": mark("Class folders with the images"),
    "voc": mark("Pascal VOC"),
    "yolo": mark("YOLO"),
}
CHECKS = {
    "items": mark("Images named"),
    "readable": mark("Can be read"),
    "class order": mark("Class order"),
    "labels": mark("Labels"),
    "regions": mark("Regions"),
    "coordinates": mark("Coordinates"),
    "normalisation": mark("Normalisation"),
    "counts": mark("Counts"),
    "images": mark("Image files"),
}


def draw_export(page: PageContext, found: Sequence[VersionView]) -> None:
    """Draw the choices, the files once they are made, and the receipts there are."""
    if not found:
        states.empty(_("No version yet"), _("Freeze the labels first."))
        return
    key = f"versions.export.{page.slug}"
    left, right = st.columns([2, 3], gap="large")
    with left:
        version = choose(_("Version"), "version", {v.name: v.name for v in found}, found[0].name)
        task = page.project.task if page.project else Task.CLASSIFICATION
        forms = {f: _(TITLES[f]) for f in version_formats(task)}
        form = choose(_("Format"), "format", forms, next(iter(forms)))
        n = next(v.n_items for v in found if v.name == version)
        if form == FOLDER and n > MOST_HANDED_OUT:
            _too_many(page.slug, version, n)
        elif not under_way(key) and st.button(
            _("Write and check"), type="primary", key="versions.export"
        ):
            begin(key, _made(page, version, form))
    made = ended(key)
    if isinstance(made, VersionExport):
        st.session_state[READY] = (page.slug, made)
    slug, ready = st.session_state.get(READY, ("", None))
    with right:
        if ready and (slug, ready.version, ready.format) == (page.slug, version, form):
            _receipt(page.slug, ready)
        else:
            widgets.caption(
                _(
                    "The files are read back as anybody would read them, and held against the version."
                )
            )
    _past(page)


def _too_many(slug: str, version: str, n: int) -> None:
    """Say that so many images are written on the server, and by which command."""
    text = _("{n} images are more than the {most} a browser is handed at once. On the server:")
    widgets.caption(text.format(n=f"{n:,}", most=f"{MOST_HANDED_OUT:,}"))
    line = f"tiebreak export {slug} FOLDER --version {shlex.quote(version)} --format folder"
    st.code(line, language=None, wrap_lines=True)


def _made(
    page: PageContext, version: str, form: str
) -> Callable[[background.Work[VersionExport]], VersionExport]:
    ws, actor, slug = page.ws, page.actor, page.slug
    return lambda work: export_version(ws, actor, slug, version, form, work.report)


def _receipt(slug: str, made: VersionExport) -> None:
    receipt = made.receipt
    with st.container(border=True):
        left = _(" and ").join(receipt.dropped)
        if receipt.passed and left:
            section(
                _("The files hold what the version holds, but for {left}").format(left=left),
                _("The format has no place for them; a table (CSV) has."),
            )
        elif receipt.passed:
            section(_("The files hold what the version holds"))
        else:
            section(_("The files are not what the version is"), ", ".join(receipt.mistakes))
        rows: list[list[Markup | str]] = [
            [_verdict(c.passed), _(CHECKS.get(c.name, c.name)), _found(c.sentence, c.examples)]
            for c in receipt.checks
        ]
        table(("", _("Check"), _("Found")), rows, _("Receipt"))
        with st.expander(_("What the format has no place for"), expanded=bool(receipt.dropped)):
            for sentence in receipt.loss:
                widgets.caption(sentence)
        st.download_button(
            _("Download ZIP"), zipped(made.files), f"{slug}-{made.version}-{made.format}.zip",
            "application/zip", icon=":material/download:", type="primary",
            key="versions.download", on_click="ignore",
        )  # fmt: skip


def _verdict(passed: object) -> Markup:
    return chip(_("right"), GOOD) if passed else chip(_("wrong"), BAD)


def _found(sentence: str, examples: Sequence[str]) -> Markup:
    if not examples:
        return fill("{s}", s=sentence)
    return fill("{s} {e}", s=sentence, e=muted("; ".join(examples[:3])))


def _past(page: PageContext) -> None:
    found = past_exports(page.ws, page.actor, page.slug)
    if not found:
        return
    section(_("Receipts"))
    rows: list[list[Markup | str]] = [
        [
            fill("<span class='tb-num'>{t}</span>", t=widgets.when(e.at)),
            e.version, _(TITLES.get(e.format, e.format)), _verdict(e.receipt.get("passed")),
            _wrong(e.receipt), e.by,
        ]
        for e in found[:100]
    ]  # fmt: skip
    head = (
        _("When"),
        _("Version"),
        _("Format"),
        _("Verdict"),
        _("Mistakes, and what is left out"),
        _("By"),
    )
    table(head, rows, _("Receipts"))
    downloads.offer(
        page, "receipts", ("at", "version", "format", "passed", "mistakes", "by"),
        [(e.at, e.version, e.format, bool(e.receipt.get("passed")), _told(e.receipt), e.by)
         for e in found],
    )  # fmt: skip


def _wrong(receipt: Mapping[str, object]) -> Markup | str:
    left = receipt.get("dropped")
    told = [_told(receipt)]
    if isinstance(left, list) and left:
        told.append(_("left out: {what}").format(what=", ".join(map(str, left))))
    return "; ".join(filter(None, told)) or muted("–")


def _told(receipt: Mapping[str, object]) -> str:
    mistakes = receipt.get("mistakes")
    return ", ".join(mistakes) if isinstance(mistakes, Mapping) else ""
