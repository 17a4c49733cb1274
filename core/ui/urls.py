"""Addresses as the browser needs them: below the base path, and with the origin in front."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from core.web import SIGN_IN_PATH, SIGN_OUT_PATH


def base() -> str:
    """Return the path the app is served below: empty, or ``/lab`` without a slash at the end."""
    found = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{found}" if found else ""


def origin() -> str:
    """Return scheme and host as the browser sees them, ``https://host:port``."""
    # The address is unknown under AppTest.
    parts = urlsplit(st.context.url or "http://localhost")
    return f"{parts.scheme}://{parts.netloc}"


def path(rest: str) -> str:
    """Return a path of our own routes below the base: what ``<img>`` and links take."""
    return f"{base()}{rest}"


def absolute(rest: str) -> str:
    """Return the full address of one of our routes: what the canvas and module imports take."""
    return f"{origin()}{base()}{rest}"


def page(key: str, **params: str) -> str:
    """Return the path of a page with its query, for a permalink."""
    name = "" if key == "home" else quote(key)
    return f"{base()}/{name}" + (f"?{urlencode(params)}" if params else "")


def sign_in() -> str:
    """Return the path of the sign-in page that leads back here."""
    here = urlsplit(st.context.url or "")
    query = urlencode(st.query_params.to_dict())
    target = (here.path or f"{base()}/") + (f"?{query}" if query else "")
    return path(SIGN_IN_PATH) + "?" + urlencode({"next": target})


def sign_out() -> str:
    """Return the path the sign-out form posts to."""
    return path(SIGN_OUT_PATH)
