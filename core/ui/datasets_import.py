"""Bringing images, labels, predictions, votes and gold in, watched while it goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import streamlit as st

from core.errors import InputError
from core.services.transfer.import_report import ImportReport
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.ui import background, states, widgets
from core.ui.datasets_words import FORMATS, WHATS
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.transfer import Uploaded, keep_uploads, meant
from core.ui.widgets import figure, muted, section, table

UPLOADS = ("zip", "csv", "json", "xml", "txt", "jpg", "jpeg", "png", "webp")
MAX_UPLOAD_MB = 500
REFUSALS_SHOWN = 500


def draw_import(page: PageContext) -> None:
    """Draw what may be brought in, or the import under way."""
    key = f"datasets.import.{page.slug}"
    work = st.session_state.get(key)
    if work is not None:
        _watch(key, work)
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        section(_("What do you bring?"))
        what = st.selectbox(
            _("Contents"), list(WHATS), format_func=lambda w: _(WHATS[w]), key="datasets.what"
        )
        form = st.selectbox(
            _("Format"),
            [f for f in FORMATS if f != "table"],
            format_func=lambda f: _(FORMATS[f]),
            key="datasets.format",
        )
        uploaded = st.radio(
            _("Where is it?"),
            [False, True],
            format_func=lambda u: _("On this computer") if u else _("On the server"),
            horizontal=True,
            key="datasets.where",
        )
        source = _upload() if uploaded else _server_path(page.ws.root / "incoming")
        in_place = not uploaded and st.checkbox(
            _("Leave the images where they are instead of copying them"), key="datasets.in_place"
        )
        if st.button(_("Import"), type="primary", icon=":material/upload:", key="datasets.go"):
            options = ImportOptions(what=what.value, format=form, in_place=in_place)
            _start(page, key, source, options)
    with right:
        _import_help(page)


def _server_path(incoming: Path) -> str:
    return st.text_input(
        _("Folder, ZIP archive or annotation file"),
        key="datasets.path",
        placeholder=str(incoming / _("my-images")),
        help=_(
            "A path as the server sees it, in the folder above or in one that an admin has allowed. "
            "Best for anything large."
        ),
    ).strip()


def _upload() -> list[Uploaded]:
    files = st.file_uploader(
        _("ZIP archive, table or images"),
        type=UPLOADS,
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        key="datasets.files",
    )
    return list(files or [])


def _import_help(page: PageContext) -> None:
    section(_("Good to know"))
    lines = [
        _("Running the same import again changes nothing; a cut-short one goes on."),
        _("The same picture under two names is one item."),
        _("What cannot be read is left out and listed, by file and line; the rest goes in."),
    ]
    needed = page.project.required_metadata if page.project else ()
    if needed:
        columns = ", ".join(needed)
        lines.append(_("Each item must bring, in a table: {columns}.").format(columns=columns))
    for line in lines:
        widgets.caption(line)


def _start(
    page: PageContext, key: str, source: str | list[Uploaded], options: ImportOptions
) -> None:
    if not source:
        states.say_error(InputError(_("Nothing is chosen yet."), _("Name a path or a file.")))
        return
    ws, actor, slug = page.ws, page.actor, page.slug
    folder: Path | None = None
    origin: str | Path
    if isinstance(source, str):
        origin = source
    else:
        folder = keep_uploads(ws.cache, source)
        origin = meant(folder)

    def do(work: background.Work[ImportReport]) -> ImportReport:
        try:
            return import_data(
                ws, actor, slug, origin, options,
                lambda p: work.report(p.phase, p.done, p.total, p.seconds_left),
            )  # fmt: skip
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    st.session_state[key] = background.start(do)
    st.rerun()


def _watch(key: str, work: background.Work[ImportReport]) -> None:
    active = not work.over.is_set()

    @st.fragment(run_every=1 if active else None)
    def poll() -> None:
        if active and work.over.is_set():
            st.rerun()  # a full run: the lists below know the new batch
        if active:
            section(_("Importing"), _("You may leave this page; it goes on."))
            phase = _(work.phase)
            widgets.progress(
                work.done, work.total, work.seconds_left, phase[:1].upper() + phase[1:]
            )

    poll()
    if active:
        return
    if work.error is not None:
        states.error(work.error, inline=True)
    elif work.result is not None:
        _report(work.result)
    if st.button(_("Import something else"), icon=":material/arrow_back:", key="datasets.again"):
        del st.session_state[key]
        st.rerun()


def _report(report: ImportReport) -> None:
    time = widgets.duration(report.seconds)
    section(_("Import finished"), _("It took {time}.").format(time=time))
    counts = (
        (_("New items"), report.items),
        (_("Labels"), report.labels),
        (_("Boxes"), report.regions),
        (_("Predictions"), report.predictions),
        (_("Votes"), report.votes),
        (_("Gold answers"), report.gold),
        (_("Brought nothing new"), report.unchanged),
        (_("Same picture again"), report.duplicates),
        (_("Left out"), len(report.refused)),
    )
    with st.container(border=True):
        shown = [c for c in counts if c[1] or c[0] == counts[0][0]]
        for column, (label, value) in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                figure(label, value)
    for note in report.notes:
        widgets.caption(note)
    if report.refused:
        section(_("Left out, and why"))
        rows = [
            (r.file, str(r.line) if r.line else muted("–"), _sentence(r.reason))
            for r in report.refused[:REFUSALS_SHOWN]
        ]
        table((_("File"), _("Line"), _("Reason")), rows, _("Left out, and why"))
        if len(report.refused) > REFUSALS_SHOWN:
            more = len(report.refused) - REFUSALS_SHOWN
            widgets.caption(_("And {n} more.").format(n=f"{more:,}"))


def _sentence(reason: str) -> str:
    """Return a reason as a sentence; the importers give them as parts of one."""
    return reason[:1].upper() + reason[1:] + ("" if reason.endswith((".", "?", "!")) else ".")
