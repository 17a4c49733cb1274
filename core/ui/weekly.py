"""The button that hands out the weekly report; the file is made when it is pressed."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.access import Actor
from core.errors import TiebreakError
from core.services.report.page import html_of
from core.services.report.tables import file_name
from core.services.report.weekly import weekly_report
from core.services.workspace import Workspace
from core.ui.text import _
from core.ui.zones import reader_zone


def report_button(ws: Workspace, actor: Actor, slug: str) -> None:
    """Draw the button for the newest week with work in it, days cut in the reader's time zone."""
    zone = reader_zone()
    st.download_button(
        _("Weekly report"),
        lambda: page_of(ws, actor, slug, zone),
        file_name("html", slug, "weekly-report"),
        "text/html",
        key=f"report.{slug}",
        on_click="ignore",
        icon=":material/download:",
        help=_(
            "What changed in the newest week with work in it, as one file that needs no network."
        ),
    )


def page_of(ws: Workspace, actor: Actor, slug: str, zone: str) -> str:
    """Return the report's page; where it cannot be made, one that says why.

    The browser is promised a file by then: there is no page left to say it on.
    """
    try:
        return html_of(weekly_report(ws, actor, slug, tz=zone))
    except TiebreakError as problem:
        return f'<!doctype html><html lang="en"><meta charset="utf-8"><p>{escape(str(problem))}</p></html>'
