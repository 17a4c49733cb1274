"""What Streamlit alone does: an image, a button with a key, a fragment that shows the next one.

Run by Streamlit as a script; the folder of images comes in TIEBREAK_BENCH_PHOTOS.
"""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st


@st.cache_data
def _photo(path: str) -> bytes:
    return Path(path).read_bytes()


@st.fragment
def _work() -> None:
    found = sorted(Path(os.environ["TIEBREAK_BENCH_PHOTOS"]).glob("*.jpg"))
    at = st.session_state.setdefault("at", 0)
    st.image(_photo(str(found[at % len(found)])), width=900)
    for key, name in (("1", "ash"), ("2", "birch"), ("3", "cedar")):
        st.button(name, shortcut=key, on_click=_decide, args=(name,))
    st.caption(f"Image {at}")


def _decide(name: str) -> None:
    st.session_state.setdefault("said", []).append(name)
    st.session_state["at"] += 1


_work()
