"""Choices that live in the address: shared with the link, kept by a refresh, gone with the page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


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


def put(**parameters: str | None) -> None:
    """Write parameters into the address; None takes one out."""
    for name, value in parameters.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value


def _chosen(name: str, default: str) -> None:
    value = str(st.session_state[f"choice.{name}"])
    put(**{name: None if value == default else value})
