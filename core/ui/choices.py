"""Choices that live in the address: shared with the link, kept by a refresh, gone with the page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.ui.text import _


def choose(
    label: str, name: str, options: Mapping[str, str], default: str, help_text: str | None = None
) -> str:
    """Draw a choice whose value is the address's parameter and return it.

    An address that names nothing on the list gets the default.

    Args:
        label: What is chosen, in the reader's language.
        name: The parameter.
        options: Stable code to what the reader sees.
        default: The code that needs no parameter.
        help_text: Shown beside the label.
    """
    asked = st.query_params.get(name, default)
    key = f"choice.{name}"
    st.session_state[key] = asked if asked in options else default
    st.selectbox(
        label,
        list(options),
        format_func=lambda code: options.get(code, code),
        key=key,
        help=help_text,
        on_change=_chosen,
        args=(name, default),
    )
    return str(st.session_state[key])


def choose_view(views: Mapping[str, str], key: str, name: str = "view", first: str = "") -> str:
    """Draw the choice of a page's views and return the one the address names.

    An address that names none of them gets the first one, or `first`, which needs no parameter.

    Args:
        views: Stable code to its name, marked for translation.
        key: Of the control, unique on the page.
        name: The parameter.
        first: The view of an address that names none; the first of `views` if empty.
    """
    default = first or next(iter(views))
    asked = st.query_params.get(name, default)
    st.session_state[key] = asked if asked in views else default
    st.segmented_control(
        _("View"), list(views), format_func=lambda code: _(views[code]), key=key,
        label_visibility="collapsed", on_change=_viewed, args=(key, name, default), required=True,
    )  # fmt: skip
    return str(st.session_state[key])


def put(**parameters: str | None) -> None:
    """Write parameters into the address; None takes one out."""
    for name, value in parameters.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value


def _viewed(key: str, name: str, default: str) -> None:
    value = str(st.session_state[key])
    put(**{name: None if value == default else value})


def _chosen(name: str, default: str) -> None:
    value = str(st.session_state[f"choice.{name}"])
    put(**{name: None if value == default else value})
