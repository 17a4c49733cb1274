"""The one place that writes HTML into a page; whatever goes into it is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import streamlit as st

STYLE = Path(__file__).with_name("theme.css")


class Markup(str):
    """HTML that was made by `fill` and is not escaped again."""

    __slots__ = ()


def fill(template: str, **values: object) -> Markup:
    """Return the template with its ``{names}`` filled in, each value escaped unless it is markup."""
    safe = {k: v if isinstance(v, Markup) else escape(str(v)) for k, v in values.items()}
    return Markup(template.format(**safe))


def join(parts: Iterable[Markup]) -> Markup:
    """Return the pieces of markup in a row."""
    return Markup("".join(parts))


def draw(template: str, **values: object) -> None:
    """Draw the filled template on the page."""
    st.html(fill(template, **values))


def is_dark() -> bool:
    """Return whether the reader's page is dark; light where the browser has not said yet."""
    return st.context.theme.type == "dark"


def inject_style() -> None:
    """Give the page our style sheet."""
    st.html(STYLE)
